"""Make the nano checkpoint from nothing: speech, test sets, training, export.

``python -m nano.build`` runs every stage that has not been run yet and goes on where it was
interrupted. ``python -m nano.build export`` runs one stage only.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nano import bank, testsets, train
from nano.export import export

ROOT: Final = Path(__file__).parents[1]
CHECKPOINT: Final = ROOT / "deploy" / "voxtide_server" / "nano"
CURVE: Final = ROOT / "nano" / "training_log.csv"
STEPS: Final = 3300


def record(work: Path) -> None:
    """Speech for training and for the test sets."""
    bank.build(work / "bank")
    testsets.record(work / "bank", work / "testsets")


def fit(work: Path) -> None:
    """Train to the end of the schedule."""
    train.run_ranks(work / "bank", work / "testsets" / "dev", work / "run", train.Schedule(STEPS))


def publish(work: Path) -> None:
    """Write the newest checkpoint's averaged weights and the curve into the repository."""
    newest = max((work / "run").glob("step-*.pt"))
    export(train.averaged_model(newest), CHECKPOINT)
    shutil.copyfile(work / "run" / "log.csv", CURVE)
    print(f"exported {newest.name} to {CHECKPOINT}")


STAGES: Final = {"record": record, "train": fit, "export": publish}


def main(arguments: Sequence[str]) -> None:
    """Run the stages that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    # Python 3.11 compares a default with the choices, too.
    parser.add_argument("stages", nargs="*", choices=(*STAGES, []), default=[])
    parser.add_argument("--work", type=Path, default=ROOT / "nano" / "work")
    options = parser.parse_args(arguments)
    for stage in options.stages or STAGES:
        STAGES[stage](options.work)


if __name__ == "__main__":
    main(sys.argv[1:])
