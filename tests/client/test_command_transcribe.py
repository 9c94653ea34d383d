"""`voxtide transcribe`."""

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
    first, second = result.stderr.splitlines()
    assert first == "Error: bad.wav: This is no audio. (field: file)"
    assert second.startswith("Error: none.wav: ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.wav", "sub/a.wav", "-o", "out/"], "two files of the same name"),
        (["a.wav", "b.wav", "-o", "bad.wav"], "is a file"),
    ],
)
def test_outputs_that_would_overwrite_each_other_are_wrong_usage(run, fake, arguments, why):
    result = run(*arguments)
    assert result.exit_code == 2
    assert why in result.stderr
    assert fake.forms == []
