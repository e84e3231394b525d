"""Trials: what their results say of the machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from trials import without_folders


def test_results_name_no_folder_of_this_machine() -> None:
    given = {"model": "/home/ada/models/a/b", "source": "/srv/my data/clinc", "recipe": 'data: {source: "/srv/x/y"}'}
    given |= {"unit": "g/kWh", "name": "glue/mrpc", "words": "a / b"}
    found = json.loads(without_folders(json.dumps(given), Path("/home/ada/models")))
    assert found == {**given, "model": "a/b", "source": "clinc", "recipe": 'data: {source: "y"}'}
