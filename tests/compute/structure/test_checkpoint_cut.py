"""Checkpoints are cut from their folders: exact, whole or not at all, and with every trap of their family."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import inferred_models as models
import pytest
import tiny
import torch
from safetensors import safe_open

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.checkpoint import Subject, cut_checkpoint, describe
from advisor.compute.structure.inference.cutting import Cut, cut_model
from advisor.compute.structure.inference.inputs import answers, difference
from advisor.compute.structure.inference.proof import random_model
from advisor.compute.structure.inference.trips import passed_by

SMALL = {"vocab_size": 97, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "max_position_embeddings": 64}
PLAIN = {**SMALL, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96, "num_hidden_layers": 4}
GROUPED = {**PLAIN, "num_key_value_heads": 2}
IMAGE = {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96, "num_hidden_layers": 4}
T5 = {
    **{"vocab_size": 97, "d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 4, "num_heads": 4},
    **{"decoder_start_token_id": 0, "feed_forward_proj": "gated-gelu"},
}


def saved(folder: Path, name: str, task: str = "", **sizes: Any) -> Path:
    """A checkpoint with random weights, as transformers saves it."""
    config = models.config(name, **sizes)
    random_model(stock.class_of(config, task), config).save_pretrained(folder)
    return folder


def loaded(subject: Subject, folder: Path) -> Any:
    return subject.proof.inferred.class_.from_pretrained(folder).eval()


def cut_to(subject: Subject, out: Path, cut: Cut, **options: Any) -> Any:
    count = cut_checkpoint(subject, out, cut, **options)
    model = loaded(subject, out)
    assert count == sum(one.numel() for one in model.parameters())
    return model


@pytest.mark.parametrize(
    ("name", "task", "sizes"),
    [
        ("bert", "", PLAIN),
        ("vit", "", {**IMAGE, "image_size": 32, "patch_size": 8}),  # other names in the file than in memory
        ("smollm3", "text-generation", GROUPED),  # no_rope_layers
        (
            "gpt_neo",
            "",
            {
                **SMALL,
                "hidden_size": 48,
                "num_heads": 4,
                "num_layers": 4,
                "attention_types": [[["global", "local"], 2]],
            },
        ),
        (
            "qwen2",
            "text-generation",
            {**GROUPED, "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2},
        ),
        ("gemma2", "text-generation", {**GROUPED, "head_dim": 12, "sliding_window": 6}),
    ],
)
def test_without_some_layers_a_model_answers_as_with_these_passed_by(
    name: str, task: str, sizes: dict[str, Any], tmp_path: Path
) -> None:
    subject = describe(saved(tmp_path / "large", name, task, **sizes))
    (stack,) = subject.structure.stacks
    smaller = cut_to(subject, tmp_path / "small", Cut(blocks={stack: [0, 3]}))
    wanted = passed_by(loaded(subject, subject.folder), subject.structure, stack, [0, 3])
    assert difference(wanted, answers(smaller)) < 1e-5


def test_window_layers_are_those_of_the_new_depth(tmp_path: Path) -> None:
    sizes = {**GROUPED, "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2}
    subject = describe(saved(tmp_path / "large", "qwen2", "text-generation", **sizes))
    config = cut_to(subject, tmp_path / "small", Cut(blocks={"decoder": [0, 2, 3]})).config
    assert config.layer_types == ["full_attention", "sliding_attention", "sliding_attention"]
    assert config.max_window_layers == config.num_hidden_layers == 3


def untied(folder: Path) -> Path:
    """A T5 1.1: output embeddings of its own, which transformers' config says are tied, and answers not scaled."""
    saved(folder, "t5", **T5)
    config = json.loads((folder / "config.json").read_text())
    config.pop("scale_decoder_outputs")
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    tiny.tamper(folder, lambda tensors: tensors.update({"lm_head.weight": torch.randn(97, 48)}))
    return folder


def test_output_embeddings_that_only_the_config_ties_stay_their_own(tmp_path: Path) -> None:
    subject = describe(untied(tmp_path / "large"))
    larger = loaded(subject, subject.folder)
    assert not larger.config.scale_decoder_outputs
    smaller = cut_to(subject, tmp_path / "small", Cut(blocks={"decoder": [0, 2]}))
    assert not torch.equal(smaller.lm_head.weight, smaller.shared.weight)
    assert difference(passed_by(larger, subject.structure, "decoder", [0, 2]), answers(smaller)) < 1e-5


