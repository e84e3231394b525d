"""A search that is killed again and again, in a process of its own: python killed_search.py SETTINGS.json.

It forks for every attempt, and kills the child by SIGKILL after some seconds or just before one of its changes of a
file. After every kill, what the store held as finished has to be there, byte for byte. Prints the number of kills.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from killed import kill_before_change


def finished(out: Path) -> dict[str, bytes]:
    """The records of all finished steps."""
    return {file.name: file.read_bytes() for file in (out / "store").glob("*.json") if not file.name.startswith(".")}


def main(settings: dict) -> int:
    import advisor
    import advisor.compute.int8.artefact
    import advisor.compute.structure.checkpoint
    import advisor.compute.training.loop

    out, random_, kills = Path(settings["out"]), random.Random(settings["seed"]), 0
    done: dict[str, bytes] = {}
    while True:
        change, seconds = random_.randint(1, settings["changes"]), random_.uniform(0, settings["seconds"])
        last = kills >= settings["kills"]
        child = os.fork()
        if not child:
            try:
                if not last and kills % 2:
                    kill_before_change(change, str(out))
                advisor.search(
                    **settings["search"], out=out, resume=True, checkpoint_seconds=0, progress=False, record=False
                )
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if not last and not kills % 2:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        now = finished(out)
        lost = [name for name, record in done.items() if now.get(name) != record]
        if lost:
            print(f"lost after {kills + 1} kills: {lost}", file=sys.stderr)
            return 1
        done = now
        if os.WIFEXITED(status):
            print(kills)
            return os.waitstatus_to_exitcode(status)
        kills += 1


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
