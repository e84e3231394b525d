"""Is there a recipe for all facts? Asked of every recipe that can be written, and of those that advice proposes.

Facts for which a rule denies every recipe, as a pack that names its approved models does, are left out.

Facts for which every recipe found so far is refused, and a recipe that they admit, are looked for in turn until there
are no such facts (proven) or no such recipe (refuted).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from advisor.families import registry
from advisor.policy.conditions import Test
from advisor.policy.effects import denies_facts
from advisor.policy.rule import Rule
from advisor.proofs.amounts import comparison
from advisor.proofs.claims import Asking, Found, Refutation, Undecided, advice_fails, witness
from advisor.proofs.formula import FALSE, TRUE, Atom, Cells, Formula, all_of, any_of, given, negated
from advisor.proofs.situations import Situation, find
from advisor.proofs.translation import ONE, STRUCTURAL, Copy, compare
from advisor.proofs.variables import ABSENT, MODEL, answer, of_model
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training

MOST_ADVISED = 12  # models on which advice itself is asked
MEASURES = "only recipes with layer removal or matrix pruning are left, and whether one fits hangs on the model's sizes"


def some_recipe(ask: Asking) -> Iterator[Found]:
    """For all facts there is a recipe that breaks no error rule."""
    plain = ask.known.steps(ONE, lambda there, _: not there & STRUCTURAL)
    if ask.cells([allowed(ask)]) is None:
        rules = [rule for rule in ask.errors if rule.then.deny]
        yield Refutation(tuple(rule.id for rule in rules), "deny every recipe", "whatever the facts are")
        return
    facts = _refused(ask, [plain])
    if facts is None:
        return
    certain = _refused(ask, [])  # the measures of other recipes are taken as free, so that none is overlooked
    if certain is None:
        yield Undecided(_blamed(ask, facts), f"{MEASURES}: {_said(ask, facts)}")
        return
    situation = find(ask.known, certain, lambda one: _alike(ask, certain, one))
    if situation is None:
        yield Undecided(_blamed(ask, certain), f"no recipe is left, if a model exists with {_said(ask, certain)}")
        return
    rules = [rule for rule in ask.errors if rule.id in _blamed(ask, certain)]
    yield Refutation(tuple(rule.id for rule in rules), "no recipe is left", witness(situation, rules), situation)


def allowed(ask: Asking) -> Formula:
    """Facts for which no rule denies every recipe."""
    return all_of(negated(ask.known.truth(rule.when, surely=False)) for rule in ask.rules if denies_facts(rule))


def _refused(ask: Asking, more: Sequence[Formula]) -> dict[str, int] | None:
    """Facts, one cell each, for which no recipe is admitted; None where there is one for all. more: which recipes."""
    broken = [ask.known.broken(rule) for rule in ask.errors]
    refused = [allowed(ask)]
    while True:
        facts = ask.cells(refused)
        if facts is None:
            return None
        facts = _point(ask, facts, recipe=False)
        recipe = ask.cells([*(negated(given(one, facts)) for one in broken), ask.known.sensible(), *more])
        if recipe is None:
            return facts
        recipe = _point(ask, recipe, recipe=True)
        refused.append(any_of(given(one, recipe) for one in broken))


def _point(ask: Asking, cells: Cells, recipe: bool) -> dict[str, int]:
    """One cell of every variable that is, or is not, a recipe's."""
    found: dict[str, int] = {}
    numbers = ask.known.amounts.numbers(cells, ("",))
    amounts = numbers[0] if numbers else {}
    for key, variable in ask.known.variables.items():
        if ask.known.of_recipe(key) == recipe:
            mask = cells.get(key, variable.whole)
            if key in amounts:
                mask = _cell_of(ask, key, amounts[key])
            elif test := ask.known.amounts.compared.get(key):
                mask = {True: 1, False: 2, None: mask}[test.compares(*map(amounts.get, test.names()))]
            elif key.startswith("model."):
                mask = _usual(ask, key, found[MODEL]) & mask or mask
            found[key] = mask & -mask
    return found


def _usual(ask: Asking, key: str, model: int) -> int:
    """The cell that a family's base checkpoint lies in, so that the model is likely to exist."""
    row = ask.known.variables[MODEL].rows[model.bit_length() - 1]
    family = registry.find(row[0])
    value = getattr(family.facts(family.config), key.removeprefix("model."), None) if family else None
    variable = ask.known.variables[key]
    if value is None or len(variable.names) > 1:
        return 0
    tests = [test for test in ask.known.tests if test.name == key]
    same = (all(answer(test, one) == answer(test, value) for test in tests) for (one,) in variable.rows)
    return sum(1 << place for place, alike in enumerate(same) if alike)


def _cell_of(ask: Asking, name: str, amount: int | None) -> int:
    runs = ask.known.amounts.runs[name]
    place = len(runs) if amount is None else next(at for at, run in enumerate(runs) if run.low <= amount <= run.high)
    return 1 << place


def _blamed(ask: Asking, facts: Cells) -> tuple[str, ...]:
    """The rules that refuse some recipe under these facts."""
    return tuple(rule.id for rule in ask.errors if given(ask.known.broken(rule), facts) != FALSE)


