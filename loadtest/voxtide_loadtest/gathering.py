"""One run in one process: its settings and figures, and how those of workers reach the master."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import time
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import events
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from .baseline import Idle, read
from .figures import Figures
from .measure import Recorder
from .options import BadOption, Settings, add_options
from .shapes import Profile
from .summary import invalid, summary

_log = logging.getLogger("voxtide_loadtest")
_FIELD, _LAST, _STOP = "voxtide", "voxtide_last", "voxtide_stop"
INVALID = 3
"""Exit status of a run that says nothing about the server."""


class Gathering:
    """The figures of one locust environment.

    In a worker they are sent to the master with each of locust's reports; in the master, or where
    there are no workers, they are kept.

    Attributes:
        settings: what sessions are.
        recorder: of this process.
        worker: a number that no other process on this machine has.
        began: Unix time of the last start; 0 before the first one.
    """

    _all: ClassVar[dict[int, Gathering]] = {}

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._options = _given(environment)
        self._idle: dict[str, Idle] = {}
        self.began = 0.0
        self._figures = Figures()
        self._heard: set[str] = set()  # workers that have sent their last figures
        self.worker = os.getpid()
        self.recorder = Recorder(self._idle, self._tell)
        self._all[id(environment)] = self

    @classmethod
    def of(cls, environment: Environment) -> Gathering:
        """That of an environment."""
        return cls._all[id(environment)]

    def begin(self) -> None:
        """A test starts: read the options as they are now, and count from nothing.

        Raises:
            BadOption: one of them cannot be used.
        """
        self.settings = Settings.of(self._options, self._environment.host)
        for clip in self.settings.clips:
            self.settings.messages(clip)  # now, not while others are to be sent
        self._idle.clear()
        if self._options.idle:
            try:
                self._idle.update(read(self._options.idle))
            except ValueError as bad:
                raise BadOption(f"--idle {bad}") from None
        self.began, self._figures = time.time(), Figures()
        self._heard.clear()
        self.recorder.look()
        self.recorder.take()
        gc.freeze()  # what is there stays: a full collection would hold up every stream

    @property
    def figures(self) -> Figures:
        """All figures that this process knows."""
        self._figures.merge(self.recorder.take())
        return self._figures

    def look(self) -> None:
        """Once a second, count the open sessions."""
        while True:
            gevent.sleep(1.0)
            self.recorder.look()

    def send(self, data: dict[str, Any]) -> None:
        """In a worker: put what is new into a report to the master."""
        data[_FIELD] = self.recorder.take().encoded()

    def send_last(self, runner: WorkerRunner) -> None:
        """In a worker whose users have stopped: send the rest."""
        data: dict[str, Any] = {"worker": runner.client_id}
        self.send(data)
        runner.send_message(_LAST, data)

    def collect(self, runner: MasterRunner) -> None:
        """In the master: have the workers stop, and wait for the last figures of each.

        Locust waits half a second at the end of a run, whatever users are still doing.
        """
        here = {client.id for client in runner.clients.all if client.state != STATE_MISSING}
        if here - self._heard:
            runner.send_message(_STOP)
        with gevent.Timeout(self._environment.stop_timeout + 60, False):
            while here - self._heard:
                gevent.sleep(0.1)
            return
        _log.error("%d workers did not send their last figures", len(here - self._heard))

    def receive(self, data: dict[str, Any]) -> None:
        """In the master: take a worker's report in."""
        if _FIELD in data:
            self._figures.merge(Figures.decoded(data[_FIELD]))
        self._heard |= {data["worker"]} if "worker" in data else set()

    def summary(self) -> dict[str, Any]:
        """Of the run so far."""
        about = {
            "host": self._environment.host,
            "dialect": self._options.dialect,
            "model": self._options.model or None,
            "corpus": self._options.corpus or None,
            "rate_hz": self.settings.rate,
            "users": self._options.num_users,
            "shape": self._options.shape,
            "network": self._options.network,
            "began_unix_s": round(self.began, 3),
            "duration_s": round(time.time() - self.began, 3),
        }
        return summary(self.figures, about, self.settings.clips, self._idle)

    def finish(self) -> None:
        """Say whether the run is valid, and write its summary where one is asked for."""
        problems = invalid(self.figures)
        for problem in problems:
            _log.error("this run is not valid: %s", problem)
            self._environment.process_exit_code = INVALID
        if self._options.summary:
            text = json.dumps(self.summary(), indent=1)
            Path(self._options.summary).write_text(text + "\n", encoding="utf-8")

    def _tell(self, name: str, seconds: float | None, problem: str | None) -> None:
        """So that locust's own tables, charts and CSV files have it."""
        self._environment.events.request.fire(
            request_type="voxtide",
            name=name,
            response_time=None if seconds is None else max(0.0, seconds) * 1000,
            response_length=0,
            exception=None if problem is None else RuntimeError(problem),
            context={},
        )


def _given(environment: Environment) -> argparse.Namespace:
    """The options; locust changes this object when a test is started in its web UI."""
    assert environment.parsed_options is not None  # locust's command has parsed them
    options: argparse.Namespace = environment.parsed_options
    return options


@events.init_command_line_parser.add_listener
def _options(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    add = parser.add_argument_group("voxtide run").add_argument
    add("--files", type=float, default=0.0, help="share of users that send files, 0 to 1")
    add(
        "--shape", default="constant", help="load shape: constant, step, ramp, soak, spike, diurnal"
    )
    add("--idle", default="", help="what `python -m voxtide_loadtest idle` wrote")
    add("--summary", default="", help="JSON file for the figures of the run")


@events.init.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    gathering = Gathering(environment)
    if not isinstance(environment.runner, WorkerRunner):  # which is told the options at the start
        try:
            Profile.parse(_given(environment).shape)
            _mix(environment)
            if not environment.web_ui:
                gathering.begin()  # a mistake in an option ends the run here
        except ValueError as bad:
            raise SystemExit(f"voxtide: {bad}") from None
    _listen(environment, gathering)
    gevent.spawn(gathering.look)


def _mix(environment: Environment) -> None:
    """Give the two kinds of users their shares."""
    share = _given(environment).files
    if not 0 <= share <= 1:
        raise BadOption(f"--files {share} is not a share from 0 to 1")
    shares = {"RealtimeUser": 1 - share, "FileUser": share}
    for user in environment.user_classes:
        user.weight = round(1000 * shares.get(user.__name__, 1))
    environment.user_classes[:] = [user for user in environment.user_classes if user.weight]


def _listen(environment: Environment, gathering: Gathering) -> None:
    here, runner = environment.events, environment.runner
    here.test_start.add_listener(lambda **_: gathering.begin())
    if isinstance(runner, WorkerRunner):
        here.report_to_master.add_listener(lambda client_id, data: gathering.send(data))
        here.test_stop.add_listener(lambda **_: gathering.send_last(runner))
        runner.register_message(_STOP, lambda **_: runner.stop(), concurrent=True)
        return
    if isinstance(runner, MasterRunner):
        here.worker_report.add_listener(lambda client_id, data: gathering.receive(data))
        runner.register_message(_LAST, lambda msg, **_: gathering.receive(msg.data))
        here.test_stop.add_listener(lambda **_: gathering.collect(runner))
    here.test_stop.add_listener(lambda **_: gathering.finish())
