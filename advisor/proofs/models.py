"""Models: configs of a family with the sizes that some cells ask for, so that a situation has a model that can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from advisor.base.errors import AdviseError
from advisor.facts.facts import ModelFacts
from advisor.families import registry
from advisor.families.family import Family
from advisor.inspection.probe import Model
from advisor.policy.conditions import Test
from advisor.proofs.variables import MODEL
from advisor.recipe.recipe import ModelSource

SIZES = ("layers", "encoder_layers", "decoder_layers", "hidden_size", "heads", "intermediate_size", "vocabulary")
COUNTED = ("parameters", "embedding_share")  # what the other sizes make
FORMS = ("fused_projections", "shared_layers")  # that a family of a kind may have, or not
USUAL = (768, 12, 6, 24, 48, 32, 3072, *(2**power for power in range(23)), 3, 100, 50_000)
MOST_ALIKE = 5


def models(tests: tuple[Test, ...], values: Mapping[str, Any], labels: int) -> Iterator[Model]:
    """Models of the family that the values name, with its base checkpoint's sizes where they name none."""
    name, kind = values["model.family"], values["model.kind"]
    if not values[MODEL]:
        source = ModelSource(f"somebody/{name}", name)
        facts = ModelFacts(name, kind, generative=values["model.generative"], source=source.source)
        yield Model(source, facts, None)
        return
    for family in registry.named_in_rules(name):
        yield from _of(family, name, tests, values, labels)


def _of(family: Family, name: str, tests: tuple[Test, ...], values: Mapping[str, Any], labels: int) -> Iterator[Model]:
    """Models of one family. name: by which rules know it."""
    wanted = {key: values[f"model.{key}"] for key in (*SIZES, *COUNTED) if values.get(f"model.{key}") is not None}
    source = family.checkpoint or family.model_type
    for config in _configs(family, wanted, tests):
        try:
            facts = family.facts(config, labels)._replace(family=name, source=source)
        except (AdviseError, ValueError, ArithmeticError):
            continue
        if all(getattr(facts, form) == values[f"model.{form}"] for form in FORMS):
            yield Model(ModelSource(source, name), facts, config)


def _configs(family: Family, wanted: Mapping[str, Any], tests: tuple[Test, ...]) -> Iterator[dict[str, Any]]:
    """The base checkpoint's config with other sizes, the nearest to it first."""
    keys = {"hidden_size": family.hidden_size, "heads": family.heads}
    keys |= {"intermediate_size": family.intermediate_size, "vocabulary": family.vocabulary}
    options = {key: _sizes(family.config.get(key), wanted, size, tests) for size, key in keys.items() if key}
    for stack in family.stacks:
        size = "decoder_layers" if stack.name == "decoder" else "encoder_layers"
        size = size if size in wanted else "layers"
        options[stack.key] = _sizes(family.config.get(stack.key), wanted, size, tests)
    named = {key: found for key, found in options.items() if found}
    for chosen in product(*named.values()):
        config = {**family.config, **dict(zip(named, chosen, strict=True))}
        if not family.hidden_follows_heads or config[family.hidden_size] % config[family.heads] == 0:
            yield config


def _sizes(base: Any, wanted: Mapping[str, Any], size: str, tests: tuple[Test, ...]) -> list[int]:
    """Values of one size: those in the wanted cell, or several where what is counted of them has to be reached."""
    if size in wanted:
        return _alike(f"model.{size}", wanted[size], base, tests)
    if not isinstance(base, int):
        return []
    if not {*COUNTED} & {*wanted}:
        return [base]
    factors = {"hidden_size": (1, 16), "heads": (1,), "layers": (1, 10)}.get(size, (1, 0.01, 100, 0.0001))
    return [max(1, round(base * factor)) for factor in factors]


def _alike(name: str, value: int, base: Any, tests: tuple[Test, ...]) -> list[int]:
    """Usual sizes that answer every test as a value does, and the value itself."""
    mine = [test for test in tests if test.name == name and not test.other]
    usual = [base, *USUAL] if isinstance(base, int) else list(USUAL)
    if any(name in test.names() and test.other for test in tests):
        return [value]
    same = [one for one in usual if all(test.answers(one) == test.answers(value) for test in mine)]
    return list(dict.fromkeys([*same[:MOST_ALIKE], *([max(same)] if same else []), *([value] if value else [])]))
