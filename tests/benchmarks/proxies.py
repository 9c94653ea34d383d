"""Where real nginx and HAProxy send sessions: past a replica that refuses, and after a reload.

    python -m tests.benchmarks.proxies

prints what docs/kubernetes.md (Balancing) says. Stand-ins for the servers accept a
WebSocket or refuse it as a full one does; nginx and haproxy are those on the PATH.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response

NGINX = """daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream tier {{ zone tier 256k; least_conn; server 127.0.0.1:{a}; server 127.0.0.1:{b}; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://tier; proxy_http_version 1.1; {more}
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }}
  }}
}}
"""
HAPROXY = """defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  timeout tunnel 1h
frontend edge
  bind 127.0.0.1:{port}
  default_backend tier
backend tier
  balance leastconn
{more}
  server a 127.0.0.1:{a}
  server b 127.0.0.1:{b}
"""
COMMANDS = {NGINX: ["nginx", "-c"], HAPROXY: ["haproxy", "-db", "-f"]}
# As in helm/voxtide/ci/.
RETRIES = {
    NGINX: "proxy_next_upstream error timeout http_503;",
    HAPROXY: "  retry-on conn-failure 503\n  retries 2\n  option redispatch 1",
}
TRIES = 10


def _refuse(connection: ServerConnection, request: Request) -> Response:
    return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "full\n")


@asynccontextmanager
async def _proxy(config: str, more: str, a: Server, b: Server) -> AsyncIterator[_Proxy]:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        ports = {"a": _port(a), "b": _port(b), "port": port}
        file = Path(folder) / "config"
        file.write_text(config.format(folder=folder, more=more, **ports))
        process = _start(COMMANDS[config], file)
        try:
            await asyncio.sleep(1)
            yield _Proxy(f"ws://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait()


def _start(command: list[str], file: Path) -> subprocess.Popen[bytes]:
    program, *flags = command
    return subprocess.Popen([shutil.which(program) or program, *flags, str(file)])


class _Proxy:
    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self._url, self._process = url, process

    async def open(self) -> tuple[str, ClientConnection]:
        """A session, and the name of who took it."""
        session = await connect(self._url)
        return str(await session.recv()), session

    async def reload(self) -> None:
        """Have nginx read its configuration again."""
        self._process.send_signal(signal.SIGHUP)
        await asyncio.sleep(1)


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


def _replica(name: str, **options: object) -> serve:
    async def session(connection: ServerConnection) -> None:
        await connection.send(name)
        await connection.wait_closed()

    return serve(session, "127.0.0.1", 0, **options)  # type: ignore[arg-type]


async def past_a_full_one(config: str, more: str) -> int:
    """How many of ten sessions get in, where one of two replicas refuses all."""
    opened = []
    async with (
        _replica("full", process_request=_refuse) as full,
        _replica("free") as free,
        _proxy(config, more, full, free) as proxy,
    ):
        for _ in range(TRIES):
            try:
                opened.append(await proxy.open())
            except InvalidStatus:
                continue
    return len(opened)


async def after_a_reload() -> tuple[Counter[str], Counter[str]]:
    """Who gets the next two sessions beside three of a's and none of b's; and so after a reload."""
    async with _replica("a") as a, _replica("b") as b, _proxy(NGINX, "", a, b) as proxy:
        opened = [await proxy.open() for _ in range(6)]
        for name, session in opened:
            if name == "b":
                await session.close()
        before = [await proxy.open() for _ in range(2)]
        for _, session in before:
            await session.close()
        await proxy.reload()
        after = [await proxy.open() for _ in range(4)]
    return Counter(name for name, _ in before), Counter(name for name, _ in after)


async def main() -> None:
    """Print both."""
    for name, config in (("nginx", NGINX), ("haproxy", HAPROXY)):
        for retry, more in (("least connections", ""), ("and a retry", RETRIES[config])):
            inside = await past_a_full_one(config, more)
            print(f"{name}, {retry}: {inside} of {TRIES} sessions got in")
    before, after = await after_a_reload()
    print(f"nginx, a has 3 sessions: the next 2 {dict(before)}; after a reload, 4 {dict(after)}")


if __name__ == "__main__":
    asyncio.run(main())
