"""`advisor.run`: a recipe to measured models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path

from advisor.advice.recommendation import Advice
from advisor.api.arguments import Arguments
from advisor.api.orders import Order, assumptions, execute, imbalance, libraries, prepare, record_runs
from advisor.api.review import waiving
from advisor.base.errors import AdviseError, Fault
from advisor.policy.pack import find
from advisor.recipe.recipe import Recipe
from advisor.records import results
from advisor.records.measuring import Measuring
from advisor.records.output_folder import TRACKERS
from advisor.review.findings import Finding

TRAIN_ON = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, repr=False)
class RunResult(results.RunResult):
    """A finished run: every model that it made, measured beside the fine-tuned one.

    `print(result)` shows the tables in a terminal; a notebook shows them too. folder: that the run wrote to.
    warning: of labels so imbalanced that a constant answer looks good; empty where they are not.
    """

    folder: Path = Path()
    warning: str = ""

    @classmethod
    def of(cls, result: results.RunResult, folder: Path, warning: str) -> RunResult:
        """The same result, with its folder and a warning."""
        return cls(**{item.name: getattr(result, item.name) for item in fields(result)}, folder=folder, warning=warning)

    def __str__(self) -> str:
        from advisor.report.notebook import run_text

        return run_text(self)

    def __repr__(self) -> str:
        state = "passed" if self.passed else "missed a gate"
        return f"<RunResult {self.name}: {len(self.steps)} models, {state}, {self.folder}>"

    def _repr_html_(self) -> str:
        from advisor.report.notebook import run_html

        return run_html(self)


class Refused(AdviseError):
    """The rules refuse a recipe. findings: all that they say about it."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(*(_fault(one) for one in findings if one.severity == "error" and one.counts))


def _fault(finding: Finding) -> Fault:
    place, remedy = finding.place, finding.fix.words if finding.fix else finding.allowed_if
    return Fault(f"{finding.message} [{finding.rule}]", place.file, place.line, place.column, remedy)


