"""Phone calls in, words out: a server for Twilio's Media Streams that forwards them to voxtide.

    pip install voxtide
    python examples/twilio_bridge.py --port 8765

Twilio dials a wss:// address, so put a proxy with a certificate in front, and answer calls with
the TwiML

    <Response><Start><Stream url="wss://calls.example.com/"/></Start> … </Response>

Calls come as G.711 mu-law at 8 kHz and are forwarded as they are.  Each turn of the caller is
printed once it is final.  The server is VOXTIDE_BASE_URL, the key VOXTIDE_API_KEY.

Anybody may call this server: where strangers can reach it, check X-Twilio-Signature first.
"""

import argparse
import asyncio
import base64
import json
from collections.abc import AsyncIterator

from websockets.asyncio.server import ServerConnection, serve

import voxtide


async def heard(socket: ServerConnection) -> AsyncIterator[bytes]:
    """What the caller says until the call ends; marks and keys pressed are passed over."""
    async for text in socket:
        match json.loads(text):
            case {"event": "media", "media": {"track": "inbound", "payload": payload}}:
                yield base64.b64decode(payload)
            case {"event": "stop"}:
                return


async def transcribe(socket: ServerConnection, call: str) -> None:
    """Print the turns of a call."""
    async with voxtide.AsyncClient().stream(
        heard(socket), sample_rate=8000, encoding="mulaw", turn_detection=voxtide.TurnDetection()
    ) as session:
        async for event in session:
            match event:
                case voxtide.Final(text=text) if text:
                    print(f"{call}: {text}", flush=True)
                case voxtide.ServerError(message=message):
                    print(f"{call}: error: {message}", flush=True)


async def answer(socket: ServerConnection) -> None:
    """Serve one connection of Twilio's: it says what it sends, then sends it."""
    async for text in socket:
        match json.loads(text):
            case {
                "event": "start",
                "start": {
                    "callSid": call,
                    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
                },
            }:
                return await transcribe(socket, call)
            case {"event": "start"}:
                return await socket.close(1003, "mediaFormat must be audio/x-mulaw at 8000 Hz")


async def main() -> None:
    parser = argparse.ArgumentParser(description="Forward Twilio's Media Streams to voxtide.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    async with serve(answer, arguments.host, arguments.port) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        print(f"waiting for calls at ws://{host}:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
