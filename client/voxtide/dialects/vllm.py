"""vLLM's own realtime endpoint, as it comes with vLLM: no times, no settings, one model.

It begins to transcribe at a commit that is not final, and ends a turn at one that is.
"""

import json

from ..events import Final, Partial, SessionReady, Unknown
from .base import Data, Dialect, Message, Resume, Settings, built, server_error

_BEGIN = '{"type":"input_audio_buffer.commit","final":false}'
_END = '{"type":"input_audio_buffer.commit","final":true}'


class Vllm(Dialect):
    """Stock vLLM; it has to be told the model."""

    def __init__(self) -> None:
        self._turns = 0
        self._begun = False

    def query(self, model: str | None) -> dict[str, str]:
        """Nothing."""
        return {}

    def opening(self, settings: Settings, resume: Resume | None) -> list[str]:
        """The model."""
        self._begun = False
        return [json.dumps({"type": "session.update", "model": settings.model})]

    def append(self, audio: bytes) -> list[str]:
        """A piece of audio, after what begins a turn."""
        return [*self._begin(), *super().append(audio)]

    def commit(self) -> list[str]:
        """The end of a turn, which must have begun."""
        begin = self._begin()
        self._begun = False
        return [*begin, _END]

    def _begin(self) -> list[str]:
        begun, self._begun = self._begun, True
        return [] if begun else [_BEGIN]

    def message(self, kind: str, data: Data) -> Message | None:
        """The four messages that there are."""
        match kind:
            case "session.created":
                return SessionReady(str(data.get("id") or ""), data)
            case "transcription.delta":
                return built(lambda d: Partial(str(d["delta"]), None, self._turn), kind, data)
            case "transcription.done":
                return built(self._final, kind, data)
            case "error":
                return server_error(data, None)
        return Unknown(kind, data)

    @property
    def _turn(self) -> str:
        return f"turn_{self._turns}"

    def _final(self, data: Data) -> Final:
        turn = self._turn
        self._turns += 1
        return Final(str(data["text"]), turn)
