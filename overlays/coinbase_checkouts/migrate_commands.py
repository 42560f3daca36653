"""
`migrate`: exported charges of Commerce → requests for checkouts, and a report. It sends nothing.

Everything passes through, charge by charge; results get their names only when all of them are there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TextIO

from . import commerce
from .arguments import COULD_NOT_RUN, INTERRUPTED, OK, SAID_NO
from .commerce.exports import Exported, Unreadable, files, read
from .commerce.report import Outcome, Report, Verdict
from .errors import ConfigurationError, MigrationError
from .streams import OutputError, is_terminal, tell, write

NAME: Final = "coinbase-checkouts migrate"
RESULTS: Final = {Verdict.CREATE: "requests.ndjson", Verdict.LEAVE: "leave.ndjson", Verdict.REFUSED: "refused.ndjson"}
REPORT: Final = "report.md"
# Often enough to be seen moving.
_PROGRESS_S: Final = 0.2
_TOLD: Final = 20
Line = dict[str, Any]
Put = Callable[[Verdict, str], None]


def run(options: argparse.Namespace) -> int:
    """Run the command; its exit code, see `arguments.MIGRATE_EXIT_CODES`."""
    try:
        return _migrate(options)
    except ConfigurationError as exc:
        tell(f"{NAME}: {exc}")
        return COULD_NOT_RUN
    except OutputError as exc:
        if not exc.reader_left:
            tell(f"{NAME}: stdout: {exc}")
        # A reader that has enough, such as head, is no failure.
        return OK if exc.reader_left else COULD_NOT_RUN
    except KeyboardInterrupt:
        tell(f"{NAME}: interrupted; nothing was kept but what is on stdout")
        return INTERRUPTED