def run(
    recipe: str | PathLike[str] | Recipe | Advice,
    *,
    out: str | PathLike[str],
    data: str | PathLike[str] | None = None,
    model: str | PathLike[str] | None = None,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    header: bool | None = None,
    max_samples: int | None = None,
    max_eval_samples: int | None = None,
    max_unlabelled: int | None = None,
    source_lang: str | None = None,
    target_lang: str | None = None,
    train_on: str = "auto",
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    trust_remote_code: bool = False,
    policy: str | PathLike[str] = "core",
    waivers: str | PathLike[str] | None = None,
    inline_waivers: bool = True,
    waiver_days: int = 180,
    country: str | None = None,
    pue: float = 1.0,
    embodied_kg: float | None = None,
    lifetime_years: float | None = None,
    measure_seconds: float = 10.0,
    power_log: str | PathLike[str] | None = None,
    requests: int | None = None,
    sign: str | PathLike[str] | None = None,
    track: str | None = None,
    record: bool = True,
    progress: bool = True,
) -> RunResult:
    """Run a recipe on a real model and data: train, make smaller, measure every model beside the fine-tuned one.

    The recipe is checked first, by the facts of the real model and data. Needs the extra `[run]`.

    Args:
        recipe: a recipe file, a recipe, or advice.
        out: a new folder for checkpoints, models and report; with `resume` that of an earlier run.
        data: Parquet, CSV, JSONL, a folder of them or of images or sounds, or a Hub id; None: as the recipe says.
        model: this model instead of the recipe's.
        text, pair, label: columns of the data; None: as the recipe says, or found by their usual names.
        header: whether the first line of delimited text names the columns; None: as the recipe says, or what it looks
            like.
        max_samples, max_eval_samples, max_unlabelled: use at most this many training rows, rows for the report and
            texts without labels.
        source_lang, target_lang: languages of the data, as of `advisor.advise`; None: as the recipe says.
        train_on: `auto` (the best device present), `cpu`, `cuda` or `mps`.
        resume: continue the run in `out`; only what a changed recipe touches is done again.
        checkpoint_seconds: time between two savings of the state of training, in seconds; 0 saves after each batch.
        trust_remote_code: execute code that comes with the model's tokenizer.
        policy, waivers, inline_waivers, waiver_days: as of `advisor.check`.
        country: whose grid turns energy into CO2e, as three letters of ISO 3166; None: France. Shares do not change.
        pue: power usage effectiveness of the data centre, from 1 to 10.
        embodied_kg, lifetime_years: CO2e of making the machine, in kg, and its lifetime, for an SCI figure; or neither.
        measure_seconds: how long each model answers while time and energy are measured.
        power_log: CSV of an external power meter that runs meanwhile, with columns time and watts.
        requests: how many the model will answer; making it is weighed against what they save.
        sign: file of a private Ed25519 key (PEM) that signs the finished run. Needs the extra `[sign]`.
        track: `tensorboard`, `mlflow` or `wandb` keeps training curves and results in `out/tracking`, offline. Each
            needs the extra of its name.
        record: keep the run in the ledger of `advise history`.
        progress: show a progress bar on stderr, or in a notebook.

    Returns:
        The result. `result.passed` is False where a gate was missed; `result.folder` holds models and report, and
        `advisor.load(result.folder)` the last model.

    Raises:
        Refused: the rules refuse the recipe; `findings` says why.
        AdviseError: an argument makes no sense, model or data cannot be read, the folder is taken, the disk is full, or
            memory does not suffice. What was done so far stays for `resume`.
        PolicyError: the rule pack is invalid.

    Example:
        >>> import advisor
        >>> advice = advisor.advise(model="bert", data="data/reviews", device="cpu")   # doctest: +SKIP
        >>> result = advisor.run(advice, out="runs/first")                             # doctest: +SKIP
        >>> result.passed, result.steps[-1].relative_size                              # doctest: +SKIP
        (True, 0.27)
    """
    arguments = Arguments("advisor.run")
    arguments.choice("train_on", train_on, TRAIN_ON)
    if track is not None:
        arguments.choice("track", track, TRACKERS)
    limits = {"max_samples": max_samples, "max_eval_samples": max_eval_samples, "max_unlabelled": max_unlabelled}
    for name, most in limits.items():
        arguments.whole(name, most, 0 if name == "max_unlabelled" else 1)
    arguments.whole("waiver_days", waiver_days, 1)
    arguments.whole("requests", requests, 1)
    arguments.number("checkpoint_seconds", checkpoint_seconds, 0, 1e9)
    arguments.number("pue", pue, 1, 10)
    arguments.number("measure_seconds", measure_seconds, 1e-3, 1e9)
    arguments.number("embodied_kg", embodied_kg, 1e-9, 1e12)
    arguments.number("lifetime_years", lifetime_years, 1e-9, 1e12)
    arguments.refuse()
    languages = {"source_lang": source_lang, "target_lang": target_lang}
    order = Order(
        _recipe(recipe),
        Path(out),
        None if model is None else fspath(model),
        None if data is None else fspath(data),
        {"text": text, "pair": pair, "label": label, "header": header, **limits, **languages},
        train_on,
        find(fspath(policy)),
        waiving(waivers, inline_waivers, waiver_days),
        assumptions(country, pue, embodied_kg, lifetime_years),
        trust_remote_code,
        resume,
        checkpoint_seconds,
        measuring=Measuring(measure_seconds, None if power_log is None else Path(power_log)),
        requests=requests,
        sign=None if sign is None else Path(sign),
        track=track,
    )
    with libraries():
        job = prepare(order)
        if job.reviewed.errors:
            raise Refused(job.reviewed.findings)
        result = execute(job, order, progress)
    assert isinstance(result, results.RunResult)  # several seeds were not asked for
    if record:
        record_runs([Path(out)])
    return RunResult.of(result, Path(out), imbalance(job))


def _recipe(recipe: str | PathLike[str] | Recipe | Advice) -> Recipe | Path:
    if isinstance(recipe, Advice):
        return recipe.chosen.recipe
    return recipe if isinstance(recipe, Recipe) else Path(recipe)
