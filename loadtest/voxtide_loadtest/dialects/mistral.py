"""Mistral's realtime transcription; its turns have no names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .base import Completed, Data, Dialect, Event, Failed, Ready, code_of, delta, written


class Mistral(Dialect):
    """A server of Mistral's, or one that speaks like it."""

    path = "/audio/transcriptions/realtime"

    def opening(self, model: str | None, rate: int) -> list[bytes]:
        """The settings; the model is in the address."""
        form = {"encoding": "pcm_s16le", "sample_rate": rate}
        return [written({"type": "session.update", "session": {"audio_format": form}})]

    def append(self, audio: str) -> bytes:
        """A piece of audio."""
        return b'{"type":"input_audio.append","audio":"%s"}' % audio.encode()

    def commit(self) -> list[bytes]:
        """The end of a turn; the session goes on."""
        return [b'{"type":"input_audio.flush"}']

    def readers(self) -> Mapping[str, Callable[[Data], Event | None]]:
        """See the table at the end of this module."""
        return _READERS


def _ready(data: Data) -> Event:
    return Ready((data.get("session") or {}).get("target_streaming_delay_ms"))


_READERS: Mapping[str, Callable[[Data], Event | None]] = {
    "session.updated": _ready,
    "transcription.text.delta": lambda data: delta(data["text"], data.get("end"), ""),
    "transcription.done": lambda data: Completed(data["text"], ""),
    "error": lambda data: Failed(code_of(data.get("error")), ""),
}
