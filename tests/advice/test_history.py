"""Own runs narrow predictions: which count, by what interval, and what happens where they contradict the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import small_runs
from scipy import stats

from advisor.advice import history
from advisor.advice.history import expected, gather
from advisor.advice.prediction import Prediction
from advisor.advice.ranges import Range
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal, ModelFacts
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Measured
from advisor.runs.record import Quantity, Record

SAID = Prediction(Range(0.93, 1.0), Range(0.67, 0.87), None, Range(0.74, 0.74), 1, ("S19",), 8 / 12)


WIDE = SAID._replace(accuracy=Range(0, 2), time=Range(0, 2), emissions=Range(0, 2))


def facts(samples: int | None = 67_349, family: str = "bert", device: str = "cpu") -> Facts:
    return Facts(ModelFacts(family=family), DataFacts(samples=samples), DeviceFacts(kind=device), Goal())


def records(folder: Path, accuracies: list[float], **changes: object) -> list[Record]:
    """Runs with other seeds, whose distilled model keeps these shares of the accuracy."""
    found = []
    for seed, share in enumerate(accuracies):
        steps = list(small_runs.result().steps)
        steps[2] = replace(steps[2], relative_accuracy=Measured(share))
        run = small_runs.result(steps=tuple(steps))
        found.append(replace(small_runs.record(folder / str(seed), run, seed=seed), **changes))  # type: ignore[arg-type]
    return found


def test_the_quantiles_are_students() -> None:
    for freedom, value in enumerate(history.T, start=1):
        assert value == pytest.approx(stats.t.ppf(0.975, freedom), abs=6e-4)


def test_the_interval_is_that_of_one_more_value() -> None:
    # mean 0.95, s 0.01, t(2) 4.303: 4.303 * 0.01 * sqrt(4/3) = 0.04969
    assert expected([0.94, 0.95, 0.96]) == pytest.approx((0.90031, 0.99969), abs=1e-5)
    assert expected([0.9, 0.9, 0.9]) == pytest.approx((0.89, 0.91))
    assert expected([0.01, 0.02, 0.3]).low == 0
    assert expected([-0.4, -0.41, -0.4]) == (0, 0)


def test_own_runs_narrow_the_range_of_their_depth_only(tmp_path: Path) -> None:
    own = gather(records(tmp_path, [0.965, 0.966, 0.967, 0.966]), facts())
    after, changes = own.narrow(SAID, False)
    assert after.accuracy == pytest.approx((0.956, 0.976)) and own.runs == 4
    assert after.basis == ("S19", "4 own runs")
    assert next(one for one in changes if one.quantity == "accuracy").before == Range(0.93, 1.0)
    for compute in (4 / 12, 11 / 12):
        other = SAID._replace(compute=compute)
        assert own.narrow(other, False) == (other, ())
    assert own.narrow(SAID, True)[1] != changes


def test_without_evidence_own_runs_stand_alone(tmp_path: Path) -> None:
    own = gather(records(tmp_path, [0.96, 0.96, 0.97]), facts())
    after, changes = own.narrow(SAID, False)
    assert after.emissions == pytest.approx((0.77, 0.79))
    assert "no evidence" in str(next(one for one in changes if one.quantity == "emissions"))


def test_where_they_contradict_the_evidence_own_runs_stand_and_say_so(tmp_path: Path) -> None:
    own = gather(records(tmp_path, [0.80, 0.81, 0.80]), facts())
    after, changes = own.narrow(SAID, False)
    assert after.accuracy and after.accuracy.high < 0.93
    told = next(one for one in changes if one.quantity == "accuracy")
    assert told.disjoint and "outside the 0.93-1.00" in str(told) and "3 own runs" in str(told)


def test_emissions_that_are_time_under_another_name_narrow_nothing(tmp_path: Path) -> None:
    metered = records(tmp_path, [0.96, 0.97, 0.98])

    def derived(one: Record) -> Record:
        steps = (replace(step, quantities=tuple(map(named, step.quantities))) for step in one.steps)
        return replace(one, steps=tuple(steps))

    def named(one: Quantity) -> Quantity:
        return replace(one, source=f"{TIME_DERIVED}: {one.source}") if "emissions" in one.name else one

    def narrowed(own: Iterable[Record]) -> set[str]:
        return {one.quantity for one in gather(own, facts()).narrow(WIDE, False)[1]}

    assert narrowed(metered) == {"accuracy", "time", "emissions"}
    assert narrowed(map(derived, metered)) == {"accuracy", "time"}


def test_two_runs_narrow_nothing(tmp_path: Path) -> None:
    own = gather(records(tmp_path, [0.96, 0.97]), facts())
    assert own.narrow(SAID, False) == (SAID, ())


def test_the_same_run_again_is_not_another_experiment(tmp_path: Path) -> None:
    once = records(tmp_path, [0.96])[0]
    again = [replace(once, finished=f"2026-11-2{day}", seconds=float(day)) for day in range(5, 9)]
    assert gather([once, *again], facts()).runs == 1
    assert gather([again[0], once], facts()).sha256 == gather([once, again[0]], facts()).sha256


@pytest.mark.parametrize(
    "other", [facts(9_999), facts(None), facts(family="t5"), facts(device="cuda")], ids=["small", "?", "t5", "cuda"]
)
def test_runs_of_another_regime_family_or_device_do_not_count(other: Facts, tmp_path: Path) -> None:
    assert gather(records(tmp_path, [0.96, 0.97, 0.96]), other).runs == 0


def test_runs_of_another_task_do_not_count(tmp_path: Path) -> None:
    """What classifiers keep says nothing of what is kept by a language model, or by one that writes summaries."""
    own = records(tmp_path, [0.96, 0.97, 0.96])
    written = [replace(one, facts={**one.facts, "data.task": "text-generation"}) for one in own]
    writes = facts()._replace(data=DataFacts(samples=67_349, task="text-generation"))
    assert gather(own, writes).runs == gather(written, facts()).runs == 0
    assert gather(written, writes).runs == gather(own, facts()).runs == 3


def test_runs_of_other_types_that_rules_know_by_one_name_do_not_count(tmp_path: Path) -> None:
    other = facts(family="other-decoder")
    gemma = records(tmp_path, [0.96, 0.97, 0.96], family="gemma2")
    assert gather(gemma, other, "gemma2").runs == 3 and gather(gemma, other, "olmo2").runs == 0


def test_few_report_rows_say_nothing_of_the_accuracy(tmp_path: Path) -> None:
    few = records(tmp_path, [0.96, 0.97, 0.96], eval_samples=399)
    after, _ = gather(few, facts()).narrow(SAID, False)
    assert after.accuracy == SAID.accuracy and after.time != SAID.time


def test_what_layers_leave_without_distillation_says_nothing_of_the_accuracy(tmp_path: Path) -> None:
    """Advice always distils after layers are removed; how long the model takes is the same."""
    whole = records(tmp_path, [0.66, 0.67, 0.66])
    cut = [replace(one, steps=tuple(step for step in one.steps if step.name != "distillation")) for one in whole]
    for own in (cut, [replace(one, steps=one.steps[:2]) for one in whole]):
        assert own[0].steps[1].name == "layer_removal"
        after, _ = gather(own, facts()).narrow(SAID, False)
        assert after.accuracy == SAID.accuracy and after.time != SAID.time


def test_wnli_has_no_part_in_a_mean_over_tasks(tmp_path: Path) -> None:
    """Its development set misleads on purpose (rule R12); how long a model takes on it is as good as elsewhere."""
    misleading = records(tmp_path, [0.96, 0.97, 0.96], data="glue/wnli")
    after, _ = gather(misleading, facts()).narrow(SAID, False)
    assert after.accuracy == SAID.accuracy and after.time != SAID.time


@pytest.mark.parametrize("above", [Measured(0.0), Measured(0.03, interval=(-0.01, 0.07))], ids=["equal", "by chance"])
def test_runs_whose_baseline_is_not_shown_to_beat_a_constant_answer_are_ignored(
    above: Measured, tmp_path: Path
) -> None:
    worthless = []
    for number, share in enumerate([1.0, 1.0, 1.0]):
        steps = [replace(one, above_constant=above) for one in small_runs.result().steps]
        steps[2] = replace(steps[2], relative_accuracy=Measured(share))
        run = small_runs.result(steps=tuple(steps))
        worthless.append(small_runs.record(tmp_path / f"w{number}", run, seed=number))
    assert gather(worthless, facts()).runs == 0
    assert gather(worthless, facts()).narrow(SAID, False) == (SAID, ())
    sound = records(tmp_path, [0.965, 0.966, 0.967])
    assert gather([*worthless, *sound], facts()) == gather(sound, facts())


def test_an_interval_is_taken_whole_and_not_cut_to_what_it_shares_with_the_range(tmp_path: Path) -> None:
    """Both at once would hold less often than the 95 % that the interval claims."""
    after, _ = gather(records(tmp_path, [0.985, 0.99, 0.995]), facts()).narrow(SAID, False)
    assert after.accuracy == expected([0.985, 0.99, 0.995]) and after.accuracy.high > SAID.accuracy.high
    wide = gather(records(tmp_path / "wide", [0.90, 0.95, 1.0]), facts()).narrow(SAID, False)
    assert wide[0].accuracy == SAID.accuracy and not [one for one in wide[1] if one.quantity == "accuracy"]


def test_runs_on_the_same_data_go_before_runs_on_other_data(tmp_path: Path) -> None:
    same = records(tmp_path / "same", [0.965, 0.966, 0.967])
    other = records(tmp_path / "other", [0.94, 0.95, 0.96], data="glue/qqp", data_sha256="q" * 64)
    on = facts()._replace(data=DataFacts(samples=67_349, source=same[0].data))
    assert gather([*same, *other], on) == gather(same, on)
    assert gather([*same[:2], *other], on).runs == 5  # too few on the same data
