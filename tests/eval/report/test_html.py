"""The page: its figures are the score's, it needs nothing else, and transcripts are text in it."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import pytest
import soundfile

from tests.eval.made import pairs
from tests.eval.report.reader import Reader
from tests.eval.report.sample import AUDIO, EVIL, runs
from voxtide_eval.manifest import Manifest
from voxtide_eval.report.audio import Room
from voxtide_eval.report.html import html
from voxtide_eval.report.tables import name
from voxtide_eval.scoring import Score, score


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    """Of the sample's runs, one of them with an odd label."""
    first, *others = runs()
    return [score(one) for one in (Manifest(replace(first.run, label=EVIL), first.heard), *others)]


@pytest.fixture(scope="module")
def text(scores: list[Score]) -> str:
    """The page of them."""
    return html("Title " + EVIL, scores, worst=5)


@pytest.fixture(scope="module")
def page(text: str) -> Reader:
    """The page, parsed."""
    return Reader(text)


def rows(page: Reader, caption: str) -> dict[str, dict[str, str]]:
    """A table by its rows' names and its headings; of equal headings the first."""
    head, *body = page.tables[caption]
    return {row[0]: dict(reversed(list(zip(head, row, strict=True)))) for row in body}


def test_every_figure_of_accuracy_is_the_scores(page: Reader, scores: list[Score]) -> None:
    found = rows(page, "Accuracy")
    assert len(found) == len(scores)
    for one in scores:
        row, counts, rate = found[name(one)], one.total.counts, one.total.rate
        assert rate is not None
        errors = counts.substitutions + counts.deletions + counts.insertions
        assert row["%"] == f"{100 * errors / counts.units:.2f}"
        assert row["95 % interval"] == f"{100 * rate.low:.2f} to {100 * rate.high:.2f}"
        assert [row[key] for key in ("errors", "units", "substituted", "deleted", "inserted")] == [
            str(figure)
            for figure in (
                errors,
                counts.units,
                counts.substitutions,
                counts.deletions,
                counts.insertions,
            )
        ]
        assert (row["rate"], row["utterances"], row["failed"]) == ("WER", "32", "1")
        assert row["drawn"] == "10 speakers"


def test_every_figure_of_latency_and_hallucination_is_the_scores(
    page: Reader, scores: list[Score]
) -> None:
    late, made_up = rows(page, "Latency"), rows(page, "Stability and hallucination")
    for one in scores:
        words, row = one.latency.words, late[name(one)]
        assert (words is not None) == (one.run.way == "realtime")
        if words:
            shown = [row[key] for key in ("words", "median", "90 %", "95 %", "99 %", "largest")]
            figures = (words.p50, words.p90, words.p95, words.p99, words.largest)
            assert shown == [str(words.count), *(f"{1000 * figure:,.0f}" for figure in figures)]
        assert one.latency.final is not None
        assert row["final, median"] == f"{1000 * one.latency.final.p50:,.0f}"
        invented = one.hallucination
        assert made_up[name(one)]["units heard there"] == str(invented.words) == "1"
        assert made_up[name(one)]["a minute"] == f"{invented.per_minute:.2f}"


def test_parts_of_runs_are_the_scores(page: Reader, scores: list[Score]) -> None:
    for one in scores:
        for kind, parts in (("length", one.lengths), ("speaker", one.speakers)):
            found = rows(page, f"By {kind}: {name(one)}")
            assert list(found) == [part.name for part in parts]
            for part in parts:
                row = found[part.name]
                assert row["errors"] == str(part.counts.errors)
                assert row["units"] == str(part.counts.units)
                assert row["substituted"] == str(part.counts.substitutions)
                assert row["deleted"] == str(part.counts.deletions)
                assert row["inserted"] == str(part.counts.insertions)
                assert row["utterances"] == str(part.utterances)


