"""The folder of a run: is it whole, is every file the one that was measured, and can none of them execute code?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from advisor.deployment.rules import COMPLETE, INTACT, WEIGHTS, finding
from advisor.records.run_folder import ANSWERS, CARD, MANIFEST, PREDICTIONS, REPORT, hashes, listed
from advisor.review.findings import Finding

PARTS = ("recipe.yaml", "facts.json", REPORT, PREDICTIONS, ANSWERS)
AGAIN = "run it again: advise run RECIPE --out DIR"
PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".h5", ".msgpack"}
CODE = {".py", ".pyc", ".so", ".dll", ".sh"}
PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
ZIP_START = b"PK\x03\x04"  # torch.save writes a zip file with a pickle in it


def complete(out: Path) -> Iterator[Finding]:
    """The parts that a finished run has."""
    if not (out / MANIFEST).is_file():
        seeds = sorted(folder.name for folder in out.glob("seed-*") if (folder / MANIFEST).is_file())
        hint = f"it holds a run for each seed: name one, {' or '.join(seeds)}" if seeds else AGAIN
        yield finding(COMPLETE, "this is no finished run: manifest.json is missing", out, hint)
    for name in PARTS:
        if not (out / name).is_file():
            yield finding(COMPLETE, f"{name} is missing", out / name, AGAIN)


def intact(out: Path) -> Iterator[Finding]:
    """Every file against the hash that the manifest has of it, and no file that it does not name."""
    try:
        then = listed(out)
    except (OSError, ValueError, TypeError, LookupError) as error:
        yield finding(INTACT, f"manifest.json cannot be read: {error}", out / MANIFEST, AGAIN)
        return
    found = {name: digest for name, digest in hashes(out).items() if name != MANIFEST}
    for name in sorted({*then, *found}):
        wrong = _wrong(then.get(name), found.get(name))
        if wrong:
            # People complete the model card by hand; it bears no weight here.
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
        elif path.is_file() and (what := _harm(path)):
            hint = "save weights as safetensors, ONNX or OpenVINO IR, and leave code out"
            yield finding(WEIGHTS, f"{path.name} is {what}", path, hint)


def _harm(path: Path) -> str:
    if path.suffix in CODE:
        return "code"
    openvino = path.suffix == ".bin" and path.with_suffix(".xml").is_file()
    with path.open("rb") as file:
        start = file.read(4)
    if start == ZIP_START or start.startswith(PICKLE_STARTS):
        return "a pickle, or an archive that may hold one"
    return "no safetensors, ONNX or OpenVINO file" if path.suffix in PICKLES and not openvino else ""
