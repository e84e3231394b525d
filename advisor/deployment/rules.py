"""The gate's own rules for a run folder, and its findings. A pack cannot change these."""

from __future__ import annotations

from pathlib import Path

from advisor.review.findings import Finding, Fix, Place

COMPLETE, INTACT, WEIGHTS = "gate-complete", "gate-intact", "gate-weights"
RECIPE, DATA, FRESH, ENOUGH = "gate-recipe", "gate-data", "gate-fresh", "gate-enough"
NUMBERS, RECOMPUTED, DEVICE, LOADS = "gate-numbers", "gate-recomputed", "gate-device", "gate-loads"
SIGNED = "gate-signed"

BECAUSE = {
    COMPLETE: "A measurement that is not there proves nothing, and must not look like one that passed.",
    INTACT: "The numbers were measured on other bytes than these.",
    WEIGHTS: "A pickle runs code when it is loaded; these formats hold numbers only.",
    RECIPE: "Numbers hold for the recipe that they were measured with, and for no other.",
    DATA: "An accuracy on other rows is another accuracy.",
    FRESH: "Libraries, machines and what the model is asked change; a number is worth less with every month.",
    ENOUGH: "On a few hundred examples chance alone makes differences of several points (rule R11).",
    NUMBERS: "The recipe or the policy requires this of the model.",
    RECOMPUTED: "A report that does not follow from its own predictions was edited, or made by another program.",
    DEVICE: "An int8 model for CPUs runs on no GPU, and a time measured elsewhere says nothing about this device.",
    LOADS: "A model that does not load, or that answers differently than when it was measured, must not be shipped.",
    SIGNED: "Hashes can be rewritten together with the files; a signature cannot be made without the key.",
}


def finding(rule: str, message: str, place: Place | Path | str, hint: str = "", severity: str = "error") -> Finding:
    """A finding of the gate. hint: what would fix it."""
    where = place if isinstance(place, Place) else Place(str(place))
    return Finding(
        rule, severity, message, BECAUSE[rule], where, value=where.file, fix=Fix(hint, True) if hint else None
    )
