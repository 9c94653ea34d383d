"""Train the model on clips mixed from the bank.

``python -m nano.train --bank BANK --dev DEV --folder RUN --steps N`` goes on from RUN's last
checkpoint if there is one, to the bit as if it had never stopped. As long as the learning rate has
not begun to fall, a run may be started again with another N, to end it earlier or later. Two
processes of one thread each share a step: on two cores that is faster than one process of two.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from nano import bank
from nano.clips import IGNORED, Batch, Mixer, batch
from nano.decoding import decode_all
from nano.manifest import examples
from nano.model import NanoModel
from nano.scoring import score
from nano.vocabulary import FIRST_WORD

SEED: Final = 20261122
RANKS: Final = 2
CLIPS: Final = 4  # in each rank
TOKENS: Final = 192  # 15.4 s
# Every sixth step has few long clips, so that the windows slide as in a long stream.
LONG_EVERY: Final = 6
LONG_FACTOR: Final = 4
LOG_EVERY: Final = 50
SAVE_EVERY: Final = 250
DEV_DELAY: Final = 6
AVERAGING: Final = 0.998


@dataclass(frozen=True)
class Schedule:
    """Learning rate by step: a short rise, a plateau, and a straight fall to zero."""

    steps: int
    peak: float = 3e-3
    rise: int = 200
    fall: float = 0.35

    def rate(self, step: int) -> float:
        falling = (self.steps - step) / (self.fall * self.steps)
        return self.peak * min(1.0, (step + 1) / self.rise, falling)

    def phone_weight(self, step: int) -> float:
        """Weight of the auxiliary loss: it leads at first and fades."""
        return 1.0 if step < 1500 else 0.3


@dataclass(frozen=True)
class Losses:
    token: Tensor
    phone: Tensor


def losses(model: NanoModel, clips: Batch) -> Losses:
    """Mean cross-entropies of a batch, in nats; tokens of words count twice."""
    with torch.autocast("cpu", torch.bfloat16):
        scores, phones = model(clips.mel, clips.text, clips.delay, clips.audio_present)
    labels = clips.labels.flatten()
    each = functional.cross_entropy(
        scores.float().flatten(0, 1), labels, ignore_index=IGNORED, reduction="none"
    )
    weight = (labels != IGNORED).float() + (labels >= FIRST_WORD).float()
    phone = functional.cross_entropy(
        phones.float().flatten(0, 1), clips.phones.flatten(), ignore_index=IGNORED
    )
    return Losses((each * weight).sum() / weight.sum(), phone)


def optimizers(model: NanoModel) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for all the rest."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        inner = name.startswith(("encoder.", "decoder.", "adapter."))
        (matrices if inner and parameter.ndim == 2 else others).append(parameter)
    return [
        torch.optim.Muon(
            matrices, lr=0.0, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Run:
    """A training run in a folder: state, checkpoints and the log."""

    def __init__(self, folder: Path, schedule: Schedule) -> None:
        self.folder, self.schedule = folder, schedule
        torch.manual_seed(SEED)
        self.model = NanoModel()
        self.average = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.optimizers = optimizers(self.model)
        self.step = 0

    def resume(self) -> None:
        """Load the newest checkpoint, if there is one."""
        found = sorted(self.folder.glob("step-*.pt"))
        if not found:
            return
        state = torch.load(found[-1], weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step = state["step"]

    def save(self) -> Path:
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
        }
        path = self.folder / f"step-{self.step:06}.pt"
        torch.save(state, path.with_suffix(".partial"))
        return path.with_suffix(".partial").rename(path)

    def advance(self, clips: Batch) -> Losses:
        """One step on this rank's clips, gradients averaged over the ranks."""
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = self.schedule.rate(self.step)
        found = losses(self.model, clips)
        total = found.token + self.schedule.phone_weight(self.step) * found.phone
        total.backward()  # type: ignore[no-untyped-call]
        _share_gradients(self.model)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        # Young averages forget faster, or they would hold on to the first steps.
        keep = min(AVERAGING, self.step / (self.step + 20))
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self.average[name].lerp_(parameter, 1 - keep)
        return found


