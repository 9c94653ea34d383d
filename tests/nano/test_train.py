"""Clips are a function of their seed, and a training run goes on exactly where it stopped."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
import torch.distributed as dist

from nano import bank
from nano.clips import IGNORED, Batch, Mixer, batch
from nano.corpus import Sentence
from nano.train import Run, Schedule, averaged_model
from nano.vocabulary import EOS, FIRST_WORD, WORD_START
from nano.voices import SAMPLE_RATE, Speech

TOKENS = 64


class Whistler:
    """Whistles each word for 0.3 s."""

    name, engine = "whistler", "flite"

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterator[Speech]:
        for sentence in sentences:
            count = len(sentence.words)
            time = np.arange(int(0.3 * count * SAMPLE_RATE)) / SAMPLE_RATE
            tone = (0.5 * np.sin(2 * np.pi * 700 * time)).astype(np.float32)
            yield Speech(tone, [(0.3 * i, 0.3 * (i + 1)) for i in range(count)])


@pytest.fixture
def mixer(tmp_path: Path) -> Mixer:
    bank.record(Whistler, 20, tmp_path)
    return Mixer(bank.load(tmp_path))


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    # Threads of one step that wait for each other are slow on a machine that is busy with servers.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rendezvous = (tmp_path / "rendezvous").as_uri()
    dist.init_process_group("gloo", init_method=rendezvous, rank=0, world_size=1)
    yield
    dist.destroy_process_group()
    torch.set_num_threads(threads)


def draw(mixer: Mixer, step: int) -> Batch:
    return batch(mixer, (1, step, 0), 2, TOKENS)


def test_a_clip_depends_on_its_seed_only(mixer: Mixer) -> None:
    first, again, other = draw(mixer, 3), draw(mixer, 3), draw(mixer, 4)
    assert torch.equal(first.mel, again.mel)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.mel, other.mel)


def test_clips_have_words_each_after_its_marker_and_streams_that_end(mixer: Mixer) -> None:
    ended = 0
    for step in range(20):
        for labels, present in zip(*_labels(draw(mixer, step)), strict=True):
            words = [i for i, token in enumerate(labels) if token >= FIRST_WORD]
            assert all(labels[i - 1] in (WORD_START, IGNORED) for i in words)
            ended += EOS in labels
            pairs = zip(labels, present, strict=True)
            assert all((token == EOS) == (not here) for token, here in pairs)
    assert 0 < ended < 40


def _labels(clips: Batch) -> tuple[list[list[int]], list[list[float]]]:
    return clips.labels.tolist(), clips.audio_present.tolist()


def test_a_resumed_run_equals_one_that_never_stopped(
    mixer: Mixer, alone: None, tmp_path: Path
) -> None:
    schedule = Schedule(steps=4)
    straight = Run(tmp_path, schedule)
    straight.advance(draw(mixer, 0))
    checkpoint = straight.save()
    straight.advance(draw(mixer, 1))

    resumed = Run(tmp_path, schedule)
    resumed.resume()
    assert resumed.step == 1
    resumed.advance(draw(mixer, 1))
    for name, value in straight.model.named_parameters():
        assert torch.equal(resumed.model.get_parameter(name), value), name
        assert torch.equal(resumed.average[name], straight.average[name]), name
    assert averaged_model(checkpoint).config == straight.model.config


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    schedule = Schedule(steps=1000, peak=1.0, rise=100, fall=0.35)
    assert schedule.rate(0) == pytest.approx(0.01)
    assert schedule.rate(100) == schedule.rate(650) == pytest.approx(1.0)
    assert schedule.rate(825) == pytest.approx(0.5)
    assert schedule.rate(1000) == 0.0
