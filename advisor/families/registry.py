"""All families, found by listing this folder: one file for each `model_type` that is described."""

from __future__ import annotations

import importlib
import os
from functools import cache

from advisor.base.errors import AdviseError, Fault
from advisor.facts.facts import Kind, ModelFacts
from advisor.families.family import Config, Family
from advisor.families.heads import with_head

OTHERS: dict[Kind, str] = {
    "encoder": "other-encoder",
    "decoder": "other-decoder",
    "encoder-decoder": "other-encoder-decoder",
}

HYPHENS = {"deberta_v2": "deberta-v2", "xlm_roberta": "xlm-roberta"}  # no name of a file may have one


@cache
def names() -> tuple[str, ...]:
    """The families' names in alphabetical order."""
    files = os.listdir(f"{os.path.dirname(__file__)}/models")  # noqa: PTH120, PTH208 - pathlib costs start-up time
    modules = (file[:-3] for file in files if file.endswith(".py") and file[0] != "_")
    return tuple(sorted(HYPHENS.get(module, module) for module in modules))


@cache
def find(model_type: str) -> Family | None:
    """The family of a `model_type`, or None where no file describes it."""
    if model_type not in names():
        return None
    family: Family = importlib.import_module(f"advisor.families.models.{model_type.replace('-', '_')}").FAMILY
    return family


def of_config(config: Config) -> Family | None:
    """The family of a config: one of `names()`, else what the description of its model type says; None for others.

    Raises:
        AdviseError: a file of the user's own descriptions cannot be read.
    """
    model_type = str(config.get("model_type", ""))
    if family := find(model_type):
        return family
    from advisor.families.described import as_family  # most models are known without it

    described = as_family.find(model_type)
    return described if described and not as_family.uncovered(config) else None


@cache
def executable() -> tuple[str, ...]:
    """The names of the families that `advise run` can run."""
    return tuple(name for name in names() if (family := find(name)) and family.executable)


def by_checkpoint(source: str) -> Family | None:
    """The family whose base checkpoint has this Hub id, with or without its organisation."""
    families = (find(name) for name in names())
    return next((one for one in families if one and source in (one.checkpoint, one.checkpoint.split("/")[1])), None)


def describe(config: Config, file: str = "config.json", labels: int = 2, task: str | None = None) -> ModelFacts:
    """The facts of any config: exact for a known family, its kind alone for another.

    Args:
        task: the Hub's pipeline tag, for the parameters of its head.

    Raises:
        AdviseError: its sizes make no sense.
    """
    family = of_config(config)
    if family:
        try:
            facts = with_head(family, task).facts(config, labels, file)
            # Rules know a family by its name only where somebody has something to say of it.
            return facts if family.model_type in names() else facts._replace(family=OTHERS[family.kind])
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            # Sizes are checked by name first; this is for lists and parts of another form than the family's.
            wrong = f"no config of {family.title} that makes sense ({error})"
            hint = f"compare it with the one of {family.checkpoint or family.title}"
            raise AdviseError(Fault(wrong, file, hint=hint)) from None
    kind = _kind(config)
    return ModelFacts(family=OTHERS[kind], kind=kind, generative=kind != "encoder")


def _kind(config: Config) -> Kind:
    if config.get("is_encoder_decoder"):
        return "encoder-decoder"
    named = config.get("architectures")
    classes = " ".join(map(str, named)) if isinstance(named, list) else ""
    decoder = config.get("is_decoder") or "CausalLM" in classes or "LMHead" in classes
    return "decoder" if decoder else "encoder"
