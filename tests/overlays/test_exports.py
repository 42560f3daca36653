"""The public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import coinbase_checkouts


def test_all_is_what_is_there() -> None:
    """
    Every public name can be had, is listed by dir(), and the list is sorted.
    """
    for name in coinbase_checkouts.__all__:
        assert getattr(coinbase_checkouts, name) is not None
    assert set(coinbase_checkouts.__all__) <= set(dir(coinbase_checkouts))
    assert set(coinbase_checkouts.__all__) == set(coinbase_checkouts._HOMES)


def test_other_names_are_attribute_errors() -> None:
    """
    A name that is none fails like one of any module.
    """
    with pytest.raises(AttributeError, match="module 'coinbase_checkouts' has no attribute 'Charges'"):
        getattr(coinbase_checkouts, "Charges")  # noqa: B009 -- no checker lets the plain form pass


def test_import_loads_nothing() -> None:
    """
    Importing the package loads neither httpx nor PyJWT, cryptography or the compiled models.
    """
    code = "import sys, coinbase_checkouts; print([m for m in ('httpx', 'jwt', 'cryptography', 'coinbase_checkouts_api') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
