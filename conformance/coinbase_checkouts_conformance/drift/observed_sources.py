"""
Where traffic comes from: cassettes, HAR files, the log of the client's drift sensor, and a server that is asked.
"""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from coinbase_checkouts.errors import CheckoutsError
from coinbase_checkouts_conformance.cassettes import CassetteError, read_text
from coinbase_checkouts_conformance.control import Control
from coinbase_checkouts_conformance.description import Description, description
from coinbase_checkouts_conformance.judge import BrokenError
from coinbase_checkouts_conformance.target import NOBODYS_ID, BadUrlError, Target, filled
from coinbase_checkouts_conformance.tokens import Tokens
from coinbase_checkouts_conformance.traffic import (
    Conversation,
    Place,
    Recorded,
    TrafficError,
    from_cassette,
    from_har,
    from_vcr,
    matched,
    recorded,
)
from coinbase_checkouts_conformance.wire import Limits, NotTriedError, Reply, UnreachableError, Wire

from .document import Document
from .observed import SANDBOX, Observed, Witness, event_of
from .observing import operations
from .problems import CouldNotCompareError

_CASSETTES: Final = ("*.yaml", "*.yml", "*.json")
_LONGEST_LINE_BYTES: Final = 64 * 1024
_MOST_NAMED: Final = 10
# Of a server that is asked.
_PAGE_SIZE: Final = 20
_MOST_PAGES: Final = 3
_LIMIT_S: Final = 120.0
_REQUESTS_PER_S: Final = 5.0


