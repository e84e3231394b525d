"""The folder of a run: is it complete, is every file the one that was measured, and can none of them run code?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.base.unsafe_files import danger
from advisor.deployment.rules import COMPLETE, INTACT, WEIGHTS, finding
from advisor.records.output_folder import TRACKING
from advisor.records.run_folder import (
    AGAIN,
    ANSWERS,
    ATTESTATION,
    CARD,
    MANIFEST,
    PREDICTIONS,
    REPORT,
    hashes,
    listed,
)
from advisor.review.findings import Finding

# Of weights that only pickles or frameworks of their own have; OpenVINO's .bin has an .xml beside it.
WEIGHTS_OF_OTHERS = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill"}
WEIGHTS_OF_OTHERS |= {".npy", ".npz", ".h5", ".msgpack"}
PARTS = ("recipe.yaml", "facts.json", REPORT, PREDICTIONS, ANSWERS)


def complete(out: Path) -> Iterator[Finding]:
    """The parts that a finished run has."""
    if not (out / MANIFEST).is_file():
        yield finding(COMPLETE, "this is no finished run: manifest.json is missing", out / MANIFEST, AGAIN)
    for name in PARTS:
        if not (out / name).is_file():
            what = "is no regular file" if (out / name).exists() else "is missing"
            yield finding(COMPLETE, f"{name} {what}", out / name, AGAIN)


def intact(out: Path) -> Iterator[Finding]:
    """Every file against the hash that the manifest has of it, and no file that it does not name.

    What a tracker wrote is for people; no verdict depends on it.
    """
    try:
        then = listed(out)
    except AdviseError as error:
        yield finding(INTACT, f"manifest.json {error.faults[0].message}", out / MANIFEST, error.faults[0].hint)
        return
    found = {
        name: digest for name, digest in hashes(out, then.__contains__).items() if name not in (MANIFEST, ATTESTATION)
    }
    for name in sorted({*then, *found}):
        wrong = _wrong(then.get(name), found.get(name))
        if wrong and not (name not in then and name.startswith(f"{TRACKING}/")):
            # People complete the model card by hand; no verdict depends on it.
            severity = "note" if name == CARD or (name not in then and "/" not in name) else "error"
            yield finding(INTACT, f"{name} {wrong}", out / name, AGAIN, severity)


def _wrong(listed: object, found: str | None) -> str:
    if listed == found:
        return ""
    if listed is None:
        return "is not part of the run that was measured"
    return "is missing" if found is None else "was changed after it was measured: its hash is not the manifest's"


def harmless(out: Path) -> Iterator[Finding]:
    """No pickled weights and no code, whatever a file is called."""
    for path in sorted(out.rglob("*")):
        if path.is_symlink():
            yield finding(WEIGHTS, f"{path.name} is a link, which may lead anywhere", path, "put the file itself there")
        elif path.is_file() and (what := danger(path) or _odd_weights(path)):
            hint = "save weights as safetensors, ONNX or OpenVINO IR, and leave code out"
            yield finding(WEIGHTS, f"{path.name} is {what}", path, hint)


def _odd_weights(path: Path) -> str:
    openvino = path.suffix == ".bin" and path.with_suffix(".xml").is_file()
    odd = path.suffix in WEIGHTS_OF_OTHERS and not openvino
    return "no safetensors, ONNX or OpenVINO file" if odd else ""
