"""Live charts of latencies in locust's web UI, at /voxtide beside its own pages."""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Any

from flask import Response, jsonify
from locust import events
from locust.env import Environment

from .gathering import Gathering

_log = logging.getLogger("voxtide_loadtest")
_BINS = 360
"""Half an hour of them is shown."""


def live(summary: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a summary: all but the histograms."""
    rows = [
        {name: value["ms"] if isinstance(value, dict) else value for name, value in row.items()}
        for row in summary["over_time"]["bins"][-_BINS:]
    ]
    kept = {name: value for name, value in summary.items() if name != "histograms_us"}
    return kept | {"over_time": rows}


@events.init.add_listener
def _add(environment: Environment, **_: Any) -> None:
    ui = environment.web_ui
    if ui is None or ui.app is None:
        return
    page = (files("voxtide_loadtest") / "web" / "live.html").read_text(encoding="utf-8")

    @ui.app.route("/voxtide")
    @ui.auth_required_if_enabled
    def voxtide_page() -> Response:
        return Response(page, mimetype="text/html")

    @ui.app.route("/voxtide/figures")
    @ui.auth_required_if_enabled
    def voxtide_figures() -> Response:
        gathering = Gathering.of(environment)
        return jsonify(live(gathering.summary()) if gathering.began else None)

    _log.info("live charts of latencies: /voxtide in the web UI")
