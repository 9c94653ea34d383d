"""Sentences of the closed vocabulary: random sequences, digit strings, numbers and commands.

The homophones "four" and "for" are told apart by one rule that every sentence keeps: directly after
"timer" comes "for", never "four", and "for" stands nowhere else.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from nano.vocabulary import DIGITS, TEENS, TENS, WORDS

_ROOMS: Final = ("", "kitchen ", "bedroom ")
_PLAYER: Final = ("play", "start", "stop", "pause")


@dataclass(frozen=True)
class Sentence:
    """Words to speak, and the positions of the words after which the speaker makes a pause."""

    words: tuple[str, ...]
    pauses: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """Transcript: lowercase, single spaces, no punctuation."""
        return " ".join(self.words)


def number_words(value: int) -> list[str]:
    """``value`` from 0 to 999 in words, without "and"."""
    if value >= 100:
        rest = number_words(value % 100) if value % 100 else []
        return [DIGITS[value // 100], "hundred", *rest]
    if value >= 20:
        rest = [DIGITS[value % 10]] if value % 10 else []
        return [TENS[value // 10 - 2], *rest]
    return [(DIGITS + TEENS)[value]]


def command(random: Random) -> str:
    """One command of a voice assistant."""
    room, switch = random.choice(_ROOMS), random.choice(("on", "off"))
    lights, volume = random.choice(("light", "lights")), random.choice(("up", "down"))
    minutes = random.choice((random.randint(1, 20), random.randint(1, 99)))
    duration = f"{' '.join(number_words(minutes))} {'minute' if minutes == 1 else 'minutes'}"
    return random.choice(
        (
            f"turn {switch} the {room}{lights}",
            f"turn the {room}{lights} {switch}",
            f"{random.choice(('open', 'close'))} the {room}door",
            f"set {random.choice(('the', ''))} timer for {duration}",
            f"start {random.choice(('the', ''))} timer for {duration}",
            f"{random.choice(('start', 'stop', 'pause'))} the timer",
            f"{random.choice(_PLAYER)} {random.choice(('the', ''))} music",
            f"turn {random.choice((f'the volume {volume}', f'{volume} the volume'))}",
            f"volume {random.choice((volume, ' '.join(number_words(random.randint(0, 100)))))}",
            f"turn {switch} the music",
        )
    )


def command_sentence(random: Random) -> list[str]:
    """A command with politeness around it, at times two of them."""
    words = command(random).split()
    if random.random() < 0.2:
        words += command(random).split()
    if random.random() < 0.2:
        words.insert(0, random.choice(("please", "yes", "no", "stop", "start")))
    if random.random() < 0.2:
        words.append(random.choice(("please", "yes", "no")))
    return words


def random_words(random: Random, count: int) -> list[str]:
    """``count`` words, each one as likely as another, under the rule on "four" and "for"."""
    words: list[str] = []
    while len(words) < count:
        previous = words[-1] if words else ""
        word = random.choice(WORDS)
        if (word == "for") <= (previous == "timer") and not (
            word == "four" and previous == "timer"
        ):
            words.append(word)
    return words


def digit_string(random: Random) -> list[str]:
    return [random.choice(DIGITS) for _ in range(random.randint(2, 9))]


def number_list(random: Random) -> list[str]:
    words: list[str] = []
    for _ in range(random.randint(1, 4)):
        words += number_words(random.choice((random.randint(0, 99), random.randint(0, 999))))
    return words


def sentence(random: Random) -> Sentence:
    """One sentence of the training mixture."""
    kind = random.random()
    if kind < 0.45:
        words = random_words(random, random.randint(1, 7))
    elif kind < 0.65:
        words = digit_string(random)
    elif kind < 0.78:
        words = number_list(random)
    else:
        words = command_sentence(random)
    chance = random.choice((0.0, 0.0, 0.15, 0.3, 1.0))
    gaps = (i for i in range(len(words) - 1) if random.random() < chance)
    return Sentence(tuple(words), frozenset(gaps))
