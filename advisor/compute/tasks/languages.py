"""Languages: tokenizers of models for many languages mark each text with the code of its own, as mBART's `en_XX`."""

from __future__ import annotations

from typing import Any

from transformers import GenerationConfig

from advisor.base.errors import AdviseError, suggest

STATE_THEM = "data: {source_lang: en_XX, target_lang: de_DE}"


def marks_languages(tokenizer: Any) -> bool:
    """Whether a tokenizer marks texts with their language."""
    return hasattr(tokenizer, "src_lang") and hasattr(tokenizer, "tgt_lang")


def set_languages(tokenizer: Any, source: str, target: str) -> None:
    """Say which languages a tokenizer's texts have: the ones that are read, and the ones that are written.

    Raises:
        AdviseError: it marks no languages, or it does and they are not stated or not known to it; or targets have no
            mark where it is looked for.
    """
    stated = {"source_lang": source, "target_lang": target}
    if not marks_languages(tokenizer):
        if any(stated.values()):
            named = " and ".join(f"data.{name}" for name, code in stated.items() if code)
            raise AdviseError(f"{named}: this model's tokenizer marks no languages", hint="leave it out")
        return
    if missing := [f"data.{name}" for name, code in stated.items() if not code]:
        message = f"this model's tokenizer marks each text with its language: {' and '.join(missing)} is not stated"
        raise AdviseError(message, hint=STATE_THEM)
    codes = list(getattr(tokenizer, "lang_code_to_id", None) or tokenizer.get_added_vocab())
    for name, code in stated.items():
        if code not in codes:
            raise AdviseError(f"data.{name}: the tokenizer knows no language {code!r}", hint=suggest(code, codes))
    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    begin_in(tokenizer, GenerationConfig())


def begin_in(tokenizer: Any, settings: GenerationConfig) -> None:
    """Let what is written begin with the code of its language, where the model's targets do.

    The decoder reads a target shifted by one, its last token first: mBART-25 ends its targets with the code, so the
    code is what the decoder begins with; those of mBART-50 begin with it, so it is the first token that is written.

    Raises:
        AdviseError: targets neither begin nor end with the code, so a model would write in any language.
    """
    if not marks_languages(tokenizer):
        return
    code = tokenizer.convert_tokens_to_ids(tokenizer.tgt_lang)
    target = tokenizer(text_target=["a"])["input_ids"][0]
    if target[-1] == code:
        settings.decoder_start_token_id = code
    elif target[0] == code:
        settings.forced_bos_token_id = code
    else:
        kind = type(tokenizer).__name__
        message = f"data.target_lang: {kind} marks what is written in a way that is not known"
        raise AdviseError(message, hint="use a model of the kinds mbart or t5")
