"""int8 of models that write: exported with their cache they write what PyTorch writes, and int8 comes near it."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import perceived
import pytest
import soundfile
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.data.labels import Rows
from advisor.compute.int8 import backends
from advisor.compute.int8.quantized import Quantized, prove, spared
from advisor.compute.int8.servable import matrices
from advisor.compute.structure.processors import processor
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.task import Task
from advisor.compute.tasks.writing import CausalScorer, Seq2SeqScorer, Writer
from advisor.facts.tasks import OF_WRITERS, SPEECH

TEXTS = tuple(row["text"] for row in tiny.docstrings()[:50])
TWO_STACKS = ("t5", "mt5")
HEARS = "whisper"
ONE_STACK = ("gpt2", "opt", "gpt_neo", "gpt_neox", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2")
ONE_STACK += ("gemma3_text", "smollm3", "phi3", "olmo2")
FEW = {("onnxruntime", "gpt2"), ("onnxruntime", "t5"), ("pytorch", "t5")}
CASES = [
    pytest.param(case, marks=() if case in FEW else pytest.mark.slow, id="-".join(case))
    for case in product(OF_WRITERS, (*ONE_STACK, *TWO_STACKS, HEARS))
]


@dataclass(frozen=True)
class Made:
    """A tiny writer with what a backend made of it. folder: of the int8 model."""

    backend: str
    task: Task
    writer: Writer
    batches: list[Batch]
    model: backends.Prepared
    folder: Path
    quantized: Quantized

    def int8(self) -> Writer:
        found = backends.backend(self.backend).read(self.folder, 1, self.writer.processor)
        assert isinstance(found, Writer)
        return found


def writer(family: str) -> Writer:
    """A tiny model whose random weights are large enough for it to write another text for each that it reads."""
    torch.manual_seed(0)
    two = family in TWO_STACKS
    wide = {} if two else {"init_std" if family == "opt" else "initializer_range": 0.3}
    sizes = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0, **(tiny.SIZES | tiny.KIN)[family], **wide}
    config = AutoConfig.for_model(family, **sizes)
    if two:  # else each text ends at once
        config.scale_decoder_outputs = False
    model = (AutoModelForSeq2SeqLM if two else AutoModelForCausalLM).from_config(config).eval()
    if two:
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    tokenizer = tiny.tokenizer(family)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    found = task_for(family).scorer(model, tokenizer)
    assert isinstance(found, Writer)
    return found


def listener(folder: Path) -> Writer:
    """The same of a Whisper that is cut to sounds of one second."""
    task, source = task_for(HEARS), perceived.whisper(folder, encoder_layers=1, init_std=0.3)
    model = task.stock_class().from_pretrained(source).eval()
    found = task.scorer(model, processor(task, source))
    assert isinstance(found, Writer) and found.model.config.max_source_positions == 50
    return found


def sounds(count: int) -> tuple[bytes, ...]:
    """Noisy tones of half a second, each of another pitch, as WAV files."""
    random, time, found = np.random.default_rng(0), np.arange(8000) / 16000, []
    for number in range(count):
        file = io.BytesIO()
        wave = np.sin(2 * np.pi * 100 * 1.08**number * time) / 2 + random.normal(0, 0.05, len(time))
        soundfile.write(file, wave, 16000, format="WAV")
        found.append(file.getvalue())
    return tuple(found)


def task_for(family: str) -> Task:
    if family == HEARS:
        return task_of(SPEECH, (), max_new_tokens=12, max_seconds=1)
    return task_of("summarization" if family in TWO_STACKS else "text-generation", (), max_new_tokens=12)


def batches(task: Task, one: Writer, count: int = len(TEXTS)) -> list[Batch]:
    """Four texts or sounds each, texts padded; of two stacks with what is to be written."""
    read = sounds(count) if task.tag == SPEECH else TEXTS[:count]
    rows = task.encode(Rows(read, None, tuple(text[-30:] for text in TEXTS[:count])), one.processor, 24)
    numbers = [list(range(at, min(at + 4, len(rows)))) for at in range(0, len(rows), 4)]
    return [task.collate(rows, some, 0) for some in numbers]


def texts(one: Writer, some: list[Batch], beams: int = 1) -> list[str]:
    """What it writes; a decoder reads texts that are padded at the left."""
    if isinstance(one, CausalScorer):
        return one.continued(TEXTS, 12)
    assert isinstance(one, Seq2SeqScorer)
    again = type(one)(one.model, one.processor, beams, 12)
    return [text for batch in some for text in again.written(**batch.inputs)]


def make(backend: str, one: Writer, task: Task, folder: Path, work: Path) -> Made:
    some = batches(task, one)
    model = backends.backend(backend).prepare(backends.Source(one, some[:2], some[:3], work, False))
    config = {**one.model.config.to_dict(), "task": task.tag}
    (folder / "config.json").write_text(json.dumps(config, default=str))
    one.model.generation_config.save_pretrained(folder)
    return Made(backend, task, one, some, model, folder, model.quantize(folder, spared(model.matrices)))


@pytest.fixture(scope="module", params=CASES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    backend, family = request.param
    folders = tmp_path_factory.mktemp("int8"), tmp_path_factory.mktemp("work")
    one = listener(tmp_path_factory.mktemp(HEARS)) if family == HEARS else writer(family)
    return make(backend, one, task_for(family), *folders)


def test_the_same_model_in_fp32_writes_the_same_texts(made: Made) -> None:
    fp32 = made.model.fp32(1)
    assert isinstance(fp32, Writer)
    for beams in (1, 3) if isinstance(made.writer, Seq2SeqScorer) else (1,):
        expected = texts(made.writer, made.batches, beams)
        assert texts(fp32, made.batches, beams) == expected and len(expected) == 50
        assert len(set(expected)) > 10


def test_int8_finds_the_tokens_nearly_as_probable(made: Made) -> None:
    with torch.no_grad():
        before, now = (made.task.likeness(one, made.batches) for one in (made.writer, made.int8()))
    assert 0 < float((before - now).abs().mean()) < 0.05  # 0 would be fp32 under another name
    assert len(texts(made.int8(), made.batches)) == len(TEXTS)


def test_all_matrices_are_int8_but_those_kept(made: Made) -> None:
    assert made.quantized.kept_fp32 == tuple(name for name in made.model.matrices if name in spared({name}))
    assert made.quantized.size_bytes < made.quantized.fp32_bytes
    graphs = ("model", "encoder") if isinstance(made.writer, Seq2SeqScorer) else ("model",)
    onnx = {f"onnx/{name}_quantized.onnx" for name in graphs}
    files = {file.relative_to(made.folder).as_posix() for file in made.folder.rglob("*.*")}
    files -= {"config.json", "generation_config.json"}
    assert files == {"onnxruntime": onnx, "pytorch": {"int8.safetensors"}}[made.backend]


def test_another_model_than_the_exported_one_is_refused(made: Made) -> None:
    fp32, other = made.model.fp32(1), copy.deepcopy(made.writer)
    assert isinstance(fp32, Writer)
    with torch.no_grad():
        table = other.model.get_input_embeddings().weight
        table.copy_(table.flip(0))
    steps = [partial(fp32.model.in_steps, count) for count in (1, 2, 5)] if made.backend == "onnxruntime" else [fp32]
    for reader in steps:
        assert prove(made.writer, reader, made.batches[:2], "here") < 1e-4
        with pytest.raises(AdviseError, match="differ from torch's"):
            prove(other, reader, made.batches[:2], "here")


def test_a_model_that_hears_writes_the_same_from_a_cache(tmp_path: Path) -> None:
    """What the slow tests above ask of 50 sounds, int8 and beams, of a few."""
    one = listener(tmp_path / "source")
    some = batches(task_for(HEARS), one, 6)
    model = backends.backend("onnxruntime").prepare(backends.Source(one, some[:1], some, tmp_path, False))
    assert len(model.matrices) == len(matrices(one.model)) + 1  # none is in both graphs; and the output embeddings
    fp32 = model.fp32(1)
    assert isinstance(fp32, Writer)
    expected = texts(one, some)
    assert texts(fp32, some) == expected and len(set(expected)) > 3


@pytest.mark.slow
def test_mbart_writes_the_same_though_its_targets_begin_with_their_own_last_token(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = tiny.multilingual_tokenizer()
    sizes = {**tiny.KIN["mbart"], "vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model("mbart", **sizes, init_std=0.3)).eval()
    task = task_of("translation", (), max_new_tokens=12, source_lang="en_XX", target_lang="de_DE")
    task.prepare(tokenizer)
    one = task.scorer(model, tokenizer)
    assert isinstance(one, Writer)
    some = batches(task, one)[:5]
    fp32 = backends.backend("onnxruntime").prepare(backends.Source(one, some[:2], some[:3], tmp_path, False)).fp32(1)
    assert isinstance(fp32, Writer)
    assert texts(fp32, some) == texts(one, some)
