"""Databases of other versions: older ones are brought up to date, all else is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from coinbase_checkouts_sandbox import database
from coinbase_checkouts_sandbox.database import DatabaseError, open_store
from coinbase_checkouts_sandbox.tables import METADATA, SCHEMA_VERSION

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox, Server

PATH = "/api/v1/checkouts"
KEY = "7f0a6a3e-5f0e-4c39-8a52-0f7d1c1a2b3c"
ID = "6b00367c748f7d15105f0f12"
REFUND_ID = "6b00367c04874a414f9a3430"
BODY = {"amount": "1.00", "currency": "GBP", "description": "old", "metadata": {"a": "b"}}
HASH = "0xe3814bcd280db28d0d77cbe8248136e87f847dc311653752525813fe1f40e9d5"
ADDRESS, TOKEN = "0xC00Bb0ac72F15C3dBFc6eb58B257887b529fEF57", "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
ANSWERED = (
    f'{{"id":"{ID}","url":"http://127.0.0.1:8402/pay/{ID}","amount":"1.27","currency":"USDC","network":"base",'
    f'"address":"{ADDRESS}","createdAt":"2026-11-20T12:01:00.000Z","updatedAt":"2026-11-20T12:01:00.000Z",'
    f'"status":"ACTIVE","tokenAddress":"{TOKEN}","description":"old","expiresAt":"2026-11-20T13:01:00.000Z",'
    '"metadata":{"a":"b"},"fiatAmount":"1.00","fiatCurrency":"GBP"}'
)
# As version 1 answered it.
REFUNDED = {
    "id": ID,
    "url": f"http://127.0.0.1:8402/pay/{ID}",
    "amount": "1.27",
    "currency": "USDC",
    "network": "base",
    "address": ADDRESS,
    "createdAt": "2026-11-20T12:01:00.000Z",
    "updatedAt": "2026-11-20T12:01:00.000Z",
    "status": "PARTIALLY_REFUNDED",
    "tokenAddress": TOKEN,
    "description": "old",
    "expiresAt": "2026-11-20T13:01:00.000Z",
    "metadata": {"a": "b"},
    "settlement": {"totalAmount": "1.27", "feeAmount": "0.02", "netAmount": "1.25", "currency": "USDC"},
    "fiatAmount": "1.00",
    "fiatCurrency": "GBP",
    "transactionHash": HASH,
    "refundedAmount": "0.64",
    "refunds": [
        {
            "id": REFUND_ID,
            "checkoutId": ID,
            "amount": "0.64",
            "status": "PENDING",
            "createdAt": "2026-11-20T12:01:00.000Z",
            "currency": "USDC",
            "reason": "half",
            "fiatAmount": "0.50",
            "fiatCurrency": "GBP",
            "exchangeRate": "1.27",
        }
    ],
}

# A file that version 1 left behind, as SQLite dumps it.
VERSION_1 = f"""
CREATE TABLE checkouts (
    id VARCHAR(24) NOT NULL, url TEXT NOT NULL, amount TEXT NOT NULL, network TEXT NOT NULL, address TEXT NOT NULL,
    token_address TEXT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL,
    status VARCHAR(24) NOT NULL, description TEXT, metadata TEXT, success_redirect_url TEXT, fail_redirect_url TEXT,
    fiat_amount TEXT, fiat_currency VARCHAR(10), fee_amount TEXT, transaction_hash TEXT, PRIMARY KEY (id)
);
INSERT INTO checkouts VALUES('{ID}', 'http://127.0.0.1:8402/pay/{ID}', '1.27', 'base', '{ADDRESS}', '{TOKEN}',
    1795176060000, 1795176060000, 1795179660000, 'PARTIALLY_REFUNDED', '"old"', '{{"a": "b"}}', NULL, NULL,
    '1.00', 'GBP', '0.02', '{HASH}');
CREATE TABLE idempotent_answers (
    operation VARCHAR(64) NOT NULL, "key" VARCHAR(36) NOT NULL, fingerprint VARCHAR(64) NOT NULL,
    created_ms BIGINT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (operation, "key")
);
INSERT INTO idempotent_answers VALUES('createCheckout', '{KEY}',
    '5d65cc9370a87a315e253d565b468ce3bfb61d66b5d359bae65fcf55387441a3', 1795176060000, 201,
    CAST('{ANSWERED}' AS BLOB));
CREATE TABLE refunds (
    id VARCHAR(24) NOT NULL, checkout_id VARCHAR(24) NOT NULL, position INTEGER NOT NULL, amount TEXT NOT NULL,
    status VARCHAR(24) NOT NULL, created_ms BIGINT NOT NULL, completed_ms BIGINT, reason TEXT, transaction_hash TEXT,
    fiat_amount TEXT, fiat_currency VARCHAR(10), exchange_rate TEXT, PRIMARY KEY (id), UNIQUE (checkout_id, position),
    FOREIGN KEY(checkout_id) REFERENCES checkouts (id)
);
INSERT INTO refunds VALUES('{REFUND_ID}', '{ID}', 0, '0.64', 'PENDING', 1795176060000, NULL, '"half"', NULL,
    '0.50', 'GBP', '1.27');
