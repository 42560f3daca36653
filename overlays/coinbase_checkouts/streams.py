"""stdin, stdout and stderr of the commands: text that hurts no terminal, and streams that may be gone."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO, cast


class OutputError(Exception):
    """stdout takes nothing any more; `reader_left` if only because whoever read it has enough."""

    def __init__(self, reason: str, *, reader_left: bool = False) -> None:
        super().__init__(reason)
        self.reader_left = reader_left


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is at the other end."""
    # None is what Python makes of a stream that the shell closed.
    return cast("TextIO | None", stream) is not None and stream.isatty()


def can_ask() -> bool:
    """Whether a person would see a question, and can answer it."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def ask(question: str) -> str:
    """The answer of the person at the terminal, in lower case; empty if there was none."""
    tell(question, end=" ")
    return sys.stdin.readline().strip().lower()


def write(text: str) -> None:
    """
    Put *text* on stdout, now.

    Raises:
        OutputError: It could not be.
    """
    stream = cast("TextIO | None", sys.stdout)
    if stream is None:
        raise OutputError("it is closed")
    try:
        stream.write(_encodable(text, stream))
        stream.flush()
    except OSError as exc:
        # What is still in the buffer would fail once more, noisily, at the interpreter's end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        raise OutputError(exc.strerror or "", reader_left=isinstance(exc, BrokenPipeError)) from None


def tell(line: str, *, end: str = "\n", over: int = 0) -> None:
    """
    Put one line on stderr; nobody there is no reason to stop.

    Args:
        over: Characters of the unfinished line that it replaces.
    """
    stream = cast("TextIO | None", sys.stderr)
    if stream is not None:
        blank = "\r" + " " * over + "\r" if over else ""
        with suppress(OSError):
            stream.write(blank + _encodable(plain(line), stream) + end)
            stream.flush()


def plain(value: object) -> str:
    """*value* on one line, without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
