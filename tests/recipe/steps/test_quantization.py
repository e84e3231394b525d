"""The settings of int8: a scheme belongs to a backend, and `auto` leaves both open."""

from __future__ import annotations

import pytest

from advisor.cli import main
from advisor.families import registry
from advisor.recipe.steps.quantization import Quantization

BERT = registry.find("bert")


@pytest.mark.parametrize(
    ("step", "backends"),
    [
        (Quantization(), ("onnxruntime", "openvino", "pytorch")),
        (Quantization(scheme="static"), ("openvino",)),
        (Quantization(scheme="dynamic"), ("onnxruntime", "pytorch")),
        (Quantization(backend="pytorch"), ("pytorch",)),
        (Quantization(scheme="dynamic", backend="onnxruntime"), ("onnxruntime",)),
    ],
)
def test_the_backends_that_a_step_allows(step: Quantization, backends: tuple[str, ...]) -> None:
    assert step.backends() == backends
    assert step.resized(BERT, BERT.config) == dict(BERT.config)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (
            Quantization(scheme="static", backend="onnxruntime"),
            "onnxruntime has no static int8, only dynamic; static: openvino",
        ),
        (
            Quantization(scheme="dynamic", backend="openvino"),
            "openvino has no dynamic int8, only static; dynamic: onnxruntime or pytorch",
        ),
    ],
)
def test_a_scheme_that_a_backend_does_not_have(step: Quantization, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        step.resized(BERT, BERT.config)


def test_check_says_so_with_its_place(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "version: 1\nname: x\nmodel: {source: bert-base-uncased, family: bert}\ndevice: cpu\nsteps:\n"
        "  - finetune: {}\n  - quantization: {backend: pytorch, scheme: static}\n"
    )
    assert main(["check", "--format", "concise", str(file)]) == 1
    shown = capsys.readouterr()
    assert "pytorch has no static int8, only dynamic; static: openvino" in shown.out + shown.err