@pytest.mark.parametrize("own", [True, False])
def test_a_model_in_memory_is_cut_as_its_checkpoint(own: bool, tmp_path: Path) -> None:
    folder = untied(tmp_path / "large") if own else saved(tmp_path / "large", "t5", **T5)
    subject = describe(folder)
    cut = Cut(blocks={"encoder": [0, 3], "decoder": [0, 1, 2]})
    inferred = replace(subject.proof.inferred, structure=subject.structure)
    in_memory = cut_model(loaded(subject, folder), inferred, cut)
    assert difference(answers(cut_to(subject, tmp_path / "small", cut)), answers(in_memory)) < 1e-5
    assert (in_memory.lm_head.weight is not in_memory.shared.weight) is own


def heads_and_groups(subject: Subject, groups: list[int], each: int) -> Cut:
    kept: dict[tuple[str, str], list[int]] = {}
    for site in subject.structure.sites("heads"):
        kept["heads", site] = [group * each + head for group in groups for head in range(each)]
        kept["kv", site] = groups
    return Cut(kept=kept)


def test_a_llama_without_a_group_of_heads_is_smaller_and_says_its_head_size(tmp_path: Path) -> None:
    subject = describe(saved(tmp_path / "large", "qwen2", "text-generation", **GROUPED))
    smaller = cut_to(subject, tmp_path / "small", heads_and_groups(subject, [1], 2))
    assert (smaller.config.head_dim, smaller.config.num_attention_heads, smaller.config.num_key_value_heads) == (
        12,
        2,
        1,
    )
    assert smaller.num_parameters() < loaded(subject, subject.folder).num_parameters()


def hidden(subject: Subject, count: int) -> Cut:
    return Cut(kept={("hidden", ""): range(count)})


def test_the_size_of_the_pooler_follows(tmp_path: Path) -> None:
    sizes = {**IMAGE, "image_size": 32, "patch_size": 8}
    subject = describe(saved(tmp_path / "large", "vit", "feature-extraction", **sizes))
    smaller = cut_to(subject, tmp_path / "small", hidden(subject, 36))
    assert (smaller.config.hidden_size, smaller.config.pooler_output_size) == (36, 36)


def test_what_a_checkpoint_lacks_outside_its_blocks_stays_away(tmp_path: Path) -> None:
    folder = saved(tmp_path / "large", "bert", "feature-extraction", **PLAIN)
    tiny.tamper(folder, lambda tensors: [tensors.pop(name) for name in list(tensors) if name.startswith("pooler.")])
    subject = describe(folder)
    cut_checkpoint(subject, tmp_path / "small", Cut(blocks={"encoder": [0]}))
    with safe_open(tmp_path / "small" / "model.safetensors", framework="pt") as file:
        names = list(file.keys())
    assert names and not any("pooler" in name for name in names)


@pytest.mark.parametrize("name", ["llama", "gemma"])
def test_rescaled_norms_keep_their_size_where_silent_channels_go(name: str, tmp_path: Path) -> None:
    """With channels that nothing writes to, the rescaled model is exact but for epsilon."""
    folder = saved(tmp_path / "large", name, "text-generation", **{**GROUPED, "head_dim": 12})
    silent = torch.arange(36, 48)

    def silence(tensors: dict[str, torch.Tensor]) -> None:
        for key, tensor in tensors.items():
            if key.endswith("embed_tokens.weight"):
                tensor[:, silent] = 0
            if key.endswith(("o_proj.weight", "down_proj.weight")):
                tensor[silent] = 0

    tiny.tamper(folder, silence)
    subject = describe(folder)
    wanted = answers(loaded(subject, folder))
    plain = difference(wanted, answers(cut_to(subject, tmp_path / "plain", hidden(subject, 36))))
    exact = difference(wanted, answers(cut_to(subject, tmp_path / "exact", hidden(subject, 36), rescale=True)))
    scaled_embeddings = name == "gemma"  # whose own scale, the root of the hidden size, changes too
    assert exact < (0.9 * plain if scaled_embeddings else 1e-3) and plain > 0.05


