"""Model fit: where a recipe does not fit the config of its model, all at once, each at its setting."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from advisor.base.errors import short
from advisor.base.yamlfile import Document
from advisor.facts.tasks import SPEECH, TO_TEXT
from advisor.families import registry
from advisor.families.input_sizes import misfit
from advisor.inspection import languages
from advisor.inspection.probe import Model
from advisor.recipe.plan import Plan, Problem
from advisor.recipe.recipe import Recipe
from advisor.review.decisive_facts import names_a_part, path_of, value_at
from advisor.review.findings import FITS, UNSEEN, Edit, Finding, Fix, Path_, Place
from advisor.review.fixes.rule_fixes import Unfitting

WHY = "The model's config cannot express this shape."
WHY_INT8 = "int8 is made and served by a backend, and not every backend has every scheme or serves every task."
WHY_TAKEN = "Baseline and teacher have to do the task already where nothing is trained before."
WHY_OF = {"quantization": WHY_INT8, "finetune": WHY_TAKEN}
WHY_TASK = "The architecture decides which tasks a model can be trained for."
WHY_INPUTS = "A model has so many positions for tokens, patches of an image or parts of a sound, and none beyond."
WHY_LANGUAGES = "Models for many languages read and write each text behind the code of its language; others do not."
WHY_UNSEEN = "Without the model's config, sizes and numbers of layers cannot be checked, and no size can be predicted."


class ModelFit(NamedTuple):
    """A recipe and the model that it is held against. plan: None where the config is not here or not described."""

    recipe: Recipe
    document: Document
    model: Model
    plan: Plan | None

    def findings(self, because: str = WHY) -> Iterator[Finding]:
        """Everything that the model's config cannot express, and a note where there is no config to check against."""
        for problem in self.plan.problems if self.plan else ():
            yield self._unfit(WHY_OF.get(problem.step, because), problem)
        yield from self._family(because)
        yield from self._tokens(WHY_INPUTS)
        yield from self._inputs()
        yield from self._languages()
        if self.plan is None:
            yield self._unseen()

    def _misfit(self, because: str, path: Path_, message: str, better: int | str | None = None) -> Finding:
        """A finding. better: what to set there instead, where that is known."""
        fix = None
        if better is not None:
            fix = Fix(f"set {path[-1]} to {better}", safe=False, edits=(Edit(path, "set", better),))
        place = Place.of(self.document, path, key=names_a_part(path))
        return Finding(FITS, "error", message, because, place, path, self._value(path), fix=fix)

    def _value(self, path: Path_) -> str:
        return value_at(path, self.recipe, self.document)

    def _unfit(self, because: str, problem: Problem) -> Finding:
        name = (problem.step, problem.setting) if problem.setting else (problem.step,)
        found = self._misfit(because, path_of(name, self.recipe, self.document), f"{problem.step}: {problem.text}")
        if self.plan is None or self.model.config is None:
            return found
        family, config = self.plan.family, self.model.config
        if self.plan.given and self.model.student_config:  # a step before it has no setting to blame
            family, config = self.plan.given.family, self.model.student_config
        return replace(found, fix=Unfitting(problem, self.recipe, family, family.shape(config)).fix())

    def _family(self, because: str) -> Iterator[Finding]:
        stated, true = self.recipe.model.family, self.model.facts.family
        if stated not in (None, true):
            message = f"the recipe says family {stated}, the model's config says {true}"
            yield self._misfit(because, ("model", "family"), message, true)

    def _tokens(self, because: str) -> Iterator[Finding]:
        """A text longer than the model's positions would stop the run; what is not stated follows data and model."""
        family, task = self.plan.family if self.plan else None, self.recipe.data.task
        most = family.longest(self.model.config) if family and self.model.config else None
        if most is None:
            return
        limits = {"max_tokens": most}
        limits |= {"max_new_tokens": most} if task in TO_TEXT else {}
        limits |= {"max_new_tokens": most - 1} if task == "text-generation" else {}  # behind at least one token
        for name, limit in limits.items():
            tokens, path = getattr(self.recipe.training, name), ("training", name)
            if tokens > limit and path in self.document.marks:
                more = f"{tokens:,} is more than the {limit:,} positions of {short(self.recipe.model.source)}"
                yield self._misfit(because, path, f"{name} {more}{' behind a first token' * (limit < most)}", limit)

    def _inputs(self) -> Iterator[Finding]:
        """Images or sounds of a size that the model cannot be fitted to."""
        training, config = self.recipe.training, self.model.config or {}
        written = training.max_new_tokens if self.recipe.data.task == SPEECH else None
        wrong = misfit(config, training.image_size, training.max_seconds, written) if self.plan else None
        if wrong is not None:
            setting, message, near = wrong
            yield self._misfit(WHY_INPUTS, ("training", setting), f"{setting}: {message}", near)

    def _languages(self) -> Iterator[Finding]:
        """Languages that the model's tokenizer asks for, or has no use for."""
        if missing := languages.unstated(self.model, self.recipe.data):
            found = self._misfit(WHY_LANGUAGES, ("data", "task"), missing)
            yield replace(found, fix=Fix(languages.STATE_THEM, safe=False))
        for setting, message in languages.unwanted(self.model, self.recipe.data):
            found = self._misfit(WHY_LANGUAGES, ("data", setting), message)
            yield replace(found, fix=Fix(languages.instead(self.model), safe=False))

    def task(self) -> Iterator[Finding]:
        """A task that no model of this type can do."""
        if wrong := registry.refused_task(self.model.model_type, self.model.facts.kind, self.recipe.data.task):
            yield self._misfit(WHY_TASK, ("data", "task"), ": ".join(wrong))

    def _unseen(self) -> Finding:
        source, family = short(self.recipe.model.source), self.model.facts.family
        if self.model.config is None and not self.model.unknown:
            nowhere = "no such folder, and not in the local Hub cache"
            message = f"checked without the config of {source} ({nowhere}); judged as a generic {family} model"
            fix = f"fetch its config (hf download {shlex.quote(source)} config.json), or name a folder that has it"
        else:
            flags = registry.uncovered(self.model.config or {})
            why = f"nobody tried {', '.join(flags)}" if flags else self.model.unknown
            message = f"the sizes of {source} were not checked: {why}"
            fix = "`advise families add` describes a model; `advise families` lists those that are"
        path = ("model", "source")
        place, value = Place.of(self.document, path), self._value(path)
        return Finding(UNSEEN, "note", message, WHY_UNSEEN, place, path, value, fix=Fix(fix, safe=True))
