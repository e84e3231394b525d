"""OpenVINO and NNCF never load the package that reports to their maker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nncf")
CODE = """
import sys
from advisor.compute.int8.backends import backend
backend("openvino")
found = [name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module]
from nncf.telemetry.wrapper import telemetry
from openvino.tools.ovc.telemetry_utils import tm
print(found, type(telemetry).__name__, tm.__name__)
"""

# In a process of its own: what goes wrong here ends it with SIGFPE.
GATED = """
import sys
import tempfile
from pathlib import Path
import quantized
import tiny
from transformers import AutoConfig, AutoModelForSequenceClassification
from advisor.compute.int8.backends import openvino
from advisor.compute.tasks.scorer import TextScorer
sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
sizes |= {"num_key_value_heads": 2, "vocab_size": tiny.VOCABULARY, "num_labels": 3, "pad_token_id": 0}
model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("llama", **sizes))
prepared = openvino.prepare(quantized.source(TextScorer(model).eval(), Path(tempfile.mkdtemp())))
first = next(iter(quantized.BATCHES))
print(openvino.OpenVinoReader(prepared.model, threads=1)(**openvino.feed(first.inputs)).shape)
"""


def test_a_gated_feed_forward_part_in_fp32_is_served_on_one_core() -> None:
    """openvino#33300: where the CPU multiplies bf16 with AMX."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "support")}
    ended = subprocess.run(
        [sys.executable, "-c", GATED], capture_output=True, text=True, env=environment, check=False
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "(1, 3)\n"), ended.stderr[-2000:]


def test_telemetry_is_out_of_reach() -> None:
    shown = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert shown == "[] MagicMock openvino.tools.ovc.telemetry_stub\n"
