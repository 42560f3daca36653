"""The command that finds the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest

from coinbase_checkouts import cli


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """
    No command is a mistake (2), a call for help is none (0); both list the commands.
    """
    assert cli.main([]) == 2
    assert cli.main(["--help"]) == 0
    assert capsys.readouterr().out.count("commands: conformance, sandbox") == 2


def test_version_is_the_distribution_s(capsys: pytest.CaptureFixture[str]) -> None:
    """
    --version prints one.
    """
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """
    An unknown command exits 2 with one line that names it and the real ones.
    """
    assert cli.main(["sandbax"]) == 2
    told = capsys.readouterr().err
    assert told == "coinbase-checkouts: no command 'sandbax'; there are: conformance, sandbox\n"


def use(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    def entries(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group)]

    monkeypatch.setattr(cli, "entry_points", entries)


def echo(arguments: Sequence[str]) -> int:
    """A command of a test's own."""
    return 7 if arguments == ["--port", "0"] else 0


def test_arguments_and_exit_code_are_the_command_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What follows the name goes to the command, and its exit code comes back; sys.argv is the default.
    """
    monkeypatch.setitem(sys.modules, "a_command", sys.modules[__name__])
    use(monkeypatch, "echo", "a_command:echo")
    assert cli.main(["echo", "--port", "0"]) == 7
    monkeypatch.setattr(sys, "argv", ["coinbase-checkouts", "echo"])
    assert cli.main() == 0


@pytest.mark.parametrize(("name", "extra"), [("sandbox", "sandbox"), ("drift", "conformance"), ("other", "all")])
def test_missing_extra_is_named(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without its extra a command exits 2 and says what to install.
    """
    use(monkeypatch, name, "a_package_nobody_has:main")
    assert cli.main([name]) == 2
    told = capsys.readouterr().err
    assert f"pip install 'coinbase-checkouts[{extra}]'" in told
    assert len(told.splitlines()) == 1


def test_console_script_is_installed() -> None:
    """
    The installed command is this one.
    """
    script = f"{sys.prefix}/bin/coinbase-checkouts"
    done = subprocess.run([script, "nonsense"], capture_output=True, text=True, check=False)
    assert (2, "") == (done.returncode, done.stdout)
