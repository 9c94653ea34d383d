"""What a cue is, and the rules that each one keeps."""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines of text and when to show them, in seconds (whole milliseconds) of the audio."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines, each but the last ended by a line break."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class CaptionRules:
    """What cues keep, always; docs/captions.md says why, and what follows for late captions.

    TTSG is Netflix's Timed Text Style Guide: General Requirements, where no other part is named.
    Widths are in characters as `voxtide.captions.text.width` counts them: an East Asian wide
    character counts as 2.5.

    Attributes:
        reading_speed: Width of the text, spaces and the line break included, for each second
            that the cue is shown; never more.  17: TTSG, English Template, adult programs; about
            the 160 to 180 words a minute of the BBC Subtitle Guidelines.
        max_line: Width of a line; never more.  42: TTSG, English Template.
        max_lines: 1 or 2.  2: TTSG.
        min_duration: Seconds that a cue is shown at least.  5/6: TTSG.
        max_duration: Seconds that it is shown at most.  7: TTSG.
        gap: Seconds between two cues at least.  2 frames (TTSG, Frame Gap) of 24 in a second.
        pause: Seconds without a word that end a cue.  Our own choice.

    Raises:
        ValueError: For a rule out of range, or rules that no cue could keep together.
    """

    reading_speed: float = 17.0
    max_line: float = 42.0
    max_lines: int = 2
    min_duration: float = 0.834
    max_duration: float = 7.0
    gap: float = 0.084
    pause: float = 1.0

    def __post_init__(self) -> None:
        for rule in fields(self):
            value = getattr(self, rule.name)
            if not (math.isfinite(value) and value >= 0 and (value > 0 or rule.name == "gap")):
                raise ValueError(f"{rule.name} must be a positive number, not {value}")
        if self.max_lines not in (1, 2):
            raise ValueError(f"max_lines must be 1 or 2, not {self.max_lines}")
        if self.max_line < 3:
            raise ValueError(f"max_line must be at least 3, not {self.max_line}")
        if self.max_duration < max(self.min_duration, self.reading_ms(self.max_width) / 1000):
            raise ValueError("max_duration must be long enough to read a full cue")

    @property
    def max_width(self) -> float:
        """Of the text of a cue; a line break is as wide as the space in its place."""
        return self.max_line * self.max_lines + self.max_lines - 1

    def reading_ms(self, width: float) -> int:
        """Whole milliseconds that it takes at least to read text of a width."""
        return math.ceil(width * 1000 / self.reading_speed)
