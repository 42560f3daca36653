"""
`webhook verify` and `webhook listen`: deliveries from a shell.

The secret comes from a file, the environment or a subscription of the command's own, never from the command line,
where everybody on the machine could read it. What is not verified is not shown.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import output
from .arguments import COULD_NOT_RUN, INTERRUPTED, OK, SAID_NO
from .auth import ApiKey
from .commands import find_key
from .errors import CheckoutsError, ConfigurationError, NotFoundError, Refusal, SignatureError
from .interrupting import sigterm_as_interrupt
from .listening import BODY_LIMIT_BYTES, Headers, Then, serve
from .seam import httpx
from .streams import OutputError, tell, write
from .webhooks import Event, verify

_SECRET_LIMIT_BYTES: Final = 64 * 1024
_SUBSCRIPTION_TIMEOUT_S: Final = 10.0


def run(options: argparse.Namespace) -> int:
    """Run the command that *options* name; its exit code, see `arguments`."""
    if options.action not in _ACTIONS:
        from . import subscription_commands  # noqa: PLC0415 -- a client that the others do not need

        return subscription_commands.run(options)
    name = f"coinbase-checkouts webhook {options.action}"
    try:
        return _ACTIONS[options.action](options, name)
    except CheckoutsError as exc:
        tell(f"{name}: {exc}")
        return COULD_NOT_RUN
    except OutputError as exc:
        if not exc.reader_left:
            tell(f"{name}: stdout: {exc}")
        # A reader that has enough, such as head, is no failure.
        return OK if exc.reader_left else COULD_NOT_RUN


def _secrets(options: argparse.Namespace) -> list[str]:
    """
    One secret a line, of the file or the variable; several while they are changed.

    Raises:
        ConfigurationError: None. Repeats neither what was read nor where: the secret itself may have been given.
    """
    if options.secret_env is not None:
        option, text = "--secret-env", os.environ.get(options.secret_env)
        if text is None:
            raise ConfigurationError("--secret-env: there is no variable of this name")
    else:
        option, text = (
            "--secret-file",
            _read("--secret-file", options.secret_file, _SECRET_LIMIT_BYTES).decode(errors="surrogateescape"),
        )
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise ConfigurationError(f"{option}: is empty; it has to have the subscription's secret")
    return found


def _read(option: str, name: str, limit: int) -> bytes:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(limit + 1)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or type(exc).__name__
        raise ConfigurationError(f"{option}: cannot be read: {why}") from None
    if len(content) > limit:
        raise ConfigurationError(f"{option}: is larger than {limit} bytes")
    return content


# One delivery.


def _verify(options: argparse.Namespace, name: str) -> int:
    try:
        secrets = _secrets(options)
        body = _read("FILE", options.file, BODY_LIMIT_BYTES)
    except KeyboardInterrupt:
        tell(f"{name}: interrupted")
        return INTERRUPTED
    now = datetime.now(UTC).timestamp() if options.now is None else options.now
    try:
        event = verify(body, options.header, secrets, now)
    except SignatureError as exc:
        tell(f"{name}: {exc}")
        for line in _hints(exc.reason, body, options.header, secrets, now):
            tell(line)
        return SAID_NO
    if options.json:
        output.event_as_json(event)
    else:
        output.show_event(event)
    return OK


def _hints(
    reason: Refusal, body: bytes, headers: list[tuple[str, str]], secrets: list[str], now: float
) -> Iterator[str]:
    """What a person who saved a delivery may have missed."""
    if reason is Refusal.OUTSIDE_TOLERANCE:
        yield "To look at a delivery of another time, give that time: --now SECONDS"
    shorter = body.rstrip(b"\r\n")
    if reason is Refusal.CODE_MISMATCH and shorter != body:
        with suppress(SignatureError):
            verify(shorter, headers, secrets, now)
            yield "Without the line break at its end the body is right; an editor may have added it."


# Many.


def _listen(options: argparse.Namespace, name: str) -> int:
    try:
        with ExitStack() as stack:
            # So that a subscription is deleted when a supervisor ends the program, too.
            stack.enter_context(sigterm_as_interrupt())
            key = None if options.subscribe is None else find_key(options.key_file)
            secrets = _secrets(options) if key is None else []
            listener = stack.enter_context(_bound(options.host, options.port))
            url = _url(listener, options.path)
            if key is not None:
                secrets.append(stack.enter_context(_subscription(options, key, url, name)))
            return _received(options, name, listener, url, secrets)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return OK


async def _until_stopped(work: Coroutine[Any, Any, bool]) -> bool:
    """What *work* comes to, unless SIGTERM comes; asyncio itself looks after SIGINT."""
    task = asyncio.create_task(work)
    with suppress(RuntimeError):  # of a thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _received(options: argparse.Namespace, name: str, listener: socket.socket, url: str, secrets: list[str]) -> int:
    receiver = _Receiver(secrets, options.count, name, json=options.json)
    line = f"listening on {url}"
    ready = partial(tell, line) if options.json else partial(write, f"{line}\n")
    serving = serve(listener, options.path, receiver.receive, receiver.complain, ready=ready, timeout_s=options.timeout)
    enough = asyncio.run(_until_stopped(serving))
    if enough or options.count is None:
        return OK
    tell(f"{name}: {receiver.shown} of {options.count} events came in time")
    return SAID_NO


class _Receiver:
    """
    Judges deliveries, and shows the good ones.

    Attributes:
        shown: How many were.
    """

    def __init__(self, secrets: list[str], count: int | None, name: str, *, json: bool) -> None:
        self.shown = 0
        self._secrets = secrets
        self._count = count
        self._name = name
        self._json = json
        self._taken = 0

    def receive(self, headers: Headers, body: bytes) -> tuple[int, Then]:
        """The status to answer, and what to do then."""
        if self._taken == self._count:
            # The next one to listen gets it.
            return 503, bool
        try:
            event = verify(body, headers, self._secrets)
        except SignatureError as exc:
            refused = str(exc)
            return 400, lambda: self._refuse(refused)
        self._taken += 1
        return 200, lambda: self._show(event)

    def complain(self, reason: str) -> None:
        """Tell what was refused."""
        tell(f"{self._name}: refused: {reason}")

    def _refuse(self, reason: str) -> bool:
        self.complain(reason)
        return False

    def _show(self, event: Event) -> bool:
        if self._json:
            output.event_as_json(event)
        else:
            output.show_event_line(event)
        self.shown += 1
        return self.shown == self._count


def _bound(host: str, port: int) -> socket.socket:
    """
    A socket that takes connections from now on.

    Raises:
        ConfigurationError: Not an address of this machine alone, or taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConfigurationError(
                "--host: only a loopback address, such as 127.0.0.1 or ::1; "
                "what comes from outside needs a tunnel, and HTTPS"
            )
        return socket.create_server((str(address[0]), port), family=family)
    except (OSError, UnicodeError) as exc:
        why = getattr(exc, "strerror", None) or type(exc).__name__
        raise ConfigurationError(f"--host, --port: cannot listen there: {why}") from None


def _url(listener: socket.socket, path: str) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{'' if path == '/' else path}"


@contextmanager
def _subscription(options: argparse.Namespace, key: ApiKey, target: str, name: str) -> Generator[str]:
    """
    The secret of a subscription of all events to *target*; it is deleted at the end.

    Raises:
        CheckoutsError: There is none.
    """
    from .subscriptions import Subscriptions  # noqa: PLC0415 -- only --subscribe needs it

    # A proxy of the environment would not reach back to this machine either.
    with httpx.Client(trust_env=False) as http:
        client = Subscriptions(
            key, base_url=options.subscribe, timeout=_SUBSCRIPTION_TIMEOUT_S, max_retries=0, http_client=http
        )
        made = client.create(target, description=name)
        try:
            if made.secret is None:
                raise CheckoutsError("--subscribe: the subscription has no secret; nothing could be verified")
            yield made.secret.reveal()
        finally:
            try:
                # What somebody else has deleted is gone as well.
                with suppress(NotFoundError):
                    client.delete(made.id)
            except CheckoutsError as exc:
                tell(f"{name}: the subscription {made.id} was not deleted: {exc}")


_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace, str], int]]] = {"verify": _verify, "listen": _listen}
