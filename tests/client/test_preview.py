"""What a terminal shows of a session."""

import io

from rich.console import Console

from voxtide.command.preview import Preview
from voxtide.events import Final, Partial, Resumed, Segment, ServerError

DIM = "\x1b[2m"


def shown(*events, level=None, position=10.0):
    """All that was drawn: after each event, and at the end."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=40, color_system="standard")
    with Preview(console, level) as preview:
        for event in events:
            preview.take(event, position)
    return screen.getvalue()


def printed(text):
    """Text on a line that was wiped, which stays when the preview is gone."""
    return f"\x1b[2K{text}\n"


def test_words_are_dimmed_until_their_segment_or_turn_is_final():
    assert f"{DIM}seven" in shown(Partial(" seven", 9.5, "t"))
    settled = shown(Partial(" seven", 9.5, "t"), Segment("s", "seven", 9, 9.5, turn="t"))
    assert f"{DIM}seven" not in settled
    assert printed("seven") in shown(Partial(" seven", 9.5, "t"), Final("seven", "t"))


def test_the_lag_is_from_the_audio_fed_to_the_last_word():
    assert "lag 0.50 s" in shown(Partial(" seven", 9.5, "t"), position=10.0)
    assert "lag" not in shown(Partial(" seven", None, "t"))


def test_the_level_of_a_microphone_is_a_bar():
    assert "█" * 10 + "·" * 10 in shown(level=lambda: -30.0)
    assert "█" * 20 in shown(level=lambda: 3.0)
    assert "·" * 20 in shown(level=lambda: -96.0)


def test_a_long_turn_shows_its_end():
    words = " ".join(f"w{n}" for n in range(200))
    screen = shown(Partial(" " + words, 9.5, "t"))
    drawn = screen[: screen.rindex("\x1b[2K")]
    assert "w199" in drawn
    assert "w0 " not in drawn


def test_a_resume_replaces_the_open_turn():
    screen = shown(Partial(" seven ate", 9.5, "t"), Resumed(9.0, "t", " seven", 0.0))
    assert screen.endswith(printed("seven"))


def test_what_was_said_of_an_open_or_failed_turn_stays(capsys):
    assert shown(Partial(" seven", 9.5, "t")).endswith(printed("seven"))
    lost = ServerError("engine_failed", "Lost.", None, True, turn="t")
    assert printed("seven") in shown(Partial(" seven", 9.5, "t"), lost)
    assert capsys.readouterr().err == "Error: Lost.\n"
