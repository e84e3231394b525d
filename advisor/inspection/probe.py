"""Facts about a model, its data and this machine. Loads no weights and uses no network."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault, short, suggest
from advisor.base.install import pip_command
from advisor.base.user_folders import NoFolder, hub
from advisor.facts.cpu import instruction_sets
from advisor.facts.facts import DeviceFacts, ModelFacts
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.inspection import undescribed
from advisor.recipe.recipe import ModelSource

MAX_CONFIG = 1_000_000
_SIZE = re.compile(r"(?<![a-z\d.])(\d{1,4}(?:\.\d+)?)([mb])(?![a-z\d])")
_REVISION = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*")
MAX_CARD = 20_000  # characters of a model card in which its front matter ends
ALIASES = {"gpt-2": "gpt2", "opt-125m": "opt", "t5-base": "t5", "bert-base": "bert"}


class Model(NamedTuple):
    """A model as far as it is known before its weights are loaded. folder: None where it is not on this machine.

    revision: of the Hub that the folder holds; None for a folder of one's own, and where no revision was asked for.
    student: the given model that it is to be distilled into (`given_student`).
    unknown: why its sizes are not known; empty where they are.
    """

    source: ModelSource
    facts: ModelFacts
    config: Config | None
    folder: Path | None = None
    revision: str | None = None
    student: Model | None = None
    unknown: str = ""

    @property
    def model_type(self) -> str:
        """What its config says, and without one its family's name."""
        return str((self.config or {}).get("model_type") or self.facts.family or "")

    @property
    def student_config(self) -> Config | None:
        return self.student.config if self.student else None


def model(
    source: str, labels: int = 2, base: Path = Path(), task: str | None = None, revision: str | None = None
) -> Model:
    """Find a model: a model type's name, a checkpoint folder, a `config.json`, or a Hub id in the local cache.

    A family's name is a family, also where a folder of that name exists: that folder is `./NAME`.

    Args:
        labels, task: classes and pipeline tag of the task, for the exact parameter count.
        base: folder that relative paths start from.
        revision: branch, tag or commit of a Hub id; a folder of one's own has none.

    Raises:
        AdviseError: no model of that name is known, or its config is missing or invalid.
    """
    if registry.find(source.lower()) is None and (path := located(source, base)):
        return _local(source, path, labels, task)
    family = _family(source)
    name = (family and family.checkpoint) or source
    cached = cached_config(name, revision)
    if cached:
        return _local(source, cached, labels, task)._replace(revision=revision)
    if family := family or undescribed.family(source.lower()):
        facts = registry.describe(family.config, labels=labels, task=task)._replace(source=name)
        return Model(ModelSource(name, facts.family), facts, family.config)
    if undescribed.knows(source.lower()):
        return _by_kind(source)
    raise AdviseError(_unknown(source, revision))


def _by_kind(model_type: str) -> Model:
    """A model of which transformers tells no more than its kind."""
    kind = undescribed.kind(model_type.lower())
    facts = ModelFacts(registry.OTHERS[kind], kind, generative=kind != "encoder", source=model_type)
    return Model(ModelSource(model_type, facts.family), facts, None, unknown=undescribed.meet(model_type.lower()))


def located(source: str, base: Path = Path()) -> Path | None:
    """The file or folder that a source names, or None where none of that name exists or can exist."""
    try:
        path = base / Path(source).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL character in it, the home of an unknown user
        return None


def _family(source: str) -> Family | None:
    """The family behind a name or a base checkpoint's Hub id."""
    return registry.find(ALIASES.get(source.lower(), source.lower())) or registry.by_checkpoint(source)


def _unknown(source: str, revision: str | None = None) -> Fault:
    shown = short(source)
    if revision and cached_config(source):
        hint = f"hf download {shlex.quote(source)} --revision {shlex.quote(revision)}"
        return Fault(f"revision {revision!r} of {shown} is not in the local Hub cache", hint=hint)
    if source.startswith((".", "/", "~")) or source.endswith(".json") or ("/" in source and located(_parent(source))):
        return Fault("no such checkpoint folder or config.json", shown, hint="check the path")
    if "$" in source or "{" in source:
        return Fault(f"unknown model {shown!r}", hint="this looks like a template: fill it in first")
    known = [*(family.model_type for family in registry.every()), *ALIASES]
    return Fault(
        f"unknown model {shown!r}: no family of that name, no such folder, and not in the local Hub cache",
        hint=f"{suggest(shown, known)} or give a checkpoint folder, a config.json, or a Hub id that was downloaded; "
        "`advise families add` describes further model types of transformers",
    )


def _parent(source: str) -> str:
    return source.rpartition("/")[0]


def _local(source: str, path: Path, labels: int, task: str | None) -> Model:
    file = path / "config.json" if path.is_dir() else path
    config = read_config(file)
    unknown = undescribed.meet(config["model_type"])
    facts = registry.describe(config, str(file), labels, task)
    licence = card_licence(file.parent)
    facts = facts._replace(source=checkpoint(source), licence=licence)
    return Model(ModelSource(source, facts.family, licence=licence), facts, config, file.parent, unknown=unknown)


