"""What the dialects are asked and told in the tests."""

import base64
from typing import Any

import numpy as np

from voxtide_server.dialects import (
    Dialect,
    Message,
)
from voxtide_server.events import (
    Completed,
    Segment,
    Word,
)
from voxtide_server.service import Service

SERVICE = Service("sess_1", ("nano", "voxtral"), 480)
PCM = base64.b64encode(np.array([0, 16384], "<i2").tobytes()).decode()
ITEM = "conversation.item.input_audio_transcription"

WORD = Word("seven", 1.0, 1.36)
SEGMENT = Segment(0, "seven", (WORD,), (104,))
COMPLETED = Completed("item_1", "seven", (SEGMENT,), 0.5, 2.0, 39, 27)


def update(**given: Any) -> Message:
    return {
        "type": "session.update",
        "session": {"type": "transcription", "audio": {"input": given}},
    }


def beta(**given: Any) -> Message:
    return {"type": "transcription_session.update", "session": given}


def mistral(**session: Any) -> Message:
    return {"type": "session.update", "session": session}


def told(dialect: Dialect, event: Any) -> list[Message]:
    messages = dialect.encode(event)
    ids = [m.pop("event_id") for m in messages]
    assert len(set(ids)) == len(ids)
    return messages
