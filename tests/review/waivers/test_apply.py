"""Waivers as people write them: in the recipe's list, in comments, in waivers.yaml; seen through `advise check`."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refused import RECIPE
from refused import RULE as BROKEN

from advisor.base.yamlfile import parse
from advisor.cli import main
from advisor.review.waivers.reader import of_recipe

UNTIL = (date.today() + timedelta(days=90)).isoformat()
COMMENT = f'# advise: ignore[{BROKEN}] until={UNTIL} owner=anna reason="until spring"'
ENTRY = f"{{rule: {BROKEN}, reason: until spring, owner: anna, until: {UNTIL}}}"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Write files, run check on `recipes`, give the exit code, the waived rules, and the other rules by place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def run(files: dict[str, str], *options: str) -> tuple[int, list[str], dict[str, str]]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        named = options if any(not one.startswith("-") for one in options) else ("recipes", *options)
        code = main(["check", "--format", "json", *named])
        found = json.loads(capsys.readouterr().out)["findings"]
        waived = [one["rule"] for one in found if one["waiver"]]
        said = {one["rule"]: f"{one['place']['file']}:{one['place']['line']}" for one in found if not one["waiver"]}
        return (
            code,
            waived,
            {rule: place for rule, place in said.items() if rule.startswith("waiver") or rule == BROKEN},
        )

    return run


@pytest.mark.parametrize(
    "files",
    [
        {"recipes/a.yaml": RECIPE + f"waivers: [{ENTRY}]\n"},
        {"recipes/a.yaml": RECIPE + f"waivers:\n  - {ENTRY.replace('}', ', where: /steps/*/layer_removal}')}\n"},
        {"recipes/a.yaml": RECIPE.replace("{keep: 4}", "{keep: 4}  " + COMMENT)},
        {"recipes/a.yaml": RECIPE.replace("  - layer", f"  {COMMENT}\n\n  # more\n  - layer")},
        {"recipes/a.yaml": RECIPE.replace(" {keep: 4}", f"  {COMMENT}\n      keep: 4")},
        {"recipes/a.yaml": RECIPE.replace(" {keep: 4}", f"\n      keep: 4  {COMMENT}")},
        {"recipes/a.yaml": RECIPE, "recipes/waivers.yaml": f"waivers:\n- {ENTRY}\n"},
        {"recipes/a.yaml": RECIPE, "waivers.yaml": f"waivers: [{ENTRY}]\n"},
        {"recipes/a.yaml": RECIPE, "waivers.yaml": f"waivers: [{ENTRY.replace('}', ', where: recipes/*.yaml}')}]"},
    ],
)
def test_each_place_where_a_waiver_may_stand(check: Any, files: dict[str, str]) -> None:
    assert check(files) == (0, [BROKEN], {})


def test_comments_do_not_count_where_ci_says_so_and_each_is_told(check: Any) -> None:
    text = RECIPE.replace("{keep: 4}", "{keep: 4}  " + COMMENT)
    assert check({"recipes/a.yaml": text}, "--no-inline") == (
        1,
        [],
        {BROKEN: "recipes/a.yaml:8", "waiver-ignored": "recipes/a.yaml:8"},
    )


def test_a_named_file_of_waivers_stands_instead_of_those_beside_the_recipes(check: Any) -> None:
    files = {"recipes/a.yaml": RECIPE, "waivers.yaml": f"waivers: [{ENTRY}]\n", "ci.yaml": "waivers: []\n"}
    assert check(files, "--waivers=ci.yaml")[:2] == (1, [])
    files = {"waivers.yaml": "waivers: []\n", "ci.yaml": f"waivers: [{ENTRY}]\n"}
    assert check(files, "--waivers=ci.yaml")[:2] == (0, [BROKEN])


def test_waivers_above_the_repository_are_not_looked_for(check: Any, tmp_path: Path) -> None:
    (tmp_path / ".git").rmdir()
    (tmp_path / "recipes" / ".git").mkdir(parents=True)
    assert check({"recipes/a.yaml": RECIPE, "waivers.yaml": f"waivers: [{ENTRY}]\n"})[:2] == (1, [])


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (ENTRY.replace(UNTIL, "2020-01-01"), "waiver-expired"),
        (ENTRY.replace(UNTIL, "2020-1-1"), "waiver-malformed"),
        (ENTRY.replace(f", until: {UNTIL}", ""), "waiver-malformed"),
        (ENTRY.replace("owner", "ownr"), "waiver-malformed"),
        (ENTRY.replace("}", ", wher: t5.yaml}"), "waiver-malformed"),
        (ENTRY.replace(BROKEN, "small-data-few-layer"), "waiver-unknown-rule"),
        (ENTRY.replace(BROKEN, "gradual-width"), "waiver-unused"),
        (ENTRY.replace(UNTIL, "2099-01-01"), "waiver-too-long"),
        ("[]", "waiver-malformed"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_a_finding_at_its_place(check: Any, entry: str, rule: str) -> None:
    code, waived, said = check({"recipes/a.yaml": RECIPE + f"waivers:\n  - {entry}\n"})
    assert (code, waived, said[BROKEN]) == (1, [], "recipes/a.yaml:8")
    assert said[rule] == "recipes/a.yaml:11"


@pytest.mark.parametrize(
    "comment",
    [
        f"# advise: ignore until={UNTIL}",
        f"# advise: ignore[] until={UNTIL}",
        COMMENT.replace("owner", "ownr"),
        COMMENT + " and so on",
        COMMENT.replace(" owner=anna", ""),
        COMMENT.replace(f"until={UNTIL} ", ""),
        COMMENT.replace('"until', '"until"'),
        COMMENT + " owner=bert",
    ],
)
def test_a_malformed_comment_is_a_finding_and_excuses_nothing(check: Any, comment: str) -> None:
    code, waived, said = check({"recipes/a.yaml": RECIPE.replace("{keep: 4}", "{keep: 4}  " + comment)})
    assert (code, waived) == (1, [])
    assert said["waiver-malformed"] == "recipes/a.yaml:8"


def test_a_waiver_in_a_shared_file_is_not_unused_because_only_some_recipes_were_checked(check: Any) -> None:
    fine = RECIPE.replace("keep: 4", "keep: 8")
    files = {"recipes/a.yaml": RECIPE, "recipes/b.yaml": fine, "waivers.yaml": f"waivers: [{ENTRY}]\n"}
    assert check(files, "recipes/b.yaml") == (0, [], {})
    assert check({"recipes/a.yaml": fine})[2] == {"waiver-unused": "waivers.yaml:1"}


@pytest.mark.parametrize("text", ["waivers:\n  - a: b: c\n", "- a\n", "waiver: []\n", "waivers: []\nmore: 1\n"])
def test_a_file_of_waivers_that_cannot_be_read_ends_the_check(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(RECIPE)
    (tmp_path / "waivers.yaml").write_text(text)
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"advise: {tmp_path / 'waivers.yaml'}:")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"a: 1  {COMMENT}\n", "/a"),
        (f"{COMMENT}\na: 1\n", "/a"),
        (f"steps:\n  - b: {{c: 1}}  {COMMENT}\n", "/steps/0"),
        (f"steps:\n  - b:\n      c: 1  {COMMENT}\n", "/steps/0/b/c"),
        (f"steps:  {COMMENT}\n  - b\n", "/steps"),
        (f"a: {{b: 1,\n  c: 2,  {COMMENT}\n  d: 3}}\n", "/a/c"),
        (f"a: {{b: 1,\n  c: 2, d: 3}}  {COMMENT}\n", "line 2"),
        (f"a/b: 1  {COMMENT}\n", "/a~1b"),
        (f"a: 1\n{COMMENT}\n", "line 2"),  # nothing comes after it
    ],
)
def test_what_a_comment_is_about(text: str, where: str) -> None:
    assert [one.where for one in of_recipe(parse(text, "r.yaml")).waivers] == [where]


def test_what_only_looks_like_a_comment_is_none() -> None:
    lines = [f"name: 'a {COMMENT}'", f'model: {{source: "x {COMMENT[:20]}"}}', "data:", "  source: |", f"    {COMMENT}"]
    assert of_recipe(parse("\n".join(lines), "r.yaml")) == ((), ())
    assert len(of_recipe(parse(f"name: 'a'  {COMMENT}\n", "r.yaml")).waivers) == 1


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=60
    )
)
def test_any_words_after_the_sign_give_waivers_or_findings(words: str) -> None:
    written = of_recipe(parse(f"name: x # advise: {words}\n", "r.yaml"))
    assert len(written.waivers) + len(written.findings) >= 1


@pytest.mark.parametrize(
    "recipe",
    [RECIPE + f"waivers: [{ENTRY}]\n", RECIPE.replace("{keep: 4}", "{keep: 4}  " + COMMENT)],
)
def test_nothing_in_a_recipe_waives_it_under_no_inline(check: Any, recipe: str) -> None:
    code, waived, said = check({"recipes/a.yaml": recipe, "empty.yaml": "waivers: []\n"}, "--no-inline", "--waivers",
                               "empty.yaml", "recipes")  # fmt: skip
    assert (code, waived) == (1, [])
    assert set(said) == {BROKEN, "waiver-ignored"}
