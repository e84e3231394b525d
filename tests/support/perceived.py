"""Small images and sounds that a tiny model learns in seconds: colours, and tones; with the tiny models themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import tiny
import torch
from PIL import Image
from transformers import AutoConfig, AutoModel, AutoModelForSpeechSeq2Seq, WhisperFeatureExtractor
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
TONES = {"low": 220, "middle": 660, "high": 1980}  # in Hz
SAID = {"low": "return the list", "middle": "create new file", "high": "raise an error"}  # without a word in common
SIDE = 16  # pixels
WAIVED = (
    *("mid-large-data-levels", "small-data-few-layers", "gradual-width", "int8-gate"),
    "t5-small-data-no-prune",
)


def images(folder: Path, each: int = 40, seed: int = 0) -> Path:
    """Noisy pictures of one colour, in folders by class, as PNG."""
    random = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            pixels = np.clip(random.normal(colour, 60, (24, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def in_splits(make: Callable[..., Path], folder: Path, report: int = 20) -> Path:
    """The same in folders `train` and `test`. report: rows of each class to report on, which no chance gets right."""
    make(folder / "train", each=36)
    make(folder / "test", each=report, seed=1)
    return folder


def vit(folder: Path, model_type: str = "vit", **sizes: Any) -> Path:
    """A random ViT for images of 16 pixels, with its processor."""
    torch.manual_seed(0)
    small = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
    config = AutoConfig.for_model(model_type, **{**small, "image_size": SIDE, "patch_size": 4, **sizes})
    AutoModel.from_config(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def sounds(folder: Path, each: int = 32, seed: int = 0) -> Path:
    """Noisy tones of half a second at 8,000 samples a second, in folders by class, as WAV."""
    random, time = np.random.default_rng(seed), np.arange(4000) / 8000
    for name, pitch in TONES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            wave = np.sin(2 * np.pi * pitch * random.uniform(0.95, 1.05) * time) / 2
            soundfile.write(folder / name / f"{number}.wav", wave + random.normal(0, 0.05, 4000), 8000)
    return folder


def speech(folder: Path, each: int = 32, seed: int = 0) -> Path:
    """The same tones, with a text for each in a table."""
    sounds(folder, each, seed)
    files = [path.relative_to(folder) for path in sorted(folder.rglob("*.wav"))]
    rows = [{"file_name": str(path), "transcription": SAID[path.parts[0]]} for path in files]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def whisper(folder: Path, **sizes: Any) -> Path:
    """A random Whisper for sounds of 2 seconds, with its extractor and a tokenizer of the standard library's words."""
    torch.manual_seed(0)
    small = {"encoder_layers": 3, "decoder_layers": 2, "d_model": 32, "num_mel_bins": 16, "max_source_positions": 100}
    small |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4)
    small |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 64)
    small |= {"init_std": 0.1}  # with Whisper's own, a tiny one learns the most frequent text and listens to nothing
    words = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    more = {"decoder_start_token_id": 2, "max_target_positions": 32, "begin_suppress_tokens": None}
    config = AutoConfig.for_model("whisper", **{**small, **words, **more, "suppress_tokens": None, **sizes})
    AutoModelForSpeechSeq2Seq.from_config(config).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
    tiny.tokenizer("t5").save_pretrained(folder)
    return folder


def recipe(folder: Path, task: str, model: Path, data: Path, steps: str, training: str = "") -> Path:
    """A recipe for a tiny model on these files."""
    file, until = folder / "recipe.yaml", date.today() + timedelta(days=30)
    waivers = "".join(f"  - {{rule: {rule}, reason: a test, owner: test, until: {until}}}\n" for rule in WAIVED)
    file.write_text(
        f"version: 1\nname: {task}\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task}}}\ndevice: edge\n"
        f"steps:\n{steps}waivers:\n{waivers}training: {{batch_size: 16{training}}}\n"
    )
    return file
