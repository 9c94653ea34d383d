"""Each program of `examples/`, run as its docstring says, against `voxtide serve`."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import imageio_ffmpeg
import pytest
from websockets.asyncio.client import connect

from tests.conftest import Clip, Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SURE = ("voice-091-espeak-Marco", "sentence-176-flite-kal16")
"""Recordings whose words do not hang on a hair."""
SENTENCES = [
    "please turn on the kitchen lights",
    "set the timer for twenty five minutes please",
    "play the music please",
    "four two seven one nine",
    "three hundred sixty eight",
    "yes close the bedroom door please",
]
"""Of demo-piper-joe, which has pauses between them."""


@pytest.fixture
def sure(clips: list[Clip]) -> list[Clip]:
    return [next(clip for clip in clips if clip.path.stem == stem) for stem in SURE]


@pytest.fixture
def demo(clips: list[Clip]) -> Clip:
    clip = next(clip for clip in clips if clip.path.stem == "demo-piper-joe")
    assert clip.text == " ".join(SENTENCES)
    return clip


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> dict[str, str]:
    """Where examples find the server, and `ffmpeg`."""
    (tmp_path / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    return {
        **os.environ,
        "OPENAI_BASE_URL": server.base_url,
        "VOXTIDE_BASE_URL": server.base_url,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    }


def lines(environment: dict[str, str], *command: str | Path) -> list[str]:
    """What a program prints; it must end well."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()


def python_of(framework: str) -> Path:
    """Of the environment that a framework has for itself."""
    python = ROOT / f".venv-{framework}" / "bin" / "python"
    assert python.exists(), f"{framework} is not there: run `make agents`"
    return python


def ffmpeg(*arguments: str | Path) -> bytes:
    """What FFmpeg writes to its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def as_wav(clip: Clip, folder: Path) -> Path:
    """The clip as a WAV file."""
    path = folder / f"{clip.path.stem}.wav"
    ffmpeg("-i", clip.path, path)
    return path


def test_openai_file(environment: dict[str, str], sure: list[Clip]) -> None:
    text, *rest = lines(environment, sys.executable, EXAMPLES / "openai_file.py", sure[0].path)
    words = sure[0].text.split()
    assert text == sure[0].text
    told = [line.split() for line in rest[: len(words)]]
    assert [word for _, _, word in told] == words
    assert all(float(start) <= float(end) for start, end, _ in told)
    number, times, *subtitle = rest[len(words) :]
    assert (number, times[12:17]) == ("1", " --> ")
    assert subtitle[0].split() == words[: len(subtitle[0].split())]


def test_openai_realtime(environment: dict[str, str], sure: list[Clip]) -> None:
    deltas, final = lines(
        environment, sys.executable, EXAMPLES / "openai_realtime.py", sure[0].path
    )
    assert (deltas.strip(), final) == (sure[0].text, f"final: {sure[0].text}")


def test_mistral_realtime(environment: dict[str, str], sure: list[Clip]) -> None:
    paths = [clip.path for clip in sure]
    told = lines(environment, sys.executable, EXAMPLES / "mistral_realtime.py", *paths)
    expected = [line for clip in sure for line in (clip.text, f"final: {clip.text}")]
    assert [line.strip() for line in told] == expected


def test_livekit_agent(environment: dict[str, str], demo: Clip, tmp_path: Path) -> None:
    script = ROOT / "tests" / "integration" / "agents" / "livekit_example.py"
    told = lines(environment, python_of("livekit"), script, as_wav(demo, tmp_path))
    assert told == SENTENCES


def test_pipecat_pipeline(environment: dict[str, str], demo: Clip, tmp_path: Path) -> None:
    script = EXAMPLES / "pipecat_pipeline.py"
    told = lines(environment, python_of("pipecat"), script, as_wav(demo, tmp_path))
    assert told == SENTENCES


async def call(url: str, mulaw: bytes) -> None:
    """Speak as Twilio does, ten times as fast, with its other messages in between."""
    media = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    start = {"streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"], "mediaFormat": media}
    async with connect(url) as twilio:

        async def tell(event: str, **fields: object) -> None:
            await twilio.send(json.dumps({"event": event, "streamSid": "MZ1", **fields}))

        await tell("connected", protocol="Call", version="1.0.0")
        await tell("start", start=start)
        for number, at in enumerate(range(0, len(mulaw), 160), 1):
            payload = base64.b64encode(mulaw[at : at + 160]).decode()
            place = {"chunk": str(number), "timestamp": str(20 * number), "payload": payload}
            await tell("media", media={"track": "inbound", **place})
            # What the caller hears must not be taken for what they say.
            await tell("media", media={"track": "outbound", **place})
            await asyncio.sleep(0.002)
        await tell("dtmf", dtmf={"track": "inbound_track", "digit": "1"})
        await tell("mark", mark={"name": "greeting"})
        await tell("stop", stop={"callSid": "CA1"})
        await twilio.wait_closed()


def test_twilio_bridge(environment: dict[str, str], demo: Clip) -> None:
    mulaw = ffmpeg("-i", demo.path, "-ar", "8000", "-f", "mulaw", "-")
    command = [sys.executable, EXAMPLES / "twilio_bridge.py", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        try:
            url = bridge.stdout.readline().split()[-1]
            asyncio.run(call(url, mulaw))
        finally:
            bridge.terminate()
        told = bridge.stdout.read().splitlines()
    assert told == [f"CA1: {text}" for text in SENTENCES]


@contextmanager
def files_over_http(folder: Path) -> Iterator[str]:
    """A web server for a folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as web:
        threading.Thread(target=web.serve_forever).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def spoken(told: list[str]) -> tuple[list[str], list[float]]:
    """The turns that `ffmpeg_live.py` printed, and when they began."""
    turns = [line.split(maxsplit=1) for line in told]
    return [text for _, text in turns], [float(start) for start, _ in turns]


