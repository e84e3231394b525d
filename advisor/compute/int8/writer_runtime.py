"""Writer runtime: ONNX graphs of `writer_graphs` behind transformers' `generate`, so that they write as the model did.

Greedy and beam search, what ends a text and what must not be repeated are transformers' own; a graph gives the logits.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutputWithPast, Seq2SeqLMOutput

from advisor.compute.int8.onnx_files import session, told
from advisor.compute.int8.writer_graphs import CACHE, HEARD, MASK, PAST, READS, WRITES, cache_of, flat, hears
from advisor.compute.tasks.scorer import IGNORED

Files = Mapping[str, Path]  # by the names of `writer_graphs`


class Graph:
    """A loaded ONNX file, from tensors by name to tensors by name. threads: as of `OnnxReader`.

    empty: of each input that is cached, its heads and the size of each.

    Raises:
        AdviseError: the file is missing or ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path, self.session = path, session(path, threads)
        self.inputs = [one.name for one in self.session.get_inputs()]
        self.outputs = [one.name for one in self.session.get_outputs()]
        self.empty = {
            one.name: (one.shape[1], one.shape[3])
            for one in self.session.get_inputs()
            if one.name.startswith(f"{PAST}.")
        }

    def __call__(self, inputs: Mapping[str, Tensor], outputs: Sequence[str] = ()) -> dict[str, Tensor]:
        """outputs: those that are wanted; all if there are none."""
        names = list(outputs) or self.outputs
        with told(self.path, "cannot answer"):
            found = self.session.run(names, {name: one.numpy() for name, one in inputs.items()})
            return {name: torch.from_numpy(one) for name, one in zip(names, found, strict=True)}

    def past(self, cache: Any, rows: int) -> dict[str, Tensor]:
        """What is cached, by the names of inputs; nothing of a cache that is empty."""
        if cache is None or not cache.get_seq_length():
            return {name: torch.zeros(rows, heads, 0, size) for name, (heads, size) in self.empty.items()}
        return dict(zip(self.empty, flat(cache), strict=True))


class ServedModel(PreTrainedModel, GenerationMixin):  # type: ignore[misc]  # transformers is not followed by mypy
    """What transformers needs to write, without parameters. config: of the model that it stands for.

    generation: how it writes where nothing else is said.
    """

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, config: Any, generation: GenerationConfig, files: Files, threads: int = 0) -> None:
        own = copy.deepcopy(config)
        own._attn_implementation = "eager"  # it has none, and every class is free to have this one
        super().__init__(own)
        self.generation_config = generation
        self.writes = Graph(files[WRITES], threads)

    def _written(self, inputs: Mapping[str, Tensor], cache: Any, use_cache: bool) -> dict[str, Any]:
        """The logits, and the cache that follows if it is to be used."""
        inputs = {**inputs, **self.writes.past(cache, len(inputs["input_ids"]))}
        found = self.writes(inputs, () if use_cache else ["logits"])
        logits = found.pop("logits")
        return {"logits": logits, **({CACHE: cache_of(list(found.values()))} if use_cache else {})}


