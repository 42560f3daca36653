"""The command that finds the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest

from coinbase_checkouts import arguments, cli


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """
    No command is a mistake (2, on stderr), a call for help is none (0); both say what each command does.
    """
    assert cli.main([]) == 2
    missed = capsys.readouterr()
    assert cli.main(["--help"]) == 0
    assert (missed.err, missed.out) == capsys.readouterr()
    told = dict(line.split(maxsplit=1) for line in missed.err.splitlines() if line.startswith("    "))
    assert sorted([*arguments.NAMES, "conformance", "drift", "sandbox"]) == sorted(
        told.keys() & {*arguments.NAMES, *cli.SUMMARIES}
    )
    assert told["sandbox"] == "play the service on this machine"


def test_options_alone_are_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """
    An empty --, or an option that belongs behind a command, exits 2.
    """
    assert (2, 2) == (cli.main(["--"]), cli.main(["--json"]))
    assert "no such option: --json" in capsys.readouterr().err


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
    names = "conformance, create, deactivate, drift, get, list, migrate, refund, sandbox, wait, webhook"
    assert told == f"coinbase-checkouts: no command 'sandbax'; there are: {names}\n"


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


@pytest.mark.parametrize("shell", arguments.SHELLS)
def test_completion_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    For each shell a script that knows all commands, their options and the statuses.
    """
    assert cli.main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    assert [] == [word for word in (*arguments.NAMES, "sandbox", "idempotency-key", "EXPIRED") if word not in script]


def test_bash_completes_commands_options_and_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """
    bash itself, with the script, offers what fits.
    """
    assert cli.main(["--print-completion", "bash"]) == 0
    script = capsys.readouterr().out
    function = script.rsplit("complete ", 1)[1].split("-F ", 1)[1].split()[0]
    offered: list[set[str]] = []
    for words in (["re"], ["create", "--ord"], ["wait", "--until", "PA"]):
        line = " ".join(["coinbase-checkouts", *words])
        ask = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; {function}; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
        offered.append({word.strip() for word in done.stdout.splitlines()})
    assert [{"refund"}, {"--order-id"}, {"PARTIALLY_REFUNDED"}] == offered


def test_completion_names_its_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without shtab the extra to install is told.
    """
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert cli.main(["--print-completion", "bash"]) == 2
    assert "pip install 'coinbase-checkouts[cli]'" in capsys.readouterr().err
