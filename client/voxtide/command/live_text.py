"""The text of the turn that is being spoken."""

from ..events import Event, Final, Partial, Resumed, Segment, ServerError


class LiveText:
    """Follows the events of a session.

    Attributes:
        text: What was said in the turn so far.
        settled: How much of it, in characters, a finished segment holds.
    """

    def __init__(self) -> None:
        self.text = ""
        self.settled = 0

    def take(self, event: Event) -> None:
        """Follow an event."""
        match event:
            case Partial(text=text):
                self.text += text
            case Segment():
                self.settled = len(self.text)
            case Resumed(text=text):
                self.text = text
                self.settled = min(self.settled, len(text))
            case Final() | ServerError(turn=str()):
                self.text, self.settled = "", 0
