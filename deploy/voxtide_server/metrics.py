"""All metrics of voxtide, on vLLM's `/metrics` beside vLLM's own.

`python -m voxtide_server.metrics` prints docs/metrics.md. Several API servers add up:
every gauge says how. What counts frames is kept by each session and added once a
second, so that a frame costs no lock.
"""

from __future__ import annotations

import sys

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

_LATENCY = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_LENGTH = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)

SESSIONS = Gauge(
    "voxtide_sessions",
    "Live sessions that are open, by dialect as far as it is settled.",
    ["dialect"],
    multiprocess_mode="livesum",
)
CAPACITY = Gauge(
    "voxtide_sessions_capacity",
    "Live sessions that are let in at once.",
    multiprocess_mode="livesum",
)
ENDED = Counter(
    "voxtide_sessions_ended",
    "Live sessions that have ended: gone (the client left), ended (it said so), limit (quiet "
    "or as long as it may be), drained, failed.",
    ["dialect", "outcome"],
)
REFUSED = Counter(
    "voxtide_refused", "Sessions and requests that were not let in, by code.", ["reason"]
)
REQUESTS = Gauge(
    "voxtide_requests", "Files that are being transcribed.", multiprocess_mode="livesum"
)
AUDIO = Counter("voxtide_audio_seconds", "Audio that came in, live or as files.", ["kind"])
KEY_AUDIO = Counter(
    "voxtide_key_audio_seconds",
    "Audio that came in with a key, by its name; beyond 100 names they are counted as one.",
    ["key"],
)
BYTES = Counter(
    "voxtide_websocket_bytes", "Text of messages over WebSockets, by direction.", ["direction"]
)
TURNS = Counter("voxtide_turns", "Turns that are final.", ["kind", "outcome"])
TURN_LENGTH = Histogram("voxtide_turn_seconds", "Audio of a turn.", ["kind"], buckets=_LENGTH)
STREAMS = Counter(
    "voxtide_engine_streams",
    "Streams opened in the engine, by why: turn (a new turn), age (renewed), lost (by the "
    "engine, or it stalled), rut (nothing but blanks over speech), idle (the session went on).",
    ["reason"],
)
FRAMES = Counter("voxtide_frames", "Tokens that came of the engine, one for 80 ms.", ["kind"])
MISSES = Counter(
    "voxtide_step_deadline_misses",
    "Frames of live audio answered later than 80 ms after the last sample that they need.",
)
FIRST_TEXT = Histogram(
    "voxtide_time_to_first_token_seconds",
    "From the arrival of a turn's first sample to its first text; silence before it counts.",
    buckets=_LATENCY,
)
WORD_LATENCY = Histogram(
    "voxtide_word_latency_seconds",
    "From the arrival of the sample in which a word ends to its text.",
    buckets=_LATENCY,
)
FINALISATION = Histogram(
    "voxtide_finalisation_seconds",
    "From a commit to the final transcript of its turn.",
    buckets=_LATENCY,
)
LAG = Histogram(
    "voxtide_transcript_lag_seconds",
    "Audio that has come less audio that has been heard, looked at once a second.",
    buckets=_LATENCY,
)
BACKLOG = Gauge(
    "voxtide_backlog_seconds",
    "Audio of all sessions that waits for the engine.",
    ["kind"],
    multiprocess_mode="livesum",
)
ERRORS = Counter("voxtide_errors", "Errors that clients were told, by code.", ["code"])
KEYS_FAILING = Gauge(
    "voxtide_keys_file_failing",
    "1 while the file of keys has changed and cannot be used: those before stay valid.",
    multiprocess_mode="livemax",
)
DELAY = Gauge(
    "voxtide_delay_seconds",
    "Delay that the model is run with: no text can be sooner.",
    multiprocess_mode="livemax",
)
START = Gauge(
    "voxtide_start_time_seconds",
    "When the server was ready, since the epoch; of several API servers the last.",
    multiprocess_mode="livemax",
)
BUILD = Gauge(
    "voxtide_build_info",
    "1; the versions are the labels.",
    ["version", "vllm"],
    multiprocess_mode="livemax",
)

ALL: list[MetricWrapperBase] = [
    value for value in list(globals().values()) if isinstance(value, MetricWrapperBase)
]
# There from the start: a counter is seen to rise only from a value that was scraped before,
# and the autoscaler wants to know that nobody is there.
_FROM_THE_START: dict[MetricWrapperBase, tuple[tuple[str, ...], ...]] = {
    SESSIONS: (("unsettled",),),
    ENDED: (("unsettled", "gone"),),
    AUDIO: (("live",), ("file",)),
    BACKLOG: (("live",), ("file",)),
    FRAMES: (("live",), ("file",)),
    TURNS: (("live", "completed"), ("live", "failed"), ("file", "completed"), ("file", "failed")),
    TURN_LENGTH: (("live",), ("file",)),
    STREAMS: (("turn",), ("age",), ("lost",), ("rut",), ("idle",)),
    REFUSED: (("server_full",), ("invalid_api_key",)),
    ERRORS: (("internal_error",),),
}
for _metric, _series in _FROM_THE_START.items():
    for _labels in _series:
        _metric.labels(*_labels)

_MOST_KEYS = 100
_keys: set[str] = set()


def of_key(name: str) -> str:
    """The label for a key: its name, for the first 100 of them."""
    if name in _keys or len(_keys) < _MOST_KEYS:
        _keys.add(name)
        return name
    return "others"


def table() -> str:
    """The metrics in Markdown."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for metric in ALL:
        (family,) = metric.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(metric._labelnames)
        rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(rows)


def page() -> str:
    """docs/metrics.md."""
    return f"""# Metrics

On `/metrics`, beside vLLM's own. Written by `python -m voxtide_server.metrics`; a test compares.

{table()}

`kind` is `live` or `file`. Latencies are measured in the server: what the network adds
is not in them, and they mean something for audio that comes in real time only.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
