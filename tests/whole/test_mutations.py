"""Fifty thousand files with signs and words changed at random: no traceback, no lost file, nothing that takes long.

`-m slow` looks at them in twenty pieces; `tests/whole/test_mutations.py::test_mutated_files[7-625]` is one of them.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.editor.completion import suggestions
from advisor.editor.diagnosis import findings
from advisor.editor.hover import hover
from advisor.editor.kinds import kind_of
from advisor.editor.quick_fixes import quick_fixes
from advisor.families import registry
from advisor.inspection import probe
from advisor.policy.pack import core, load
from advisor.review.batch import check
from advisor.review.recipe_files import Source
from advisor.review.waivers.apply import Waiving

CHECKOUT = Path(__file__).parents[2]
RECIPES = [file.read_text() for file in sorted((CHECKOUT / "recipes").glob("*.yaml"))]
RULES = [file.read_text() for file in sorted((CHECKOUT / "rules" / "core").rglob("*.yaml")) if file.stem != "pack"]
CONFIGS = [json.dumps(dict(family.config)) for name in registry.names() if (family := registry.find(name))]
WAIVER = "waivers:\n  - {rule: quantize-cpu-only, where: '*.yaml', reason: a trial, owner: me, until: 2026-12-31}\n"
PACK = "name: ours\nversion: '1'\ndescription: x\nsources: {x: y}\n"
WORDS = ("null", "~nobody/x", "-1", "1e999", "010", "9" * 400, "[", "{a: b}", "&a", "*a", "!!str x", "? a", '"\\0"',
         "'", "\t", "\r", "\u2028", "\ufeff", "日本", "#", "<<", "x" * 400, ">= 0.9", "95%", "..", "/", "true", ": ",
         "- ", "until: 9999-99-99", "${X}", "\x07", "1_0", "0x1f", "25 million", "# advise: ignore[x]")  # fmt: skip
TODAY = Waiving(date(2026, 11, 29))
LONGEST = 2.0  # seconds for one file


def mutated(texts: list[str], count: int, seed: int) -> Iterator[str]:
    """Texts with one to four words replaced, removed, doubled or moved."""
    dice = random.Random(seed)
    for _ in range(count):
        parts = re.split(r"(\W)", dice.choice(texts))
        for _ in range(dice.randint(1, 4)):
            at, how = dice.randrange(len(parts)), dice.random()
            if how < 0.6:
                parts[at] = dice.choice(WORDS)
            elif how < 0.8:
                parts[at] = ""
            else:
                parts.insert(dice.randrange(len(parts)), parts[at])
        yield "".join(parts)


def survived(texts: Iterator[str], look: Callable[[bytes], object]) -> None:
    """Look at every text: an expected error at most, in time."""
    for text in texts:
        start = time.process_time()
        try:
            look(text.encode("utf-8", "surrogatepass"))
        except AdviseError:
            pass
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error}\n{text}")
        assert time.process_time() - start < LONGEST, text


def _recipes(count: int, seed: int) -> None:
    def look(data: bytes) -> None:
        checked = check(core(), [Source("r.yaml", data), Source("good.yaml", RECIPES[0].encode())], TODAY)
        assert "good.yaml" in checked.reviewed

    survived(mutated(RECIPES, count, seed), look)


def _rules(count: int, seed: int, folder: Path) -> None:
    (folder / "pack.yaml").write_text(PACK)

    def look(data: bytes) -> None:
        (folder / "rule.yaml").write_bytes(data)
        load(folder)

    survived(mutated(RULES, count, seed), look)


def _waivers(count: int, seed: int, folder: Path) -> None:
    file = folder / "waivers.yaml"

    def look(data: bytes) -> None:
        file.write_bytes(data)
        check(core(), [Source("good.yaml", RECIPES[0].encode())], TODAY._replace(file=file))

    survived(mutated([WAIVER], count, seed), look)


def _configs(count: int, seed: int, folder: Path) -> None:
    file = folder / "config.json"

    def look(data: bytes) -> None:
        file.write_bytes(data)
        probe.model(str(file))

    survived(mutated(CONFIGS, count, seed), look)


def _editor(count: int, seed: int) -> None:
    """What the language server says of a text as it is being typed, and at any place of it."""
    rules, dice = core(), random.Random(seed)

    def look(data: bytes) -> None:
        text, path = (
            data.decode("utf-8", "replace"),
            Path(dice.choice(["recipes/a.yaml", "pack/a.yaml", "waivers.yaml"])),
        )
        place = dice.randrange(len(text) + 1)
        quick_fixes(text, findings(path, text, None))
        if kind := kind_of(path, text, begun=True):
            hover(kind, text, place, lambda start, end: [], rules)
            suggestions(kind, text[:place], rules.rules)

    survived(mutated([*RECIPES, *RULES, WAIVER, PACK], count, seed), look)


@pytest.mark.parametrize(
    ("seed", "count"), [(0, 80), *(pytest.param(piece, 625, marks=pytest.mark.slow) for piece in range(1, 21))]
)
def test_mutated_files(seed: int, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _recipes(count, 4 * seed)
    _editor(count // 10, seed)
    for number, look in enumerate((_rules, _waivers, _configs), 4 * seed + 1):
        folder = tmp_path / look.__name__
        folder.mkdir()
        look(count, number, folder)


@pytest.mark.slow
def test_mutated_run_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gated import make

    run = make(tmp_path)
    files = [file for name in ("*.json", "*.yaml") for file in sorted(run.glob(name))]
    assert files
    for number in range(300):
        file = files[number % len(files)]
        before = file.read_bytes()
        file.write_bytes(next(mutated([before.decode()], 1, number)).encode("utf-8", "surrogatepass"))
        assert main(["gate", str(run)]) in (0, 1, 2, 4)
        assert "Traceback" not in capsys.readouterr().err
        file.write_bytes(before)
