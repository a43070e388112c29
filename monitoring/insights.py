"""What the figures of the last day mean, in sentences."""

from monitoring.figures import Figures


def sentences(figures: Figures) -> list[str]:
    """Say what persistent sessions do here; a saving is claimed only if measured."""
    treatment, control = figures.arms
    return [
        _hits(figures),
        f"{treatment.turn_count} complete turns in the treatment, "
        f"{control.turn_count} in control.",
        _tokens(figures.reduction_percent),
        _times(figures.improvement_percent),
    ]


def _hits(figures: Figures) -> str:
    turns = figures.session_turns_of_day
    if not turns.valid:
        return "No persistent turn has looked for a session in the last 24 hours."
    share = 100 * turns.hit / turns.valid
    return (
        f"{turns.hit} of {turns.valid} persistent turns found their session live "
        f"({share:.0f} %)."
    )


def _tokens(saved: float | None) -> str:
    if saved is None:
        return "Both variants need turns before their tokens can be compared."
    if saved > 0:
        return f"A turn of the treatment takes {saved:.1f} % fewer billed tokens."
    return f"The treatment saves no tokens: a turn takes {-saved:.1f} % more."


def _times(improved: float | None) -> str:
    if improved is None:
        return "Both variants need turns before their answer times can be compared."
    if improved > 0:
        return f"Answers of the treatment are complete {improved:.1f} % sooner."
    return f"The treatment is no quicker: an answer takes {-improved:.1f} % longer."
