"""Run folder: what a finished run leaves for others to read, and the way back: report, predictions, answers, manifest.

A folder without a manifest is no finished run. The manifest is written last and names every other file with its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import fingerprint, regular_bytes, write, write_json
from advisor.base.install import upgrade_command
from advisor.base.validation import adapter
from advisor.records.output_folder import ASSIGNMENT, STEP, STEPS
from advisor.records.results import VERSION, Artefact, RunResult

REPORT, PREDICTIONS, ANSWERS = "report.json", "predictions.json", "answers.json"
MANIFEST, CARD, ATTESTATION = "manifest.json", "README.md", "attestation.json"
AGAIN = "run it again: advise run RECIPE --out DIR"
FILES = (*ASSIGNMENT, REPORT, PREDICTIONS, ANSWERS, CARD)  # beside the manifest, which names them
SHOWN_ROWS = 8  # report rows whose text and answers are kept, for a look and to prove that a model reloads
BYTES = "base64"
ANYWHERE = ("cpu", "cuda", "mps", "edge")
# By the file that tells what an artefact is: its kind, and the devices that it can serve on.
KINDS = {
    "onnx/model_quantized.onnx": ("onnx", ("cpu", "edge")),
    "model.onnx": ("onnx", ("cpu", "edge")),  # of run folders up to version 2
    "openvino_model.xml": ("openvino", ("cpu", "edge")),
    "int8.safetensors": ("torch-int8", ("cpu", "edge")),
}
Scores = Sequence[Sequence[float]]


class ReportRows(Protocol):
    """Rows with what is right of each, all (rows); pairs is None where a row has one text."""

    @property
    def texts(self) -> Sequence[Any]: ...

    @property
    def pairs(self) -> Sequence[Any] | None: ...

    @property
    def labels(self) -> Sequence[Any]: ...

    def contents(self) -> Sequence[Any]:
        """What makes two rows the same."""


def write_predictions(out: Path, rows: ReportRows, scores: Mapping[str, Scores]) -> None:
    """What every model did on the report rows, and a few rows with what each model did on them.

    Rows are in an order of their own: `ids` tell which is which (see `row_ids`). Labels that are numbers are kept; of
    others the recorded numbers tell all.

    Args:
        scores: by step name, (rows, numbers).
    """
    labels = {"labels": rows.labels} if all(isinstance(one, int | float) for one in rows.labels) else {}
    contents = rows.contents()
    told = {"rows_sha256": rows_sha256(contents, rows.labels), "ids": row_ids(contents)}
    write_json(out / PREDICTIONS, {**labels, "scores": scores, **told}, indent=None)
    pairs = rows.pairs or [None] * len(rows.labels)
    some = zip(rows.texts[:SHOWN_ROWS], pairs, rows.labels, strict=False)
    shown = [{"text": shown_text(text), "pair": pair, "label": label} for text, pair, label in some]
    write_json(out / ANSWERS, {"rows": shown, "scores": {name: own[:SHOWN_ROWS] for name, own in scores.items()}})


def rows_sha256(texts: Sequence[Any], labels: Sequence[Any]) -> str:
    """Hash of the report rows, in their order."""
    return _sha256_of([list(row) for row in zip(texts, labels, strict=True)])


def row_ids(contents: Sequence[Any]) -> list[str]:
    """By which rows are found again in their data: 16 hex digits of the SHA-256 of each one's JSON.

    contents: of each row its text, or a list of its text and the second one; of an image or a sound the file's bytes,
    for which the SHA-256 of the file stands.
    """
    return [_sha256_of(one)[:16] for one in contents]


def _sha256_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=lambda one: hashlib.sha256(one).hexdigest()).encode()).hexdigest()


def shown_text(text: Any) -> Any:
    """A text as JSON holds it; of an image or a sound its file."""
    return {BYTES: base64.b64encode(text).decode()} if isinstance(text, bytes) else text


def given_text(shown: Any) -> Any:
    """The way back. Raises ValueError where it is no file."""
    return base64.b64decode(shown[BYTES], validate=True) if isinstance(shown, dict) else shown


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


def hashes(folder: Path, matter: Callable[[str], bool] = lambda _: True) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path there; drafts, whose names begin with a dot, have no part.

    matter: tells by its path whether a file does; of others, which may be endless, the hash is "".
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [name for path in files if not is_hidden(name := path.relative_to(folder))]
    return {name.as_posix(): sha256(folder / name) if matter(name.as_posix()) else "" for name in names}


def model_sha256(folder: Path) -> str:
    """Hash of a model's config and safetensors; empty where there are no weights."""
    files = sorted([*folder.glob("config.json"), *folder.glob("*.safetensors")])
    found = {file.name: sha256(file) for file in files if file.is_file()}
    return fingerprint(found) if len(found) > 1 else ""


