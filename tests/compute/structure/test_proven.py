"""What is proven before a run begins: cuts that do not hold under the flags of a config are refused by name."""

from __future__ import annotations

from typing import Any

import inferred_models as models
import pytest
import students
import torch

from advisor.base.errors import AdviseError
from advisor.compute.structure import proven
from advisor.compute.structure.inference import stock
from advisor.recipe.steps.matrix_pruning import MatrixPruning

TASK = "text-classification"


def values(name: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = models.config(name, num_hidden_layers=2, **changes).to_dict()
    return found


def test_factors_of_a_long_rope_follow_the_head_size_so_no_head_goes() -> None:
    """Phi-3 for 128k tokens lists a factor for every second number of a head, by hidden size / heads."""
    half = [1.0] * 16
    rope = {"rope_type": "longrope", "short_factor": half, "long_factor": half, "rope_theta": 1e4}
    sizes = {"hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}
    long = values("phi3", rope_parameters=rope, original_max_position_embeddings=64, **sizes)
    step, family = MatrixPruning(heads=2), students.family("phi3")
    with pytest.raises(AdviseError) as caught:
        smaller(step.resized(family, long))
    (fault,) = caught.value.faults
    assert fault.file == "here" and fault.message.startswith("its class refuses the smaller config: ")
    smaller(step.resized(family, values("phi3", **sizes)))


def smaller(config: Any) -> None:
    family = students.family("phi3")
    proven.refuse_other_shapes(config, TASK, lambda labels: family.structure(config, labels).shapes(), "here")


def test_what_a_family_loses_together_is_not_refused() -> None:
    proven.refuse_unproven(values("bert"), TASK, ["layers.encoder", "hidden", "heads", "ffn"], "here")


def test_the_proof_leaves_what_is_random_as_it_was() -> None:
    config = students.model("electra", num_hidden_layers=3).config
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    proven.possible(stock.class_of(config, TASK), config)
    assert torch.equal(torch.rand(3), wanted)


def test_the_same_config_from_another_folder_is_proven_once() -> None:
    one, other = (students.model("electra", num_hidden_layers=3).config for _ in range(2))
    other._name_or_path = "elsewhere"
    class_ = stock.class_of(one, TASK)
    assert proven.proven(class_, one) is proven.proven(class_, other)
