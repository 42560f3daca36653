"""Several keys, and what each may do."""

from __future__ import annotations

import json
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from coinbase_checkouts_sandbox import cli
from coinbase_checkouts_sandbox.keys import KeyFileError, VerificationKey, parse, read_or_create
from coinbase_checkouts_sandbox.money import FEE_RATE
from coinbase_checkouts_sandbox.readings import DEFAULT

if TYPE_CHECKING:
    from tests.sandbox.conftest import Server

PATH = "/api/v1/checkouts"
BODY = {"amount": "5.00", "currency": "USDC"}
ID = "organizations/a/apiKeys/b"


@dataclass(frozen=True)
class Caller:
    """Whoever has a key file."""

    url: str
    key_file: Path

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request with a fresh token."""
        key = json.loads(self.key_file.read_text())
        now = int(time.time())
        claims = {"sub": key["id"], "iss": "cdp", "nbf": now, "exp": now + 120, "uri": f"{method} 127.0.0.1{path}"}
        token = jwt.encode(claims, key["privateKey"], algorithm="ES256", headers={"kid": key["id"]})
        return httpx.request(method, self.url + path, json=body, headers={"Authorization": f"Bearer {token}"})


def paid(url: str, caller: Caller) -> str:
    """The id of a new checkout that was paid."""
    checkout_id = str(caller.call("POST", PATH, BODY).json()["id"])
    done = httpx.post(f"{url}/__sandbox__/checkouts/{checkout_id}/pay", json={"outcome": "COMPLETED"})
    assert 200 == done.status_code
    return checkout_id


def test_each_key_has_its_rights(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    Two keys may do everything, a view-only one everything but refund, a revoked one nothing; all are written 0600.
    """
    flags = ["--key-file", "one", "--key-file", "two", "--view-only-key-file", "view", "--revoked-key-file", "gone"]
    server = serve("--database", "sqlite://", *flags)
    one, two, view, gone = (Caller(server.url, tmp_path / name) for name in ("one", "two", "view", "gone"))
    assert {0o600} == {stat.S_IMODE(caller.key_file.stat().st_mode) for caller in (one, two, view, gone)}
    assert 4 == len({json.loads(caller.key_file.read_text())["id"] for caller in (one, two, view, gone)})

    for prefix in ("", "/sandbox"):
        checkout_id = paid(server.url, view)
        refund = f"{prefix}{PATH}/{checkout_id}/refund"
        refused = view.call("POST", refund, {"amount": "1"})
        assert (403, "forbidden") == (refused.status_code, refused.json()["errorType"])
        assert "transfer" in refused.json()["errorMessage"]
        assert {"errorType", "errorMessage", "correlationId", "errorLink"} == set(refused.json())
        assert "refunds" not in view.call("GET", f"{PATH}/{checkout_id}").json()
        assert [200, 200] == [caller.call("POST", refund, {"amount": "1"}).status_code for caller in (one, two)]

    other = view.call("POST", PATH, BODY).json()["id"]
    assert 3 == len(view.call("GET", PATH).json()["checkouts"])
    assert 200 == view.call("POST", f"{PATH}/{other}/deactivate").status_code
    for method, path in (("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/{other}"), ("POST", f"{PATH}/{other}/refund")):
        answer = gone.call(method, path, BODY)
        assert (401, "unauthorized") == (answer.status_code, answer.json()["errorType"])
        assert ("Bearer", True) == (answer.headers["www-authenticate"], "revoked" in answer.json()["errorMessage"])

    server.stop()
    log = server.log.read_text()
    assert [2, 1, 1] == [log.count(f"written just now; {rights})") for rights in ("all rights", "view only", "revoked")]
    assert "PRIVATE" not in log


def test_viewing_may_be_enough_to_refund(serve: Callable[..., Server], tmp_path: Path) -> None:
    """
    In the other reading a view-only key may refund, too.
    """
    flags = ["--view-only-key-file", "view", "--reading", "refund-scope=view"]
    server = serve("--database", "sqlite://", *flags)
    view = Caller(server.url, tmp_path / "view")
    answer = view.call("POST", f"{PATH}/{paid(server.url, view)}/refund", {"amount": "1"})
    assert (200, "PENDING") == (answer.status_code, answer.json()["refund"]["status"])


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A fresh one."""
    path = tmp_path / "key.json"
    read_or_create(path, fresh_id=ID)
    return path


def said(path: Path, **more: Any) -> Path:
    """The key file, and what it says beside the key."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    return path


