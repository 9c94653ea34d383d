"""A stand-in for vLLM's processes where only starting and stopping matters.

Run as `python health_server.py PORT [WORD ...]`: it starts a second process, as
vLLM starts its engine, and then answers `GET /health`. The words change that:

    broken      ends with code 3 before it answers
    silent      never answers
    short       ends with code 0 half a second after it answers
    stubborn    does not end on SIGTERM
    busy        has sessions that never end
    finishing   has sessions that end a second after it is asked to drain
"""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

port, *words = sys.argv[1:]
engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if "broken" in words:
    print("the reason", flush=True)
    os._exit(3)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests read what is printed."""


def stop(*_: object) -> None:
    print("asked to stop", flush=True)
    if "stubborn" not in words:
        engine.kill()
        os._exit(0)


def drain(mark: Path) -> None:
    while not (mark.parent / "drain").exists():
        time.sleep(0.02)
    print("asked to drain", flush=True)
    if "finishing" in words:
        time.sleep(1)
        print("finished", flush=True)
        mark.unlink()


if {"busy", "finishing"} & set(words):
    mark = Path(os.environ["VOXTIDE_RUN_FOLDER"]) / "server-1"
    mark.touch()
    threading.Thread(target=drain, args=(mark,), daemon=True).start()
signal.signal(signal.SIGTERM, stop)
if "silent" in words:
    signal.pause()
server = http.server.HTTPServer(("127.0.0.1", int(port)), Handler)
if "short" in words:
    threading.Timer(0.5, os._exit, [0]).start()
server.serve_forever()
