"""How large a loss the evaluation's gate finds, and how often it fails what is equal.

    python -m tests.benchmarks.gate_power

draws runs of utterances of 10 words, of which a base misses one in ten, and lets the gate judge
them with its own limits. A run has the base's errors and loses more words ("lost"), or errors of
its own, as many more ("other").
"""

from __future__ import annotations

import argparse

import numpy as np

from tests.eval.made import pairs, spoken
from voxtide_eval.gate import gate
from voxtide_eval.scoring import score

WORDS = (500, 1_500, 5_000, 20_000)
LOSSES = {"lost": (0.0, 1.0, 1.25, 2.0), "other": (0.0, 1.5, 2.5, 3.5, 6.0)}
"""Points of word error rate."""
WRONG = 0.1
"""Of the base's words."""
_PER_UTTERANCE = 10


def failed(kind: str, utterances: int, points: float, random: np.random.Generator) -> bool:
    """Whether the gate fails one run that is worse by so many points, on average."""
    base = spoken(utterances, random, wrong=WRONG)
    if kind == "lost":
        more = points / 100 / (1 - WRONG)  # of the words that the base has right
        came = [[w for w in heard if w == "wrong" or random.random() >= more] for _, heard in base]
    else:
        other = spoken(utterances, random, wrong=WRONG + points / 100)
        came = [heard for _, heard in other]
    texts = [(" ".join(said), " ".join(heard)) for (said, _), heard in zip(base, came, strict=True)]
    same = [(" ".join(said), " ".join(heard)) for said, heard in base]
    return not gate(score(pairs(*texts)), score(pairs(*same)))[0].passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50, help="of each kind and size")
    args = parser.parse_args()
    print("| words | errors | loss, points | failed |")
    print("| --- | --- | --- | --- |")
    for words in WORDS:
        for kind, losses in LOSSES.items():
            for points in losses:
                random = np.random.default_rng(words)
                fails = [
                    failed(kind, words // _PER_UTTERANCE, points, random) for _ in range(args.runs)
                ]
                print(f"| {words} | {kind} | {points} | {sum(fails)} of {args.runs} |", flush=True)


if __name__ == "__main__":
    main()
