"""The scripts that run in pods, run here as the manifests have them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.helm.chart import CHART, Helm, Object, the
from voxtide.command.recording import Recording

SHA = "0" * 40
HUB = """
import os
from pathlib import Path

def snapshot_download(model, *, revision, local_dir, allow_patterns):
    for name in ("params.json", "tekken.json", "consolidated.safetensors", "model.safetensors"):
        if any(Path(name).match(pattern) for pattern in allow_patterns):
            Path(local_dir).mkdir(parents=True, exist_ok=True)
            (Path(local_dir) / name).write_text(f"{model} {revision} {os.environ.get('HF_HOME')}")
"""


def run(container: Object, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a container's command with its own variables and what there is in a folder."""
    own = {one["name"]: one["value"] for one in container["env"]}
    path = f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    here = {"PATH": path, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [*container["command"], *container["args"]],
        env={**own, **here, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_model_is_fetched_once(helm: Helm, tmp_path: Path) -> None:
    pod = the(helm.render({"tier": {"model": "o/m", "revision": SHA}}), "Deployment")
    (container,) = pod["spec"]["template"]["spec"]["initContainers"]
    (tmp_path / "huggingface_hub.py").write_text(HUB)
    models = tmp_path / "models"
    first = run(container, tmp_path, MODEL_FOLDER=str(models))
    assert first.returncode == 0, first.stderr
    names = {path.name for path in models.iterdir()}
    assert names == {"params.json", "tekken.json", "consolidated.safetensors", ".complete"}
    assert (models / "params.json").read_text() == f"o/m {SHA} /tmp/hub"
    (tmp_path / "huggingface_hub.py").write_text("def snapshot_download(*_, **__): 1 / 0")
    assert run(container, tmp_path, MODEL_FOLDER=str(models)).returncode == 0


def test_a_model_that_broke_off_is_fetched_again(helm: Helm, tmp_path: Path) -> None:
    (container,) = the(helm.render({}), "Deployment")["spec"]["template"]["spec"]["initContainers"]
    (tmp_path / "huggingface_hub.py").write_text("def snapshot_download(*_, **__): 1 / 0")
    models = tmp_path / "models"
    models.mkdir()
    assert run(container, tmp_path, MODEL_FOLDER=str(models)).returncode == 1
    assert not (models / ".complete").exists()


def test_pods_wait_for_the_job(helm: Helm, tmp_path: Path) -> None:
    values = {"modelCache": {"type": "claim", "job": True}, "tier": {"revision": SHA}}
    pod = the(helm.render(values), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["initContainers"]
    # In place of the pause: what the Job does meanwhile.
    sleep = tmp_path / "sleep"
    sleep.write_text(f"#!/bin/sh\ntouch {tmp_path}/.complete\n")
    sleep.chmod(0o755)
    done = run(container, tmp_path, MODEL_FOLDER=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"waiting for {tmp_path}\n")


@pytest.mark.parametrize(
    ("heard", "code"),
    [
        ("Please turn on the kitchen lights. Set the timer for 25 minutes. Please play the "
         "music. Yes, close the bedroom door, please.", 0),
        (Recording.bundled().text, 0),
        (Recording.bundled().text.replace("music", "news"), 1),
        ("", 1),
    ],
)  # fmt: skip
def test_the_test_looks_for_the_words_of_the_recording(
    helm: Helm, tmp_path: Path, heard: str, code: int
) -> None:
    (container,) = the(helm.render({}), "Pod")["spec"]["containers"]
    voxtide = tmp_path / "voxtide"  # says what a server would have heard of a file that is there
    voxtide.write_text(f'#!/bin/sh\n[ "$1" = stream ] && [ -f "$2" ] && echo "{heard}"\n')
    voxtide.chmod(0o755)
    done = run(container, tmp_path)
    assert done.returncode == code, done.stderr
    assert ("not heard" in done.stderr) == bool(code)


def test_the_test_fails_where_the_server_does(helm: Helm, tmp_path: Path) -> None:
    (container,) = the(helm.render({}), "Pod")["spec"]["containers"]
    voxtide = tmp_path / "voxtide"
    voxtide.write_text("#!/bin/sh\nexit 3\n")
    voxtide.chmod(0o755)
    assert run(container, tmp_path).returncode == 3


@pytest.mark.integration
def test_the_test_hears_the_words_of_a_real_server(
    helm: Helm, tmp_path: Path, server: Server
) -> None:
    (container,) = the(helm.render({}), "Pod")["spec"]["containers"]
    done = run(container, tmp_path, VOXTIDE_BASE_URL=server.base_url)
    assert done.returncode == 0, done.stderr


def test_scripts_are_in_the_chart(helm: Helm) -> None:
    """A script that Helm cannot read would be an empty command."""
    for name in ("fetch.py", "await.sh", "words.sh"):
        assert (CHART / "files" / name).stat().st_size > 100
