"""Look at a model's config, at data and at the machine, and tell the facts. No weights are loaded, no network used."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.base.install import pip_command
from advisor.facts.facts import DeviceFacts, ModelFacts
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.recipe.recipe import ModelSource

MAX_CONFIG = 1_000_000
ALIASES = {"gpt-2": "gpt2", "opt-125m": "opt", "t5-base": "t5", "bert-base": "bert"}


class Model(NamedTuple):
    """A model as far as it is known before its weights are loaded. `folder`: None for one that is not here."""

    source: ModelSource
    facts: ModelFacts
    config: Config | None
    folder: Path | None = None


def model(source: str, labels: int = 2, base: Path = Path()) -> Model:
    """Find a model: a family's name, a checkpoint folder, a `config.json`, or a Hub id in the local cache.

    A family's name is a family, also where a folder of that name exists: that folder is `./NAME`.

    Args:
        labels: classes of the task, for the exact parameter count.
        base: folder that relative paths start from.

    Raises:
        AdviseError: nothing of that name is known, or its config is missing or makes no sense.
    """
    path = base / Path(source).expanduser()
    if source.lower() not in registry.names() and path.exists():
        return _local(source, path, labels)
    family = _family(source)
    cached = cached_config(family.checkpoint if family else source)
    if cached:
        return _local(source, cached, labels)
    if family:
        return Model(
            ModelSource(family.checkpoint, family.model_type),
            family.facts(family.config, labels),
            family.config,
        )
    raise AdviseError(_unknown(source))


def _family(source: str) -> Family | None:
    """The family that a name or a base checkpoint's Hub id stands for."""
    return registry.find(ALIASES.get(source.lower(), source.lower())) or registry.by_checkpoint(source)


def _unknown(source: str) -> Fault:
    if (
        source.startswith((".", "/", "~"))
        or source.endswith(".json")
        or (Path(source).parent.is_dir() and "/" in source)
    ):
        return Fault("no such checkpoint folder or config.json", source, hint="check the path")
    if "$" in source or "{" in source:
        return Fault(f"unknown model {source!r}", hint="this looks like a template that still has to be filled in")
    known = [*registry.names(), *ALIASES]
    return Fault(
        f"unknown model {source!r}: no family of that name, no such folder, and not in the local Hub cache",
        hint=f"{suggest(source, known)} or give a checkpoint folder, a config.json, or a Hub id that was downloaded",
    )


def _local(source: str, path: Path, labels: int) -> Model:
    file = path / "config.json" if path.is_dir() else path
    config = read_config(file)
    facts = registry.describe(config, str(file), labels)
    return Model(ModelSource(source, facts.family), facts, config, file.parent)


def read_config(file: Path) -> Config:
    """Read a `config.json`.

    Raises:
        AdviseError: it is missing, too large, no JSON, or no config of a transformers model.
    """
    if not file.is_file():
        raise AdviseError(Fault("no config.json here", str(file.parent), hint="give a transformers checkpoint folder"))
    try:
        data = file.read_bytes()[: MAX_CONFIG + 1]
        config = json.loads(data) if len(data) <= MAX_CONFIG else None
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", str(file))) from None
    except json.JSONDecodeError as error:
        hint = "copy the file again from where it came from"
        raise AdviseError(Fault(f"not JSON: {error.msg}", str(file), error.lineno, error.colno, hint)) from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        hint = "give the folder, or the config.json in it, not the weights"
        raise AdviseError(Fault("not JSON text", str(file), hint=hint)) from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise AdviseError(Fault("model_type is missing: expected the config of a transformers model", str(file)))
    return config


def cached_config(source: str) -> Path | None:
    """The `config.json` of a Hub id in the local cache, found by the cache's own layout, without its library."""
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    repository = cache / f"models--{source.replace('/', '--')}"
    try:
        revision = (repository / "refs" / "main").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    file = repository / "snapshots" / revision / "config.json"
    return file if file.is_file() else None


def named(source: ModelSource, labels: int = 2, base: Path = Path()) -> Model:
    """The model that a recipe names; where it cannot be found, what its family alone tells.

    Raises:
        AdviseError: its config makes no sense, or the family is unknown.
    """
    known = [*registry.names(), *registry.OTHERS.values()]
    if source.family is not None and source.family not in known:
        raise AdviseError(f"unknown family {source.family!r}", hint=suggest(source.family, known))
    if (base / Path(source.source).expanduser()).exists() or source.family is None:
        return model(source.source, labels, base)
    if source.source.startswith(("./", "../")):  # what stands beside the recipe has to be there
        raise AdviseError(_unknown(source.source))
    family = registry.find(source.family)
    if _family(source.source) or cached_config(source.source):
        return model(source.source, labels, base)
    kinds = {name: kind for kind, name in registry.OTHERS.items()}
    kind = family.kind if family else kinds[source.family]
    return Model(source, ModelFacts(family=source.family, kind=kind), None)


def device(kind: str) -> DeviceFacts:
    """The facts of a device kind; `auto` looks at this machine and prefers a GPU."""
    return DeviceFacts(kind=here() if kind == "auto" else kind)


def here() -> str:
    """The best kind of device on this machine, as far as it shows without torch."""
    if Path("/proc/driver/nvidia/version").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"


def data(source: str, columns: Mapping[str, str | None], max_samples: int | None, task: str | None = None) -> Any:
    """Read a data set to count it; needs the extra [run].

    Raises:
        AdviseError: it cannot be read, or the extra is not installed.
    """
    needs_run("--data")
    from advisor.compute.data.dataset import load

    text, pair, label = (columns.get(name) for name in ("text", "pair", "label"))
    return load(source, text=text, pair=pair, label=label, max_samples=max_samples, task=task)


def needs_run(what: str) -> None:
    """Raise an AdviseError that names the extra unless the executor's packages are installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "datasets") if find_spec(name) is None]
    if missing:
        raise AdviseError(f"{what} needs {', '.join(missing)}, not installed", hint=pip_command("run"))
