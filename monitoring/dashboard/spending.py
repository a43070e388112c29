"""What turns take in tokens and money, the variants side by side."""

from collections.abc import Callable, Mapping

from monitoring import wording
from monitoring.charts import Words
from monitoring.dashboard.links import Links
from monitoring.dashboard.panel import Drawing, Panel, Row, Table, over_time
from monitoring.dashboard.points import Points
from monitoring.history.summary import Summary

_ARMS = ("on", "off")
_TOKENS = {
    "prompt_tokens": "Prompt tokens per turn",
    "cached_tokens": "of these cached",
    "output_tokens": "Output tokens per turn",
    "thoughts_tokens": "Thoughts tokens per turn",
    "billed_tokens": "Billed input tokens per turn",
}


def tokens(points: Points, links: Links) -> Panel:
    """Show the billed input tokens of a turn, and what they are made of."""
    billed = {arm: points.whole("billed_tokens", arm).avg for arm in _ARMS}
    drawing = Drawing(
        words=Words(
            key="tokens",
            title="Billed input tokens per turn",
            desc=_billed(billed),
            unit="tokens",
        ),
        series={
            wording.variant(arm): [
                each.avg for each in points.steps("billed_tokens", arm)
            ]
            for arm in _ARMS
        },
        show=wording.number,
        has_turns=True,
    )
    rows = [
        _compared(points, name, words, lambda whole: wording.number(whole.avg))
        for name, words in _TOKENS.items()
    ]
    reported = _compared(
        points,
        "billed_tokens",
        "Turns that reported them",
        lambda whole: wording.number(whole.count or None),
    )
    table = Table(["", "Treatment", "Control"], [*rows, reported])
    return over_time(points, drawing, links=links, compared=table)


def _billed(billed: Mapping[str, float | None]) -> str:
    if all(each is None for each in billed.values()):
        return "No turn reported its tokens: no data."
    found = [
        f"{wording.number(value)} in {wording.variant(arm)}"
        for arm, value in billed.items()
    ]
    return f"A turn took: {', '.join(found)}. A cached token counts a tenth."


def cost(points: Points, links: Links) -> Panel:
    """Show what the model costs, where its price is known."""
    labels = points.labels("cost_usd")
    whole = points.whole("cost_usd")
    drawing = Drawing(
        words=Words(
            key="cost",
            title="Cost of the model",
            desc=f"{wording.dollars(whole.total)} for "
            f"{wording.counted(whole.count, 'turn')}: {wording.dollars(whole.avg)} per "
            "turn, by the price list."
            if whole.count
            else "No turn with a known price is noted of this time: no data.",
            unit="US$",
        ),
        series={
            wording.variant(label): [
                each.total if each.count else None
                for each in points.steps("cost_usd", label)
            ]
            for label in ("on", "off", *(each for each in labels if each not in _ARMS))
        },
        show=wording.dollars,
        is_bars=True,
        has_turns=True,
    )
    shown: dict[str, Callable[[Summary], str]] = {
        "In all": lambda whole: wording.dollars(whole.total if whole.count else None),
        "Per turn": lambda whole: wording.dollars(whole.avg),
        "Turns with a price": lambda whole: wording.number(whole.count or None),
    }
    rows = [_compared(points, "cost_usd", *each) for each in shown.items()]
    table = Table(["", "Treatment", "Control"], rows)
    return over_time(points, drawing, links=links, compared=table)


def _compared(
    points: Points, name: str, words: str, show: Callable[[Summary], str]
) -> Row:
    return Row(words, [show(points.whole(name, arm)) for arm in _ARMS])
