"""Weights: those that the config does not describe are refused, and every usual form of a checkpoint loads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import students
import tiny
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, T5ForConditionalGeneration

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification

NAMES = ("asyncio", "email")
WIDER = {"bert": "intermediate_size", "gpt2": "n_inner", "opt": "ffn_dim", "t5": "d_ff"}
HIDDEN = {"bert": "hidden_size", "gpt2": "n_embd", "opt": "hidden_size", "t5": "d_model"}
DEEPER = {"bert": "num_hidden_layers", "gpt2": "n_layer", "opt": "num_hidden_layers", "t5": "num_decoder_layers"}


def copied(checkpoints: dict[str, Path], name: str, folder: Path) -> Path:
    return Path(shutil.copytree(checkpoints[name], folder / "model"))


def refused(folder: Path, name: str) -> Fault:
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family(name), TextClassification(NAMES))
    (fault,) = caught.value.faults
    assert fault.file == str(folder) and fault.hint
    return fault


def renamed(tensors: dict[str, Tensor], name: Callable[[str], str]) -> None:
    given = dict(tensors)
    tensors.clear()
    tensors.update({name(key): tensor for key, tensor in given.items()})


@pytest.mark.parametrize("headed", [False, True])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_weights_of_more_layers_than_the_config_says_are_refused(
    name: str, headed: bool, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """transformers would leave them out, and the model would be another one."""
    folder = copied(checkpoints, name, tmp_path)
    if headed:
        loaded, processor = checkpoint.load(folder, students.family(name), TextClassification(NAMES))
        shutil.rmtree(folder)
        checkpoint.save(loaded, processor, folder)
    tiny.configure(folder, **{DEEPER[name]: 2})
    has = 3 if name == "t5" else 4
    told = f"they have {has} layers, config.json says 2 ({DEEPER[name]})"
    assert refused(folder, name).message == f"its weights are not those that its config describes: {told}"


@pytest.mark.parametrize("name", tiny.FAMILIES)
@pytest.mark.parametrize(
    ("keys", "size", "told"),
    [(WIDER, 128, "of another shape are "), (HIDDEN, 96, "of another shape are "), (DEEPER, 6, ": missing are ")],
    ids=["wider", "hidden", "deeper"],
)
def test_weights_that_do_not_fit_the_config_are_refused(
    name: str, keys: dict[str, str], size: int, told: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = copied(checkpoints, name, tmp_path)
    tiny.configure(folder, **{keys[name]: size})
    fault = refused(folder, name)
    assert fault.message.startswith("its weights are not those that its config describes: ")
    assert told in fault.message and " more" in fault.message
    assert "score.weight" not in fault.message and "classifier." not in fault.message and "report" not in fault.message


def test_a_misfit_names_tensors_with_both_shapes(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints, "bert", tmp_path)
    tiny.configure(folder, intermediate_size=128, num_hidden_layers=5)
    message = refused(folder, "bert").message
    assert "missing are bert.encoder.layer.4.attention.self.query.weight (48 x 48), " in message
    assert "of another shape are bert.encoder.layer.0.intermediate.dense.weight (96 x 48, not 128 x 48), " in message


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_tensors_of_other_names_are_refused(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints, name, tmp_path)
    tiny.tamper(folder, lambda tensors: renamed(tensors, "x.{}".format))
    fault = refused(folder, name)
    assert ": missing are " in fault.message and "the file has tensors of other names, such as x." in fault.hint


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("bert", "bert.encoder.layer.0.output.dense.bias"),
        ("gpt2", "transformer.wpe.weight"),
        ("opt", "model.decoder.final_layer_norm.weight"),
        ("t5", "shared.weight"),
    ],
)
def test_one_tensor_that_is_gone_is_refused(name: str, gone: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints, name, tmp_path)
    tiny.tamper(folder, lambda tensors: [tensors.pop(key) for key in list(tensors) if gone.endswith(key)])
    assert f"{gone} (" in refused(folder, name).message


def test_a_pooler_of_another_size_is_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints, "bert", tmp_path)
    tiny.tamper(folder, lambda tensors: tensors.update({"pooler.dense.bias": torch.zeros(3)}))
    assert refused(folder, "bert").message.endswith("of another shape is bert.pooler.dense.bias (3, not 48)")


def buffers(tensors: dict[str, Tensor]) -> None:
    """As GPT-2's older checkpoints have them."""
    for block in range(4):
        mask = torch.ones(512, 512, dtype=torch.bool).tril().view(1, 1, 512, 512)
        tensors |= {f"h.{block}.attn.bias": mask, f"h.{block}.attn.masked_bias": torch.tensor(-1e4)}


