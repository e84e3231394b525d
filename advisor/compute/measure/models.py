"""The models of a run, loaded to answer batches with a given number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.int8 import artefact
from advisor.compute.int8.backends import TITLES, Prepared, wrote
from advisor.compute.int8.quantized import Reader, serve
from advisor.compute.int8.same_runtime import in_runtime
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.writing import Writer
from advisor.records.carbon import Assumptions
from advisor.records.measuring import Measuring
from advisor.records.results import RuntimeResult, Served, not_served

BASELINE = "finetune"
Answer = Callable[[Batch], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where models serve. load: a checkpoint folder to a scorer. device: a kind that is present here.

    alike_by_shape: models of one shape take the same time; those that write may write less or more. read: how the model
    after a step reads the rows of one of the baseline's batches: a given student has a tokenizer of its own. processor:
    the tokenizer of the model in a folder, which an int8 model that writes needs.
    """

    load: Callable[[Path], Scorer]
    device: str
    assumed: Assumptions
    measuring: Measuring = Measuring()
    alike_by_shape: bool = True
    read: Callable[[str, Batch], Batch] = lambda _, batch: batch
    processor: Callable[[Path], Any] = lambda _: None


class Models:
    """Every model once, and beside an int8 one the fp32 models that its runtime can be judged by.

    alike: for each step the first one of the same shape, whose model stands for both. folders: artefact by step name,
    in the order of the steps. proof: batches that an export is proved on. work: an empty folder.
    """

    def __init__(self, folders: Mapping[str, Path], place: Place, proof: Sequence[Batch], work: Path) -> None:
        self.folders, self.place = folders, place
        self.alike = _alike(folders) if place.alike_by_shape else {name: name for name in folders}
        self.runtime, self.exported = "", dict[str, Prepared | str]()
        names = list(folders)
        int8 = next((name for name in names if wrote(folders[name])), None)
        if int8 is not None:
            self.runtime = wrote(folders[int8]) or ""
            before = names[max(0, names.index(int8) - 1)]
            self.exported = {name: self._export(name, proof, work) for name in dict.fromkeys((BASELINE, before))}

    def asked(self, batches: Sequence[Batch]) -> dict[str, list[Batch]]:
        """For each model of `load` these batches of the baseline's, as it reads them."""
        steps = {name: name for name in self.alike.values()} | {_fp32(name): name for name in self.exported}
        return {name: [self.place.read(step, batch) for batch in batches] for name, step in steps.items()}

    def _export(self, name: str, proof: Sequence[Batch], work: Path) -> Prepared | str:
        try:
            read = [self.place.read(name, batch) for batch in proof]
            return in_runtime(self.place.load(self.folders[name]), self.runtime, read, work / name)
        except AdviseError as error:
            return "; ".join(fault.message for fault in error.faults)

    def load(self, count: int) -> dict[str, Answer]:
        """A function for each model that answers one batch and has the answer on the CPU when it returns."""
        found = {name: self._answer(self.folders[name], count) for name in dict.fromkeys(self.alike.values())}
        for name, model in self.exported.items():
            if not isinstance(model, str):
                found[_fp32(name)] = partial(_serve, model.fp32(count))
        return found

    def _answer(self, folder: Path, count: int) -> Answer:
        reader = artefact.read(folder, count, self.place.processor(folder))
        if reader is not None:
            return partial(_serve, reader)
        device = self.place.device
        scorer = self.place.load(folder).to(device).eval()

        def answer(batch: Batch) -> None:
            with torch.inference_mode():
                _waited(scorer.serve(**batch.to(device).inputs))

        return answer

    def in_runtime(self, served: Mapping[str, Served]) -> tuple[RuntimeResult, ...]:
        """The fp32 models in int8's runtime. served: what was measured, by the names of `load`."""
        return tuple(
            RuntimeResult(
                name, TITLES[self.runtime], not_served(model) if isinstance(model, str) else served[_fp32(name)]
            )
            for name, model in self.exported.items()
        )


def _waited(answer: Any) -> None:
    """Until the answer is on the CPU; texts are."""
    if isinstance(answer, torch.Tensor):
        answer.cpu()


def _fp32(name: str) -> str:
    return f"{name}, fp32 in the runtime"


def _serve(reader: Reader | Writer, batch: Batch) -> None:
    serve(reader, batch)


def _alike(folders: Mapping[str, Path]) -> dict[str, str]:
    """For each step the first one with the same config: distillation changes weights, not the work to be done."""
    first: dict[bytes, str] = {}
    return {name: first.setdefault((folder / "config.json").read_bytes(), name) for name, folder in folders.items()}


@contextmanager
def threads(count: int) -> Iterator[int]:
    """Within, torch computes with so many threads; as many as before if 0. Gives the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield count or before
    finally:
        torch.set_num_threads(before)
