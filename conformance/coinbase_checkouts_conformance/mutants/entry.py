"""Wrong about who may ask: tokens that are forgiven, and good ones that are not taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt

from coinbase_checkouts_conformance.layer import OPERATIONS, Ask, Reply, content_of, error

from .catalogue import AUTH, Mutant, Server, Shelf

_AUTH: Final = Shelf(AUTH)

Claims = Mapping[str, Any]


def mutants() -> list[Mutant]:
    """All of this module."""
    return _AUTH.mutants


def forgives(*claims: str, on: frozenset[str] = OPERATIONS) -> Callable[[Callable[[Ask], bool]], Callable[[Ask], bool]]:
    """A server that takes what the sandbox answers 401, if the decorated function says so: it signs it anew."""

    def put(takes: Callable[[Ask], bool]) -> Callable[[Ask], bool]:
        async def answer(server: Server, ask: Ask) -> Reply:
            return await server.forward(server.signed(ask) if ask.act in on and takes(ask) else ask)

        _AUTH.add(takes, claims, answer)
        return takes

    return put


def _authorization(ask: Ask) -> str | None:
    value = dict(ask.headers).get(b"authorization")
    return None if value is None else value.decode("latin-1")


def _token(ask: Ask) -> tuple[Claims, Claims] | None:
    """Header and claims of a token, whatever they are worth."""
    scheme, _, token = (_authorization(ask) or "").partition(" ")
    try:
        return jwt.get_unverified_header(token or scheme), jwt.decode(
            token or scheme, options={"verify_signature": False}
        )
    except jwt.PyJWTError:
        return None


def _uri(ask: Ask) -> tuple[str, str, str]:
    """Method, host and path that a token is for; empty if there is none."""
    read = _token(ask)
    method, _, rest = str(read[1].get("uri", "") if read else "").partition(" ")
    host, slash, path = rest.partition("/")
    return method, host, slash + path


def _is_current(ask: Ask) -> bool:
    read = _token(ask)
    return read is not None and read[1].get("nbf", 0) - 60 <= time.time() <= read[1].get("exp", 0) + 60


@forgives("auth.no-token")
def no_token_is_fine(ask: Ask) -> bool:
    """No token is asked for."""
    return _authorization(ask) is None


@forgives("auth.no-token", on=frozenset({"get"}))
def no_token_to_get(ask: Ask) -> bool:
    """Whoever knows a checkout's id may read it."""
    return _authorization(ask) is None


@forgives("auth.no-token", on=frozenset({"list"}))
def no_token_to_list(ask: Ask) -> bool:
    """Anybody may list."""
    return _authorization(ask) is None


@forgives("auth.no-token", on=frozenset({"create"}))
def no_token_to_create(ask: Ask) -> bool:
    """Anybody may create."""
    return _authorization(ask) is None


@forgives("auth.no-token", on=frozenset({"deactivate"}))
def no_token_to_deactivate(ask: Ask) -> bool:
    """Anybody may deactivate."""
    return _authorization(ask) is None


@forgives("auth.no-token", on=frozenset({"refund"}))
def no_token_to_refund(ask: Ask) -> bool:
    """Anybody may refund."""
    return _authorization(ask) is None


@_AUTH.server("auth.before-anything")
async def looks_before_it_asks(server: Server, ask: Ask) -> Reply:
    """Whoever asks for a checkout that there is not is told so, with a token or without."""
    reply = await server.forward(ask)
    is_missing = reply.status == 401 and ask.checkout_id and not await server.read(ask, ask.checkout_id)
    return error(404, "not_found") if is_missing else reply


@forgives("auth.garbage")
def any_token_will_do(ask: Ask) -> bool:
    """What stands behind Bearer is not looked at."""
    return (_authorization(ask) or "").startswith("Bearer ")


@forgives("auth.garbage")
def empty_bearer_will_do(ask: Ask) -> bool:
    """Bearer alone is enough."""
    return _authorization(ask) == "Bearer"


@forgives("auth.scheme")
def any_scheme_will_do(ask: Ask) -> bool:
    """A good token may stand behind any scheme."""
    return _token(ask) is not None and not (_authorization(ask) or "").startswith("Bearer ")


@forgives("auth.scheme")
def no_scheme_will_do(ask: Ask) -> bool:
    """A good token may stand without a scheme."""
    return _token(ask) is not None and " " not in (_authorization(ask) or "")


@forgives("auth.other-path")
def token_is_for_any_path(ask: Ask) -> bool:
    """A token for one path opens every other."""
    return _uri(ask)[2] not in ("", ask.path) and _uri(ask)[0] == ask.method


@forgives("auth.other-path")
def token_is_for_paths_below(ask: Ask) -> bool:
    """A token for the listing opens every checkout."""
    return _uri(ask)[0] == ask.method and _uri(ask)[2] != "" and ask.path.startswith(f"{_uri(ask)[2]}/")


