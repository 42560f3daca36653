"""Other machines: kept out unless told otherwise, and then with tokens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from coinbase_checkouts_sandbox import cli
from coinbase_checkouts_sandbox.loopback import is_loopback

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox, Server

PATH = "/api/v1/checkouts"
ADVANCE = "/__sandbox__/clock/advance"
CONTROL = [
    ("GET", "/__sandbox__/"),
    ("POST", ADVANCE),
    ("GET", "/__sandbox__/snapshot"),
    ("POST", "/__sandbox__/reset"),
]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:192.168.0.1", False),
        ("192.168.0.1", False),
        ("128.0.0.1", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f.0.0.1", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example", False),
        ("127.0.0.1 ", False),
    ],
)
def test_what_means_this_machine(host: str, expected: bool) -> None:
    """
    Loopback addresses as they are usually written, and localhost; no name is resolved, and no other spelling believed.
    """
    assert expected == is_loopback(host)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "add --allow-remote"),
        (["--host", "::"], "add --allow-remote"),
        (["--host", ""], "add --allow-remote"),
        (["--host", "192.168.0.1"], "add --allow-remote"),
        (["--host", "0.0.0.0", "--no-auth"], "add --allow-remote"),
        (["--host", "0.0.0.0", "--allow-remote-control"], "add --allow-remote"),
        (["--host", "0.0.0.0", "--allow-remote", "--no-auth"], "leave --no-auth out"),
        (["--host", "0.0.0.0", "--allow-remote", "--allow-remote-control", "--no-auth"], "leave --no-auth out"),
        (["--allow-remote-control"], "means nothing without --allow-remote"),
    ],
)
def test_other_machines_are_let_in_on_purpose_only(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    """
    An address that others can reach takes --allow-remote and tokens: otherwise the command ends with 2, and no file.
    """
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(["--port", "0", *arguments])
    out, err = capsys.readouterr()
    assert (2, "", True) == (caught.value.code, out, told in err.splitlines()[-1])
    assert [] == list(tmp_path.iterdir())


def statuses(sandbox: Sandbox, **headers: str) -> list[int]:
    """Of control calls."""
    return [
        sandbox.call(method, path, json={"seconds": 60} if path == ADVANCE else None, headers=headers).status_code
        for method, path in CONTROL
    ]


@pytest.mark.parametrize("client", ["192.168.0.7", "::ffff:192.168.0.7", "fe80::1", "testclient", ""])
@pytest.mark.parametrize("host", ["127.0.0.1:8402", "192.168.0.2:8402", "localhost"])
def test_control_calls_of_others_are_refused(sandbox_with: Callable[..., Sandbox], client: str, host: str) -> None:
    """
    Whatever Host they write, other machines may not move the clock, and are asked for a token by the API.
    """
    sandbox = sandbox_with(client=(client, 1), keys={})
    assert [403] * len(CONTROL) == statuses(sandbox, Host=host)
    assert "--allow-remote-control" in sandbox.call("GET", "/__sandbox__/").json()["errorMessage"]
    assert 401 == sandbox.call("GET", PATH, headers={"Host": host}).status_code


@pytest.mark.parametrize("client", ["192.168.0.7", "127.0.0.1"])
@pytest.mark.parametrize("host", ["192.168.0.2:8402", "sandbox:8402", "[fd00::2]:8402", "127.0.0.1:8402"])
def test_control_calls_of_others_may_be_allowed(sandbox_with: Callable[..., Sandbox], client: str, host: str) -> None:
    """
    With --allow-remote-control they are answered under any name; the API's own calls still take a token.
    """
    sandbox = sandbox_with(client=(client, 1), keys={}, remote_control=True)
    assert [200] * len(CONTROL) == statuses(sandbox, Host=host)
    assert [200] * len(CONTROL) == statuses(sandbox, Host=host, Origin=f"http://{host}")
    assert 401 == sandbox.call("GET", PATH, headers={"Host": host}).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://192.168.0.2"},
        {"Origin": "https://192.168.0.2:8402"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example/x", "Origin": "http://evil.example/x"},
        {"Host": "a b"},
        {"Host": "user@192.168.0.2"},
    ],
)
@pytest.mark.parametrize("client", ["192.168.0.7", "127.0.0.1"])
def test_allowed_to_machines_is_not_to_pages(
    sandbox_with: Callable[..., Sandbox], client: str, headers: dict[str, str]
) -> None:
    """
    Also with --allow-remote-control a page of another origin may do nothing, in whosever browser it is.
    """
    sandbox = sandbox_with(client=(client, 1), keys={}, remote_control=True)
    assert [403] * len(CONTROL) == statuses(sandbox, **{"Host": "192.168.0.2:8402", **headers})
    assert "2026-11-20T12:00:00.000Z" == sandbox.call("GET", "/__sandbox__/").json()["now"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8402", "127.0.0.1.evil.example", "192.168.0.2"])
def test_a_name_that_is_pointed_here_is_refused(sandbox_with: Callable[..., Sandbox], host: str) -> None:
    """
    A page whose own name leads to this machine (DNS rebinding) gets no control, with tokens or without.
    """
    guarded: dict[str, Any] = {"keys": {}}
    for options in (guarded, {}):
        sandbox = sandbox_with(**options)
        assert [403] * len(CONTROL) == statuses(sandbox, Host=host)
        assert [403] * len(CONTROL) == statuses(sandbox, Host=host, Origin=f"http://{host}")


@pytest.mark.parametrize("options", [{"keys": {}}, {}, {"keys": {}, "remote_control": True}])
def test_a_delivery_is_no_control_call(sandbox_with: Callable[..., Sandbox], options: dict[str, Any]) -> None:
    """
    A webhook whose target is the sandbox itself is refused; else a token from another machine could reset it.
    """
    sandbox = sandbox_with(**options)
    assert [403] * len(CONTROL) == statuses(sandbox, **{"X-Event-Id": "00000000-0000-4000-8000-000000000001"})


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses that others can reach; a container may have none."""
    trie = Path("/proc/net/fib_trie")
    found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", trie.read_text()) if trie.exists() else []
    return sorted({address for address in found if not ip_address(address).is_loopback})[:1]


