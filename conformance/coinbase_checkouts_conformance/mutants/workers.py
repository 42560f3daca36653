"""
Jobs in forked processes, a few at a time, each with a deadline that the kernel keeps.

A fork inherits what its parent has imported and compiled, so a job starts in milliseconds. The deadline is an alarm in
the process itself: it ends one that hangs without ever coming back to Python's event loop, and one whose parent is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Final, Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")

WORKERS: Final = os.cpu_count() or 1
_GRACE_S: Final = 5.0
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class NoForkError(Exception):
    """This system cannot fork."""


@dataclass(frozen=True)
class Lost:
    """A job that gave no result; *why*, in words."""

    why: str
    is_late: bool = False


@dataclass
class _Running(Generic[J]):
    job: J
    process: ForkProcess
    connection: Connection


def results(
    jobs: Iterable[J], do: Callable[[J], R], *, deadline_s: float, workers: int = WORKERS
) -> Iterator[tuple[J, R | Lost]]:
    """
    Each job with what *do* made of it, in the order they end. What *do* returns is pickled.

    Raises:
        NoForkError: There are no forks on this system.
    """
    try:
        context = multiprocessing.get_context("fork")
    except ValueError:
        raise NoForkError("mutants run in forked processes, which this system does not have") from None
    waiting = deque(jobs)
    running: list[_Running[J]] = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(theirs, do, job, deadline_s), daemon=True)
                # What a signal raises inside of a fork is lost: it waits until after it.
                signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
                try:
                    process.start()
                finally:
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
                # Held by the child alone, so that its end is noticed here.
                theirs.close()
                running.append(_Running(job, process, ours))
            ready = wait([one.connection for one in running])
            for ended in [one for one in running if one.connection in ready]:
                running.remove(ended)
                yield ended.job, _received(ended, deadline_s)
    finally:
        for left in running:
            left.process.kill()
            left.process.join()


def _child(connection: Connection, do: Callable[[J], R], job: J, deadline_s: float) -> None:
    # The default of SIGALRM is to end the process, whatever Python is doing.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    signal.setitimer(signal.ITIMER_REAL, deadline_s)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    connection.send(do(job))


def _received(ended: _Running[J], deadline_s: float) -> Any:
    result: Any = None
    is_whole = True
    try:
        result = ended.connection.recv()
    except EOFError:
        is_whole = False
    ended.connection.close()
    ended.process.join(_GRACE_S)
    if ended.process.is_alive():
        ended.process.kill()
        ended.process.join()
    if is_whole:
        return result
    code = ended.process.exitcode
    if code == -signal.SIGALRM:
        return Lost(f"no end within {deadline_s:g} s", is_late=True)
    return Lost(f"killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}")
