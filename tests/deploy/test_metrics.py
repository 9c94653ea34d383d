"""What an operator sees: that it is documented, and that it is true."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from tests.deploy.test_gate import MISTRAL, heard, refused
from tests.deploy.test_transport import COMMIT, COMPLETED, UPDATE, append, until
from tests.fakes.app import serving
from tests.fakes.engine import LAYOUT, LostStream, say, silence
from voxtide_server import metrics, runner
from voxtide_server.config import Config
from voxtide_server.events import Committed, Completed, Delta
from voxtide_server.watch import Arrivals, Progress


class Change:
    """How much samples have changed since this was made."""

    def __init__(self) -> None:
        self._before = self._now()

    @staticmethod
    def _now() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def of(self, name: str, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return round(self._now().get(key, 0.0) - self._before.get(key, 0.0), 3)


def test_the_page_of_metrics_is_written_by_the_module() -> None:
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    assert page.read_text() == metrics.page()


async def test_a_session_is_counted() -> None:
    change = Change()
    async with serving(Config()) as app:
        async with app.connect() as socket:
            await until(socket, "session.created")
            assert change.of("voxtide_sessions", dialect="unsettled") == 1
            assert await heard(socket) == "w1"
            assert change.of("voxtide_sessions", dialect="openai") == 1
            assert change.of("voxtide_sessions", dialect="unsettled") == 0
        async with app.connect(path=MISTRAL, query="") as socket:
            await socket.send('{"type": "input_audio.end"}')
            await until(socket, "transcription.done")
    assert change.of("voxtide_sessions", dialect="openai") == 0
    assert change.of("voxtide_sessions_ended_total", dialect="openai", outcome="gone") == 1
    assert change.of("voxtide_sessions_ended_total", dialect="mistral", outcome="ended") == 1
    assert change.of("voxtide_audio_seconds_total", kind="live") == pytest.approx(0.8)
    assert change.of("voxtide_turns_total", kind="live", outcome="completed") == 2
    assert change.of("voxtide_turn_seconds_count", kind="live") == 2
    assert change.of("voxtide_engine_streams_total", reason="turn") == 1
    assert change.of("voxtide_word_latency_seconds_count") == 1
    assert change.of("voxtide_time_to_first_token_seconds_count") == 1
    assert change.of("voxtide_finalisation_seconds_count") == 2
    assert change.of("voxtide_backlog_seconds", kind="live") == 0
    assert change.of("voxtide_frames_total", kind="live") > 10
    assert change.of("voxtide_websocket_bytes_total", direction="received") > 30_000
    assert change.of("voxtide_websocket_bytes_total", direction="sent") > 500


async def test_what_went_wrong_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    change = Change()
    async with serving(Config(max_sessions=1)) as app:
        app.engine.begin_with(LostStream)
        async with app.connect() as socket:
            await socket.send(UPDATE)
            await socket.send("{")
            await socket.send(append(np.concatenate((say(1), silence(0.5)))))
            await socket.send(COMMIT)
            await until(socket, COMPLETED)
            await refused(app)
    assert change.of("voxtide_engine_streams_total", reason="lost") == 1
    assert change.of("voxtide_errors_total", code="invalid_json") == 1
    assert change.of("voxtide_refused_total", reason="server_full") == 1


async def test_an_idle_session_that_goes_on_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WATCH_S", 0.01)
    change = Change()
    settings = Config().model_copy(update={"idle_seconds": 0.05})
    async with serving(settings) as app, app.connect() as socket:
        await socket.send(UPDATE)
        await socket.send(append(np.concatenate((say(1), silence(1.5)))))
        async with asyncio.timeout(10):
            while not app.engine.opened or app.engine.live:
                await asyncio.sleep(0.01)
        assert await heard(socket, 2) == "w1 w2"
    assert change.of("voxtide_engine_streams_total", reason="idle") == 1


def test_what_alerts_watch_is_there_before_it_happens() -> None:
    """In a process that nothing has happened in."""
    code = (
        "import voxtide_server.metrics, prometheus_client as p; print(p.generate_latest().decode())"
    )
    page = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    for series in (
        'voxtide_sessions{dialect="unsettled"}',
        'voxtide_errors_total{code="internal_error"}',
        'voxtide_engine_streams_total{reason="lost"}',
        'voxtide_turns_total{kind="live",outcome="failed"}',
        'voxtide_refused_total{reason="server_full"}',
    ):
        assert f"{series} 0.0".encode() in page.stdout


def test_names_of_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_keys", set())
    names = [metrics.of_key(f"key-{number}") for number in range(150)]
    assert names[99:101] == ["key-99", "others"]
    assert metrics.of_key("key-7") == "key-7"


# ---- latencies ---------------------------------------------------------------------


def test_arrivals_are_found_by_position_and_old_ones_are_forgotten() -> None:
    arrivals = Arrivals()
    for number in range(1, 3_000):
        arrivals.note(number * 0.08, 100 + number)
    assert arrivals.of(2_999 * 0.08) == 3_099
    assert arrivals.of(2_998.5 * 0.08) == 3_099
    assert arrivals.of(2_999.5 * 0.08) is None, "it has not come"
    assert arrivals.of(0.08) is None, "it is long ago"
    assert len(arrivals._times) <= 1_024


def told() -> Completed:
    return Completed("t", "", (), 0.0, 2.0, 39, 1)


def test_latencies_are_those_of_the_definitions() -> None:
    change = Change()
    progress = Progress("live", "", LAYOUT)
    for frame in range(1, 26):  # 2 s in real time, then a commit
        progress.audio(frame * 0.08, 0.08, frame * 0.08)
    progress.event(Delta("t", " one", 1.0), 1.75)
    progress.event(Delta("t", " two", 1.4), 2.1)
    progress.committed(1, 2.0)
    progress.event(Committed("t", None), 2.2)  # told later, for a turn before it
    progress.event(told(), 2.3)
    assert change.of("voxtide_word_latency_seconds_sum") == pytest.approx(0.71 + 0.66)
    assert change.of("voxtide_time_to_first_token_seconds_sum") == pytest.approx(1.67)
    assert change.of("voxtide_finalisation_seconds_sum") == pytest.approx(0.3)


def test_a_deadline_is_missed_a_frame_after_the_last_sample_that_is_needed() -> None:
    change = Change()
    progress = Progress("live", "", LAYOUT)
    for frame in range(1, 26):
        progress.audio(frame * 0.08, 0.08, frame * 0.08)
    arrived = 0.8 + 0.56  # 0.48 s and a few samples after it, in whole messages
    progress.frame(0.8, arrived + 0.07)
    progress.tell(0.6, 0.0)
    assert change.of("voxtide_step_deadline_misses_total") == 0
    progress.frame(0.88, 0.88 + 0.56 + 0.09)
    progress.frame(0.8, 9.0)  # heard again, by a new stream
    progress.frame(2.0, 9.0)  # of the silence after the audio: nobody waits for it
    progress.tell(0.6, 0.0)
    progress.tell(0.6, 0.0)
    assert change.of("voxtide_step_deadline_misses_total") == 1
    assert change.of("voxtide_frames_total", kind="live") == 4
    assert change.of("voxtide_transcript_lag_seconds_count") == 1
