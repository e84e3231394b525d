"""Lists by layer are cut with the layers, whatever they are called; lists that nobody knows are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.base.errors import AdviseError
from advisor.families.described.layer_lists import cut

KEPT = [0, 3]


@pytest.mark.parametrize(
    ("config", "changed"),
    [
        ({"layer_types": ["full", "slide", "slide", "full"]}, {"layer_types": ["full", "full"]}),
        ({"no_rope_layers": [1, 1, 1, 0]}, {"no_rope_layers": [1, 0]}),
        ({"mlp_layer_types": ["dense", "sparse", "sparse", "sparse"]}, {"mlp_layer_types": ["dense", "sparse"]}),
        ({"per_layer_config": {"1": {"a": 1}, "3": {"a": 2}}}, {"per_layer_config": {1: {"a": 2}}}),
        ({"max_window_layers": 2}, {"max_window_layers": 2}),
        ({"max_window_layers": 28}, {"max_window_layers": 2}),
        (
            {"attention_types": [[["global", "local"], 2]]},
            {"attention_types": [[["global", "local"], 1]], "attention_layers": ["global", "local"]},
        ),
        ({"eos_token_id": [1, 2, 3, 4], "pos_att_type": ["c2p", "p2c"]}, {}),
    ],
)
def test_what_changes(config: dict[str, Any], changed: dict[str, Any]) -> None:
    assert cut(config, 4, KEPT) == changed


def test_an_unknown_list_as_long_as_the_depth_is_refused_by_name() -> None:
    with pytest.raises(AdviseError, match="next_no_rope_layers: a list of 4 entries"):
        cut({"next_no_rope_layers": [1, 0, 1, 0]}, 4, KEPT)


@pytest.mark.parametrize("config", [{"layer_types": ["full"]}, {"attention_types": [[["global"], 3]]}])
def test_a_known_list_of_another_length_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(AdviseError, match="for 4 layers"):
        cut(config, 4, KEPT)
