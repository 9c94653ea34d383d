"""The tree of errors."""

import re

import pytest

import voxtide
from voxtide import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, errors.VoxtideError)
]


def test_the_tree_that_is_drawn_is_the_tree_that_is():
    drawn = dict(re.findall(r"(\w+Error)( \*)?", errors.__doc__.partition("Mistakes")[0]))
    assert set(drawn) == {kind.__name__ for kind in CLASSES}
    assert {name for name, star in drawn.items() if star} == {
        kind.__name__ for kind in CLASSES if kind.retryable
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_all_there_is_to_say(kind):
    error = kind("It is so.", param="audio", status=400, close_code=1008)
    assert (error.message, str(error)) == ("It is so.", "It is so. (field: audio)")
    assert (error.param, error.status, error.close_code) == ("audio", 400, 1008)
    assert error.code == kind.default_code
    assert kind("It is so.", code="own").code == "own"
    assert str(kind("It is so.")) == "It is so."


def test_codes_are_unique_and_every_error_is_exported():
    assert len({kind.default_code for kind in CLASSES}) == len(CLASSES)
    assert {kind.__name__ for kind in CLASSES} <= set(voxtide.__all__)
