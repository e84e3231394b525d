"""`advisor.search`: the recipes that best meet the goals, found by measuring."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from advisor.api.arguments import Arguments
from advisor.api.execution import TRAIN_ON
from advisor.api.orders import Order, assumptions, libraries, record_runs
from advisor.api.review import waiving
from advisor.api.search_orders import Confirm, Wanted, question, refuse_missing_libraries, searched, settings
from advisor.api.stated import LIMITS, Stated, refuse_nonsense
from advisor.facts.facts import Goal
from advisor.facts.tasks import current
from advisor.policy.pack import Policy, find
from advisor.recipe.recipe import DataSource
from advisor.records.measuring import Measuring
from advisor.records.search import SearchResult


def search(
    model: str | PathLike[str],
    *,
    data: str | PathLike[str],
    device: str,
    budget: str,
    out: str | PathLike[str],
    min_accuracy: float = 0.95,
    max_emissions: float | None = None,
    max_size_mb: float | None = None,
    max_latency_ms: float | None = None,
    requests: int | None = None,
    task: str | None = None,
    problem_type: str | None = None,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    header: bool | None = None,
    max_samples: int | None = None,
    max_eval_samples: int | None = None,
    max_unlabelled: int | None = None,
    source_lang: str | None = None,
    target_lang: str | None = None,
    prefix: str | None = None,
    training: Mapping[str, Any] | None = None,
    policy: str | PathLike[str] | Policy = "core",
    train_on: str = "auto",
    workers: int | None = None,
    ray: str | None = None,
    store: str | PathLike[str] | None = None,
    resume: bool = False,
    seed: int = 0,
    country: str | None = None,
    measure_seconds: float = 10.0,
    checkpoint_seconds: float = 60.0,
    trust_remote_code: bool = False,
    record: bool = True,
    progress: bool = True,
    confirm: Confirm | None = None,
) -> SearchResult:
    """Search for the recipes that best meet the goals: try, measure, and end with the best trade-offs.

    The policy's rules bound the space, the advised recipe is tried first. Trials share their steps, start with a part
    of the training and go on where it is worth it; time and energy are measured while nothing else of the search runs.
    Needs the extra `[search]`.

    Args:
        model, device, task, problem_type: as of `advisor.advise`.
        data: a data set, as of `advisor.run`. text, pair, label, header: its columns. source_lang, target_lang: its
            languages, as of `advisor.advise`. prefix: before each text that is read, as T5's "summarize: ".
        training: settings of all recipes, whatever rules prefer, as in `{"image_size": 56}`; their names are those of
            a recipe's `training`.
        budget: hours, watt-hours or trials, as in `2h`, `90min`, `200wh` or `30trials`.
        out: a new folder; with `resume` that of an earlier search.
        min_accuracy, max_emissions, max_size_mb, max_latency_ms: goals, as of `advisor.advise`; met only where the
            nearer end of a 95 % interval meets them.
        requests: that the model will answer: the search ends where it cannot pay back.
        max_samples, max_eval_samples, max_unlabelled: use at most so many rows to train on, to report on, and texts
            without labels.
        policy: a shipped rule pack, the folder of one, or rules that were read from one.
        train_on: `auto` (the best device present), `cpu`, `cuda` or `mps`.
        workers: steps that are made at the same time, in processes of this machine: 1 unless said otherwise. With
            `ray` on its machines: one on each machine, or each GPU.
        ray: address of a Ray cluster that this machine belongs to, `HOST:PORT` or `auto`; its machines make the steps.
            They need the same packages; model and data are sent to them. Time and energy are measured here.
        store: folder of finished steps, to share them between searches; None: in `out`.
        resume: go on with the search in `out`; the goals and the budget may be others.
        seed: of the sampler; the recipes' own seeds do not change.
        country, measure_seconds, checkpoint_seconds, trust_remote_code: as of `advisor.run`.
        record: keep the runs of the front in the ledger of `advise history`.
        progress: show on stderr what is tried.
        confirm: is shown the forecast before anything is trained, and says whether to go on; None: go on.

    Returns:
        The record of the search, as in `search.json`. `passed` tells whether a point of the front meets all goals.

    Raises:
        AdviseError: an argument makes no sense, no recipe is as small as the goal asks, the budget does not suffice for
            one trial, the folder is taken or holds another search, or the disk is full. What was done stays.
    """
    from advisor.tuning.budget import parse
    from advisor.tuning.folder import STORE

    goal = Goal(min_accuracy, max_emissions, max_size_mb, max_latency_ms, requests)
    what = current({"task": task, "problem_type": problem_type})
    columns: dict[str, Any] = {"text": text, "pair": pair, "label": label, "header": header}
    limits = dict(zip(LIMITS, (max_samples, max_eval_samples, max_unlabelled), strict=True))
    languages = {"source_lang": source_lang, "target_lang": target_lang, "prefix": prefix}
    rows = DataSource(fspath(data), **what, **columns, **limits, **languages)  # type: ignore[arg-type]
    stated = Stated(rows, None, None, None)
    refuse_nonsense(stated, goal, device, "advisor.search")
    arguments = Arguments("advisor.search")
    arguments.choice("train_on", train_on, TRAIN_ON)
    arguments.whole("workers", workers if workers is not None else 1, 1)
    arguments.whole("seed", seed, 0)
    arguments.number("measure_seconds", measure_seconds, 1e-3, 1e9)
    arguments.number("checkpoint_seconds", checkpoint_seconds, 0, 1e9)
    arguments.refuse()
    spent, chosen = parse(budget), settings(training or {}, rows)
    refuse_missing_libraries(ray is not None)
    rules = policy if isinstance(policy, Policy) else find(fspath(policy))
    order = Order(
        Path(),
        None,
        None,
        None,
        {},
        train_on,
        rules,
        waiving(None, True, 180),
        assumptions(country, 1.0, None, None),
        trust_remote_code,
        measuring=Measuring(measure_seconds),
        requests=requests,
    )
    with libraries("advise search"):
        kept = Path(store) if store is not None else Path(out) / STORE
        wanted = Wanted(Path(out), kept, resume, workers, seed, checkpoint_seconds, spent, ray, chosen)
        found = searched(question(rules, stated, goal, device, fspath(model)), order, wanted, confirm, progress)
    if record:
        record_runs([Path(out) / folder for folder in found.run_folders])
    return found
