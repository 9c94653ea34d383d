"""The wire protocols that a session speaks, a module each.

A connection to `/v1/audio/transcriptions/realtime` speaks Mistral's. Which one a
connection to `/v1/realtime` speaks is settled by its query and its first message:

    query or first message                          dialect
    `intent` or `model` in the query                openai
    session.update with "session"                   openai
    anything else                                   vllm

Every OpenAI client in use sends one of the first two, clients of vLLM's endpoint
neither. Until it is settled, the connection is greeted and told of errors in
OpenAI's dialect; the greeting is right in both.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..service import Service
from .base import Dialect, Message, Reply
from .mistral import MistralDialect
from .openai import OpenAIDialect
from .vllm import VllmDialect

__all__ = [
    "MISTRAL_PATH",
    "Dialect",
    "Message",
    "MistralDialect",
    "OpenAIDialect",
    "Reply",
    "VllmDialect",
    "choose",
    "greeting",
    "opening",
]

MISTRAL_PATH = "/v1/audio/transcriptions/realtime"


def opening(path: str, service: Service, beta: bool = False) -> MistralDialect | OpenAIDialect:
    """The dialect in which a connection is greeted.

    Args:
        path: of the connection's address.
        service: what it is served with.
        beta: whether the client names OpenAI's beta in a header.
    """
    if path == MISTRAL_PATH:
        return MistralDialect(service)
    opened = OpenAIDialect(service)
    opened.beta = beta
    return opened


def choose(
    opened: MistralDialect | OpenAIDialect, query: Mapping[str, str], first: Message
) -> Dialect:
    """The dialect of a connection, by the rule above.

    Args:
        opened: in which the connection was greeted; it goes on if it was right.
        query: of the connection's address.
        first: the first message that is a JSON object.
    """
    if isinstance(opened, MistralDialect):
        return opened
    updates_session = first.get("type") == "session.update" and "session" in first
    if "intent" in query or "model" in query or updates_session:
        return opened
    return VllmDialect(opened.service)


def greeting(opened: MistralDialect | OpenAIDialect, now: float) -> Message:
    """The first message; on `/v1/realtime` a session.created that both dialects understand.

    Args:
        opened: the dialect until it is settled.
        now: seconds since the epoch.
    """
    if isinstance(opened, MistralDialect):
        return opened.created()
    return {**opened.created(), "id": opened.service.session_id, "created": int(now)}
