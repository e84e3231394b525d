"""Options that turn energy into CO2e: what they mean, and what they answer to nonsense before any work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.api.orders import assumptions
from advisor.cli import main
from advisor.cli.options import carbon, parser
from advisor.records.carbon import Assumptions


def said(*arguments: str) -> Assumptions:
    one = parser("x", "")
    carbon(one)
    options = one.parse_args(arguments)
    return assumptions(options.country, options.pue, options.embodied_kg, options.lifetime_years)


def test_what_is_assumed() -> None:
    assert said() == Assumptions("FRA", stated=False, pue=1.0)
    assert said("--country", "deu", "--pue", "1.2") == Assumptions("DEU", stated=True, pue=1.2)
    both = said("--embodied-kg", "300", "--lifetime-years", "4")
    assert (both.embodied_kg, both.lifetime_years) == (300, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--embodied-kg", "300"], "--embodied-kg without --lifetime-years gives no SCI figure"),
        (["--lifetime-years", "4"], "--lifetime-years without --embodied-kg gives no SCI figure"),
        (["--pue", "0.5"], "expected a number of at least 1 and at most 10, got 0.5"),
        (["--country", "FRAN"], "country 'FRAN': no grid factor is known for it\n  try: did you mean 'FRA'"),
    ],
)
def test_nonsense(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "recipe.yaml", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_protocol_that_cannot_be_followed_is_refused_before_any_work(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(
        f"version: 1\nname: x\nmodel: {{source: {checkpoints['bert']}, family: bert}}\n"
        f"data: {{source: {text}, task: text-classification}}\ndevice: cpu\n"
        'goal: {relative_accuracy: ">= 0.3"}\nsteps:\n  - finetune: {epochs: 1}\n'
    )
    assert main(["run", str(recipe), "--out", str(out), "--no-ledger", "--protocol", "aienergyscore"]) == 2
    told = capsys.readouterr().err
    assert "--protocol aienergyscore takes 1,000 rows, there are" in told and "give more report rows" in told
    assert not out.exists()
