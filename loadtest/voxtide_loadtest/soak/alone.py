"""What the server hears when nobody else is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import voxtide

from ..corpus import Clip
from ..words import tokens
from .speaker import Dialect, rate


async def alone(url: str, clips: Iterable[Clip], dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Say each clip in a session of its own, as fast as the server takes it.

    Returns:
        For each clip, by its id, the words of its final transcript.

    Raises:
        voxtide.VoxtideError: the server does not answer.
    """
    client = voxtide.AsyncClient(url)
    return {clip.id: await _words(client, clip, dialect) for clip in clips}


async def _words(client: voxtide.AsyncClient, clip: Clip, dialect: Dialect) -> tuple[str, ...]:
    frames: Sequence[bytes] = clip.frames(rate(dialect))
    texts = []
    async with client.stream(frames, sample_rate=rate(dialect), dialect=dialect) as session:
        async for event in session:
            if isinstance(event, voxtide.Final):
                texts.append(event.text)
    return tuple(tokens(" ".join(texts), clip.language))
