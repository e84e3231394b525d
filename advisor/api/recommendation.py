"""`advisor.advise`: facts to recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.advice import recommendation
from advisor.advice.candidates import Choosing
from advisor.api.stated import LIMITS, Stated, refuse_nonsense
from advisor.base.frozen import replace
from advisor.facts.tasks import PERCEIVED, current
from advisor.families.heads import as_used
from advisor.recipe.recipe import DataSource, Recipe, as_dict

if TYPE_CHECKING:
    from advisor.advice.history import History
    from advisor.compute.data.dataset import TaskData
    from advisor.facts.facts import DataFacts, DeviceFacts, Facts

TOKENS_PER_WORD = 1.5  # 1.42 to 1.64 on six English data sets with e5-small's tokenizer of 19,000 words


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
    problem_type: str | None = None,
    eval_samples: int | None = None,
    unlabelled: int | None = None,
    min_accuracy: float = 0.95,
    max_emissions: float | None = None,
    max_size_mb: float | None = None,
    max_latency_ms: float | None = None,
    policy: str | PathLike[str] = "core",
    requests: int | None = None,
    cautious: bool = False,
    history: bool = False,
    name: str | None = None,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    header: bool | None = None,
    max_samples: int | None = None,
    max_eval_samples: int | None = None,
    max_unlabelled: int | None = None,
    source_lang: str | None = None,
    target_lang: str | None = None,
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
        task: a pipeline tag of the Hub, as `text-classification`; None: unknown, or text classification of `data`.
        problem_type: of text classification: `single_label_classification`, `multi_label_classification` or
            `regression`; None: what the labels of `data` look like, or unknown.
        eval_samples: labelled examples for the report.
        unlabelled: texts of the task without labels.
        min_accuracy: least accuracy, as a share of the fine-tuned model's, above 0 and at most 1.
        max_emissions: most emissions per answer, as a share of the fine-tuned model's.
        max_size_mb: most megabytes of weights.
        max_latency_ms: most milliseconds per answer.
        policy: a shipped rule pack, or the folder of one.
        requests: how many the model will answer: making it counts with what it emits while it serves.
        cautious: meet the goal by the worse end of a predicted range, not by the middle of the register's.
        history: narrow the predicted ranges by your own past runs (`advise history`).
        name: of the recipe; by default the model's name and the device.
        text, pair, label: columns of `data`; by default found by their usual names.
        header: whether the first line of delimited text names the columns; None: what it looks like.
        max_samples: use at most this many training rows.
        max_eval_samples, max_unlabelled: and this many rows for the report, and texts without labels. With `data`,
            `eval_samples` and `unlabelled` are such limits too.
        source_lang, target_lang: languages that a model for many of them reads and writes, by its tokenizer's codes, as
            in `en_XX`.
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

    goal = Goal(min_accuracy, max_emissions, max_size_mb, max_latency_ms, requests)
    source_name = None if data is None else fspath(data)
    what = current({"task": task, "problem_type": problem_type})
    columns = {"text": text, "pair": pair, "label": label, "header": header}
    limits = dict(zip(LIMITS, (max_samples, max_eval_samples, max_unlabelled), strict=True))
    languages = {"source_lang": source_lang, "target_lang": target_lang}
    rows = DataSource(source_name, **what, **columns, **limits, **languages)  # type: ignore[arg-type]
    stated = Stated(rows, samples, eval_samples, unlabelled)
    refuse_nonsense(stated, goal, device)
    known, source, warnings = data_facts(stated)
    known = known._replace(mean_tokens=mean_tokens or known.mean_tokens, source=source_name)
    found = probe.model(fspath(model), known.labels or 2)
    if student is not None:
        found = given_student.fitted(found, probe.model(fspath(student), known.labels or 2), known.labels)
    named = as_used(found.facts, known.task)._replace(revision=revision, licence=found.facts.licence or licence)
    hardware = _hardware(probe.device(device), cpu_features, memory_gb, compute_capability)
    facts = Facts(named, known, hardware, goal, tuple(sorted(dict(meta).items())))
    name = name or f"{Path(model).name}-{facts.device.kind}"
    choosing = Choosing(_history(facts, found.model_type) if history else None, cautious)
    advice = Advice(*recommendation.advise(find(fspath(policy)), facts, found, source, name, choosing))
    return advice._replace(notes=(*advice.notes, *warnings))


def _hardware(
    device: DeviceFacts, features: Iterable[str] | None, memory_gb: float | None, capability: float | None
) -> DeviceFacts:
    """The device as the caller states it, with what this machine says of itself for `auto`."""
    sets = None if features is None else frozenset(features)
    stated: dict[str, Any] = {"instruction_sets": sets, "memory_gb": memory_gb, "compute_capability": capability}
    return device._replace(**{name: one for name, one in stated.items() if one is not None})


def data_facts(stated: Stated) -> tuple[DataFacts, DataSource, list[str]]:
    """The facts of the data, counted where a data set is given, the data source for the recipe, and warnings."""
    from advisor.facts.facts import DataFacts
    from advisor.inspection import probe
    from advisor.inspection.recipe_data import rows_of

    rows = stated.rows
    if rows.source is None:
        samples = _least(stated.samples, rows.max_samples)
        evaluated = _least(stated.eval_samples, rows.max_eval_samples)
        facts = DataFacts(samples, evaluated, stated.unlabelled or 0, None, rows.task)
        return facts._replace(problem_type=rows.problem_type), rows, []
    probe.needs_run("--data")
    most = _least(rows.max_eval_samples, stated.eval_samples), _least(rows.max_unlabelled, stated.unlabelled)
    rows = replace(rows, max_eval_samples=most[0], max_unlabelled=most[1])
    found = rows_of(rows)
    counted = found.samples, found.eval_samples, found.unlabelled_samples
    labels, tokens = len(found.label_names) or None, _mean_tokens(found)
    facts = DataFacts(*counted, None, found.task, labels, tokens, problem_type=found.problem_type)
    bound = {name: count for name, count in zip(LIMITS, counted, strict=True) if getattr(rows, name) == count}
    rows = replace(rows, **{name: bound.get(name) for name in LIMITS})
    return facts, rows, [*found.notes, *filter(None, [_imbalance(found)])]


def _least(one: int | None, other: int | None) -> int | None:
    return min((count for count in (one, other) if count is not None), default=None)


def _mean_tokens(data: TaskData) -> float | None:
    """About how long a text is, by the words between spaces; none of the model's tokenizer is needed for it."""
    if data.task in PERCEIVED:
        return None
    texts = (text for column in (data.train.texts, data.train.pairs or ()) for text in column)
    words = sum(len(text.split() if isinstance(text, str) else text) for text in texts)
    return round(TOKENS_PER_WORD * words / len(data.train), 1) if len(data.train) else None


def _imbalance(data: TaskData) -> str:
    """A warning where always giving one answer scores high."""
    from advisor.compute.tasks.balance import imbalance
    from advisor.facts.tasks import metrics

    first = metrics(data.source, data.task, data.problem_type)[0]
    return imbalance(first, data.report.labels, data.label_names)


def _history(facts: Facts, model_type: str) -> History:
    """The user's own runs that are like the one that is asked about."""
    from advisor.advice.history import gather
    from advisor.runs import ledger

    wanted = ledger.Filters(family=model_type, device=facts.device.kind)
    return gather(ledger.find(wanted), facts, model_type)
