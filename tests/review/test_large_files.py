"""Files of thousands of mistakes or of endless words: the first mistakes are told, in a little time and few words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from advisor.api.review import check
from advisor.base.errors import MOST_FAULTS
from advisor.recipe.reader import loads

HEAD = "version: 1\nname: x\nmodel: {source: bert, family: bert}\ndata: {samples: 3000}\ndevice: cpu\n"
RECIPE = HEAD + "steps:\n  - finetune: {}\n"
MOST_SECONDS = 10  # of processor time; the least of these took a minute
MOST_SIGNS = 100_000
FILES = {
    "digits": RECIPE + f'goal: {{relative_accuracy: ">= {"0" * 100_000}"}}\n',
    "steps": HEAD + "steps:\n" + "- finetune: {epochs: 3}\n" * 10_000,
    "keys": RECIPE + "".join(f"k{number}: 1\n" for number in range(20_000)),
    "settings": HEAD + f"steps:\n  - finetune: {{{', '.join(f'k{number}: 1' for number in range(10_000))}}}\n",
    "the same key": RECIPE + "a: 1\n" * 40_000,
    "broken waivers": RECIPE + "waivers:\n" + "- {rule: a}\n" * 10_000,
    "waivers": RECIPE
    + "waivers:\n"
    + "".join(f"- {{rule: r{one}, reason: a, owner: b, until: 2026-12-31}}\n" for one in range(5_000)),
    "family": RECIPE.replace("family: bert", f"family: {'b' * 300_000}"),
    "source": RECIPE.replace("source: bert, family: bert", f"source: {'a/' * 200_000}"),
    "device": RECIPE.replace("device: cpu", f"device: {'g' * 300_000}"),
    "step": HEAD + f"steps:\n  - {'f' * 900}: {{}}\n",
    "comment": RECIPE + f"# advise: ignore[x] {' '.join(f'a{number}=b' for number in range(80_000))}\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_large_file_is_told_in_a_little_time_and_few_words(name: str, tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text(FILES[name])
    start = time.process_time()
    found = check(tmp_path / "large.yaml", cache=False)
    shown = found.to("text")
    assert time.process_time() - start < MOST_SECONDS
    assert found.exit_code and len(shown) < MOST_SIGNS
    assert max(len(one.message) for one in found) < 500


@pytest.mark.parametrize(
    ("name", "more"), [("keys", "and 19,900 more"), ("waivers", "and 4,900 more waivers for unknown rules")]
)
def test_what_is_not_told_is_counted(name: str, more: str, tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text(FILES[name])
    found = list(check(tmp_path / "large.yaml", cache=False))
    assert len(found) == MOST_FAULTS + 1
    assert found[-1].message == more


def test_repeated_keys_are_told_up_to_a_hundred(tmp_path: Path) -> None:
    for count, told in ((MOST_FAULTS, "the key"), (MOST_FAULTS + 1, "and more")):
        (tmp_path / "keys.yaml").write_text(RECIPE + "key: 1\n" * (count + 1))
        found = list(check(tmp_path / "keys.yaml", cache=False))
        assert (len(found), found[-1].message.startswith(told)) == (count, True)


def test_a_hundred_mistakes_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(RECIPE + "".join(f"k{number}: 1\n" for number in range(MOST_FAULTS)))
    assert [one.message for one in check(tmp_path / "many.yaml")] == [f"unknown key k{one}" for one in range(100)]


def test_a_number_beyond_all_numbers_is_shown_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(RECIPE.replace("3000", "1" + "0" * 5000))
    (found,) = check(tmp_path / "x.yaml")
    assert "got '1000" in found.message and "inf" not in found.message


def test_meta_holds_no_infinity() -> None:
    assert loads(RECIPE + "meta: {b: 1e400}\n")[0].meta == {"b": "1e400"}
