"""The dashboard: what Grafana loads, that its queries are PromQL, and that nothing overlaps."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from helm.dashboard.__main__ import text
from tests.monitoring.rules import DASHBOARD, panels, queries


def test_the_file_is_written_by_the_generator() -> None:
    assert DASHBOARD.read_text() == text(), "python -m helm.dashboard > " + str(DASHBOARD)


def kept(ours: Any, theirs: Any) -> bool:
    """Whether all that we wrote is there, with what they add to it."""
    if isinstance(ours, dict):
        return all(key in theirs and kept(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(kept, ours, theirs))
    return bool(ours == theirs)


def test_grafanas_own_models_know_every_field() -> None:
    register_default_plugins()
    ours = json.loads(DASHBOARD.read_text())
    theirs = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(ours)))
    assert kept(ours, theirs)
    unknown = {**ours, "panels": [{**ours["panels"][1], "no_such_field": 1}]}
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(unknown)))
    assert not kept(unknown, again), "they drop what they do not know"


@pytest.mark.parametrize("query", [query for _, query in queries()])
def test_queries_are_promql(query: str) -> None:
    assert "$" not in query, "a variable that Grafana does not have"
    promql_parser.parse(query)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_panels_have_units_and_say_what_they_show(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert panel["datasource"]["uid"] == "${datasource}"


def test_no_two_panels_overlap() -> None:
    places = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert all(p["x"] + p["w"] <= 24 for p in places)
    assert not [(a, b) for a, b in combinations(places, 2) if overlap(a, b)]
    assert overlap({"x": 0, "y": 0, "w": 8, "h": 8}, {"x": 7, "y": 7, "w": 8, "h": 8})


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    across = a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
    return across and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def test_objectives_come_first() -> None:
    rows = [p["title"] for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] == "row"]
    assert [row.partition(" ")[0].rstrip(",") for row in rows] == [
        "Objectives",
        "Sessions",
        "Latency",
        "Engine",
        "Errors",
    ]


def test_all_is_chosen_by_namespace_and_tier() -> None:
    ours = json.loads(DASHBOARD.read_text())
    assert [v["name"] for v in ours["templating"]["list"]] == ["datasource", "namespace", "tier"]
    for panel in panels():
        for target in panel["targets"]:
            assert 'namespace=~"$namespace", tier=~"$tier"' in target["expr"]
