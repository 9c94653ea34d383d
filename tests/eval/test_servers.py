"""Starting and ending servers; real ones are in the integration test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from voxtide_eval import servers
from voxtide_eval.servers import ServerFailed, Start, started

SERVING = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_{how})
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Healthy).serve_forever()
"""


def serving(port: int, how: str, log: Path) -> int:
    """Run a server to its end; the process that it had started itself."""
    command = [sys.executable, "-c", SERVING.format(port=port, how=how)]
    health = f"http://127.0.0.1:{port}/health"
    with servers._running(command, os.environ, health, log):
        child = int(log.read_text().split()[1])
        assert psutil.pid_exists(child)
    return child


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("how", ["DFL", "IGN"])
def test_nothing_is_left_of_a_server(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_STOP_S", 0.5)
    child = serving(servers._free_port(), how, tmp_path / "server.log")
    psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=20)
    assert not alive(child)


def test_a_server_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    start = Start("org/nano", 480, arguments=("--no-such-flag",))
    told = r"exit code 2[\s\S]*--no-such-flag"
    with pytest.raises(ServerFailed, match=told), started(start, tmp_path):
        pass
    assert "--no-such-flag" in (tmp_path / "voxtide-nano-480ms.log").read_text()


def test_a_model_that_stock_vllm_cannot_have_is_told(tmp_path: Path) -> None:
    start = Start("/nowhere/at-all", stock=True)
    with pytest.raises(ServerFailed, match="nowhere"), started(start, tmp_path):
        pass


def test_logs_tell_the_servers_of_a_sweep_apart() -> None:
    starts = [Start("org/big", 240), Start("org/big", 480), Start("org/big", 480, stock=True)]
    names = [start.name for start in starts]
    assert names == ["voxtide-big-240ms", "voxtide-big-480ms", "stock-big-480ms"]
    assert Start("nano").name == "voxtide-nano-own"