class OnnxDecoder(ServedModel):
    """A model of one stack."""

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, use_cache: bool = True, **given: Any
    ) -> Any:
        """Logits (batch, tokens, vocabulary) of input_ids (batch, tokens), after what `given` has as a cache.

        attention_mask: (batch, cached and further tokens); None where there is no padding.
        """
        cache = given.get(CACHE)
        if attention_mask is None:
            cached = cache.get_seq_length() if cache is not None else 0
            attention_mask = input_ids.new_ones(len(input_ids), cached + input_ids.shape[1])
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        return CausalLMOutputWithPast(**self._written(inputs, cache, use_cache))

    def in_steps(self, steps: int, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The logits of all tokens, read in so many steps, each but the first with the cache of the one before."""
        found, cache, end = [], None, 0
        for part in _parts(input_ids, steps):
            end += part.shape[1]
            given: dict[str, Any] = {CACHE: cache}
            read = self.forward(part, attention_mask[:, :end], **given)
            found.append(read.logits)
            cache = read[CACHE]
        return torch.cat(found, dim=1)


class OnnxTextToText(ServedModel):
    """A model of two stacks."""

    def __init__(self, config: Any, generation: GenerationConfig, files: Files, threads: int = 0) -> None:
        super().__init__(config, generation, files, threads)
        self.reads = OnnxEncoder(Graph(files[READS], threads))

    def get_encoder(self, **_: Any) -> OnnxEncoder:
        return self.reads

    def forward(  # the names are those of transformers' own models
        self, *, attention_mask: Tensor | None = None, labels: Tensor | None = None,
        decoder_input_ids: Tensor | None = None, encoder_outputs: Any = None, use_cache: bool = True, **given: Any,
    ) -> Any:  # fmt: skip
        """Logits (batch, written, vocabulary): of the labels, or of what was written before."""
        read = encoder_outputs or self.reads(attention_mask=attention_mask, **given)
        written = decoder_input_ids if labels is None else self._shifted(labels)
        return Seq2SeqLMOutput(**self._written({**read, "input_ids": written}, given.get(CACHE), use_cache))

    def in_steps(self, steps: int, labels: Tensor, **read: Tensor) -> Tensor:
        """The logits of all labels, written in so many steps. read: what the encoder does."""
        encoded, found, cache = self.reads(**read), [], None
        for part in _parts(self._shifted(labels), steps):
            given: dict[str, Any] = {"decoder_input_ids": part, "encoder_outputs": encoded, CACHE: cache}
            step = self.forward(**given)
            found.append(step.logits)
            cache = step[CACHE]
        return torch.cat(found, dim=1)

    def _shifted(self, labels: Tensor) -> Tensor:
        """The labels as the decoder reads them: the token that begins texts, and all but the last one."""
        known = labels != IGNORED
        if self.config.model_type == "mbart":  # a target begins with its own last token, the code of its language
            first = labels.gather(1, known.sum(dim=1, keepdim=True) - 1)
        else:
            first = torch.full_like(labels[:, :1], self.config.decoder_start_token_id)
        return torch.cat([first, labels[:, :-1].masked_fill(~known[:, :-1], self.config.pad_token_id)], 1)


class OnnxSpeech(OnnxTextToText):
    """The same of sounds. Without `attention_mask` here `generate` makes none, and there is none."""

    main_input_name = HEARD

    def forward(self, *, input_features: Tensor | None = None, use_cache: bool = True, **given: Any) -> Any:
        """input_features: (batch, mels, frames)."""
        return super().forward(input_features=input_features, use_cache=use_cache, **given)


class OnnxEncoder:
    """The stack that reads or hears. Beams share what it gives, which `generate` repeats for them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def forward(self, **kwargs: Any) -> BaseModelOutput:
        """What the decoder's graph takes of it: the keys and values of cross-attention by name, and the mask of texts.

        kwargs: what the graph takes, and anything else; `generate` knows them by this name.
        """
        inputs = {name: kwargs[name] for name in self.graph.inputs}
        found = BaseModelOutput()
        masks = {name: one for name, one in inputs.items() if name == MASK}
        for name, tensor in {**self.graph(inputs), **masks}.items():
            found[name] = tensor
        return found

    __call__ = forward


def _parts(tokens: Tensor, steps: int) -> list[Tensor]:
    return [part for part in tokens.tensor_split(steps, dim=1) if part.shape[1]]


def onnx_model(config: Any, generation: GenerationConfig, files: Files, threads: int = 0) -> ServedModel:
    """The model that these graphs are, for a scorer of its task.

    Raises:
        AdviseError: a file is missing or ONNX Runtime cannot load it.
    """
    kind: type[ServedModel] = OnnxDecoder
    if config.is_encoder_decoder:
        kind = OnnxSpeech if hears(config) else OnnxTextToText
    return kind(config, generation, files, threads)