def _alike(ask: Asking, facts: Cells, situation: Situation) -> bool:
    """Does every test of facts come out as in the cells?"""
    wanted: dict[str, Any] = {}
    for key, variable in ask.known.variables.items():
        if not ask.known.of_recipe(key):
            wanted |= zip(variable.names, variable.rows[facts[key].bit_length() - 1], strict=True)
    config = situation.model.config is not None
    real = {name: situation.view.values.get(name, ABSENT) for name in wanted}
    # A size that nobody knows is no size: the variable of the model says so.
    real |= {} if config else {name: wanted[name] for name, value in real.items() if _is_size(name) and value is None}
    asked = [test for test in ask.known.tests if set(test.names()) <= wanted.keys() and not test.known]
    return all(_answer(test, wanted) == _answer(test, real) for test in asked)


def _is_size(name: str) -> bool:
    return name.startswith("model.") and name not in (*of_model(), "model.revision", "model.licence")


def _answer(test: Test, values: Mapping[str, Any]) -> bool | None:
    holds = values.get(comparison(test), ABSENT)
    if test.other and holds is not ABSENT and None not in (values[test.name], values[test.other]):
        return bool(holds)  # cells of amounts are runs, of which the comparison is decided apart
    if test.other:
        return compare(test, values[test.name], values[test.other])
    return answer(test, values[test.name])


def _said(ask: Asking, facts: Cells) -> str:
    """The first situation in some cells, in words; its family where there is none."""
    situation = find(ask.known, facts, lambda _: True)
    rules = [rule for rule in ask.errors if rule.id in _blamed(ask, facts)]
    return witness(situation, rules) if situation else "such facts"


def advised(ask: Asking) -> Iterator[Found]:
    """For all facts advice proposes a recipe that breaks no error rule, fine-tuning alone or with int8 at least."""
    config = ask.known.of(MODEL, ONE, bool)
    other = ask.known.of("model.generative", ONE, lambda value: value is not None)
    refused = [allowed(ask), *(_refuses(ask, order) for order in (("finetune",), ("finetune", "quantization")))]
    if ask.cells([*refused, any_of([config, other])]) is None:
        return
    tried: Cells | None = None
    for kind in (negated(config), config):
        cells = ask.cells([*refused, other, kind])
        if cells is None:
            continue
        tried = cells
        copy = Copy("", "+finetune")
        situation = find(ask.known, cells, lambda one: advice_fails(ask.policy, one), copy, most=MOST_ADVISED)
        if situation:
            rules = [rule for rule in ask.errors if _breaks(ask, rule, cells)]
            message = "advice finds no recipe that they admit"
            yield Refutation(tuple(rule.id for rule in rules), message, witness(situation, rules), situation)
            return
    if tried is not None:
        blamed = tuple(rule.id for rule in ask.errors if _breaks(ask, rule, tried))
        yield Undecided(blamed, f"advice is left with recipes that compress: {MEASURES}")


def _breaks(ask: Asking, rule: Rule, cells: Cells) -> bool:
    copies = (Copy("", "+finetune"), Copy("", "+finetune+quantization"))
    return any(given(ask.known.broken(rule, copy), cells) != FALSE for copy in copies)


def _refuses(ask: Asking, order: tuple[str, ...]) -> Formula:
    """Where the policy refuses what advice writes with these steps: defaults, and what applying rules prefer."""
    copy = Copy("", "".join(f"+{step}" for step in order))
    steps = ask.known.steps(copy, lambda _, there: there == order)
    settings = {name: _default(name) for name in ask.known.key if _default(name) is not None}
    plain = all_of([steps, *(ask.known.is_(name, value, copy) for name, value in settings.items())])
    written = [steps]
    for name, value in settings.items():
        wishes = [(rule, wish[name]) for rule in ask.rules if name in (wish := rule.then.prefer or {})]
        applies = [_with(ask.known.truth(rule.when, True, copy), plain) for rule, _ in wishes]
        chosen = [
            all_of([there, ask.known.is_(name, wish, copy)]) for there, (_, wish) in zip(applies, wishes, strict=True)
        ]
        unasked = all_of([*(negated(there) for there in applies), ask.known.is_(name, value, copy)])
        written.append(any_of([*chosen, unasked]))
    return all_of(
        [*written, _short(ask, copy), _no_gates(ask, copy), any_of(ask.known.broken(rule, copy) for rule in ask.errors)]
    )


def _default(name: str) -> Any:
    """What advice writes for a setting of a step that it always may propose; None for others."""
    group, _, setting = name.partition(".")
    if group == "training" and setting != "max_tokens":
        return getattr(Training(), setting)
    return getattr(STEPS[group](), setting, None) if group in ("finetune", "quantization") else None


def _short(ask: Asking, copy: Copy) -> Formula:
    """Advice cuts texts at its usual length, or earlier where the model has fewer positions."""
    name = "training.max_tokens"
    return ask.known.of(name, copy, lambda value: value <= Training().max_tokens) if name in ask.known.key else TRUE


def _no_gates(ask: Asking, copy: Copy) -> Formula:
    """Advice writes no gates: its recipes have those of the goal."""
    gates = [name for name in ask.known.key if name.startswith("gates.")]
    return all_of(ask.known.of(name, copy, lambda value: isinstance(value, str)) for name in gates)


def _with(formula: Formula, fixed: Formula) -> Formula:
    """A formula where the atoms of another hold."""
    atoms = (fixed,) if isinstance(fixed, Atom) else fixed.parts
    return given(formula, {one.variable: one.cells for one in atoms if isinstance(one, Atom)})
