"""Pictures of numbers as inline SVG: no script, no styles of their own, no colours.

`static/css/charts.css` gives the colours; a chart says everything without them, too.
All times must be UTC, as the axes say nothing else.
"""

from monitoring.charts.bars import bars
from monitoring.charts.legend import legend, states
from monitoring.charts.line import line
from monitoring.charts.markup import Svg
from monitoring.charts.parts import Axes, Limit, Mark, Series, Words
from monitoring.charts.sparkline import sparkline
from monitoring.charts.strip import strip

__all__ = [
    "Axes",
    "Limit",
    "Mark",
    "Series",
    "Svg",
    "Words",
    "bars",
    "legend",
    "line",
    "sparkline",
    "states",
    "strip",
]
