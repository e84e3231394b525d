"""Refusals: what a run cannot do, said before it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError, Fault, memory_is_out
from advisor.execution.job import Job
from advisor.recipe.steps.quantization import Quantization

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context


def refuse_impossible(job: Job) -> None:
    """Raise an AdviseError where transformers cannot make the models of a job, before any weights are read."""
    from advisor.compute.structure.proven import refuse_other_shapes, refuse_unbuildable, refuse_unproven

    file = str(job.model.folder / "config.json" if job.model.folder else job.model.source.source)
    family, config, last = job.plan.family, job.model.config or {}, job.plan.steps[-1].after
    refuse_unbuildable(config, family.task, file)
    if cuts := job.plan.cuts:
        refuse_unproven(config, family.task, cuts, file)
        refuse_other_shapes(last, family.task, lambda labels: family.structure(last, labels).shapes(), file)
    if (number := _needs_onnx(job)) is not None:
        _refuse_unexportable(job, number, file)


def _needs_onnx(job: Job) -> int | None:
    """The number of an int8 step that may not fall back on PyTorch, of a model whose small likeness tells of it."""
    alike = job.task.modality == "text" and job.plan.family.kind != "encoder-decoder"
    steps = [one.step for one in job.plan.steps] if alike else []
    needs = (isinstance(one, Quantization) and "pytorch" not in one.backends() for one in steps)
    return next((number for number, needed in enumerate(needs) if needed), None)


def _refuse_unexportable(job: Job, number: int, file: str) -> None:
    """Raise an AdviseError where torch cannot write such a model as ONNX: training would be for nothing."""
    from advisor.compute.int8.export import refuse_unexportable
    from advisor.compute.int8.tracing import NotExportable
    from advisor.compute.structure.proven import small

    try:
        likeness = small(job.model.config or {}, job.plan.family.task, file)
    except AdviseError:  # a structure that nobody can infer says nothing of ONNX
        return
    try:
        refuse_unexportable(job.task.scorer(likeness, None))
    except NotExportable as error:
        told = error.faults[0]
        raise AdviseError(job.reviewed.document.fault(told.message, ("steps", number), told.hint)) from None


def refuse_failing(scorer: Scorer, context: Context, source: str) -> None:
    """Raise an AdviseError where a model cannot read one row: what it cannot, it would not in training either."""
    from advisor.compute.training.context import loss_of

    row = context.selection.take(1)
    try:
        loss_of(scorer, context, row)
    except Exception as error:  # whatever the model's own code raises
        if isinstance(error, AdviseError) or memory_is_out(error):
            raise
        said = ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])
        hint = "see whether transformers runs it: its config may have sizes that its own code does not fit"
        raise AdviseError(Fault(f"the model fails on a row: {said}", source, hint=hint)) from None