@pytest.mark.parametrize(
    ("framework", "example"), [("livekit", "livekit_agent"), ("pipecat", "pipecat_pipeline")]
)
def test_examples_have_the_types_of_their_frameworks(framework: str, example: str) -> None:
    """Beside vLLM these are not installed, and mypy takes all of theirs for Any."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable"]
    checked = subprocess.run(
        [*command, python_of(framework), EXAMPLES / f"{example}.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_ffmpeg_live_with_hls(environment: dict[str, str], demo: Clip, tmp_path: Path) -> None:
    (tmp_path / "hls").mkdir()
    playlist = tmp_path / "hls" / "live.m3u8"
    ffmpeg("-i", demo.path, "-c:a", "aac", "-f", "hls", "-hls_list_size", "0", playlist)
    with files_over_http(playlist.parent) as web:
        script = EXAMPLES / "ffmpeg_live.py"
        told = lines(environment, sys.executable, script, f"{web}/live.m3u8")
    texts, starts = spoken(told)
    assert texts == SENTENCES
    assert starts == sorted(set(starts))


def test_ffmpeg_live_with_rtmp(
    environment: dict[str, str], sure: list[Clip], unused_tcp_port: int
) -> None:
    """It waits, and a program such as OBS streams to it."""
    url = f"rtmp://127.0.0.1:{unused_tcp_port}/live/me"
    command = [sys.executable, EXAMPLES / "ffmpeg_live.py", "-listen", "1", "-i", url]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as listening:
        try:
            stream_to(url, sure[0].path, listening)
            told, _ = listening.communicate()
        finally:
            with suppress(ProcessLookupError):  # its FFmpeg waits for as long as nobody streams
                os.killpg(listening.pid, signal.SIGKILL)
    assert listening.returncode == 0
    assert spoken(told.splitlines())[0] == [sure[0].text]


def test_ffmpeg_live_without_a_server_does_not_wait_for_who_streams(
    environment: dict[str, str], unused_tcp_port_factory: Callable[[], int]
) -> None:
    nowhere, port = unused_tcp_port_factory(), unused_tcp_port_factory()
    run = subprocess.run(
        [
            *(sys.executable, EXAMPLES / "ffmpeg_live.py"),
            *("-listen", "1", "-i", f"rtmp://127.0.0.1:{port}/live/me"),
        ],
        env=environment | {"VOXTIDE_BASE_URL": f"http://127.0.0.1:{nowhere}/v1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "UnreachableError" in run.stderr


def stream_to(url: str, sound: Path, listening: subprocess.Popen[str]) -> None:
    """Publish a recording; it is refused until somebody listens."""
    published = False
    while not published and listening.poll() is None:
        with suppress(subprocess.CalledProcessError):
            ffmpeg("-i", sound, "-c:a", "aac", "-f", "flv", url)
            published = True
