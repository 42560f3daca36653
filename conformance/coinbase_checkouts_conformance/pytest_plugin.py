"""
Fixtures for users' own tests: a sandbox, clients of it, and its webhooks; and `--checkouts-hostile`.

pytest loads this wherever the distribution is installed, extra or not, so it imports pytest and nothing else; what a
fixture needs is imported when somebody asks for it. Nothing is shared by two processes: no file, and no fixed port.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

if TYPE_CHECKING:
    from coinbase_checkouts import ApiKey, AsyncCheckouts, Checkouts
    from coinbase_checkouts_sandbox.inprocess import Sandbox

    from .receiver import Webhooks
    from .watching import Watch

T = TypeVar("T")

_MARKER: Final = "checkouts_sandbox"
_PORT: Final = "checkouts_sandbox_port"
_BACKOFF_S: Final = 0.001
_WATCH: Final = pytest.StashKey["Watch"]()
_EXTRA: Final = "pip install 'coinbase-checkouts[conformance,sandbox]'"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of hostile mode, and where sandboxes listen."""
    parser.addini(_PORT, "serve every checkouts_sandbox on a free port of 127.0.0.1, too", type="bool", default=False)
    group = parser.getgroup("coinbase-checkouts", "coinbase-checkouts: your tests against wrong servers")
    group.addoption(
        "--checkouts-hostile",
        action="store_true",
        help="after the run, run the tests that use the sandbox once more against each of a number of wrong servers, "
        "and tell which of them your tests did not notice or did not survive; exit 1 if there are any",
    )
    group.addoption(
        "--checkouts-hostile-only",
        action="append",
        default=[],
        metavar="NAME",
        help="try this wrong server only; may be repeated",
    )
    group.addoption(
        "--checkouts-hostile-allow",
        action="append",
        default=[],
        metavar="NAME",
        help="do not fail because of this wrong server; may be repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and hostile mode ready if it is asked for."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(**options): options of coinbase_checkouts_sandbox.Sandbox for this test's sandbox; port=True for a "
        "free port, readings=['create=200'] as the command takes them",
    )
    if config.getoption("--checkouts-hostile"):
        hostile = _imported("coinbase_checkouts_conformance.hostile", "--checkouts-hostile")
        config.pluginmanager.register(hostile.HostileMode(config), "checkouts_hostile")


@pytest.fixture
def checkouts_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """
    A sandbox for this test alone, in process: `.pay()`, `.settle()`, `.advance()`, `.fault()`, `.requests` and more.

    `@pytest.mark.checkouts_sandbox(port=True, readings=["create=200"])` gives it options.
    """
    inprocess = _imported("coinbase_checkouts_sandbox.inprocess", "checkouts_sandbox")
    made = _made(inprocess, request)
    if isinstance(made, str):
        pytest.fail(f"checkouts_sandbox: {made}", pytrace=False)
    is_watched = "checkouts_invariants" in request.fixturenames
    watch: Watch | None = request.getfixturevalue("checkouts_invariants") if is_watched else None
    with ExitStack() as stack:
        # This one only: sandboxes that the test starts itself are other worlds.
        with inprocess.wrapping(watch.around) if watch else nullcontext():
            sandbox = stack.enter_context(made)
        yield sandbox


@pytest.fixture
def checkouts(checkouts_sandbox: Sandbox) -> Iterator[Checkouts]:
    """A `coinbase_checkouts.Checkouts` on this test's sandbox, with its key; it retries as always, but at once."""
    client = _imported("coinbase_checkouts.client", "checkouts")
    with checkouts_sandbox.http_client() as http_client:
        made = client.Checkouts(_key(checkouts_sandbox), base_url=checkouts_sandbox.base_url, http_client=http_client)
        yield _prompt(made)


@pytest.fixture
def async_checkouts(checkouts_sandbox: Sandbox) -> AsyncCheckouts:
    """Likewise a `coinbase_checkouts.AsyncCheckouts`, for asyncio. In process it has nothing to close."""
    client = _imported("coinbase_checkouts.client", "async_checkouts")
    http_client = checkouts_sandbox.async_http_client()
    made: AsyncCheckouts = client.AsyncCheckouts(
        _key(checkouts_sandbox), base_url=checkouts_sandbox.base_url, http_client=http_client
    )
    return _prompt(made)


@pytest.fixture
def checkouts_invariants(request: pytest.FixtureRequest) -> Watch:
    """
    Listens to `checkouts_sandbox`, and to any httpx client given to `.watch(client)`; a test that passes all the same
    fails if what it was answered breaks an invariant of the API. `.findings` tells them at any time.
    """
    watching = _imported("coinbase_checkouts_conformance.watching", "checkouts_invariants")
    watch: Watch = watching.Watch(request.node.name)
    request.node.stash[_WATCH] = watch
    return watch


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Hold what a test heard against the invariants, when it has nothing to complain of itself."""
    yield
    watch = item.stash.get(_WATCH, None)
    hostile: Any = item.config.pluginmanager.getplugin("checkouts_hostile")
    # There the question is what the test itself notices, and the server is wrong on purpose.
    if watch is not None and not (hostile and hostile.is_on) and (told := watch.text):
        pytest.fail(told, pytrace=False)


@pytest.fixture
def checkouts_webhooks(checkouts_sandbox: Sandbox) -> Iterator[Webhooks]:
    """
    What this test's sandbox sends to a webhook endpoint: `.events` verified, or `.deliveries` as they came.

    `.hand_to(lambda body, headers: client.post("/webhooks", content=body, headers=headers))` passes them on to the test
    client of a web framework; `.secret` is what they are signed with.
    """
    receiver = _imported("coinbase_checkouts_conformance.receiver", "checkouts_webhooks")
    with receiver.Webhooks(checkouts_sandbox) as webhooks:
        yield webhooks


def _key(sandbox: Sandbox) -> ApiKey:
    made: ApiKey = import_module("coinbase_checkouts.auth").ApiKey(sandbox.key["id"], sandbox.key["privateKey"])
    return made


def _prompt(client: T) -> T:
    """*client* with hardly a wait between attempts: here nobody is given time to recover."""
    # There is no option for it; nobody should want it elsewhere.
    inside = vars(client)
    inside["_policy"] = replace(inside["_policy"], base_s=_BACKOFF_S, cap_s=_BACKOFF_S)
    return client


def _imported(module: str, wanted: str) -> Any:
    """
    The module, for what the user calls *wanted*.

    Raises:
        pytest.fail.Exception, pytest.UsageError: The extra is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as exc:
        missing = (exc.name or "").partition(".")[0]
        told = f"{wanted} needs an extra: {_EXTRA} ({missing} is not installed)"
    if wanted.startswith("--"):
        raise pytest.UsageError(told)
    pytest.fail(told, pytrace=False)


def _made(inprocess: Any, request: pytest.FixtureRequest) -> Sandbox | str:
    """The sandbox with the test's options, or what is wrong with them."""
    try:
        made: Sandbox = inprocess.Sandbox(**_options(request))
    except (TypeError, ValueError) as exc:
        return str(exc)
    return made


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers of the test, its class and its module say together; the nearest wins."""
    options: dict[str, Any] = {"port": request.config.getini(_PORT)}
    for marker in reversed(list(request.node.iter_markers(_MARKER))):
        if marker.args:
            raise TypeError("its marker takes options by name only, such as port=True")
        options |= marker.kwargs
    if isinstance(options["port"], bool):
        options["port"] = 0 if options["port"] else None
    return options
