"""
What a side may be: a file, a URL, `git:REV:path`, `spec` (ours), `generation:N`, `-` for stdin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from coinbase_checkouts_conformance.description import compiled

from .document import Document
from .fetching import Fetcher, called
from .problems import CouldNotCompareError
from .reading import read, read_part

LARGEST_BYTES: Final = 64 * 1024 * 1024
_GIT_S: Final = 30
_PACKAGED: Final = Path(__file__).with_name("generations")
_CHECKOUT: Final = Path(__file__).parents[3] / "spec"


@dataclass(frozen=True)
class Sources:
    """
    Opens sides.

    Args:
        external: Follow `$ref`s to other files, of a side that is a file.
        tell: Is told what is odd but no obstacle.
    """

    fetcher: Fetcher
    external: bool = False
    tell: Callable[[str], None] = lambda _: None

    def open(self, side: str) -> Document:
        """
        The description that *side* names.

        Raises:
            CouldNotCompareError: It cannot be had, or is none.
        """
        if side.startswith(("http://", "https://")):
            name = called(side)
            if self.fetcher.offline:
                self.tell(f"{name}: is a copy; nobody was asked whether it still holds")
            return self.fetcher.fetch(side, lambda content: self._read(name, content))
        if side == "spec":
            return self._read(*_spec())
        if side == "-":
            return self._read("stdin", _limited("stdin", sys.stdin.buffer.read(LARGEST_BYTES + 1)))
        kind, colon, rest = side.partition(":")
        if colon and kind == "generation":
            path = generation(rest)
            return self._read(side, _of_file(path, side))
        if colon and kind == "git":
            return self._read(side, _of_git(rest))
        path = Path(side)
        other = _Others(path.resolve().parent).open if self.external else None
        return read(side, _of_file(path, side), other=other, tell=self.tell)

    def _read(self, name: str, content: bytes) -> Document:
        return read(name, content, tell=self.tell)


class _Others:
    """Files that `$ref`s of one side lead to, each read once; none outside the side's own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, Document] = {}

    def open(self, file: str, *, beside: Path | None = None) -> Document:
        if "://" in file:
            raise CouldNotCompareError(f"{file}: a reference may lead to a file, not to a URL")
        path = ((self._folder if beside is None else beside) / file).resolve()
        if not path.is_relative_to(self._folder):
            raise CouldNotCompareError(f"{file}: leads out of the folder of the description")
        if path not in self._read:
            shown = PurePosixPath(path.relative_to(self._folder)).as_posix()
            self._read[path] = read_part(
                shown,
                _of_file(path, shown),
                prefix=f"{shown}#",
                other=lambda name: self.open(name, beside=path.parent),
            )
        return self._read[path]


def generation(number: str) -> Path:
    """
    The file of a published generation.

    Raises:
        CouldNotCompareError: There is none of this number.
    """
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT / "generations"
    there = sorted(path.stem for path in folder.glob("*.yaml"))
    if number not in there:
        raise CouldNotCompareError(f"generation:{number}: there are {', '.join(there) or 'none'}")
    return folder / f"{number}.yaml"


def our_file() -> Path | None:
    """The description that people edit; None outside a checkout. The package may be installed elsewhere than there."""
    here: list[Path] = []
    with suppress(OSError):
        here = [Path.cwd(), *Path.cwd().parents]
    for folder in (_CHECKOUT, *(parent / "spec" for parent in here)):
        ours = folder / "openapi.yaml"
        if ours.is_file() and (folder / "compile_client.py").is_file():
            return ours
    return None


def _spec() -> tuple[str, bytes]:
    # In a checkout the file that people edit, so that lines lead there; otherwise the copy that was compiled.
    ours = our_file()
    if ours is not None:
        return "spec/openapi.yaml", ours.read_bytes()
    return "spec", compiled("openapi.json")


def _of_file(path: Path, name: str) -> bytes:
    try:
        with open(path, "rb", opener=_opened) as file:
            return _limited(name, file.read(LARGEST_BYTES + 1))
    except FileNotFoundError:
        raise CouldNotCompareError(f"{name}: there is no such file") from None
    except OSError as exc:
        raise CouldNotCompareError(f"{name}: {exc.strerror or 'cannot be read'}") from None
    except ValueError:
        raise CouldNotCompareError(f"{name!r}: is no name of a file") from None


def _opened(path: str, flags: int) -> int:
    """Without waiting for somebody to write into a pipe: one that nobody has open is empty, instead of endless."""
    found = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(found, True)
    return found


def _of_git(revision: str) -> bytes:
    name = f"git:{revision}"
    if ":" not in revision or revision.startswith("-"):
        raise CouldNotCompareError(f"{name}: write git:REVISION:path")
    done = _git(name, "show", "--end-of-options", revision)
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        shallow = _git(name, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        hint = "; this clone is shallow, `git fetch --unshallow` brings its history" if shallow else ""
        raise CouldNotCompareError(f"{name}: {told[-1] if told else 'git failed'}{hint}")
    if done.stdout.startswith(f"tree {revision}\n".encode()):
        raise CouldNotCompareError(f"{name}: is a folder")
    return _limited(name, done.stdout)


def _git(name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 -- no shell, and what begins with a dash was refused
            ["git", *arguments],  # noqa: S607 -- from PATH, as the user has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_S,
            check=False,
        )
    except (OSError, ValueError) as exc:
        raise CouldNotCompareError(f"{name}: git cannot be run: {exc}") from None
    except subprocess.TimeoutExpired:
        raise CouldNotCompareError(f"{name}: git did not answer within {_GIT_S} s") from None


def _limited(name: str, content: bytes) -> bytes:
    if len(content) > LARGEST_BYTES:
        raise CouldNotCompareError(f"{name}: is larger than {LARGEST_BYTES // 1024 // 1024} MiB")
    return content
