"""The wire protocols that a session speaks, a module each.

Which one a connection to `/v1/realtime` speaks is settled by its query and its
first message:

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

from .base import Dialect, Message, Reply
from .openai import OpenAIDialect
from .vllm import VllmDialect

__all__ = ["Dialect", "Message", "OpenAIDialect", "Reply", "VllmDialect", "choose", "greeting"]


def choose(opening: OpenAIDialect, query: Mapping[str, str], first: Message) -> Dialect:
    """The dialect of a connection, by the rule above.

    Args:
        opening: in which the connection was greeted; it goes on if it was right.
        query: of the connection's address.
        first: the first message that is a JSON object.
    """
    updates_session = first.get("type") == "session.update" and "session" in first
    if "intent" in query or "model" in query or updates_session:
        return opening
    return VllmDialect(opening.service)


def greeting(opening: OpenAIDialect, now: float) -> Message:
    """The session.created that every dialect of `/v1/realtime` understands.

    Args:
        opening: the dialect until it is settled.
        now: seconds since the epoch.
    """
    return {**opening.created(), "id": opening.service.session_id, "created": int(now)}
