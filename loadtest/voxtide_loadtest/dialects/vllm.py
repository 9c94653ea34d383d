"""vLLM's own realtime endpoint: it begins to transcribe at a commit that is not final."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .base import Completed, Data, Dialect, Event, Failed, Ready, code_of, delta, written


class Vllm(Dialect):
    """Stock vLLM, or voxtide's endpoint for its clients. It has to be told the model."""

    waits = True  # stock vLLM runs one generation for each connection at a time

    def query(self, model: str | None) -> dict[str, str]:
        """Nothing."""
        return {}

    def opening(self, model: str | None, rate: int) -> list[bytes]:
        """The model."""
        return [written({"type": "session.update", "model": model})]

    def begin(self) -> list[bytes]:
        """The commit that begins a generation."""
        return [b'{"type":"input_audio_buffer.commit","final":false}']

    def commit(self) -> list[bytes]:
        """The one that ends it."""
        return [b'{"type":"input_audio_buffer.commit","final":true}']

    def read(self, message: bytes) -> Event | None:
        """A delta without text comes for most frames, and is not worth parsing."""
        return None if b'"delta":""' in message else super().read(message)

    def readers(self) -> Mapping[str, Callable[[Data], Event | None]]:
        """See the table at the end of this module."""
        return _READERS


_READERS: Mapping[str, Callable[[Data], Event | None]] = {
    "session.created": lambda data: Ready(None),
    "transcription.delta": lambda data: delta(data["delta"], None, ""),
    "transcription.done": lambda data: Completed(data["text"], ""),
    "error": lambda data: Failed(code_of(data.get("error"), data.get("code")), ""),
}
