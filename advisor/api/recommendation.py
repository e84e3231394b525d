"""`advisor.advise`: facts to recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from advisor.advice import recommendation
from advisor.api.arguments import Arguments
from advisor.recipe.recipe import Recipe, as_dict

if TYPE_CHECKING:
    from advisor.advice.history import History
    from advisor.compute.data.dataset import TaskData
    from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal
    from advisor.recipe.recipe import DataSource, Task

DEVICES = ("cpu", "cuda", "mps", "edge", "auto")
TASKS = ("classification", "regression", "generation", "language-modelling")
MOST = 1e12  # of a target


class Advice(recommendation.Advice):
    """What `advisor.advise` recommends: the recipe, the reason for each step, and the recipes it was compared with.

    `print(advice)` shows it in a terminal; a notebook shows it as a table.
    """

    __slots__ = ()

    @property
    def recipe(self) -> Recipe:
        """The recommended recipe."""
        return self.chosen.recipe

    def to_yaml(self) -> str:
        """The recipe as YAML, with the reason beside each step."""
        from advisor.report import advice as report

        return report.recipe_yaml(self)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return as_dict(self.recipe)

    def to_json(self) -> str:
        """Facts, recipe, predictions and reasons as JSON."""
        from advisor.report import advice as report

        return report.advice_json(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the recipe as YAML and return its path.

        Raises:
            AdviseError: the file cannot be written.
        """
        from advisor.base.files import write

        write(Path(path), self.to_yaml())
        return Path(path)

    def explanation(self, width: int = 100, colour: bool = False) -> str:
        """Facts, reasons and the compared recipes as text, wrapped to `width` columns."""
        from advisor.report import advice as report

        return report.explanation(self, width, colour)

    def __str__(self) -> str:
        return f"{self.explanation()}\n{self.to_yaml()}"

    def __repr__(self) -> str:
        return f"<Advice {self.recipe.name}: {', '.join(step.words() for step in self.recipe.steps)}>"

    def _repr_html_(self) -> str:
        from advisor.report.notebook import advice_html

        return advice_html(self)


def advise(
    model: str | PathLike[str],
    *,
    samples: int | None = None,
    data: str | PathLike[str] | None = None,
    device: str,
    task: str | None = None,
    eval_samples: int | None = None,
    unlabelled: int | None = None,
    min_accuracy: float = 0.95,
    max_emissions: float | None = None,
    max_size_mb: float | None = None,
    max_latency_ms: float | None = None,
    policy: str | PathLike[str] = "core",
    history: bool = False,
    name: str | None = None,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    max_samples: int | None = None,
    cpu_features: Iterable[str] | None = None,
    memory_gb: float | None = None,
    compute_capability: float | None = None,
    mean_tokens: float | None = None,
    revision: str | None = None,
    licence: str | None = None,
    meta: Mapping[str, str | int | float | bool] | Iterable[tuple[str, Any]] = (),
    student: str | PathLike[str] | None = None,
) -> Advice:
    """Recommend how to make a language model small and green, from facts alone: nothing is trained or downloaded.

    Args:
        model: a family's name (`advise families`), a checkpoint folder, a `config.json`, or a Hub id in the cache.
        samples: labelled training examples. Give this or `data`.
        data: a data set (Parquet, CSV, JSONL, a folder of them, or a Hub id), whose rows are counted. Needs the extra
            `[run]`.
        device: where the model will serve: `cpu`, `cuda`, `mps`, `edge` or `auto` (this machine's best).
        task: `classification`, `regression`, `generation` or `language-modelling`; None: found from `data`, or unknown.
        eval_samples: labelled examples for the report.
        unlabelled: texts of the task without labels.
        min_accuracy: least accuracy, as a share of the fine-tuned model's, above 0 and at most 1.
        max_emissions: most emissions per answer, as a share of the fine-tuned model's.
        max_size_mb: most megabytes of weights.
        max_latency_ms: most milliseconds per answer.
        policy: a shipped rule pack, or the folder of one.
        history: narrow the predicted ranges by your own past runs (`advise history`).
        name: of the recipe; by default the model's name and the device.
        text, pair, label: columns of `data`; by default found by their usual names.
        max_samples: use at most this many training rows.
        cpu_features: instruction sets of the CPU that will serve, as in `{"avx2", "avx512_vnni"}`.
        memory_gb: memory of the device, in GB.
        compute_capability: of the NVIDIA GPU, as in 8.0.
        mean_tokens: mean length of a text, in tokens.
        revision: of the model on the Hub.
        licence: of the model, where no model card says it.
        meta: what the policy asks of every recipe, as in `{"owner": "ada"}`.
        student: a smaller model that the fine-tuned one can be distilled into, named as `model` is. It is compared with
            cutting: its size is exact, its accuracy is not predicted.

    Returns:
        The advice. `advice.recipe` is the recipe, `advice.save("recipe.yaml")` writes it, `print(advice)` explains it.

    Raises:
        AdviseError: an argument makes no sense, the model is unknown, or the data cannot be read.
        NotMet: no admissible recipe is predicted to meet the goal; says what would have to give.
        PolicyError: the rule pack is invalid, or leaves no recipe.

    Example:
        >>> import advisor
        >>> advice = advisor.advise(model="t5", samples=3000, device="cpu")
        >>> [step.name for step in advice.recipe.steps]
        ['finetune', 'quantization']
    """
    from advisor.facts.facts import Facts, Goal
    from advisor.inspection import given_student, probe
    from advisor.policy.pack import find

    goal = Goal(min_accuracy, max_emissions, max_size_mb, max_latency_ms)
    source_name = None if data is None else fspath(data)
    columns = _Columns(text, pair, label)
    stated = _Data(source_name, samples, task, eval_samples, unlabelled, max_samples, columns)
    _refuse_nonsense(stated, goal, device)
    known, source, warnings = _data(stated)
    known = known._replace(mean_tokens=mean_tokens, source=source_name)
    found = probe.model(fspath(model), known.labels or 2)
    if student is not None:
        found = given_student.fitted(found, probe.model(fspath(student), known.labels or 2), known.labels)
    named = found.facts._replace(revision=revision, licence=found.facts.licence or licence)
    hardware = _hardware(probe.device(device), cpu_features, memory_gb, compute_capability)
    facts = Facts(named, known, hardware, goal, tuple(sorted(dict(meta).items())))
    name = name or f"{Path(model).name}-{facts.device.kind}"
    own_runs = _history(facts) if history else None
    advice = Advice(*recommendation.advise(find(fspath(policy)), facts, found, source, name, own_runs))
    return advice._replace(notes=(*advice.notes, *warnings))


