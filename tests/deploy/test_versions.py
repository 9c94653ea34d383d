import pytest

from voxtide_server import versions


@pytest.mark.parametrize("version", ["0.32.0", "0.32.1+cpu"])
def test_a_release_that_was_proved_is_taken(version: str) -> None:
    versions.check(version)


@pytest.mark.parametrize("version", ["0.31.0", "0.33.0", "0.320.0", "1.32.0", "of unknown version"])
def test_another_release_is_refused_in_one_line(version: str) -> None:
    with pytest.raises(versions.UnsupportedVersion) as caught:
        versions.check(version)
    assert str(caught.value) == f"voxtide supports vLLM 0.32.x, not {version}"
