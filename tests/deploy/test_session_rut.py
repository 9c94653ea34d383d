"""Engine streams that say nothing over clear speech (vLLM issue 47614)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.drive import Drive, heard, speech, text
from tests.fakes.engine import LAYOUT, say, silence
from voxtide_server.engine import Samples
from voxtide_server.events import (
    Audio,
    Commit,
)
from voxtide_server.turns import RUT_S


def never_old() -> Drive:
    """A session whose legs are not renewed for their age."""
    return Drive(layout=replace(LAYOUT, renew_after=LAYOUT.max_tokens))


def test_the_words_of_a_rut_come_out_once_and_with_their_times() -> None:
    drive = never_old()
    drive.say(speech(*range(900, 905)))
    drive.deaf.add(0)
    for number in range(905, 950):
        drive.say(speech(number))
    final = drive.commit()
    assert final.text == text(*range(900, 950))
    assert [w.end for w in final.words] == pytest.approx(
        [0.3 + 0.6 * n for n in range(50)], abs=0.08
    )
    assert drive.opened == 2


def test_a_stream_that_hears_nothing_from_its_start_is_renewed_too() -> None:
    drive = never_old()
    drive.deaf.add(0)
    for number in range(900, 920):
        drive.say(speech(number))
    assert heard(drive).startswith(text(900, 901)), "before the commit"
    assert drive.commit().text == text(*range(900, 920))


def test_the_first_word_of_a_rut_may_follow_the_word_before_it_closely() -> None:
    """It began while that one was being spelt."""
    drive = never_old()
    words = [np.concatenate((say(n), silence(0.1))) for n in range(900, 950)]
    drive.say(*words[:5])
    drive.deaf.add(0)
    drive.say(*words[5:])
    assert drive.commit().text == text(*range(900, 950))


@pytest.mark.parametrize("seconds", [7.3, 7.5, 7.9, 15.5])
def test_a_rut_may_be_looked_for_in_the_silence_after_a_turn(seconds: float) -> None:
    drive = Drive()
    drive.say(silence(seconds))
    assert drive.commit().text == ""


@pytest.mark.parametrize("seconds", [7.3, 7.6, 7.9])
def test_speech_of_a_later_turn_is_no_rut_of_the_one_before(seconds: float) -> None:
    drive = never_old()
    drive.command(Audio(np.concatenate((silence(seconds - 0.6), speech(900)))))
    drive.command(Commit())
    drive.deaf.add(0)
    drive.command(Audio(speech(*range(904, 914))))
    drive.answer()
    assert drive.opened == 2, "one stream for each turn"
    assert drive.commit().text == text(*range(904, 914))


def test_a_pause_shorter_than_a_rut_renews_nothing() -> None:
    drive = never_old()
    drive.say(speech(900))
    drive.deaf.add(0)
    drive.say(speech(*range(901, 901 + int((RUT_S - 1) / 0.6))))
    assert drive.opened == 1


def random_noise(seconds: float) -> Samples:
    random = np.random.default_rng(1)
    return random.normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


def hum(seconds: float) -> Samples:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.2 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)


def clicks(seconds: float) -> Samples:
    samples = silence(seconds)
    samples[::16_000] = 1.0
    return samples


def soft_speech(seconds: float) -> Samples:
    return np.concatenate([speech(3)] * round(seconds / 0.6))


@pytest.mark.parametrize("sound", [silence, random_noise, hum, clicks, soft_speech])
def test_what_is_no_clear_speech_renews_nothing(sound: Callable[[float], Samples]) -> None:
    drive = never_old()
    drive.deaf.add(0)
    drive.say(*np.array_split(sound(30.0), 30))
    assert drive.opened == 1


def test_what_seems_to_be_speech_and_has_no_words_is_heard_again_ever_more_seldom() -> None:
    drive = never_old()
    drive.deaf.update(range(10))
    renewed = []
    for piece in range(80):
        opened = drive.opened
        drive.say(speech(900))
        if drive.opened > opened > 0:
            renewed.append((piece + 1) * 0.6)
    # A new stream hears the 8 to 9 s before it again; then it takes 8, 16, 32 s of blanks.
    assert renewed == pytest.approx([8.6, 16.6, 40.0], abs=1.2)


def test_after_words_a_rut_is_noticed_as_soon_as_the_first() -> None:
    drive = never_old()
    drive.deaf.add(0)
    drive.say(*[speech(900 + n) for n in range(20)])
    assert drive.opened == 2
    drive.deaf.add(1)
    drive.say(*[speech(920 + n) for n in range(20)])
    assert drive.opened == 3
    assert drive.commit().text == text(*range(900, 940))
