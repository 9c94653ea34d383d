"""The state machine by scenario tables: what goes in, what comes out.  No server, no clock."""

import base64
import json

import numpy as np
import pytest

import voxtide
from voxtide import Final, Partial, Segment, ServerError, SessionReady, Unknown, Word
from voxtide.audio import AudioEncoder
from voxtide.dialects import DIALECTS
from voxtide.dialects.base import Settings
from voxtide.protocol import Protocol

_ITEM = "conversation.item.input_audio_transcription"
READY = {"type": "session.updated", "session": {"id": "s"}}
COMPLETED = {"type": f"{_ITEM}.completed", "item_id": "i", "transcript": "seven"}
FAILED = {"type": f"{_ITEM}.failed", "item_id": "i", "error": {"code": "lost", "message": "Lost."}}
SECOND = np.zeros(16000, np.int16)


def opened(sample_rate=16000, dialect="openai", **options):
    """A stream that has no connection yet."""
    spoken = DIALECTS[dialect]()
    rates = DIALECTS["voxtide"].rates if dialect == "openai" else spoken.rates
    encoder = AudioEncoder(sample_rate, 1, "pcm16", rates)
    settings = {"model": None, "language": None, "turn_detection": None} | options
    return Protocol(spoken, encoder, Settings(encoder.rate, "pcm16", **settings))


def started(*arguments, **options):
    protocol = opened(*arguments, **options)
    protocol.receive(json.dumps(READY))
    return protocol


def texts(protocol):
    """All that the stream has to send."""
    return list(iter(protocol.next_text, None))


def types(protocol):
    return [
        json.loads(text)["type"].removeprefix("input_audio_buffer.") for text in texts(protocol)
    ]


def sent_audio(protocol):
    messages = [json.loads(text) for text in texts(protocol)]
    return [base64.b64decode(m["audio"]) for m in messages if "audio" in m]


MESSAGES = {
    "a delta": (
        {"type": f"{_ITEM}.delta", "item_id": "i", "content_index": 0, "delta": " se", "end": 0.48},
        Partial(" se", 0.48, "i"),
    ),
    "a delta of another server": (
        {"type": f"{_ITEM}.delta", "delta": " se", "logprobs": None},
        Partial(" se", None, ""),
    ),
    "a segment": (
        {
            "type": f"{_ITEM}.segment", "item_id": "i", "id": "g", "text": "seven",
            "speaker": "", "start": 0, "end": 1,
            "words": [{"word": "seven", "start": 0, "end": 1, "sure": True}],
        },
        Segment("g", "seven", 0.0, 1.0, (Word("seven", 0.0, 1.0),), "i"),
    ),
    "a final": (COMPLETED | {"usage": {"type": "duration"}}, Final("seven", "i")),
    "a failed turn": (FAILED, ServerError("lost", "Lost.", None, False, turn="i")),
    "an error": (
        {"type": "error", "error": {"type": "server_error", "message": "No.", "param": "audio"}},
        ServerError("server_error", "No.", "audio", True),
    ),
    "an error that is a text": (
        {"type": "error", "error": "No."},
        ServerError("rejected", "No.", None, False),
    ),
    "an error without words": (
        {"type": "error"},
        ServerError("rejected", "the server gave no reason", None, False),
    ),
    "settings again": (READY, None),
    "a commit": ({"type": "input_audio_buffer.committed", "item_id": "i"}, None),
    "an item": ({"type": "conversation.item.added", "item": {}}, None),
    "something new": ({"type": "new", "x": 1}, Unknown("new", {"type": "new", "x": 1})),
}  # fmt: skip


