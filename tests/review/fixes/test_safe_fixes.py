"""Safe fixes as a whole: whatever is wrong with a recipe, they keep its numbers, its words and its comments."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.policy.pack import core
from advisor.review.batch import check
from advisor.review.findings import Finding
from advisor.review.fixes.apply import mend
from advisor.review.recipe_files import Source
from advisor.review.waivers.apply import Waiving

TEXT = """# first
version: 1  # of the format
name: spam
model: {source: bert, family: bert}  # as ever
data:
  samples: 30000  # of ours
  labels: 2
device: cpu  # where it serves
goal: {relative_accuracy: ">= 0.9", relative_emissions: "<= 0.5"}  # agreed
# the steps
steps:
  - finetune: {epochs: 3, learning_rate: 1.0e-4}  # f
  - layer_removal:  # l
      keep: 8  # of twelve
  - distillation:
      epochs: 9  # long
      soft_weight: 0.9
  - quantization: {bits: 8}
training:
  max_tokens: 64  # short texts
# end
"""
NUMBER = re.compile(r"(?<![\w.])(\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(%?)")
# What people write instead of a value, and instead of a key.
VALUES = ('"{}"', "{}%", "{} MB", "{} epochs", "{} rows", "{} layers", "{} million", "{} dozen", "0{}", "{},000",
          "{},5", "<= {}", ">= {}", "= {}", "at most {}", "-{}", "{}.0")  # fmt: skip
KEYS = ("{}s", "{}_us", "un{}", "max_{}", "{}_share", "{}_gb", "relative_{}", "x{}")


@st.composite
def slips(draw: st.DrawFn) -> str:
    """The recipe above with one to three mistakes of the kinds that people make."""
    lines = TEXT.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from([place for place, line in enumerate(lines) if ":" in line]))
        words = list(re.finditer(r"[A-Za-z_]{3,}(?=:)", lines[at].partition("#")[0]))
        numbers = list(NUMBER.finditer(lines[at].partition("#")[0]))
        if numbers and draw(st.booleans()):
            one = draw(st.sampled_from(numbers))
            new = draw(st.sampled_from(VALUES)).format(one[1])
        elif words:
            one = draw(st.sampled_from(words))
            new = draw(st.sampled_from([key.format(one[0]) for key in KEYS]) | _misspelt(one[0]))
        else:
            continue
        lines[at] = lines[at][: one.start()] + new + lines[at][one.end() :]
    return "".join(lines)


def _misspelt(word: str) -> st.SearchStrategy[str]:
    places = st.integers(0, len(word) - 1)
    return places.map(lambda at: word[:at] + word[at + 1 :]) | places.map(lambda at: word[:at] + "q" + word[at + 1 :])


def found(text: str) -> list[Finding]:
    return list(check(core(), [Source("a.yaml", text.encode())], Waiving(date(2026, 11, 29), unused=False)).findings)


def magnitudes(text: str) -> Counter[Fraction]:
    """The numbers of a text outside its comments, a percentage as the share that it is."""
    plain = re.sub(r"(?m)(?:^|\s)#.*$", "", text).replace("≤", "<=")
    return Counter(
        Fraction(number.replace("_", "")) / (100 if percent else 1) for number, percent in NUMBER.findall(plain)
    )


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(slips())
def test_safe_fixes_keep_numbers_and_comments(text: str) -> None:
    mended = mend(text, found)
    assert magnitudes(mended.text) == magnitudes(text)
    assert sorted(re.findall("#.*", mended.text)) == sorted(re.findall("#.*", text))
    assert all(fix.safe for fix in mended.fixes)
    for fix in mended.fixes:
        for edit in fix.edits:
            if edit.action == "rename":
                old, new = str(edit.path[-1]), str(edit.value)
                assert abs(len(old) - len(new)) <= 1
                assert not {"gb", "us", "unlabelled"} & ({*old.split("_")} ^ {*new.split("_")})


@pytest.mark.parametrize("version", ["<= 1%", ">= 1%", "1%"])
def test_a_percentage_never_becomes_the_whole_number_in_it(version: str) -> None:
    """Nor is a comparison put in quotes without what follows it."""
    text = f"version: {version}\nname: spam\nmodel: {{source: bert}}\ndevice: cpu\nsteps: [finetune]\n"
    assert mend(text, found).text == text
