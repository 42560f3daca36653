"""`checkouts_webhooks`: what the sandbox delivers reaches a test, verified or as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Run

SUCCESS = {"checkout.payment.success", "checkout.refund.success"}


@pytest.fixture(autouse=True)
def _story(pytester: pytest.Pytester) -> None:
    """A fixture for the inner tests: two events are due."""
    pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def refunded(checkouts, checkouts_sandbox, checkouts_webhooks):
            checkout = checkouts.create("5.00")
            checkouts_sandbox.pay(checkout.id)
            refund = checkouts.refund(checkout.id, "1.00").refund
            checkouts_sandbox.settle(checkout.id, refund.id)
    """)


def test_events_are_verified_and_handed_on_once(pytester: pytest.Pytester, run: Run) -> None:
    """
    Events come over a real connection and verify; each is handed on once, body and headers as they came.
    """
    pytester.makepyfile(f"""
        def test_it(refunded, checkouts_webhooks):
            assert {{str(event.event_type) for event in checkouts_webhooks.wait(2)}} == {SUCCESS}
            types = checkouts_webhooks.hand_to(lambda body, headers: headers["X-Event-Type"])
            assert set(types) == {SUCCESS}
            assert checkouts_webhooks.hand_to(print) == []

        def test_log(refunded, checkouts_sandbox):
            checkouts_sandbox.flush()
            assert {{one["eventType"] for one in checkouts_sandbox.deliveries}} == {SUCCESS}
    """)
    run().assert_outcomes(passed=2)


def test_too_few_are_an_error_that_counts(pytester: pytest.Pytester, run: Run) -> None:
    """
    Waiting for more than are due says how many came.
    """
    pytester.makepyfile("""
        def test_it(refunded, checkouts_webhooks):
            checkouts_webhooks.wait(3)
    """)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: 3 webhooks were waited for, 2 came"])


def test_a_refusal_brings_another_attempt_in_its_time(pytester: pytest.Pytester, run: Run) -> None:
    """
    An endpoint that answers 500 is tried again when the sandbox's clock has moved.
    """
    pytester.makepyfile("""
        def test_it(checkouts, checkouts_sandbox, checkouts_webhooks):
            checkouts_webhooks.status = 500
            checkouts_sandbox.pay(checkouts.create("5.00").id)
            assert len(checkouts_webhooks.deliveries) == 1
            checkouts_webhooks.status = 204
            checkouts_sandbox.advance(60)
            first, second = checkouts_webhooks.deliveries
            assert first.body == second.body
            assert first.headers["X-Event-Id"] == second.headers["X-Event-Id"]
    """)
    run().assert_outcomes(passed=1)


def test_wrong_webhooks(pytester: pytest.Pytester, run: Run) -> None:
    """
    Who counts deliveries breaks when one comes twice, who trusts their order when it is another, and who does not
    verify does not notice.
    """
    pytester.makepyfile("""
        def test_counts(refunded, checkouts_webhooks):
            assert len(checkouts_webhooks.deliveries) == 2

        def test_orders(refunded, checkouts_webhooks):
            assert checkouts_webhooks.deliveries[0].headers["X-Event-Type"] == "checkout.payment.success"
    """)
    result = run("--checkouts-hostile")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(
        [
            "BROKE *webhook-twice *",
            " *::test_counts: *",
            "BROKE *webhook-out-of-order *",
            " *::test_orders: *",
            "NOT NOTICED *webhook-tampered *",
        ]
    )
