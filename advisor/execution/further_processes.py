"""The further processes of `accelerate launch`: they train with the first one, step by step, and write nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from advisor.execution import resumption
from advisor.execution.job import Job
from advisor.execution.resumption import Record
from advisor.execution.work import Work, memory_reported
from advisor.recipe.plan import PlannedStep
from advisor.recipe.steps.quantization import Quantization


def follow(job: Job, out: Path) -> None:
    """Take part in the run of the first process in the folder `out`, until its last step is done."""
    with memory_reported(job):
        _Follower(job, out).run()


class _Follower(Work):
    """A run in a further process; what is measured at the end is the first one's alone."""

    def run(self) -> None:
        for number, planned in enumerate(self.job.plan.steps):
            self.turn_to(planned)
            self.add(planned, self.folder(number), self._record(number, planned))

    def _record(self, number: int, planned: PlannedStep) -> Record:
        """What the first one has written of a step, after helping where it is not done yet."""
        from advisor.compute.machine.processes import agreed
        from advisor.compute.training.state import ReadingKeeper

        inputs, device = self.inputs(planned), self.context.device
        if agreed(False, device):
            self.context = replace(self.context, keeper=ReadingKeeper(self.state(number), self.state_key(inputs)))
            if not isinstance(planned.step, Quantization):
                for _ in self.applied(planned):
                    pass
            agreed(False, device)  # now it is written
        record, why = resumption.record_of(self.folder(number), inputs)
        if record is None:
            raise RuntimeError(f"process 0 says that {planned.step.name} is done; here {why or 'it has no record'}")
        return record
