"""The manifest for the Impact Framework: its form, units, and that its arithmetic gives our figures again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import small_runs
import yaml
from jsonschema import Draft202012Validator

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.records.carbon import Assumptions, sci
from advisor.records.results import Cost, Measured, RunResult, not_served
from advisor.report.impact_framework import manifest
from advisor.runs.finished import Finished, read

# As `manifestSchema` of @grnsft/if 1.1.0 (common/util/validations) has it, and its inputs of a component.
PLUGIN = {
    "type": "object",
    "required": ["path", "method"],
    "properties": {"path": {"type": "string"}, "method": {"type": "string"}, "config": {"type": "object"}},
    "additionalProperties": False,
}
INPUT = {
    "type": "object",
    "required": ["timestamp", "duration"],
    # Its Sci plugin takes no duration below a second.
    "properties": {"timestamp": {"type": "string"}, "duration": {"type": "number", "minimum": 1}},
}
COMPONENT = {
    "type": "object",
    "required": ["pipeline", "inputs"],
    "properties": {
        "pipeline": {
            "type": "object",
            "required": ["compute"],
            "properties": {"compute": {"type": "array", "items": {"type": "string"}}},
        },
        "inputs": {"type": "array", "items": INPUT, "minItems": 1},
    },
}
GROUP = {
    "type": "object",
    "required": ["children"],
    "properties": {"children": {"additionalProperties": COMPONENT}},
}
SCHEMA = {
    "type": "object",
    "required": ["name", "initialize", "tree"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "tags": {"type": "object", "properties": {key: {"type": "string"} for key in ("kind", "category")}},
        "initialize": {
            "type": "object",
            "required": ["plugins"],
            "properties": {"plugins": {"type": "object", "additionalProperties": PLUGIN}},
        },
        "tree": {"type": "object", "properties": {"children": {"additionalProperties": GROUP}}},
    },
}
EMBODIED = {"country": "FRA", "pue": 1.2, "embodied_kg": 1000.0, "lifetime_years": 4.0}


def run(folder: Path, assumed: dict | None = None) -> Finished:
    made = small_runs.result()
    provenance = {**made.provenance, "assumed": assumed or {"country": "FRA", "pue": 1.0}}
    return read(small_runs.write(folder, replace(made, provenance=provenance)))


def computed(found: dict) -> dict[str, dict[str, float]]:
    """What the plugins of the manifest make of its inputs, by model."""
    (group,) = found["tree"]["children"].values()
    plugins, results = found["initialize"]["plugins"], {}
    for name, one in group["children"].items():
        values = dict(one["inputs"][0])
        for step in one["pipeline"]["compute"]:
            config, method = plugins[step].get("config", {}), plugins[step]["method"]
            if method == "Sci":
                values["sci"] = values["carbon"] / values[config["functional-unit"]]
                continue
            parts = [values[part] for part in config["input-parameters"]]
            product = 1.0
            for part in parts:
                product *= part
            values[config["output-parameter"]] = sum(parts) if method == "Sum" else product
        results[name] = values
    return results


def test_operational_emissions_come_out_as_we_report_them(tmp_path: Path) -> None:
    one = run(tmp_path / "run")
    found = yaml.safe_load(manifest([one]))
    Draft202012Validator(SCHEMA).validate(found)
    results = computed(found)
    assert list(results) == ["fine-tuned", "8 layers", "distilled", "int8"]
    for step in one.result.steps:
        grams = step.served.g_per_1000.value
        assert results[step.words]["carbon-operational"] == pytest.approx(grams)
        assert results[step.words]["requests"] == 1000 and "sci" not in results[step.words]
    assert "embodied carbon is not stated" in found["description"]
    assert "energy counters (RAPL 0 package-0)" in found["description"]


def test_sci_comes_out_as_we_report_it(tmp_path: Path) -> None:
    one = run(tmp_path / "run", EMBODIED)
    found = yaml.safe_load(manifest([one]))
    Draft202012Validator(SCHEMA).validate(found)
    ours = sci(one.result.steps[-1].served, Assumptions("FRA", True, 1.2, 1000.0, 4.0))
    assert ours.value is not None
    assert computed(found)["int8"]["sci"] * 1000 == pytest.approx(ours.value)
    assert computed(found)["int8"]["power-usage-effectiveness"] == 1.2


@pytest.mark.parametrize(("per_second", "requests"), [(1000.0, 1000), (1000.1, 2000), (4321.0, 5000)])
def test_a_fast_model_answers_for_a_second_or_more(tmp_path: Path, per_second: float, requests: int) -> None:
    one = run(tmp_path / "run", EMBODIED)
    served = replace(one.result.steps[-1].served, throughput=Measured(per_second))
    steps = (*one.result.steps[:-1], replace(one.result.steps[-1], served=served))
    found = yaml.safe_load(manifest([one._replace(result=replace(one.result, steps=steps))]))
    Draft202012Validator(SCHEMA).validate(found)
    ours, theirs = sci(served, Assumptions("FRA", True, 1.2, 1000.0, 4.0)), computed(found)["int8"]
    assert theirs["requests"] == requests and ours.value is not None
    assert theirs["sci"] * 1000 == pytest.approx(ours.value)


def test_a_model_that_was_not_measured_has_no_part(tmp_path: Path) -> None:
    made: RunResult = small_runs.result()
    steps = tuple(replace(step, served=not_served("no cuda device")) for step in made.steps)
    folder = small_runs.write(tmp_path / "run", replace(made, steps=steps))
    with pytest.raises(AdviseError, match=r"no model's energy was measured \(no cuda device\)"):
        manifest([read(folder)])
    partly = replace(made, steps=(*made.steps[:-1], steps[-1]))
    assert list(computed(yaml.safe_load(manifest([read(small_runs.write(tmp_path / "partly", partly))])))) == [
        "fine-tuned", "8 layers", "distilled",
    ]  # fmt: skip


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "run")
    file = tmp_path / "impact.yml"
    assert main(["report", str(tmp_path / "run"), "--if", str(file)]) == 0
    assert yaml.safe_load(file.read_text())["name"] == "bert-sst2"
    assert "if-run --manifest" in capsys.readouterr().err


def test_the_command_weighs_a_number_of_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = small_runs.result()
    steps = tuple(replace(step, cost=Cost(Measured(9.0), Measured(2.0))) for step in made.steps)
    folder = small_runs.write(tmp_path / "run", replace(made, steps=steps))
    assert main(["report", str(folder), "--requests", "1000"]) == 0
    assert "Compression does not pay" in capsys.readouterr().out
    assert main(["report", str(folder), "--requests", "100,000,000"]) == 0
    assert "Compression pays: it saves" in capsys.readouterr().out
    unknown = small_runs.write(tmp_path / "unknown")  # whose steps' making was not measured
    assert main(["report", str(unknown), "--requests", "1000"]) == 0
    assert "net saving: not measured, not measured yet" in capsys.readouterr().err


def test_runs_of_one_name_and_seed_are_all_there(tmp_path: Path) -> None:
    runs = [run(tmp_path / name) for name in ("a", "b")]
    groups = yaml.safe_load(manifest(runs))["tree"]["children"]
    assert list(groups) == [f"bert-sst2, {tmp_path / name}" for name in ("a", "b")]
