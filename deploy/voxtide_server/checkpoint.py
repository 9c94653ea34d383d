"""Find a checkpoint, and serve it at another delay without touching its files.

The delay between audio and text belongs to the whole engine: vLLM takes it from
`audio.transcription_delay_ms` in the checkpoint's `tekken.json`. Another delay
is therefore another checkpoint folder, an overlay: links to the same files, with
one `tekken.json` of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .start_errors import CheckpointError, UsageError

NANO = "nano"
"""The name of the checkpoint that comes with the package."""

NANO_FOLDER = Path(__file__).parent / "nano"
DELAYS_MS = (*range(80, 1201, 80), 2400)
"""Delays that the architecture was made for, in milliseconds."""

_TOKENIZER = "tekken.json"
_WEIGHTS = "consolidated*.safetensors"
# The hub also holds the weights a second time, in another layout.
_DOWNLOADED = ["params.json", _TOKENIZER, _WEIGHTS]
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that can be served.

    Attributes:
        name: what clients call the model.
        folder: where its files are; a local folder, possibly an overlay.
        delay_ms: delay between audio and text, in milliseconds.
    """

    name: str
    folder: Path
    delay_ms: int


def resolve(model: str, delay_ms: int | None = None) -> Checkpoint:
    """Find a model's files and give them the delay that was asked for.

    Args:
        model: `nano`, a folder in mistral format, or the id of one on the
            Hugging Face hub, which is downloaded unless it is in the cache.
        delay_ms: one of `DELAYS_MS`, or None for the checkpoint's own.

    Raises:
        UsageError: the delay is not one of them.
        CheckpointError: the model is not there, or a file of it is missing or broken.
    """
    check_delay_ms(delay_ms)
    name, folder = _locate(model)
    _check_files(folder)
    own = read_delay_ms(folder)
    if delay_ms is None or delay_ms == own:
        return Checkpoint(name, folder, own)
    return Checkpoint(name, overlay(folder, delay_ms), delay_ms)


def check_delay_ms(delay_ms: int | None) -> None:
    """Raise UsageError unless a delay is one of `DELAYS_MS`, or None."""
    if delay_ms is not None and delay_ms not in DELAYS_MS:
        raise UsageError(
            f"a delay of {delay_ms} ms is not possible: "
            "give a multiple of 80 from 80 to 1200, or 2400"
        )


def read_delay_ms(folder: Path) -> int:
    """The delay of the checkpoint in a folder, in milliseconds.

    Raises:
        CheckpointError: there is none, or it is no positive whole number.
    """
    delay = _read_tokenizer(folder)["audio"].get("transcription_delay_ms")
    if not isinstance(delay, int | float) or delay <= 0 or delay % 1 != 0:
        raise CheckpointError(
            f"{folder / _TOKENIZER} has no audio.transcription_delay_ms: "
            "this is not a streaming speech model"
        )
    return int(delay)


def overlay(folder: Path, delay_ms: int) -> Path:
    """Make a folder like another one whose delay is different.

    It lies in the user's cache under a name made of what is in it, so every
    start with the same delay has the same path (vLLM keys its compiled graphs
    by it), and the launcher may be killed without leaving a folder behind each
    time.

    Args:
        folder: a complete checkpoint; it is only read.
        delay_ms: the delay in milliseconds.
    """
    folder = folder.resolve()
    tokenizer = _read_tokenizer(folder)
    tokenizer["audio"]["transcription_delay_ms"] = float(delay_ms)
    text = json.dumps(tokenizer, ensure_ascii=False)
    others = sorted(path for path in folder.iterdir() if path.name != _TOKENIZER)
    content = "\0".join([str(folder), text, *(path.name for path in others)])
    target = _cache() / hashlib.sha256(content.encode()).hexdigest()[:16]
    if not target.is_dir():
        _build(target, text, others)
    return target


def _build(target: Path, tokenizer: str, links: list[Path]) -> None:
    """Fill a folder aside and move it into place, for two may start at once."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target.parent))
        try:
            (aside / _TOKENIZER).write_text(tokenizer, encoding="utf-8")
            for path in links:
                (aside / path.name).symlink_to(path)
            aside.chmod(0o755)
            aside.rename(target)
        except OSError:
            shutil.rmtree(aside)
            if not target.is_dir():
                raise
    except OSError as error:
        raise CheckpointError(
            f"cannot write the changed delay under {target.parent}: {error.strerror} "
            "(XDG_CACHE_HOME chooses another place)"
        ) from error


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "voxtide" / "delays"


def _locate(model: str) -> tuple[str, Path]:
    """The name to serve a model under, and its folder."""
    if model == NANO:
        return NANO, NANO_FOLDER
    folder = Path(model)
    if model and folder.is_dir():
        return folder.resolve().name, folder.resolve()
    if folder.exists() or not _HUB_ID.fullmatch(model):
        raise CheckpointError(f"no checkpoint folder {model!r}")
    return model, _download(model)


def _download(model: str) -> Path:
    """The local folder of a model on the hub.

    Not covered by a test: the tests have no network. What follows it is the same for
    every folder, and is.
    """
    import huggingface_hub  # slow to import, and only needed here

    try:
        return Path(huggingface_hub.snapshot_download(model, allow_patterns=_DOWNLOADED))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise CheckpointError(
            f"{model} is no folder here, and the hub does not give it: "
            f"{reason[0] if reason else type(error).__name__}"
        ) from error


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise CheckpointError(f"no checkpoint folder {str(folder)!r}")
    for name in ("params.json", _TOKENIZER):
        if not (folder / name).is_file():
            raise CheckpointError(f"{name} is missing in {folder}")
    if not any(path.is_file() for path in folder.glob(_WEIGHTS)):
        raise CheckpointError(f"{_WEIGHTS} is missing in {folder}")


def _read_tokenizer(folder: Path) -> dict[str, Any]:
    """The content of `tekken.json`, which has an `audio` object."""
    path = folder / _TOKENIZER
    try:
        tokenizer = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    if not isinstance(tokenizer, dict) or not isinstance(tokenizer.get("audio"), dict):
        raise CheckpointError(f"{path} has no audio section: this is not a speech model")
    return tokenizer
