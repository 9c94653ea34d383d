"""A page that is one file: no scripts, nothing from elsewhere, light and dark.

Everything that is text is escaped here; what is called a block is HTML that came from here or
from `style.plot`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

# A browser would load nothing else; recordings are in the page itself.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src data:"

_CSS = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f4f6f8; --ink: #1b1f24; --soft: #57606a; --grid: #d8dee4;
  --one: #0b5cad; --two: #a84300; --three: #1a7037; --bad: #b3192b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161b; --panel: #1c2229; --ink: #e8ecf0; --soft: #a5afba; --grid: #343c46;
    --one: #74b8ff; --two: #ffab66; --three: #77d694; --bad: #ff8a94;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 62rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
h1 { margin: 0 0 .25rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
.lead { margin: 0 0 1rem; font-size: 1.1rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .75rem;
  margin: 0; }
.facts > div { padding: .75rem 1rem; border-radius: .5rem; background: var(--panel); }
.facts dt { color: var(--soft); font-size: .9rem; }
.facts dd { margin: 0; }
.facts .value { font-size: 1.6rem; font-weight: 600; }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, .note { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: .5rem 0; text-align: left; font-weight: 600; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--grid);
  text-align: right; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 400; }
thead th { color: var(--soft); font-weight: 400; white-space: normal; vertical-align: bottom; }
pre { overflow-x: auto; padding: .75rem 1rem; border-radius: .5rem; background: var(--panel); }
summary { cursor: pointer; }
@media print { body { max-width: none; } }
"""


@dataclass(frozen=True)
class Fact:
    """A figure that is the answer, in large.

    Attributes:
        label: what it is.
        value: with its unit.
        note: what it takes to believe it; may be empty.
    """

    label: str
    value: str
    note: str = ""


def page(title: str, lead: str, facts: Sequence[Fact], blocks: Iterable[str], css: str = "") -> str:
    """The page.

    Args:
        title: of the page and its first heading.
        lead: the answer in a sentence or two.
        facts: the figures behind it.
        blocks: the rest, from top to bottom.
        css: more rules, for blocks that this module does not know.
    """
    body = "\n".join(blocks)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{_CSS}{css}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
{_facts(facts)}
{body}
</main>
</body>
</html>
"""


def section(heading: str, *blocks: str) -> str:
    """Blocks under a heading."""
    return f"<section>\n<h2>{escape(heading)}</h2>\n" + "\n".join(blocks) + "\n</section>"


def paragraph(text: str) -> str:
    """A paragraph."""
    return f"<p>{escape(text)}</p>"


def figure(svg: str, caption: str) -> str:
    """A plot from `style.plot` and what one sees in it."""
    return f"<figure>\n{svg}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], note: str = ""
) -> str:
    """A table whose first column names the rows; without a head where no heading says anything."""
    cells = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
    head = f"<thead><tr>{cells}</tr></thead>\n" if any(headings) else ""
    body = "\n".join(_row(row) for row in rows)
    after = f'\n<p class="note">{escape(note)}</p>' if note else ""
    # Who has no mouse scrolls a wide table with the keys, which takes the focus.
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0">\n'
        f"<table>\n<caption>{escape(caption)}</caption>\n{head}<tbody>\n{body}\n</tbody>\n</table>"
        f"\n</div>{after}"
    )


def code(text: str, label: str) -> str:
    """Text to be copied as it is."""
    return f'<pre role="region" aria-label="{escape(label)}" tabindex="0">{escape(text)}</pre>'


def details(summary: str, *blocks: str) -> str:
    """What only some want to see: closed at first."""
    inner = "\n".join(blocks)
    return f"<details>\n<summary>{escape(summary)}</summary>\n{inner}\n</details>"


def _facts(facts: Sequence[Fact]) -> str:
    shown = "\n".join(
        f'<div><dt>{escape(fact.label)}</dt><dd class="value">{escape(fact.value)}</dd>'
        + (f'<dd class="note">{escape(fact.note)}</dd>' if fact.note else "")
        + "</div>"
        for fact in facts
    )
    return f'<dl class="facts">\n{shown}\n</dl>'


def _row(row: Sequence[str]) -> str:
    name, *cells = row
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{shown}</tr>'
