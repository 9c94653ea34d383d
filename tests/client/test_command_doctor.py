"""`voxtide doctor`, against servers that tell much, little and nothing."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from email.utils import formatdate

import httpx
import pytest
from click.testing import CliRunner

from voxtide.command import main
from voxtide.command.probe_http import _clock_ahead

from .fake_service import said, say, service
from .fakes import in_thread

METRICS = """\
# HELP voxtide_sessions Live sessions that are open.
voxtide_sessions{dialect="openai"} 2.0
voxtide_sessions{dialect="vllm"} 1.0
voxtide_sessions_capacity 8.0
voxtide_build_info{version="0.1.0",vllm="0.32.0"} 1.0
"""
VOXTIDE_PAGES = {
    "/health/ready": '{"status": "ready"}',
    "/health": "",
    "/version": '{"version": "0.32.0"}',
    "/metrics": METRICS,
    "/v1/models": '{"data": [{"id": "nano"}, {"id": "nano-realtime"}]}',
}


async def openai(connection):
    delay = {"audio": {"input": {"transcription": {"delay_ms": 480}}}}
    await say(connection, type="session.created", session=delay)
    update = await said(connection)
    assert update["type"] == "session.update"
    await say(connection, type="session.updated", session=update["session"])


async def mistral(connection):
    session = {"audio_format": {}, "target_streaming_delay_ms": 480}
    await say(connection, type="session.created", session=session)


async def vllm(connection):
    """Stock vLLM and voxtide alike: voxtide's dialect is settled by the first good message."""
    await say(connection, type="session.created", id="sess-1", created=1)
    assert await said(connection) == {"type": "session.update", "model": "nano"}
    await said(connection)
    await say(connection, type="error", error="Unknown event type", code="unknown_event")


OPENAI_PATH = "/v1/realtime?intent=transcription"
MISTRAL_PATH = "/v1/audio/transcriptions/realtime"
VLLM_PATH = "/v1/realtime"
VOXTIDE_TALKS = {OPENAI_PATH: openai, MISTRAL_PATH: mistral, VLLM_PATH: vllm}


def examined(pages, talks, *arguments, key=None, own_key=None):
    """The result of the command."""
    with in_thread(service(pages, talks, key)) as url:
        line = ["doctor", "--base-url", url, "--timeout", "10", *arguments]
        return CliRunner().invoke(main, line, env={"VOXTIDE_API_KEY": own_key})


def found(*arguments, **options):
    result = examined(*arguments, "--json", **options)
    return result.exit_code, json.loads(result.stdout)


def test_all_that_voxtide_tells_is_told():
    code, told = found(VOXTIDE_PAGES, VOXTIDE_TALKS)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    assert (told["server"], told["status"]) == ("voxtide", "ready")
    assert told["versions"] == {"voxtide": "0.1.0", "vllm": "0.32.0"}
    assert told["models"] == ["nano", "nano-realtime"]
    assert told["delay_ms"] == 480
    assert told["sessions"] == {"open": 3, "capacity": 8, "room": 5}
    assert told["key"] == "not asked for"
    answers = {"answers": True, "why": None}
    assert told["dialects"] == {"openai": answers, "mistral": answers, "vllm": answers}
    assert abs(told["clock_ahead_s"]) < 60
    assert told["http_round_trip_ms"] > 0
    assert told["websocket_round_trip_ms"] > 0


def test_stock_vllm_is_well_and_much_of_it_unknown():
    pages = {name: VOXTIDE_PAGES[name] for name in ("/health", "/version", "/v1/models")}
    code, told = found(pages, {OPENAI_PATH: vllm, VLLM_PATH: vllm})
    assert (code, told["problems"]) == (0, [])
    assert (told["server"], told["status"]) == ("vllm", "running")
    assert told["versions"] == {"voxtide": None, "vllm": "0.32.0"}
    spoken = {name: dialect["answers"] for name, dialect in told["dialects"].items()}
    assert spoken == {"openai": False, "mistral": False, "vllm": True}
    assert told["dialects"]["mistral"]["why"] == "HTTP 404"
    assert told["delay_ms"] is None
    assert told["sessions"] == {"open": None, "capacity": None, "room": None}


def test_a_server_with_files_alone_is_well():
    code, told = found({"/v1/models": VOXTIDE_PAGES["/v1/models"]}, {})
    assert (code, told["problems"], told["server"], told["status"]) == (0, [], None, None)


