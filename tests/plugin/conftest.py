"""pytest in a process of its own, as a user has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

# The installed entry point has a test of its own; by name it works wherever the package is.
PLUGIN = ("-p", "coinbase_checkouts_conformance.pytest_plugin")
SHOPS = Path(__file__).with_name("shops")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest with our plugin and no other, warnings being errors."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_(*arguments: str) -> pytest.RunResult:
        keep_settings_out(pytester)
        return pytester.runpytest_subprocess(*PLUGIN, "-W", "error", "-p", "no:cacheprovider", *arguments)

    return run_


def keep_settings_out(pytester: pytest.Pytester) -> None:
    """Where the temporary folder lies in this project, pytest would find this project's settings."""
    if not any((pytester.path / name).exists() for name in ("pytest.ini", "tox.ini", "pyproject.toml")):
        pytester.makeini("[pytest]")


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Callable[..., None]:
    """Puts a shop and its tests into the folder: which shop, and more files of tests."""

    def put(name: str, *more: str) -> None:
        pytester.makepyfile(shop=_source(name), test_shop=_source("suite"))
        for other in more:
            # Its fixtures are those of the suite.
            pytester.makepyfile(**{f"test_{other}": f"from test_shop import shop\n{_source(other)}"})

    return put


def _source(name: str) -> str:
    text = (SHOPS / f"{name}.py").read_text(encoding="utf-8").replace("from __future__ import annotations\n", "")
    # Which shop it is, is decided by the test.
    return text.replace("from tests.plugin.shops.good import", "from shop import")
