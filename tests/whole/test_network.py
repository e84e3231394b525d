"""What is local contacts no network: a run, the gate and load in a process in which every attempt is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RECIPE = """version: 1
name: local
model: {{source: {model}}}
data: {{source: {data}}}
device: cpu
steps:
  - finetune: {{epochs: 1, learning_rate: 2.0e-3}}
  - quantization: {{}}
training: {{batch_size: 64, max_tokens: 16}}
"""
# Libraries swallow the error of a request that counts something, so that refusing alone would show nothing.
WATCHED = """
import socket, sys
from pathlib import Path

def refuse(event, arguments):
    outside = event == "socket.connect" and arguments[0].family != getattr(socket, "AF_UNIX", None)
    if outside or event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        with open(sys.argv[1], "a") as trace:
            trace.write(f"{event} {arguments[1:]}\\n")
        raise OSError("no network here")

sys.addaudithook(refuse)
from advisor.cli import main
import advisor
recipe, out = sys.argv[2:]
print("codes", main(["run", recipe, "--out", out, "--no-ledger", "--measure-seconds", "0.5"]), main(["gate", out]))
print(advisor.load(out)(["some text"])[0].label)
"""


def test_a_run_the_gate_and_load_contact_no_network(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    model, data = (json.dumps(str(path)) for path in (checkpoints["bert"], text))
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(model=model, data=data))
    trace, arguments = tmp_path / "trace", [str(tmp_path / "recipe.yaml"), str(tmp_path / "out")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, str(trace), *arguments],
        env={**environment, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0 and "codes" in ended.stdout, ended.stderr
    assert not trace.exists(), trace.read_text()
