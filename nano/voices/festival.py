"""Festival, through its batch mode."""

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import soundfile

from nano.corpus import Sentence
from nano.voices.interface import Speech, punctuated, to_16k


class Festival:
    """A voice of Festival, by the name of the Scheme function that selects it."""

    engine = "festival"

    def __init__(self, voice: str) -> None:
        self.name = f"festival-{voice.removeprefix('voice_')}"
        self._select = voice

    def speak(self, sentences: Sequence[Sentence], random: Random) -> Iterable[Speech | None]:
        with tempfile.TemporaryDirectory() as folder:
            lines = [f"({self._select})"]
            for place, sentence in enumerate(sentences):
                pace = random.uniform(0.75, 1.35)
                lines.append(
                    f"(Parameter.set 'Duration_Stretch {pace:.2f})"
                    f'(set! u (SynthText "{punctuated(sentence)}"))'
                    f'(utt.save.wave u "{folder}/{place}.wav" \'riff)'
                    f'(set! out (fopen "{folder}/{place}.txt" "w"))'
                    '(mapcar (lambda (w) (format out "%f %f\\n"'
                    " (item.feat w 'word_start) (item.feat w 'word_end)))"
                    " (utt.relation.items u 'Word))(fclose out)"
                )
            script = Path(folder) / "script.scm"
            script.write_text("\n".join(lines))
            subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
            for place in range(len(sentences)):
                audio, rate = soundfile.read(f"{folder}/{place}.wav", dtype="float32")
                rows = Path(f"{folder}/{place}.txt").read_text().split()
                values = [float(value) for value in rows]
                yield Speech(to_16k(audio, rate), list(zip(values[::2], values[1::2], strict=True)))
