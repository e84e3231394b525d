"""Every backend with every family: near answers, every matrix counted, smaller, and read back from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import quantized
import tiny

from advisor.base.errors import AdviseError
from advisor.compute.int8 import backends
from advisor.compute.int8.quantized import EXPORT_TOLERANCE, Quantized, agreement, spared
from advisor.compute.int8.sensitivity import groups
from advisor.compute.tasks.scorer import Scorer

# NNCF takes several seconds for each tiny model: an encoder and a decoder every time, the others with -m slow.
SLOW = [("openvino", family) for family in tiny.FAMILIES if family not in ("bert", "opt")]
CASES = [
    pytest.param(case, marks=pytest.mark.slow if case in SLOW else (), id="-".join(case))
    for case in product(backends.FILES, tiny.FAMILIES)
]
# PyTorch's T5 scores label words without its head, which is the embedding table.
LESS = {("pytorch", "t5"): 1}


@dataclass(frozen=True, slots=True)
class Files:
    backend: str
    family: str
    scorer: Scorer
    folder: Path
    model: backends.Prepared
    result: Quantized


@pytest.fixture(scope="module", params=CASES)
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    backend, family = request.param
    for package in backends.NEEDS[backend]:
        pytest.importorskip(package)
    one, folder = quantized.scorer(family), tmp_path_factory.mktemp(f"{backend}-{family}")
    model = backends.backend(backend).prepare(quantized.source(one, tmp_path_factory.mktemp("work")))
    return Files(backend, family, one, folder, model, written(model, one, folder, spared(model.matrices)))


def written(model: backends.Prepared, one: Scorer, folder: Path, keep: frozenset[str]) -> Quantized:
    (folder / "config.json").write_text(quantized.config(one))
    return model.quantize(folder, keep)


def test_every_matrix_is_int8_but_those_kept(files: Files) -> None:
    kept = quantized.BLOCKS["t5"] if files.family == "t5" else 0
    matrices = quantized.MATRICES[files.family] - LESS.get((files.backend, files.family), 0)
    assert (files.result.matrices, files.result.quantized) == (matrices, matrices - kept)
    assert len(files.result.kept_fp32) == kept
    assert files.result.size_bytes < files.result.fp32_bytes


def test_the_answers_are_near_and_not_the_same(files: Files) -> None:
    reader = backends.backend(files.backend).read(files.folder, threads=1)
    found = agreement(quantized.expected(files.scorer), quantized.answers(reader))
    assert 0 < found.mean_probability_difference < 0.05  # 0 would be fp32 under another name
    assert found.same_answer_share >= 0.8


def test_the_fp32_model_in_the_same_runtime_answers_as_torch_does(files: Files) -> None:
    expected, found = quantized.expected(files.scorer), quantized.answers(files.model.fp32(threads=1))
    assert np.abs(expected - found).max() <= EXPORT_TOLERANCE


def test_a_folder_tells_who_wrote_it(files: Files) -> None:
    assert backends.wrote(files.folder) == files.backend


def test_named_matrices_stay_fp32(files: Files, tmp_path: Path) -> None:
    keep = spared(files.model.matrices) | set(files.model.matrices[:2])
    result = written(files.model, files.scorer, tmp_path, keep)
    assert set(result.kept_fp32) == keep
    assert result.quantized == result.matrices - len(keep)


def test_matrices_on_trial_answer_much_as_if_quantized_without_them(files: Files, tmp_path: Path) -> None:
    base = spared(files.model.matrices)
    blocks = {name: group for name, group in groups(set(files.model.matrices) - base).items() if "*" not in name}
    group = blocks[min(blocks)]
    trial = files.model.trial(group, threads=1)
    if files.backend != "openvino":
        assert trial is None
        return
    written(files.model, files.scorer, tmp_path, base | group)
    read = backends.backend(files.backend).read
    plain, anew, tried = (quantized.answers(one) for one in (read(files.folder, 1), read(tmp_path, 1), trial))
    assert np.abs(tried - plain).mean() > 0
    assert np.abs(tried - anew).mean() < 0.5 * np.abs(plain - quantized.expected(files.scorer)).mean()


def test_keeping_all_is_an_error(files: Files, tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=f"quantization changed nothing: 0 of {files.result.matrices} matrices"):
        written(files.model, files.scorer, tmp_path, frozenset(files.model.matrices))


@pytest.mark.parametrize("backend", backends.FILES)
@pytest.mark.parametrize("content", [None, b"", b"no model"], ids=["missing", "empty", "broken"])
def test_a_file_that_cannot_be_loaded(backend: str, content: bytes | None, tmp_path: Path) -> None:
    for package in backends.NEEDS[backend]:
        pytest.importorskip(package)
    (tmp_path / "config.json").write_text('{"label_tokens": []}')
    if content is not None:
        file = tmp_path / backends.FILES[backend]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    with pytest.raises(AdviseError, match=f"{backends.FILES[backend]}: cannot be loaded: ."):
        backends.backend(backend).read(tmp_path)


def test_a_backend_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backends.NEEDS, "openvino", ("openvino", "no_such_package"))
    assert "openvino" not in backends.installed()
    with pytest.raises(AdviseError, match=r"openvino needs no_such_package, not installed\n.*\[openvino\]"):
        backends.backend("openvino")


def test_a_plain_checkpoint_was_written_by_no_backend(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    assert backends.wrote(tmp_path) is None
