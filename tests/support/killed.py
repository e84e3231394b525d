"""A run that is killed again and again, in a process of its own: python killed.py SETTINGS.json.

It prepares the job once and forks for every attempt, so that an attempt takes a second. A child is killed by SIGKILL
either when some seconds have passed, or just before its n-th change of a file below the run's folder, which reaches
the moments between two renames that no timer hits. With `whole`, the run is made there first, in one go. Prints the
number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")


def kill_before_change(number: int, below: str) -> None:
    """From now on: SIGKILL for this process before its `number`-th change of a file below a folder."""
    left = number

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (opened or event in CHANGES) and str(arguments[0]).startswith(below):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def forked(work: Callable[[], None]) -> int:
    """Begin some work in a child; returns its process number."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def once_whole(run: Callable[[Path], None], out: Path) -> None:
    """Run once without a kill, and import here what that has imported: no attempt has to do so again."""
    imported = out.with_suffix(".modules")

    def work() -> None:
        run(out)
        imported.write_text("\n".join(sys.modules))

    _, status = os.waitpid(forked(work), 0)
    assert status == 0, "the run that nobody kills has failed"
    for name in imported.read_text().split():
        with suppress(Exception):  # some are no modules that can be imported by their name
            import_module(name)


def main(settings: dict) -> int:
    from advisor.execution import executor
    from advisor.execution.job import prepare
    from advisor.inspection.recipe_data import read_data
    from advisor.policy.pack import core
    from advisor.recipe.reader import load
    from advisor.records.measuring import Measuring

    recipe, document = load(Path(settings["recipe"]))
    job = prepare(core(), recipe, document, read_data(recipe, base=Path()), Path(), "cpu")
    job = replace(job, measuring=Measuring(0.1))
    import advisor.compute.int8.artefact
    import advisor.compute.structure.checkpoint
    import advisor.compute.training.loop  # noqa: F401

    def run(folder: Path) -> None:
        for _ in executor.run(job, folder, resume=True, save_every=settings.get("save_every", 0)):
            pass

    if whole := settings.get("whole"):
        once_whole(run, Path(whole))
    out, random_, kills = Path(settings["out"]), random.Random(settings["seed"]), 0
    while True:
        change, seconds = random_.randint(1, settings["changes"]), random_.uniform(0, settings["seconds"])
        last = kills >= settings["kills"]

        def attempt(change: int = change if not last and kills % 2 else 0) -> None:
            if change:
                kill_before_change(change, str(out))
            run(out)

        child = forked(attempt)
        if not last and not kills % 2:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            print(kills)
            return os.waitstatus_to_exitcode(status)
        kills += 1


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
