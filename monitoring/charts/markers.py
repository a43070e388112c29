"""Shapes that tell series apart without their colours."""

from monitoring.charts.markup import at, tag

_PATHS = {
    1: "M{x} {y}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    2: "M{x} {y}m-4 -4h8v8h-8z",
    3: "M{x} {y}m0 -5l5 9h-10z",
    4: "M{x} {y}m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
}


def marker(number: int, x: float, y: float) -> str:
    """Return the shape of the series of this number, 1 to 4."""
    d = _PATHS[number].format(x=at(x), y=at(y))
    return tag("path", class_=f"chart-marker chart-marker-{number}", d=d)
