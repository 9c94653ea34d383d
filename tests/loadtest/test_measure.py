"""Turns become figures, and figures one object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voxtide_loadtest.baseline import Idle
from voxtide_loadtest.corpus import Clip
from voxtide_loadtest.figures import Figures
from voxtide_loadtest.measure import Recorder
from voxtide_loadtest.pacing import Pacer
from voxtide_loadtest.summary import summary
from voxtide_loadtest.turn import Turn
from voxtide_loadtest.words import Delta

CLIP = Clip("a", Path("a"), ("one", "two"), (1.0, 2.0))
IDLE = {"a": Idle("one too", (500.0, None))}


def turn(outcome: str = "final", text: str | None = "one two", whole: bool = True) -> Turn:
    seen = Turn(CLIP, began=100.0, position=0.0, whole=whole, committed=102.0)
    seen.deltas = [Delta(101.7, "one"), Delta(102.5, " two")]
    seen.final, seen.finalised, seen.outcome = text, 102.6, outcome  # type: ignore[assignment]
    return seen


def recorded(*turns: Turn, idle: dict[str, Idle] | None = None) -> Recorder:
    recorder = Recorder(idle)
    for one in turns:
        recorder.turn(one)
    return recorder


def test_a_turn_becomes_figures() -> None:
    figures = recorded(turn()).figures
    assert figures.times["word_emission_latency"].summary()["n"] == 2
    assert figures.times["word_emission_latency"].summary()["max"] == pytest.approx(700, rel=1e-3)
    assert figures.times["finalisation_latency"].percentile_ms(50) == pytest.approx(600, rel=1e-3)
    assert figures.times["time_to_first_word"].percentile_ms(50) == pytest.approx(1700, rel=1e-3)
    assert figures.counts["words:said"] == 2
    assert figures.said == {"a": 1}


def test_a_turn_without_a_transcript_counts_its_words_as_unanswered() -> None:
    figures = recorded(turn("timeout", None), turn("failed", None), turn("lost", None)).figures
    assert figures.counts["words:unanswered"] == 6
    assert figures.counts["words:said"] == 0
    assert figures.of("turns") == {"failed": 1, "lost": 1, "timeout": 1}


def test_a_turn_that_the_client_cut_loses_nothing() -> None:
    counts = recorded(turn("cut", None), turn("final", "one", whole=False)).figures.counts
    assert counts["words:unanswered"] == counts["words:lost"] == counts["words:said"] == 0


def test_deadlines_and_losses_are_judged_by_what_the_server_does_alone() -> None:
    figures = recorded(turn(text="one"), idle=IDLE).figures
    # The first word came 200 ms later than alone; nobody knows the second one's time alone.
    assert (figures.counts["deadline:judged"], figures.counts["deadline:missed"]) == (1, 1)
    assert figures.counts["words_against_idle:lost"] == 1
    slower = {"a": Idle("one too", (630.0, None))}
    assert recorded(turn(), idle=slower).figures.counts["deadline:missed"] == 0


def test_the_summary_sets_the_error_rate_beside_that_of_an_idle_server() -> None:
    recorder = recorded(turn(), turn(text="one"), idle=IDLE)
    words = summary(recorder.figures, {}, [CLIP], IDLE)["words"]
    assert words["word_error_rate"] == 0.25
    assert words["idle_word_error_rate"] == 0.5


def test_figures_survive_the_way_from_worker_to_master() -> None:
    here, there = recorded(turn(), idle=IDLE), recorded(turn(), turn("timeout", None))
    there.live = 7
    there.look()
    there.refused("server_full")
    master = Figures()
    for recorder in (here, there):
        master.merge(Figures.decoded(json.loads(json.dumps(recorder.take().encoded()))))
    both = summary(master, {})
    assert both["words"]["said"] == 4
    assert both["times_ms"]["word_emission_latency"]["n"] == 6
    assert both["sessions"]["refused"] == {"server_full": 1}
    assert both["sessions"]["peak"] == 7
    assert here.figures.counts.total() == 0  # what was taken is not sent again


def test_a_run_is_valid_if_its_generator_kept_the_schedule() -> None:
    recorder, pacer = Recorder(), Pacer(lambda _: None)
    assert summary(recorder.figures, {})["invalid_because"] == ["no audio was sent"]
    pacer.slips = [0.001] * 990 + [0.5] * 9
    recorder.paced(pacer)
    assert summary(recorder.figures, {})["valid"]
    pacer.slips = [0.5] * 11
    recorder.paced(pacer)
    judged = summary(recorder.figures, {})
    assert not judged["valid"]
    assert "500" in judged["invalid_because"][0]
    assert judged["audio_s"] == pytest.approx(1010 * 0.08)


def test_files_have_figures_of_their_own() -> None:
    recorder = Recorder()
    recorder.file(CLIP, "One two two.", 0.5, 10.0)
    recorder.file_failed("server_full")
    files = summary(recorder.figures, {})["files"]
    assert (files["said"], files["doubled"]) == (2, 1)
    assert files["audio_seconds_per_second"] == 20
    assert files["failed"] == {"server_full": 1}


def test_the_summary_is_json_and_has_bins_over_time() -> None:
    figures = json.loads(json.dumps(summary(recorded(turn()).figures, {"host": "x"})))
    (row,) = [row for row in figures["over_time"]["bins"] if "transcript_lag" in row][:1]
    assert row["unix_s"] % figures["over_time"]["bin_s"] == 0
    assert row["transcript_lag"]["ms"]["n"] == 1
    assert figures["about"] == {"host": "x"}
