"""The plugins of frameworks for voice agents, unmodified, against `voxtide serve`.

LiveKit's and Pipecat's, for OpenAI's protocol and for Mistral's, each in a conversation in
real time. Turns end by the server's detection as the plugin sets it up, or by a detector of
the client: Pipecat's own (Silero), and for LiveKit a stand-in, by loudness. The frameworks do
not install beside vLLM: scripts run them in environments that `make agents` makes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from tests.conftest import Clip, Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "agents"
# The first has pauses in which every plugin ends a turn, and the second follows a longer one.
# What nano hears in these does not hang on a hair: others differ where they are cut.
SPOKEN = ("demo-piper-joe", "sentence-176-flite-kal16")
SENTENCES = [
    "please turn on the kitchen lights",
    "set the timer for twenty five minutes please",
    "play the music please",
    "four two seven one nine",
    "three hundred sixty eight",
    "yes close the bedroom door please",
    "ten up minute pause volume",
]
ADDRESSES = {
    ("livekit", "openai"): "http://{host}/v1",
    ("livekit", "mistral"): "http://{host}",
    ("pipecat", "openai"): "ws://{host}/v1/realtime",
    ("pipecat", "openai-server-vad"): "ws://{host}/v1/realtime",
    ("pipecat", "mistral"): "http://{host}",
}
"""Where each finds the server, as its framework's users write it."""


@dataclass(frozen=True)
class Conversation:
    """A script that speaks to the server through one plugin.

    Attributes:
        log: what the framework logs.
    """

    process: subprocess.Popen[str]
    log: Path

    def events(self) -> list[tuple[str, str]]:
        """All that the plugin gave, as name and text; it must have ended well."""
        lines, _ = self.process.communicate()
        assert self.process.returncode == 0, self.log.read_text()[-4000:]
        return [(told["event"], told["text"]) for told in map(json.loads, lines.splitlines())]


@pytest.fixture(scope="module")
def conversations(
    server: Server, clips: list[Clip], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Conversation]]:
    """All of them at once: each lasts as long as its sound."""
    folder = tmp_path_factory.mktemp("conversations")
    spoken = [next(clip for clip in clips if clip.path.stem == stem) for stem in SPOKEN]
    assert " ".join(SENTENCES) == " ".join(clip.text for clip in spoken)
    sounds = []
    for clip in spoken:
        samples, rate = soundfile.read(clip.path, dtype="int16")
        sounds.append(str(folder / f"{clip.path.stem}.wav"))
        soundfile.write(sounds[-1], samples, rate)
    with ExitStack() as stack:
        started = {}
        for (framework, kind), address in ADDRESSES.items():
            python = ROOT / f".venv-{framework}" / "bin" / "python"
            assert python.exists(), f"{framework} is not there: run `make agents`"
            # LiveKit's Mistral plugin takes a model for a live one by its name.
            model = "nano-realtime" if framework == "livekit" else "nano"
            script = str(SCRIPTS / f"{framework}_stt.py")
            log = folder / f"{framework}-{kind}.log"
            process = subprocess.Popen(
                [python, script, kind, address.format(host=server.host), model, *sounds],
                stdout=subprocess.PIPE,
                stderr=stack.enter_context(log.open("w")),
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            started[framework, kind] = Conversation(process, log)
        yield started


@pytest.mark.parametrize("kind", ["openai", "mistral"])
def test_livekit(conversations: dict[tuple[str, str], Conversation], kind: str) -> None:
    events = conversations["livekit", kind].events()
    assert texts(events, "error") == []
    # Its Mistral plugin flushes at the end of the stream too, and gives the empty answer.
    assert texts(events, "final_transcript") == SENTENCES + [""] * (kind == "mistral")
    assert_live(events, "interim_transcript", "final_transcript")
    names = [name for name, _ in events]
    for name in ("start_of_speech", "end_of_speech"):
        assert names.count(name) == len(SENTENCES)


@pytest.mark.parametrize("kind", ["openai", "openai-server-vad", "mistral"])
def test_pipecat(conversations: dict[tuple[str, str], Conversation], kind: str) -> None:
    events = conversations["pipecat", kind].events()
    assert texts(events, "error") == []
    assert texts(events, "final") == SENTENCES
    assert_live(events, "interim", "final")
    turns = [name for name, _ in events if name in ("start", "stop")]
    assert turns == ["start", "stop"] * len(SENTENCES)


def texts(events: list[tuple[str, str]], name: str) -> list[str]:
    """Of all events of a kind, in their order."""
    return [text for told, text in events if told == name]


def assert_live(events: list[tuple[str, str]], interim: str, final: str) -> None:
    """Words came before the first final text, and none after the last."""
    names = [name for name, text in events if text]
    assert (names[0], names[-1]) == (interim, final)