@forgives("auth.other-method")
def token_is_for_any_method(ask: Ask) -> bool:
    """A token for GET is good for POST."""
    return _uri(ask)[0] not in ("", ask.method) and _uri(ask)[2] == ask.path


@forgives("auth.other-host")
def token_is_for_any_host(ask: Ask) -> bool:
    """A token for another host is taken."""
    return _uri(ask)[1] not in ("", "127.0.0.1") and _uri(ask)[2] == ask.path and _uri(ask)[0] == ask.method


@forgives("auth.expired")
def token_never_expires(ask: Ask) -> bool:
    """A token that has expired is taken."""
    read = _token(ask)
    return read is not None and read[1].get("exp", 0) < time.time()


@forgives("auth.expired", on=frozenset({"refund"}))
def token_never_expires_for_refunds(ask: Ask) -> bool:
    """A token that has expired is taken for a refund."""
    return token_never_expires(ask)


@forgives("auth.not-yet-valid")
def token_begins_early(ask: Ask) -> bool:
    """A token whose time has not come is taken."""
    read = _token(ask)
    return read is not None and read[1].get("nbf", 0) > time.time() + 60


@forgives("auth.forged")
def signature_is_not_checked(ask: Ask) -> bool:
    """A token is believed, whoever signed it."""
    read = _token(ask)
    return read is not None and read[0]["alg"] != "none" and _is_current(ask) and _uri(ask)[2] == ask.path


@forgives("auth.forged", on=frozenset({"deactivate"}))
def signature_is_not_checked_to_deactivate(ask: Ask) -> bool:
    """A token is believed when it deactivates, whoever signed it."""
    return signature_is_not_checked(ask)


@forgives("auth.unsigned")
def unsigned_is_fine(ask: Ask) -> bool:
    """A token with alg none is believed."""
    read = _token(ask)
    return read is not None and read[0]["alg"] == "none"


async def acts_unasked(server: Server, ask: Ask, on: frozenset[str] = OPERATIONS) -> Reply:
    """The answer is 401, and what was asked for is done."""
    reply = await server.forward(ask)
    if reply.status == 401 and ask.act in on:
        await server.forward(server.signed(ask))
    return reply


@_AUTH.server("auth.nothing-happens")
async def acts_before_it_asks(server: Server, ask: Ask) -> Reply:
    """What is answered 401 was done all the same."""
    return await acts_unasked(server, ask)


@_AUTH.server("auth.nothing-refunded")
async def refunds_before_it_asks(server: Server, ask: Ask) -> Reply:
    """A refund that is answered 401 is done all the same."""
    return await acts_unasked(server, ask, frozenset({"refund"}))


@_AUTH.server("auth.other-method")
async def creates_before_it_asks(server: Server, ask: Ask) -> Reply:
    """A create that is answered 401 has made a checkout."""
    return await acts_unasked(server, ask, frozenset({"create"}))


@_AUTH.server("auth.no-token")
async def forbidden_and_not_unauthorized(server: Server, ask: Ask) -> Reply:
    """Without a token the answer is 403."""
    reply = await server.forward(ask)
    return error(403, "forbidden") if reply.status == 401 else reply


@_AUTH.server("auth.garbage")
async def unauthorized_is_called_something_else(server: Server, ask: Ask) -> Reply:
    """A 401 has the errorType of a bad request."""
    reply = await server.forward(ask)
    return error(401, "invalid_request") if reply.status == 401 else reply


@_AUTH.server("auth.expired")
async def a_bad_token_is_a_500(server: Server, ask: Ask) -> Reply:
    """A token that has expired is answered 500."""
    return error(500, "internal_server_error") if token_never_expires(ask) else await server.forward(ask)


@_AUTH.server("auth.query-not-signed")
async def query_must_be_signed(server: Server, ask: Ask) -> Reply:
    """A token for a listing must have the query in its uri."""
    if ask.query and ask.act == "list" and "?" not in _uri(ask)[2]:
        return error(401, "unauthorized")
    return await server.forward(ask)


@_AUTH.server("get.changes-nothing")
async def a_token_opens_once_per_checkout(server: Server, ask: Ask) -> Reply:
    """A checkout can be read once, and then never again."""
    if ask.act == "get" and server.seen.setdefault(ask.path, ask) is not ask:
        return error(401, "unauthorized")
    return await server.forward(ask)


@_AUTH.server("get.the-right-one")
async def only_the_newest_may_be_read(server: Server, ask: Ask) -> Reply:
    """Of several checkouts only the newest may be read."""
    if ask.act == "get" and server.seen.get("newest", ask.checkout_id) != ask.checkout_id:
        return error(403, "forbidden")
    reply = await server.forward(ask)
    if ask.act == "create" and reply.is_good:
        server.seen["newest"] = content_of(reply.body)["id"]
    return reply