def test_a_server_that_answers_everything_with_a_page_is_not_believed():
    pages = dict.fromkeys(VOXTIDE_PAGES, "<html>\nwelcome to 1.2.3\nvoxtide_sessions many\n")
    code, told = found(pages, {})
    assert (code, told["server"], told["models"]) == (0, None, None)
    assert told["sessions"] == {"open": None, "capacity": None, "room": None}


@pytest.mark.parametrize("status", ["starting", "draining", "full", "engine_dead"])
def test_a_server_that_is_not_ready_is_a_problem(status):
    pages = VOXTIDE_PAGES | {"/health/ready": (503, json.dumps({"status": status}))}
    code, told = found(pages, VOXTIDE_TALKS)
    assert (code, told["ok"], told["status"]) == (1, False, status)
    assert told["problems"] == [f"the server is not ready: {status}"]


def test_vllm_without_its_engine_is_a_problem():
    pages = {"/health": (503, ""), "/version": VOXTIDE_PAGES["/version"]}
    code, told = found(pages, {})
    assert (code, told["status"]) == (1, "engine_dead")


@pytest.mark.parametrize(
    ("own_key", "key", "code"),
    [("right", "accepted", 0), ("wrong", "refused", 1), (None, "refused", 1)],
)
def test_the_key_is_tried(own_key, key, code):
    result, told = found(VOXTIDE_PAGES, VOXTIDE_TALKS, key="right", own_key=own_key)
    assert (result, told["key"]) == (code, key)


def test_a_key_that_nobody_asks_for_is_said_to_be_that():
    assert found(VOXTIDE_PAGES, VOXTIDE_TALKS, own_key="any")[1]["key"] == "not asked for"


def test_a_dialect_that_voxtide_does_not_answer_is_a_problem():
    async def mute(connection):
        await say(connection, type="weather.changed")

    code, told = found(VOXTIDE_PAGES, VOXTIDE_TALKS | {MISTRAL_PATH: mute})
    assert code == 1
    assert told["problems"] == ["the mistral dialect does not answer: it said weather.changed"]


def test_a_dialect_that_says_nothing_is_unknown():
    async def silent(connection):
        await asyncio.sleep(0)

    with in_thread(service(VOXTIDE_PAGES, VOXTIDE_TALKS | {VLLM_PATH: silent})) as url:
        line = ["doctor", "--json", "--base-url", url, "--timeout", "1"]
        told = json.loads(CliRunner().invoke(main, line).stdout)
    assert told["dialects"]["vllm"] == {"answers": None, "why": "no answer in time"}


def test_no_server_is_3():
    line = ["doctor", "--json", "--base-url", "http://127.0.0.1:9/v1"]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["ok"] is False
    assert "connection refused" in result.stderr


def test_people_get_lines_and_what_is_not_told_is_unknown():
    result = examined(VOXTIDE_PAGES, {OPENAI_PATH: openai})
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert lines["models"] == "nano, nano-realtime"
    assert lines["delay"] == "480 ms"
    assert lines["sessions"] == "3 of 8"
    assert "dialect vllm    not spoken (HTTP 404)" in result.stdout
    bare = examined({}, {}).stdout
    assert "delay           unknown\n" in bare
    assert "\x1b" not in result.stdout + bare


def test_a_terminal_gets_a_table():
    with in_thread(service(VOXTIDE_PAGES, VOXTIDE_TALKS)) as url:
        terminal, end = pty.openpty()
        line = [sys.executable, "-m", "voxtide", "doctor", "--base-url", url]
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
        assert subprocess.run(line, stdout=end, env=environment, timeout=60).returncode == 0
        os.close(end)
        seen = os.read(terminal, 65536).decode()
        os.close(terminal)
    assert "\x1b[1m" in seen
    assert "nano-realtime" in seen


@pytest.mark.parametrize("made_s", [1000.0, 1000.999])
@pytest.mark.parametrize("stale_s", [0.0, 0.999])
def test_a_clock_is_right_to_a_second_though_uvicorns_date_is_old(
    made_s: float, stale_s: float
) -> None:
    """uvicorn makes its Date once a second; a Date has no fraction of a second."""
    answer = httpx.Response(200, headers={"date": formatdate(made_s, usegmt=True)})
    ahead = _clock_ahead(answer, made_s + stale_s)
    assert ahead is not None
    assert abs(ahead) <= 1