def _share_gradients(model: NanoModel) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, part in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(part.view_as(gradient))


def averaged_model(checkpoint: Path) -> NanoModel:
    """The model with the running average of a checkpoint's weights: the one that is exported."""
    model = NanoModel()
    state = torch.load(checkpoint, weights_only=True)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(state["average"][name])
    return model.eval()


def _batches(mixer: Mixer, rank: int, first: int, steps: int) -> Iterator[Batch]:
    for step in range(first, steps):
        long = step % LONG_EVERY == LONG_EVERY - 1
        clips, tokens = (CLIPS // LONG_FACTOR, TOKENS * LONG_FACTOR) if long else (CLIPS, TOKENS)
        yield batch(mixer, (SEED, step, rank), clips, tokens)


def _log(folder: Path, row: dict[str, float | int | str]) -> None:
    """Append a row, and drop what an interrupted run had logged beyond its last checkpoint."""
    path = folder / "log.csv"
    before: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            before = [old for old in csv.DictReader(file) if int(old["step"]) < int(row["step"])]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows([*before, row])


def dev_error_rate(checkpoint: Path, dev: Path) -> float:
    """Word error rate of a checkpoint's averaged weights on the development set, at 480 ms."""
    set_ = examples(dev)
    found = decode_all(averaged_model(checkpoint), [one.audio for one in set_], DEV_DELAY)
    return score(set_, found)["all"].word_error_rate


def train(rank: int, bank_folder: Path, dev: Path, folder: Path, schedule: Schedule) -> None:
    """The work of one rank, to the end of the schedule."""
    torch.set_num_threads(1)
    rendezvous = (folder / "rendezvous").resolve().as_uri()
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=RANKS)
    run = Run(folder, schedule)
    run.resume()
    mixer = Mixer(bank.load(bank_folder))
    sums, since = torch.zeros(2), time.monotonic()
    for clips in _batches(mixer, rank, run.step, schedule.steps):
        found = run.advance(clips)
        sums += torch.stack((found.token.detach(), found.phone.detach()))
        if run.step % LOG_EVERY == 0:
            dist.all_reduce(sums)
            token, phone = (sums / (LOG_EVERY * RANKS)).tolist()
            row: dict[str, float | int | str] = {
                "step": run.step,
                "rate": round(schedule.rate(run.step), 6),
                "token_loss": round(token, 4),
                "phone_loss": round(phone, 4),
                "audio_hours": round(run.step * RANKS * CLIPS * TOKENS * 0.08 / 3600, 2),
                "seconds_per_step": round((time.monotonic() - since) / LOG_EVERY, 3),
                "dev_error_rate": "",
            }
            if rank == 0:
                if run.step % SAVE_EVERY == 0 or run.step == schedule.steps:
                    checkpoint = run.save()
                    row["dev_error_rate"] = round(dev_error_rate(checkpoint, dev), 4)
                _log(folder, row)
            sums.zero_()
            since = time.monotonic()
    dist.destroy_process_group()


def run_ranks(bank_folder: Path, dev: Path, folder: Path, schedule: Schedule) -> None:
    """Train in ``RANKS`` processes; returns when the schedule has been done."""
    if schedule.steps % LOG_EVERY:
        raise ValueError(f"the number of steps must be a multiple of {LOG_EVERY}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rendezvous").unlink(missing_ok=True)
    with ProcessPoolExecutor(RANKS, get_context("spawn")) as pool:
        arguments = (bank_folder, dev, folder, schedule)
        for job in [pool.submit(train, rank, *arguments) for rank in range(RANKS)]:
            job.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True, help="development set")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    arguments = parser.parse_args()
    run_ranks(arguments.bank, arguments.dev, arguments.folder, Schedule(arguments.steps))


if __name__ == "__main__":
    main()
