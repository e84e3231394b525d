"""Flow style: values as YAML writes them on one line."""

from __future__ import annotations

import json
from typing import Any

# Words that YAML 1.2, or YAML 1.1 in other tools, reads as something else without quotes.
NO_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def flow(value: Any) -> str:
    """A value in YAML's flow style. JSON strings are YAML strings; plain words need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(name)}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and value.isascii() and value.isidentifier() and value.lower() not in NO_WORDS:
        return value
    written = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in written)
