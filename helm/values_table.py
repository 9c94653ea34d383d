"""Write the table of values in the chart's README.md from the comments in its values.yaml.

    python helm/values_table.py

The comment above a key is its documentation. A mapping is one row if its keys have
no comments of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "voxtide"
START, END = "<!-- values -->\n", "<!-- end of values -->\n"
_HEAD = "| value | default | meaning |\n|---|---|---|\n"


def table(values: str) -> str:
    """The table in Markdown.

    Args:
        values: text of values.yaml.

    Raises:
        ValueError: a value has no comment; the text names it.
    """
    lines = values.splitlines()
    return _HEAD + "".join(
        f"| `{name}` | `{default}` | {comment} |\n"
        for name, default, comment in _rows(yaml.compose(values), lines, "")
    )


def readme(text: str, values: str) -> str:
    """README.md with a new table."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}{table(values)}{END}{after}"


def _rows(node: yaml.Node | None, lines: list[str], prefix: str) -> Iterator[tuple[str, str, str]]:
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        name = prefix + key.value
        comment = _comment(lines, key.start_mark.line)
        if _documented(value, lines):
            yield from _rows(value, lines, f"{name}.")
        elif comment:
            yield name, _default(value), comment
        else:
            raise ValueError(f"values.yaml: {name} has no comment")


def _documented(node: yaml.Node, lines: list[str]) -> bool:
    """Whether anything in a mapping has a comment of its own; one on a single line has not."""
    return (
        isinstance(node, yaml.MappingNode)
        and not node.flow_style
        and any(
            _comment(lines, key.start_mark.line) or _documented(value, lines)
            for key, value in node.value
        )
    )


def _comment(lines: list[str], at: int) -> str:
    """The lines of comment right above a line."""
    start = at
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return " ".join(line.strip().removeprefix("#").strip() for line in lines[start:at])


def _default(node: yaml.Node) -> str:
    loader = yaml.SafeLoader("")
    return json.dumps(loader.construct_object(node, deep=True))


if __name__ == "__main__":
    _path = CHART / "README.md"
    _values = (CHART / "values.yaml").read_text(encoding="utf-8")
    _path.write_text(readme(_path.read_text(encoding="utf-8"), _values), encoding="utf-8")
