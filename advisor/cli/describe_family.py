"""`advise families add MODEL`: describe one more model type, by inferring and proving its structure."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.cli import targets
from advisor.cli.options import parser


def run(arguments: Sequence[str]) -> int:
    """Write the description and say what can be cut. Exit codes: 0 done, 2 the structure cannot be inferred."""
    made = parser(
        "advise families add",
        "Describe a model type: infer its structure with transformers, prove it on a small model, and keep it.",
    )
    made.add_argument("model", metavar="MODEL", help="a checkpoint folder, a config.json, or a model type")
    made.add_argument("--out", type=Path, metavar="FILE", help="write it here (default: where advise finds it again)")
    options = made.parse_args(arguments)
    from advisor.base.files import deliver
    from advisor.families.described import description
    from advisor.inspection.probe import needs_run

    needs_run("advise families add")
    targets.refuse_inputs(options.out, (options.model, Path(options.model, "config.json")))
    folder = _folder(options.out)
    described = _describe(options.model)
    file = options.out or folder / f"{described['model_type']}.json"
    deliver(file, json.dumps(described, indent=1) + "\n")
    sys.stdout.write("".join(f"{line}\n" for line in _lines(described)))
    sys.stderr.write(f"wrote {file}\n")
    if description.shipped(described["model_type"]):
        sys.stderr.write(f"note: advise has a description of {described['model_type']} already, and takes that one\n")
    return 0


def _folder(out: Path | None) -> Path:
    """The folder of the file that is written. Raises an AdviseError where there can be none."""
    from advisor.families.described.kept import own_folder

    try:
        folder = out.parent if out else own_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        place = str(error.filename or "the user's folder of families")
        raise AdviseError(Fault(f"cannot be made: {error.strerror}", place, hint="--out FILE")) from None
    return folder


def _describe(model: str) -> dict[str, Any]:
    from advisor.inspection import probe, undescribed

    place = probe.located(model)
    if place is None:
        return undescribed.described({"model_type": model})
    return undescribed.described(probe.read_config(place / "config.json" if place.is_dir() else place))


def _lines(described: Mapping[str, Any]) -> list[str]:
    """What can be cut and what cannot, a line each."""
    from advisor.families.registry import NEEDED

    cuts = described["cuts"]
    lines = [f"{described['model_type']}: inferred and proven with transformers {described['transformers']}"]
    lines += [f"  can be cut: {name}" for name in cuts["possible"]]
    lines += [f"  not cut:    {name}: {why}" for name, why in cuts["refused"].items()]
    lacks = " and ".join(words for size, words in NEEDED.items() if size not in described["sizes"])
    return (
        [*lines, f"  not used:   its config has no key for {lacks}, so it is known by its kind alone"]
        if lacks
        else lines
    )
