"""What was found: an object for JSON (docs/loadtest.md), a table for CSV, and a sentence."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from .confidence import ERROR
from .course import Course, Trial
from .slo import LAG, SLIP, WORD, Slo
from .trial import Length

FORMAT = 2
_COLUMNS = (
    "server", "search", "number", "purpose", "streams", "outcome", "problems",
    "began_unix_s", "limit_ms",
    "word_p50_ms", "word_p95_ms", "word_p99_ms", "lag_p99_ms", "slip_p99_ms",
    "refused", "connections_lost", "errors",
    "words_said", "words_lost", "words_doubled", "words_unanswered",
)  # fmt: skip


def result(
    courses: Sequence[Course],
    slo: Slo,
    length: Length,
    began_unix_s: float,
    samples: list[dict[str, Any]],
) -> dict[str, Any]:
    """The object of the searches on a server, which are over; the lowest is what it carries."""
    searches = [asdict(course.found) for course in courses if course.found]
    lowest = min(searches, key=lambda found: found["sessions"])
    capacity = {**lowest, "confidence": 1 - ERROR, "searches": searches}
    server = courses[0].server
    trials = [
        {"search": number, **asdict(trial)}
        for number, course in enumerate(courses, 1)
        for trial in course.trials
    ]
    return {
        "format": FORMAT,
        "kind": "capacity",
        "statement": statement(server.name, capacity),
        "capacity": capacity,
        "server": asdict(server),
        "slo": asdict(slo),
        "rules": asdict(courses[0].rules),
        "trial_s": asdict(length),
        "began_unix_s": began_unix_s,
        "trials": sorted(trials, key=lambda trial: trial["number"]),
        "metrics": samples,
    }


def statement(name: str, capacity: Mapping[str, Any]) -> str:
    """What was found, in three sentences at most."""
    return " ".join((_carried(name, capacity), *_agreement(capacity["searches"])))


def _agreement(searches: Sequence[Mapping[str, Any]]) -> list[str]:
    """How far searches that went on side by side are apart; nothing of one alone."""
    if len(searches) == 1:
        return []
    carried = [found["sessions"] for found in searches]
    low, high = min(carried), max(carried)
    apart = f", {(high - low) / low:.0%} apart".replace("%", " %") if low else ""
    each = f"{', '.join(map(str, carried[:-1]))} and {carried[-1]}"
    return [f"It is the least of {len(carried)} searches side by side: {each}{apart}."]


def _carried(name: str, capacity: Mapping[str, Any]) -> str:
    sessions, above = capacity["sessions"], capacity["next"]
    if not sessions:
        late = "the generator itself was late" if capacity["limited_by"] == "generator" else ""
        return f"{name} carries no live stream within the SLO" + (
            f", as far as can be told: {late} even with {above}." if late else "."
        )
    confirmed = (
        f"{capacity['passed']} of {capacity['trials']} trials with {sessions} kept the SLO: with "
        f"{capacity['confidence']:.0%} confidence, at least {capacity['least_share']:.0%} of such "
        "trials do."
    ).replace("%", " %")
    match capacity["limited_by"]:
        case "most":
            return (
                f"{name} carries at least {streams(sessions)}, the most that were to be tried. "
                f"{confirmed}"
            )
        case "generator":
            return (
                f"{name} carries at least {streams(sessions)}; the limit is the generator, which "
                f"was itself late with {above}: give it more processes or machines. {confirmed}"
            )
    return f"{name} carries {streams(sessions)}, and {above} are too many. {confirmed}"


def streams(count: int) -> str:
    """So many of them."""
    return "1 live stream" if count == 1 else f"{count} live streams"


def progress(trial: Trial, name: str) -> str:
    """A trial in a line."""
    times = trial.figures["times_ms"]
    why = "; ".join(trial.problems)
    word, lag = times[WORD]["p95"], times[LAG]["p99"]
    measured = f"word p95 {_ms(word)}, lag p99 {_ms(lag)}"
    head = f"{trial.number:3d}  {name}  {trial.streams:4d} streams  {trial.outcome:6s}  {measured}"
    return f"{head}  {why}".rstrip()


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"


def write_json(path: Path, found: Mapping[str, Any]) -> None:
    """The object."""
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read_json(path: str) -> dict[str, Any]:
    """What `write_json` wrote of one server.

    Raises:
        ValueError: it is no such file; the message names the field.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise ValueError(f"{path}: {broken}") from None
    if not isinstance(found, dict) or found.get("kind") != "capacity":
        raise ValueError(f"{path}: `kind` is not capacity")
    if found.get("format") != FORMAT:
        raise ValueError(f"{path}: `format` is not {FORMAT}")
    return found


def write_csv(file: TextIO, results: Iterable[Mapping[str, Any]]) -> None:
    """The trials of all servers, a row each, in the order in which they were run."""
    rows = [(found["server"]["name"], trial) for found in results for trial in found["trials"]]
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for name, trial in sorted(rows, key=lambda row: row[1]["began_unix_s"]):
        writer.writerow(_row(name, trial))


def _row(name: str, trial: Mapping[str, Any]) -> list[Any]:
    figures = trial["figures"]
    times, words = figures["times_ms"], figures["words"]
    return [
        name,
        *(trial[key] for key in ("search", "number", "purpose", "streams", "outcome")),
        "; ".join(trial["problems"]),
        trial["began_unix_s"],
        trial["limit_ms"],
        *(times[WORD][key] for key in ("p50", "p95", "p99")),
        times[LAG]["p99"],
        times[SLIP]["p99"],
        *(figures[key] for key in ("refused", "connections_lost", "errors")),
        *(words[key] for key in ("said", "lost", "doubled", "unanswered")),
    ]
