"""The requests of Open WebUI, with the settings of `examples/open_webui.env`.

It sends them with the library that is used here, so that the forms are the same to the byte
but for their boundaries.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import pytest
import requests

from tests.conftest import Clip, Server

pytestmark = pytest.mark.integration

ENV = Path(__file__).parents[2] / "examples" / "open_webui.env"
SURE = "voice-091-espeak-Marco"


@pytest.fixture
def settings(server: Server) -> dict[str, str]:
    """The example's, but for the server's address."""
    lines = [line for line in ENV.read_text().splitlines() if line and not line.startswith("#")]
    settings = dict(line.split("=", 1) for line in lines)
    url = settings["AUDIO_STT_OPENAI_API_BASE_URL"]
    assert url.endswith(":8000/v1")
    return {**settings, "AUDIO_STT_OPENAI_API_BASE_URL": server.base_url}


@pytest.fixture
def clip(clips: list[Clip]) -> Clip:
    return next(clip for clip in clips if clip.path.stem == SURE)


def recorded(clip: Clip, folder: Path, codec: str, ending: str, rate: int) -> Path:
    """The clip as a browser records it, or as Open WebUI's preprocessing makes it."""
    path = folder / f"3f2b8c1e-recording.{ending}"
    with av.open(clip.path) as source, av.open(path, "w") as target:
        stream = target.add_stream(codec, rate=rate, layout="mono")
        for frame in itertools.chain(source.decode(audio=0), [None]):
            target.mux(stream.encode(frame))
    return path


def post(settings: dict[str, str], file: Path, **form: str) -> requests.Response:
    with file.open("rb") as audio:
        return requests.post(
            url=f"{settings['AUDIO_STT_OPENAI_API_BASE_URL']}/audio/transcriptions",
            headers={"Authorization": f"Bearer {settings['AUDIO_STT_OPENAI_API_KEY']}"},
            files={"file": (file.name, audio)},
            data={"model": settings["AUDIO_STT_MODEL"], **form},
            timeout=120,
        )


@pytest.mark.parametrize(
    ("codec", "ending", "rate"),
    [("libopus", "webm", 48_000), ("aac", "mp4", 48_000), ("libmp3lame", "mp3", 16_000)],
)
def test_a_recording(
    settings: dict[str, str], clip: Clip, tmp_path: Path, codec: str, ending: str, rate: int
) -> None:
    """Chrome and Firefox record WebM, Safari MP4; the preprocessing makes MP3."""
    answer = post(settings, recorded(clip, tmp_path, codec, ending, rate), language="en")
    assert (answer.status_code, answer.json()["text"]) == (200, clip.text)


def test_a_recording_with_segments(settings: dict[str, str], clip: Clip) -> None:
    """Newer versions cite the segments of a recording."""
    form = {"response_format": "verbose_json", "timestamp_granularities[]": "segment"}
    answer = post(settings, clip.path, **form)
    told = answer.json()
    assert (answer.status_code, told["text"].strip()) == (200, clip.text)
    assert " ".join(segment["text"] for segment in told["segments"]) == clip.text
    assert all(0 <= segment["start"] < segment["end"] for segment in told["segments"])
    # It holds this for the duration of the recording.
    assert abs(told["segments"][-1]["end"] - clip.ends[-1]) < 0.2


def test_an_error_is_shown_to_the_user(settings: dict[str, str], tmp_path: Path) -> None:
    """It shows the message of the error object."""
    (tmp_path / "a.webm").write_bytes(b"no audio at all")
    answer = post(settings, tmp_path / "a.webm")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
