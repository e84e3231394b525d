"""Carbon: the standard's own example, units, payback, and no figure where something is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.records.carbon import Assumptions, embodied_g, operational_g, payback, sci
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Measured, Served

SERVED = Served(g_per_1000=Measured(0.108, source="modelled"), throughput=Measured(100.0))


def test_the_example_of_the_standard() -> None:
    """SCI v1.1.0: a server of 1000 kg that lasts 4 years is used for an hour: about 28 g."""
    assert embodied_g(1000, 4, hours=1) == pytest.approx(28.5, abs=0.05)
    assert embodied_g(1000, 4, hours=1, reserved=0.5) == pytest.approx(14.3, abs=0.05)


def test_operational_grams() -> None:
    """EVIDENCE.md 7.2: 0.2 Wh, PUE 1.2, 450 g/kWh."""
    assert operational_g(0.2, 450, pue=1.2) == pytest.approx(0.108)


def test_the_payback_of_the_evidence_register() -> None:
    """270 g for distillation; 0.108 g fall to 0.0108 g per 1,000 requests: about 2.8 million."""
    found = payback(Measured(270.0), Measured(0.108), Measured(0.1, source="modelled"))
    assert found.value == pytest.approx(2_777_778, abs=1)
    assert found.source == "making it emitted 270 g CO2e, each 1,000 requests save 0.0972 g; modelled"


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1e-6, 2))
def test_it_is_paid_back_when_the_savings_equal_the_cost(cost: float, base: float, share: float) -> None:
    found = payback(Measured(cost), Measured(base), Measured(share))
    if share >= 1:
        assert found == Measured(why_not="never: per request it emits no less than the baseline")
    else:
        assert (found.value or 0) / 1000 * base * (1 - share) == pytest.approx(cost)


def test_a_baseline_that_emits_nothing_is_never_beaten() -> None:
    assert payback(Measured(1.0), Measured(0.0), Measured(0.5)).why_not.startswith("never")


def test_its_ends_are_those_of_the_share_of_emissions() -> None:
    found = payback(Measured(1.0), Measured(0.1), Measured(0.5, interval=(0.4, 0.6)))
    assert found.value == pytest.approx(20_000) and found.interval == pytest.approx((16_667, 25_000), abs=1)


def test_a_saving_that_is_not_shown_pays_nothing_back() -> None:
    found = payback(Measured(1.0), Measured(0.1), Measured(0.98, interval=(0.92, 1.01)))
    said = "not shown to pay back: per request it emits 92.0 % to 101.0 % of what the baseline emits"
    assert found == Measured(why_not=said)
    above = payback(Measured(1.0), Measured(0.1), Measured(1.02, interval=(0.98, 1.05)))
    assert above.why_not.startswith("not shown to pay back")
    assert payback(Measured(1.0), Measured(0.1), Measured(1.2, interval=(1.1, 1.3))).why_not.startswith("never")


def test_a_time_derived_cost_is_not_weighed_against_metered_serving() -> None:
    derived, metered = f"{TIME_DERIVED}: 4 W a thread", "external power meter (log.csv)"
    found = payback(Measured(1.0, source=derived), Measured(0.1, source=metered), Measured(0.5, source=metered))
    assert found.why_not == "making it is time-derived, serving was metered by an external meter: two scales of energy"
    other = payback(Measured(1.0, source=metered), Measured(0.1, source=derived), Measured(0.5, source=derived))
    assert other.why_not == "making it was metered by an external meter, serving is time-derived: two scales of energy"
    counted = payback(Measured(1.0, source="counters"), Measured(0.1, source=metered), Measured(0.5, source=metered))
    assert counted.why_not.startswith("making it was metered by counters, serving was metered by an external meter")
    assert payback(Measured(1.0, source=derived), Measured(0.1, source=derived), Measured(0.5)).value


@pytest.mark.parametrize("place", range(3))
def test_no_payback_from_what_was_not_measured(place: int) -> None:
    given_ = [Measured(270.0), Measured(2.0), Measured(0.5)]
    given_[place] = Measured(why_not="this machine has no cuda device")
    assert payback(*given_) == Measured(why_not="this machine has no cuda device")


def test_sci_only_with_embodied_carbon_and_its_boundary() -> None:
    assert sci(SERVED, Assumptions()).value is None
    assert "--embodied-kg, --lifetime-years): operational emissions only" in sci(SERVED, Assumptions()).why_not
    found = sci(SERVED, Assumptions(embodied_kg=1000, lifetime_years=4))
    assert found.value == pytest.approx(0.108 + 28.5388 * 10 / 3600, abs=1e-5)  # 1,000 requests take 10 s
    for part in ("operational 0.108 g (modelled)", "embodied 0.0793 g", "1000 kg over 4 years", "left out: tokenizer"):
        assert part in found.source
    missing = Served(g_per_1000=Measured(why_not="no device"), throughput=Measured(1.0))
    assert sci(missing, Assumptions(embodied_kg=1000, lifetime_years=4)) == Measured(why_not="no device")
