"""What became int8 is checked, a form that answers otherwise is refused, and agreement is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import quantized

from advisor.base.errors import AdviseError
from advisor.compute.int8.quantized import Agreement, Quantized, agreement, check, prove, spared

RESULT = Quantized(3, 2, ("c",), 1, False, size_bytes=40, fp32_bytes=100)


def test_what_was_asked_for_passes() -> None:
    assert check(RESULT, ["c"], "here") is RESULT
    assert RESULT.words() == "2 of 3 matrices and 1 embedding table are int8; 8-bit weights"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (RESULT, "1 of 3 matrices were not quantized: c"),
        (replace(RESULT, quantized=0), "quantization changed nothing: 0 of 3 matrices are int8"),
        (replace(RESULT, size_bytes=1000), "the int8 file grew: 1,000 bytes, fp32 has 100"),
    ],
    ids=["unasked", "nothing", "grew"],
)
def test_nothing_is_silent(found: Quantized, told: str) -> None:
    with pytest.raises(AdviseError, match=told):
        check(found, [], "here")


def test_a_form_that_answers_otherwise_is_refused() -> None:
    one = quantized.scorer("bert")

    def near(**inputs):
        return one(**inputs).detach().numpy() + 0.0005

    def far(**inputs):
        return one(**inputs).detach().numpy() * 1.2

    def broken(**inputs):
        return one(**inputs).detach().numpy() + np.nan

    assert prove(one, near, quantized.BATCHES, "here") == pytest.approx(0.0005, abs=1e-5)
    for reader in (far, broken):
        with pytest.raises(AdviseError, match=r"here: the exported model's logits differ .*, at most 0\.001 expected"):
            prove(one, reader, quantized.BATCHES, "here")


def test_the_second_feed_forward_matrix_of_t5_is_spared() -> None:
    names = ["/encoder/block.0/layer.1/DenseReluDense/wo/MatMul", "encoder.block.0.DenseReluDense.wo", "a.wow", "two/x"]
    assert spared(names) == set(names[:2])


def test_agreement() -> None:
    a, b = np.log([[0.9, 0.1], [0.6, 0.4]]), np.log([[0.8, 0.2], [0.3, 0.7]])
    found = agreement(a, b)
    assert found.max_probability_difference == pytest.approx(0.3)
    assert found.mean_probability_difference == pytest.approx(0.2)
    assert found.same_answer_share == 0.5
    assert agreement(a, a + 7) == Agreement(pytest.approx(0), pytest.approx(0), 1.0)


def test_agreement_of_a_regression_is_in_shares_of_its_span() -> None:
    found = agreement([[0.0], [5.0], [2.0], [3.0]], [[0.1], [5.0], [2.0], [4.0]])
    assert found == Agreement(pytest.approx(0.2), pytest.approx(0.22 / 4), 0.75)
