"""A decoder that was made smaller goes through llama.cpp's converter, with every weight as the checkpoint has it.

LLAMA_CPP names a checkout of llama.cpp, or `vendor/llama.cpp` of llama-cpp-python's source package:
pip download --no-deps --no-binary llama-cpp-python llama-cpp-python. The converter needs sentencepiece.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import inferred_models as models
import numpy as np
import pytest
import tiny
from safetensors.numpy import load_file

from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.checkpoint import cut_checkpoint, describe
from advisor.compute.structure.inference.cutting import Cut
from advisor.compute.structure.inference.proof import random_model

LLAMA_CPP = Path(os.environ.get("LLAMA_CPP", ""))
CONVERTER = LLAMA_CPP / "convert_hf_to_gguf.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CONVERTER.is_file(), reason="LLAMA_CPP names no checkout of llama.cpp"),
]
# Tokenizers are known to the converter by a hash, and the one of the tests is not among them.
CONVERT = f"""
import runpy, sys
sys.path[:0] = [{str(LLAMA_CPP)!r}, {str(LLAMA_CPP / "gguf-py")!r}]
from conversion.base import TextModel
TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
runpy.run_path({str(CONVERTER)!r}, run_name="__main__")
"""
READ = f"""
import sys
sys.path.insert(0, {str(LLAMA_CPP / "gguf-py")!r})
import numpy, gguf
read = gguf.GGUFReader(sys.argv[1])
numpy.savez(sys.argv[2], blocks=read.get_field(sys.argv[3] + ".block_count").contents(),
            **{{one.name: numpy.sort(one.data, axis=None) for one in read.tensors}})
"""


pytest.importorskip("sentencepiece")


def python(code: str, *arguments: object) -> None:
    """Run code in a process of its own, as it brings a package `gguf` that may differ from an installed one."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("name", ["llama", "smollm3"])
def test_a_smaller_decoder_is_converted_with_all_its_weights(name: str, tmp_path: Path) -> None:
    config = models.config(name, **{**tiny.DECODER, "vocab_size": tiny.VOCABULARY, "pad_token_id": 0})
    random_model(stock.class_of(config, "text-generation"), config).save_pretrained(tmp_path / "large")
    subject = describe(tmp_path / "large")
    feed_forward = {("ffn", site): range(64) for site in subject.structure.sites("ffn")}
    cut_checkpoint(subject, tmp_path / "small", Cut(blocks={"decoder": [0, 3]}, kept=feed_forward))
    tiny.tokenizer(name).save_pretrained(tmp_path / "small")
    python(CONVERT, tmp_path / "small", "--outfile", tmp_path / "small.gguf", "--outtype", "f32")
    python(READ, tmp_path / "small.gguf", tmp_path / "read.npz", name)
    found = dict(np.load(tmp_path / "read.npz"))
    assert found.pop("blocks") == 2
    # The converter renames tensors, and turns the rows of queries and keys round.
    weights = [np.sort(one, axis=None) for one in load_file(tmp_path / "small" / "model.safetensors").values()]
    assert sorted(map(bytes, found.values())) == sorted(map(bytes, weights))
