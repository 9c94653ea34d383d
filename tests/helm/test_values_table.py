"""The table of values in the chart's README.md."""

from __future__ import annotations

import pytest

from helm.values_table import CHART, readme, table


def test_the_table_is_up_to_date() -> None:
    """If this fails: python helm/values_table.py."""
    text = (CHART / "README.md").read_text(encoding="utf-8")
    assert readme(text, (CHART / "values.yaml").read_text(encoding="utf-8")) == text


def test_a_row_for_each_value_and_one_for_a_map_without_comments() -> None:
    title = "# A title.\n\n"
    values = "# First,\n# second line.\na: 1\nb:\n  # Deep.\n  c: {x: [y]}\n  # Off.\n  d: null\n"
    assert table(title + values).splitlines()[2:] == [
        "| `a` | `1` | First, second line. |",
        '| `b.c` | `{"x": ["y"]}` | Deep. |',
        "| `b.d` | `null` | Off. |",
    ]


def test_a_value_without_a_comment_is_found() -> None:
    with pytest.raises(ValueError, match=r"values\.yaml: b\.d has no comment"):
        table("b:\n  # Here.\n  c: 1\n  d: 2\n")
