"""Describe: write the data of a family, from which its sizes are known without torch.

Models of the class are built under many combinations of flags; every tensor that appears is labelled by inferring and
proving a config that has it, and the conditions of its appearance are learned and tested on combinations not seen
before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import transformers

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.blocks import Blocks
from advisor.compute.structure.inference.conditions import Condition, learn
from advisor.compute.structure.inference.express import Cuts, express
from advisor.compute.structure.inference.flags import Flags, Point, plain_activations, points
from advisor.compute.structure.inference.infer import Inferred, infer
from advisor.compute.structure.inference.origins import fixed_neurons, origins, stacks
from advisor.compute.structure.inference.proof import prove
from advisor.compute.structure.inference.seen import Task, Thing
from advisor.compute.structure.inference.sizes import FOLLOWERS
from advisor.compute.structure.inference.small import REFUSED, SmallConfigs
from advisor.families.described.description import read
from advisor.families.described.layer_lists import by_layer
from advisor.families.described.structure import Row

TASKS = (
    *("text-classification", "token-classification", "question-answering", "text-generation", "text2text-generation"),
    *("automatic-speech-recognition", "audio-classification", "image-classification"),
)
TRIED = 8  # random combinations for each flag that matters; half as many again test what was learned
# Flags as published checkpoints have them, where the defaults of transformers' classes are those of none.
PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False},
    "deberta-v2": {
        **{"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False},
        **{"position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    },
}


def describe(config: Any, tasks: Iterable[str] = ()) -> dict[str, Any]:
    """The data of a family's file. config: one of its published configs, or its class's defaults; tasks: default all.

    Raises:
        AdviseError: its structure cannot be inferred, or its tensors depend on flags in ways that are not understood.
    """
    known = stock.tasks_of(config)
    classes = {task: one for task, one in known.items() if task in (tasks or (*TASKS, next(iter(known))))}
    proof = prove(infer(config, next(iter(classes.values()))))
    base = replace(proof.inferred, structure=proof.structure)
    counts = [key for key, _ in base.blocks.values()]
    rows: dict[tuple[str, Row], dict[str, list[Condition]]] = {}
    flags: dict[str, dict[str, Any]] = {}
    sizes: dict[str, dict[str, Any]] = {}
    first: dict[str, tuple[str, ...]] = {}
    barred: dict[str, set[str]] = {}
    described: dict[str, Any] = {}
    for name, class_ in classes.items():
        task = Task(Flags(config, class_, base.small.free, counts), _blocks(base, class_), sizes)
        matter = _that_matter(task, first)
        learned = _learned(task, matter, needed=not rows)
        if not learned:
            continue
        first, described = first or matter, {**described, name: class_}
        for key, kinds in matter.items():
            _cover(flags, key, kinds, task.flags)
        for thing, conditions in learned.items():
            rows.setdefault(thing, {}).setdefault(name, []).extend(conditions)
        for key, gone in task.not_covered().items():
            _cover(flags, key, tuple(one for one in task.flags.values[key] if one not in gone), task.flags)
            barred.setdefault(key, set()).update(gone)
        _activations(flags, task.flags)
    for key, gone in barred.items():
        flags[key]["covered"] = [one for one in flags[key]["covered"] if one not in gone]
    data = {
        "model_type": config.model_type,
        "transformers": transformers.__version__,
        "tasks": {task: class_.__name__ for task, class_ in described.items()},
        **stacks(base, type(config)()),
        "sizes": origins(sizes, base, type(config)()) | fixed_neurons(sizes, rows),
        "flags": {key: flags[key] for key in sorted(flags)},
        "tensors": sorted((_tensor(*one, where, len(described)) for one, where in rows.items()), key=_order),
        "cuts": _cuts(express(proof)),
        "lists": by_layer(base.small.given, max(base.small.depths.values())),
        "aliases": dict(getattr(config, "attribute_map", {})),
    }
    _test(data, config, described, base)
    return data


def _blocks(base: Inferred, class_: Any) -> Blocks:
    """Where names hold the number of a block: as in the first class, unless this one's names lack a prefix."""
    names = stock.built(class_, SmallConfigs(base.config, base.small.free, class_).config()).shapes
    paths = [path for _, found in base.blocks.values() for path in found]
    alike = all(any(name.startswith(path + ".") for name in names) for path in paths)
    return base.blocks if alike else infer(base.config, class_).blocks


