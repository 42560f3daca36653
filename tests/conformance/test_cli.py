"""The command on servers of every kind: it ends, with the right code, and says what happened."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from coinbase_checkouts.auth import ApiKey, JwtAuth
from coinbase_checkouts_conformance.meaning import meaning_now
from coinbase_checkouts_conformance.record import sandbox
from coinbase_checkouts_conformance.scrub import findings

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


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("and and", "-k 'and and' cannot be read; "),
        ("get and (", "-k 'get and (' cannot be read; "),
        ("(", "-k '(' cannot be read; "),
        ("no_such_claim", "no claim is selected; "),
    ],
)
def test_a_bad_selection_cannot_be_run(
    run: Run, our_sandbox: tuple[str, Path], tmp_path: Path, expression: str, told: str
) -> None:
    """
    An expression that cannot be read, or that selects nothing, is exit code 2, says so, and leaves no report.
    """
    url, key = our_sandbox
    code, out, err = run(url, "-k", expression, "--report-dir", str(tmp_path), key=key)
    assert (2, "") == (code, out)
    what = "-k takes parts of claim ids and test names, with and, or, not and parentheses"
    assert f"coinbase-checkouts conformance: {told}{what}" == err.splitlines()[-1]
    assert not (tmp_path / "report.json").exists()


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
    reports = ["badges", "junit.xml", "report.html", "report.json", "report.md", "report.schema.json"]
    assert [*reports, "run.json", "traffic.jsonl"] == sorted(path.name for path in folder.iterdir())
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


def started(url: str, key: Path, *more: str) -> subprocess.Popen[str]:
    """A run in a process of its own that has begun to try claims."""
    process = subprocess.Popen(command(url, key, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.read(1) != ""
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_stopped_tidies_up(our_sandbox: tuple[str, Path], tmp_path: Path, number: signal.Signals) -> None:
    """
    Ctrl-C, SIGTERM and SIGHUP end a run with 128 + n; nothing of it stays ACTIVE, and its report tells how far it came.
    """
    url, key = our_sandbox
    process = started(url, key, "--report-dir", str(tmp_path), "-k", "create or list or get or idempotency")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert 128 + number == process.returncode
    assert err == f"coinbase-checkouts conformance: interrupted ({number.name})\n"
    assert "Traceback" not in out
    assert "conformance suite" not in remaining(url, key, "ACTIVE")
    assert "the run ended before" in (tmp_path / "report.json").read_text(encoding="utf-8")


def test_a_run_goes_on_where_it_was_stopped(our_sandbox: tuple[str, Path], tmp_path: Path, run: Run) -> None:
    """
    With --resume only what was not tried is tried, and the report is of all of it, with what was said before.
    """
    url, key = our_sandbox
    selected = ["-k", "list and not query"]
    code, _, _ = run(url, *selected, "--report-dir", str(tmp_path), key=key)
    assert code == 0
    first = covered_in(tmp_path)
    path = tmp_path / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    tests = content["tests"]
    left_out = ["test_list/test_nothing", "test_list/test_pages"]
    tests.pop(left_out[0])
    tests[left_out[1]]["outcome"] = "error"
    path.write_text(json.dumps(content), encoding="utf-8")
    code, out, _ = run(url, *selected, "--resume", str(tmp_path), key=key)
    assert code == 0
    assert f"{len(tests) + 1} claims hold, 0 broken, 0 skipped" == out.splitlines()[-1]
    assert out.count(".") == len(left_out)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert len(tests) + 1 == len(report["claims"])
    assert [] == [claim["id"] for claim in report["claims"] if not claim["evidence"]]
    assert first == covered_in(tmp_path)
    code, out, _ = run(url, *selected, "--resume", str(tmp_path), key=key)
    assert (0, f"{len(tests) + 1} claims hold, 0 broken, 0 skipped") == (code, out.splitlines()[-1])


def covered_in(folder: Path) -> Any:
    """The figures of coverage in the report of *folder*."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))["figures"]["coverage"]


def test_a_run_that_was_killed_is_tidied_up_by_the_next(
    our_sandbox: tuple[str, Path], tmp_path: Path, run: Run
) -> None:
    """
    After kill -9 the run that goes on with it deactivates what both made, that of the test under way included.
    """
    url, key = our_sandbox
    selected = ["-k", "create or get or list or idempotency"]
    process = started(url, key, "--report-dir", str(tmp_path), *selected)
    process.kill()
    process.communicate(timeout=60)
    assert "conformance suite" in remaining(url, key, "ACTIVE")
    assert any(json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["made"].values())
    code, _, _ = run(url, *selected, "--resume", str(tmp_path), key=key)
    assert 0 == code
    assert "conformance suite" not in remaining(url, key, "ACTIVE")
    assert {"ids": [], "titles": []} == json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["made"]


