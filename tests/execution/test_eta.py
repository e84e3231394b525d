"""The time that a run will still take: as forecast before a part shows its own pace, and by that pace afterwards."""

from __future__ import annotations

import pytest

from advisor.execution.eta import Clock, Part, Rows, parts
from advisor.families import registry
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import SCORED_ROWS, LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.records.results import SCORE, TEACHER, Progress


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def told(clock: Clock, time: Time, at: float, part: int, done: int, label: str = "learn") -> tuple[float, float | None]:
    time.at = at
    return clock.ahead(part, Progress(label, done, 100))


def test_nothing_is_foretold_before_there_is_a_pace() -> None:
    time = Time()
    clock = Clock([Part(100), Part(50)], time)
    assert told(clock, time, 0, 0, 0) == (0, None)
    assert told(clock, time, 1, 0, 1) == (0, None)


def test_the_rest_of_the_run_counts_not_only_this_part() -> None:
    """A tenth of 100 units takes 10 s; 90 units more take 90 s, the next part's 50 take 50 s and its 7 s."""
    time = Time()
    clock = Clock([Part(100), Part(50, 7)], time)
    told(clock, time, 0, 0, 0)
    share, remaining = told(clock, time, 10, 0, 10)
    assert remaining == pytest.approx(90 + 50 + 7)
    assert share == pytest.approx(10 / 157)


def test_a_resumed_run_knows_what_a_whole_one_takes() -> None:
    """The first part was done before; 10 units of the second take 10 s."""
    time = Time()
    clock = Clock([Part(100), Part(50, 7)], time)
    assert clock.whole() is None
    told(clock, time, 0, 1, 0)
    assert told(clock, time, 10, 1, 20)[1] == pytest.approx(40)
    assert clock.whole() == pytest.approx(100 + 50 + 7)


def test_a_longer_list_of_attempts_goes_by_the_pace_of_its_own() -> None:
    """int8 of T5: export and first attempt take 180 s, then 37 short ones of 20 s are added."""
    time = Time()
    clock = Clock([Part(100)], time)

    def at(seconds: float, done: int, total: int) -> float | None:
        time.at = seconds
        return clock.ahead(0, Progress("quantize", done, total))[1]

    at(0, 0, 2)
    at(180, 1, 39)
    assert at(200, 2, 39) == pytest.approx(20 * 37)


def test_the_search_of_int8_is_no_pace_of_what_follows() -> None:
    """A resumed run: 20 of 40 attempts took 100 s; how long the models are served beyond 60 s nobody can know yet."""
    time = Time()
    clock = Clock([Part(100), Part(1, 15, paced=False), Part(50, 60)], time)
    told(clock, time, 0, 1, 0)
    assert told(clock, time, 100, 1, 50)[1] == pytest.approx(100 + 60)
    assert clock.whole() is None
    told(clock, time, 200, 1, 100)
    clock.finish(1)
    told(clock, time, 200, 2, 0)
    assert told(clock, time, 220, 2, 20)[1] == pytest.approx(80)


def test_a_later_part_is_forecast_by_the_pace_of_the_ones_before_and_then_goes_by_its_own() -> None:
    time = Time()
    clock = Clock([Part(100), Part(50), Part(0, 30)], time)
    told(clock, time, 0, 0, 0)
    told(clock, time, 100, 0, 100)
    clock.finish(0)
    assert told(clock, time, 100, 1, 0)[1] == pytest.approx(50 + 30)
    assert told(clock, time, 120, 1, 20)[1] == pytest.approx(80 + 30)  # it is half as fast


def test_small_work_beside_a_part_does_not_pass_for_the_part() -> None:
    """Importance is measured in 4 s; the 50 units of the part are still to come."""
    time = Time()
    clock = Clock([Part(100), Part(50), Part(0)], time)
    told(clock, time, 0, 0, 0)
    told(clock, time, 100, 0, 100)
    clock.finish(0)
    told(clock, time, 100, 1, 0, "importance")
    assert told(clock, time, 104, 1, 100, "importance")[1] == pytest.approx(46)


def test_the_teacher_s_pass_counts_as_its_share_of_a_part() -> None:
    """20 of 100 units are the teacher's and take 20 s, also in a run whose steps before were taken over."""
    time = Time()
    clock = Clock([Part(500), Part(100, teacher=20), Part(30)], time)
    told(clock, time, 0, 1, 0, TEACHER)
    share, remaining = told(clock, time, 10, 1, 50, TEACHER)
    assert remaining == pytest.approx(90 + 30) and share == pytest.approx(10 / 130)
    assert told(clock, time, 20, 1, 100, TEACHER)[1] == pytest.approx(80 + 30)
    told(clock, time, 20, 1, 0, "distil")
    share, remaining = told(clock, time, 60, 1, 50, "distil")
    assert remaining == pytest.approx(40 + 30) and share == pytest.approx(60 / 130)


def test_scoring_the_report_rows_counts_as_the_end_of_a_part() -> None:
    """80 of 100 units are learned in 80 s; half of the scoring is done after 90 s, so 10 s and the next 30 are left."""
    time = Time()
    clock = Clock([Part(100, scored=20), Part(30)], time)
    told(clock, time, 0, 0, 0)
    assert told(clock, time, 80, 0, 100)[1] == pytest.approx(20 + 30)
    told(clock, time, 80, 0, 0, SCORE)
    share, remaining = told(clock, time, 90, 0, 50, SCORE)
    assert remaining == pytest.approx(10 + 30)
    assert share == pytest.approx(90 / 130)