def is_hidden(name: Path) -> bool:
    """Whether a path, or a folder on its way, begins with a dot."""
    return any(part.startswith(".") for part in name.parts)


def inside(name: str) -> bool:
    """Does a path that a report names stay below the run's folder?"""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def sha256(file: Path) -> str:
    """Hash of a file's bytes."""
    with file.open("rb") as bytes_:
        return hashlib.file_digest(bytes_, "sha256").hexdigest()


def finish(out: Path, result: RunResult, card: str = "") -> None:
    """Write the report, the model card if there is one, and at last the manifest."""
    write_json(out / REPORT, asdict(result))
    if card:
        write(out / CARD, card)
    files = {name: digest for name, digest in hashes(out, _own).items() if _own(name)}
    write_json(out / MANIFEST, {"version": VERSION, "files": files})


def _own(name: str) -> bool:
    """Whether a run writes a file of this name below its folder, beside the manifest."""
    first, _, rest = name.partition("/")
    is_step = first == STEPS and STEP.fullmatch(rest.partition("/")[0]) is not None
    return is_step or name in FILES


def listed(out: Path) -> dict[str, str]:
    """SHA-256 of each file of a finished run, as its manifest has it.

    Raises:
        AdviseError: the manifest cannot be read, or is of a newer version.
    """
    file = out / MANIFEST
    value = read_json(file)
    refuse_newer(value, file)
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise AdviseError(Fault("files: expected an object of hashes by name", str(file), hint=AGAIN))
    return files


def changed(out: Path) -> list[str]:
    """The files of a finished run that are not as its manifest has them; the model card is people's to complete."""
    try:
        then = listed(out)
    except AdviseError:
        return [MANIFEST]
    now = hashes(out, then.__contains__)
    return sorted(name for name, digest in then.items() if name != CARD and now.get(name) != digest)


def run_below(folder: Path) -> Path | None:
    """The first finished run right below a folder that is none itself."""
    return next((found.parent for found in sorted(folder.glob(f"*/{MANIFEST}"))), None)


def read(out: Path) -> RunResult:
    """The result of a finished run; one of an older version has no constant answers.

    Raises:
        AdviseError: the folder is no finished run, or its report cannot be understood or is of a newer version.
    """
    from pydantic import ValidationError

    if not (out / MANIFEST).is_file():
        what = "is no finished run: there is no manifest.json" if out.is_dir() else "no such folder"
        below = run_below(out)
        hint = f"there is one in {below}" if below else "give the --out folder of an `advise run` that has ended"
        raise AdviseError(Fault(what, str(out), hint=hint))
    listed(out)
    value = read_json(out / REPORT)
    refuse_newer(value, out / REPORT)
    try:
        return cast(RunResult, adapter(RunResult).validate_python(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"cannot be read as a report: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise AdviseError(Fault(what, str(out / REPORT), hint=AGAIN)) from None


def refuse_newer(value: object, file: Path) -> None:
    """Raise an AdviseError for a file of a run folder that a newer version of advise has written."""
    version = value.get("version", 1) if isinstance(value, dict) else 1
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise AdviseError(Fault(f"version: expected a whole number from 1 on, got {version!r:.40}", str(file)))
    if version > VERSION:
        message = f"is of version {version}, this advise reads run folders up to version {VERSION}"
        raise AdviseError(Fault(message, str(file), hint=f"upgrade advise: {upgrade_command()}"))


def read_json(file: Path) -> Any:
    """The value in a JSON file.

    Raises:
        AdviseError: it is no regular file (a pipe would never end), too large, or no JSON: NaN and infinite numbers
            are none.
    """
    if not file.exists():
        raise AdviseError(Fault("is missing", str(file), hint=AGAIN))
    content = regular_bytes(file, AGAIN)
    try:
        return json.loads(content, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise AdviseError(
            Fault("is no JSON that a run writes: it is nested too deeply", str(file), hint=AGAIN)
        ) from None
    except ValueError as error:
        raise AdviseError(Fault(f"is not JSON: {error}", str(file), hint=AGAIN)) from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number that was measured")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)
