"""Models for smaller images and shorter sounds than they were made for, and the words that speech is judged by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jiwer
import numpy as np
import perceived
import pytest
import tiny
import torch
from transformers import (
    AutoModelForAudioClassification,
    AutoModelForImageClassification,
    AutoModelForSpeechSeq2Seq,
    WhisperFeatureExtractor,
)
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from advisor.base.errors import AdviseError
from advisor.compute.data.labels import Rows
from advisor.compute.data.media import Shelf
from advisor.compute.structure.processors import Listener
from advisor.compute.structure.surgery import keep_layers
from advisor.compute.tasks.audio_classification import AudioClassification
from advisor.compute.tasks.automatic_speech_recognition import SpeechRecognition
from advisor.compute.tasks.image_classification import ImageClassification, fit
from advisor.compute.tasks.metrics import value
from advisor.families.input_sizes import positions
from advisor.families.registry import find


@pytest.mark.parametrize("kind", ["vit", "deit"])
def test_smaller_images_are_read_as_by_the_stock_class_that_interpolates(kind: str, tmp_path: Path) -> None:
    model = AutoModelForImageClassification.from_pretrained(perceived.vit(tmp_path, kind)).eval()
    scorer = ImageClassification(("a", "b"), image_size=8).scorer(model, None).eval()
    pixels = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        expected = model(pixels, interpolate_pos_encoding=True).logits
        assert torch.allclose(scorer(pixel_values=pixels), expected, atol=1e-5)
    family, config = find(kind), scorer.model.config.to_dict()
    assert family and config["image_size"] == 8
    table = next(one for name, one in scorer.model.named_parameters() if "position_embeddings" in name)
    assert table.shape[1] == positions(family, config)


def test_shorter_sounds_keep_the_first_positions(tmp_path: Path) -> None:
    model = AutoModelForAudioClassification.from_pretrained(perceived.whisper(tmp_path)).eval()
    scorer = AudioClassification(("a", "b"), max_seconds=1).scorer(model, None)
    assert scorer.model.config.max_source_positions == 50
    assert torch.equal(scorer.model.encoder.embed_positions.weight, model.encoder.embed_positions.weight[:50])
    assert scorer(input_features=torch.zeros(1, 16, 100)).shape == (1, 2)


def test_shorter_sounds_and_fewer_layers_leave_what_is_written_of_them_alone(tmp_path: Path) -> None:
    """The checkpoint says beside its config which tokens it never writes, and that it knows several languages."""
    model = AutoModelForSpeechSeq2Seq.from_pretrained(perceived.whisper(tmp_path))
    tokenizer = tiny.tokenizer("t5")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|de|>", "<|transcribe|>"]})
    model.resize_token_embeddings(len(tokenizer))
    said = {"is_multilingual": True, "suppress_tokens": [5, 6], "alignment_heads": [[1, 0]]}
    vars(model.generation_config).update(said)
    listener = Listener(WhisperFeatureExtractor(feature_size=16, chunk_length=2), tokenizer)
    scorer = SpeechRecognition(max_seconds=1, source_lang="de").scorer(model, listener)
    assert list(listener.prompt) == tokenizer.convert_tokens_to_ids(["<|de|>", "<|transcribe|>"])
    cut = keep_layers(scorer, {"decoder": (0,)})
    for found in (scorer.model.generation_config, cut.model.generation_config):
        assert found.is_multilingual and found.suppress_tokens == [5, 6]
    assert not hasattr(cut.model.generation_config, "alignment_heads")


def test_a_processor_that_crops_keeps_the_proportion() -> None:
    square = {"height": 224, "width": 224}
    plain, cropping = (
        ViTImageProcessorPil(size=square),
        ViTImageProcessorPil(size={"shortest_edge": 256}, do_center_crop=True, crop_size=square),
    )
    fit(plain, 56)
    fit(cropping, 56)
    assert (plain.size["height"], plain.size["width"]) == (56, 56)
    assert (cropping.size["shortest_edge"], cropping.crop_size["height"]) == (64, 56)


def test_word_accuracy_is_that_of_jiwer_on_normalised_texts() -> None:
    wanted = ["Hello, World!", "one two three", "four", "five six"]
    written = ["hello world", "one too three three", "", "five six"]
    task = SpeechRecognition()
    table = np.array([task.compared(*pair) for pair in zip(written, wanted, strict=True)])
    assert table.tolist() == [[0, 2], [2, 3], [1, 1], [0, 2]]
    plain = [text.lower().replace(",", "").replace("!", "") for text in wanted]
    statistics = task.statistics("word_accuracy", wanted, table)
    assert value("word_accuracy", statistics) == pytest.approx(1 - jiwer.wer(plain, written))
    assert list(task.compared("noise", "!")) == [1, 0]  # a text without words


def test_the_same_file_read_otherwise_is_another_input(tmp_path: Path) -> None:
    content = (perceived.images(tmp_path, each=1) / "red/0.png").read_bytes()
    small, large = (ViTImageProcessorPil(size={"height": side, "width": side}) for side in (8, 16))
    one, other = (
        ImageClassification(("a",)).encode(Rows((content,), None, (0,)), processor, 5) for processor in (small, large)
    )
    assert one.tokens != other.tokens and one.contents != other.contents
    assert one.tokens == ImageClassification(("a",)).encode(Rows((content,), None, (0,)), small, 5).tokens
    shelf = Shelf(lambda content: np.zeros(10, dtype=np.float32) + len(content), most=60)
    assert all(shelf(bytes(size))[0] == size for size in (1, 2, 1, 2)) and list(shelf.kept) == [b"\0"]
    assert len(one.tokens[0]) == 5 and one.tokens[0].numbers().shape == (3, 8, 8)


def test_the_language_that_is_spoken_is_one_that_the_model_knows() -> None:
    tokenizer = tiny.tokenizer("t5")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|de|>", "<|en|>", "<|transcribe|>"]})
    listener = Listener(None, tokenizer)
    SpeechRecognition(source_lang="de").prepare(listener)
    with pytest.raises(AdviseError, match="knows no language 'dx'") as refusal:
        SpeechRecognition(source_lang="dx").prepare(listener)
    assert "de" in refusal.value.faults[0].hint
    with pytest.raises(AdviseError, match="speech is written in its own language"):
        SpeechRecognition(target_lang="de").prepare(listener)


WITHOUT_PILLOW = """import sys
sys.modules["PIL"] = None
from advisor.base.errors import AdviseError
from advisor.compute.tasks.reading import reading
try:
    reading("image-classification")
except AdviseError as error:
    print(error)
"""


def test_without_pillow_the_command_that_installs_it_is_said() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT_PILLOW], capture_output=True, text=True, check=True).stdout
    assert "image-classification needs PIL, not installed" in told
    assert "pip install" in told and "[run]" in told
