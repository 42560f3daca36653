"""The codes of a delivery against every published vector."""

from __future__ import annotations

import pytest

from coinbase_checkouts_sandbox import signatures

USER_CREATED = ("a-subscription-secret", 1_800_000_000, b'{"event":"user.created"}')
PAID = (
    "123e4567-e89b-12d3-a456-426614174000",
    1_775_000_000,
    b'{"id":"68f7a946db0529ea9b6d3a12","eventType":"checkout.payment.success","status":"COMPLETED"}',
)


@pytest.mark.parametrize(
    ("expected", "secret", "t", "body"),
    [
        # Source: hook0, its documentation.
        ("1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98", "secret", 1_636_936_200, b"hello !"),
        # Source: hook0, its conformance file.
        ("d17d66b66fca89390c5b967c45e8928fc732db07a0aabe8167b1e98213081ffe", *USER_CREATED),
        (
            "f9689580483e051113d28de23c1658c509da2b00e7bc15a5aaa83b8bdf83ff81",
            USER_CREATED[0],
            1_799_999_700,
            USER_CREATED[2],
        ),
        (
            "4168cc6c683357e103055b48584715f12e2baa4e679b8e076254247f11edf34d",
            USER_CREATED[0],
            1_799_999_699,
            USER_CREATED[2],
        ),
        (
            "ba4b79e449ae52edb505b6baa07380be2baa6e0c4c6fec3b9a01c85d47a4935f",
            USER_CREATED[0],
            1_800_000_301,
            USER_CREATED[2],
        ),
        # Worked by hand from the rules, with the names of this API.
        ("8e0649f4703b7e9f8071fbe324453c8ac7c04e32c320f67610e525813bf2e56b", *PAID),
    ],
)
def test_v0_is_the_published_code(expected: str, secret: str, t: int, body: bytes) -> None:
    """
    v0 over each published body is the published code.
    """
    assert expected == signatures.v0(secret, t, body)


@pytest.mark.parametrize(
    ("expected", "secret", "t", "body", "headers"),
    [
        (
            "bc521546ba5de381b12f135782d2008b028c3065c191760b12b76850a8fc8f51",
            "secret",
            1_636_936_200,
            b"hello !",
            [("x-event-id", "1a01cb48-5142-4d9b-8f90-d20cca61f0ee"), ("x-event-type", "service.resource.verb")],
        ),
        (
            "19a6fb8f6581715b241a93af02a58611c3b0ac7b747a8d2a5b120ee418d0c347",
            *USER_CREATED,
            [("x-event-id", "evt-1"), ("x-delivery-id", "dlv-1")],
        ),
        (
            "bf5f4e5fe0c9143510ae192f983316a09ed392d0104d2ce0faa3d7bce3687acb",
            *USER_CREATED,
            [("x-delivery-id", "dlv-1"), ("x-event-id", "evt-1")],
        ),
        (
            "38493bb726bbcebd4f70102c42cd4edb167946057bf31e509d259c2bdf6787cc",
            *PAID,
            [
                ("content-type", "application/json"),
                ("x-event-id", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"),
                ("x-event-type", "checkout.payment.success"),
            ],
        ),
    ],
)
def test_v1_is_the_published_code(
    expected: str, secret: str, t: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    """
    v1 over each published body and its headers, in their order, is the published code.
    """
    assert expected == signatures.v1(secret, t, headers, body)


@pytest.mark.parametrize(
    ("expected", "v0", "v1"),
    [
        ("t=5,v0=aa,h=x-event-id x-event-type,v1=bb", "aa", "bb"),
        ("t=5,v0=aa", "aa", None),
        ("t=5,h=x-event-id x-event-type,v1=bb", None, "bb"),
    ],
)
def test_the_header_has_its_parts_in_the_published_order(expected: str, v0: str | None, v1: str | None) -> None:
    """
    t, v0, h, v1; and neither h nor v1 without the other.
    """
    headers = [("x-event-id", "1"), ("x-event-type", "2")]
    assert expected == signatures.signature(5, headers, v0=v0, v1=v1)
