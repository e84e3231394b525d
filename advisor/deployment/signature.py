"""Signature: a run's manifest signed with Ed25519, as an in-toto attestation in a DSSE envelope.

Hashes show that files belong to a manifest; whoever rewrites files and manifest alike leaves no trace but here. The
manifest names every other file with its hash, so one signature covers the run.
Sources: in-toto Statement v1 and its predicate Test Result v0.1; DSSE v1 for what is signed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import regular_bytes, write_json
from advisor.base.install import pip_command
from advisor.deployment.rules import SIGNED, finding
from advisor.records.results import RunResult
from advisor.records.run_folder import ATTESTATION, MANIFEST, listed, read, read_json, sha256
from advisor.review.findings import Finding

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD = "application/vnd.in-toto+json"
MAKE_KEY = "openssl genpkey -algorithm ed25519 -out key.pem"
MAKE_PUBLIC = "openssl pkey -in key.pem -pubout -out public.pem"


def private_key(file: Path) -> Any:
    """A private Ed25519 key in PEM, without a password.

    Raises:
        AdviseError: it cannot be read or is none, or cryptography is not installed.
    """
    serialization, kinds = _library()
    try:
        found = serialization.load_pem_private_key(regular_bytes(file, "give a key in PEM"), password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(
            file, f"no private key without a password: {str(error).split('(')[0].strip()}", MAKE_KEY
        ) from None
    if not isinstance(found, kinds.Ed25519PrivateKey):
        raise _no_key(file, f"expected an Ed25519 key, got {type(found).__name__.lstrip('_')}", MAKE_KEY)
    return found


def public_key(file: Path) -> Any:
    """A public Ed25519 key in PEM. Raises as `private_key` does."""
    serialization, kinds = _library()
    try:
        found = serialization.load_pem_public_key(regular_bytes(file, "give a key in PEM"))
    except ValueError:
        raise _no_key(file, "no public key in PEM", MAKE_PUBLIC) from None
    if not isinstance(found, kinds.Ed25519PublicKey):
        raise _no_key(file, f"expected an Ed25519 key, got {type(found).__name__.lstrip('_')}", MAKE_PUBLIC)
    return found


def sign(out: Path, key: Any) -> None:
    """Write the attestation of a finished run beside its manifest.

    Raises:
        AdviseError: the run is not finished, or the file cannot be written.
    """
    payload = json.dumps(_statement(out, read(out)), sort_keys=True).encode()
    signature = base64.b64encode(key.sign(_signed(PAYLOAD, payload))).decode()
    envelope = {"payloadType": PAYLOAD, "payload": base64.b64encode(payload).decode()}
    write_json(out / ATTESTATION, {**envelope, "signatures": [{"keyid": "", "sig": signature}]})


def verified(out: Path, key: Any) -> Iterator[Finding]:
    """What is wrong with the signature of a run; nothing where the key signed this very manifest."""
    file = out / ATTESTATION
    if not file.exists():
        hint = "sign it where it is made: advise run … --sign KEY"
        yield finding(SIGNED, f"the run is not signed: {ATTESTATION} is missing", file, hint)
        return
    try:
        statement = _opened(read_json(file), key)
    except AdviseError as error:
        yield finding(SIGNED, error.faults[0].message, file, "ask whoever made the run for its folder")
        return
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        yield finding(SIGNED, f"{ATTESTATION} is no signed attestation: {error}", file)
        return
    if statement is None:
        yield finding(SIGNED, "the signature was not made with this key, or what it signs was changed", file)
    elif {"name": MANIFEST, "digest": {"sha256": sha256(out / MANIFEST)}} not in statement["subject"]:
        yield finding(SIGNED, "the signature is of another manifest: the run was changed after it was signed", file)


def _statement(out: Path, result: RunResult) -> dict[str, Any]:
    digests = {**listed(out), MANIFEST: sha256(out / MANIFEST)}
    failed = [gate.name for gate in result.gates if not gate.passed]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "FAILED" if failed else "PASSED",
            "configuration": [{"name": "recipe.yaml", "digest": {"sha256": result.recipe_sha256}}],
            "passedTests": [gate.name for gate in result.gates if gate.passed],
            "failedTests": failed,
        },
    }


def _opened(envelope: Any, key: Any) -> Any:
    """The statement in an envelope; None where no signature on it was made with the key."""
    from cryptography.exceptions import InvalidSignature

    payload = base64.b64decode(envelope["payload"], validate=True)
    for one in envelope["signatures"]:
        try:
            key.verify(base64.b64decode(one["sig"], validate=True), _signed(envelope["payloadType"], payload))
        except InvalidSignature:
            continue
        statement = json.loads(payload)
        if envelope["payloadType"] != PAYLOAD or statement["_type"] != STATEMENT:
            raise ValueError(f"expected an in-toto statement, got {envelope['payloadType']!r:.80}")
        return statement
    return None


def _signed(kind: str, payload: bytes) -> bytes:
    """What DSSE signs: the pre-authentication encoding of a payload."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise AdviseError("signatures need cryptography, not installed", hint=pip_command("sign")) from None
    return serialization, ed25519


def _no_key(file: Path, what: str, hint: str) -> AdviseError:
    return AdviseError(Fault(what, str(file), hint=hint))
