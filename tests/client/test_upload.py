"""What a file is sent from, and how far it has come: `voxtide.upload`."""

import io
import os

import httpx
import pytest

from voxtide import Progress
from voxtide.upload import local_path, opened

SOUND = bytes(range(256)) * 1000


class Pipe(io.RawIOBase):
    """A file object that cannot seek."""

    def __init__(self, content):
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._content.readinto(buffer)


def body(upload):
    """The form that httpx makes of it."""
    files = {"file": (upload.name, upload)}
    return httpx.Request("POST", "http://127.0.0.1/", files=files)


def test_a_path_a_url_content_and_objects_are_all_sent_whole(tmp_path):
    path = tmp_path / "a talk.wav"
    path.write_bytes(SOUND)
    for file, name in [
        (path, "a talk.wav"),
        (str(path), "a talk.wav"),
        (path.as_uri(), "a talk.wav"),
        (path.as_uri().replace("file://", "FILE://localhost"), "a talk.wav"),
        (SOUND, "audio"),
        (io.BytesIO(SOUND), "audio"),
        (Pipe(SOUND), "audio"),
    ]:
        with opened(file) as upload:
            assert upload.name == name
            assert SOUND in body(upload).read()
    with path.open("rb") as content, opened(content) as upload:
        assert upload.name == "a talk.wav"
        assert SOUND in body(upload).read()


def test_a_path_is_closed_afterwards_and_a_file_object_is_not(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(SOUND)
    before = os.listdir("/proc/self/fd")
    with opened(path):
        assert len(os.listdir("/proc/self/fd")) > len(before)
    assert os.listdir("/proc/self/fd") == before
    content = io.BytesIO(SOUND)
    with opened(content):
        pass
    assert not content.closed


def test_a_file_object_is_sent_from_where_it_stands_each_time():
    content = io.BytesIO(b"heading" + SOUND)
    content.seek(7)
    with opened(content) as upload:
        for _ in range(2):
            request = body(upload)
            sent = request.read()
            assert SOUND in sent
            assert b"heading" not in sent
            assert int(request.headers["content-length"]) == len(sent)


def test_progress_goes_from_the_first_piece_to_waiting():
    seen = []
    with opened(SOUND, seen.append) as upload:
        body(upload).read()
        upload.again()
        body(upload).read()
    first, second = (
        [progress for progress in seen if progress.attempt == number] for number in (1, 2)
    )
    assert len(first) > 2, "it went out in one piece"
    sizes = [progress.sent for progress in first]
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < len(SOUND)
    assert [progress.waiting for progress in first] == [False] * (len(first) - 1) + [True]
    assert first[-1] == Progress(len(SOUND), len(SOUND), True, 1)
    assert [(p.sent, p.waiting) for p in second] == [(p.sent, p.waiting) for p in first]


def test_a_file_object_that_cannot_seek_has_no_total_and_goes_once():
    seen = []
    with opened(Pipe(SOUND), seen.append) as upload:
        request = body(upload)
        assert request.headers["transfer-encoding"] == "chunked"
        request.read()
        assert not upload.rewindable
    assert seen[-1] == Progress(len(SOUND), None, True, 1)


def test_a_file_that_grows_meanwhile_is_sent_as_it_was(tmp_path):
    path = tmp_path / "growing.wav"
    path.write_bytes(SOUND)
    with opened(path) as upload:
        request = body(upload)
        with path.open("ab") as more:
            more.write(b"more")
        assert len(request.read()) == int(request.headers["content-length"])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (7, TypeError, "a path, bytes or a file object, not int"),
        (None, TypeError, "not NoneType"),
        (b"path".decode, TypeError, "not builtin_function_or_method"),
        (io.StringIO("text"), TypeError, "'rb'"),
        ("https://example.org/a.wav", ValueError, "on this machine"),
        ("file://elsewhere/a.wav", ValueError, "on this machine"),
        ("s3://bucket/a.wav", ValueError, "on this machine"),
        ("/no/such.wav", FileNotFoundError, "No such file"),
        ("file:///no/such.wav", FileNotFoundError, "/no/such.wav"),
        ("/", IsADirectoryError, "directory"),
    ],
)
def test_what_is_no_file_is_said_to_be_none(wrong, error, message):
    with pytest.raises(error, match=message), opened(wrong):
        pass


def test_an_object_that_gives_text_is_found_out_when_it_is_read():
    class Text:
        def read(self, size):
            return "text"

    with opened(Text()) as upload, pytest.raises(TypeError, match="give bytes, not str"):
        upload.read(10)


@pytest.mark.parametrize("name", ["a:b.wav", "C:/a.wav", "100%.wav", "file:a.wav"])
def test_odd_names_are_paths_all_the_same(name):
    assert str(local_path(name)) == name