def test_published_figures_stand_beside_ours(page: Reader, scores: list[Score]) -> None:
    found = rows(page, "fleurs-en test")
    assert found["Voxtral Realtime, table7, en, 480 ms"]["%"] == "4.90"
    assert found["Voxtral Realtime, table7, en, 480 ms"]["source"] == "paper"
    assert found[name(scores[1])]["%"] == rows(page, "Accuracy")[name(scores[1])]["%"]
    assert rows(page, "fleurs-de test")["Whisper, table7, de"]["%"] == "5.46"


def test_every_difference_between_live_and_file_is_there(text: str, scores: list[Score]) -> None:
    live, file = scores[1], scores[3]
    assert (live.run.way, file.run.way, live.run.delay_ms) == ("realtime", "file", 480)
    listed = text[text.index("Where live and file") : text.index("By length and by speaker")]
    assert set(re.findall(r"<h3>(.*?)</h3>", listed)) == {
        "lost&lt;script&gt;alert(1)&lt;/script&gt;"
    }
    heard = [
        replace(one.heard, hypothesis="quite another") if one.heard.id == "clip-9" else one.heard
        for one in live.utterances
    ]
    changed = html("Title", [score(Manifest(live.run, tuple(heard))), file], worst=0)
    assert "<h3>clip-9</h3>" in changed
    assert "2 of 32 utterances that are in both runs differ" in changed


def test_transcripts_labels_and_ids_are_text(text: str, page: Reader) -> None:
    assert EVIL not in text
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert EVIL in "".join(page.text)  # it is there to be read
    assert page.open == []


def test_nothing_comes_from_elsewhere(text: str, page: Reader) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(page.tags)
    for tag, attribute, value in page.attributes:
        if attribute.endswith(("href", "src")):
            assert value.startswith("data:audio/" if tag == "audio" else "#")
    assert not re.findall(r"url\((?!#)|@import", text)
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    ids = [value for _, attribute, value in page.attributes if attribute == "id"]
    assert len(ids) == len(set(ids))


def test_the_worst_are_shown_with_the_recording_that_there_is(page: Reader) -> None:
    sources = [value for tag, key, value in page.attributes if (tag, key) == ("audio", "src")]
    assert sources
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(sources[0].partition(",")[2])))
    assert rate == 16_000
    assert abs(sound).max() > 0.05
    read = "".join(page.text)
    assert "No recording: Error opening '/not/there.wav'" in read
    assert "The manifest names no recording." in read


def test_recordings_take_no_more_than_their_room(page: Reader) -> None:
    uri, _ = Room(10_000_000).embedded(str(AUDIO))
    room = Room(len(uri) + 10)
    assert room.embedded(str(AUDIO)) == (uri, "")
    assert room.embedded(str(AUDIO)) == (
        "",
        "The recording is left out: the page would become too large.",
    )


def test_plots_are_on_the_page_and_can_be_read_aloud(text: str) -> None:
    drawn = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', text)
    kinds = ("WER against delay, fleurs-en", "WER against delay, fleurs-de", "Latency of words")
    for kind in (*kinds, "Error rates by language, fleurs test"):
        assert any(label.startswith(kind) for label in drawn), kind


def test_runs_in_which_nothing_was_said_are_a_page_too() -> None:
    page = Reader(html("Silence", [score(pairs(("", "you"), dataset="silence"))]))
    assert rows(page, "Accuracy").popitem()[1]["%"] == "–"
    assert "Nothing was said in these runs" in "".join(page.text)


def test_what_no_normaliser_took_out_is_text_too() -> None:
    evil = '<img src=x onerror="alert(1)"> </script><script>alert(1)</script> &lt;'
    run = pairs(("plain", evil), (evil, "plain"), normaliser="none", dataset=evil, model=evil)
    file = Manifest(replace(run.run, way="file"), tuple(reversed(run.heard)))
    other = Manifest(file.run, (replace(file.heard[0], hypothesis="x"), file.heard[1]))
    page = Reader(html(evil, [score(run), score(other)]))
    assert not {"img", "script"} & set(page.tags)
    assert page.open == []
    read = [part.strip() for part in page.text]
    assert {'onerror="alert(1)">', "&lt;"} <= set(read)
