"""Speech recognition: a sound is heard and its words are written, by Whisper.

Judged by word accuracy, 1 - WER: jiwer counts the words that are wrong, missing or too many, after both texts were
normalised alike, by Whisper's own rules for any language: small letters, no punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForSpeechSeq2Seq, GenerationMixin

from advisor.base.errors import AdviseError, suggest
from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.media import Medium, Shelf, asked_files
from advisor.compute.data.sounds import KINDS, fault, read_speech
from advisor.compute.data.tokenizing import token_ids
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.sound_inputs import SILENCE, features, fit, shortened
from advisor.compute.tasks.text_to_text import TextToText
from advisor.compute.tasks.writing import Seq2SeqScorer, greedy, keep_settings
from advisor.facts.tasks import Metric
from advisor.families.input_sizes import A_SECOND

ENGLISH = "en"
LANGUAGE = re.compile(r"<\|[a-z]{2,3}\|>")  # a token of Whisper's for a language
SUPPRESSED = ("suppress_tokens", "begin_suppress_tokens")  # settings of a checkpoint's own way to write


@dataclass(frozen=True, slots=True)
class SpeechRecognition(TextToText):
    """source_lang: the language that is spoken, as Whisper names it, of models that know several.

    max_seconds: longer sounds are cut.
    """

    tag: ClassVar[str] = "automatic-speech-recognition"
    modality: ClassVar[Literal["text", "image", "audio"]] = "audio"
    libraries: ClassVar[tuple[str, ...]] = ("soundfile", "jiwer")
    extra: ClassVar[str] = "audio"
    example: ClassVar[bytes | None] = SILENCE
    max_seconds: int | None = None

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForSpeechSeq2Seq

    def prepare(self, processor: Any) -> None:
        if self.target_lang:
            raise AdviseError("data.target_lang: speech is written in its own language", hint="state data.source_lang")
        known = [word[2:-2] for word in processor.tokenizer.get_added_vocab() if LANGUAGE.fullmatch(word)]
        if self.source_lang and self.source_lang not in known:
            what = f"data.source_lang: this model knows no language {self.source_lang!r:.60}"
            raise AdviseError(what, hint=suggest(self.source_lang, known) if known else "leave it out")

    def scorer(self, model: Any, processor: Any) -> Scorer:
        model = shortened(model, self.max_seconds)
        fit(processor.feature_extractor, model)
        processor.prompt = _prompt(model, processor.tokenizer, self.source_lang or ENGLISH)
        own = {"source_lang": self.source_lang} if self.source_lang else {}
        keep_settings(model, self.tag, beams=self.beams, max_new_tokens=self.max_new_tokens, **own)
        return SpeechScorer(model, processor, self.beams, self.max_new_tokens)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_speech(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        extractor, tokenizer = processor.feature_extractor, processor.tokenizer
        settings, read = extractor.to_json_string(), Shelf(lambda content: features(content, extractor))
        heard = [Medium(one, max_tokens, settings, read) for one in rows.texts]
        end, most = tokenizer.eos_token_id, self.max_new_tokens - 1
        texts = token_ids(tokenizer, rows.labels) if len(rows) else []
        written = tuple((*processor.prompt, *one[:most], end) for one in texts)
        return Encoded(tuple(heard), written, tuple(rows.labels))

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        labels = self.targets(rows, numbers, pad)
        heard = torch.from_numpy(np.stack([rows.tokens[row].numbers() for row in numbers]))
        return Batch({"input_features": heard, "labels": labels}, labels, torch.tensor(numbers))

    def counted(self, stack: str, batch: Batch) -> Tensor | None:
        return TextToText.counted(self, stack, batch) if stack == "decoder" else None

    def compared(self, text: str, target: str) -> Sequence[float]:
        """The errors, and the words of the target."""
        own, wanted = (_normalizer()(one).strip() for one in (text, target))
        if not wanted:
            return float(len(own.split())), 0.0
        import jiwer

        found = jiwer.process_words(wanted, own)
        return float(found.substitutions + found.deletions + found.insertions), float(len(wanted.split()))

    def numbers(self, metric: Metric) -> Any:
        return slice(None)

    def protocol(self, max_tokens: int) -> str:
        how = f"{self.beams} beams" if self.beams > 1 else "the most likely token each time"
        return (
            "word accuracy is 1 - WER of jiwer, of texts in small letters without punctuation; sounds are cut at "
            f"{max_tokens // A_SECOND} s; texts are written with {how}, up to {self.max_new_tokens:,} tokens; time is "
            "that of writing; epochs are chosen by the loss"
        )

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return Rows(asked_files(texts, pairs, KINDS[0], fault), None, ("",) * len(texts))


class SpeechScorer(Seq2SeqScorer):
    """Whisper. Its scores are those of each token of the text, given the ones before: (batch, target, vocabulary)."""

    def around(self, model: Any) -> SpeechScorer:
        return SpeechScorer(model, self.processor, self.beams, self.max_new_tokens)

    @torch.no_grad()
    def written(self, input_features: Tensor, **_: Any) -> list[str]:
        """The text that it writes for each sound, from what stands before all texts."""
        settings = greedy(self.processor.tokenizer, self.max_new_tokens)
        settings.num_beams = self.beams
        for name in SUPPRESSED:
            setattr(settings, name, getattr(self.model.generation_config, name, None))
        first = [self.model.config.decoder_start_token_id, *self.processor.prompt]
        begun = torch.tensor([first] * len(input_features), device=input_features.device)
        # Whisper's own `generate` is for sounds longer than the model reads, with timestamps and repeated attempts.
        given = {"input_features": input_features, "decoder_input_ids": begun}
        ids = GenerationMixin.generate(self.model, **given, generation_config=settings)
        found: list[str] = self.processor.tokenizer.batch_decode(ids[:, len(first) :], skip_special_tokens=True)
        return [text.strip() for text in found]


def _prompt(model: Any, tokenizer: Any, language: str) -> tuple[int, ...]:
    """The tokens between the first one and a text: language and task where the model knows several; no timestamps."""
    several = getattr(model.generation_config, "is_multilingual", False)
    names = (f"<|{language}|>", "<|transcribe|>") if several else ()
    known = tokenizer.get_vocab()
    return tuple(known[name] for name in (*names, "<|notimestamps|>") if name in known)


@cache
def _normalizer() -> Any:
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    return BasicTextNormalizer()


TASK = SpeechRecognition
