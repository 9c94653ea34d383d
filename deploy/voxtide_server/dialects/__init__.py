"""The wire protocols that a session speaks, a module each.

Which one a connection to `/v1/realtime` speaks is settled by its first message:

    first message                                           dialect
    session.update with "model" and without "session"       vllm
    input_audio_buffer.commit with "final"                  vllm
    anything else                                           openai

A connection with `intent` or `model` in its query speaks openai whatever its
first message is: the OpenAI SDKs always send one of them. The greeting goes out
before the first message and is right in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Dialect, Message, Reply, Service
from .openai import OpenAIDialect
from .vllm import VllmDialect

__all__ = ["DIALECTS", "Dialect", "Message", "Reply", "Service", "choose", "greeting"]

DIALECTS: dict[str, type[Dialect]] = {"openai": OpenAIDialect, "vllm": VllmDialect}


def choose(query: Mapping[str, str], first: Message) -> type[Dialect]:
    """The dialect of a connection to `/v1/realtime`, by the rule above."""
    if "intent" in query or "model" in query:
        return OpenAIDialect
    kind = first.get("type")
    bare_update = kind == "session.update" and "model" in first and "session" not in first
    if bare_update or (kind == "input_audio_buffer.commit" and "final" in first):
        return VllmDialect
    return OpenAIDialect


def greeting(service: Service, now: float) -> Message:
    """The session.created that every dialect of `/v1/realtime` understands.

    Args:
        service: what the connection gets.
        now: seconds since the epoch.
    """
    created: dict[str, Any] = OpenAIDialect(service).created()
    return {**created, "id": service.session_id, "created": int(now)}