# In a process of its own: in this one the network is closed but for loopback.
ASK = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for method, url in json.loads(sys.argv[1]):
    body = b'{"seconds": 60}' if method == "POST" else None
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        print(opener.open(asked, timeout=20).status)
    except urllib.error.HTTPError as exc:
        print(exc.code)
"""


def asked_from(base: str, asked: list[tuple[str, str]]) -> list[int]:
    """Statuses of these requests to *base*; who asks has the same address."""
    calls = json.dumps([(method, base + path) for method, path in asked])
    done = subprocess.run([sys.executable, "-c", ASK, calls], capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


@pytest.mark.parametrize("address", own_addresses())
@pytest.mark.parametrize("more", [[], ["--allow-remote-control"]])
def test_it_is_so_on_a_real_network(serve: Callable[..., Server], address: str, more: list[Any]) -> None:
    """
    On all addresses of the machine the API asks for tokens, and only loopback may control, unless others may, too.
    """
    server = serve("--database", "sqlite://", "--host", "0.0.0.0", "--allow-remote", *more)
    port = server.url.rpartition(":")[2]
    assert f"http://0.0.0.0:{port}" == server.url
    expected = [401, 401, *([200] * len(CONTROL) if more else [403] * len(CONTROL))]
    assert expected == asked_from(f"http://{address}:{port}", [("GET", PATH), ("POST", PATH), *CONTROL])
    local = f"http://127.0.0.1:{port}"
    assert [401, 200] == [httpx.get(local + path).status_code for path in (PATH, "/__sandbox__/")]
