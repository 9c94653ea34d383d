"""`voxtide batch`, on folders and on fsspec's file system in memory."""

import json
import signal
import subprocess
import sys

import fsspec
import pytest
from click.testing import CliRunner

import voxtide
from voxtide.command import main

from . import fakes

MODELS = json.dumps({"data": [{"id": "nano"}, {"id": "other"}]})
METRICS = 'voxtide_build_info{version="0.1.0",vllm="0.32.0"} 1.0\n'


def answer(form):
    """The file's content is what was said; a file that says "bad" is refused."""
    said = form.content.decode()
    if said == "bad":
        error = {"message": "This is no audio.", "code": "invalid_audio_file"}
        return 400, json.dumps({"error": error})
    word = {"word": said, "start": 0.1, "end": 0.5}
    segment = {"id": 0, "start": 0.1, "end": 0.5, "text": said}
    fields = dict(form.fields)
    transcript = {"text": said, "words": [word], "segments": [segment], "duration": 1.5}
    return 200, json.dumps(transcript | {"language": fields.get("language")})


@pytest.fixture
def fake():
    pages = {"/v1/models": MODELS, "/metrics": METRICS}
    with fakes.in_thread(fakes.files(answer, pages=pages)) as server:
        yield server


class Folders:
    """A source and a destination of one kind."""

    def __init__(self, root):
        self.files, self.root = fsspec.core.url_to_fs(root)
        self.source, self.destination = f"{root}/in", f"{root}/out"

    def put(self, name, content):
        path = f"{self.root}/in/{name}"
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.pipe_file(path, content)

    def written(self):
        found = self.files.find(f"{self.root}/out")
        return sorted(path.removeprefix(f"{self.root}/out/") for path in found)

    def document(self, name):
        return json.loads(self.files.cat_file(f"{self.root}/out/{name}.json"))

    def manifest(self):
        text = self.files.cat_file(f"{self.root}/out/manifest.jsonl").decode()
        return {line["source"]: line for line in map(json.loads, text.splitlines())}


@pytest.fixture(params=["file", "memory"])
def folders(request, tmp_path):
    if request.param == "file":
        yield Folders(str(tmp_path))
    else:
        yield Folders("memory://voxtide")
        fsspec.filesystem("memory").rm("/voxtide", recursive=True)


@pytest.fixture
def run(fake, folders):
    folders.put("one.wav", b"seven")
    folders.put("deep/two.mp4", b"eight")

    def run(*arguments):
        line = ["batch", folders.source, folders.destination, "--base-url", fake.base_url]
        return CliRunner().invoke(main, [*line, "--retries", "0", *arguments])

    return run


def test_each_recording_becomes_a_document(run, fake, folders):
    result = run("--language", "en")
    assert (result.exit_code, result.output) == (0, "")
    assert folders.written() == ["deep/two.mp4.json", "manifest.jsonl", "one.wav.json"]
    document = folders.document("one.wav")
    assert document["source"].endswith("/in/one.wav")
    assert document["source"].startswith(("file:///", "memory:///"))
    assert document.pop("mtime") is not None
    assert document.pop("created").endswith("+00:00")
    del document["source"]
    assert document == {
        "size": 5,
        "etag": None,
        "text": "seven",
        "segments": [{"id": "0", "start": 0.1, "end": 0.5, "text": "seven"}],
        "words": [{"word": "seven", "start": 0.1, "end": 0.5}],
        "duration": 1.5,
        "language": "en",
        "model": "nano",
        "delay_ms": None,
        "server": {"url": fake.base_url, "voxtide": "0.1.0", "vllm": "0.32.0"},
        "voxtide": voxtide.__version__,
    }


def test_a_second_run_does_nothing(run, fake, folders):
    run()
    manifest = folders.files.cat_file(f"{folders.root}/out/manifest.jsonl")
    document = folders.document("one.wav")
    result = run("--json")
    statuses = [json.loads(line)["status"] for line in result.stdout.splitlines()]
    assert (result.exit_code, statuses) == (0, ["skipped", "skipped"])
    assert len(fake.forms) == 2
    assert folders.files.cat_file(f"{folders.root}/out/manifest.jsonl") == manifest
    assert folders.document("one.wav") == document


def test_what_is_new_or_changed_is_done_and_force_does_all(run, fake, folders):
    run()
    folders.put("one.wav", b"longer than seven")
    folders.put("three.wav", b"nine")
    run()
    assert len(fake.forms) == 4
    assert folders.document("one.wav")["text"] == "longer than seven"
    assert folders.document("three.wav")["text"] == "nine"
    run("--force")
    assert len(fake.forms) == 7


def test_a_failure_is_recorded_and_tried_again_by_the_next_run(run, fake, folders):
    folders.put("bad.wav", b"bad")
    result = run()
    assert result.exit_code == 1
    assert result.stderr == "Error: bad.wav: This is no audio.\n"
    manifest = folders.manifest()
    assert {name: line["status"] for name, line in manifest.items()} == {
        "bad.wav": "failed",
        "deep/two.mp4": "done",
        "one.wav": "done",
    }
    assert manifest["bad.wav"]["error"] == {
        "code": "invalid_audio_file",
        "message": "This is no audio.",
    }
    assert manifest["one.wav"]["document"] == "one.wav.json"
    assert "bad.wav.json" not in folders.written()
    assert run().exit_code == 1
    assert len(fake.forms) == 4
    folders.put("bad.wav", b"well")
    assert run().exit_code == 0
    assert folders.manifest()["bad.wav"]["status"] == "done"


