"""`voxtide transcribe`."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from voxtide.command import main

from . import fakes


def answer(form):
    """Says which file it got in which format; a file named bad is refused."""
    if form.filename.startswith("bad"):
        return 400, '{"error": {"message": "This is no audio.", "param": "file"}}'
    return 200, f"{form.filename} as {dict(form.fields)['response_format']}\n"


@pytest.fixture
def fake():
    with fakes.in_thread(fakes.files(answer)) as server:
        yield server


@pytest.fixture
def run(fake, tmp_path, monkeypatch):
    """Run the command in a folder with three files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOXTIDE_BASE_URL", fake.base_url)
    for name in ("a.wav", "b.wav", "bad.wav"):
        (tmp_path / name).write_bytes(b"sound")
    return lambda *arguments: CliRunner().invoke(main, ["transcribe", *arguments])


def test_outputs_come_in_the_order_of_the_files(run):
    result = run("b.wav", "a.wav")
    assert (result.exit_code, result.stdout) == (0, "b.wav as text\na.wav as text\n")


@pytest.mark.parametrize("name", ["text", "json", "verbose_json", "srt", "vtt"])
def test_every_format_is_asked_of_the_server(run, name):
    assert run("a.wav", "--format", name).stdout == f"a.wav as {name}\n"


def test_one_file_goes_to_the_output(run, tmp_path):
    result = run("a.wav", "--format", "srt", "-o", "new/talk.srt")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "new/talk.srt").read_text() == "a.wav as srt\n"


@pytest.mark.parametrize("files", [["a.wav"], ["a.wav", "b.wav"]])
def test_a_folder_gets_a_file_for_each(run, tmp_path, files):
    assert run(*files, "--format", "vtt", "-o", "out/").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [name.replace("wav", "vtt") for name in files]


def test_a_failing_file_does_not_stop_the_others(run):
    result = run("bad.wav", "none.wav", "a.wav")
    assert result.exit_code == 1
    assert result.stdout == "a.wav as text\n"
    bad, none = sorted(result.stderr.splitlines())
    assert bad == "Error: bad.wav: This is no audio. (field: file)"
    assert none.startswith("Error: none.wav: ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ["a.wav", "sub/a.wav", "-o", "out/"],
            "a.wav and sub/a.wav would both be written to out/a.txt",
        ),
        (["a.wav", "b.wav", "-o", "bad.wav"], "is a file"),
    ],
)
def test_outputs_that_would_overwrite_each_other_are_wrong_usage(run, fake, arguments, why):
    result = run(*arguments)
    assert result.exit_code == 2
    assert why in result.stderr
    assert fake.forms == []


@pytest.fixture
def folder(tmp_path):
    """A folder with audio at two depths, and other files."""
    for name in ("one.wav", "deep/two.MP4", "notes.txt", ".hidden.wav", ".git/three.wav"):
        path = tmp_path / "talks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return tmp_path / "talks"


