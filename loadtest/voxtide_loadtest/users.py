"""Who uses the server: people who speak, and people who send recordings."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import gevent
import openai
from locust import User, task

from .behaviour import Step
from .connection import ConnectionLost, Refused
from .corpus import FRAME_S
from .gathering import Gathering
from .session import Session

_numbers = count()
_RETRY_S = 1.0
"""Until one who was refused, or whose connection broke, tries again."""


class Person(User):
    """What the two have in common."""

    abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gathering = Gathering.of(self.environment)
        self.settings = self.gathering.settings
        self.recorder = self.gathering.recorder
        self.rng = random.Random(f"{self.settings.seed} {self.gathering.worker} {next(_numbers)}")

    def wait_time(self) -> float:
        """Between two sessions or files, in seconds."""
        return self.settings.behaviour.rest.draw(self.rng)


class RealtimeUser(Person):
    """Speaks into live sessions, one after the other."""

    @task
    def session(self) -> None:
        """One session, over as many connections as it takes."""
        steps = self.settings.behaviour.script(self.settings.clips, self.settings.rate, self.rng)
        away = self._connected(steps)
        while away is not None:
            gevent.sleep(away)
            away = self._connected(steps)

    def _connected(self, steps: Iterator[Step]) -> float | None:
        """Go on until the connection ends; seconds until the next one, None if all was said."""
        try:
            away = Session(self.settings, self.recorder, self.rng).run(steps)
        except Refused as refused:
            self.recorder.refused(refused.code)
            return _RETRY_S
        except ConnectionLost as lost:
            self.recorder.lost(str(lost))
            self.recorder.reconnected("lost")
            return _RETRY_S
        if away is not None:
            self.recorder.reconnected("disconnect")
        return away


class FileUser(Person):
    """Sends recordings to /v1/audio/transcriptions, with OpenAI's SDK."""

    def on_start(self) -> None:
        """A client of its own, that does not try again: a failure is a result."""
        root = self.settings.host.rstrip("/").removesuffix("/v1")
        key = self.settings.key or "none"
        self.client = openai.OpenAI(base_url=f"{root}/v1", api_key=key, max_retries=0)

    def on_stop(self) -> None:
        """Let go of its connections."""
        self.client.close()

    @task
    def file(self) -> None:
        """One recording, as it lies on the disk."""
        clip = self.rng.choice(self.settings.clips)
        began = time.monotonic()
        try:
            answer = self.client.audio.transcriptions.create(
                model=self.settings.model or "nano", file=clip.path
            )
        except openai.APIStatusError as error:
            self.recorder.file_failed(str(error.code or f"http_{error.status_code}"))
            gevent.sleep(_RETRY_S)
        except openai.APIConnectionError as error:
            self.recorder.file_failed(type(error).__name__)
            gevent.sleep(_RETRY_S)
        else:
            seconds = time.monotonic() - began
            length = len(clip.frames(self.settings.rate)) * FRAME_S
            self.recorder.file(clip, answer.text, seconds, length)
