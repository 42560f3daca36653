"""
`run.json`: how far a run has come, written after every claim, so that another can go on where it ended.

Small, and whole at any moment: a file is written beside it and takes its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from . import traffic_file
from .tidying import Made
from .traffic import Conversation

NAME: Final = "run.json"
FORMAT: Final = 1


class JournalError(Exception):
    """The run in a folder cannot be gone on with; the message names the file and says why."""


@dataclass(frozen=True)
class Entry:
    """What one test, `module/name`, came to."""

    claim: str
    outcome: str
    detail: str = ""


@dataclass
class Journal:
    """
    What is known so far of one run.

    Args:
        folder: Where `run.json` is; None keeps nothing.
        about: What must be the same for a run to go on: target, meaning of the description, version.
        made: What the run made and has not put in order yet, so that the next one does when this one is killed.
        begun: How the checkouts of the test that is under way are called.
        said: What an earlier part of the run said to the server, by test.
        trouble: Why the last writing failed; empty when it did not.
        untold: Why what was said could not be kept; likewise.
    """

    folder: Path | None
    about: Mapping[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)
    made: Made = field(default_factory=Made)
    begun: str = ""
    said: dict[str, Conversation] = field(default_factory=dict)
    trouble: str = ""
    untold: str = ""

    def start(self) -> None:
        """The run begins, and does not go on with another."""
        if self.folder is not None:
            self.untold = traffic_file.begin(self.folder)

    def begin(self, title: str) -> None:
        """A test begins; what it makes is called *title*."""
        self.begun = title
        self._write()

    def add(self, test: str, entry: Entry, conversation: Conversation | None) -> None:
        """Keep what a test came to, after what was said in it: what is known has its evidence."""
        if self.folder is not None and conversation is not None:
            self.untold = traffic_file.add(self.folder, conversation) or self.untold
        self.entries[test] = entry
        self.end()

    def end(self) -> None:
        """No test is under way."""
        self.begun = ""
        self._write()

    def _write(self) -> None:
        """All of it, as it is now. A disk that is full does not end the run."""
        if self.folder is None:
            return
        tests = {name: vars(one) for name, one in self.entries.items()}
        titles = [*self.made.titles, *filter(None, [self.begun])]
        made = {"ids": self.made.ids, "titles": titles}
        content = {"format": FORMAT, **self.about, "made": made, "tests": tests}
        self.trouble = put(self.folder / NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def resumed(cls, folder: Path, about: Mapping[str, str]) -> Journal:
        """
        The journal that lies in *folder*.

        Raises:
            JournalError: There is none, it is damaged, or it is of a run on something else.
        """
        path = folder / NAME
        try:
            content = json.loads(path.read_bytes())
            entries = {name: Entry(**one) for name, one in content["tests"].items()}
            made = Made(**content.get("made", {}))
        except OSError as exc:
            raise JournalError(f"{path}: {exc.strerror}; there is no run to go on with") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise JournalError(f"{path}: is damaged; begin a new run with --report-dir") from None
        if content.get("format") != FORMAT:
            raise JournalError(f"{path}: is of format {content.get('format')}, this suite reads {FORMAT}")
        for name, value in about.items():
            if content.get(name) != value:
                raise JournalError(f"{path}: is of another {name} ({content.get(name)}, now {value})")
        lists: list[Any] = [made.ids, made.titles]
        texts = [text for one in entries.values() for text in vars(one).values()]
        if not all(isinstance(one, list) for one in lists) or not all(
            isinstance(text, str) for one in (texts, *lists) for text in one
        ):
            raise JournalError(f"{path}: is damaged; begin a new run with --report-dir")
        return cls(folder, about, entries, made, said=traffic_file.read(folder))


def put(path: Path, text: str) -> str:
    """Write *text* to *path*, all of it or nothing; the reason when it cannot be, else an empty text."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as exc:
        with suppress(OSError):
            temporary.unlink()
        return f"{path}: cannot be written: {exc.strerror}"
    return ""