def _that_matter(task: Task, first: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The flags whose value changes the tensors, alone or with others; with the kinds of values tried.

    first: those of the family's first class, whose body is the others' too.
    """
    found: dict[str, set[str]] = {key: set(kinds) for key, kinds in first.items() if key in task.flags.values}
    bases = [dict(task.flags.usual)]
    if not first:
        bases.append(_others(task))
        count = len(task.flags.values)  # a flag may matter only where several others say so
        bases += list(points(task.flags.values, task.flags.usual, count))[-count:] if count else []
    for base in bases:
        here = task.look(base)
        if here is None:
            continue
        for key, kinds in task.flags.values.items():
            for one in kinds:
                there = task.look({**base, key: one})
                if there is not None and there != here:
                    found.setdefault(key, {task.flags.usual[key]}).update({one, base[key]})
    tried = {
        key: [one for one in task.flags.values[key] if one in first.get(key, ()) or _builds(task, key, one)]
        for key in found
    }
    return {key: tuple(kinds) for key, kinds in tried.items()}


def _builds(task: Task, key: str, one: str) -> bool:
    return any(there is not None and dict(point)[key] == one for point, there in task.seen.items())


def _others(task: Task) -> dict[str, str]:
    """All flags turned to another value, as far as a model can be built."""
    point = dict(task.flags.usual)
    for key, kinds in task.flags.values.items():
        for one in list(kinds)[1:]:
            if task.look({**point, key: one}) is not None:
                point[key] = one
                break
    return point


def _learned(task: Task, matter: Mapping[str, tuple[str, ...]], needed: bool) -> dict[Thing, list[Condition]]:
    """The tensors of a class and their conditions; nothing where it cannot be inferred and the family does without.

    Longformer's class for questions reads only texts of a certain form; its other tasks are known.
    """
    usual = {key: task.flags.usual[key] for key in matter}
    look: Callable[[Point], frozenset[Thing] | None] = task.look
    if look(usual) is None:
        if not needed:
            return {}
        raise AdviseError(f"{task.flags.class_.__name__}: its structure cannot be inferred")
    try:
        return learn(look, matter, points(matter, usual, TRIED * len(matter)))
    except ValueError as error:
        raise AdviseError(f"{task.flags.class_.__name__}: {error}") from None


def _cover(flags: dict[str, dict[str, Any]], key: str, kinds: tuple[str, ...], tried: Flags) -> None:
    known = flags.setdefault(key, {"usual": tried.usual[key], "covered": []})
    known["covered"] = sorted({*known["covered"], *kinds})
    if key.rpartition(".")[2] in FOLLOWERS:
        known["follows"] = tried.leader_key(key)


def _activations(flags: dict[str, dict[str, Any]], tried: Flags) -> None:
    """Activations may bring weights of their own; those that do are not covered."""
    plain = plain_activations()
    for key, value in tried.defaults.items():
        if isinstance(value, str) and value in plain and key in tried.values and key not in flags:
            flags[key] = {"usual": value, "covered": plain}


def _tensor(name: str, row: Row, where: Mapping[str, list[Condition]], tasks: int) -> dict[str, Any]:
    conditions = list(where.values())
    when = conditions[0] if all(one == conditions[0] for one in conditions) else None
    data: dict[str, Any] = {"name": name, "axes": list(row.axes)}
    data |= {"site": row.site} if row.site else {}
    data |= {} if row.counted else {"counted": False}
    data |= {"tasks": list(where)} if len(where) < tasks else {}
    if when is None:
        # Classes differ in what they need: each condition speaks of its own class, through `task`.
        when = [{"task": (task,), **one} for task, own in where.items() for one in (own or [{}])]
    return data | ({"when": [{key: list(kept) for key, kept in one.items()} for one in when]} if when else {})


def _order(tensor: Mapping[str, Any]) -> tuple[str, ...]:
    return (tensor["name"], *tensor["axes"], *tensor.get("tasks", ()))


def _cuts(cuts: Cuts) -> dict[str, Any]:
    return {
        "possible": list(cuts.possible),
        "notes": dict(cuts.notes),
        "refused": dict(cuts.refused),
        "multiples": dict(cuts.multiples),
    }


def _test(data: Mapping[str, Any], config: Any, classes: Mapping[str, Any], base: Inferred) -> None:
    """Compare what the data say with real models, under flags that nobody looked at before.

    Raises:
        AdviseError: they differ.
    """
    description = read(data)
    for name, class_ in classes.items():
        tried = Flags(config, class_, base.small.free)
        # Flags that were not found to matter are tried too.
        covered = {key: data["flags"][key]["covered"] for key in tried.values if key in data["flags"]}
        matter = {key: [one for one in kinds if one in covered.get(key, kinds)] for key, kinds in tried.values.items()}
        usual = {key: tried.usual[key] for key in matter}
        for point in points(matter, usual, TRIED * len(matter) // 2, seed=1):
            try:
                small = SmallConfigs(tried.config(point), base.small.free, class_).config()
                real = stock.built(class_, small).shapes
            except REFUSED:
                continue
            said = description.structure(small.to_dict(), name, small.num_labels).shapes()
            if said != real:
                wrong = sorted(said.items() ^ real.items())[0]
                raise AdviseError(f"{class_.__name__} with {point}: {wrong[0]} is not as described")
