"""
What is left of a run for others to read: JSON, JUnit XML, Markdown, one HTML page, and badges.

    write_reports(folder, run_of(suite, target=…, started_at=…, duration_s=…, provenance=…))

Each is a pure function from a `Run` to text; here is only the writing, so that a full disk costs the files and not
the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .as_badges import badges
from .as_html import html
from .as_json import SCHEMA_FILE, as_json
from .as_junit import junit
from .as_markdown import markdown
from .run import Run, run_of

__all__ = ["ReportError", "Run", "run_of", "write_reports"]

NAMES: Final = ("report.json", SCHEMA_FILE.name, "junit.xml", "report.md", "report.html")


class ReportError(Exception):
    """Some of the files could not be written; the message names them and says why, on one line."""


def write_reports(folder: Path, run: Run) -> None:
    """
    Write every report into *folder*, which is made if it is not there.

    Raises:
        ReportError: Not all could be written; those that could are.
    """
    failures: list[str] = []
    for name, text in _files(run):
        path = folder / name
        scratch = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Whoever reads one meanwhile has the old one or the new one, never half of it. Half a surrogate pair,
            # which JSON can carry and UTF-8 cannot, becomes its escape.
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            scratch.replace(path)
        except OSError as exc:
            failures.append(f"{path}: {exc.strerror or exc}")
            _forget(scratch)
    if failures:
        raise ReportError(f"not written: {'; '.join(failures)}")


def _files(run: Run) -> Iterator[tuple[str, str]]:
    yield from zip(
        NAMES,
        (as_json(run), SCHEMA_FILE.read_text(encoding="utf-8"), junit(run), markdown(run), html(run)),
        strict=True,
    )
    yield from ((f"badges/{name}.json", text) for name, text in badges(run).items())


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
