"""An utterance through the file endpoint, which every server with OpenAI's API has."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voxtide import AsyncClient, ProtocolError, RejectedError
from voxtide.file_request import Format

from ..datasets.audio import as_file
from ..datasets.definition import Utterance
from ..manifest import Heard, Word
from .run import blank


@dataclass
class File:
    """How utterances are sent.

    Args:
        client: of the server.
        model: its name.
        tell_language: whether the server is told the utterance's language.
    """

    client: AsyncClient
    model: str
    tell_language: bool
    _offered: list[Format] = field(default_factory=lambda: ["verbose_json", "json"])

    async def __call__(self, utterance: Utterance) -> Heard:
        """Hear an utterance; with words, where the server offers them.

        A server that once answered `json` after it had refused `verbose_json` for the same file
        is asked for `json` alone from then on. The client sends a file again after what may pass
        (`voxtide.AsyncClient`); the time to the answer has all tries in it.

        Raises:
            VoxtideError: there is no transcript.
            OSError, DatasetError: the audio cannot be read.
        """
        with ExitStack() as stack:
            # It may have to be written first, while others are being timed.
            file = await asyncio.to_thread(stack.enter_context, as_file(utterance.audio))
            began = time.monotonic()
            try:
                text = await self._answer(utterance, file, self._offered[0])
            except RejectedError as refused:
                if len(self._offered) == 1 or refused.status in (401, 403, 413):
                    raise
                began = time.monotonic()
                text = await self._answer(utterance, file, "json")
                self._offered = ["json"]
            took = time.monotonic() - began
        answer = _parsed(text)
        return replace(
            blank(utterance),
            hypothesis=str(answer["text"]).strip(),
            words=_words(answer),
            final_s=took,
        )

    async def _answer(self, utterance: Utterance, file: Path, form: Format) -> str:
        language = utterance.language if self.tell_language else None
        return await self.client.transcribe_as(file, form, model=self.model, language=language)


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(text)
        answer["text"].strip()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ProtocolError(f"the answer is no transcript: {text[:200]!r}") from None
    return answer  # type: ignore[no-any-return]


def _words(answer: Mapping[str, Any]) -> tuple[Word, ...]:
    """At the top, where OpenAI has them, or in the segments, as some servers do."""
    segments = answer.get("segments") or ()
    rows = answer.get("words") or [row for one in segments for row in one.get("words") or ()]
    try:
        return tuple(
            Word(str(row["word"]).strip(), float(row["start"]), float(row["end"])) for row in rows
        )
    except (KeyError, TypeError, ValueError) as broken:
        raise ProtocolError(f"a word without {broken}") from None
