"""Little memory for a model's answers, in this process. Linux alone limits the memory of one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook


def long_texts(text: Path, file: Path) -> Path:
    """The training rows of a folder in a file, each text 200 times as long."""
    rows = [json.loads(line) for line in (text / "train.jsonl").read_text().splitlines()]
    file.write_text("".join(json.dumps({**row, "text": f"{row['text']} " * 200}) + "\n" for row in rows))
    return file


@contextmanager
def limited(spare: int) -> Iterator[None]:
    """No more than `spare` bytes beyond what this process has when a model first answers, while it does so.

    Only then: elsewhere a thread that gets no memory leaves `Thread.start` waiting for ever (python/cpython#140746).
    """
    import resource

    free, hard = resource.getrlimit(resource.RLIMIT_AS)

    @cache
    def limit() -> int:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + spare

    hooks = [
        register_module_forward_pre_hook(lambda *_: resource.setrlimit(resource.RLIMIT_AS, (limit(), hard))),
        register_module_forward_hook(lambda *_: resource.setrlimit(resource.RLIMIT_AS, (free, hard)), always_call=True),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
