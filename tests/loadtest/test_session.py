"""Streams against a server with planted faults: each is found, in its own figure and size.

The server's log is the truth. What is late there is at least as late here, on any machine; that
nothing else is late is asserted up to what server and generator were late by themselves.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import gevent
import pytest

from tests.loadtest.echo import DELAY_S, Server, corpus, echo, noise_s, settings, speak
from voxtide_loadtest.baseline import Idle
from voxtide_loadtest.behaviour import Disconnect, Say, Silence
from voxtide_loadtest.connection import Connection, Refused
from voxtide_loadtest.measure import Recorder
from voxtide_loadtest.pacing import Network
from voxtide_loadtest.session import Session
from voxtide_loadtest.summary import summary
from voxtide_loadtest.turn import Turn, live_words, timed

FRAME_S = 0.08


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("said") / "corpus")


def late_words(turns: list[Turn], seconds: float) -> int:
    words = [word for turn in turns for word in timed(turn, live_words(turn))]
    return sum(word.latency >= DELAY_S + seconds for word in words)


def at_least_late(server: Server, seconds: float) -> int:
    """Words that were so much later than their delay when they left the server."""
    return sum(word["late"] >= seconds and word["waited"] for word in server.log["words"])


def at_most_late(recorder: Recorder, server: Server, seconds: float) -> int:
    """The same with all that may be added: what a frame and two busy processes make of a word."""
    most = seconds - FRAME_S - 2 * noise_s(recorder, server)
    return sum(word["late"] >= most for word in server.log["words"])


def test_nothing_is_found_where_nothing_is_wrong(manifest: Path) -> None:
    seen: list[Turn] = []
    with echo(manifest) as server:
        recorder = speak(settings(server.host, manifest), 4, 3, Recorder(on_turn=seen.append))
    figures = summary(recorder.figures, {})
    words = figures["words"]
    assert words["said"] == 4 * 3 * 30
    assert words["word_error_rate"] == 0
    assert [words[name] for name in ("lost", "doubled", "inserted", "substituted")] == [0] * 4
    assert words["without_delta"] == words["unanswered"] == 0
    assert figures["turns"] == {"final": 12}
    assert figures["sessions"]["refused"] == figures["sessions"]["lost"] == {}
    assert figures["delay_ms"] == [480]
    assert figures["audio_s"] == pytest.approx(4 * 3 * 38 * FRAME_S)
    latency = figures["times_ms"]["word_emission_latency"]
    assert latency["n"] == 360  # none is early: what ends the clip comes with the commit
    assert figures["times_ms"]["finalisation_latency"]["n"] == 12
    assert late_words(seen, 0.35) <= at_most_late(recorder, server, 0.35)


def test_deltas_that_are_late_are_counted_as_late(manifest: Path) -> None:
    seen: list[Turn] = []
    with echo(manifest, "--late-share", "0.05", "--late", "0.4") as server:
        recorder = speak(settings(server.host, manifest), 6, 3, Recorder(on_turn=seen.append))
    planted = sum(word["planted"] for word in server.log["words"])
    assert 0.02 < planted / len(server.log["words"]) < 0.1
    # Words behind a late one wait with it; how long, the server's log says too.
    assert late_words(seen, 0.35) >= at_least_late(server, 0.35) > 0
    assert late_words(seen, 0.35) <= at_most_late(recorder, server, 0.35)
    assert recorder.figures.counts["words:lost"] == 0
    slowest = recorder.figures.times["word_emission_latency"].summary()["max"]
    assert slowest is not None
    assert slowest >= 400


def test_a_late_delta_misses_its_deadline(manifest: Path) -> None:
    chosen = settings("http://unused", manifest)
    # Alone, a word would come with the frame that is complete after the delay.
    idle = {clip.id: Idle(" ".join(clip.words or ()), (560.0,) * 30) for clip in chosen.clips}
    with echo(manifest, "--late-share", "0.05", "--late", "0.4") as server:
        recorder = speak(settings(server.host, manifest), 4, 2, Recorder(idle))
    counts = recorder.figures.counts
    assert counts["deadline:judged"] == 4 * 2 * 30
    assert counts["deadline:missed"] > 0
    assert counts["words_against_idle:said"] == 240
    # Alone, the frame is in the latency already.
    assert counts["deadline:missed"] >= at_least_late(server, 2 * FRAME_S)
    assert counts["deadline:missed"] <= at_most_late(recorder, server, 2 * FRAME_S)


def test_dropped_words_are_lost_words(manifest: Path) -> None:
    with echo(manifest, "--drop-every", "200") as server:
        recorder = speak(settings(server.host, manifest), 7, 3)
    words = summary(recorder.figures, {})["words"]
    assert words["said"] == 630
    assert words["lost"] == server.log["counts"]["dropped"] == 3
    assert words["doubled"] == words["inserted"] == words["substituted"] == 0
    assert words["word_error_rate"] == pytest.approx(3 / 630, abs=1e-5)


def test_words_that_come_twice_are_doubled(manifest: Path) -> None:
    with echo(manifest, "--double-every", "50") as server:
        recorder = speak(settings(server.host, manifest), 4, 2)
    words = summary(recorder.figures, {})["words"]
    assert words["doubled"] == server.log["counts"]["doubled"] == 4
    assert words["lost"] == words["inserted"] == words["substituted"] == 0


def test_a_stall_is_lag_of_its_length_and_no_slip(manifest: Path) -> None:
    with echo(manifest, "--stall", "3", "--stall-after", "2.5") as server:
        recorder = speak(settings(server.host, manifest), 4, 3)
    ((began, ended),) = server.log["stalls"]
    assert ended - began >= 3
    lag, latency, slip = (
        recorder.figures.times[name].summary()["max"]
        for name in ("transcript_lag", "word_emission_latency", "schedule_slip")
    )
    assert lag is not None
    assert latency is not None
    assert slip is not None
    # The word that was due first in the stall came at its end; lag is looked at twice a second.
    assert latency >= 1000 * (DELAY_S + 3 - 0.2)
    assert lag >= 1000 * (DELAY_S + 3 - 0.2 - 0.5)
    assert slip < 1500  # the generator kept speaking
    most = DELAY_S + FRAME_S + (ended - began) + 2 * noise_s(recorder, server) + 0.5
    assert latency <= 1000 * most
    bins = recorder.figures.series["transcript_lag"].bins
    worst = max(bins, key=lambda at: bins[at].summary()["max"] or 0)
    assert began // 5 <= worst <= (ended + 1) // 5
    assert recorder.figures.counts["words:lost"] == 0


def test_who_is_too_many_is_refused(manifest: Path) -> None:
    with echo(manifest, "--most", "3") as server:
        recorder = speak(settings(server.host, manifest), 5, 1)
    refused = summary(recorder.figures, {})["sessions"]["refused"]
    assert refused == {"server_full": 2} == {"server_full": server.log["counts"]["refused"]}
    assert recorder.figures.counts["sessions"] == 3


def test_a_server_that_is_not_there_refuses(manifest: Path) -> None:
    with pytest.raises(Refused, match="unreachable"):
        Connection("ws://127.0.0.1:9/v1/realtime", None)


def test_a_busy_generator_says_that_its_run_is_not_valid(manifest: Path) -> None:
    def hog() -> None:
        for _ in range(10):
            time.sleep(0.1)  # nobody else gets a turn
            gevent.sleep(0.1)

    hogging = gevent.spawn(hog)
    with echo(manifest) as server:
        recorder = speak(settings(server.host, manifest), 2, 1)
    hogging.join()
    figures = summary(recorder.figures, {})
    assert figures["valid"] is False
    assert "generator was late" in figures["invalid_because"][0]


def test_a_client_that_hangs_up_goes_on_with_what_it_has_not_said(manifest: Path) -> None:
    with echo(manifest) as server:
        chosen, recorder = settings(server.host, manifest), Recorder()
        clip = chosen.clips[0]
        steps = iter([Say(clip, 10, commit=False), Disconnect(0.25), Say(clip)])
        assert Session(chosen, recorder, random.Random(1)).run(steps) == 0.25
        assert Session(chosen, recorder, random.Random(1)).run(steps) is None
    assert recorder.figures.of("turns") == {"cut": 1, "final": 1}
    assert recorder.figures.counts["words:said"] == 30
    assert recorder.figures.counts["words:unanswered"] == 0
    assert server.log["counts"]["sessions"] == 2
    assert server.log["counts"]["frames"] == 10 + 38


def test_a_commit_in_the_middle_is_answered_but_its_words_do_not_count(manifest: Path) -> None:
    with echo(manifest) as server:
        chosen, recorder = settings(server.host, manifest), Recorder()
        clip = chosen.clips[0]
        steps = iter(
            [Say(clip, 19), Silence(0.4, muted=False), Silence(0.4, muted=True), Say(clip)]
        )
        Session(chosen, recorder, random.Random(1)).run(steps)
    assert recorder.figures.of("turns") == {"final": 2}
    assert recorder.figures.counts["words:said"] == 30
    assert len(recorder.figures.times["finalisation_latency"]) == 2
    assert server.log["counts"]["frames"] == 19 + 5 + 38


def test_a_bursty_network_sends_all_frames_and_keeps_its_own_schedule(manifest: Path) -> None:
    with echo(manifest) as server:
        chosen = settings(server.host, manifest, network=Network(jitter_s=0.02, burst=5))
        recorder = speak(chosen, 2, 1)
    assert server.log["counts"]["frames"] == 2 * 38
    assert recorder.figures.counts["words:lost"] == 0
    # A word waits for its burst: on average two frames more than on a steady network.
    median = recorder.figures.times["word_emission_latency"].percentile_ms(50)
    assert median is not None
    assert median > 1000 * (DELAY_S + FRAME_S)
