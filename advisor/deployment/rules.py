"""What the gate itself demands of a run folder, and how it says so. A pack cannot change these."""

from __future__ import annotations

from pathlib import Path

from advisor.review.findings import Finding, Fix, Place

COMPLETE, INTACT, WEIGHTS = "gate-complete", "gate-intact", "gate-weights"
RECIPE, DATA, FRESH, ENOUGH = "gate-recipe", "gate-data", "gate-fresh", "gate-enough"
NUMBERS, RECOMPUTED, DEVICE, LOADS = "gate-numbers", "gate-recomputed", "gate-device", "gate-loads"

BECAUSE = {
    COMPLETE: "A measurement that is not there proves nothing, and must not look like one that passed.",
    INTACT: "The numbers were measured on other bytes than these.",
    WEIGHTS: "A pickle runs code when it is loaded; these formats hold numbers only.",
    RECIPE: "Numbers say something about the recipe that they were measured for, and about no other.",
    DATA: "An accuracy on other rows is another accuracy.",
    FRESH: "Libraries, machines and what the model is asked change; a number is worth less with every month.",
    ENOUGH: "On a few hundred examples chance alone makes differences of several points (rule R11).",
    NUMBERS: "This is what the recipe or the policy promises of the model.",
    RECOMPUTED: "A report that does not follow from its own predictions was edited, or made by another program.",
    DEVICE: "An int8 model for CPUs runs on no GPU, and a time measured elsewhere says nothing about this device.",
    LOADS: "What cannot be loaded, or answers otherwise than when it was measured, must not be shipped.",
}


def finding(rule: str, message: str, place: Place | Path | str, hint: str = "", severity: str = "error") -> Finding:
    """A finding of the gate. hint: what would mend it."""
    where = place if isinstance(place, Place) else Place(str(place))
    return Finding(
        rule, severity, message, BECAUSE[rule], where, value=where.file, fix=Fix(hint, True) if hint else None
    )
