"""Datasets of files: listings, layouts of corpora, trees of packages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import soundfile

from tests.eval.dataset_files import jsonl, prompts, recording, write
from voxtide_eval.datasets import DatasetError, MissingError
from voxtide_eval.datasets.layouts import read
from voxtide_eval.datasets.packages import asterisk, audioeval, librivox, nano_demo, nano_recorded
from voxtide_eval.manifest import Word


def ids(path: Path, split: str = "test") -> list[tuple[str, str, str]]:
    return [(row.id, row.reference, row.speaker) for row in read(path, split)]


def test_json_lines(tmp_path: Path) -> None:
    recording(tmp_path / "clips" / "a.wav")
    recording(tmp_path / "b.flac")
    listing = jsonl(
        tmp_path / "set.jsonl",
        {"audio": "clips/a.wav", "text": " Hello, you. ", "speaker": 7, "more": [1]},
        {
            "id": "second",
            "audio": "b.flac",
            "text": "un deux",
            "voice": "Amélie",
            "language": "fr",
            "words": [{"word": "un", "end": 0.4}, {"word": "deux", "start": 0.5, "end": 0.9}],
        },
    )
    first, second = read(listing, "test")
    assert (first.id, first.reference, first.speaker) == ("clips/a.wav", "Hello, you.", "7")
    assert (first.language, first.words) == (None, ())
    assert (second.id, second.speaker, second.language) == ("second", "Amélie", "fr")
    assert second.words == (Word("un", 0.0, 0.4), Word("deux", 0.5, 0.9))
    assert second.path == tmp_path / "b.flac"


def test_csv(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    listing = write(tmp_path / "s.csv", '\ufeffaudio,text,speaker\na.wav,"Yes, ""you"".",ann\n')
    assert ids(listing) == [("a.wav", 'Yes, "you".', "ann")]


LINE = {"audio": "a.wav", "text": "yes"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2: it is no JSON"),
        ("[]", "line 2: it is no JSON object"),
        ({"text": "yes"}, "line 2: `audio` is missing"),
        ({"audio": "", "text": "yes"}, "line 2: `audio` is empty"),
        ({"audio": "a.wav"}, "line 2: `text` is missing"),
        ({"audio": "a.wav", "text": None}, "line 2: `text` is no string: None"),
        ({"audio": "b.wav", "text": "yes"}, "line 2: `audio`: there is no file .*b.wav"),
        (LINE | {"speaker": [1]}, "line 2: `speaker` is no string"),
        (LINE | {"words": "yes"}, "line 2: `words` is no list"),
        (LINE | {"words": [{"end": 1}]}, "line 2: `words.word` is no string"),
        (LINE | {"words": [{"word": "yes"}]}, "line 2: `words.end` is no time in seconds: None"),
        (LINE | {"words": [{"word": "yes", "end": -1}]}, "line 2: `words.end` is no time"),
        (LINE | {"words": [{"word": "yes", "end": float("nan")}]}, "`words.end` is no time"),
        (
            LINE | {"words": [{"word": "a", "end": 2}, {"word": "b", "end": 1}]},
            "line 2: `words.end` is before the word starts",
        ),
        (LINE | {"id": "first"}, "two utterances are called 'first'"),
    ],
)
def test_a_line_that_cannot_be_used(tmp_path: Path, line: object, problem: str) -> None:
    recording(tmp_path / "a.wav")
    listing = jsonl(tmp_path / "set.jsonl", LINE | {"id": "first"})
    if isinstance(line, str):
        listing.write_text(listing.read_text() + line)
    else:
        jsonl(listing, LINE | {"id": "first"}, line)
    with pytest.raises(DatasetError, match=problem) as raised:
        read(listing, "test")
    assert str(listing) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("audio\na.wav\n", "line 1: there is no column `text`"),
        ("", "line 1: there is no column `audio`"),
        ("audio,text\na.wav\n", "line 2: it has not as many fields as line 1"),
        ("audio,text\na.wav,yes,no\n", "line 2: it has not as many fields as line 1"),
        ('audio,text\na.wav,"yes\n', "after line 1: it is no CSV"),
        ("audio,text\n", "there are no utterances"),
    ],
)
def test_csv_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    recording(tmp_path / "a.wav")
    with pytest.raises(DatasetError, match=problem):
        read(write(tmp_path / "set.csv", text), "test")


def test_a_listing_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes("audio,text\na.wav,é\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="not UTF-8"):
        read(tmp_path / "set.csv", "test")


def test_texts_beside_the_audio(tmp_path: Path) -> None:
    for name, text in (("b/two", "Two.\n"), ("a", "One.")):
        recording(tmp_path / f"{name}.wav")
        write(tmp_path / f"{name}.txt", text)
    assert ids(tmp_path) == [("a", "One.", ""), ("b/two", "Two.", "")]
    recording(tmp_path / "c.flac")
    with pytest.raises(DatasetError, match=r"c\.flac: there is no c\.txt beside it"):
        read(tmp_path, "test")


def test_librispeech(tmp_path: Path) -> None:
    chapter = tmp_path / "test-clean" / "61" / "70968"
    write(chapter / "61-70968.trans.txt", "61-70968-0000 HE BEGAN A\n61-70968-0001 GIVE\n")
    for number in (0, 1):
        recording(chapter / f"61-70968-000{number}.flac")
    found = [("61-70968-0000", "HE BEGAN A", "61"), ("61-70968-0001", "GIVE", "61")]
    assert ids(tmp_path, "test-clean") == ids(tmp_path) == found
    (chapter / "61-70968-0001.flac").unlink()
    with pytest.raises(DatasetError, match=r"trans\.txt, line 2: there is no file"):
        read(tmp_path, "test")


def test_fleurs(tmp_path: Path) -> None:
    line = "1\t9.wav\tDer Fluß, heute.\tder fluß heute\td e r\t16000\tMALE\n"
    write(tmp_path / "test.tsv", line)
    recording(tmp_path / "audio" / "test" / "9.wav")
    assert ids(tmp_path) == [("9", "Der Fluß, heute.", "")]
    write(tmp_path / "test.tsv", "1\t9.wav\n")
    with pytest.raises(DatasetError, match="line 1: it has not the columns of FLEURS"):
        read(tmp_path, "test")


def test_common_voice(tmp_path: Path) -> None:
    header = "client_id\tpath\tsentence\tup_votes\n"
    write(tmp_path / "test.tsv", header + 'ann\ta.mp3\tSay "hi!\t2\n')
    recording(tmp_path / "clips" / "a.mp3")
    assert ids(tmp_path) == [("a", 'Say "hi!', "ann")]
    write(tmp_path / "test.tsv", "path\na.mp3\n")
    with pytest.raises(DatasetError, match="line 1: there is no column `sentence`"):
        read(tmp_path, "test")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such file or folder"):
        read(tmp_path / "gone", "test")
    with pytest.raises(DatasetError, match="there are no utterances"):
        read(tmp_path, "test")


PROMPTS = """; Core sounds

