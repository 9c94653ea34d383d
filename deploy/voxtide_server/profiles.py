"""Profiles: what vLLM is told on a kind of machine.

A profile is a YAML file in `profiles/`:

    device: cpu | cuda
    gpus: [A100 80GB]    # which GPUs it is for: those with all these words in their name
    env: {NAME: value}   # environment variables; those that are set already win
    flags:               # vLLM flags without their dashes; a flag after `--` wins
      max-model-len: 8192
      enforce-eager: true
      enable-prefix-caching: false         # becomes --no-enable-prefix-caching
      compilation-config: {mode: 3}        # becomes JSON
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .machine import Device
from .start_errors import UsageError

FOLDER = Path(__file__).parent / "profiles"
CPU = "cpu"
ANY_GPU = "gpu"
"""The profile for a GPU that has none of its own."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What vLLM is told on one kind of machine."""

    name: str
    device: Device
    gpus: tuple[frozenset[str], ...]
    env: dict[str, str]
    flags: dict[str, Any]

    def arguments(self) -> list[str]:
        """The flags as vLLM's command line takes them."""
        return [part for flag, value in self.flags.items() for part in _argument(flag, value)]

    def fits(self, gpu: str) -> bool:
        """Whether this profile is for the GPU of that name."""
        words = set(re.findall(r"\w+", gpu.upper()))
        return any(wanted <= words for wanted in self.gpus)


def names() -> list[str]:
    """Names of all profiles, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Profile:
    """Read a profile.

    Raises:
        UsageError: there is none of that name; the text lists those that there are.
    """
    if name not in names():
        raise UsageError(f"no profile {name!r}: there are {', '.join(names())}")
    data = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Profile(
        name=name,
        device=data["device"],
        gpus=tuple(frozenset(words.split()) for words in data.get("gpus", [])),
        env={key: str(value) for key, value in data.get("env", {}).items()},
        flags=data["flags"],
    )


def for_gpu(gpu: str) -> Profile:
    """The profile for a GPU by its name, the general one where none fits."""
    found = (profile for profile in map(load, names()) if profile.fits(gpu))
    return next(found, None) or load(ANY_GPU)


def _argument(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", json.dumps(value) if isinstance(value, dict) else str(value)]
