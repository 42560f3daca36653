"""`checkouts_invariants`: what a test was answered is looked at once more, as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Run

# Answers like the sandbox, but for one word once it is told to lie.
LIAR = """
    import httpx, json, pytest

    class Liar(httpx.BaseTransport):
        def __init__(self, inside, change):
            self.inside, self.change = inside, change

        def handle_request(self, request):
            response = self.inside.handle_request(request)
            response.read()
            content = response.content.replace(*self.change)
            return httpx.Response(response.status_code, headers={"content-type": "application/json"}, content=content)

    def liar(sandbox, *change):
        return httpx.Client(base_url=sandbox.base_url, transport=Liar(sandbox.transport, change))

    BODY = {"amount": "2.00", "currency": "USDC"}
"""


def test_the_sandbox_is_watched_and_breaks_nothing(pytester: pytest.Pytester, run: Run) -> None:
    """
    In process and on a port, sync and async, tests pass as before; what was said is there to look at.
    """
    pytester.makepyfile("""
        import asyncio, pytest

        @pytest.mark.parametrize("port", [False, pytest.param(True, marks=pytest.mark.checkouts_sandbox(port=True))])
        def test_life(checkouts, async_checkouts, checkouts_sandbox, checkouts_invariants, port):
            checkout = checkouts.create("2.00", idempotency_key="8e03978e-40d5-43e8-bc93-6894a57f9324")
            checkouts_sandbox.pay(checkout.id)
            checkouts.refund(checkout.id, "1.00", idempotency_key="8e03978e-40d5-43e8-bc93-6894a57f9325")
            assert asyncio.run(async_checkouts.get(checkout.id)).status == "PARTIALLY_REFUNDED"
            checkouts_sandbox.reset()
            assert list(checkouts.list()) == []
            said = [(one.method, one.path.rpartition("/")[2]) for one in checkouts_invariants.conversation]
            assert ("POST", "refund") in said and ("POST", "reset") in said
            assert checkouts_invariants.findings == []
            assert "authorization" not in {name for one in checkouts_invariants.conversation for name in one.request_headers}
    """)
    run().assert_outcomes(passed=2)


def test_a_server_that_lies_fails_the_test(pytester: pytest.Pytester, run: Run) -> None:
    """
    The test fails by the invariant's sentence, place and source; one that fails by itself keeps its own words.
    """
    pytester.makepyfile(
        LIAR
        + """
    @pytest.fixture
    def checkouts_sandbox():
        from coinbase_checkouts_sandbox import Sandbox
        with Sandbox(auth=False) as sandbox:
            yield sandbox

    def create(client):
        with client:
            return client.post("/api/v1/checkouts", json=BODY).json()

    def test_honest(checkouts_sandbox, checkouts_invariants):
        create(checkouts_invariants.watch(liar(checkouts_sandbox, b"x", b"x")))

    def test_lied_to(checkouts_sandbox, checkouts_invariants):
        create(checkouts_invariants.watch(liar(checkouts_sandbox, b'"ACTIVE"', b'"COMPLETED"')))

    def test_noticed(checkouts_sandbox, checkouts_invariants):
        made = create(checkouts_invariants.watch(liar(checkouts_sandbox, b'"ACTIVE"', b'"COMPLETED"')))
        assert made["status"] == "ACTIVE"

    def test_not_watched(checkouts_sandbox):
        create(liar(checkouts_sandbox, b'"ACTIVE"', b'"COMPLETED"'))
    """
    )
    result = run()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "checkouts_invariants: 3 broken by the server's answers",
            "*created-active: expected ACTIVE; got COMPLETED in test_lied_to#0*",
            "*A new checkout is ACTIVE.",
            "*source create-checkout*",
            "*AssertionError: assert 'COMPLETED' == 'ACTIVE'",
        ]
    )


def test_async_clients_are_watched(pytester: pytest.Pytester, run: Run) -> None:
    """
    Whatever server a client speaks to, sync or async, redirects and streams included.
    """
    pytester.makepyfile("""
        import asyncio, httpx

        WRONG = {"errorType": "not_found", "errorMessage": " "}

        def test_async(checkouts_invariants):
            async def steps():
                transport = httpx.MockTransport(lambda request: httpx.Response(404, json=WRONG))
                async with checkouts_invariants.watch(httpx.AsyncClient(transport=transport)) as client:
                    async with client.stream("GET", "https://a.example/api/v1/checkouts/68f7a946db0529ea9b6d3a12"):
                        pass
            asyncio.run(steps())
            [finding] = checkouts_invariants.findings
            assert finding.invariant.id == "errors-are-told"
            assert finding.place.target == "https://a.example"
    """)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*errors-are-told: expected a text; got ' ' in test_async#0*"])


def test_hostile_mode_is_about_the_users_code(pytester: pytest.Pytester, shop: Callable[..., None], run: Run) -> None:
    """
    Under a wrong server the fixture says nothing: neither does it notice for the shop, nor break what it survives.
    """
    shop("good")
    pytester.makeconftest("""
        import pytest

        @pytest.fixture(autouse=True)
        def watched(checkouts_invariants):
            pass
    """)
    only = [f"--checkouts-hostile-only={name}" for name in ("repeated-item", "second-create", "never-paid")]
    result = run("--checkouts-hostile", *only)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*checkouts_invariants:*")
