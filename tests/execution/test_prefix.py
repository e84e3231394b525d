"""Prefixes of recipes: shared steps are made once, and a share of the training is a step of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from advisor.execution import executor, prefix, resumption, seeds
from advisor.execution.job import Job, prepare
from advisor.execution.prefix import Made
from advisor.execution.store import Store
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.measuring import Measuring
from advisor.records.results import TEACHER, Progress, Remark, RunResult

RECIPE = """version: 1
name: prefix
model: {{source: {model}}}
data: {{source: {text}, max_samples: 48}}
device: cpu
steps:
  - finetune: {{epochs: 1, learning_rate: 2.0e-3}}
  - layer_removal: {{keep: {keep}}}
  - distillation: {{epochs: 3, learning_rate: 1.0e-3}}
training: {{batch_size: 16, max_tokens: 16, joined_texts: 0}}
"""


def job(folder: Path, model: Path, text: Path, keep: int, share: Fraction) -> Job:
    file = folder / f"{keep}.yaml"
    file.write_text(RECIPE.format(model=json.dumps(str(model)), text=json.dumps(str(text)), keep=keep))
    recipe, document = load(file)
    found = prepare(core(), recipe, document, read_data(recipe, base=Path()), Path(), "cpu")
    return replace(found, share=share, measuring=Measuring(0.05))


def made(work: Iterator[Any]) -> tuple[Made, dict[str, int]]:
    """What came of it, and how many batches each kind of work took."""
    batches: dict[str, int] = {}
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value, batches
        if isinstance(event, Progress):
            batches[event.label] = max(batches.get(event.label, 0), event.total)


def test_steps_are_shared_between_recipes_shares_of_the_training_and_the_run_that_follows(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    store, bert = Store(tmp_path / "store"), checkpoints["bert"]

    def look(keep: int, share: str, out: str) -> tuple[Made, dict[str, int]]:
        return made(prefix.make(job(tmp_path, bert, text, keep, Fraction(share)), tmp_path / out, store))

    untrained, _ = look(3, "0", "a")
    assert [step.name for step in untrained.steps] == ["finetune", "layer_removal", "distillation"]
    cut, distilled = (step.artefact for step in untrained.steps[1:])
    assert cut and distilled and cut.files["model.safetensors"] == distilled.files["model.safetensors"]
    third, batches = look(3, "1/3", "b")
    assert [step.name for step in third.steps] == ["distillation"] and batches["distil"] == 3  # of 3 x 3
    whole, batches = look(3, "1", "c")
    assert [step.name for step in whole.steps] == ["distillation"] and batches["distil"] == 9
    other, _ = look(2, "0", "d")
    assert [step.name for step in other.steps] == ["layer_removal", "distillation"]
    assert len({one.key for one in (untrained, third, whole, other)}) == 4
    again, _ = look(3, "1/3", "e")
    assert again.steps == () and (again.key, again.kept, again.loss) == (third.key, third.kept, third.loss)
    assert whole.kept.interval is not None and whole.loss is not None and "selection rows" in whole.kept.source

    resumption.forget(store.folder / whole.key)  # as if killed before the step came to the store
    assert look(3, "1", "c")[0].key == whole.key and (store.folder / whole.key / "model.safetensors").exists()

    events = list(executor.run(job(tmp_path, bert, text, 3, Fraction(1)), tmp_path / "run", store=store))
    remarks = [one.text for one in events if isinstance(one, Remark)]
    assert remarks == [f"{words}: reused from the store" for words in ("fine-tuned", "3 layers", "distilled")]
    result = events[-1]
    assert isinstance(result, RunResult) and [one.path for one in result.steps][-1] == "steps/2-distillation"


def test_the_end_of_a_search_finds_what_its_other_seeds_have_made(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    store, asked = Store(tmp_path / "store"), job(tmp_path, checkpoints["bert"], text, 2, Fraction(1))
    one, _ = made(prefix.make(seeds.later(asked, 1), tmp_path / "other-seed", store))
    assert len(one.steps) == 3 and one.kept.value is not None
    remarks = [event.text for event in seeds.run(asked, tmp_path / "end", 2, store=store) if isinstance(event, Remark)]
    assert [text for text in remarks if "reused" in text] == [
        f"{words}: reused from the store" for words in ("fine-tuned", "2 layers", "distilled")
    ], "of the second seed; the first one was made now"


def test_trials_that_learn_from_one_teacher_ask_it_once_and_learn_the_same(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    bert, found = checkpoints["bert"], {}
    for answers in (None, tmp_path / "answers"):
        store = Store(tmp_path / f"store-{answers is None}")
        for keep, share in ((3, "1/3"), (3, "1"), (2, "1/3")):
            asked, out = job(tmp_path, bert, text, keep, Fraction(share)), tmp_path / f"{keep}-{share[-1]}"
            one, batches = made(prefix.make(asked, out, store, answers=answers))
            resumption.remove(out)
            found[keep, share, answers is None] = one.last.artefact, one.kept, TEACHER in batches
    for keep, share in ((3, "1/3"), (3, "1"), (2, "1/3")):
        alone, kept = (found[keep, share, one] for one in (True, False))
        assert kept[:2] == alone[:2] and alone[2] and kept[2] == ((keep, share) == (3, "1/3"))
