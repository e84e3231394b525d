"""Keepers of training state: a run that was killed resumes where it stopped, with the same result.

The state on disk is safetensors and JSON, never pickle: weights, the optimizer's moments, the random generators, the
best epoch so far and the position. `training.json` names the files with their SHA-256 and is replaced last, so that
whatever moment the process dies in, what it names is whole.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from advisor.base.files import sealed, unsealed, write
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.writing import writing_as
from advisor.records.diagnostics import CurvePoint
from advisor.records.output_folder import clear_state, tidy_state
from advisor.records.run_folder import sha256

FILE = "training.json"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight
CPU_RANDOM, GPU_RANDOM = "random.cpu", "random.gpu"
MOST_SHARE = 0.05  # of the time that saving may take
Quality = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Position:
    """Where training is. stage: which part of the step; done: its batches so far; best: quality of its best epoch,
    which ended after `best_done` batches. before: batches of the stages before this one.

    config: of the model at this stage. gone: blocks (stack, number) chosen to go so far. seconds: that the step has
    taken so far. threads: of the process that saved it, on which the last digits of its weights depend.
    """

    stage: int = 0
    done: int = 0
    best: Quality | None = None
    best_done: int = 0
    config: Mapping[str, Any] | None = None
    gone: Sequence[tuple[str, int]] = ()
    seconds: float = 0.0
    threads: int = 0
    before: int = 0


class Keeper:
    """Keeps the best weights and the curve in memory and nothing else: for training that need not be resumed."""

    position = Position()
    scratch: Path | None = None  # a folder for temporary files
    curve: tuple[CurvePoint, ...] = ()  # of the whole step so far

    def __init__(self) -> None:
        self._best: dict[str, Tensor] = {}
        self.begun = time.monotonic()

    def resumed(self, student: Scorer) -> tuple[int, Scorer]:
        """The stage to resume, and a student of its shape (the weights come with `restore`)."""
        return 0, student

    def restore(self, stage: int, model: nn.Module, optimizer: Optimizer) -> Position:
        """Put back what was saved within this stage; an empty position where nothing was."""
        self._best = {}
        return Position(stage)

    def due(self, epoch_ends: bool) -> bool:
        """Is it time to save?"""
        return False

    def save(self, position: Position, model: nn.Module, optimizer: Optimizer) -> None:
        """Save the state after a batch."""

    def note(self, gone: Sequence[tuple[str, int]]) -> None:
        """Save which blocks were chosen to go."""

    def keep_best(self, position: Position, weights: Mapping[str, Tensor]) -> None:
        """Keep weights that are better than those before."""
        self._best = {name: tensor.clone() for name, tensor in weights.items()}

    def best(self) -> Iterator[tuple[str, Tensor]]:
        """The weights that were kept last, one after another."""
        yield from self._best.items()

    def batches(self) -> int:
        """Batches of the step so far, by its curve."""
        return self.curve[-1].batches if self.curve else 0

    def seconds(self) -> float:
        """Seconds that the step has taken so far, over all attempts."""
        return time.monotonic() - self.begun


class DiskKeeper(Keeper):
    """Keeps the state of one step in a folder.

    Args:
        folder: made where it is missing; state of something else in it is removed.
        made_of: fingerprint of all that decides the step's outcome.
        every: seconds between two savings; 0 saves after each batch.

    Attributes:
        remark: what was found, in words; empty where nothing was.
    """

    def __init__(self, folder: Path, made_of: str, every: float = 60.0) -> None:
        super().__init__()
        self.folder, self.scratch = folder, folder
        self.made_of, self.every = made_of, every
        self.files: dict[str, dict[str, str]] = {}
        self.saved, self.took = time.monotonic(), 0.0
        self.position, self.remark = self._found()
        self._make_room()

    def resumed(self, student: Scorer) -> tuple[int, Scorer]:
        config = self.position.config
        if config is None:
            return 0, student
        model = student.model
        found = type(model)(type(model.config).from_dict(dict(config)))
        return self.position.stage, student.around(writing_as(found, model))

    def restore(self, stage: int, model: nn.Module, optimizer: Optimizer) -> Position:
        if self.position.config is None or stage != self.position.stage:
            return Position(stage)
        device = next(model.parameters()).device
        with safe_open(self.folder / self.files["state"]["name"], "pt") as tensors, torch.no_grad():
            for name, tensor in weights(model):
                tensor.copy_(tensors.get_tensor(f"model.{name}"))
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    moments = {key: tensors.get_tensor(f"{key}.{name}").to(device) for key in MOMENTS}
                    optimizer.state[parameter] = moments
            self._restore_random(tensors, device)
        return self.position

    def due(self, epoch_ends: bool) -> bool:
        if self.every == 0:
            return True
        since, least = time.monotonic() - self.saved, self.took / MOST_SHARE
        return since >= (least if epoch_ends else max(self.every, least))

    def save(self, position: Position, model: nn.Module, optimizer: Optimizer) -> None:
        begun = time.monotonic()
        tensors = {f"model.{name}": tensor.detach() for name, tensor in weights(model)}
        for name, parameter in model.named_parameters():
            for key, tensor in optimizer.state.get(parameter, {}).items():
                tensors[f"{key}.{name}"] = tensor
        tensors[CPU_RANDOM] = torch.get_rng_state()
        if (device := next(model.parameters()).device).type == "cuda":
            tensors[GPU_RANDOM] = torch.cuda.get_rng_state(device)
        self._write("state", f"state-{position.stage}-{position.done}", tensors)
        self._name(position)
        self.saved = time.monotonic()
        self.took = self.saved - begun

    def note(self, gone: Sequence[tuple[str, int]]) -> None:
        self._name(Position(gone=gone))

    def keep_best(self, position: Position, weights: Mapping[str, Tensor]) -> None:
        self._write("best", f"best-{position.stage}-{position.done}", weights)

    def best(self) -> Iterator[tuple[str, Tensor]]:
        with safe_open(self.folder / self.files["best"]["name"], "pt") as tensors:
            yield from ((name, tensors.get_tensor(name)) for name in tensors.keys())  # noqa: SIM118

    def seconds(self) -> float:
        return self.position.seconds + time.monotonic() - self.begun

    def forget(self) -> None:
        """The step is done: its state is of no more use."""
        clear_state(self.folder)

    def _make_room(self) -> None:
        if self.position == Position():
            clear_state(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._tidy()

    def _restore_random(self, tensors: Any, device: torch.device) -> None:
        torch.set_rng_state(tensors.get_tensor(CPU_RANDOM))
        if device.type == "cuda":
            torch.cuda.set_rng_state(tensors.get_tensor(GPU_RANDOM), device)

    def _found(self) -> tuple[Position, str]:
        """The position that was saved, where all files are whole and were made of the same things."""
        if not (self.folder / FILE).exists():
            return Position(), ""
        try:
            found = unsealed((self.folder / FILE).read_bytes())
            best = found["position"]["best"]
            gone = tuple((stack, number) for stack, number in found["position"]["gone"])
            position = Position(**{**found["position"], "best": best and tuple(best), "gone": gone})
            files, made_of = found["files"], found["made_of"]
            curve = tuple(CurvePoint(**point) for point in found["curve"])
            damaged = [one["name"] for one in files.values() if sha256(self.folder / one["name"]) != one["sha256"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            damaged, made_of = [FILE], self.made_of
        if made_of != self.made_of:
            return Position(), "training starts over: its saved state belongs to other settings or inputs"
        if damaged:
            return Position(), f"training starts over: its saved state is damaged ({', '.join(damaged)})"
        self.files, self.curve = files, curve
        return position, f"{'training' if files else 'the choice of layers'} resumes where it stopped{_other(position)}"

    def _write(self, kind: str, name: str, tensors: Mapping[str, Tensor]) -> None:
        file = self.folder / f"{name}.safetensors"
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, file)
        self.files = {**self.files, kind: {"name": file.name, "sha256": sha256(file)}}

    def _name(self, position: Position) -> None:
        """Replace `training.json`; from this moment on the new files count and the old ones do not."""
        at = {**asdict(position), "seconds": self.seconds(), "threads": torch.get_num_threads()}
        curve = [asdict(point) for point in self.curve]
        content = sealed({"made_of": self.made_of, "position": at, "files": self.files, "curve": curve})
        write(self.folder / FILE, json.dumps(content))  # where training diverged, the best quality may be no number
        self._tidy()

    def _tidy(self) -> None:
        tidy_state(self.folder, keep={FILE, *(one["name"] for one in self.files.values())})


class ReadingKeeper(DiskKeeper):
    """For the other processes: resumes from the state that the first has saved, and writes nothing.

    Each process keeps its own random state, so that dropout differs between them.
    """

    note, keep_best, best, due = Keeper.note, Keeper.keep_best, Keeper.best, Keeper.due

    def _make_room(self) -> None: ...

    def _restore_random(self, tensors: Any, device: torch.device) -> None: ...


def _other(position: Position) -> str:
    """What differs from the process that saved the state, and affects the result."""
    threads = torch.get_num_threads()
    if position.threads == threads:
        return ""
    return f", with {threads} threads instead of {position.threads}: the weights will differ slightly"


def weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Trainable parameters and buffers by name; tied tensors once."""
    yield from ((name, one) for name, one in model.named_parameters() if one.requires_grad)
    yield from model.named_buffers()


def digest(model: nn.Module) -> str:
    """SHA-256 of a model's weights and their names."""
    found = hashlib.sha256()
    for name, tensor in weights(model):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} ".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()