@pytest.mark.parametrize(("message", "event"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_becomes_an_event(message, event):
    assert started().receive(json.dumps(message)) == event
    assert started().receive(json.dumps(message).encode()) == event


@pytest.mark.parametrize(
    "message",
    [
        {"type": f"{_ITEM}.delta", "item_id": "i"},
        {"type": f"{_ITEM}.delta", "delta": " a", "end": "soon"},
        {"type": f"{_ITEM}.completed", "item_id": "i"},
        {"type": f"{_ITEM}.completed", "transcript": "", "words": [{"word": "a"}]},
        {"type": f"{_ITEM}.segment", "text": "a"},
    ],
)
def test_a_known_message_without_what_it_is_for_breaks_the_protocol(message):
    with pytest.raises(voxtide.ProtocolError, match="cannot be read"):
        started().receive(json.dumps(message))


def test_the_first_event_is_the_session_as_the_server_took_it():
    protocol = opened()
    assert protocol.receive('{"type": "session.created", "session": {}}') is None
    assert not protocol.ready
    assert protocol.receive(json.dumps(READY)) == SessionReady("s", {"id": "s"})
    assert protocol.ready


def test_settings_that_are_not_given_are_left_to_the_server():
    (text,) = opened(24000).opening()
    session = json.loads(text)["session"]
    assert session["audio"]["input"]["transcription"] == {}
    assert session["audio"]["input"]["format"]["rate"] == 24000


def test_an_odd_rate_is_announced_as_the_rate_that_is_sent():
    (text,) = opened(44056).opening()
    session = json.loads(text)["session"]
    assert session["audio"]["input"]["format"]["rate"] == 16000


def test_a_long_chunk_goes_out_in_pieces_of_a_second():
    protocol = started()
    protocol.feed(np.arange(40000, dtype=np.int16))
    pieces = sent_audio(protocol)
    assert [len(piece) for piece in pieces] == [32000, 32000, 16000]
    assert b"".join(pieces) == np.arange(40000, dtype=np.int16).tobytes()


# Calls in order, each with the types of the texts that it sends.
CALLS = {
    "one turn": [("feed", ["append"]), ("finish", ["commit"])],
    "two turns": [
        ("feed", ["append"]),
        ("flush", ["commit"]),
        ("feed", ["append"]),
        ("finish", ["commit"]),
    ],
    "nothing after a flush": [("feed", ["append"]), ("flush", ["commit"]), ("finish", [])],
    "nothing at all": [("finish", [])],
    "an empty turn asked for": [("flush", ["commit"]), ("finish", [])],
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
def test_calls_become_messages_and_a_commit_is_never_doubled(calls):
    protocol = started()
    for call, expected in calls:
        arguments = [SECOND] if call == "feed" else []
        getattr(protocol, call)(*arguments)
        assert types(protocol) == expected
    assert protocol.done is (not any("commit" in sent for _, sent in calls))


@pytest.mark.parametrize("answer", [COMPLETED, FAILED], ids=["completed", "failed"])
def test_a_session_is_done_when_every_commit_is_answered(answer):
    protocol = started()
    for _ in range(2):
        protocol.feed(SECOND)
        protocol.flush()
    protocol.finish()
    protocol.receive(json.dumps(answer))
    assert not protocol.done
    protocol.receive(json.dumps(answer))
    assert protocol.done
    assert protocol.lost(1000, "") is None
    assert protocol.lost(1006, "") is None


@pytest.mark.parametrize("call", ["feed", "flush", "finish"])
def test_calls_out_of_order_are_mistakes_of_the_program(call):
    arguments = [SECOND] if call == "feed" else []
    with pytest.raises(RuntimeError, match="before the session is ready"):
        getattr(opened(), call)(*arguments)
    protocol = started()
    protocol.finish()
    with pytest.raises(RuntimeError, match=r"after finish\(\)"):
        getattr(protocol, call)(*arguments)


def test_the_tail_of_a_resampled_turn_goes_out_before_its_commit():
    protocol = started(44056)
    protocol.feed(np.zeros(44056, np.float32))
    audio = sent_audio(protocol)
    protocol.flush()
    *tail, commit = texts(protocol)
    assert json.loads(commit)["type"] == "input_audio_buffer.commit"
    audio += [base64.b64decode(json.loads(text)["audio"]) for text in tail]
    assert len(b"".join(audio)) // 2 == 16000


def test_what_is_untranscribed_shrinks_with_the_ends_of_deltas_and_turns():
    protocol = started()
    protocol.feed(np.zeros(48000, np.int16))
    assert protocol.untranscribed is None, "nothing is owed before a commit"
    protocol.flush()
    assert protocol.untranscribed == 3.0
    protocol.receive(json.dumps({"type": f"{_ITEM}.delta", "delta": " a", "end": 1.0}))
    assert protocol.untranscribed == 2.0
    protocol.feed(SECOND)
    protocol.flush()
    protocol.receive(json.dumps(COMPLETED))
    assert protocol.untranscribed == 1.0


def test_an_error_explains_the_end_only_if_it_comes_right_before():
    error = json.dumps({"type": "error", "error": {"message": "Unknown field.", "code": "field"}})
    protocol = started()
    protocol.receive(error)
    protocol.receive('{"type": "input_audio_buffer.committed"}')
    assert protocol.lost(1006, "").code == "disconnected"
    protocol = started()
    protocol.receive(error)
    assert protocol.lost(1006, "").code == "field"
