"""Files and URLs through a real ffmpeg, and without any."""

import http.server
import subprocess
import sys
import threading
from functools import partial

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from voxtide.command import main

from . import fakes
from .test_command_stream import one_turn

TONE = (8000 * np.sin(np.arange(16000) / 5)).astype(np.int16)


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """An ffmpeg on the PATH, whether the machine has one or not."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", str(folder))
    return str(folder / "ffmpeg")


@pytest.fixture
def no_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


@pytest.fixture
def no_soundfile(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)


@pytest.fixture
def web(tmp_path):
    """A web server for a folder; gives both."""
    folder = tmp_path / "web"
    folder.mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def stream(source):
    with fakes.in_thread(fakes.realtime(one_turn)) as fake:
        line = ["stream", str(source), "--pace", "0", "--base-url", fake.base_url]
        result = CliRunner().invoke(main, line)
    return result, np.frombuffer(fake.talks[0].audio if fake.talks else b"", "<i2")


def wav(path):
    soundfile.write(path, TONE, 16000)
    return path


@pytest.mark.usefixtures("ffmpeg", "no_soundfile")
def test_without_soundfile_ffmpeg_reads_a_file(tmp_path):
    result, sent = stream(wav(tmp_path / "100%: a talk.wav"))
    assert (result.exit_code, result.output) == (0, "seven\n")
    assert np.array_equal(sent, TONE)


def test_ffmpeg_reads_what_soundfile_cannot(tmp_path, ffmpeg):
    clip = tmp_path / "talk.m4a"
    source = wav(tmp_path / "talk.wav")
    subprocess.run([ffmpeg, "-loglevel", "error", "-i", source, clip], check=True)
    result, sent = stream(clip)
    assert result.exit_code == 0, result.output
    assert len(sent) == pytest.approx(16000, abs=2100)  # the codec's padding
    assert np.corrcoef(sent[2000:14000], TONE[2000:14000])[0, 1] > 0.9


@pytest.mark.usefixtures("ffmpeg")
def test_a_url_is_read_by_ffmpeg(web):
    folder, url = web
    wav(folder / "talk.wav")
    result, sent = stream(f"{url}/talk.wav")
    assert (result.exit_code, result.output) == (0, "seven\n")
    assert np.array_equal(sent, TONE)


def test_an_hls_playlist_is_read_by_ffmpeg(web, ffmpeg, tmp_path):
    folder, url = web
    source = wav(tmp_path / "talk.wav")
    playlist = folder / "live.m3u8"
    line = [ffmpeg, "-loglevel", "error", "-i", source, "-hls_time", "0.3", playlist]
    subprocess.run(line, check=True)
    result, sent = stream(f"{url}/live.m3u8")
    assert result.exit_code == 0, result.output
    assert len(sent) == pytest.approx(16000, abs=3200)


@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize("url", ["http://127.0.0.1:9/talk.wav", "rtmp://127.0.0.1:9/live/x"])
def test_a_url_that_is_not_there_is_told_in_one_line(url):
    result, _ = stream(url)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: cannot read {url} as audio: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("ffmpeg")
def test_a_file_that_nobody_can_read_is_told_in_one_line(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"no audio at all")
    result, _ = stream(path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: cannot read {path} as audio: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("no_ffmpeg")
@pytest.mark.parametrize("url", ["rtmp://example.org/live", "https://example.org/live.m3u8"])
def test_a_url_without_ffmpeg_says_what_to_install(url):
    result, _ = stream(url)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {url} is read by ffmpeg, which is not installed: see https://ffmpeg.org\n"
    )


@pytest.mark.usefixtures("no_ffmpeg", "no_soundfile")
def test_a_file_without_soundfile_and_ffmpeg_says_what_to_install(tmp_path):
    result, _ = stream(wav_like(tmp_path / "talk.wav"))
    assert result.exit_code == 1
    assert "pip install 'voxtide[audio]'" in result.stderr
    assert "ffmpeg is not installed" in result.stderr


def wav_like(path):
    path.write_bytes(b"RIFF")
    return path


def test_a_url_of_another_kind_is_wrong_usage():
    result, _ = stream("gopher://example.org/talk")
    assert result.exit_code == 2
    assert "gopher:// is none of rtmp://" in result.stderr
