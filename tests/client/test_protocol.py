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


def say(protocol, *messages):
    """The events of these messages."""
    events = [protocol.receive(json.dumps(message)) for message in messages]
    return [event for event in events if event is not None]


def delta(text, end, turn="a"):
    return {"type": f"{_ITEM}.delta", "item_id": turn, "delta": text, "end": end}


def acknowledged(position, *words, turn_start=0.0):
    told = [{"word": w.word, "start": w.start, "end": w.end} for w in words]
    kind = "session.acknowledged"
    return {"type": kind, "position": position, "turn_start": turn_start, "words": told}


def cut(protocol):
    """The connection is lost, and another one opened."""
    assert protocol.lost(1006, "") is not None
    (opening,) = protocol.opening()
    (resumed,) = say(protocol, READY)
    return json.loads(opening)["session"], resumed


ONE, TWO, THREE = Word("one", 0.1, 0.4), Word("two", 1.0, 1.3), Word("three", 2.0, 2.4)


def test_a_segment_that_a_cut_runs_through_is_whole():
    protocol = started(dialect="voxtide")
    protocol.feed(np.zeros(48000, np.int16))
    texts(protocol)
    say(protocol, delta(" one", 0.4), delta(" two", 1.3), acknowledged(1.5, ONE, TWO))
    cut(protocol)
    words = [{"word": "three", "start": 2.0, "end": 2.4}]
    segment = {"type": f"{_ITEM}.segment", "item_id": "b", "id": "s", "text": "three"}
    times = {"start": 2.0, "end": 2.4, "words": words}
    (_, event) = say(protocol, delta(" three", 2.4, "b"), segment | times)
    assert event == Segment("s", "one two three", 0.1, 2.4, (ONE, TWO, THREE), "a")


def test_a_turn_that_is_cut_twice_is_whole():
    protocol = started(dialect="voxtide")
    protocol.feed(np.zeros(48000, np.int16))
    protocol.finish()
    texts(protocol)
    say(protocol, delta(" one", 0.4), acknowledged(0.7, ONE), delta(" tw", 1.3))
    session, resumed = cut(protocol)
    assert session["resume"]["at"] == 0.0
    assert session["resume"]["words_after"] == 0.7
    assert (resumed.at, resumed.turn, resumed.text) == (0.7, "a", " one")
    assert len(b"".join(sent_audio(protocol))) == 96000, "what led there is heard again"
    say(protocol, delta(" two", 1.3, "b"), acknowledged(1.6, TWO), delta(" t", 2.4, "b"))
    session, resumed = cut(protocol)
    assert (resumed.at, resumed.turn, resumed.text) == (1.6, "a", " one two")
    assert types(protocol)[-1] == "commit", "it is owed still"
    words = [{"word": "three", "start": 2.0, "end": 2.4}]
    committed = {"type": "input_audio_buffer.committed", "item_id": "c"}
    final = {"transcript": "three", "words": words, "start": 0.0, "end": 3.0}
    events = say(
        protocol, delta(" three", 2.4, "c"), committed, COMPLETED | final | {"item_id": "c"}
    )
    assert events[-1] == Final("one two three", "a", (ONE, TWO, THREE), 0.0, 3.0)
    assert protocol.done


def test_what_came_after_the_acknowledged_position_is_taken_back():
    protocol = started(dialect="voxtide")
    protocol.feed(np.zeros(48000, np.int16))
    texts(protocol)
    say(protocol, delta(" one", 0.4), delta(" two", 1.3), acknowledged(0.7, ONE))
    _, resumed = cut(protocol)
    assert resumed.text == " one"


def test_turns_that_the_server_ends_are_told_once_and_answer_no_commit():
    protocol = started(dialect="voxtide", turn_detection=voxtide.TurnDetection(silence=1.0))
    (opening,) = opened(
        dialect="voxtide", turn_detection=voxtide.TurnDetection(silence=1.0)
    ).opening()
    detection = json.loads(opening)["session"]["audio"]["input"]["turn_detection"]
    assert (detection["type"], detection["silence_duration_ms"]) == ("server_vad", 1000)
    protocol.feed(SECOND)
    protocol.finish()
    texts(protocol)
    begun = {"type": "input_audio_buffer.speech_started", "item_id": "a", "audio_start_ms": 200}
    ended = {"type": "input_audio_buffer.speech_stopped", "item_id": "a", "audio_end_ms": 900}
    committed = {"type": "input_audio_buffer.committed", "item_id": "a"}
    assert say(protocol, begun, ended, committed) == [
        voxtide.TurnStarted("a", 0.2),
        voxtide.TurnEnded("a", 0.9),
    ]
    cut(protocol)
    again = [message | {"item_id": "x"} for message in (begun, ended, committed)]
    assert say(protocol, *again) == [], "it was told before"
    (final,) = say(protocol, COMPLETED | {"item_id": "x", "end": 0.9})
    assert (final.turn, protocol.done) == ("a", False)
    say(protocol, committed | {"item_id": "y"}, COMPLETED | {"item_id": "y", "end": 1.0})
    assert protocol.done


