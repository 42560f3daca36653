"""
What every client is made of, sync and async: settings, one conversation for each call, connections.

Both kinds drive the same conversations (`calls`); they differ only in how they send and wait.
"""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from .auth import ApiKey, JwtAuth
from .calls import Attempt, Conversation, Surroundings, converse
from .operations import Call, Checks, Made, checked
from .raw import RawResponse, raw
from .retries import RetryPolicy
from .sensor import Drift, Sensor
from .transport import PRODUCTION, AsyncTransport, SyncTransport, checked_base_url

P = ParamSpec("P")
T = TypeVar("T")
DEFAULTS: Final = RetryPolicy()
NO_KEY: Final[Any] = None


def only_key(given: object) -> ApiKey | TypeError:
    """*given*, or the error to raise where it is no longer a local."""
    if isinstance(given, ApiKey):
        return given
    return TypeError(f"api_key must be an ApiKey, not {type(given).__name__}; see ApiKey.from_file")


def _policy(timeout: float, deadline: float, max_retries: int) -> RetryPolicy:
    """
    The settings as the conversations use them.

    Raises:
        ValueError: A setting that would mean no attempt, or one without end.
    """
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError("max_retries: a whole number, 0 or more")
    for name, seconds in (("timeout", timeout), ("deadline", deadline)):
        if not isinstance(seconds, int | float):  # pyright: ignore[reportUnnecessaryIsInstance] -- None is a usual guess
            raise TypeError(f"{name}: seconds, a finite number, not {type(seconds).__name__}")
        # Not `seconds <= 0`: a NaN must not pass.
        if not 0 < seconds < float("inf"):
            raise ValueError(f"{name}: seconds, more than 0 and finite")
    return RetryPolicy(max_retries=max_retries, timeout_s=timeout, deadline_s=deadline)


class Shell:
    """What all of them know; nothing in here sends anything."""

    # Debuggers call repr() on what is half made, too.
    _base_url: str = ""

    def __init__(
        self,
        api_key: ApiKey | TypeError,
        *,
        base_url: str,
        sandbox: bool,
        production: str = PRODUCTION,
        timeout: float,
        deadline: float,
        max_retries: int,
        validate: bool,
        strict: bool,
        on_drift: Callable[[Drift], None] | None,
    ) -> None:
        if isinstance(api_key, TypeError):
            raise api_key
        self._base_url = checked_base_url(base_url, sandbox=sandbox, production=production)
        self._auth = JwtAuth(api_key)
        self._policy = _policy(timeout, deadline, max_retries)
        self._validate = validate
        self._world = Surroundings(
            time.time, time.monotonic, random.random, self._learn_offset, Sensor(on_drift).report, strict
        )

    @property
    def base_url(self) -> str:
        """The address that the paths of the description are added to."""
        return self._base_url

    def with_options(
        self, *, timeout: float | None = None, deadline: float | None = None, max_retries: int | None = None
    ) -> Self:
        """This client with other settings, for one call or many; it shares the connections. None keeps what is."""
        policy = _policy(
            self._policy.timeout_s if timeout is None else timeout,
            self._policy.deadline_s if deadline is None else deadline,
            self._policy.max_retries if max_retries is None else max_retries,
        )
        other = copy.copy(self)
        vars(other).update(_policy=policy)
        return other

    def _checks(self) -> Checks:
        return Checks(self._world.now_s(), enabled=self._validate)

    def _converse(self, call: Call[T], deadline_s: float | None) -> Conversation[T]:
        # A wait has less time left than a call of its own would have.
        limit_s = min(self._policy.deadline_s, deadline_s or self._policy.deadline_s)
        return converse(call, replace(self._policy, deadline_s=limit_s), self._world)

    def _learn_offset(self, seconds: float) -> None:
        self._auth.offset_s = seconds

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._base_url!r})"


class SyncShell(Shell):
    """Sends and waits, blocking."""

    _transport: SyncTransport

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client with the key of the environment (`ApiKey.from_env`); *options* as for the class."""
        return cls(ApiKey.from_env(), **options)

    def _run(self, call: Made[T], *, deadline_s: float | None = None) -> T:
        conversation = self._converse(checked(call), deadline_s)
        step = next(conversation)
        try:
            while True:
                if isinstance(step, Attempt):
                    step = conversation.send(self._transport.send(step))
                else:
                    time.sleep(step.seconds)
                    step = next(conversation)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    def with_raw_response(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        """
        Call one of the methods above and return its result with status, headers, time and attempts.

            raw = checkouts.with_raw_response(checkouts.create, "100.50")
            raw.status, raw.headers["date"], raw.attempts, raw.parsed.url
        """
        return raw(method(*args, **kwargs))

    def close(self) -> None:
        """Close the connections. A closed client raises RuntimeError."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncShell(Shell):
    """Sends and waits on the running event loop."""

    _transport: AsyncTransport

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client with the key of the environment (`ApiKey.from_env`); *options* as for the class."""
        return cls(ApiKey.from_env(), **options)

    async def _run(self, call: Made[T], *, deadline_s: float | None = None) -> T:
        conversation = self._converse(checked(call), deadline_s)
        step = next(conversation)
        try:
            while True:
                if isinstance(step, Attempt):
                    step = conversation.send(await self._transport.send(step))
                else:
                    await asyncio.sleep(step.seconds)
                    step = next(conversation)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]

    async def with_raw_response(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> RawResponse[T]:
        """As `Checkouts.with_raw_response`."""
        return raw(await method(*args, **kwargs))

    async def close(self) -> None:
        """Close the connections. A closed client raises RuntimeError."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