CHANGES: dict[str, tuple[str, Callable[[dict[str, Tensor]], object]]] = {
    "old names of norms": (
        "bert",
        lambda tensors: renamed(
            tensors, lambda key: key.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta")
        ),
    ),
    "a sentence encoder": (
        "bert",
        lambda tensors: [tensors.pop(f"pooler.dense.{kind}") for kind in ("weight", "bias")],
    ),
    "buffers of attention": ("gpt2", buffers),
    "embeddings thrice": (
        "t5",
        lambda tensors: tensors.update(
            {
                key: tensors["shared.weight"].clone()
                for key in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
            }
        ),
    ),
    "embeddings by another name": (
        "t5",
        lambda tensors: renamed(tensors, lambda key: key.replace("shared.", "encoder.embed_tokens.")),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whole_checkpoints_of_other_forms_load_as_they_are(
    change: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    name, how = CHANGES[change]
    folder = copied(checkpoints, name, tmp_path)
    before = students.scores(checkpoint.load(folder, students.family(name), TextClassification(NAMES))[0], name)
    tiny.tamper(folder, how)
    after = students.scores(checkpoint.load(folder, students.family(name), TextClassification(NAMES))[0], name)
    assert torch.equal(before, after) or change == "a sentence encoder"


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_checkpoint_with_a_language_model_head_loads(name: str, tmp_path: Path) -> None:
    config = students.model(name).config
    made = {"bert": AutoModelForMaskedLM, "t5": T5ForConditionalGeneration}.get(name, AutoModelForCausalLM)
    language = made.from_config(config) if name != "t5" else made(config)
    language.save_pretrained(tmp_path / "model")
    students.tokenizer().save_pretrained(tmp_path / "model")
    loaded, _ = checkpoint.load(tmp_path / "model", students.family(name), TextClassification(NAMES))
    words, same = (one.get_input_embeddings().weight for one in (language, loaded.model))
    assert torch.equal(words, same)


@pytest.mark.parametrize("name", students.HEADED)
def test_only_a_head_for_other_labels_is_replaced(name: str, tmp_path: Path) -> None:
    one = students.student(name)
    checkpoint.save(one, students.tokenizer(), tmp_path / "model")
    loaded, _ = checkpoint.load(tmp_path / "model", students.family(name), TextClassification(("a", "b", "c")))
    assert loaded.model.config.num_labels == 3
    kept = loaded.model.state_dict()
    changed = [key for key, tensor in one.model.state_dict().items() if not torch.equal(tensor, kept[key])]
    assert changed and all(key.startswith(("classifier.", "score.")) for key in changed)


# Weights that are no finite numbers ---------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_weights_that_are_not_finite_are_refused(
    name: str, value: float, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = copied(checkpoints, name, tmp_path)
    odd: list[str] = []

    def spoil(tensors: dict[str, Tensor]) -> None:
        odd.append(min(key for key, tensor in tensors.items() if tensor.ndim == 1))
        tensors[odd[0]][0] = value

    tiny.tamper(folder, spoil)
    message = refused(folder, name).message
    assert message.startswith("its weights are not finite numbers: NaN or infinite is ") and message.endswith(odd[0])


def test_of_many_tensors_that_are_not_finite_the_first_are_named(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints, "bert", tmp_path)
    tiny.tamper(folder, lambda tensors: [tensor.fill_(float("nan")) for tensor in tensors.values()])
    message = refused(folder, "bert").message
    assert "NaN or infinite are bert.embeddings.word_embeddings.weight, " in message and " more" in message


# A head to predict with ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", students.HEADED)
def test_only_a_trained_model_is_loaded_to_predict(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    family = students.family(name)
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(checkpoints[name], family, TextClassification(NAMES), trained=True)
    (fault,) = caught.value.faults
    head = next(key for key in ("classifier.weight", "score.weight") if key in family.structure(family.config).rows)
    assert fault.file == str(checkpoints[name])
    assert fault.message.startswith("it has not been trained for these labels: missing ")
    assert f"{head} (2 x 48)" in fault.message and "`advise run`" in fault.hint
    one = students.student(name)
    checkpoint.save(one, students.tokenizer(), tmp_path / "model")
    students.assert_equal_scores(
        checkpoint.load(tmp_path / "model", family, TextClassification(NAMES), trained=True)[0], one, name
    )
    with pytest.raises(AdviseError, match=rf"of another shape .*{head} \(2 x 48, not 3 x 48\)"):
        checkpoint.load(tmp_path / "model", family, TextClassification(("a", "b", "c")), trained=True)


def test_a_trained_head_without_its_pooler_is_not_loaded_to_predict(tmp_path: Path) -> None:
    """It would be made up, as for training."""
    checkpoint.save(students.student("bert"), students.tokenizer(), tmp_path / "model")
    tiny.tamper(tmp_path / "model", lambda tensors: tensors.pop("bert.pooler.dense.bias"))
    with pytest.raises(AdviseError, match=r"missing is bert\.pooler\.dense\.bias"):
        checkpoint.load(tmp_path / "model", students.family("bert"), TextClassification(NAMES), trained=True)


def test_t5_scores_label_words_and_needs_no_head(checkpoints: dict[str, Path]) -> None:
    assert checkpoint.load(checkpoints["t5"], students.family("t5"), TextClassification(NAMES), trained=True)[
        0
    ].label_tokens


# Tokens that the model has no row for -------------------------------------------------------------


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_vocabulary_smaller_than_the_tokenizers_is_refused(name: str, tmp_path: Path) -> None:
    folder = tiny.checkpoint(name, tmp_path / "model", vocab_size=100)
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family(name), TextClassification(NAMES))
    (fault,) = caught.value.faults
    assert fault.file == str(folder / "tokenizer.json")
    assert fault.message == (
        "its tokens are numbered up to 399, but the model has 0 to 99 only (vocab_size 100 in config.json)"
    )


def test_the_largest_number_that_the_model_knows_is_none_too_many(tmp_path: Path) -> None:
    folder = tiny.checkpoint("bert", tmp_path / "model", vocab_size=400)
    loaded, tokenizer = checkpoint.load(folder, students.family("bert"), TextClassification(NAMES))
    assert max(tokenizer.get_vocab().values()) + 1 == loaded.model.config.vocab_size
