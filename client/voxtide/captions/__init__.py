"""Captions out of live words, as people speak; no I/O and no clock.

    captions = LiveCaptions()
    writer = SrtWriter()
    file.write(writer.header)
    for event in session:
        for cue in captions.take(event):
            file.write(writer.text(cue))

`LiveCaptions` takes the events of a session, `Captioner` takes words from anywhere.  The rules
that cues keep, and where the figures come from, are told by `CaptionRules` and docs/captions.md.
"""

from .captioner import Captioner
from .collector import TimedWord, WordCollector
from .cue import CaptionRules, Cue
from .files import CaptionWriter, SrtWriter, VttWriter, writer_for
from .live import LiveCaptions
from .live_words import LiveWords

__all__ = [
    "CaptionRules",
    "CaptionWriter",
    "Captioner",
    "Cue",
    "LiveCaptions",
    "LiveWords",
    "SrtWriter",
    "TimedWord",
    "VttWriter",
    "WordCollector",
    "writer_for",
]
