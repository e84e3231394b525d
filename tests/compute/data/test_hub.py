"""Without a network, the Hub's libraries are told so instead of trying for minutes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from advisor.base.errors import AdviseError
from advisor.compute.data.hub import PROXIES, cache_only_if_out_of_reach
from advisor.compute.structure.checkpoint import downloaded


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's address is a port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_port(closed_port: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


def test_a_hub_that_does_not_answer_is_not_asked_again(closed_port: None) -> None:
    cache_only_if_out_of_reach()
    assert constants.HF_HUB_OFFLINE


def test_a_hub_that_answers_is_used(open_port: None) -> None:
    cache_only_if_out_of_reach()
    assert not constants.HF_HUB_OFFLINE


def test_behind_a_proxy_nothing_is_decided(closed_port: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    cache_only_if_out_of_reach()
    assert not constants.HF_HUB_OFFLINE


def test_a_model_that_is_nowhere_is_refused_with_a_remedy(closed_port: None) -> None:
    with pytest.raises(AdviseError, match="cannot be loaded") as caught:
        downloaded("some-org/not-here", None, False)
    assert "--model" in str(caught.value)


def test_a_revision_is_the_one_that_is_loaded(
    closed_port: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for branch, commit in (("main", "a" * 40), ("v2", "b" * 40)):
        cached = tmp_path / "models--our--bert"
        (cached / "snapshots" / commit).mkdir(parents=True)
        (cached / "snapshots" / commit / "config.json").write_text("{}")
        (cached / "refs").mkdir(exist_ok=True)
        (cached / "refs" / branch).write_text(commit)
    for revision, commit in ((None, "a"), ("v2", "b"), ("b" * 40, "b")):
        assert downloaded("our/bert", revision, False).name == commit * 40
    with pytest.raises(AdviseError, match="cannot be loaded"):
        downloaded("our/bert", "v3", False)
