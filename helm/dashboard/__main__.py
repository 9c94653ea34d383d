"""Writes the dashboard as Grafana's JSON:

    python -m helm.dashboard > helm/voxtide/files/dashboard.json

Panels stand beside each other in their order; a panel's place follows from its width.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from .panel import Panel
from .sections import SECTIONS

COLUMNS = 24
HEIGHT = 8
"""Of a panel, in Grafana's units of 30 pixels."""


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana loads it."""
    return {
        "uid": "voxtide",
        "title": "voxtide",
        "description": "Live speech-to-text: objectives, sessions, latency, engine, errors.",
        "tags": ["voxtide"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables()},
        "panels": panels(),
    }


def variables() -> list[dict[str, Any]]:
    """What can be chosen at the top of the page."""
    source = {"name": "datasource", "label": "Data source", "type": "datasource"}
    return [{**source, "query": "prometheus"}, labels("namespace"), labels("tier")]


def labels(name: str) -> dict[str, Any]:
    """A choice among the values of a label; all of them take series without it too."""
    matcher = '{namespace=~"$namespace"}' if name == "tier" else ""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": source(),
        "query": f"label_values(voxtide_build_info{matcher}, {name})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def source() -> dict[str, str]:
    """The data source that is chosen."""
    return {"type": "prometheus", "uid": "${datasource}"}


def panels() -> list[dict[str, Any]]:
    """All panels with their places, a title before each section."""
    placed: list[dict[str, Any]] = []
    y = 0
    for section in SECTIONS:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        placed.append({"type": "row", "title": section.title, "gridPos": place, "panels": []})
        x, y = 0, y + 1
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + HEIGHT
            place = {"h": HEIGHT, "w": panel.width, "x": x, "y": y}
            placed.append({**drawn(panel), "gridPos": place})
            x += panel.width
        y += HEIGHT
    return [{"id": number, **panel} for number, panel in enumerate(placed, 1)]


def drawn(panel: Panel) -> dict[str, Any]:
    """A panel without its place."""
    defaults = {"unit": panel.unit, "min": 0, "thresholds": thresholds(panel)}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": source(),
        "fieldConfig": {"defaults": {**defaults, **custom(panel)}, "overrides": []},
        "options": options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": source(),
                "expr": query,
                "legendFormat": legend,
                "format": "heatmap" if panel.kind == "heatmap" else "time_series",
            }
            for number, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def thresholds(panel: Panel) -> dict[str, Any]:
    """Where colours change."""
    if panel.good_from is not None:
        steps = [("red", None), ("green", panel.good_from)]
    else:
        colours = ["yellow", "red"][-len(panel.limits) :] if panel.limits else []
        steps = [("green", None), *zip(colours, panel.limits, strict=True)]
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]}


def custom(panel: Panel) -> dict[str, Any]:
    """How lines are drawn."""
    if panel.kind != "timeseries":
        return {}
    drawing: dict[str, Any] = {"fillOpacity": 10, "showPoints": "never"}
    if panel.stacked:
        drawing["stacking"] = {"mode": "normal", "group": "A"}
    if panel.limits:
        drawing["thresholdsStyle"] = {"mode": "dashed"}
    return {"custom": drawing}


def options(panel: Panel) -> dict[str, Any]:
    """What each kind of panel wants beside."""
    if panel.kind == "heatmap":
        return {
            "calculate": False,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "yAxis": {"unit": panel.unit},
            "cellGap": 1,
            "tooltip": {"yHistogram": True},
            "legend": {"show": True},
        }
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"}
    return {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"displayMode": "list"}}


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