def written(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_a_folder_is_searched_for_audio_and_keeps_its_shape(run, folder, tmp_path):
    assert run("talks", "-o", "out/").exit_code == 0
    assert written(tmp_path / "out") == ["deep/two.txt", "one.txt"]


def test_a_quoted_pattern_is_a_pattern(run, folder):
    result = run("talks/**/*.wav", "[ab].wav")
    assert (result.exit_code, result.stdout.split(" as text\n")[:-1]) == (
        0,
        ["one.wav", "a.wav", "b.wav"],
    )


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(run, tmp_path):
    (tmp_path / "talk[1].wav").write_bytes(b"sound")
    assert run("talk[1].wav").stdout == "talk[1].wav as text\n"


def test_a_file_that_is_named_twice_is_sent_once(run, fake, tmp_path):
    run("a.wav", "./a.wav", "a*.wav", (tmp_path / "a.wav").as_uri())
    assert len(fake.forms) == 1


@pytest.mark.parametrize("argument", ["none*.wav", "empty", "https://example.org/a.wav"])
def test_what_means_no_file_is_wrong_usage(run, fake, tmp_path, argument):
    (tmp_path / "empty").mkdir()
    result = run("a.wav", argument)
    assert result.exit_code == 2
    assert argument in result.stderr
    assert fake.forms == []


def test_names_are_sent_along(run, fake):
    run("a.wav", "--model", "nano", "--language", "en")
    fields = dict(fake.forms[0].fields)
    assert (fields["model"], fields["language"]) == ("nano", "en")


def test_outputs_that_are_there_are_left_in_a_folder(run, fake, tmp_path):
    run("a.wav", "b.wav", "-o", "out/")
    assert len(fake.forms) == 2
    (tmp_path / "out/a.txt").write_text("mine")
    run("a.wav", "b.wav", "-o", "out/")
    assert len(fake.forms) == 2
    assert (tmp_path / "out/a.txt").read_text() == "mine"
    run("a.wav", "b.wav", "-o", "out/", "--force")
    assert len(fake.forms) == 4
    assert (tmp_path / "out/a.txt").read_text() == "a.wav as text\n"


def test_an_output_that_is_older_or_empty_is_written_anew(run, fake, tmp_path):
    run("a.wav", "b.wav", "-o", "out/")
    later = (tmp_path / "out/a.txt").stat().st_mtime + 10
    os.utime(tmp_path / "a.wav", (later, later))
    (tmp_path / "out/b.txt").write_bytes(b"")
    run("a.wav", "b.wav", "-o", "out/")
    assert len(fake.forms) == 4
    assert (tmp_path / "out/b.txt").read_text() == "b.wav as text\n"


def test_a_single_output_is_always_written(run, tmp_path):
    (tmp_path / "talk.txt").write_text("old")
    run("a.wav", "-o", "talk.txt")
    assert (tmp_path / "talk.txt").read_text() == "a.wav as text\n"


def test_machines_get_a_line_for_each_file(run):
    run("b.wav", "-o", "out/")
    result = run("a.wav", "b.wav", "bad.wav", "none.wav", "-o", "out/", "--json")
    lines = {line["file"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert (result.exit_code, result.stderr) == (1, "")
    assert lines["a.wav"] == {"file": "a.wav", "status": "done", "output": "out/a.txt"}
    assert lines["b.wav"] == {"file": "b.wav", "status": "skipped", "output": "out/b.txt"}
    assert lines["bad.wav"]["error"] == {
        "code": "rejected",
        "message": "This is no audio. (field: file)",
    }
    assert lines["none.wav"]["status"] == "failed"
    assert lines["none.wav"]["error"]["code"] == "unreadable_file"


def test_without_an_output_machines_get_the_result_in_the_line(run):
    line = json.loads(run("a.wav", "--json").stdout)
    assert line == {"file": "a.wav", "status": "done", "result": "a.wav as text\n"}


def test_an_unreachable_server_stops_it_and_what_is_done_is_said(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(b"sound")
    url = "http://127.0.0.1:9/v1"
    arguments = ["transcribe", str(tmp_path), "-j", "1", "--retries", "0", "--base-url", url]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 3
    stopped, error = result.stderr.splitlines()
    assert stopped == "Stopped: 0 done, 0 skipped, 0 failed of 3 files."
    assert error.startswith("Error: cannot reach")


def test_as_many_files_as_jobs_are_at_the_server_at_once(tmp_path):
    for name in "abcdef":
        (tmp_path / f"{name}.wav").write_bytes(b"sound")
    together = Together(3)
    with fakes.in_thread(fakes.files(together)) as fake:
        arguments = ["transcribe", str(tmp_path), "-j", "3", "--base-url", fake.base_url]
        result = CliRunner().invoke(main, [*arguments, "--retries", "0"])
    assert result.exit_code == 0
    assert result.stdout == "".join(f"{name}.wav\n" for name in "abcdef")


def test_ctrl_c_says_what_is_done_and_leaves_no_half_file(tmp_path):
    for name in ("a", "b", "slow"):
        (tmp_path / f"{name}.wav").write_bytes(b"sound")

    def answer(form):
        return fakes.STALL if form.filename == "slow.wav" else (200, "seven")

    out = tmp_path / "out"
    arguments = (str(tmp_path), "-o", f"{out}/", "-j", "2")
    with fakes.in_thread(fakes.files(answer)) as fake, started(fake, *arguments) as process:
        fakes.wait_until(lambda: len(fake.forms) == 3 and len(list(out.glob("*"))) == 2)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == b""
    assert stderr == b"Interrupted: 2 done, 0 skipped, 0 failed of 3 files.\n"
    assert written(out) == ["a.txt", "b.txt"]


def test_a_terminal_sees_how_far_it_is_and_a_pipe_sees_nothing(tmp_path):
    (tmp_path / "talk.wav").write_bytes(b"sound")
    with fakes.in_thread(fakes.files(lambda form: fakes.STALL)) as fake:
        terminal, end = pty.openpty()
        seen = Reader(terminal)
        with started(fake, str(tmp_path / "talk.wav"), stderr=end) as process:
            os.close(end)
            fakes.wait_until(lambda: "talk.wav" in seen.text and "transcribing" in seen.text)
            process.send_signal(signal.SIGINT)
            process.wait(30)
        seen.join()
        with started(fake, str(tmp_path / "talk.wav")) as process:
            fakes.wait_until(lambda: len(fake.forms) == 2)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)
    assert stderr == b"Interrupted: 0 done, 0 skipped, 0 failed of 1 files.\n"


class Together:
    """Answers no file before so many are there."""

    def __init__(self, number):
        self._number = number
        self._forms = []

    async def __call__(self, form):
        self._forms.append(form)
        enough = -(-len(self._forms) // self._number) * self._number
        while len(self._forms) < enough:
            await asyncio.sleep(0.01)
        return 200, form.filename


class Reader(threading.Thread):
    """Collects what is written to a terminal."""

    def __init__(self, terminal):
        super().__init__()
        self._terminal = terminal
        self.text = ""
        self.start()

    def run(self):
        try:
            while piece := os.read(self._terminal, 65536):
                self.text += piece.decode()
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(self._terminal)


@contextmanager
def started(fake, *arguments, stderr=subprocess.PIPE):
    command = [sys.executable, "-m", "voxtide", "transcribe", *arguments]
    process = subprocess.Popen(
        [*command, "--base-url", fake.base_url], stdout=subprocess.PIPE, stderr=stderr
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
