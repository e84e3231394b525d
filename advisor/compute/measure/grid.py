"""Grids: grams of CO2e in a kilowatt-hour, by country and year, from codecarbon's table."""

from __future__ import annotations

from codecarbon.input import DataSource

from advisor.base.errors import AdviseError, suggest
from advisor.records.carbon import Assumptions


def grid_year(country: str) -> int:
    """The year of the country's grid factor.

    Raises:
        AdviseError: codecarbon does not know the country (it would silently take the world's average).
    """
    return int(_row(country)["year"])


def grid_factor(country: str) -> float:
    """Grams of CO2e per kWh. Raises AdviseError as `grid_year` does."""
    return float(_row(country)["carbon_intensity"])


def grid(assumed: Assumptions) -> str:
    """Where a figure of CO2e comes from beside its energy, in words."""
    stated = "" if assumed.stated else "; assumed, --country gives another"
    table = f"{grid_year(assumed.country)}, codecarbon's table{stated}"
    return f"grid of {assumed.country} {grid_factor(assumed.country):.3g} g/kWh ({table}), PUE {assumed.pue:g}"


def _row(country: str) -> dict[str, float]:
    known = DataSource().get_global_energy_mix_data()
    if country not in known:
        raise AdviseError(f"country {country!r}: no grid factor is known for it", hint=suggest(country, known))
    row: dict[str, float] = known[country]
    return row
