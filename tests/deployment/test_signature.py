"""Signed runs: the key vouches for the manifest, and so for every file of the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import gated
import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.deployment import signature
from advisor.records.run_folder import ATTESTATION, REPORT
from advisor.runs.finished import read

RUN_1 = Path(__file__).parents[1] / "runs" / "formats" / "run-1"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return write_keys(tmp_path, "key")


def write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    """A private and a public key in PEM."""
    key = ed25519.Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def signed(keys: tuple[Path, Path], tmp_path: Path) -> Path:
    out = Path(shutil.copytree(RUN_1, tmp_path / "run"))
    signature.sign(out, signature.private_key(keys[0]))
    return out


def wrong(out: Path, public: Path) -> list[str]:
    return [one.message for one in signature.verified(out, signature.public_key(public))]


def test_what_was_signed_verifies(signed: Path, keys: tuple[Path, Path]) -> None:
    assert wrong(signed, keys[1]) == []
    read(signed)  # and is a run as before


def test_it_is_an_in_toto_statement_in_a_dsse_envelope(signed: Path, keys: tuple[Path, Path]) -> None:
    """Verified here by the bytes that DSSE v1 says are signed, without our own code."""
    import base64

    envelope = json.loads((signed / ATTESTATION).read_text())
    payload = base64.b64decode(envelope["payload"])
    kind = b"application/vnd.in-toto+json"
    encoded = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload
    key = form.load_pem_public_key(keys[1].read_bytes())
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), encoded)  # type: ignore[call-arg, union-attr]
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicate"]["failedTests"] == ["int8 accuracy"]


def test_another_manifest_another_key_or_a_damaged_signature_is_refused(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    _, other = write_keys(tmp_path, "other")
    assert "not made with this key" in wrong(signed, other)[0]
    (signed / "manifest.json").write_text('{"files": {"report.json": "0"}}')
    assert "another manifest" in wrong(signed, keys[1])[0]
    for text in ("{}", "[]", "x", '{"payload": "!", "signatures": []}', '{"payload": "", "signatures": [{"sig": 1}]}'):
        (signed / ATTESTATION).write_text(text)
        assert wrong(signed, keys[1])
    (signed / ATTESTATION).unlink()
    assert "is not signed" in wrong(signed, keys[1])[0]


def test_keys_that_are_none(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    curve = tmp_path / "curve.pem"
    other = ec.generate_private_key(ec.SECP256R1())
    curve.write_bytes(other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    locked = tmp_path / "locked.pem"
    secret = form.BestAvailableEncryption(b"secret")
    mine = ed25519.Ed25519PrivateKey.generate()
    locked.write_bytes(mine.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, secret))
    for file in (tmp_path / "gone", tmp_path, RUN_1 / "report.json", keys[1], curve, locked):
        with pytest.raises(AdviseError, match=file.name):
            signature.private_key(file)
    for file in (tmp_path / "gone", tmp_path, RUN_1 / "report.json", keys[0], curve):
        with pytest.raises(AdviseError, match=file.name):
            signature.public_key(file)


def test_signed_by_run_and_verified_by_gate(
    finished_run: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert main(["gate", str(out), "--key", str(keys[1])]) == 4
    assert "error[gate-signed]" in capsys.readouterr().out
    signature.sign(out, signature.private_key(keys[0]))
    assert main(["gate", str(out), "--key", str(keys[1])]) == 0
    shown = capsys.readouterr()
    assert "no --key was given" not in shown.err and "may be deployed" in shown.err
    gated.rewrite(out / REPORT, lambda report: report["steps"][-1]["served"]["time"].update(value=0.01))
    gated.seal(out)
    assert main(["gate", str(out)]) == 0  # times cannot be measured again here, and the gate says so
    assert "cannot be told apart from the run's own" in capsys.readouterr().err
    assert main(["gate", str(out), "--key", str(keys[1])]) == 4
    assert "was changed after it was signed" in capsys.readouterr().out
    assert main(["gate", str(out), "--key", str(tmp_path / "gone")]) == 2


def test_a_key_that_is_none_stops_a_run_before_it_begins(
    text: Path, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(gated.RECIPE)
    arguments = ["run", str(recipe), "--model", str(checkpoints["bert"]), "--data", str(text), "--no-ledger"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--sign", str(tmp_path / "gone")]) == 2
    assert not (tmp_path / "out").exists()


def test_a_run_signs_itself_and_going_on_takes_the_signature_back(
    text: Path, checkpoints: dict[str, Path], keys: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    head = "version: 1\nname: s\nmodel: {source: bert}\ndevice: edge\ngates: {size_mb: '<= 9'}\n"
    recipe.write_text(f"{head}steps:\n  - finetune: {{epochs: 1}}\ntraining: {{max_tokens: 16}}\n")
    arguments = ["run", str(recipe), "--model", str(checkpoints["bert"]), "--data", str(text), "--no-ledger"]
    assert main([*arguments, "--out", str(out), "--sign", str(keys[0])]) in (0, 4)
    assert wrong(out, keys[1]) == []
    recipe.write_text(recipe.read_text().replace("'<= 9'", "'<= 8'"))
    assert main([*arguments, "--out", str(out), "--resume"]) in (0, 4)
    assert not (out / ATTESTATION).exists()
