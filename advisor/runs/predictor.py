"""Predictor: a model of a run, whatever its artefact is, that answers as its task does; processor and label names come
with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.base.unsafe_files import danger
from advisor.facts.tasks import WRITERS, settings_of_config, task_of_config
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.families.heads import with_head
from advisor.families.input_sizes import positions
from advisor.inspection import probe, undescribed
from advisor.recipe.reader import load as read_recipe
from advisor.records import run_folder
from advisor.records.output_folder import STEPS
from advisor.records.results import StepResult
from advisor.records.training_settings import Training

if TYPE_CHECKING:
    from advisor.compute.data.labels import Rows

STEP_HINT = "give the --out folder of a finished `advise run`, or the folder of one of its steps"
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a character, as of an emoji that was cut: tokenizers refuse it


class Predictor:
    """A loaded model. labels: their names; kind: of its artefact, as the report calls it; max_tokens: a text is cut.

    task: what it was made for.
    """

    def __init__(
        self, folder: Path, threads: int | None = None, device: str = "cpu", trust_remote_code: bool = False
    ) -> None:
        if threads is not None and (faults := _no_count("threads", threads)):
            raise AdviseError(*faults)
        _refuse_unsafe(folder, trust_remote_code)
        probe.needs_run("loading a model")
        from advisor.compute.measure.answering import Answering
        from advisor.compute.tasks.registry import task_of

        file = folder / "config.json"
        config = probe.read_config(file)
        unknown = undescribed.meet(config["model_type"])
        registry.describe(config, str(file))  # refuses absurd sizes before weights are read
        tag = task_of_config(config)
        known = registry.of_config(config)
        family = known and with_head(known, tag)
        if family is None or not family.executable:
            what = f"models of the kind {config['model_type']} cannot be loaded"
            raise AdviseError(Fault(f"{what}: {unknown}" if unknown else what, str(folder)))
        writes = tag in WRITERS
        self.labels = () if writes else _labels(config, file)
        self.kind = run_folder.artefact(folder).kind
        self.task = task_of(tag, self.labels, config.get("problem_type"), **settings_of_config(config, tag))
        self._model = Answering(folder, family, self.task, threads or 0, device, trust_remote_code)
        self.max_tokens = self._cut(family, config, folder)
        width = 0 if writes else self._model.width()
        if width != len(self.labels):
            raise _changed("id2label", f"{width} names, as the model gives {width} scores", len(self.labels), file)

    def _cut(self, family: Family, config: Config, folder: Path) -> int:
        """What a text is cut to: the least that is said of it, and never more than the model has positions.

        Images and sounds take all of them.
        """
        if self.task.modality != "text":
            return positions(family, config) or 1
        limits = (_own_max_tokens(config, folder / "config.json"), self._model.most_tokens(), _of_recipe(folder))
        stated = [limit for limit in limits if limit is not None] or [Training().max_tokens]
        return min(*stated, family.longest(config) or max(stated))

    def __call__(self, texts: Iterable[Any], pairs: Iterable[str] | None = None, batch_size: int = 32) -> list[Any]:
        """Answer texts batch by batch, as `records.answers` has it; texts of like length share a batch.

        Args:
            texts: to label, or questions; a text whose words are to be tagged may be a list of words. Images and sounds
                are given as paths or as the bytes of their files, images also as those of Pillow.
            pairs: second texts, or the contexts in which the answers to the questions stand.

        Raises:
            AdviseError: texts or pairs are no texts in an order, there is not one pair for each text, the task takes no
                such texts or pairs, or a batch would have no rows.
        """
        faults: list[Fault] = []
        firsts = _listed("texts", texts, faults, self._fits)
        seconds = None if pairs is None else _listed("pairs", pairs, faults)
        if firsts is not None and seconds is not None and len(seconds) != len(firsts):
            faults.append(Fault(f"pairs: expected one for each of the {len(firsts)} texts, got {len(seconds)}"))
        faults += _no_count("batch_size", batch_size)
        if faults:
            raise AdviseError(*faults)
        return self._model.answers(firsts, seconds, self.max_tokens, batch_size) if firsts else []

    def _fits(self, given: object) -> bool:
        """Whether it is a text that the task takes; what is an image or a sound its task knows."""
        return self.task.modality != "text" or _is_text(given, self.task.takes_words)

    def table(self, rows: Rows) -> list[list[float]]:
        """What the model does on labelled rows, as a run records it: (rows, numbers).

        Raises:
            AdviseError: what is recorded is no image or sound.
        """
        if self.task.modality != "text":
            rows = replace(rows, texts=self.task.asked(rows.texts, None).texts)
        return run_folder.rounded(self._model.table(rows, self.max_tokens))


def _listed(
    name: str, given: object, faults: list[Fault], fits: Callable[[object], bool] = lambda one: _is_text(one, False)
) -> list[Any] | None:
    """Texts as a list, None for what has no order; adds what is wrong with them to `faults`."""
    if isinstance(given, str | bytes):
        faults.append(Fault(f"{name}: expected a sequence of texts, got one text", hint='predictor(["one text"])'))
        return None
    if isinstance(given, Mapping | Set) or not isinstance(given, Iterable):
        faults.append(Fault(f"{name}: expected a sequence of texts, got {type(given).__name__}"))
        return None
    found = list(given)
    odd = [place for place, text in enumerate(found) if not fits(text)]
    if odd:
        rest = f" ({len(odd):,} of {len(found):,} are no text)" if len(odd) > 1 else ""
        faults.append(Fault(f"{name}[{odd[0]}]: expected Unicode text, got {found[odd[0]]!r:.60}{rest}"))
    return found


def _is_text(given: object, words: bool) -> bool:
    if isinstance(given, list | tuple) and words:
        return all(_is_text(word, False) for word in given)
    return isinstance(given, str) and not SURROGATE.search(given)


def _no_count(name: str, value: object) -> list[Fault]:
    """What to say of a number that nothing can be counted by."""
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1:
        return []
    return [Fault(f"{name}: expected a whole number of at least 1, got {value!r}")]


def load(
    folder: str | Path,
    step: str | None = None,
    threads: int | None = None,
    device: str = "cpu",
    trust_remote_code: bool = False,
) -> Predictor:
    """The model of a finished run: its last, or that after a step; or the model in a step's own folder.

    Args:
        step: a step's name, for example `distillation`. threads: for one request of an int8 model, all cores if None; a
            plain checkpoint takes those of PyTorch (`torch.set_num_threads`).
        device: of a plain checkpoint: `cpu`, `cuda` or `mps`. int8 runs on the CPU.
        trust_remote_code: execute code that comes with the model's tokenizer.

    Raises:
        AdviseError: the run is not finished, has no such step, its files are not those that it wrote, the model cannot
            be loaded or was never trained, or an argument makes no sense.
    """
    folder = Path(folder)
    if step is None and (folder / "config.json").is_file():
        _check_own(folder)
        return Predictor(folder, threads, device, trust_remote_code)
    if not folder.is_dir():
        raise AdviseError(Fault("no such folder", str(folder), hint=STEP_HINT))
    chosen = _step(folder, step)
    _check(folder / chosen.path, chosen)
    return Predictor(folder / chosen.path, threads, device, trust_remote_code)


def _step(folder: Path, name: str | None) -> StepResult:
    steps = {one.name: one for one in run_folder.read(folder).steps}
    if name is not None and name not in steps:
        raise AdviseError(Fault(f"the run has no step {name!r}", str(folder), hint=suggest(name, steps)))
    found = steps[name] if name else list(steps.values())[-1]
    if not run_folder.inside(found.path):  # nothing there is looked at
        what = f"{found.name} is said to lie in {found.path!r:.100}, which is not in the run's folder"
        raise AdviseError(Fault(what, str(folder / run_folder.REPORT), hint=run_folder.AGAIN))
    return found


def _check_own(folder: Path) -> None:
    """The same of a step's folder that still lies in its run."""
    out = folder.parent.parent
    if folder.parent.name == STEPS and (out / run_folder.MANIFEST).is_file():
        for one in run_folder.read(out).steps:
            if Path(one.path).name == folder.name:
                _check(folder, one)


