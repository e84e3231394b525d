"""Pages of one HTML file that need nothing else: no script, no network, light and dark, printable.

Whatever comes from data, recipes or models is escaped by the template engine, and the page forbids scripts besides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2

from advisor.base.rounding import rounded
from advisor.records.break_even import verdict
from advisor.records.results import Measured
from advisor.report import shares
from advisor.runs.summary import paid_back

FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # characters that HTML has not, as in names of classes


def filled(template: str, **values: Any) -> str:
    """A page: the template of this name with its values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "interval": shares.interval,
        "verdict": verdict,
        "paid_back": paid_back,
        "number": number,
        "short": rounded,
        "gate_value": shares.gate_value,
    }
    page: str = environment.get_template(template).render(**values)
    return FORBIDDEN.sub("?", page)


def percent(one: Measured | float) -> str:
    """A share as the white paper prints it."""
    found = shares.percent(one if isinstance(one, Measured) else Measured(one))
    return found.replace("%", " %")


def number(value: float) -> str:
    return f"{value:,.0f}"
