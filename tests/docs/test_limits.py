"""The page of limits states the limits that the code has, and only those."""

from __future__ import annotations

import re
from pathlib import Path

from advisor.base import files, yamlfile
from advisor.compute.data import file_checks, images, media, media_folders, sounds
from advisor.compute.structure import weight_files
from advisor.families import config_checks
from advisor.inspection import probe
from advisor.policy import packfile, shipped
from advisor.records import training_settings
from advisor.runs import import_export

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
LIMITS = {
    "recipe, rule, waiver file (YAML)": yamlfile.MAX_BYTES,
    "nesting of YAML": yamlfile.MAX_DEPTH,
    "rule pack": shipped.MOST_FILES,
    "packs on top of each other": packfile.MOST_PACKS,
    "`config.json` of a model": probe.MAX_CONFIG,
    "a size in a config, such as `hidden_size`": config_checks.LARGEST,
    "labels of a model": config_checks.MOST_LABELS,
    "index of sharded weights": weight_files.LARGEST_INDEX,
    "data file, and what it unfolds to in memory": file_checks.MOST_BYTES,
    "rows of a data file or saved split": file_checks.MOST_ROWS,
    "columns of a data file": file_checks.MOST_COLUMNS,
    "header of a CSV file": file_checks.MOST_HEADER,
    "an image or a sound": media.MOST_FILE,
    "all images or sounds of a folder, or of one table": media_folders.MOST_BYTES,
    "side of the images that a model reads (`image_size`)": training_settings.MOST_SIDE,
    "pixels of an image": images.MOST_PIXELS,
    "length of a sound": sounds.MOST_SECONDS,
    "rate of a sound": sounds.MOST_RATE,
    "nesting of JSON rows": file_checks.MOST_DEPTH,
    "a file that is read whole: of a run folder, a baseline, exported runs": files.MOST_BYTES,
    "faulty runs that are told of one exported file": import_export.MOST_FAULTS,
    "seeds of one recipe (`--seeds`)": training_settings.MOST_SEEDS,
}


def test_the_page_states_the_limits_of_the_code() -> None:
    rows = re.findall(r"^\| (.+?) \| ([\d,]+)[^|]* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(number.replace(",", "")) for name, number in rows} == LIMITS