@dataclass
class Collector:
    """
    Hands traffic to *observed*, and remembers what was left out.

    Args:
        hosts: Whose traffic counts in HAR files and other people's cassettes, besides the description's servers and
            this machine.
        also: Is handed each answer, too, with its provenance and operation.

    Attributes:
        targets: With whom the traffic was, by provenance.
        files: What was read, by provenance.
    """

    observed: Observed
    document: Document
    hosts: frozenset[str] = frozenset()
    also: Callable[[str, str, Recorded, Witness], None] | None = None
    targets: dict[str, dict[str, None]] = field(default_factory=dict)
    files: dict[str, dict[str, None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by = Description(json.dumps(self.document.data).encode())
        try:
            are_named = set(self._by.operations) == set(operations(self.document))
        except (KeyError, TypeError, AttributeError):
            are_named = False
        if not are_named:
            raise CouldNotCompareError(f"{self.document.name}: has an operation without an operationId of its own")
        servers = self.document.root.get("servers")
        named = (_host(at.text("url") or "") for at in (servers.elements() if servers else ()))
        self._hosts = {*self.hosts, *filter(None, named)}
        self._others: Counter[str] = Counter()
        self._unknown = 0

    def cassettes(self, folder: Path) -> None:
        """
        All cassettes in *folder*: ours, which say where they come from, and anybody's.

        Raises:
            CouldNotCompareError: There is none, or one of them is damaged.
        """
        paths = sorted({path for pattern in _CASSETTES for path in folder.rglob(pattern)})
        if not paths:
            why = "no cassette in there" if folder.is_dir() else "there is no such folder"
            raise CouldNotCompareError(f"{folder}: {why}")
        for path in paths:
            try:
                # Ours begin with it; what was changed in them by hand is refused.
                if read_text(path).startswith("provenance:"):
                    conversation = from_cassette(path)
                    self._conversation(conversation, conversation.standing, is_ours=True)
                else:
                    self._conversation(from_vcr(path, standing="cassette"), "cassette")
            except (CassetteError, TrafficError) as exc:
                raise CouldNotCompareError(str(exc)) from None

    def har(self, path: Path) -> None:
        """
        A HAR file.

        Raises:
            CouldNotCompareError: It is none.
        """
        try:
            self._conversation(from_har(path, standing="har"), "har")
        except TrafficError as exc:
            raise CouldNotCompareError(str(exc)) from None

    def log(self, path: Path) -> None:
        """
        What the client's drift sensor wrote, a JSON object on each line; damaged lines are left out.

        Raises:
            CouldNotCompareError: It cannot be read, or no line of it is whole.
        """
        damaged: list[int] = []
        odd: dict[str, list[int]] = {}
        number = 0
        try:
            with path.open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE_BYTES), b""), 1):
                    if not line.strip():
                        continue
                    read = _logged(line)
                    if read is None:
                        damaged.append(number)
                        continue
                    try:
                        where = f"{path.name}:{number}"
                        self.observed.logged(read, Witness(where, "log", read["operation"], None, read["pointer"]))
                    except CouldNotCompareError as exc:
                        odd.setdefault(str(exc), []).append(number)
        except OSError as exc:
            raise CouldNotCompareError(f"{path}: {exc.strerror or 'cannot be read'}") from None
        if damaged and not (self.observed.exchanges["log"] or odd):
            raise CouldNotCompareError(f"{path}: no line is what the drift sensor writes")
        if damaged:
            self.notes.append(f"{path.name}: {_lines(damaged)} left out: not what the drift sensor writes")
        self.notes += [f"{path.name}: {_lines(numbers)} left out: {why}" for why, numbers in odd.items()]
        if not number:
            self.notes.append(f"{path.name}: is empty, so the drift sensor has seen none")
        self._told("log", path.name, "")

    def server(self, base_url: str, key_file: Path, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """
        Ask a server, with GET only: for its list, for each checkout of it, and for one that does not exist.

        Args:
            transport: In place of the network, for a server in this process.

        Raises:
            CouldNotCompareError: There is none, or it does not take the key.
        """
        try:
            target, tokens = Target.parse(base_url), Tokens(key_file)
        except (BadUrlError, CheckoutsError) as exc:
            raise CouldNotCompareError(str(exc)) from None
        limits = Limits(run_s=_LIMIT_S, rate=None if target.is_loopback else _REQUESTS_PER_S)
        with Wire(target, limits, transport, is_safe=True) as wire:
            try:
                provenance = SANDBOX if Control(wire).now() is not None else "live"
                asked = _Asker(wire, tokens, Conversation(str(target), provenance, str(target)))
                asked.all()
            except (UnreachableError, NotTriedError) as exc:
                raise CouldNotCompareError(str(exc)) from None
        if not asked.conversation.exchanges:
            raise CouldNotCompareError(f"{target}: {asked.missed[0]}")
        if asked.is_refused:
            raise CouldNotCompareError(f"{target}: does not take this key: it answers {asked.is_refused}")
        self.notes += [f"{target}: {why}" for why in asked.missed]
        self._conversation(asked.conversation, provenance, is_ours=True)

    def _conversation(self, conversation: Conversation, provenance: str, *, is_ours: bool = False) -> None:
        for exchange in conversation:
            body = event_of(exchange)
            found = matched(self._by, exchange.method, exchange.path)
            if body is not None:
                witness = Witness(str(exchange.place), provenance, str(body["eventType"]))
                self.observed.event(body, exchange.request_headers, witness)
            elif not is_ours and not self._is_taken(exchange):
                self._others[_host(exchange.place.target) or "?"] += 1
                continue
            elif found is None:
                # What a run of the suite says to a sandbox's controls is no traffic of the API's.
                self._unknown += not is_ours
                continue
            else:
                witness = Witness(str(exchange.place), provenance, found[0].id, exchange.status)
                self.observed.answer(found[0].id, exchange, witness)
                if self.also is not None:
                    self.also(provenance, found[0].id, exchange, witness)
            self._told(provenance, conversation.name, exchange.place.target or conversation.target)

    def _is_taken(self, exchange: Recorded) -> bool:
        host = _host(exchange.place.target)
        return host in self._hosts or _is_here(host)

    def _told(self, provenance: str, file: str, target: str) -> None:
        self.files.setdefault(provenance, {})[file] = None
        if target:
            scheme, _, rest = target.partition("://")
            # Without what somebody signs in with.
            self.targets.setdefault(provenance, {})[f"{scheme}://{rest.rpartition('@')[2]}" if rest else target] = None

    def done(self) -> None:
        """
        Say what was left out.

        Raises:
            CouldNotCompareError: That is everything.
        """
        if self._others:
            number = sum(self._others.values())
            hosts = ", ".join(list(self._others)[:_MOST_NAMED])
            self.notes.append(f"{_many(number, 'exchange')} with other hosts left out ({hosts}); --host takes one in")
        if self._unknown:
            self.notes.append(f"{_many(self._unknown, 'exchange')} left out that no described operation fits")
        if not (self.observed.exchanges or "log" in self.files):
            left_out = f" ({'; '.join(self.notes)})" if self.notes else ""
            raise CouldNotCompareError(f"there is no exchange with the Checkouts API in that traffic{left_out}")
        if self.observed.is_cut:
            self.notes.append("there is more than is told here")


class _Asker:
    """What is asked of a server; *missed* says which answers did not come whole."""

    def __init__(self, wire: Wire, tokens: Tokens, conversation: Conversation) -> None:
        self._wire = wire
        self._tokens = tokens
        self._paths = {name: one.path for name, one in description().operations.items()}
        self.conversation = conversation
        self.missed: list[str] = []
        self.is_refused = 0

    def all(self) -> None:
        """Pages, what is on them, and a checkout that does not exist."""
        found: list[str] = []
        page = {"pageSize": str(_PAGE_SIZE)}
        for _ in range(_MOST_PAGES):
            reply = self._get(self._paths["listCheckouts"], page)
            if reply is not None and reply.status in (401, 403):
                self.is_refused = reply.status
                return
            content = self.conversation.exchanges[-1].json if reply is not None else None
            content = content if isinstance(content, dict) else {}
            checkouts = content.get("checkouts")
            ids = (one.get("id") for one in checkouts if isinstance(one, dict)) if isinstance(checkouts, list) else ()
            found += [one for one in ids if isinstance(one, str) and one and len(found) < _PAGE_SIZE]
            token = content.get("nextPageToken")
            if not isinstance(token, str) or not token:
                break
            page = {**page, "pageToken": token}
        for checkout in (*dict.fromkeys(found[:_PAGE_SIZE]), NOBODYS_ID):
            self._get(filled(self._paths["getCheckout"], id=checkout), {})

    def _get(self, path: str, query: Mapping[str, str]) -> Reply | None:
        request = httpx.Request("GET", self._wire.target.url(path), params=query or None)
        try:
            reply = self._wire.send(request, self._tokens.valid)
        except BrokenError as exc:
            # Paths have ids in them, which are nobody's business.
            why = f"one answer did not come whole: {exc.what}"
            self.missed += [] if why in self.missed else [why]
            return None
        place: Place = self.conversation.place()
        self.conversation.exchanges.append(recorded(place, request, reply.status, reply.headers, reply.content))
        return reply


def _logged(line: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict) or not all(
        isinstance(read.get(key), str) for key in ("operation", "kind", "pointer")
    ):
        return None
    return read if isinstance(read.get("value"), str | None) else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_here(host: str) -> bool:
    """Whether it is this machine, or a name that is set aside for tests."""
    if host in ("localhost", "testserver") or host.endswith((".localhost", ".invalid", ".test")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lines(numbers: Iterable[int]) -> str:
    found = list(numbers)
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"line{'s' if len(found) > 1 else ''} {', '.join(map(str, found[:_MOST_NAMED]))}{more}"


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number != 1 else ''}"