def test_other_files_are_recorded_as_skipped(run, fake, folders):
    folders.put("notes.txt", b"no audio")
    assert run().exit_code == 0
    line = folders.manifest()["notes.txt"]
    assert (line["status"], line["reason"]) == ("skipped", "not_audio")
    assert len(fake.forms) == 2


@pytest.mark.parametrize("manifest", [None, b'{"source": "one.wav", "sta', b"[]\n7\nnull\n"])
def test_a_lost_or_torn_manifest_is_made_again_from_the_documents(run, fake, folders, manifest):
    run()
    path = f"{folders.root}/out/manifest.jsonl"
    if manifest is None:
        folders.files.rm_file(path)
    else:
        folders.files.pipe_file(path, manifest)
    run()
    assert len(fake.forms) == 2
    assert folders.manifest()["one.wav"]["status"] == "done"


@pytest.mark.parametrize("document", [None, b"", b'{"half": '])
def test_a_lost_or_torn_document_is_written_again(run, fake, folders, document):
    run()
    folders.files.rm_file(f"{folders.root}/out/manifest.jsonl")
    path = f"{folders.root}/out/one.wav.json"
    if document is None:
        folders.files.rm_file(path)
    else:
        folders.files.pipe_file(path, document)
    run()
    assert len(fake.forms) == 3
    assert folders.document("one.wav")["text"] == "seven"


def test_an_unreachable_server_is_3_and_nothing_is_said_to_have_failed(run, folders):
    result = run("--base-url", "http://127.0.0.1:9/v1")
    assert result.exit_code == 3
    assert "cannot reach" in result.stderr
    assert "manifest.jsonl" not in folders.written()


def test_where_all_is_done_no_server_is_needed(run):
    run()
    assert run("--base-url", "http://127.0.0.1:9/v1").exit_code == 0


@pytest.mark.parametrize(
    ("source", "destination", "why"),
    [
        ("none", "out", "/none is no folder"),
        ("a.wav", "out", "/a.wav is no folder"),
        ("talks", "talks/", "must not be SRC"),
        ("talks", "talks/out", "must not be SRC"),
        ("nope://talks", "out", "Protocol not known: nope"),
    ],
)
def test_wrong_folders_are_wrong_usage(tmp_path, monkeypatch, source, destination, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talks").mkdir()
    (tmp_path / "a.wav").write_bytes(b"sound")
    result = CliRunner().invoke(main, ["batch", source, destination])
    assert result.exit_code == 2
    assert why in result.stderr


def test_a_destination_that_cannot_be_written_is_one_line(fake, tmp_path):
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks/a.wav").write_bytes(b"seven")
    (tmp_path / "file").write_bytes(b"")
    line = ["batch", f"{tmp_path}/talks", f"{tmp_path}/file/out", "--base-url", fake.base_url]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ")


def test_a_neighbour_of_a_like_name_is_not_inside(fake, tmp_path):
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks/a.wav").write_bytes(b"seven")
    line = ["batch", f"{tmp_path}/talks", f"{tmp_path}/talks-out", "--base-url", fake.base_url]
    assert CliRunner().invoke(main, line).exit_code == 0


def test_missing_packages_are_named(tmp_path):
    """In a process where they are not to be found, whatever is installed here."""
    for missing, source, message in [
        ("fsspec", str(tmp_path), "pip install 'voxtide[batch]'"),
        ("s3fs", "s3://talks", "s3:// needs a package beside voxtide[batch]: Install s3fs"),
        (
            "gcsfs",
            "gs://talks",
            "gs:// needs a package beside voxtide[batch]: Please install gcsfs",
        ),
    ]:
        hide = f"import sys; sys.modules[{missing!r}] = None; from voxtide.command import main; "
        run = f"main(['batch', {source!r}, 'out'])"
        result = subprocess.run([sys.executable, "-c", hide + run], capture_output=True, text=True)
        assert result.returncode == 1
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_after_ctrl_c_it_goes_on_where_it_was(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "slow"):
        (tmp_path / "in" / f"{name}.wav").write_bytes(name.encode())
    line = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--base-url"]
    slowly = fakes.files(lambda form: fakes.STALL if form.content == b"slow" else answer(form))
    with fakes.in_thread(slowly) as fake:
        command = [sys.executable, "-m", "voxtide", *line, fake.base_url]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            try:
                written = tmp_path / "out" / "a.wav.json"
                fakes.wait_until(lambda: len(fake.forms) == 2 and written.exists())
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=30)
            finally:
                process.kill()
    assert process.returncode == 130
    assert stderr.startswith(b"Interrupted: ")
    assert stderr.endswith(b" of 2 files.\n")
    with fakes.in_thread(fakes.files(answer)) as fake:
        assert CliRunner().invoke(main, [*line, fake.base_url]).exit_code == 0
        assert [form.content for form in fake.forms] == [b"slow"]
