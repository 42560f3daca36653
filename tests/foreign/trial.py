"""One run of the command against one server, as a person would type it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .faults import Fault
from .readings import reading
from .server import RIGHT, Server

LIMIT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the command said of a server."""

    code: int
    broken: tuple[str, ...]
    output: str


def tried(name: str, fault: Fault = RIGHT, *options: str) -> Verdict:
    """Run the command on the server of reading *name* with *fault*."""
    with tempfile.TemporaryDirectory() as folder, Server(reading(name), fault) as server:
        key = Path(folder, "key.json")
        key.write_text(json.dumps(server.gate.key_file()), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("coinbase-checkouts")), "conformance"]
        done = subprocess.run(
            [*command, "--base-url", server.url, "--key-file", str(key), *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            env=os.environ | {"COLUMNS": "200"},
        )
    output = done.stdout + done.stderr
    return Verdict(done.returncode, tuple(re.findall(r"^BROKEN (\S+)", output, re.MULTILINE)), output)