activated: Activated.
agent: Please enter  your number.
beep: [this is a simple beep tone]
digits/1: one
letters/at: at [@]
silence/1: (1 second of silence)
spy-iax2: IAX (note: does not say "2")
not-recorded: Nobody said this.
tt-monkeys: a sound of monkeys
"""


def test_asterisk_prompts(tmp_path: Path) -> None:
    sounds = prompts(tmp_path, "en", "en_US_f_Allison", "\ufeff" + PROMPTS)
    for name in ("activated", "beep", "letters/at", "silence/1", "spy-iax2", "tt-monkeys"):
        recording(sounds / f"{name}.wav", rate=8_000)
    (sounds / "digits").mkdir()
    for name in ("agent", "digits/1"):
        (sounds / f"{name}.g722").write_bytes(b"\x00")
        recording(sounds / f"{name}.wav", rate=8_000)
    found = asterisk("en", "test", tmp_path)
    assert [(row.id, row.reference, row.path.suffix) for row in found] == [
        ("activated", "Activated.", ".wav"),
        ("agent", "Please enter your number.", ".g722"),
        ("digits/1", "one", ".g722"),
    ]
    assert {row.speaker for row in found} == {"en_US_f_Allison"}
    with pytest.raises(MissingError, match="apt-get install asterisk-core-sounds-ru asterisk-core"):
        asterisk("ru", "test", tmp_path)


def test_librivox_clips(tmp_path: Path) -> None:
    folder = tmp_path / "pocketsphinx" / "test" / "data" / "librivox"
    write(folder / "transcription", "<s> he was not an ill disposed young man </s> (austen-0880)\n")
    recording(folder / "austen-0880.wav")
    (row,) = librivox("test", tmp_path)
    assert (row.id, row.reference) == ("austen-0880", "he was not an ill disposed young man")
    assert row.path.is_file()
    write(folder / "transcription", "he was not\n")
    with pytest.raises(DatasetError, match="it is no transcript: 'he was not'"):
        librivox("test", tmp_path)
    shutil.rmtree(folder)
    with pytest.raises(MissingError, match="apt-get install pocketsphinx-testdata"):
        librivox("test", tmp_path)


def test_audioeval_is_a_package() -> None:
    pytest.importorskip("pytest_audioeval")
    rows = audioeval("hi", "test")
    assert len(rows) == 3
    assert all(row.path.is_file() and row.reference for row in rows)


def test_the_recording_that_comes_with_voxtide() -> None:
    (row,) = nano_demo("test")
    assert row.reference.startswith("please turn on the kitchen lights")
    assert " ".join(word.text for word in row.words) == row.reference
    assert row.words[-1].end < soundfile.info(row.path).duration


def test_nanos_other_sets_are_recorded_first() -> None:
    with pytest.raises(MissingError, match="nano-gone: it is recorded by `make nano`"):
        nano_recorded("gone", "test")