def _check(folder: Path, step: StepResult) -> None:
    """The files of a step have to be those that the run wrote, and no others: one more may be another model."""
    if step.artefact is None:
        return
    was = step.artefact.files
    now = run_folder.hashes(folder, was.__contains__)
    wrong = [name for name in sorted({*was, *now}) if now.get(name) != was.get(name)]
    if wrong:
        raise AdviseError(*(_wrong(folder / name, name in was, name in now) for name in wrong))


def _wrong(file: Path, written: bool, there: bool) -> Fault:
    if not written:
        return Fault("was not written by the run", str(file), hint="take it out of the folder")
    return Fault("is not as the run wrote it" if there else "is missing", str(file), hint="run it again")


def _refuse_unsafe(folder: Path, trust_remote_code: bool) -> None:
    """A run writes no pickles, and no code unless it trusted the tokenizer's; whatever can run code is not loaded."""
    found = {path: danger(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    unsafe = {path: what for path, what in found.items() if what and not (trust_remote_code and "code" in what)}
    if unsafe:
        raise AdviseError(*(Fault(f"is {what}", str(path), hint=_remedy(what)) for path, what in unsafe.items()))


def _remedy(what: str) -> str:
    if "code" in what:
        return "load(…, trust_remote_code=True), if you have read that code; or take it out of the folder"
    return "take it out of the folder: a run saves its weights as safetensors, ONNX or OpenVINO IR"


def _changed(key: str, wanted: str, got: object, file: Path) -> AdviseError:
    """What is said of a config that no run has written so."""
    return AdviseError(Fault(f"{key}: expected {wanted}, got {got!r}", str(file), hint="copy it again from its run"))


def _labels(config: Config, file: Path) -> tuple[str, ...]:
    count = config.get("num_labels") or 2  # what transformers leaves out
    names = config.get("id2label") or {str(number): f"LABEL_{number}" for number in range(count)}
    if not isinstance(names, Mapping) or set(names) != set(map(str, range(len(names)))):
        raise _changed("id2label", "names by number, from 0", names, file)
    found = tuple(str(names[str(number)]) for number in range(len(names)))
    if len(set(found)) < len(found):  # one of them would take the other's probability
        raise _changed("id2label", "a name of its own for each class", names, file)
    return found


def _own_max_tokens(config: Config, file: Path) -> int | None:
    """What an int8 model's config says that a text is cut to."""
    stated = config.get("max_tokens")
    if stated is not None and (not isinstance(stated, int) or stated < 1):
        raise _changed("max_tokens", "a number of tokens", stated, file)
    return stated


def _of_recipe(folder: Path) -> int | None:
    """What the run that a step's folder lies in cut texts to: tokenizers of earlier runs do not say it."""
    recipe = folder.parent.parent / "recipe.yaml"
    if folder.parent.name != STEPS or not recipe.is_file():
        return None
    return read_recipe(recipe)[0].training.max_tokens
