"""The fixtures that users get, and what they cost those who do not ask for them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Run


def test_a_payment_in_a_users_test(pytester: pytest.Pytester, run: Run) -> None:
    """
    A client and its sandbox are there by name, sync and async, and every test has a world of its own.
    """
    pytester.makepyfile("""
        import asyncio, pytest

        @pytest.mark.parametrize("number", range(2))
        def test_paid(checkouts, checkouts_sandbox, number):
            assert list(checkouts.list()) == []
            checkout = checkouts.create("100.50")
            checkouts_sandbox.pay(checkout.id)
            assert checkouts.get(checkout.id).status == "COMPLETED"
            assert checkouts_sandbox.base_url == "http://127.0.0.1:1"

        def test_both_clients_have_one_world(checkouts, async_checkouts):
            checkout = checkouts.create("100.50")
            assert asyncio.run(async_checkouts.get(checkout.id)).id == checkout.id
    """)
    run().assert_outcomes(passed=3)


def test_a_marker_gives_options(pytester: pytest.Pytester, run: Run) -> None:
    """
    The nearest marker wins, for each option by itself; port=True is a real port that any client reaches.
    """
    pytester.makepyfile("""
        import urllib.error, urllib.request, pytest

        pytestmark = pytest.mark.checkouts_sandbox(port=True, readings=["create=200"])

        def reach(sandbox):
            try:
                urllib.request.urlopen(sandbox.base_url + "/api/v1/checkouts")
            except urllib.error.HTTPError as refused:
                refused.close()
                return refused.code

        def test_port(checkouts, checkouts_sandbox):
            assert reach(checkouts_sandbox) == 401
            assert checkouts.with_raw_response(checkouts.create, "1.00").status == 200

        @pytest.mark.checkouts_sandbox(readings=["create=201"])
        def test_nearest(checkouts, checkouts_sandbox):
            assert reach(checkouts_sandbox) == 401
            assert checkouts.with_raw_response(checkouts.create, "1.00").status == 201

        @pytest.mark.checkouts_sandbox(port=False)
        def test_in_process(checkouts_sandbox):
            assert checkouts_sandbox.base_url == "http://127.0.0.1:1"
    """)
    run("--strict-markers").assert_outcomes(passed=3)


def test_ini_gives_every_sandbox_a_port(pytester: pytest.Pytester, run: Run) -> None:
    """
    checkouts_sandbox_port = true does what port=True does, for every test.
    """
    pytester.makeini("[pytest]\ncheckouts_sandbox_port = true\n")
    pytester.makepyfile("""
        def test_port(checkouts_sandbox):
            assert checkouts_sandbox.base_url != "http://127.0.0.1:1"
    """)
    run("--strict-config").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ("prot=True", "unexpected keyword argument 'prot'"),
        ("True", "takes options by name only"),
        ('readings=["create=300"]', "create"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(pytester: pytest.Pytester, run: Run, marker: str, told: str) -> None:
    """
    What is wrong with a marker is said, without a traceback of ours.
    """
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.checkouts_sandbox({marker})
        def test_it(checkouts_sandbox):
            pass
    """)
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*checkouts_sandbox: *{told}*"])
    assert "Traceback" not in result.stdout.str()
    assert "During handling" not in result.stdout.str()


def test_retries_do_not_hold_up_a_test(pytester: pytest.Pytester, run: Run) -> None:
    """
    The client retries as many times as always, with hardly a wait between.
    """
    pytester.makepyfile("""
        def test_retries(checkouts, async_checkouts, checkouts_sandbox):
            for client in checkouts, async_checkouts:
                assert client._policy.base_s == client._policy.cap_s == 0.001
                assert client._policy.max_retries == 2
            checkouts_sandbox.fault(kind="error", times=2)
            checkouts.create("1.00")
            assert [seen.status for seen in checkouts_sandbox.requests] == [503, 503, 201]
    """)
    run().assert_outcomes(passed=1)


def test_parallel_runs_do_not_meet(pytester: pytest.Pytester, run: Run) -> None:
    """
    Under pytest-xdist every test has its own world and its own port.
    """
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("port", [True, False])
        @pytest.mark.parametrize("number", range(10))
        def test_alone(request, checkouts, number, port):
            checkouts.create("1.00", order_id="the same for all")
            assert len(list(checkouts.list())) == 1
    """)
    pytester.makeini("[pytest]\ncheckouts_sandbox_port = true\n")
    result = run("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=20)
    assert [] == [path.name for path in pytester.path.iterdir() if path.name.endswith((".sqlite3", ".json"))]


def test_it_is_loaded_wherever_it_is_installed() -> None:
    """
    The distribution names it to pytest.
    """
    (found,) = (entry for entry in entry_points(group="pytest11") if entry.name == "coinbase_checkouts")
    assert "coinbase_checkouts_conformance.pytest_plugin" == found.value


def test_it_costs_nothing_until_it_is_used(pytester: pytest.Pytester, run: Run) -> None:
    """
    Loading it imports nothing that pytest has not imported, and neither do tests that ask for no fixture of it.
    """
    pytester.makepyfile("""
        import sys

        def test_nothing_is_imported():
            ours = {"coinbase_checkouts", "coinbase_checkouts_sandbox", "httpx", "sqlalchemy", "cryptography", "jsonschema"}
            assert not ours & set(sys.modules)
    """)
    run().assert_outcomes(passed=1)
    program = (
        "import pytest, sys; before = set(sys.modules); import coinbase_checkouts_conformance.pytest_plugin; "
        "print({name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "{'coinbase_checkouts_conformance'}" == done.stdout.strip()


@pytest.mark.parametrize(
    ("fixture", "missing"),
    [("checkouts_sandbox", "starlette"), ("checkouts", "jsonschema_rs"), ("checkouts_webhooks", "sqlalchemy")],
)
def test_without_the_extra_the_extra_is_named(pytester: pytest.Pytester, run: Run, fixture: str, missing: str) -> None:
    """
    Where the extra is not installed pytest runs on, and whoever asks for a fixture is told what to install.
    """
    pytester.makeconftest(f"import sys\nsys.modules[{missing!r}] = None\n")
    pytester.makepyfile(f"""
        def test_other():
            pass

        def test_it({fixture}):
            pass
    """)
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*needs an extra: pip install 'coinbase-checkouts*' ({missing} is not installed)"])
    assert "Traceback" not in result.stdout.str()


def test_the_suite_is_not_disturbed() -> None:
    """
    A replay of the conformance suite is what it is without the plugin, whatever the environment asks pytest for.
    """
    command = [sys.executable, "-m", "coinbase_checkouts_conformance.replay", "-k", "get.as-created"]
    environ = {"PYTEST_ADDOPTS": "--checkouts-hostile -n2", "PYTEST_PLUGINS": "no_such_plugin"}
    runs = [
        subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        for env in (dict(os.environ), os.environ | environ)
    ]
    assert [0, 0] == [one.returncode for one in runs]
    assert runs[0].stdout.splitlines()[-1] == runs[1].stdout.splitlines()[-1]
