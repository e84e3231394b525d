"""advise: a declarative, rule-based advisor for making language models small and green.

    import advisor

    advice = advisor.advise(model="t5", samples=3000, device="cpu")   # facts to recipe
    findings = advisor.check("recipes/")                              # recipes to findings
    result = advisor.run(advice, data="data/", out="runs/first")      # recipe to measured models
    verdict = advisor.gate("runs/first")                              # may they be deployed?
    predict = advisor.load("runs/first")                              # the last model, ready to answer
    found = advisor.search("bert", data="data/", device="cpu", budget="2h", out="searches/first")  # the best recipes

Each name is imported when it is first used: `import advisor` loads neither PyTorch nor pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.base.version import __version__

if TYPE_CHECKING:
    from advisor.api.deployment import gate
    from advisor.api.execution import Refused, RunResult, run
    from advisor.api.recommendation import Advice, advise
    from advisor.api.review import Findings, check
    from advisor.api.search import search
    from advisor.base.errors import AdviseError
    from advisor.runs.predictor import load

__all__ = [
    "Advice",
    "AdviseError",
    "Findings",
    "Refused",
    "RunResult",
    "__version__",
    "advise",
    "check",
    "gate",
    "load",
    "run",
    "search",
]

_HOMES = {
    "advise": "advisor.api.recommendation",
    "Advice": "advisor.api.recommendation",
    "check": "advisor.api.review",
    "Findings": "advisor.api.review",
    "run": "advisor.api.execution",
    "Refused": "advisor.api.execution",
    "RunResult": "advisor.api.execution",
    "gate": "advisor.api.deployment",
    "search": "advisor.api.search",
    "load": "advisor.runs.predictor",
    "AdviseError": "advisor.base.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
