"""A key nobody has to keep: for replays, where requests are signed but nothing is sent."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@contextmanager
def key_file() -> Generator[Path]:
    """A key file in Coinbase's format with a new Ed25519 key, gone when the context ends."""
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    content = {"id": "00000000-0000-4000-8000-000000000000", "privateKey": base64.b64encode(raw).decode("ascii")}
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        path = Path(folder) / "cdp_api_key.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        yield path
