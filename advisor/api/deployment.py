"""`advisor.gate`: a finished run to a verdict."""

from __future__ import annotations

from datetime import timedelta
from os import PathLike, fspath
from pathlib import Path

from advisor.api.arguments import Arguments
from advisor.api.review import Findings, waiving
from advisor.policy.pack import Policy, find
from advisor.recipe.recipe import Recipe
from advisor.review.waivers.apply import Waiving

DEVICES = ("cpu", "cuda", "mps", "edge")


def gate(
    run_dir: str | PathLike[str],
    *,
    recipe: str | PathLike[str] | Recipe | None = None,
    device: str | None = None,
    data: str | PathLike[str] | None = None,
    without_data: bool = False,
    rescore: str | PathLike[str] | None = None,
    key: str | PathLike[str] | None = None,
    max_age: timedelta = timedelta(days=90),
    policy: str | PathLike[str] = "core",
    waivers: str | PathLike[str] | None = None,
    inline_waivers: bool = True,
    waiver_days: int = 180,
) -> Findings:
    """Decide whether what a finished run made may be deployed: numbers, provenance, and a real reload of the model.

    Args:
        run_dir: the folder that a run wrote to.
        recipe: the recipe that is to be shipped; the run must be of it. None: the run's own.
        device: where the model will serve: `cpu`, `cuda`, `mps` or `edge`; None: as the recipe says.
        data: where the data lies now; None: where the recipe says.
        without_data: accept the recorded hash of data that is not here.
        rescore: read the data there, and let every model answer all report rows again.
        key: file of the public Ed25519 key (PEM) that has to have signed the run. Needs the extra `[sign]`.
        max_age: of the measurement.
        policy, waivers, inline_waivers, waiver_days: as of `advisor.check`.

    Returns:
        The verdict: `ok` is True where the model may be deployed; else each reason is a finding. `kept` names the
        bounds that the measured numbers keep, `warned` says what to read before them, `unchecked` what was not shown.

    Raises:
        AdviseError: there is no such folder, a key cannot be read, an argument makes no sense, or an extra is not
            installed.
        PolicyError: the rule pack is invalid.

    Example:
        >>> import advisor
        >>> verdict = advisor.gate("runs/first", recipe="recipe.yaml")    # doctest: +SKIP
        >>> verdict.ok, verdict.kept                                      # doctest: +SKIP
        (True, ('relative_accuracy: 0.98, must be >= 0.95 (95 % interval 0.96 to 1.00)',))
    """
    arguments = Arguments("advisor.gate")
    arguments.choice("device", device, DEVICES)
    arguments.whole("waiver_days", waiver_days, 1)
    given = {"data": data is not None, "without_data": without_data, "rescore": rescore is not None}
    if sum(given.values()) > 1:
        named = " and ".join(name for name, stated in given.items() if stated)
        arguments.wrong(f"{named} contradict each other", "give one of them")
    arguments.refuse()
    return judged(
        run_dir,
        find(fspath(policy)),
        waiving(waivers, inline_waivers, waiver_days, unused=False),
        recipe=recipe,
        device=device,
        data=data,
        without_data=without_data,
        rescore=rescore,
        key=key,
        max_age=max_age,
    )


def judged(
    run_dir: str | PathLike[str],
    rules: Policy,
    waivers: Waiving,
    *,
    recipe: str | PathLike[str] | Recipe | None,
    device: str | None,
    data: str | PathLike[str] | None,
    without_data: bool,
    rescore: str | PathLike[str] | None,
    key: str | PathLike[str] | None,
    max_age: timedelta,
) -> Findings:
    """The verdict by some rules and waivers; arguments and errors as of `gate`."""
    from advisor.inspection.probe import needs_run

    needs_run("advise gate")
    from advisor.deployment.decision import gate as verdict
    from advisor.deployment.examination import Terms
    from advisor.deployment.signature import public_key
    from advisor.recipe.reader import load

    source = data if rescore is None else rescore
    terms = Terms(
        rules,
        waivers,
        load(Path(recipe))[0] if isinstance(recipe, str | PathLike) else recipe,
        device,
        None if source is None else fspath(source),
        without_data,
        max_age,
        rescore is not None,
        None if key is None else public_key(Path(key)),
    )
    return Findings.of(verdict(Path(run_dir), terms))
