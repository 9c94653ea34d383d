"""The lines of deploy/Dockerfile, run as far as they can be without its base images.

What the image adds to them, its user, environment and writable folders are the Dockerfile's;
vLLM is the one that the tests have.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy.dockerfile import ROOT, context, image, stages
from tests.integration.container import Running, container

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="a root file system of one's own takes root"),
]

# Where the tests' own environment has its packages, vLLM among them.
PACKAGES = [path for path in sys.path if path.endswith("-packages")]
COMPOSE = ROOT / "deploy" / "compose.yaml"
WORDS = ROOT / "helm" / "voxtide" / "files" / "words.sh"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stages `wheel` and `cpu` install, beside the vLLM that the tests have.

    Of the context alone, and with no way to the sources here.
    """
    folder = tmp_path_factory.mktemp("image")
    for path in context():
        target = folder / "source" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
    venv.create(folder / "env", with_pip=True)
    (site,) = folder.glob("env/lib/python3*/site-packages")
    (site / "outer.pth").write_text("\n".join(PACKAGES))
    lines = [line for name in ("wheel", "cpu") for line in stages()[name].given("RUN")]
    for line in (line for line in lines if "pip" in line):  # Debian's packages are not for here
        subprocess.run(
            ["sh", "-c", line.replace("/wheel", f"{folder}/wheel")],
            cwd=folder / "source",
            env={**os.environ, "PATH": f"{folder}/env/bin:{os.environ['PATH']}", "PYTHONPATH": ""},
            check=True,
        )
    return folder / "env"


@pytest.fixture(scope="module")
def started(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A container with what compose.yaml gives the service `nano`, not yet ready."""
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["nano"]
    programs = [sys.base_prefix, *PACKAGES, str(environment)]
    with container(
        [*image().entrypoint, *service["command"]],
        user=image().user,
        env={"PATH": f"{environment}/bin:/usr/bin:/bin", **image().env, **service["environment"]},
        writable=[*image().volumes, "/dev/shm"],
        programs=programs,
        folder=tmp_path_factory.mktemp("container"),
    ) as running:
        yield running


def test_it_serves_as_a_user_without_rights_and_ends_in_good_order(started: Running) -> None:
    early = started.execute(*image().health)
    assert early.returncode == 1, early.stderr  # nobody answers yet
    ready = started.line()
    assert ready == "voxtide ready: http://0.0.0.0:8000/v1 (model nano, delay 480 ms)\n", (
        started.log.read_text()[-4000:]
    )
    well = started.execute(*image().health)
    assert well.returncode == 0, well.stderr

    who = started.execute("sh", "-c", "id -u; cat /proc/1/comm; touch /usr/x /etc/x /x 2>&1")
    assert who.stdout.split()[:2] == [image().user.split(":")[0], "voxtide"]
    assert who.stdout.count("Read-only file system") == 3

    heard = started.execute("sh", "-c", WORDS.read_text(encoding="utf-8"))
    assert heard.returncode == 0, heard.stderr

    drained = started.execute("voxtide", "drain", "--host", "0.0.0.0", "--port", "8000")
    # With process 1 ends whatever else runs in the container, mostly this command too.
    assert drained.returncode in (0, -signal.SIGKILL), drained.stderr
    assert started.process.wait(60) == 0, started.log.read_text()[-4000:]


def test_the_wheel_is_what_runs(environment: Path) -> None:
    """Not the sources of this checkout."""
    program = "import voxtide, voxtide_server; print(voxtide.__file__, voxtide_server.__file__)"
    command = [environment / "bin" / "python3", "-c", program]
    told = subprocess.check_output(command, text=True, cwd="/", env={"PATH": "/usr/bin:/bin"})
    assert all(path.startswith(str(environment)) for path in told.split())
