"""
Your function that gets an event: one that would leave its work undone is an error, and no event is lost by it.

`async def` that nobody awaits, or a `yield` that nobody asks for, runs not a line and returns as if all were well.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

# What stands for work that is yet to be done or, of a pool, is done where its failure is nobody's.
_UNDONE: Final = (Awaitable, Generator, AsyncGenerator, Future)


def expect_handler(name: str, given: object, *, awaited: bool) -> None:
    """
    Look whether *given* does its work when it is called or, if *awaited*, when what it returns is awaited.

    Raises:
        TypeError: It does not, as far as that can be told without calling it.
    """
    if not callable(given):
        raise TypeError(f"{name}: must be a function, not {type(given).__name__}")
    # The first as well: a mock of an asynchronous function is none by its class.
    runs = (given, _function(given))
    if any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in runs):
        raise TypeError(f"{name}: has a `yield` in it, and so would not run when it is called")
    if not awaited and any(map(inspect.iscoroutinefunction, runs)):
        raise TypeError(f"{name}: is declared with `async def`, and nobody would await it here")


def settled(name: str, result: object) -> None:
    """
    Look at what your function returned. It means nothing, whatever it is, unless its work is still to be done.

    Raises:
        TypeError: It is.
    """
    if isinstance(result, _UNDONE):
        end = getattr(result, "close" if isinstance(result, Coroutine | Generator) else "cancel", None)
        if end is not None:
            end()
        raise TypeError(f"{name}: returned {_described(result)}, so its work was not done, and nobody would do it")


async def finished(name: str, result: object) -> None:
    """
    Await what your asynchronous function returned, and look at what comes of it.

    Raises:
        TypeError: It cannot be awaited, or its work is still to be done.
    """
    if not isinstance(result, Awaitable):
        settled(name, result)
        raise TypeError(f"{name}: returned {_described(result)}, which cannot be awaited; declare it with `async def`")
    settled(name, await result)


def _described(result: object) -> str:
    return "None" if result is None else f"an object of type {type(result).__name__}"


def _function(given: Any) -> Any:
    """What runs when *given* is called: of a partial what it is of, of an object its `__call__`."""
    while isinstance(given, partial):
        given = given.func
    return given if inspect.isroutine(given) else type(given).__call__
