"""Which of the live protocols a server speaks: each is opened, greeted and closed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from .. import socket_options
from ..config import Endpoint, Timeout

Message: TypeAlias = Mapping[str, Any]

_ADDRESSES = {
    "openai": "/realtime?intent=transcription",
    "mistral": "/audio/transcriptions/realtime",
    "vllm": "/realtime",
}
DIALECTS = tuple(_ADDRESSES)

# They say something about the moment or the key, nothing about the protocol.
_PASSING = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What became of a greeting in a dialect.

    Attributes:
        answers: Whether the dialect is spoken; None if that could not be found out.
        why: The reason, where it is not known to be spoken.
        delay_ms: The model's delay, if the server tells.
        round_trip_s: Of a ping; None without a connection.
    """

    answers: bool | None
    why: str = ""
    delay_ms: int | None = None
    round_trip_s: float | None = None


async def greet(
    endpoint: Endpoint, dialect: str, patience: Timeout, model: str | None = None
) -> Greeting:
    """Open a session in a dialect, one of DIALECTS, and close it again.

    Args:
        model: A name of the server's; only vLLM's dialect needs one.
    """
    url = f"ws{endpoint.base_url.removeprefix('http')}{_ADDRESSES[dialect]}"
    try:
        async with asyncio.timeout(patience.connect):
            async with connect(url, **socket_options.connect_options(endpoint, patience)) as socket:
                return await _talk(socket, dialect, model)
    except InvalidStatus as refused:
        status = refused.response.status_code
        return Greeting(None if status in _PASSING else False, f"HTTP {status}")
    except TimeoutError:
        return Greeting(None, "no answer in time")
    except (OSError, WebSocketException, ValueError) as failed:
        return Greeting(None, f"{type(failed).__name__}: {failed}")


async def _talk(socket: ClientConnection, dialect: str, model: str | None) -> Greeting:
    created = await _received(socket)
    why = await _CHECKS[dialect](socket, created, model)
    seconds = await (await socket.ping())
    return Greeting(not why, why, _delay_ms(created), seconds)


async def _openai(socket: ClientConnection, created: Message, model: str | None) -> str:
    if not isinstance(created.get("session"), dict):
        return "its greeting has no session"
    await _send(socket, {"type": "session.update", "session": {"type": "transcription"}})
    answer = await _received(socket)
    return "" if answer.get("type") == "session.updated" else _odd(answer)


async def _mistral(socket: ClientConnection, created: Message, model: str | None) -> str:
    session = created.get("session")
    spoken = isinstance(session, dict) and "audio_format" in session
    return "" if spoken else _odd(created)


async def _vllm(socket: ClientConnection, created: Message, model: str | None) -> str:
    """Only vLLM's errors are a string; what is right, as the first message, has no answer."""
    await _send(socket, {"type": "session.update", "model": model})
    await _send(socket, {"type": "voxtide.doctor"})
    answer = await _received(socket)
    spoken = answer.get("type") == "error" and isinstance(answer.get("error"), str)
    return "" if spoken else _odd(answer)


_CHECKS: Mapping[str, Callable[[ClientConnection, Message, str | None], Awaitable[str]]] = {
    "openai": _openai,
    "mistral": _mistral,
    "vllm": _vllm,
}


def _delay_ms(created: Message) -> int | None:
    """Where OpenAI's and Mistral's greetings from voxtide have it."""
    openai = _at(created, "session", "audio", "input", "transcription", "delay_ms")
    mistral = _at(created, "session", "target_streaming_delay_ms")
    return next((delay for delay in (openai, mistral) if isinstance(delay, int)), None)


def _at(data: Any, *path: str) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


async def _send(socket: ClientConnection, message: Message) -> None:
    await socket.send(json.dumps(message))


async def _received(socket: ClientConnection) -> Message:
    data = json.loads(await socket.recv())
    return data if isinstance(data, dict) else {}


def _odd(message: Message) -> str:
    return f"it said {str(message.get('type'))[:60]}"
