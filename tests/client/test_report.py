"""What is said of each file: `voxtide.command.report`."""

import pytest

import voxtide
from voxtide.command.display import Quiet
from voxtide.command.report import Outcome, Report


def text(words):
    return Outcome("done", text=f"{words}\n")


def test_texts_come_in_the_order_of_the_files(capsys):
    report = Report(3, Quiet(), as_json=False)
    report.add(1, "b", text("second"))
    assert capsys.readouterr().out == ""
    report.add(0, "a", text("first"))
    assert capsys.readouterr().out == "first\nsecond\n"


def test_a_failed_file_does_not_hold_up_those_behind_it(capsys):
    report = Report(2, Quiet(), as_json=False)
    report.add(1, "b", text("second"))
    report.add(0, "a", Outcome("failed", error=voxtide.RejectedError("No.")))
    assert capsys.readouterr() == ("second\n", "Error: a: No.\n")


def test_at_an_early_end_texts_no_longer_wait(capsys):
    report = Report(4, Quiet(), as_json=False)
    report.add(2, "c", text("third"))
    report.add(1, "b", text("second"))
    report.close()
    assert capsys.readouterr().out == "second\nthird\n"
    assert str(report) == "2 done, 0 skipped, 0 failed of 4 files"


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("skipped", 0), ("failed", 1)])
def test_the_exit_code_tells_of_failed_files(status, code):
    report = Report(1, Quiet(), as_json=False)
    report.add(0, "a", Outcome(status))
    assert report.exit_code == code
