"""What a connection or a request is served with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import BadInput, UnknownModel


@dataclass(frozen=True, slots=True)
class Service:
    """What a connection gets.

    Attributes:
        session_id: of this connection.
        models: the names under which the model is served.
        delay_ms: between audio and text, the same for all sessions of an engine.
        expires_at: when the session ends at the latest, in seconds since the epoch.
    """

    session_id: str
    models: tuple[str, ...]
    delay_ms: int
    expires_at: int | None = None


def check_model(model: object, served: Sequence[str], param: str) -> None:
    """Refuse a model that is not served; None stands for the one that is.

    Args:
        model: as the client gave it.
        served: the names that are right.
        param: the field that it came in, for the error.

    Raises:
        BadInput: it is no text, or another model's name.
    """
    if model is None or model in served:
        return
    if not isinstance(model, str):
        raise BadInput("invalid_value", f"The field '{param}' must be text.", param)
    raise UnknownModel(model, served[0], param)
