"""OpenAI's transcription sessions; the times of words are voxtide's and may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .base import (
    Completed,
    Data,
    Dialect,
    Event,
    Failed,
    Named,
    Ready,
    code_of,
    delta,
    written,
)

_TRANSCRIPTION = "conversation.item.input_audio_transcription."


class OpenAI(Dialect):
    """A server of OpenAI's, or one that speaks like it."""

    rate = 24_000  # the one rate of theirs

    def query(self, model: str | None) -> dict[str, str]:
        """The kind of session; its model is in the settings."""
        return {"intent": "transcription"}

    def opening(self, model: str | None, rate: int) -> list[bytes]:
        """The settings. Turns end with commits."""
        audio_input: dict[str, Any] = {
            "format": {"type": "audio/pcm", "rate": rate},
            "transcription": {"model": model} if model else {},
            "turn_detection": None,
        }
        session = {"type": "transcription", "audio": {"input": audio_input}}
        return [written({"type": "session.update", "session": session})]

    def readers(self) -> Mapping[str, Callable[[Data], Event | None]]:
        """See the table at the end of this module."""
        return _READERS


def _ready(data: Data) -> Event:
    audio_input = ((data.get("session") or {}).get("audio") or {}).get("input") or {}
    return Ready((audio_input.get("transcription") or {}).get("delay_ms"))


_READERS: Mapping[str, Callable[[Data], Event | None]] = {
    "session.updated": _ready,
    f"{_TRANSCRIPTION}delta": lambda data: delta(data["delta"], data.get("end"), data["item_id"]),
    "input_audio_buffer.committed": lambda data: Named(data["item_id"]),
    f"{_TRANSCRIPTION}completed": lambda data: Completed(data["transcript"], data["item_id"]),
    f"{_TRANSCRIPTION}failed": lambda data: Failed(code_of(data.get("error")), data["item_id"]),
    "error": lambda data: Failed(code_of(data.get("error")), None),
}
