"""Speech synthesis engines behind one interface.

Each engine tells where its words lie itself (segment tables, events or predicted durations), so no
aligner is needed. The neural engines are imported when their first voice is made.
"""

from nano.voices.espeak import Espeak
from nano.voices.festival import Festival
from nano.voices.flite import Flite
from nano.voices.interface import SAMPLE_RATE, Speech, Voice
from nano.voices.neural import Hibari, Kokoro, Piper
from nano.voices.pico import Pico

__all__ = [
    "SAMPLE_RATE",
    "Espeak",
    "Festival",
    "Flite",
    "Hibari",
    "Kokoro",
    "Pico",
    "Piper",
    "Speech",
    "Voice",
]