CREATE TABLE sandbox (
    id INTEGER NOT NULL, schema_version INTEGER NOT NULL, clock_offset_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
INSERT INTO sandbox VALUES(1, 1, 60000);
CREATE INDEX checkouts_newest_first ON checkouts (created_ms, id);
"""


def written(path: Path, script: str) -> str:
    """A database with this in it, and its URL."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return f"sqlite:///{path}"


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The URL of a database of version 1."""
    return written(tmp_path / "old.sqlite3", VERSION_1)


def test_an_old_database_answers_as_before(sandbox_with: Callable[..., Sandbox], old: str) -> None:
    """
    Checkout, refund, time and the answer under a key are as version 1 told them, and their life goes on.
    """
    sandbox = sandbox_with(database=old)
    assert (REFUNDED, "2026-11-20T12:01:00.000Z") == (sandbox.get(ID), sandbox.advance(0))
    assert {"checkouts": [REFUNDED]} == sandbox.call("GET", PATH).json()
    again = sandbox.call("POST", PATH, json=BODY, headers={"X-Idempotency-Key": KEY})
    assert (201, ANSWERED) == (again.status_code, again.text)
    assert "COMPLETED" == sandbox.settle(ID, REFUND_ID)["refunds"][0]["status"]
    sandbox.arm("rate_limit")
    assert [429, 200] == [sandbox.call("GET", f"{PATH}/{ID}").status_code for _ in range(2)]


def test_an_old_database_comes_out_like_a_new_one(tmp_path: Path, old: str) -> None:
    """
    After all steps the tables are those of this version: to alembic, and column by column like those of a fresh file.
    """
    fresh = f"sqlite:///{tmp_path}/fresh.sqlite3"
    columns: list[dict[str, Any]] = []
    for url in (fresh, old):
        store = open_store(url)
        with store.reading() as transaction:
            connection = transaction._connection
            assert [] == compare_metadata(MigrationContext.configure(connection), METADATA)
            names = sorted(METADATA.tables)
            columns.append(
                {name: [row[1:] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")] for name in names}
            )
        store.close()
    assert columns[0] == columns[1]
    assert f'INSERT INTO "sandbox" VALUES(1,{SCHEMA_VERSION},60000,0);' in dumped(tmp_path / "old.sqlite3")


def test_it_is_migrated_once(tmp_path: Path, old: str) -> None:
    """
    Opened again, a migrated database stays as it is.
    """
    open_store(old).close()
    before = dumped(tmp_path / "old.sqlite3")
    open_store(old).close()
    assert before == dumped(tmp_path / "old.sqlite3")


@pytest.mark.parametrize("version", ["0", "-1", "'x'", "1.5", f"{SCHEMA_VERSION + 1}", "99", "x''"])
def test_other_versions_are_left_alone(tmp_path: Path, version: str) -> None:
    """
    A newer version is told with what this server knows, one that never was is somebody else's table.
    """
    path = tmp_path / "x.sqlite3"
    url = written(path, VERSION_1.replace("VALUES(1, 1,", f"VALUES(1, {version},"))
    before = dumped(path)
    newer = version in {f"{SCHEMA_VERSION + 1}", "99"}
    told = (
        f"tables of version {version}, this server knows up to {SCHEMA_VERSION}" if newer else "'sandbox' that is not"
    )
    with pytest.raises(DatabaseError, match=told):
        open_store(url)
    assert before == dumped(path)


@pytest.mark.parametrize(
    "foreign",
    [
        "CREATE TABLE checkouts (id INTEGER, cart TEXT); INSERT INTO checkouts VALUES (1, 'apples');",
        "CREATE TABLE refunds (id INTEGER);",
        "CREATE TABLE faults (id INTEGER);",
        "CREATE TABLE idempotent_answers (id INTEGER);",
        "CREATE TABLE sandbox (toys TEXT); INSERT INTO sandbox VALUES ('shovel');",
        "CREATE TABLE sandbox (schema_version INTEGER);",
        VERSION_1.replace("INSERT INTO sandbox VALUES(1, 1, 60000);", ""),
        VERSION_1 + "INSERT INTO sandbox VALUES(2, 1, 60000);",
    ],
)
def test_tables_of_others_are_left_alone(tmp_path: Path, foreign: str) -> None:
    """
    Where a table has the name of one of ours it is told so in one line, and not a byte of the database is changed.
    """
    path = tmp_path / "shop.sqlite3"
    url = written(path, foreign)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=r"has a table '\w+' that is not this server's; give it a database of"):
        open_store(url)
    assert (before, [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_other_tables_may_be_there(tmp_path: Path) -> None:
    """
    A database may be shared with tables of other names.
    """
    path = tmp_path / "shop.sqlite3"
    url = written(path, "CREATE TABLE carts (id INTEGER); INSERT INTO carts VALUES (7);")
    open_store(url).close()
    assert 'INSERT INTO "carts" VALUES(7);' in dumped(path)


def test_servers_migrate_together(serve: Callable[..., Server], tmp_path: Path, old: str) -> None:
    """
    Servers that start at the same moment on an old database all come up, and all know what was in it.
    """
    with ThreadPoolExecutor(3) as pool:
        starting = [pool.submit(serve, "--no-auth", "--database", old) for _ in range(3)]
    servers = [server.result() for server in starting]
    assert [REFUNDED] * 3 == [httpx.get(f"{server.url}{PATH}/{ID}").json() for server in servers]
    assert f'INSERT INTO "sandbox" VALUES(1,{SCHEMA_VERSION},60000,0);' in dumped(tmp_path / "old.sqlite3")


def test_a_step_that_fails_leaves_the_old_version(tmp_path: Path, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where a step cannot be taken nothing is changed, so that the older server can still be used.
    """
    # A table that exists already may be another server's doing, and is looked at again for a while.
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.2)
    path = tmp_path / "old.sqlite3"
    written(path, "CREATE TABLE faults (mine TEXT);")
    before = dumped(path)
    with pytest.raises(DatabaseError, match="faults"):
        open_store(old)
    assert before == dumped(path)