def test_what_was_broken_stays_so_when_a_run_goes_on(our_sandbox: tuple[str, Path], tmp_path: Path, run: Run) -> None:
    """
    A broken claim is known; going on does not try it again, and the exit code is still 1.
    """
    url, key = our_sandbox
    run(url, "-k", "list.nothing", "--report-dir", str(tmp_path), key=key)
    path = tmp_path / "run.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('"outcome": "pass"', '"outcome": "fail"').replace('"detail": ""', '"detail": "BROKEN it"')
    )
    code, out, _ = run(url, "-k", "list.nothing", "--resume", str(tmp_path), key=key)
    assert code == 1
    assert out.splitlines() == ["BROKEN it", "", "0 claims hold, 1 broken, 0 skipped"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"target": "http://127.0.0.1:1"}, "is of another target (http://127.0.0.1:1, now "),
        ({"description": "0" * 64}, "is of another description (0000"),
        ({"suite": "0.0.0"}, "is of another suite (0.0.0, now "),
        ({"format": 0}, "is of format 0, this suite reads 1"),
        ({"tests": None}, "is damaged"),
        ({"tests": {"a": {"claim": 1, "outcome": "pass"}}}, "is damaged"),
        ({"tests": {"a": "b"}}, "is damaged"),
        ({"made": []}, "is damaged"),
        ({"made": {"ids": "a"}}, "is damaged"),
        ({"made": {"titles": [1]}}, "is damaged"),
        ({"made": {"others": []}}, "is damaged"),
    ],
)
def test_another_run_is_not_gone_on_with(
    our_sandbox: tuple[str, Path], tmp_path: Path, run: Run, change: dict[str, Any], reason: str
) -> None:
    """
    A run on another target or description, or a damaged one, is refused in one line: exit code 2.
    """
    url, key = our_sandbox
    about = {"target": url, "description": meaning_now(), "suite": version("coinbase-checkouts")}
    journal = {"format": 1, **about, "tests": {}, **change}
    (tmp_path / "run.json").write_text(json.dumps(journal), encoding="utf-8")
    code, out, err = run(url, "--resume", str(tmp_path), key=key)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert reason in err


def test_no_run_cannot_be_gone_on_with(our_sandbox: tuple[str, Path], tmp_path: Path, run: Run) -> None:
    """
    Where no run lies, or something that is none, it is told: exit code 2.
    """
    url, key = our_sandbox
    code, _, err = run(url, "--resume", str(tmp_path), key=key)
    assert (2, True) == (code, "run.json: No such file or directory; there is no run to go on with" in err)
    (tmp_path / "run.json").write_bytes(b"\xff{")
    code, _, err = run(url, "--resume", str(tmp_path), key=key)
    assert (2, True) == (code, "run.json: is damaged" in err)


def test_a_full_disk_costs_the_files_and_not_the_verdict(
    our_sandbox: tuple[str, Path], tmp_path: Path, run: Run
) -> None:
    """
    What cannot be written is told, a line for each; the verdict and the exit code are as they were.
    """
    url, key = our_sandbox
    for name in ("run.json", "traffic.jsonl", "report.html"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in the way").touch()
    code, out, err = run(url, "-k", "list.nothing", "--report-dir", str(tmp_path), key=key)
    assert (0, "1 claims hold, 0 broken, 0 skipped") == (code, out.splitlines()[-1])
    for name in ("run.json", "traffic.jsonl"):
        assert f"{tmp_path / name}: cannot be written: Is a directory" in err
    assert f"{tmp_path / 'report.html'}: Is a directory" in err
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_reading_is_safe(our_sandbox: tuple[str, Path], run: Run, tmp_path: Path) -> None:
    """
    With --safe nothing is sent but GET; what needs more is skipped, counted and listed, and what is there is read.
    """
    url, key = our_sandbox
    auth = JwtAuth(ApiKey.from_file(key))
    with httpx.Client(trust_env=False) as client:
        for number in range(2):
            body = {"amount": "1.00", "currency": "USDC", "description": f"conformance suite {number}"}
            made = client.post(f"{url}/api/v1/checkouts", json=body, auth=auth).json()["id"]
            client.post(f"{url}/api/v1/checkouts/{made}/deactivate", auth=auth)
    before = remaining(url, key, "DEACTIVATED")
    code, out, _ = run(url, "--safe", "--report-dir", str(tmp_path), key=key)
    assert code == 0
    assert before == remaining(url, key, "DEACTIVATED")
    assert "conformance suite" not in remaining(url, key, "ACTIVE")
    tests = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["tests"]
    held = {one["claim"] for one in tests.values() if one["outcome"] == "pass"}
    assert {"reading.listed", "reading.every-one", "reading.status", "reading.tokens", "get.id-pattern"} <= held
    assert "create.full" not in held
    reason = "needs a request that could change something, which --safe does not send"
    assert f"SKIPPED create.full: {reason}" in out
    skipped = {one["claim"] for one in tests.values()} - held
    assert f"{len(held)} claims hold, 0 broken, {len(skipped)} skipped ({reason})" == out.splitlines()[-1]


def test_safe_reading_of_nothing_is_told(run: Run, tmp_path: Path) -> None:
    """
    Where nothing is listed, and nothing may be created, of reading nothing is known.
    """
    with sandbox(tmp_path) as (url, key):
        code, out, _ = run(url, "--safe", "-k", "reading.listed", key=key)
    assert code == 2
    assert out.strip() in ("", "reading         ?")


def test_output_and_reports_hold_no_secret(our_sandbox: tuple[str, Path], run: Run, tmp_path: Path) -> None:
    """
    Neither the private key nor a token is in what is printed or written.
    """
    url, key = our_sandbox
    _, out, err = run(url, "-k", "auth or list.nothing", "--report-dir", str(tmp_path), key=key)
    texts = [out, err, *(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())]
    private = json.loads(key.read_text(encoding="utf-8"))["privateKey"]
    for text in texts:
        assert private[10:40] not in text
        assert findings(text) == []


def test_on_a_terminal_there_is_a_bar(our_sandbox: tuple[str, Path]) -> None:
    """
    A terminal shows how many claims of how many were tried; it is gone at the end, and the verdict stays.
    """
    url, key = our_sandbox
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(url, key, "-k", "list.nothing or get.as-created"),
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):
        while chunk := os.read(ours, 4096):
            shown += chunk
    os.close(ours)
    assert process.wait() == 0
    assert b"2/2" in shown
    assert shown.rstrip().endswith(b"2 claims hold, 0 broken, 0 skipped")
