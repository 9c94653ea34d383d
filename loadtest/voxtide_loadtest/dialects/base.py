"""What a dialect is: the messages of one realtime API. No I/O, and no state: turns are elsewhere.

voxtide's client library has these dialects too, and much more (it reconnects, resumes, resamples),
at some milliseconds of CPU for a second of audio. One core has to pace hundreds of streams here,
so the messages of a clip are written once, and of what comes only what is measured is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlencode

import orjson

Data: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ready:
    """The session is open; `delay_ms` is the model's, where the server tells it."""

    delay_ms: int | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text of a turn (`item` is its name, "" where turns have none); `end` as in `Delta`."""

    text: str
    end: float | None
    item: str


@dataclass(frozen=True, slots=True)
class Named:
    """A turn that was committed has this name."""

    item: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The final transcript of a turn."""

    text: str
    item: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A turn has no transcript, or (`item` is None) the session has an error.

    Where turns have no names, every error is taken as the answer to the oldest turn.
    """

    code: str
    item: str | None


Event: TypeAlias = Ready | TextDelta | Named | Completed | Failed


class Dialect:
    """One realtime API.

    Attributes:
        path: of the endpoint, below /v1.
        rate: of the audio, in Hz, unless another one is asked for.
        waits: whether a turn may begin only when the one before is final.
    """

    path: ClassVar[str] = "/realtime"
    rate: ClassVar[int] = 16_000
    waits: ClassVar[bool] = False

    def query(self, model: str | None) -> dict[str, str]:
        """Of the endpoint's address."""
        return {"model": model} if model else {}

    def opening(self, model: str | None, rate: int) -> list[bytes]:
        """The first messages of a session."""
        raise NotImplementedError

    def append(self, audio: str) -> bytes:
        """The message that carries audio, which is base64 already."""
        return b'{"type":"input_audio_buffer.append","audio":"%s"}' % audio.encode()

    def begin(self) -> list[bytes]:
        """The messages before the first audio of a turn."""
        return []

    def commit(self) -> list[bytes]:
        """The messages that end a turn."""
        return [b'{"type":"input_audio_buffer.commit"}']

    def read(self, message: bytes) -> Event | None:
        """What a message of the server means; None for what is not measured.

        Raises:
            ValueError: it is not an object with a type, or lacks what it is about.
        """
        data = orjson.loads(message)
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            raise ValueError(f"not an object with a type: {message[:200]!r}")
        read = self.readers().get(data["type"])
        try:
            return read(data) if read else None
        except (KeyError, TypeError, AttributeError) as lacking:
            raise ValueError(f"a {data['type']} without {lacking}") from None

    def readers(self) -> Mapping[str, Callable[[Data], Event | None]]:
        """By type: how a message is read."""
        raise NotImplementedError

    def address(self, base_url: str, model: str | None) -> str:
        """ws(s) address of the endpoint of the server at `base_url` (which ends in /v1 or not)."""
        root = base_url.rstrip("/").removesuffix("/v1").replace("http", "ws", 1)
        query = urlencode(self.query(model))
        return f"{root}/v1{self.path}" + (f"?{query}" if query else "")


def written(message: Data) -> bytes:
    """A message as it is sent."""
    return json.dumps(message, separators=(",", ":")).encode()


def delta(text: str, end: float | None, item: str) -> TextDelta | None:
    """None for a delta without text, such as stock vLLM sends for most frames."""
    return TextDelta(text, end, item) if text else None


def code_of(error: object, beside: object = None) -> str:
    """Code of an error, which is an object or (in vLLM's dialect) a text with a code beside it."""
    if isinstance(error, Mapping):
        code = error.get("code")
        name = error.get("type") if code is None or isinstance(code, int) else code
        return str(name or code or "error")
    return str(beside or "error")
