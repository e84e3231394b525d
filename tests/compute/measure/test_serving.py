"""Serving side by side: real models, a meter whose file is written meanwhile, and protocols."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from advisor.compute.data.batches import Encoded
from advisor.compute.measure.models import Place, threads
from advisor.compute.measure.served import Setting
from advisor.compute.measure.serving import Comparison, measure, requests
from advisor.compute.measure.timing import ROUNDS
from advisor.compute.tasks.scorer import Scorer, TextScorer
from advisor.compute.tasks.text_classification import TextClassification
from advisor.compute.training.context import Context
from advisor.families.registry import find
from advisor.records.carbon import Assumptions
from advisor.records.measuring import TIME_DERIVED, Measuring
from advisor.records.training_settings import Training

ROWS = Encoded(tuple(tuple(range(5, 5 + 4 + row % 9)) for row in range(80)), (0,) * 80)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """BERTs of 6 layers and 1."""
    made = {name: tmp_path_factory.mktemp(name) for name in ("finetune", "layer_removal")}
    for folder, layers in zip(made.values(), (6, 1), strict=True):
        sizes = {"hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100}
        BertForSequenceClassification(BertConfig(num_hidden_layers=layers, **sizes)).save_pretrained(folder)
    return made


def measured(folders: dict[str, Path], measuring: Measuring, rows: Encoded = ROWS) -> Comparison:
    nothing, bert = Encoded((), ()), find("bert")
    assert bert is not None
    context = Context(bert, TextClassification(), torch.device("cpu"), Training(), nothing, nothing)

    def load(folder: Path) -> Scorer:
        return TextScorer(BertForSequenceClassification.from_pretrained(folder))

    work = measure(folders, context, rows, Place(load, "cpu", Assumptions(), measuring))
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Comparison = end.value
            return found


@contextmanager
def meter(file: Path, watts: float) -> Iterator[None]:
    """A power meter that writes a sample 100 times a second."""
    done = threading.Event()

    def write() -> None:
        with file.open("w") as out:
            out.write("time,watts\n")
            while not done.wait(0.01):
                out.write(f"{time.time()},{watts}\n")
                out.flush()

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.1)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_smaller_model_takes_less_and_shares_have_intervals(folders: dict[str, Path]) -> None:
    before = torch.get_num_threads()
    found = measured(folders, Measuring(1.0))
    assert torch.get_num_threads() == before
    served = found.served["layer_removal"]
    if served.time.value is None:  # the machine is too busy for half a second to tell
        assert "of its own time" in served.time.why_not == served.emissions.why_not
        return
    for share in (served.time, served.emissions):
        assert share.interval is not None and share.value is not None
        assert 0.05 < share.interval[0] <= share.value <= share.interval[1] < 0.9
    if served.emissions.source.startswith(TIME_DERIVED):
        assert "1 thread;" in served.time.source and served.idle_wh_per_1000.value is None
    assert found.fp32_in_runtime == ()


def test_a_meter_s_file_gives_energy_or_the_reason(folders: dict[str, Path], tmp_path: Path) -> None:
    """At 40 W whatever the machine does, a share of energy is one of time, and idling is all there is."""
    file = tmp_path / "power.csv"
    with meter(file, 40.0):
        found = measured(folders, Measuring(2.0, file))
    served = found.served["layer_removal"]
    if served.emissions.value is None:
        assert any(part in served.emissions.why_not for part in ("other programs used", "of its own time", "a gap of"))
        return
    assert served.time.value == pytest.approx(served.emissions.value, rel=0.1)
    assert served.wh_per_1000.source.startswith("external power meter (power.csv)")
    assert served.emissions_without_idle.why_not == "working and idling cannot be told apart by this meter"
    wh = served.wh_per_1000.value
    assert wh is not None and served.idle_wh_per_1000.value == pytest.approx(wh, rel=0.1)


def test_a_meter_that_stopped_before_gives_no_number(folders: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "power.csv"
    with meter(file, 40.0):
        time.sleep(0.1)
    served = measured(folders, Measuring(0.5, file)).served["layer_removal"]
    assert served.emissions.value is served.g_per_1000.value is None
    reasons = ("the power log covers", "other programs used", "of its own time")
    assert any(part in served.emissions.why_not for part in reasons)


def test_a_protocol_is_followed_or_refused(folders: dict[str, Path]) -> None:
    found = measured(folders, Measuring(0.5, protocol="aienergyscore"), ROWS.take(8))
    served = found.served["layer_removal"]
    assert served.emissions.value is None
    assert served.emissions.why_not == "--protocol aienergyscore takes 1,000 rows, there are 8 report rows"


def test_the_protocol_asks_a_thousand_rows_one_by_one_in_ten_runs_and_is_called_compatible() -> None:
    rows, bert = Encoded(((5, 6, 7),) * 1_200, (0,) * 1_200), find("bert")
    assert bert is not None
    nothing = Encoded((), ())
    context = Context(bert, TextClassification(), torch.device("cpu"), Training(), nothing, nothing)
    asked = requests(lambda batch: batch, context, rows, Measuring(protocol="aienergyscore"))
    assert [len(one.rows) for one in asked] == [1] * 1_000 and ROUNDS == 10
    said = Setting(1, 1, 1, Assumptions(), "aienergyscore").windows([])
    assert "compatible with AI Energy Score (1,000 rows, batches of 1, ten runs), no official score" in said


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), threads(1) as count:
        assert count == torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == before
    with threads(0) as count:
        assert count == before
