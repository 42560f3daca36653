"""The command on servers of every kind: it ends, with the right code, and says what happened."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from coinbase_checkouts.auth import ApiKey, JwtAuth

Run = Callable[..., tuple[int, str, str]]


def test_nothing_there_cannot_be_run(run: Run) -> None:
    """
    Where nothing listens there is no claim to try: exit code 2 and one line.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, out, err = run(f"http://127.0.0.1:{port}")
    assert (2, "") == (code, out)
    assert err.startswith(f"coinbase-checkouts conformance: no connection to http://127.0.0.1:{port}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:80",
        "ftp://example.com",
        "http://",
        "http://u:p@127.0.0.1:1/",
        "http://127.0.0.1:1/?a=b",
        "http://[::1",
    ],
)
def test_a_bad_url_cannot_be_run(run: Run, url: str) -> None:
    """
    What is no base URL is told so in one line: exit code 2.
    """
    code, out, err = run(url)
    assert (2, "", 1) == (code, out, err.count("\n"))


@pytest.mark.parametrize("content", [None, "", "{", '{"id": "x", "privateKey": "not a key"}'])
def test_a_bad_key_file_cannot_be_run(run: Run, tmp_path: Path, content: str | None) -> None:
    """
    A key file that is missing, empty or none is named in one line, and not quoted: exit code 2.
    """
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    code, out, err = run("http://127.0.0.1:1", key=path)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert str(path) in err
    assert "not a key" not in err


@pytest.mark.parametrize("expression", ["and and", "no_such_claim", "("])
def test_a_bad_selection_cannot_be_run(run: Run, our_sandbox: tuple[str, Path], expression: str) -> None:
    """
    An expression that cannot be read, or that selects nothing, is exit code 2.
    """
    url, key = our_sandbox
    code, _, err = run(url, "-k", expression, key=key)
    assert code == 2
    assert err != ""


@pytest.mark.parametrize("suffix", ["", "/", "/sandbox", "/sandbox/"])
def test_our_sandbox_holds_in_every_spelling_of_its_url(run: Run, our_sandbox: tuple[str, Path], suffix: str) -> None:
    """
    With or without the /sandbox prefix, with or without a slash at the end.
    """
    url, key = our_sandbox
    code, out, _ = run(url + suffix, "-k", "get and not path", key=key)
    assert (0, "4 claims hold, 0 broken, 0 skipped") == (code, out.splitlines()[-1])


def test_a_report_is_written_where_it_is_wanted(run: Run, our_sandbox: tuple[str, Path], tmp_path: Path) -> None:
    """
    With --report-dir there are the reports, and nothing else.
    """
    url, key = our_sandbox
    code, _, _ = run(url, "-k", "list.nothing", "--report-dir", str(tmp_path / "new" / "reports"), key=key)
    assert code == 0
    folder = tmp_path / "new" / "reports"
    expected = ["badges", "junit.xml", "report.html", "report.json", "report.md", "report.schema.json", "run.json"]
    assert expected == sorted(path.name for path in folder.iterdir())
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert url == report["target"]
    assert [("list.nothing", "pass")] == [(claim["id"], claim["outcome"]) for claim in report["claims"]]
    assert len(ET.parse(folder / "junit.xml").findall(".//testcase")) == 1


def command(url: str, key: Path, *more: str) -> list[str]:
    main = "import sys; from coinbase_checkouts_conformance.cli import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", main, "--base-url", url, "--key-file", str(key), *more]


def test_two_runs_at_once_do_not_disturb_each_other(our_sandbox: tuple[str, Path], tmp_path: Path) -> None:
    """
    Two whole runs on one sandbox hold, and leave no file behind.
    """
    url, key = our_sandbox
    runs = [
        subprocess.Popen(command(url, key), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate()[0] for run in runs]
    assert [0, 0] == [run.returncode for run in runs], outputs
    assert all(", 0 broken, 0 skipped" in output.splitlines()[-1] for output in outputs)
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_pytest_has_no_say(our_sandbox: tuple[str, Path], tmp_path: Path) -> None:
    """
    A pytest configuration, conftest.py and PYTEST_ADDOPTS of the folder it is run in change nothing.
    """
    url, key = our_sandbox
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not ours')\n", encoding="utf-8")
    environment = os.environ | {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin"}
    done = subprocess.run(
        command(url, key, "-k", "list.nothing"),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_what_was_created_is_deactivated(run: Run, our_sandbox: tuple[str, Path]) -> None:
    """
    After a run none of its checkouts is ACTIVE.
    """
    url, key = our_sandbox
    code, _, _ = run(url, "-k", "get.the-right-one", key=key)
    assert code == 0
    assert "conformance suite" in remaining(url, key, "DEACTIVATED")
    assert "conformance suite" not in remaining(url, key, "ACTIVE")


def remaining(url: str, key: Path, status: str) -> str:
    """The listing of one status, as text."""
    auth = JwtAuth(ApiKey.from_file(key))
    query = {"status": status, "descriptionQuery": "conformance suite", "pageSize": "100"}
    with httpx.Client(trust_env=False) as client:
        return client.get(f"{url}/api/v1/checkouts", params=query, auth=auth).text


def test_a_report_folder_that_is_a_file_cannot_be_used(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Where no report can be written the run does not begin: exit code 2, and the reason.
    """
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SystemExit) as caught:
        run("http://127.0.0.1:1", "--report-dir", str(path))
    assert caught.value.code == 2
    assert f"{path}: File exists" in capsys.readouterr().err