def checkpoint(source: str) -> str:
    """The Hub id that a family's name stands for; any other source as it is."""
    family = _family(source)
    return (family and family.checkpoint) or source


def card_licence(folder: Path) -> str | None:
    """The licence that the model card in a folder names in its front matter; None where there is none."""
    card = folder / "README.md"
    if not card.is_file():  # a named pipe would be waited for
        return None
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            head = file.read(MAX_CARD)
    except OSError:
        return None
    front = head.split("\n---", 1)[0] if head.startswith("---") else ""
    lines = (line.partition(":") for line in front.splitlines())
    return next((value.strip().strip("'\"") for key, _, value in lines if key == "license"), None) or None


def read_config(file: Path) -> Config:
    """Read a `config.json`.

    Raises:
        AdviseError: it is missing, too large, no JSON, or no config of a transformers model.
    """
    if not file.is_file():
        below = sorted(one.parent.name for one in file.parent.glob("*/config.json"))
        such = f", such as {Path(file.parent.name, below[0])}" if below else ""
        raise AdviseError(
            Fault("no config.json here", str(file.parent), hint=f"give a transformers checkpoint folder{such}")
        )
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_CONFIG + 1)
        if len(data) > MAX_CONFIG:
            raise AdviseError(Fault(f"larger than {MAX_CONFIG:,} bytes, which no config is", str(file)))
        config = json.loads(data)
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", str(file))) from None
    except json.JSONDecodeError as error:
        yaml = file.suffix in (".yaml", ".yml")
        takes = "this is YAML, and a model is a checkpoint folder, a config.json or a name; advise check reads recipes"
        hint = takes if yaml else "copy the file again from its source"
        raise AdviseError(Fault(f"not JSON: {error.msg}", str(file), error.lineno, error.colno, hint)) from None
    except (UnicodeDecodeError, RecursionError, ValueError):
        hint = "give the folder, or the config.json in it, not the weights"
        raise AdviseError(Fault("not JSON text", str(file), hint=hint)) from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise AdviseError(Fault("model_type is missing: expected the config of a transformers model", str(file)))
    return config


def cached_config(source: str, revision: str | None = None) -> Path | None:
    """The `config.json` of a Hub id in the local cache, found by the cache's own layout, without its library.

    revision: a branch or tag that was downloaded, or a whole commit; None: the main branch.
    """
    wanted = revision or "main"
    if not _REVISION.fullmatch(wanted) or ".." in wanted:
        return None
    try:
        repository = Path(hub()) / f"models--{source.replace('/', '--')}"
    except NoFolder:
        return None
    try:
        commit = (repository / "refs" / wanted).read_text().strip()
    except (OSError, ValueError):
        commit = wanted
    return located("config.json", repository / "snapshots" / commit)


def named(source: ModelSource, labels: int = 2, base: Path = Path()) -> Model:
    """The model that a recipe names; where it cannot be found, what its family and its name say.

    Raises:
        AdviseError: its config is invalid, or the family is unknown.
    """
    known = [*registry.names(), *registry.OTHERS.values()]
    if source.family is not None and source.family not in known:
        raise AdviseError(f"unknown family {short(source.family)!r}", hint=suggest(source.family, known))
    if located(source.source, base) or source.family is None:
        return model(source.source, labels, base, revision=source.revision)
    if source.source.startswith(("./", "../")):  # a relative path has to exist
        raise AdviseError(_unknown(source.source))
    family = registry.find(source.family)
    if _family(source.source) or cached_config(source.source, source.revision):
        return model(source.source, labels, base, revision=source.revision)
    kinds = {name: kind for kind, name in registry.OTHERS.items()}
    kind = family.kind if family else kinds[source.family]
    facts = ModelFacts(family=source.family, kind=kind, parameters=size_in_name(source.source), source=source.source)
    return Model(source, facts, None)


def size_in_name(source: str) -> int | None:
    """About how many parameters a checkpoint has, as its name says: 350 million for `facebook/opt-350m`."""
    found = _SIZE.findall(source.rpartition("/")[2].lower())
    return round(float(found[-1][0]) * {"m": 1e6, "b": 1e9}[found[-1][1]]) if found else None


def device(kind: str) -> DeviceFacts:
    """The facts of a device kind; `auto` looks at this machine, prefers a GPU, and knows what its CPU offers."""
    if kind != "auto":
        return DeviceFacts(kind)
    found = here()
    return DeviceFacts(found, instruction_sets() if found == "cpu" else None)


def here() -> str:
    """The best kind of device on this machine, as far as can be seen without torch."""
    if Path("/proc/driver/nvidia/version").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"


def needs_run(what: str) -> None:
    """Raise an AdviseError that names the extra unless the executor's packages are installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "datasets") if find_spec(name) is None]
    if missing:
        raise AdviseError(f"{what} needs {', '.join(missing)}, not installed", hint=pip_command("run"))
