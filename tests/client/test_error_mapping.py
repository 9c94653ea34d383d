"""What the ends of connections and the errors of servers mean."""

import pytest

import voxtide
from voxtide import error_mapping


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, "Authentication"),
        ({"type": "authentication_error"}, "Authentication"),
        ({"type": "server_error", "code": "overloaded"}, "Overloaded"),
        ({"code": "rate_limit_exceeded"}, "Overloaded"),
        ({"type": "server_error", "code": "engine_lost"}, "ServerFailed"),
        ({"type": "invalid_request_error", "code": "invalid_value"}, "Rejected"),
        ({}, "Rejected"),
    ],
)
def test_the_code_says_more_than_the_type(error, kind):
    assert type(error_mapping.from_error_object(error)) is getattr(voxtide, f"{kind}Error")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, "Disconnected"),
        (1001, "Disconnected"),
        (1003, "Rejected"),
        (1006, "Disconnected"),
        (1008, "Rejected"),
        (1009, "Rejected"),
        (1011, "ServerFailed"),
        (1012, "Disconnected"),
        (1013, "Overloaded"),
        (1015, "Disconnected"),
        (3000, "Authentication"),
        (4004, "Rejected"),
    ],
)
def test_close_codes(code, kind):
    error = error_mapping.from_close(code, "", None)
    assert type(error) is getattr(voxtide, f"{kind}Error")
    assert error.close_code == code
    assert f"close code {code}" in str(error)


def test_a_reported_error_gives_its_words_and_a_vague_close_code_its_kind():
    reported = voxtide.AuthenticationError("The key has expired.", code="expired", param="key")
    for code, kind in (
        (1008, voxtide.AuthenticationError),
        (1000, voxtide.AuthenticationError),
        (1013, voxtide.OverloadedError),
    ):
        error = error_mapping.from_close(code, "ignored", reported)
        assert type(error) is kind
        assert (error.message, error.code, error.param) == (
            "The key has expired.", "expired", "key",
        )  # fmt: skip