def remote(folder: Path) -> None:
    tiny.configure(folder, auto_map={"AutoModel": "code.Model"})


def quantized(folder: Path) -> None:
    tiny.configure(folder, quantization_config={"bits": 4})


def unknown(folder: Path) -> None:
    tiny.configure(folder, model_type="nobody")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remote, "auto_map: the model's class comes with the checkpoint"),
        (quantized, "quantization_config: its weights are quantized already"),
        (unknown, "no config that transformers can read"),
        (lambda folder: (folder / "config.json").unlink(), "cannot be read"),
        (lambda folder: tiny.configure(folder, hidden_size="wide"), "no config that transformers can read"),
    ],
)
def test_what_is_no_model_of_transformers_is_refused(
    change: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path / "large", "bert", **PLAIN)
    change(folder)
    with pytest.raises(AdviseError, match=message):
        describe(folder)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return describe(saved(tmp_path_factory.mktemp("llama") / "large", "llama", "text-generation", **GROUPED))


def test_no_class_for_the_task(llama: Subject) -> None:
    with pytest.raises(AdviseError, match="transformers has no class for image-classification"):
        describe(llama.folder, "image-classification")


def uneven(subject: Subject) -> Cut:
    first, *others = subject.structure.sites("ffn")
    return Cut(kept={("ffn", first): range(48), **{("ffn", site): range(40) for site in others}})


def no_multiple(subject: Subject) -> Cut:
    return Cut(kept={("heads", site): range(3) for site in subject.structure.sites("heads")})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_multiple, "heads 3 cannot be divided by kv 2"),
        (lambda subject: hidden(subject, 42), "hidden 42 cannot be divided by heads 4"),
        (uneven, "keeps 40 ffn, another place 48: a config has one"),
        (lambda subject: Cut(kept={("vocab", ""): range(9)}), "vocab: not proven"),
    ],
)
def test_a_cut_that_no_config_can_say_is_refused_before_weights_are_read(
    make: Callable[[Subject], Cut], message: str, llama: Subject, tmp_path: Path
) -> None:
    (weights := llama.folder / "model.safetensors").rename(llama.folder / "away")
    try:
        with pytest.raises(AdviseError, match=message):
            cut_checkpoint(llama, tmp_path / "small", make(llama))
    finally:
        (llama.folder / "away").rename(weights)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"), "mlp.up_proj.weight is missing"),
        (lambda tensors: tensors.update({"model.norm.weight": torch.ones(7)}), r"is \(7,\), the config says \(48,\)"),
    ],
)
def test_other_weights_than_the_config_says_are_refused_and_nothing_is_written(
    change: Callable[[dict[str, torch.Tensor]], object], message: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path / "large", "llama", "text-generation", **GROUPED)
    tiny.tamper(folder, change)
    with pytest.raises(AdviseError, match=message):
        cut_checkpoint(describe(folder), tmp_path / "small", Cut(blocks={"decoder": [0]}))
    assert [one.name for one in tmp_path.iterdir()] == ["large"]


def test_a_folder_that_exists_is_left_alone(llama: Subject, tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match="exists"):
        cut_checkpoint(llama, tmp_path, Cut(blocks={"decoder": [0]}))


def test_the_first_block_of_modernbert_has_to_stay(tmp_path: Path) -> None:
    subject = describe(saved(tmp_path / "large", "modernbert", **PLAIN))
    with pytest.raises(AdviseError, match="block 0 of the encoder has to stay: it lacks"):
        cut_checkpoint(subject, tmp_path / "small", Cut(blocks={"encoder": [1, 2]}))


def test_a_width_that_meets_another_is_refused(tmp_path: Path) -> None:
    """ELECTRA has projections between embeddings and blocks only where their widths differ."""
    subject = describe(saved(tmp_path / "large", "electra", **PLAIN, embedding_size=24))
    kept = {("heads", site): range(2) for site in subject.structure.sites("heads")} | {("hidden", ""): range(24)}
    with pytest.raises(AdviseError, match="hidden 24 equals embedding_size"):
        cut_checkpoint(subject, tmp_path / "small", Cut(kept=kept))