@pytest.mark.parametrize(
    ("more", "may_transfer", "revoked"),
    [
        ({}, True, False),
        ({"scopes": ["rat#view"]}, False, False),
        ({"scopes": ["rat#view", "rat#trade"]}, False, False),
        ({"scopes": ["rat#view", "rat#trade", "rat#transfer"]}, True, False),
        ({"scopes": ["rat/portfolio:8bfc20d7-f7c6-4422-bf07-8243ca4169fe#transfer"]}, True, False),
        ({"scopes": ["rat#transferred"]}, False, False),
        ({"scopes": [5, None]}, False, False),
        ({"scopes": []}, True, False),
        ({"scopes": None}, True, False),
        ({"enabled": True}, True, False),
        ({"enabled": False}, True, True),
        ({"enabled": None}, True, False),
        ({"enabled": False, "scopes": ["rat#view"]}, False, True),
    ],
)
def test_a_file_may_say_so_itself(key_file: Path, more: dict[str, Any], may_transfer: bool, revoked: bool) -> None:
    """
    Older files list scopes and whether the key is enabled; a file that does not has all rights.
    """
    key = parse(said(key_file, **more).read_bytes())
    assert (may_transfer, revoked) == (key.may_transfer, key.revoked)


def known(**files: tuple[Path, ...]) -> dict[str, VerificationKey]:
    """The keys of a server that is given these files."""
    settings = cli.Settings(
        **{"key_files": (), "view_only_key_files": (), "revoked_key_files": (), **files},
        database="sqlite://",
        auth=True,
        readings=DEFAULT,
        fee_rate=FEE_RATE,
        remote_control=False,
        remote_webhooks=False,
    )
    return settings._keys()


@pytest.mark.parametrize(
    ("flag", "more", "may_transfer", "revoked"),
    [
        ("key_files", {"scopes": ["rat#view"]}, False, False),
        ("key_files", {"enabled": False}, True, True),
        ("view_only_key_files", {"scopes": ["rat#transfer"]}, False, False),
        ("view_only_key_files", {"enabled": False}, False, True),
        ("revoked_key_files", {"enabled": True}, True, True),
        ("revoked_key_files", {"scopes": ["rat#view"]}, False, True),
    ],
)
def test_a_flag_only_takes_away(
    key_file: Path, flag: str, more: dict[str, Any], may_transfer: bool, revoked: bool
) -> None:
    """
    Of what the file says and what the flag says the lesser right counts.
    """
    [key] = known(**{flag: (said(key_file, **more),)}).values()
    assert (ID, may_transfer, revoked) == (key.id, key.may_transfer, key.revoked)


@pytest.mark.parametrize("other", ["key_files", "view_only_key_files", "revoked_key_files"])
def test_a_key_is_given_once(key_file: Path, tmp_path: Path, other: str) -> None:
    """
    The same key under two flags, as one file or two, is refused: which of its rights count would be a guess.
    """
    copy = tmp_path / "copy.json"
    shutil.copy(key_file, copy)
    files = {"key_files": (key_file,), other: (copy,)} if other != "key_files" else {other: (key_file, copy)}
    with pytest.raises(KeyFileError, match=r"copy\.json: its key was given before"):
        known(**files)
    with pytest.raises(KeyFileError, match="given before"):
        known(**{"key_files": (key_file, key_file)} if other == "key_files" else {**files, other: (key_file,)})


def test_a_key_given_twice_ends_the_command(
    key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The command ends with 2 and one line that names the file.
    """
    monkeypatch.chdir(tmp_path)
    arguments = ["--key-file", "key.json", "--revoked-key-file", "key.json"]
    assert 2 == cli.main(["--port", "0", "--database", "sqlite://", *arguments])
    out, err = capsys.readouterr()
    assert ("", "coinbase-checkouts sandbox: key file key.json: its key was given before\n") == (out, err)
