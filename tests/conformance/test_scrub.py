"""No secret is shown or kept."""

from __future__ import annotations

import jwt
import pytest

from coinbase_checkouts_conformance.scrub import excerpt, findings, scrubbed

TOKEN = jwt.encode({"sub": "key", "uri": "GET example.com/"}, "k" * 32, algorithm="HS256")
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----"
SECRETS = [TOKEN, f"Bearer {TOKEN}", PEM, PEM[:50], '{"privateKey": "c2VjcmV0"}', "someone@example.com"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_and_replaced(secret: str) -> None:
    """
    Tokens, keys and addresses are found wherever they stand, and nothing of them is left.
    """
    text = f"before {secret} after"
    assert findings(text) != []
    assert findings(scrubbed(text)) == []
    assert secret[-20:] not in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    ['{"nextPageToken": "eyJsYXN0X2lkIjogImFiYzEyMyJ9"}', "Bearer <token>", "id 68f7a946db0529ea9b6d3a12", "Bearer"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """
    A page token, an id or the word Bearer is left as it is.
    """
    assert text == scrubbed(text)


def test_an_excerpt_is_short_plain_and_clean() -> None:
    """
    A body is shown on one line, cut, without a token and without control signs.
    """
    shown = excerpt(f"{TOKEN}\n\x1b[31m{'x' * 1000}".encode(), limit=80)
    assert shown.startswith("<token>\\n\\x1b[31mxxx")
    assert len(shown) < 120
    assert TOKEN[:20] not in shown


def test_a_token_at_the_cut_is_not_shown() -> None:
    """
    A token that would be cut in half is scrubbed before it is cut.
    """
    assert "eyJ" not in excerpt("x" * 290 + TOKEN)
