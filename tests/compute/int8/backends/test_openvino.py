"""OpenVINO and NNCF never load the package that reports to their maker."""

from __future__ import annotations

import subprocess
import sys

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


def test_telemetry_is_out_of_reach() -> None:
    shown = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert shown == "[] MagicMock openvino.tools.ovc.telemetry_stub\n"
