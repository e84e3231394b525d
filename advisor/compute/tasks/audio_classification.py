"""Audio classification: one label of a sound, by Whisper's encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from transformers import AutoModelForAudioClassification

from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.media import Numbers, asked_files
from advisor.compute.data.sounds import KINDS, fault, read_sounds
from advisor.compute.tasks.perception import Perception
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.sound_inputs import SILENCE, features, fit, shortened
from advisor.families.input_sizes import A_SECOND


@dataclass(frozen=True, slots=True)
class AudioClassification(Perception):
    """max_seconds: longer sounds are cut, and the model's positions with them; its own where there is none."""

    tag: ClassVar[str] = "audio-classification"
    modality: ClassVar[Literal["text", "image", "audio"]] = "audio"
    input: ClassVar[str] = "input_features"
    libraries: ClassVar[tuple[str, ...]] = ("soundfile",)
    extra: ClassVar[str] = "audio"
    example: ClassVar[bytes | None] = SILENCE
    max_seconds: int | None = None

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForAudioClassification

    def scorer(self, model: Any, processor: Any) -> Scorer:
        model = shortened(model, self.max_seconds)
        if processor is not None:
            fit(processor, model)
        return Scorer(model)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_sounds(source, files, named)

    def numbers(self, content: bytes, processor: Any) -> Numbers:
        return features(content, processor)

    def protocol(self, max_tokens: int) -> str:
        return f"sounds are cut at {max_tokens // A_SECOND} s and shorter ones padded with silence"

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return Rows(asked_files(texts, pairs, KINDS[0], fault), None, (0,) * len(texts))


TASK = AudioClassification
