"""Text of others in Markdown: names, reasons and messages that stay text."""

from __future__ import annotations

import re


def escaped(value: object) -> str:
    """Text in one line that can neither format, nor hide where a link leads, nor call somebody."""
    flat = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", flat).replace("@", "@\u200b")


def code(text: str) -> str:
    """Text in one line as code, also in a table."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "/")
    return f"`{flat}`"
