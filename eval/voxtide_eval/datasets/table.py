"""The table of datasets: one definition for each, in each language.

Where papers disagree or say nothing (which Common Voice, which part of CHiME-4, how long recordings
were cut), the definition's note says so. Fields and revisions of the hub are those seen in 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Final

from .definition import Dataset, Metric, Source
from .hub import Hub
from .joining import Long
from .made import Wordless
from .packages import asterisk, audioeval, librivox, licensed, nano, nano_demo, nano_recorded
from .rows import Files

_FLEURS: Final = {
    "ar": "ar_eg",
    "de": "de_de",
    "en": "en_us",
    "es": "es_419",
    "fr": "fr_fr",
    "hi": "hi_in",
    "it": "it_it",
    "ja": "ja_jp",
    "ko": "ko_kr",
    "nl": "nl_nl",
    "pt": "pt_br",
    "ru": "ru_ru",
    "zh": "cmn_hans_cn",
}
"""The thirteen languages of the paper, and what FLEURS calls them."""
_FLEURS_REVISION: Final = "168de341b3db6859a9bac1c50a2ef5e3b47647e0"  # of refs/convert/parquet
_LIBRISPEECH_REVISION: Final = "71cacbfb7e2354c4226d01e70d77d5fca3d04ba1"
_COMMON_VOICE_REVISION: Final = "34f78a43893414e7b6e271ba94c1d5e05f18b239"
_LONGFORM_REVISION: Final = "d6797370d3189c618e722721ab5b6c9be78c022c"
_ESB: Final = "hf-audio/esb-datasets-test-only-sorted"
_LONGFORM: Final = "hf-audio/asr-leaderboard-longform"
_MULTILINGUAL: Final = "hf-audio/open-asr-leaderboard-multilingual-datasets"
_TEXTS: Final = ("text", "sentence", "normalized_text", "transcript", "transcription")
"""Where the leaderboard looks for what is said, in this order."""
_IGNORED: Final = ("ignore time segment in scoring", "ignore_time_segment_in_scoring")
_SPELT_TOGETHER: Final = frozenset({"ja", "zh"})
_KOREAN: Final = "The paper's figures fit word error rates; papers also give character error rates."


def scored(language: str) -> tuple[Metric, str]:
    """How a language is scored unless its dataset has reasons of its own: metric, normaliser."""
    if language in _SPELT_TOGETHER:
        return "cer", "characters"
    return "wer", "leaderboard-en" if language == "en" else "basic"


def _dataset(
    name: str,
    title: str,
    language: str,
    licence: str,
    source: Source,
    *,
    split: str = "test",
    normaliser: str = "",
    published: tuple[tuple[str, str], ...] = (),
    leave_out: tuple[str, ...] = (),
    note: str = "",
) -> Dataset:
    metric, usual = scored(language)
    return Dataset(
        name=name,
        title=title,
        language=language,
        split=split,
        licence=licence,
        metric=metric,
        normaliser=normaliser or usual,
        source=source,
        published=published,
        leave_out=leave_out,
        note=note,
    )


def _fleurs() -> Iterator[Dataset]:
    for language, folder in _FLEURS.items():
        source = Hub(
            "google/fleurs",
            folder=folder,
            revision=_FLEURS_REVISION,
            text=("raw_transcription",),
            id="path",
        )
        yield _dataset(
            f"fleurs-{language}",
            "FLEURS",
            language,
            "CC-BY-4.0",
            source,
            published=(("table7", language),),
            note=_KOREAN if language == "ko" else "",
        )


def _common_voice() -> Iterator[Dataset]:
    for language in _FLEURS:
        source = Hub(
            "fixie-ai/common_voice_17_0",
            "zh-CN" if language == "zh" else language,
            revision=_COMMON_VOICE_REVISION,
            text=("sentence",),
            id="path",
            speaker="client_id",
        )
        yield _dataset(
            f"common-voice-{language}",
            "Common Voice 17",
            language,
            "CC0-1.0",
            source,
            published=(("table8", language),),
            note="The paper does not say which version it took. Mozilla's own copies have left the "
            "hub; a release of Mozilla's is read as a folder. " + (_KOREAN * (language == "ko")),
        )


def _librispeech() -> Iterator[Dataset]:
    for part, column in (("clean", "LS-C"), ("other", "LS-O")):
        source = Hub(
            "openslr/librispeech_asr", part, revision=_LIBRISPEECH_REVISION, speaker="speaker_id"
        )
        yield _dataset(
            f"librispeech-{part}",
            "LibriSpeech",
            "en",
            "CC-BY-4.0",
            source,
            published=(("table5", column), ("leaderboard-en", column)),
        )
        yield _dataset(
            f"librispeech-{part}-long",
            "LibriSpeech, joined",
            "en",
            "CC-BY-4.0",
            Long(source),
            note="Each speaker's utterances, joined to 10 min: nobody has published figures of it.",
        )


def _short_english() -> Iterator[Dataset]:
    """The sets that the leaderboard had until it cleaned them in 2026, and the paper has too."""
    for name, title, column, licence in (
        ("ami", "AMI, headsets", "AMI", "CC-BY-4.0"),
        ("earnings22", "Earnings-22, cut", "E22", "CC-BY-SA-4.0"),
        ("gigaspeech", "GigaSpeech", "GS", "Apache-2.0, audio for research only"),
        ("spgispeech", "SPGISpeech", "SPGI", "Kensho's user agreement, not for commerce"),
        ("tedlium", "TED-LIUM 3", "TED", "CC-BY-NC-ND-3.0"),
        ("voxpopuli", "VoxPopuli", "VP", "CC0-1.0"),
    ):
        paper = () if name == "ami" else (("table5", column),)
        yield _dataset(
            name,
            title,
            "en",
            licence,
            Hub(_ESB, name, text=_TEXTS),
            published=(*paper, ("leaderboard-en", column)),
            leave_out=_IGNORED,
            note="The leaderboard's copy; not pinned.",
        )


def _long_english() -> Iterator[Dataset]:
    cut = "The paper cut it into pieces of 10 min and does not say how; these are whole recordings."
    for name, title, column in (
        ("earnings21", "Earnings-21", "E21"),
        ("earnings22", "Earnings-22", "E22"),
    ):
        yield _dataset(
            f"{name}-long",
            title,
            "en",
            "CC-BY-SA-4.0",
            Hub(_LONGFORM, name, revision=_LONGFORM_REVISION, text=_TEXTS, id=""),
            published=(("table6", column), ("leaderboard-long", column)),
            note=cut,
        )
    yield _dataset(
        "tedlium-long",
        "TED-LIUM 3, whole talks",
        "en",
        "CC-BY-NC-ND-3.0",
        Hub("distil-whisper/tedlium-long-form", text=_TEXTS, id=""),
        published=(("table6", "TED"), ("leaderboard-long", "TED")),
        note="Not pinned.",
    )
    yield _dataset(
        "meanwhile",
        "Meanwhile",
        "en",
        "not stated: clips of a television show, for research",
        Hub("distil-whisper/meanwhile", text=_TEXTS, id=""),
        published=(("table6", "MW"),),
        note="Not pinned.",
    )


def _licensed() -> Iterator[Dataset]:
    ldc = "from the Linguistic Data Consortium"
    for name, title, column, where, note in (
        (
            "chime4",
            "CHiME-4",
            "C-4",
            f"real and simulated noisy WSJ0, {ldc}",
            "The paper does not say which of its parts and microphones it took.",
        ),
        ("switchboard", "Hub5'00, Switchboard", "SB", f"LDC2002S09 and LDC2002T43, {ldc}", ""),
        ("callhome", "Hub5'00, CallHome", "CH", f"LDC2002S09 and LDC2002T43, {ldc}", ""),
    ):
        yield _dataset(
            name,
            title,
            "en",
            "LDC user agreement",
            Files(partial(licensed, name, where)),
            published=(("table5", column),),
            leave_out=_IGNORED,
            note=note,
        )


def _leaderboard_multilingual() -> Iterator[Dataset]:
    for language in ("de", "fr", "it", "es", "pt"):
        for part, title in (("fleurs", "FLEURS"), ("mls", "Multilingual LibriSpeech")):
            if (language, part) == ("de", "mls"):
                continue  # the leaderboard has none
            yield _dataset(
                f"leaderboard-{part}-{language}",
                title,
                language,
                "CC-BY-4.0",
                Hub(_MULTILINGUAL, f"{part}_{language}", text=_TEXTS, id=""),
                normaliser="leaderboard-ml",
                published=(("leaderboard-ml", f"{language}_{part}"),),
                note="The leaderboard's copy; not pinned.",
            )


def _anywhere() -> Iterator[Dataset]:
    """What needs no hub: recordings out of packages, and wordless audio."""
    yield _dataset(
        "nano", "nano's recordings", "en", "see its manifest", Files(nano), normaliser="basic"
    )
    yield _dataset(
        "nano-demo", "voxtide's recording", "en", "CC0-1.0", Files(nano_demo), normaliser="basic"
    )
    for part in ("sentence", "noisy-20db", "noisy-10db", "voice", "engine", "human", "long"):
        yield _dataset(
            f"nano-{part}",
            f"nano's set {part}",
            "en",
            "see its manifest",
            Files(partial(nano_recorded, part)),
            normaliser="basic",
        )
    for language in ("en", "es", "fr", "it", "ru"):
        licence = "CC-BY-3.0" if language == "ru" else "CC-BY-SA-3.0"
        yield _dataset(
            f"asterisk-{language}",
            "Asterisk prompts",
            language,
            licence,
            Files(partial(asterisk, language)),
            note="Prompts as they were written; what was said may differ.",
        )
    yield _dataset("librivox", "LibriVox, of PocketSphinx", "en", "BSD-2-Clause", Files(librivox))
    for language in ("en", "es", "fr", "hi", "it", "ja", "pl", "pt", "zh"):
        yield _dataset(
            f"audioeval-{language}",
            "pytest-audioeval",
            language,
            "MIT",
            Files(partial(audioeval, language)),
            note="Three clips: enough to see that a language works, not how well.",
        )
    yield _dataset(
        "silence", "Digital silence", "en", "CC0-1.0", Wordless("silence"), normaliser="basic"
    )
    for colour in ("white", "pink"):
        yield _dataset(
            f"noise-{colour}",
            f"{colour.title()} noise",
            "en",
            "CC0-1.0",
            Wordless(colour),
            normaliser="basic",
        )


DATASETS: Final[Mapping[str, Dataset]] = MappingProxyType(
    {
        dataset.name: dataset
        for dataset in chain(
            _fleurs(),
            _common_voice(),
            _librispeech(),
            _short_english(),
            _long_english(),
            _licensed(),
            _leaderboard_multilingual(),
            _anywhere(),
        )
    }
)
"""All definitions, by name."""
