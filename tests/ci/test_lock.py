"""The lock file with hashes agrees with the versions that CI tests, and has all that the extras need."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from scratch import CHECKOUT

LOCK = (CHECKOUT / ".ci" / "requirements.lock").read_text()
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"].keys() - {"dev", "docs", "mlflow"}  # mlflow: see .ci/lock


def pinned(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_every_package_is_pinned_with_hashes_to_the_version_that_is_tested() -> None:
    locked, tested = pinned(LOCK), pinned((CHECKOUT / ".ci" / "constraints.txt").read_text())
    assert len(locked) > 60
    assert {name: tested[name] for name in locked.keys() & tested.keys() if locked[name] != tested[name]} == {}
    for block in re.split(r"\n(?=\w)", LOCK.split(".ci/lock.\n", 1)[1]):
        assert "--hash=sha256:" in block, block


def test_it_holds_what_pyproject_asks_for() -> None:
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *(one for extra in EXTRAS for one in extras[extra])]
    locked = pinned(LOCK)
    for one in map(Requirement, asked):
        if one.name != PROJECT["name"]:
            assert one.specifier.contains(locked[canonicalize_name(one.name)], prereleases=True), one
