"""Writer graphs: a model that writes as ONNX files that take and give its cache, so that no token is worked out twice.

A decoder is one graph, from tokens and the keys and values of all before them (none, at first) to logits and the keys
and values that follow. It so reads a text at once, as scoring does, and continues it token by token. Of two stacks
the first graph reads a text, or hears a sound, and gives the keys and values of cross-attention, which every token
that is written shares; the second one takes them and writes.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache, GenerationMixin
from transformers.modeling_outputs import BaseModelOutput

from advisor.compute.int8.tracing import trace
from advisor.families.input_sizes import SOUND

CACHE = "cache"
if CACHE not in inspect.signature(GenerationMixin.prepare_inputs_for_generation).parameters:
    CACHE = "past_key_values"  # transformers before 5.24
WRITES, READS = "model", "encoder"  # the names of the graphs
HEARD, MASK = "input_features", "attention_mask"  # what a model reads of sounds, and which tokens of texts count
PAST, PRESENT, CROSS = "past_key_values", "present", "cross"  # the first two as optimum and transformers.js have them
TOKENS = {0: "batch", 1: "tokens"}
READ, WRITTEN = {0: "batch", 1: "read"}, {0: "batch", 1: "written"}  # the second counts what is cached, too


def export_graphs(model: Any, folder: Path) -> dict[str, Path]:
    """Write a model that writes as fp32 ONNX files, each in a folder of its own: weights above 2 GB go beside it.

    Gives the files by the names of the graphs: `WRITES`, and `READS` of a model of two stacks.
    """
    found = {}
    for name, graph in _graphs(model.config).items():
        found[name] = folder / name / f"{name}.onnx"
        found[name].parent.mkdir(parents=True)
        _export(graph(model).eval(), found[name])
    return found


def hears(config: Any) -> bool:
    """Whether a model of this config reads sounds."""
    return hasattr(config, SOUND)


def _graphs(config: Any) -> dict[str, type[_Graph]]:
    if not config.is_encoder_decoder:
        return {WRITES: _Decoder}
    if hears(config):
        return {READS: _SoundEncoder, WRITES: _SoundDecoder}
    return {READS: _TextEncoder, WRITES: _TextDecoder}


def pairs(kind: str, count: int) -> list[str]:
    """The names of the keys and values of so many blocks."""
    return [f"{kind}.{number}.{part}" for number in range(count) for part in ("key", "value")]


def flat(cache: DynamicCache) -> list[Tensor]:
    """The keys and values of all blocks, each (batch, heads, tokens, size)."""
    return [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]


def cache_of(tensors: Sequence[Tensor]) -> DynamicCache:
    """The same as a cache of transformers. Nothing is cut off where attention is local: the mask sees to it."""
    found = DynamicCache()
    for number in range(len(tensors) // 2):
        found.update(tensors[2 * number], tensors[2 * number + 1], number)
    return found


class _Graph(nn.Module, ABC):  # type: ignore[misc]  # torch is not followed by mypy
    """What is traced. sample: its inputs by name; outputs: their names; axes: those of any size."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    @abstractmethod
    def sample(self) -> dict[str, Tensor]:
        """Inputs of a shape of their own each, and padded, so that a size that got frozen shows when it is proved."""

    def blocks(self) -> int:
        """How many have a cache."""
        return len(self(*self.sample().values())) // 2

    @abstractmethod
    def outputs(self) -> list[str]: ...

    @abstractmethod
    def axes(self) -> Mapping[str, Mapping[int, str]]: ...