def _hardware(
    device: DeviceFacts, features: Iterable[str] | None, memory_gb: float | None, capability: float | None
) -> DeviceFacts:
    """The device as the caller states it, with what this machine says of itself for `auto`."""
    sets = None if features is None else frozenset(features)
    stated: dict[str, Any] = {"instruction_sets": sets, "memory_gb": memory_gb, "compute_capability": capability}
    return device._replace(**{name: one for name, one in stated.items() if one is not None})


class _Columns(NamedTuple):
    """Which columns of a data set hold what; None: found by their usual names."""

    text: str | None
    pair: str | None
    label: str | None


class _Data(NamedTuple):
    """What the caller says of the data; fields as the arguments of `advise`."""

    source: str | None
    samples: int | None
    task: str | None
    eval_samples: int | None
    unlabelled: int | None
    max_samples: int | None
    columns: _Columns


def _refuse_nonsense(data: _Data, goal: Goal, device: str) -> None:
    """Raise an AdviseError with everything that is wrong with the arguments."""
    arguments = Arguments("advisor.advise")
    if (data.samples is None) == (data.source is None):
        arguments.wrong("expected either samples or data", "samples=3000")
    for name, least in (("samples", 1), ("max_samples", 1), ("eval_samples", 0), ("unlabelled", 0)):
        arguments.whole(name, getattr(data, name), least)
    arguments.number("min_accuracy", goal.relative_accuracy, 0.01, 1)
    most = {"max_emissions": goal.relative_emissions, "max_size_mb": goal.size_mb, "max_latency_ms": goal.latency_ms}
    for name, value in most.items():
        arguments.number(name, value, 1e-9, MOST)
    arguments.choice("device", device, DEVICES)
    arguments.choice("task", data.task, TASKS)
    arguments.refuse()


def _data(stated: _Data) -> tuple[DataFacts, DataSource, list[str]]:
    """The facts of the data, counted where a data set is given, the data source for the recipe, and warnings."""
    from advisor.facts.facts import DataFacts
    from advisor.facts.tasks import OF_TASK
    from advisor.inspection import probe
    from advisor.recipe.recipe import DataSource

    task = cast("Task | None", stated.task)
    labelled = stated.task if stated.task in OF_TASK else None
    source = DataSource(stated.source, None, None, None, None, None, stated.max_samples, *stated.columns)
    if stated.source is None:
        samples = min(stated.samples or 0, stated.max_samples or stated.samples or 0)
        return DataFacts(samples, stated.eval_samples, stated.unlabelled or 0, None, task, None), source, []
    found = probe.data(stated.source, stated.columns._asdict(), stated.max_samples, labelled)
    evaluated = found.eval_samples if stated.eval_samples is None else stated.eval_samples
    unlabelled = found.unlabelled_samples if stated.unlabelled is None else stated.unlabelled
    labels = len(found.label_names)
    facts = DataFacts(found.samples, evaluated, unlabelled, None, task or found.task, labels)
    return facts, source, [one for one in (_imbalance(found),) if one]


def _imbalance(data: TaskData) -> str:
    """A warning where always giving one answer scores high."""
    from advisor.compute.tasks.balance import imbalance
    from advisor.facts.tasks import metrics

    return imbalance(metrics(data.source, data.task)[0], data.report.labels, data.label_names)


def _history(facts: Facts) -> History:
    """The user's own runs that are like the one that is asked about."""
    from advisor.advice.history import gather
    from advisor.runs import ledger

    wanted = ledger.Filters(family=facts.model.family, device=facts.device.kind)
    return gather(ledger.find(wanted), facts)