def test_a_turn_that_only_the_lost_connection_had_ended_is_answered():
    """The next one did not hear the pause: the program's own commit ends the turn there."""
    protocol = started(dialect="voxtide", turn_detection=voxtide.TurnDetection())
    protocol.feed(SECOND)
    protocol.finish()
    ended = {"type": "input_audio_buffer.speech_stopped", "item_id": "a", "audio_end_ms": 900}
    committed = {"type": "input_audio_buffer.committed", "item_id": "a"}
    texts(protocol)
    say(protocol, ended, committed)
    cut(protocol)
    say(protocol, committed | {"item_id": "x"}, COMPLETED | {"item_id": "x", "end": 1.0})
    assert protocol.done


def test_a_failed_turn_that_nobody_had_committed_answers_no_commit():
    protocol = started(dialect="voxtide")
    protocol.feed(SECOND)
    protocol.finish()
    say(protocol, FAILED)
    assert not protocol.done
    say(protocol, {"type": "input_audio_buffer.committed", "item_id": "j"})
    say(protocol, COMPLETED | {"item_id": "j", "transcript": ""})
    assert protocol.done


def test_an_unacknowledged_stream_is_full_and_an_acknowledged_one_is_not():
    protocol = started(dialect="voxtide")
    for _ in range(120):
        assert not protocol.full
        protocol.feed(SECOND)
    texts(protocol)
    assert protocol.full
    say(protocol, acknowledged(60.0))
    assert not protocol.full


def test_without_a_connection_only_so_much_is_kept():
    for dialect in ("voxtide", "openai"):
        protocol = started(dialect=dialect)
        protocol.feed(SECOND)
        texts(protocol)
        protocol.lost(1006, "")
        for _ in range(120):
            protocol.feed(SECOND)
        assert protocol.full
        protocol.opening()
        say(protocol, READY)
        texts(protocol)
        assert protocol.full is (dialect == "voxtide"), "it waits for an acknowledgement"


def test_who_acknowledges_nothing_has_the_oldest_audio_dropped_and_says_so():
    protocol = started(dialect="openai")
    for number in range(150):
        protocol.feed(np.full(16000, number, np.int16))
        texts(protocol)
    assert not protocol.full
    _, resumed = cut(protocol)
    assert resumed.lost == pytest.approx(30, abs=2)
    first = np.frombuffer(sent_audio(protocol)[0], "<i2")[0]
    assert first == pytest.approx(30, abs=2)


def test_times_of_a_server_that_counts_from_its_own_start_run_on():
    protocol = started(dialect="mistral")
    protocol.feed(np.zeros(32000, np.int16))
    protocol.flush()
    texts(protocol)
    say(protocol, {"type": "transcription.done", "text": "one"})
    protocol.feed(SECOND)
    texts(protocol)
    _, resumed = cut(protocol)
    assert resumed.at == 2.0
    message = {"type": "transcription.segment", "text": "two", "start": 0.1, "end": 0.4}
    (segment,) = say(protocol, message)
    assert (segment.start, segment.end) == pytest.approx((2.1, 2.4))


def test_vllm_begins_and_ends_each_turn():
    protocol = started(dialect="vllm", model="nano")
    protocol.receive('{"type": "session.created", "id": "s"}')
    for _ in range(2):
        protocol.feed(SECOND)
        protocol.flush()
    sent = [json.loads(text) for text in texts(protocol)]
    assert [m.get("final", "audio") for m in sent] == [False, "audio", True] * 2


def test_a_turn_that_is_final_without_a_commit_is_not_heard_again():
    protocol = started(dialect="voxtide")
    protocol.feed(np.zeros(48000, np.int16))
    texts(protocol)
    committed = {"type": "input_audio_buffer.committed", "item_id": "a"}
    final = {"transcript": "one two", "start": 0.0, "end": 1.5, "item_id": "a"}
    say(protocol, delta(" one", 0.4), delta(" two", 1.3), committed, COMPLETED | final)
    session, resumed = cut(protocol)
    assert session["resume"] == {
        "at": 1.5,
        "previous_item_id": "a",
        "turn_start": None,
        "words_after": 1.5,
    }
    assert (resumed.at, resumed.text) == (1.5, "")


@pytest.mark.parametrize("rate", [11025, 22050, 44100, 48000])
def test_a_word_that_ends_where_all_is_acknowledged_stays_at_any_rate(rate):
    """At most rates that is not the place of a sample."""
    protocol = started(rate, dialect="voxtide")
    protocol.feed(np.zeros(3 * rate, np.int16))
    texts(protocol)
    for end in (1.301, 1.302, 1.303):
        word = Word("one", 1.0, end)
        say(protocol, delta(" one", end), acknowledged(end, word, turn_start=end))
        session, resumed = cut(protocol)
        assert resumed.text.split()[-1] == "one"
        assert session["resume"]["at"] == pytest.approx(end, abs=1 / rate)
        assert session["resume"]["turn_start"] == session["resume"]["at"]
        texts(protocol)
