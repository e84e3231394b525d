"""Run folder: what a finished run leaves for others to read, and the way back: report, predictions, answers, manifest.

A folder without a manifest is no finished run. The manifest is written last and names every other file with its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import write_json
from advisor.records.output_folder import ASSIGNMENT, STEP, STEPS
from advisor.records.results import Artefact, RunResult

REPORT, PREDICTIONS, ANSWERS = "report.json", "predictions.json", "answers.json"
MANIFEST, CARD = "manifest.json", "README.md"
FILES = (*ASSIGNMENT, REPORT, PREDICTIONS, ANSWERS, CARD)  # beside the manifest, which names them
SHOWN_ROWS = 8  # report rows whose text and answers are kept, for a look and to prove that a model reloads
ANYWHERE = ("cpu", "cuda", "mps", "edge")
# By the file that tells what an artefact is: its kind, and the devices that it can serve on.
KINDS = {
    "model.onnx": ("onnx", ("cpu", "edge")),
    "openvino_model.xml": ("openvino", ("cpu", "edge")),
    "int8.safetensors": ("torch-int8", ("cpu", "edge")),
}
Scores = Sequence[Sequence[float]]


def write_predictions(out: Path, texts: Sequence[Any], labels: Sequence[float], scores: Mapping[str, Scores]) -> None:
    """Every model's scores of the report rows, and the text of a few rows with what each model answered.

    Args:
        texts: (rows), a text or a pair of texts. labels: (rows). scores: by step name, (rows, labels).
    """
    digest = hashlib.sha256(json.dumps([list(row) for row in zip(texts, labels, strict=True)]).encode()).hexdigest()
    write_json(out / PREDICTIONS, {"labels": labels, "scores": scores, "rows_sha256": digest}, indent=None)
    pairs = [(one, None) if isinstance(one, str) else one for one in texts[:SHOWN_ROWS]]
    rows = [{"text": text, "pair": pair} for text, pair in pairs]
    write_json(out / ANSWERS, {"rows": rows, "scores": {name: some[:SHOWN_ROWS] for name, some in scores.items()}})


def rounded(scores: Any) -> list[list[float]]:
    """Scores with the six significant digits that are kept; all that is reported is computed from these.

    Args:
        scores: tensor or array (rows, labels).
    """
    return [[float(f"{value:.6g}") for value in row] for row in scores.tolist()]


def artefact(folder: Path) -> Artefact:
    """What a step's folder holds, with the hash of each file."""
    found = next((kind for name, kind in KINDS.items() if (folder / name).exists()), ("checkpoint", ANYWHERE))
    kind, devices = found
    return Artefact(kind, devices, hashes(folder))


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path there; drafts, whose names begin with a dot, have no part."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder) for path in files]
    return {name.as_posix(): sha256(folder / name) for name in names if not is_hidden(name)}


def is_hidden(name: Path) -> bool:
    """Whether a path, or a folder on its way, begins with a dot."""
    return any(part.startswith(".") for part in name.parts)


def sha256(file: Path) -> str:
    """Hash of a file's bytes."""
    with file.open("rb") as bytes_:
        return hashlib.file_digest(bytes_, "sha256").hexdigest()


def finish(out: Path, result: RunResult, card: str = "") -> None:
    """Write the report, the model card if there is one, and at last the manifest."""
    write_json(out / REPORT, asdict(result))
    if card:
        (out / CARD).write_text(card, encoding="utf-8")
    files = {name: digest for name, digest in hashes(out).items() if _own(name)}
    write_json(out / MANIFEST, {"files": files})


def _own(name: str) -> bool:
    """Whether a run writes a file of this name below its folder, beside the manifest."""
    first, _, rest = name.partition("/")
    is_step = first == STEPS and STEP.fullmatch(rest.partition("/")[0]) is not None
    return is_step or name in FILES


def listed(out: Path) -> dict[str, str]:
    """SHA-256 of each file of a finished run, as its manifest has it.

    Raises:
        ValueError, OSError, TypeError, LookupError: the manifest cannot be read.
    """
    return dict(json.loads((out / MANIFEST).read_bytes())["files"])


def changed(out: Path) -> list[str]:
    """The files of a finished run that are not as its manifest has them; the model card is people's to complete."""
    try:
        then = listed(out)
    except (OSError, ValueError, TypeError, LookupError):
        return [MANIFEST]
    now = hashes(out)
    return sorted(name for name, digest in then.items() if name != CARD and now.get(name) != digest)


def read(out: Path) -> RunResult:
    """The result of a finished run.

    Raises:
        AdviseError: the folder is no finished run, or its report cannot be understood.
    """
    from pydantic import TypeAdapter, ValidationError

    if not (out / MANIFEST).is_file():
        what = "is no finished run: there is no manifest.json" if out.is_dir() else "no such folder"
        below = next((str(found.parent) for found in sorted(out.glob(f"*/{MANIFEST}"))), "")
        hint = f"there is one in {below}" if below else "give the --out folder of an `advise run` that has ended"
        raise AdviseError(Fault(what, str(out), hint=hint))
    try:
        return TypeAdapter(RunResult).validate_json((out / REPORT).read_bytes())
    except (OSError, ValidationError) as error:
        first = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else error.strerror or str(error)
        raise AdviseError(
            Fault(f"cannot be read as a report: {first}", str(out / REPORT), hint="run it again with this version")
        ) from None