def test_what_was_done_before_a_kill_is_not_the_pace_of_what_follows() -> None:
    """The teacher answers again for 20 s, then distillation goes on at 90 %: its last 8 units take 8 s."""
    time = Time()
    clock = Clock([Part(100, teacher=20), Part(100)], time)
    told(clock, time, 0, 0, 0, TEACHER)
    told(clock, time, 20, 0, 100, TEACHER)
    told(clock, time, 20, 0, 90, "distil")
    assert told(clock, time, 24, 0, 95, "distil")[1] == pytest.approx(4 + 100)
    told(clock, time, 28, 0, 100, "distil")
    clock.finish(0)
    assert told(clock, time, 28, 1, 0)[1] == pytest.approx(100)


def test_the_teacher_s_pass_is_no_pace_where_it_was_not_forecast() -> None:
    """It answers for matrix pruning, as distillation was taken over."""
    time = Time()
    clock = Clock([Part(100), Part(100), Part(50)], time)
    told(clock, time, 0, 1, 0, TEACHER)
    assert told(clock, time, 20, 1, 100, TEACHER)[1] is None
    told(clock, time, 20, 1, 0, "prune")
    assert told(clock, time, 30, 1, 10, "prune")[1] == pytest.approx(90 + 50)
    told(clock, time, 120, 1, 100, "prune")
    clock.finish(1)
    assert told(clock, time, 120, 2, 0)[1] == pytest.approx(50)


def test_distillation_s_part_says_how_much_of_it_is_the_teacher_s() -> None:
    bert = registry.find("bert")
    assert bert
    steps = (Finetune(), LayerRemoval(keep=8), Distillation())
    found = plan(Recipe(1, "x", ModelSource("bert"), "cpu", steps), bert.config)
    assert found
    rows = Rows(train=900, selection=100, report=0, unlabelled=100)
    first, removal, distillation = parts(found, rows, measuring=0)[:3]
    assert first.teacher == removal.teacher == 0
    assert distillation.teacher == bert.compute(bert.config) * 1000


@pytest.mark.parametrize(("tokens", "asked"), [(20_000, 0), (20_001, 3)])
def test_the_teacher_answers_with_every_batch_where_its_states_do_not_fit(tokens: int, asked: int) -> None:
    """Of 8 blocks of width 768, in 2 bytes each, 20,000 tokens fit, and one more does not."""
    bert = registry.find("bert")
    assert bert
    steps = (Finetune(), LayerRemoval(keep=8), Distillation(epochs=3))
    found = plan(Recipe(1, "x", ModelSource("bert"), "cpu", steps), bert.config)
    assert found
    fitting, rows = (
        parts(found, Rows(900, 100, 0, 100, given, states_bytes=245_760_000), measuring=0)[2]
        for given in (20_000, tokens)
    )
    assert rows.work - fitting.work == asked * 1000 * bert.compute(bert.config)
    assert rows.teacher == fitting.teacher == 1000 * bert.compute(bert.config)


@pytest.mark.parametrize(("weight", "passes"), [(10.0, 1000), (0.0, 0)])
def test_the_teacher_answers_again_where_matrices_go_by_its_hidden_states(weight: float, passes: int) -> None:
    bert = registry.find("bert")
    assert bert
    steps = (Finetune(), Distillation(), MatrixPruning(hidden_size=448, hidden_weight=weight))
    found = plan(Recipe(1, "x", ModelSource("bert"), "cpu", steps), bert.config)
    assert found
    last = parts(found, Rows(train=900, selection=100, report=0, unlabelled=100), measuring=0)[2]
    assert last.teacher == bert.compute(bert.config) * passes


def test_choosing_layers_by_importance_counts_its_passes() -> None:
    """From 12 to 8: one of the whole, four for the blocks that go, (66 + 55 + 45 + 36) / 12 behind those left."""
    bert = registry.find("bert")
    assert bert
    found = []
    for choose in ("alternate", "importance"):
        steps = (Finetune(), LayerRemoval(keep=8, choose=choose))  # type: ignore[arg-type]
        planned = plan(Recipe(1, "x", ModelSource("bert"), "cpu", steps), bert.config)
        assert planned
        found.append(parts(planned, Rows(900, 100, 0), measuring=0)[1].work)
    assert found[1] - found[0] == SCORED_ROWS * 22 * bert.compute(bert.config)


def test_a_part_that_was_resumed_is_judged_by_what_it_did_since() -> None:
    time = Time()
    clock = Clock([Part(100), Part(100)], time)
    told(clock, time, 0, 0, 50)
    assert told(clock, time, 10, 0, 60)[1] == pytest.approx(40 + 100)


def test_the_share_never_goes_back_and_ends_at_the_whole() -> None:
    time = Time()
    clock = Clock([Part(100), Part(10)], time)
    told(clock, time, 0, 0, 0)
    shares = [told(clock, time, at, 0, done)[0] for at, done in ((10, 10), (50, 20), (60, 90), (62, 100))]
    clock.finish(0)
    told(clock, time, 62, 1, 0)
    shares.append(told(clock, time, 68, 1, 100)[0])
    assert shares == sorted(shares)
    assert shares[-1] == 1
