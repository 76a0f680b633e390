"""Bar charts as SVG, with only the standard library: readable on light and on dark pages."""

from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH = 760
MARGIN = 24
TITLE_HEIGHT = 64
BAR_HEIGHT = 16
BAR_PITCH = 20
GROUP_GAP = 14
AXIS_HEIGHT = 36
# The ends of the bars; the rest is for labels.
BARS_LEFT = 210
BARS_RIGHT = 600

STYLE = """
  .card { fill: #ffffff; stroke: #d8dee6 }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .label { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #5b6571 }
  .name { font-weight: 600 }
  .bar { fill: #9fabba }
  .ours { fill: #2563c9 }
  .grid { stroke: #e6eaef }
  .reference { stroke: #b4530a; stroke-dasharray: 4 3 }
  .reference-label { fill: #b4530a }
  .spread { stroke: #24292f; stroke-opacity: 0.7; stroke-width: 1.25 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #14181e; stroke: #343c46 }
    text { fill: #e4e9ef }
    .label { stroke: #14181e }
    .quiet { fill: #9aa5b1 }
    .bar { fill: #5b6775 }
    .ours { fill: #5b96f5 }
    .grid { stroke: #262d36 }
    .reference { stroke: #f0a35c }
    .reference-label { fill: #f0a35c }
    .spread { stroke: #e4e9ef }
  }
"""


class Bar(NamedTuple):
    # The texts beside the bar and at its end.
    name: str
    label: str
    value: float
    # The least and the greatest of the repeats; both equal the value if there was no spread.
    low: float
    high: float


class Group(NamedTuple):
    name: str
    bars: list
    # Whether it has the highlight colour.
    ours: bool


def bar_chart(title: str, subtitle: str, groups: list, reference: float, reference_label: str) -> str:
    """Groups of horizontal bars on one scale from 0, with a line at the reference."""
    top = max([reference * 1.1, *(max(bar.high, bar.value) for group in groups for bar in group.bars)])
    step = _step(top)

    def x(value: float) -> float:
        return round(BARS_LEFT + value / top * (BARS_RIGHT - BARS_LEFT), 1)

    y = TITLE_HEIGHT + MARGIN
    bars = []
    labels = []
    for group in groups:
        labels.append(_text(MARGIN, y + len(group.bars) * BAR_PITCH / 2 + 2, group.name, "name"))
        for bar in group.bars:
            bars += _bar(bar, group.ours, x, y)
            labels.append(_text(BARS_LEFT - 10, y + 12.5, bar.name, "quiet", "end"))
            labels.append(_text(max(x(bar.value), x(bar.high)) + 8, y + 12.5, bar.label, "label"))
            y += BAR_PITCH
        y += GROUP_GAP
    bottom = y - GROUP_GAP / 2
    grid = []
    for tick in range(int(top / step) + 1):
        at = x(tick * step)
        grid.append(f'<line class="grid" x1="{at}" y1="{TITLE_HEIGHT + MARGIN - 8}" x2="{at}" y2="{bottom}"/>')
        grid.append(_text(at, bottom + 16, f"{tick * step:g}", "quiet", "middle"))
    at = x(reference)
    line = [f'<line class="reference" x1="{at}" y1="{TITLE_HEIGHT + MARGIN - 8}" x2="{at}" y2="{bottom}"/>',
            _text(at, TITLE_HEIGHT + MARGIN - 14, reference_label, "reference-label", "middle")]
    height = round(bottom + AXIS_HEIGHT)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        _text(MARGIN, 30, title, "title"),
        _text(MARGIN, 50, subtitle, "quiet"),
        *grid, *bars, *line, *labels, "</svg>", ""])


def _bar(bar: Bar, ours: bool, x, y: float) -> list:
    middle = y + BAR_HEIGHT / 2
    parts = [f'<rect class="{"ours" if ours else "bar"}" x="{BARS_LEFT}" y="{y:g}" '
             f'width="{max(x(bar.value) - BARS_LEFT, 1):.1f}" height="{BAR_HEIGHT}" rx="2"/>']
    if bar.high > bar.low:
        parts.append(f'<path class="spread" fill="none" d="M{x(bar.low)} {middle:g}H{x(bar.high)}'
                     f'M{x(bar.low)} {middle - 3:g}v6M{x(bar.high)} {middle - 3:g}v6"/>')
    return parts


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (f'<text x="{x:g}" y="{y:g}"' + (f' class="{style}"' if style else "")
            + (f' text-anchor="{anchor}"' if anchor != "start" else "") + f">{escape(text)}</text>")


def _step(top: float) -> float:
    """The step of the grid: 1, 2 or 5 times a power of ten, so that there are 3 to 8 lines."""
    power = 1e-6
    while True:
        for digit in (1, 2, 5):
            if top / (digit * power) <= 8:
                return digit * power
        power *= 10
