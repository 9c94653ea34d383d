"""The alert rules: valid, each with a case for it and one against it, and a runbook."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.monitoring import external
from tests.monitoring.rules import ROOT, RULES, queries, rules
from voxtide_server import metrics

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*_test.yaml"))
RUNBOOKS = ROOT / "docs" / "runbooks.md"
NAMES = [rule["alert"] for rule in rules("alert")]


def promtool(*arguments: str | Path) -> str:
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True, cwd=HERE)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_rules_are_valid() -> None:
    count = len(rules("alert")) + len(rules("record"))
    assert f"SUCCESS: {count} rules found" in promtool("check", "rules", RULES)


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(cases: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", cases.name)


def test_promtool_sees_a_case_that_is_wrong(tmp_path: Path) -> None:
    wrong = yaml.safe_load((HERE / "access_test.yaml").read_text())
    quiet = next(case for case in wrong["tests"] if "stays quiet" in case["name"])
    quiet["promql_expr_test"][0]["exp_samples"] = [{"labels": "{}", "value": 1}]
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump({**wrong, "rule_files": [str(RULES)], "tests": [quiet]}))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", path)


def cases() -> list[tuple[str, bool, dict[str, Any]]]:
    """The alert of each case, whether it fires there, and the case."""
    found = []
    for path in CASES:
        for case in yaml.safe_load(path.read_text())["tests"]:
            (query,) = case["promql_expr_test"]
            (alert,) = re.findall(r'ALERTS\{alertname="(\w+)", alertstate="firing"}', query["expr"])
            found.append((alert, bool(query["exp_samples"]), case))
    return found


@pytest.mark.parametrize("alert", NAMES)
def test_each_alert_has_a_case_for_it_and_one_against_it(alert: str) -> None:
    """Both with the same metrics: one that lacks its data shows nothing by its silence."""
    seen: dict[bool, list[set[str]]] = defaultdict(list)
    for name, fires, case in cases():
        if name == alert:
            series = {series["series"].partition("{")[0] for series in case["input_series"]}
            seen[fires].append(series)
            assert case["name"].startswith(f"{alert} {'fires' if fires else 'stays quiet'}")
    assert seen[True]
    assert any(series >= set.intersection(*seen[True]) for series in seen[False])


@pytest.mark.parametrize("rule", rules("alert"), ids=NAMES)
def test_each_alert_says_what_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert "$value" in notes["description"] or "$labels" in notes["description"]
    assert notes["runbook_url"] == f"docs/runbooks.md#{rule['alert'].lower()}"


def test_each_alert_has_a_runbook_with_a_cause_a_check_and_a_cure() -> None:
    heads = re.split(r"^### (\w+)\n", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    assert heads[::2] == NAMES, "in the order of the rules"
    for text in heads[1::2]:
        assert re.findall(r"^- \*\*(\w+)\*\*: \S", text, re.MULTILINE) == ["Cause", "Check", "Cure"]


def used(query: str) -> set[str]:
    """The names of the metrics in a query."""
    found: set[str] = set()

    def look(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(query), look)
    return found


def known() -> set[str]:
    """The names of all series of voxtide's registry, and of what the rules record."""
    names = {rule["record"] for rule in rules("record")}
    for metric in metrics.ALL:
        (family,) = metric.describe()
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        names |= {family.name + ending for ending in endings.get(family.type, [""])}
    return names


def test_every_metric_exists() -> None:
    rule_queries = [rule["expr"] for kind in ("alert", "record") for rule in rules(kind)]
    names = set().union(*map(used, [*rule_queries, *(query for _, query in queries())]))
    assert names <= known() | external.ALL
    assert names & external.ALL == external.ALL, "the list of others' metrics is no longer than it"
    assert used('a{x="1"} + on (j) sum(rate(b[5m])) or max_over_time(c[1h:1m])') == {"a", "b", "c"}


def test_every_rule_that_is_recorded_is_used() -> None:
    everything = [rule["expr"] for kind in ("alert", "record") for rule in rules(kind)]
    everything += [query for _, query in queries()]
    names = set().union(*map(used, everything))
    assert {rule["record"] for rule in rules("record")} <= names


def test_every_metric_in_the_runbooks_exists() -> None:
    commands = re.findall(r"`([^`\n]+)`", RUNBOOKS.read_text())
    names = {
        name for text in commands for name in re.findall(r"\b(?:voxtide|vllm)[_:][\w:]+", text)
    }
    assert names <= known() | external.ALL
    assert len(names) > 10
