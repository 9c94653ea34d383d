"""Real nginx and HAProxy before several servers, with the files of deploy/edge."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EDGE = Path(__file__).parents[2] / "deploy" / "edge"


class Edge:
    """A running proxy.

    Attributes:
        name: nginx or haproxy.
        base_url: with `/v1`.
    """

    def __init__(self, name: str, address: str, file: Path, process: subprocess.Popen[bytes]):
        self.name = name
        self.base_url = f"http://{address}/v1"
        self.host = address
        self._file = file
        self._process = process

    def route(self, addresses: list[str]) -> None:
        """Send new connections to these servers alone; only nginx has to be told."""
        assert self.name == "nginx"
        self._file.write_text(_listing(self._file.read_text(), addresses))
        self._process.send_signal(signal.SIGHUP)


def _listing(text: str, addresses: list[str]) -> str:
    """A file of nginx's or HAProxy's with other servers."""
    line = re.compile(r"^( *server (?:\w+ )?)127\.0\.0\.1:\d+(.*)$", re.MULTILINE)
    first = line.search(text)
    assert first, "the file names no servers"
    names = [first[1].replace(" a ", f" s{n} ") for n in range(len(addresses))]
    lines = [f"{name}{one}{first[2]}" for name, one in zip(names, addresses, strict=True)]
    return text[: first.start()] + "\n".join(lines) + line.sub("", text[first.end() :])


@contextmanager
def running(name: str, folder: Path, port: int, servers: list[str]) -> Iterator[Edge]:
    """nginx or haproxy on a port of loopback, before servers."""
    binary = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if binary is None:
        pytest.fail(f"{name} is not installed; `make test` installs it")
    suffix = {"nginx": "conf", "haproxy": "cfg"}[name]
    text = _listing((EDGE / f"{name}.{suffix}").read_text(), servers)
    file = folder / f"{name}.{suffix}"
    file.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    if name == "nginx":
        # Debian's are root's.
        kinds = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
        temporary = "".join(f"\n  {kind}_temp_path {folder}/{kind};" for kind in kinds)
        file.write_text(file.read_text().replace("http {", "http {" + temporary))
        own = "user root;" if os.getuid() == 0 else ""  # the folder is nobody else's
        settings = f"daemon off; pid {folder}/nginx.pid; {own}"
        command = [binary, "-p", str(folder), "-c", str(file), "-g", settings]
    else:
        command = [binary, "-f", str(file)]
    process = subprocess.Popen(command)
    try:
        _answering(port)
        yield Edge(name, f"127.0.0.1:{port}", file, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answering(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nobody listens on port {port}")
