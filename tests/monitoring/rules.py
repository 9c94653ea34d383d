"""What the rules and the dashboard say, read from the files that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = ROOT / "helm" / "voxtide" / "files"
RULES = FILES / "alerts.yaml"
DASHBOARD = FILES / "dashboard.json"


def rules(kind: str) -> list[dict[str, Any]]:
    """The rules of a kind, `alert` or `record`, of all groups."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard, without the titles of its rows."""
    return [p for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] != "row"]


def queries() -> list[tuple[str, str]]:
    """The dashboard's queries as Grafana sends them when all is chosen, with their panels."""
    values = {"$namespace": ".*", "$tier": ".*", "$__rate_interval": "1m"}
    found = []
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"]
            for variable, value in values.items():
                query = query.replace(variable, value)
            found.append((panel["title"], query))
    return found
