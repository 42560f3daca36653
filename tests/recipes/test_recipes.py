"""The recipes of conformance/README.md, run as users would run them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

RECIPES = sorted(path.name for path in Path(__file__).parent.glob("with_*"))


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the plugins that the recipes name are loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def _run(pytester: pytest.Pytester, recipe: str, *arguments: str) -> pytest.RunResult:
    shutil.copytree(Path(__file__).with_name(recipe), pytester.path, dirs_exist_ok=True)
    # Where the temporary folder lies in this project, pytest would find this project's settings.
    if not (pytester.path / "pytest.ini").exists():
        pytester.makeini("[pytest]")
    plugins = ("-p", "coinbase_checkouts_conformance.pytest_plugin", "-p", "anyio.pytest_plugin")
    return pytester.runpytest_subprocess(*plugins, "-W", "error", *arguments)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works(pytester: pytest.Pytester, recipe: str) -> None:
    """
    Every test of the recipe passes, nothing warns, and no wrong server is left unnoticed by it.
    """
    result = _run(pytester, recipe, "--checkouts-hostile")
    assert pytest.ExitCode.OK == result.ret
    assert result.parseoutcomes()["passed"] > 0


@pytest.mark.usefixtures("run")
def test_a_recording_is_replayed_without_a_server(pytester: pytest.Pytester) -> None:
    """
    The second run changes nothing in the recording, starts no sandbox, and the recording has no token.
    """
    _run(pytester, "with_vcr")
    (cassette,) = (pytester.path / "cassettes").iterdir()
    recorded = cassette.read_text()
    sent = [one["request"] for one in yaml.safe_load(recorded)["interactions"]]
    assert [] == [request for request in sent if "authorization" in map(str.lower, request["headers"])]
    assert "Bearer" not in recorded
    pytester.makeconftest("""
        import coinbase_checkouts_sandbox.inprocess as inprocess

        def refuse(*_):
            raise AssertionError("a replay started a sandbox")

        inprocess.Sandbox.__enter__ = refuse
    """)
    result = _run(pytester, "with_vcr")
    assert (pytest.ExitCode.OK, recorded) == (result.ret, cassette.read_text())