class _Decoder(_Graph):
    """A model of one stack."""

    def sample(self) -> dict[str, Tensor]:
        past = flat(self.model(input_ids=torch.ones(2, 4, dtype=torch.long), use_cache=True)[CACHE])
        mask = torch.ones(2, 7, dtype=torch.long)
        mask[1, 0] = 0
        return {
            "input_ids": torch.ones(2, 3, dtype=torch.long),
            "attention_mask": mask,
            **dict(zip(pairs(PAST, len(past) // 2), past, strict=True)),
        }

    def outputs(self) -> list[str]:
        return ["logits", *pairs(PRESENT, self.blocks())]

    def axes(self) -> Mapping[str, Mapping[int, str]]:
        return {"input_ids": TOKENS, "attention_mask": WRITTEN, "logits": TOKENS}

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        given: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask, CACHE: cache_of(past)}
        if "position_ids" in inspect.signature(self.model.forward).parameters:
            given["position_ids"] = _places(attention_mask)[:, -input_ids.shape[1] :]
        found = self.model(**given, use_cache=True)
        return (found.logits, *flat(found[CACHE]))


def _places(mask: Tensor) -> Tensor:
    """The place of each token in its text, (batch, tokens), counted from the first one that is no padding."""
    return (torch.arange(mask.shape[1]) - mask.argmax(dim=-1, keepdim=True)).clamp(min=0)


class _Encoder(_Graph):
    """The stack that reads or hears, with what the other one keeps of it: the keys and values of cross-attention."""

    def outputs(self) -> list[str]:
        return pairs(CROSS, self.blocks())


class _TextEncoder(_Encoder):
    def sample(self) -> dict[str, Tensor]:
        return {
            "input_ids": torch.ones(2, 5, dtype=torch.long),
            "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
        }

    def axes(self) -> Mapping[str, Mapping[int, str]]:
        return {"input_ids": READ, "attention_mask": READ}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Keys and values do not depend on what is written: any token serves."""
        given: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        given[CACHE] = EncoderDecoderCache(DynamicCache(), DynamicCache())
        found = self.model(**given, decoder_input_ids=input_ids[:, :1], use_cache=True)
        return tuple(flat(found[CACHE].cross_attention_cache))


class _SoundEncoder(_Encoder):
    """Every sound has as many frames as the encoder's positions need, so nothing is padding."""

    def sample(self) -> dict[str, Tensor]:
        config, encoder = self.model.config, self.model.get_encoder()
        frames = config.max_source_positions * encoder.conv1.stride[0] * encoder.conv2.stride[0]
        return {HEARD: torch.zeros(2, config.num_mel_bins, frames)}

    def axes(self) -> Mapping[str, Mapping[int, str]]:
        return {HEARD: {0: "batch"}}

    def forward(self, input_features: Tensor) -> tuple[Tensor, ...]:
        """input_features: (batch, mels, frames).

        Read from the cache, as of texts, they would need the decoder: Whisper shapes them by its states.
        """
        heard = self.model.get_encoder()(input_features).last_hidden_state
        attentions = [block.encoder_attn for block in self.model.get_decoder().layers]
        matrices = [(matrix, one.num_heads) for one in attentions for matrix in (one.k_proj, one.v_proj)]
        return tuple(matrix(heard).unflatten(-1, (heads, -1)).transpose(1, 2) for matrix, heads in matrices)


class _CrossDecoder(_Graph):
    """The stack that writes. read: the other one."""

    read: ClassVar[type[_Encoder]]

    def sample(self) -> dict[str, Tensor]:
        read = self.read(self.model).sample()
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        four = torch.ones(2, 4, dtype=torch.long)
        found = self.model(**read, decoder_input_ids=four, **{CACHE: cache}, use_cache=True)[CACHE]
        past, cross = flat(found.self_attention_cache), flat(found.cross_attention_cache)
        return {
            "input_ids": torch.ones(2, 3, dtype=torch.long),
            **{name: mask for name, mask in read.items() if name == MASK},
            **dict(zip(pairs(PAST, len(past) // 2), past, strict=True)),
            **dict(zip(pairs(CROSS, len(cross) // 2), cross, strict=True)),
        }

    def outputs(self) -> list[str]:
        return ["logits", *pairs(PRESENT, self.blocks())]

    def axes(self) -> Mapping[str, Mapping[int, str]]:
        return {"input_ids": TOKENS, "attention_mask": READ, "logits": TOKENS}

    def after(self, written: Tensor, cached: Sequence[Tensor], read: Tensor, **more: Tensor) -> tuple[Tensor, ...]:
        """written: (batch, tokens). read: (batch, read, any), its shape alone counts: what it says is in the cache."""
        half = len(cached) // 2
        given: dict[str, Any] = {"decoder_input_ids": written, "encoder_outputs": BaseModelOutput(read), **more}
        given[CACHE] = EncoderDecoderCache(cache_of(cached[:half]), cache_of(cached[half:]))
        found = self.model(**given, use_cache=True)
        return (found.logits, *flat(found[CACHE].self_attention_cache))


class _TextDecoder(_CrossDecoder):
    read = _TextEncoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *cached: Tensor) -> tuple[Tensor, ...]:
        """input_ids: what was written, (batch, tokens). attention_mask: of what was read."""
        return self.after(input_ids, cached, attention_mask[:, :, None].float(), attention_mask=attention_mask)


class _SoundDecoder(_CrossDecoder):
    read = _SoundEncoder

    def axes(self) -> Mapping[str, Mapping[int, str]]:
        return {"input_ids": TOKENS, "logits": TOKENS}

    def forward(self, input_ids: Tensor, *cached: Tensor) -> tuple[Tensor, ...]:
        """input_ids: what was written, (batch, tokens)."""
        return self.after(input_ids, cached, cached[-1][:, 0])


def _export(graph: _Graph, path: Path) -> None:
    sample, outputs = graph.sample(), graph.outputs()
    growing = {
        PAST: {0: "batch", 2: "cached"},
        PRESENT: {0: "batch", 2: "written"},
        CROSS: {0: "batch", 2: "read"},
    }
    axes = {name: growing[kind] for name in (*sample, *outputs) if (kind := name.split(".")[0]) in growing}
    trace(graph, path, sample, outputs, {**axes, **graph.axes()})
