"""The client and the command against the real server with nano.

The clips are recordings that nano hears exactly.  Where a test changes how they sound (another
rate, another clip before them), half of the words may be wrong before it fails.
"""

import asyncio
import re
import subprocess
import sys

import jiwer
import numpy as np
import pytest
import soundfile
import soxr

from voxtide import Final, Partial, SessionReady

pytestmark = pytest.mark.integration

TOLERATED = 0.5


@pytest.fixture
def client(server, shell):
    return shell(server.base_url)


def word_errors(clips, texts):
    said = [clip.text.casefold() for clip in clips]
    return jiwer.wer(said, [text.casefold() for text in texts])


def samples(clip):
    audio, rate = soundfile.read(clip.path, dtype="int16")
    assert rate == 16000
    return audio


async def streamed(client, *turns, sample_rate=16000):
    """All events of a session with these turns, fed as fast as the server takes it."""
    async with client.stream(sample_rate=sample_rate) as session, asyncio.TaskGroup() as tasks:

        async def speak():
            for number, audio in enumerate(turns):
                if number:
                    await session.flush()
                for chunk in np.array_split(audio, max(1, len(audio) * 10 // sample_rate)):
                    await session.feed(chunk)
            await session.finish()

        tasks.create_task(speak())
        return [event async for event in session]


def finals(events):
    return [event for event in events if isinstance(event, Final)]


def check_words(words, duration):
    ends = [word.end for word in words]
    assert ends == sorted(ends)
    assert all(0 <= word.start <= word.end <= duration + 0.5 for word in words)


async def test_files_become_transcripts_with_times(client, clips):
    for clip in clips[::4]:
        transcript = await client.transcribe(clip.path)
        assert transcript.text == clip.text
        assert transcript.duration == pytest.approx(len(samples(clip)) / 16000, abs=0.1)
        assert [word.word for word in transcript.words] == transcript.text.split()
        check_words(transcript.words, transcript.duration)
        segments = " ".join(segment.text.strip() for segment in transcript.segments)
        assert segments == transcript.text


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("text", r"^\w"), ("json", r'"text"'), ("srt", r"^1\n00:00:\S+ --> "), ("vtt", r"^WEBVTT\n")],
)
async def test_every_format_is_what_it_says(client, clips, name, pattern):
    assert re.search(pattern, await client.transcribe_as(clips[0].path, name))


async def test_streams_become_partials_and_a_final_that_agree(client, clips):
    for clip in clips[::4]:
        events = await streamed(client, samples(clip))
        assert isinstance(events[0], SessionReady)
        (final,) = finals(events)
        partials = "".join(event.text for event in events if isinstance(event, Partial))
        assert partials.split() == final.text.split()
        assert [word.word for word in final.words] == final.text.split()
        check_words(final.words, len(samples(clip)) / 16000)
        assert final.text == clip.text


async def test_each_flush_ends_a_turn_and_times_go_on(client, clips):
    audio = [samples(clip) for clip in clips[:2]]
    first, second = finals(await streamed(client, *audio))
    assert word_errors(clips[:2], [first.text, second.text]) <= TOLERATED
    border = len(audio[0]) / 16000
    assert all(word.end <= border + 0.5 for word in first.words)
    assert all(word.end >= border - 0.1 for word in second.words)


async def test_a_turn_without_audio_has_an_empty_final(client):
    async with client.stream() as session:
        await session.flush()
        await session.finish()
        assert [final.text for final in finals([event async for event in session])] == [""]


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
async def test_other_rates_are_understood_too(client, clips, rate):
    clip = clips[0]
    audio = soxr.resample(samples(clip).astype(np.float32) / 32768, 16000, rate)
    (final,) = finals(await streamed(client, audio, sample_rate=rate))
    assert word_errors([clip], [final.text]) <= TOLERATED


def command(server, *arguments, **options):
    line = [sys.executable, "-m", "voxtide", *arguments, "--base-url", server.base_url]
    return subprocess.run(line, capture_output=True, timeout=120, **options)


def test_the_command_transcribes_what_it_can(server, clips):
    result = command(server, "transcribe", str(clips[0].path), "/no/such.wav", str(clips[1].path))
    assert result.returncode == 1
    assert result.stdout.decode().splitlines() == [clip.text for clip in clips[:2]]
    assert result.stderr.startswith(b"Error: /no/such.wav: ")


def test_the_command_streams_a_file_and_a_pipe(server, clips):
    by_file = command(server, "stream", str(clips[0].path), "--pace", "0")
    by_pipe = command(server, "stream", "-", input=samples(clips[0]).tobytes())
    assert (by_file.returncode, by_pipe.returncode) == (0, 0)
    assert by_file.stdout.decode() == clips[0].text + "\n"
    assert by_pipe.stdout == by_file.stdout


def test_the_demo_ends_with_its_figures(server):
    result = command(server, "demo")
    assert result.returncode == 0, result.stderr
    assert b"mean word latency" in result.stdout
