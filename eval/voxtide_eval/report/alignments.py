"""The worst utterances of a run, word by word, with their audio."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from voxtide_loadtest.report.page import details

from ..scoring import Score
from ..scoring.alignment import Alignment, Step
from ..scoring.score import Scored
from .audio import Room
from .figures import count, percent
from .tables import name

LONGEST = 400
"""Places of an alignment that are shown at the most."""

CSS = """
.heard { margin: .75rem 0; padding: .75rem 1rem; border-radius: .5rem; background: var(--panel); }
.heard h3 { margin: 0 0 .25rem; font-size: 1rem; overflow-wrap: anywhere; }
.heard p { margin: .25rem 0; }
.heard audio { display: block; width: 100%; max-width: 26rem; margin: .5rem 0; }
.aligned { display: flex; flex-wrap: wrap; gap: .25rem .6rem; margin: .5rem 0 0; padding: 0;
  list-style: none; }
.aligned li { display: flex; flex-direction: column; line-height: 1.35; }
.aligned span { min-height: 1.35em; }
.aligned .said { color: var(--soft); }
.aligned .wrong .said { color: var(--ink); }
.aligned .wrong .came { color: var(--bad); font-weight: 600; text-decoration: underline; }
.aligned .unheard .said { color: var(--bad); text-decoration: line-through; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
"""


def worst(score: Score, most: int) -> list[Scored]:
    """Utterances with the most errors, of equals those with fewer words; none without an error."""
    wrong = [one for one in score.utterances if one.counts.errors]
    wrong.sort(key=lambda one: (-one.counts.errors, one.counts.units))
    return wrong[:most]


def view(score: Score, most: int, room: Room) -> str:
    """The worst utterances of a run, closed at first; empty where nothing is wrong."""
    shown = "\n".join(_utterance(one, room) for one in worst(score, most))
    return details(name(score), shown) if shown else ""


def _utterance(scored: Scored, room: Room) -> str:
    heard, counts = scored.heard, scored.counts
    facts = f"{count(counts.errors)} errors in {count(counts.units)}"
    if counts.units:
        facts += f" ({percent(counts.rate)} %)"
    if heard.speaker:
        facts += f", speaker {heard.speaker}"
    parts = [f"<h3>{escape(heard.id)}</h3>", f"<p>{escape(facts)}</p>"]
    if heard.error:
        parts.append(f"<p>{escape(f'No transcript: {heard.error}')}</p>")
    parts += [_player(heard.audio, heard.id, room), aligned_list(scored.aligned)]
    return '<article class="heard">\n' + "\n".join(parts) + "\n</article>"


def _player(path: str, utterance: str, room: Room) -> str:
    uri, why = room.embedded(path)
    if not uri:
        return f'<p class="note">{escape(why)}</p>'
    label = escape(f"Recording of {utterance}")
    return f'<audio controls preload="none" aria-label="{label}" src="{escape(uri)}"></audio>'


def aligned_list(aligned: Alignment) -> str:
    """Each place of an alignment: what was said above, what was heard instead below."""
    places = "\n".join(_place(step, aligned) for step in aligned.steps[:LONGEST])
    more = len(aligned.steps) - LONGEST
    after = f'<p class="note">{count(more)} places more are not shown.</p>' if more > 0 else ""
    return f'<ol class="aligned" dir="auto">\n{places}\n</ol>{after}'


def _place(step: Step, aligned: Alignment) -> str:
    said = "" if step.reference is None else escape(aligned.reference[step.reference])
    came = "" if step.hypothesis is None else escape(aligned.hypothesis[step.hypothesis])
    match step.operation:
        case "equal":
            return f'<li><span class="said">{said}</span></li>'
        case "delete":
            return _wrong("unheard", f"{_aloud('not heard: ')}{said}", "")
        case "insert":
            return _wrong("wrong", "", f"{_aloud('not said: ')}{came}")
        case "substitute":
            return _wrong("wrong", said, f"{_aloud('heard as: ')}{came}")


def _wrong(kind: str, said: str, came: str) -> str:
    return (
        f'<li class="{kind}"><span class="said">{said}</span><span class="came">{came}</span></li>'
    )


def _aloud(text: str) -> str:
    """For those who do not see colours and places."""
    return f'<span class="unseen">{text}</span>'


def views(scores: Sequence[Score], most: int, room: Room) -> list[str]:
    """All runs in which something is wrong."""
    return [shown for one in scores if (shown := view(one, most, room))]
