"""The chart, and what Helm makes of it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm" / "voxtide"
CI = sorted((CHART / "ci").glob("*-values.yaml"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

Object = dict[str, Any]


class RenderError(Exception):
    """Helm refused the values; the text is what it says."""


@dataclass(frozen=True)
class Helm:
    """A Helm binary, and the chart or an archive of it."""

    binary: Path
    chart: Path = CHART

    def run(self, *args: str, stdin: str | None = None) -> str:
        """What a command prints.

        Raises:
            RenderError: it failed.
        """
        done = subprocess.run(
            [self.binary, *args], input=stdin, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise RenderError(done.stderr)
        return done.stdout

    def text(self, values: Mapping[str, Any] | Path, *flags: str) -> str:
        """All manifests, rendered with values or a file of them."""
        as_file = isinstance(values, Path)
        given = values.read_text(encoding="utf-8") if as_file else yaml.safe_dump(dict(values))
        return _rendered(self, given, *flags)

    def render(self, values: Mapping[str, Any] | Path, *flags: str) -> list[Object]:
        """All objects, rendered with values or a file of them."""
        loaded = yaml.load_all(self.text(values, *flags), yaml.CSafeLoader)
        return [one for one in loaded if one is not None]


@cache  # Helm takes longer than all else, and many tests ask for the same
def _rendered(helm: Helm, values: str, *flags: str) -> str:
    where = ("--namespace", "talk", "--kube-version", "1.37.0")
    return helm.run("template", "speech", str(helm.chart), "-f", "-", *where, *flags, stdin=values)


def of_kind(objects: list[Object], kind: str, name: str | None = None) -> list[Object]:
    """Objects of a kind, and of a name if one is given."""
    return [
        one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])
    ]


def the(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """The only object of a kind, and of a name if one is given."""
    (found,) = of_kind(objects, kind, name)
    return found


def pod_specs(objects: list[Object]) -> list[Object]:
    """The specs of all pods that the objects make."""
    made = [
        one["spec"]["template"]["spec"] for one in objects if one["kind"] in ("Deployment", "Job")
    ]
    return made + [one["spec"] for one in of_kind(objects, "Pod")]


def server_of(deployment: Object) -> Object:
    """The container that serves."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def settings(objects: list[Object], name: str) -> dict[str, Any]:
    """The configuration of a variant, by the name of its Deployment."""
    return dict(yaml.safe_load(the(objects, "ConfigMap", name)["data"]["config.yaml"]))
