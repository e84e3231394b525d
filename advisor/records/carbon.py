"""Carbon: from energy to grams of CO2e, embodied carbon, and what making a smaller model has to earn back.

Units: energy in Wh, CO2e in g, both per 1,000 requests unless they say otherwise; grids in g/kWh; embodied in kg.
SCI = (O + M) per R (ISO/IEC 21031:2024): O = E x I, M = TE x (TiR / EL) x (RR / ToR), here per 1,000 requests.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.base.rounding import rounded
from advisor.records.measuring import two_scales
from advisor.records.results import Measured, Served

HOURS_A_YEAR = 24 * 365
BOUNDARY = (
    "boundary: answering tokenized requests on this machine, with its CPU, GPU, memory and idle power; "
    "left out: tokenizer, web server, network, storage, spare machines, and making the model"
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What turns energy into CO2e. country: ISO 3166, three letters. stated: the user said which.

    pue: power usage effectiveness of the data centre, 1 for a machine of one's own. embodied_kg: CO2e of making the
    machine; lifetime_years: how long it is expected to serve. Both together allow an SCI figure.
    """

    country: str = "FRA"
    stated: bool = False
    pue: float = 1.0
    embodied_kg: float | None = None
    lifetime_years: float | None = None


def operational_g(wh: float, grid_g_per_kwh: float, pue: float = 1.0) -> float:
    """Grams of CO2e. Example (EVIDENCE.md 7.2): 0.2 Wh at PUE 1.2 and 450 g/kWh are 0.108 g."""
    return wh / 1000 * pue * grid_g_per_kwh


def embodied_g(embodied_kg: float, lifetime_years: float, hours: float, reserved: float = 1.0) -> float:
    """Share of a machine's embodied carbon that so many hours use up, in g.

    Args:
        reserved: share of its resources (RR / ToR). Example (the SCI's own): 1000 kg, 4 years, 1 hour: about 28 g.
    """
    return embodied_kg * 1000 * hours / (lifetime_years * HOURS_A_YEAR) * reserved


def payback(cost_g: Measured, baseline_g: Measured, share: Measured) -> Measured:
    """Requests after which the CO2e of making a model is earned back by answering with it.

    Args:
        cost_g: of making it. baseline_g: of the baseline, per 1,000 requests. share: of that which the model emits; its
            interval gives that of the result. Example: 270 g, 0.108 g and a share of 0.1: 2,777,778.

    Returns:
        No value, and why, where one of them was not measured, or where no saving is shown.
    """
    missing = next((one for one in (cost_g, baseline_g, share) if one.value is None), None)
    if reason := missing.why_not if missing else two_scales(cost_g, baseline_g) or _no_saving(baseline_g, share):
        return Measured(why_not=reason)
    assert cost_g.value is not None and baseline_g.value is not None and share.value is not None
    saved = baseline_g.value * (1 - share.value)
    ends = [1000 * cost_g.value / (baseline_g.value * (1 - end)) for end in share.interval or ()]
    told = f"making it emitted {rounded(cost_g.value, 3)} g CO2e, each 1,000 requests save {rounded(saved, 3)} g"
    interval = (ends[0], ends[1]) if ends else None
    return Measured(1000 * cost_g.value / saved, source=f"{told}; {share.source}", interval=interval)


def _no_saving(baseline_g: Measured, share: Measured) -> str:
    """Why a share of the baseline's emissions pays nothing back; empty where it does."""
    assert share.value is not None
    low, high = share.interval or (share.value, share.value)
    if not baseline_g.value or low >= 1:
        return "never: per request it emits no less than the baseline"
    ends = f"{low:.1%} to {high:.1%}".replace("%", " %")
    return f"not shown to pay back: per request it emits {ends} of what the baseline emits" if high >= 1 else ""


def sci(served: Served, assumed: Assumptions) -> Measured:
    """Software Carbon Intensity of 1,000 requests in g CO2e; no value, and why, without embodied carbon."""
    if assumed.embodied_kg is None or assumed.lifetime_years is None:
        given = "embodied carbon and lifetime of the machine are not stated (--embodied-kg, --lifetime-years)"
        return Measured(why_not=f"{given}: operational emissions only")
    operational, throughput = served.g_per_1000, served.throughput
    missing = next((one for one in (operational, throughput) if one.value is None), None)
    if missing:
        return Measured(why_not=missing.why_not)
    assert operational.value is not None and throughput.value is not None
    embodied = embodied_g(assumed.embodied_kg, assumed.lifetime_years, 1000 / throughput.value / 3600)
    told = (
        f"operational {rounded(operational.value, 3)} g ({operational.source}) and "
        f"embodied {rounded(embodied, 3)} g (stated: "
        f"{assumed.embodied_kg:g} kg over {assumed.lifetime_years:g} years, the whole machine reserved meanwhile), "
        f"per 1,000 requests; {BOUNDARY}"
    )
    return Measured(operational.value + embodied, source=told)
