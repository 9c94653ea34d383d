"""Keys and the short-lived secrets that are made from them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from voxtide_server import keys
from voxtide_server.keys import ANYBODY, Caller, Keys
from voxtide_server.start_errors import UsageError

SECRET = "x" * 32


def line(name: str, key: str) -> str:
    return f"{name} sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.write_text(f"# who may come in\n\n{line('anna', 'a-key')}{line('ben', 'b-key')}")
    return file


def failing() -> float | None:
    return REGISTRY.get_sample_value("voxtide_keys_file_failing")


def test_without_keys_everybody_comes_in() -> None:
    open_house = Keys(None, None, SECRET)
    assert not open_house.asked_for
    assert open_house.caller([]) == open_house.caller(["anything"]) == Caller(ANYBODY)


def test_one_key_is_enough() -> None:
    one = Keys("the-key", None, SECRET)
    assert one.caller(["the-key"]) == Caller("key")
    assert one.caller(["wrong", "the-key"]) == Caller("key")
    for wrong in ([], ["the-ke"], ["the-key "], [""], ["\udc80"]):
        assert one.caller(wrong) is None


def test_keys_of_a_file_have_names(file: Path) -> None:
    many = Keys(None, file, SECRET)
    assert many.caller(["a-key"]) == Caller("anna")
    assert many.caller(["b-key"]) == Caller("ben")
    assert many.caller(["c-key"]) is None


def test_a_file_that_changes_is_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "LOOK_S", 0.0)
    many = Keys(None, file, SECRET)
    file.write_text(line("carl", "c-key"))
    assert many.caller(["c-key"]) == Caller("carl")
    assert many.caller(["a-key"]) is None
    file.write_text("nonsense")
    assert many.caller(["c-key"]) == Caller("carl"), "a mistake locks nobody out"
    assert failing() == 1
    file.unlink()
    assert many.caller(["c-key"]) == Caller("carl")
    assert failing() == 1
    file.write_text(line("dora", "d-key"))
    assert many.caller(["d-key"]) == Caller("dora")
    assert failing() == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("anna plain-text", "line 1: a key is 'NAME sha256:HEX'"),
        (f"\n{'anna sha256:' + 'f' * 63}", "line 2: a key is"),
        (line("anna", "a") + line("anna", "b"), "line 2: the name anna is there twice"),
        (line("an na", "a"), "line 1: a key is"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        Keys(None, file, SECRET)
    assert told in str(caught.value)


def test_a_file_may_not_name_a_key_as_the_one_that_is_set(file: Path) -> None:
    file.write_text(line("key", "a"))
    with pytest.raises(UsageError, match="the name key is that"):
        Keys("b", file, SECRET)


def test_a_file_that_could_not_be_read_is_tried_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LOOK_S", 0.0)
    many = Keys(None, file, SECRET)
    file.write_text(line("carl", "c-key"))
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(PermissionError))
    assert many.caller(["a-key"]) == Caller("anna")
    monkeypatch.setattr(Path, "read_text", real)
    assert many.caller(["a-key"]) is None
    assert many.caller(["c-key"]) == Caller("carl")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Keys(None, tmp_path / "none", SECRET)


def test_a_secret_stands_for_its_key_on_every_replica(file: Path) -> None:
    first = {"type": "session.update", "session": {"language": "de"}}
    secret = Keys(None, file, SECRET).mint("ek", "anna", 2**40, first)
    assert secret.startswith("ek_")
    assert Keys(None, file, SECRET).caller([secret]) == Caller("anna", True, first)
    assert Keys(None, file, "y" * 32).caller([secret]) is None, "another deployment"


def test_a_secret_ends_with_its_time_and_with_its_key(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LOOK_S", 0.0)
    many = Keys(None, file, SECRET)
    assert many.caller([many.mint("ek", "anna", 1)]) is None
    secret = many.mint("ek", "anna", 2**40)
    file.write_text(line("ben", "b-key"))
    assert many.caller([secret]) is None


def test_a_secret_that_was_changed_is_none(file: Path) -> None:
    many = Keys(None, file, SECRET)
    secret = many.mint("ek", "anna", 2**40)
    for place in range(3, len(secret)):
        changed = secret[:place] + ("A" if secret[place] != "A" else "B") + secret[place + 1 :]
        # The last character of a base64 text has bits that nobody reads.
        if place != len(secret) - 1:
            assert many.caller([changed]) is None
    for nonsense in ("ek_", "ek_.", "ek_a.b", "ek_é.ü", "_", "."):
        assert many.caller([nonsense]) is None


def test_a_new_key_goes_to_the_file_as_its_hash(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert keys.main(["anna"]) == 0
    out, err = capsys.readouterr()
    file = tmp_path / "keys"
    file.write_text(out)
    assert Keys(None, file, SECRET).caller([err.strip()]) == Caller("anna")
    assert keys.main([]) == keys.main(["an na"]) == 2
