"""How plots look, and how they become a part of a page, in its colours by day and by night.

Matplotlib draws in placeholders, one colour for each role; in the SVG they are replaced by the
page's variables, so a plot follows the page between light and dark without a script. Lines differ
in their strokes too, for those who do not see the colours apart.
"""

import io
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, SOFT, GRID = "#010101", "#020202", "#030303"
"""Text and axes; what is less important; lines of the grid."""

ONE, TWO, THREE, BAD = "#040404", "#050505", "#060606", "#070707"
"""Data: three things beside each other, and what must not be exceeded."""

VARIABLES: Mapping[str, str] = {
    INK: "ink",
    SOFT: "soft",
    GRID: "grid",
    ONE: "one",
    TWO: "two",
    THREE: "three",
    BAD: "bad",
}
"""CSS variables (page.py gives them their values) by placeholder."""

_STYLE: Any = {  # Matplotlib's newest stubs name each key, older ones none
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "font.size": 11.0,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "text.color": INK,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
}


def plot(draw: Callable[[Figure], None], label: str, *, height: float = 3.6) -> str:
    """An SVG element for a page.

    Args:
        draw: draws on an empty figure, with the roles above as colours.
        label: what the plot shows, for those who do not see it.
        height: in inches; the width is 8, and the page scales both.
    """
    # The salt keeps ids of several plots on a page apart, and the same from run to run.
    with mpl.rc_context(_STYLE | {"svg.hashsalt": label}):
        figure = Figure(figsize=(8.0, height))
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg")
    return _inline(file.getvalue(), label)


def _inline(document: str, label: str) -> str:
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    for colour, name in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    opening = svg.index(">")
    box = re.search(r'viewBox="[^"]+"', svg[:opening])
    assert box is not None
    links = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {box[0]} {links} role="img" aria-label="{escape(label)}">' + svg[opening + 1 :]
