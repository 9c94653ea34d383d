"""deploy/Dockerfile, as a parser reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """From one FROM to the next: its base, and its instructions with what they are given."""

    base: str
    instructions: list[tuple[str, str]]

    def given(self, instruction: str) -> list[str]:
        """What each instruction of a kind is given."""
        return [value for name, value in self.instructions if name == instruction]


@dataclass(frozen=True)
class Image:
    """What the last stage says about running it."""

    entrypoint: list[str]
    command: list[str]
    env: dict[str, str]
    user: str
    volumes: list[str]
    health: list[str]
    labels: dict[str, str]


@cache
def stages() -> dict[str, Stage]:
    """All stages by name."""
    found: dict[str, Stage] = {}
    for entry in _parser().structure:
        name, value = entry["instruction"], entry["value"]
        if name == "FROM":
            base, _, stage = value.partition(" AS ")
            found[stage] = Stage(base, [])
        elif found and name != "COMMENT":
            list(found.values())[-1].instructions.append((name, value))
    return found


@cache
def image() -> Image:
    """What a container of the image gets."""
    last = list(stages().values())[-1]
    (entrypoint,), (command,) = last.given("ENTRYPOINT"), last.given("CMD")
    (user,), (volumes,), (health,) = (last.given(n) for n in ("USER", "VOLUME", "HEALTHCHECK"))
    return Image(
        entrypoint=json.loads(entrypoint),
        command=json.loads(command),
        env=dict(_parser().envs),
        user=user,
        volumes=json.loads(volumes),
        health=json.loads(health.partition("CMD ")[2]),
        labels=dict(_parser().labels),
    )


def context() -> set[str]:
    """The files that .dockerignore lets into a build, by their paths in the repository.

    Docker adds the Dockerfile and .dockerignore itself; they are not among them.
    """
    ignore, own = ROOT / ".dockerignore", str(FILE.relative_to(ROOT))
    lines = ignore.read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    paths = exclude_paths(str(ROOT), patterns, dockerfile=own)
    return {path for path in paths if (ROOT / path).is_file()} - {ignore.name, own}


def _parser() -> DockerfileParser:
    return DockerfileParser(str(FILE))
