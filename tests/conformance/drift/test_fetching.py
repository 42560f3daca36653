"""Descriptions from servers, good and bad: what is fetched again, what is not, and what is kept."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from coinbase_checkouts_conformance.drift.cli import main
from coinbase_checkouts_conformance.drift.fetching import Fetcher, called
from coinbase_checkouts_conformance.drift.problems import CouldNotCompareError

from .descriptions import description

GOOD = json.dumps(description()).encode()
PAGE = b"<!DOCTYPE html><html><p>Moved</p></html>"
Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int = 200, body: bytes = b"", /, **headers: str) -> Answer:
    """An ordinary answer."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def conditional(body: bytes, **validators: str) -> Answer:
    """200 with *validators*, or 304 to whoever has them."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        asked = {
            "ETag": handler.headers.get("If-None-Match"),
            "Last_Modified": handler.headers.get("If-Modified-Since"),
        }
        same = any(asked[name] == value for name, value in validators.items())
        answer(304)(handler) if same else answer(200, body, **validators)(handler)

    return send


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Headers without end, a few at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        handler.wfile.write(f"X-{number}: wait\r\n".encode())
        time.sleep(0.05)


def dripping_body(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(200):
        handler.wfile.write(b"#")
        time.sleep(0.05)


def closing(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@dataclass
class Server:
    """Answers each path as it is told to, and remembers what it was asked for."""

    url: str
    answers: dict[str, Answer]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])

    def put(self, send: Answer, path: str = "/api.json") -> str:
        self.answers[path] = send
        return f"{self.url}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback."""
    made = Server("", {})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, dict(self.headers.items())))
            try:
                made.answers.get(self.path, answer(404))(self)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        made.url = f"http://127.0.0.1:{listening.server_port}"
        Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield made
        listening.shutdown()


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    """One with a cache of its own."""
    return Fetcher(tmp_path / "cache")


def plain(content: bytes) -> bytes:
    return content


def refused(fetcher: Fetcher, url: str) -> str:
    """Why it could not be had."""
    with pytest.raises(CouldNotCompareError) as failure:
        fetcher.fetch(url, plain)
    return str(failure.value)


@pytest.mark.parametrize(
    "validators",
    [{"ETag": '"one"'}, {"ETag": 'W/"weak"'}, {"Last_Modified": "Fri, 20 Nov 2026 10:00:00 GMT"}],
    ids=["strong", "weak", "date"],
)
def test_what_did_not_change_is_not_sent_again(validators: dict[str, str], server: Server, fetcher: Fetcher) -> None:
    """A copy is asked for with what its server said of it, and taken when the server says that it still holds."""
    url = server.put(conditional(GOOD, **validators))
    assert [GOOD, GOOD] == [fetcher.fetch(url, plain), fetcher.fetch(url, plain)]
    (value,) = validators.values()
    first, second = (headers for _, headers in server.asked)
    assert value not in first.values()
    assert value in second.values()


def test_what_changed_takes_the_place_of_the_copy(server: Server, fetcher: Fetcher) -> None:
    """With another ETag comes another content, and the next question has that one."""
    for tag in ("one", "two", "two"):
        url = server.put(conditional(tag.encode(), ETag=f'"{tag}"'))
        assert tag.encode() == fetcher.fetch(url, plain)
    assert [None, '"one"', '"two"'] == [headers.get("If-None-Match") for _, headers in server.asked]


def test_without_validators_all_is_sent_again(server: Server, fetcher: Fetcher) -> None:
    """A server that says neither ETag nor date is asked plainly each time."""
    url = server.put(answer(200, GOOD))
    assert [GOOD, GOOD] == [fetcher.fetch(url, plain), fetcher.fetch(url, plain)]
    assert not any(name.startswith("If-") for _, headers in server.asked for name in headers)


def test_304_to_a_plain_question_is_no_answer(server: Server, fetcher: Fetcher) -> None:
    """Who has no copy cannot be told that it is still good."""
    assert "answers 304" in refused(fetcher, server.put(answer(304)))


@pytest.mark.parametrize(
    ("send", "words"),
    [
        (answer(404), "answers 404"),
        (answer(500, b"<html>sorry</html>"), "answers 500"),
        (answer(204), "answers 204"),
        (answer(200, GOOD[:100], Content_Length="5000"), "complete"),
        (closing, "disconnected"),
        (answer(200, gzip.compress(GOOD) * 2, Content_Encoding="gzip"), "more behind"),
        (answer(200, gzip.compress(b"x" * 70_000_000, 9), Content_Encoding="gzip"), "more than 64 MiB"),
        (answer(200, gzip.compress(GOOD)[:-20], Content_Encoding="gzip"), "cut off"),
        (answer(200, GOOD, Content_Encoding="gzip"), "is no gzip"),
        (answer(200, gzip.compress(gzip.compress(GOOD)), Content_Encoding="gzip, gzip"), "not asked for"),
        (answer(302, Location="/api.json"), "redirects"),
        (answer(302, Location="ftp://127.0.0.1/x"), "ftp"),
    ],
    ids=["404", "500", "204", "short", "closed", "two members", "bomb", "cut gzip", "no gzip", "twice", "loop", "ftp"],
)  # fmt: skip
def test_bad_answers(send: Answer, words: str, server: Server, fetcher: Fetcher) -> None:
    """Each is told in words, and none of it is kept."""
    url = server.put(send)
    told = refused(fetcher, url)
    assert told.startswith(f"{url}: ")
    assert words in told
    assert not any(fetcher.folder.glob("*"))


@pytest.mark.parametrize("send", [dripping, dripping_body], ids=["headers", "body"])
def test_an_answer_has_an_end(send: Answer, server: Server, fetcher: Fetcher) -> None:
    """What drips in without end, each piece in time, is given up when its time as a whole is over."""
    assert "was not received whole within 1 s" in refused(replace(fetcher, within_s=1), server.put(send))


def test_gzip_is_undone(server: Server, fetcher: Fetcher) -> None:
    """What comes compressed is read as what it was."""
    assert GOOD == fetcher.fetch(server.put(answer(200, gzip.compress(GOOD), Content_Encoding="gzip")), plain)


def test_another_host_may_have_it(server: Server, fetcher: Fetcher) -> None:
    """A redirect is followed, to another host too; what came is kept for the address that was asked for."""
    server.put(conditional(GOOD, ETag='"one"'))
    url = server.put(answer(302, Location=f"{server.url.replace('127.0.0.1', 'localhost')}/api.json"), "/moved")
    assert [GOOD, GOOD] == [fetcher.fetch(url, plain), fetcher.fetch(url, plain)]
    assert '"one"' == server.asked[-1][1].get("If-None-Match")


def test_a_copy_is_taken_only_when_that_is_asked_for(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that fails is told, with a hint at the copy; with --offline nobody is asked, and that is told too."""
    base = tmp_path / "base.json"
    base.write_bytes(GOOD)
    url = server.put(conditional(GOOD, ETag='"one"'))
    command = [url, str(base), "--cache", str(tmp_path / "cache")]
    assert 2 == main([*command, "--offline"])
    assert "there is no copy of it" in capsys.readouterr().err
    assert 0 == main(command)
    server.put(answer(503))
    capsys.readouterr()
    assert 2 == main(command)
    told = capsys.readouterr()
    assert ("", 1) == (told.out, told.err.count("\n"))
    assert "answers 503; --offline takes the copy that was kept" in told.err
    asked = len(server.asked)
    assert 0 == main([*command, "--offline"])
    assert f"{url}: is a copy" in capsys.readouterr().out
    assert asked == len(server.asked)


def test_a_page_takes_no_copys_place(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """HTML with status 200 is refused in one line, and the description that was kept stays."""
    base = tmp_path / "base.json"
    base.write_bytes(GOOD)
    url = server.put(conditional(GOOD, ETag='"one"'))
    command = [url, str(base), "--cache", str(tmp_path / "cache")]
    assert 0 == main(command)
    server.put(answer(200, PAGE, ETag='"page"'))
    capsys.readouterr()
    assert 2 == main(command)
    told = capsys.readouterr()
    assert ("", 1) == (told.out, told.err.count("\n"))
    assert "is an HTML" in told.err
    assert 0 == main([*command, "--offline"])


@pytest.mark.parametrize("damage", [b"", b"cut", b"\xff\xfe\x00", None], ids=["empty", "short", "binary", "changed"])
def test_a_damaged_copy_is_none(damage: bytes | None, server: Server, fetcher: Fetcher) -> None:
    """What is not as it was kept is fetched anew."""
    url = server.put(conditional(GOOD, ETag='"one"'))
    fetcher.fetch(url, plain)
    (copy,) = fetcher.folder.glob("*")
    copy.write_bytes(copy.read_bytes().replace(b"Orders", b"orders") if damage is None else damage)
    assert GOOD == fetcher.fetch(url, plain)
    assert "If-None-Match" not in server.asked[-1][1]
    assert GOOD == fetcher.fetch(url, plain)
    assert '"one"' == server.asked[-1][1]["If-None-Match"]


def test_a_cache_that_cannot_be_written_costs_nothing_else(server: Server, tmp_path: Path) -> None:
    """With a file where the folder should be, what was asked for is there all the same."""
    (tmp_path / "file").write_text("")
    url = server.put(conditional(GOOD, ETag='"one"'))
    assert GOOD == Fetcher(tmp_path / "file" / "cache").fetch(url, plain)
    (tmp_path / "cache").mkdir()
    fetcher = Fetcher(tmp_path / "cache")
    fetcher.fetch(url, plain)
    (copy,) = fetcher.folder.glob("*")
    copy.unlink()
    copy.mkdir()
    assert GOOD == fetcher.fetch(url, plain)
    assert [copy] == list(fetcher.folder.glob("*"))


def test_a_full_disk_costs_nothing_else(server: Server, tmp_path: Path) -> None:
    """A copy that cannot be written whole is not there at all."""
    url = server.put(conditional(GOOD, ETag='"one"'))
    program = (
        "import resource, sys; from pathlib import Path; from coinbase_checkouts_conformance.drift.fetching import Fetcher;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "sys.stdout.write(str(len(Fetcher(Path(sys.argv[1])).fetch(sys.argv[2], bytes))))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "cache"), url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (str(len(GOOD)), "") == (done.stdout, done.stderr)
    assert [] == list((tmp_path / "cache").glob("*"))


def test_many_may_write_one_copy_at_once(server: Server, fetcher: Fetcher) -> None:
    """Whoever reads meanwhile has a whole copy, old or new; afterwards there is one, and no scratch file."""
    contents = {tag: tag * 300_000 for tag in (b"a", b"b")}

    def send(handler: BaseHTTPRequestHandler) -> None:
        tag = b"ab"[len(server.asked) % 2 :][:1]
        answer(200, contents[tag], ETag=f'"{tag.decode()}"')(handler)

    url = server.put(send)
    with ThreadPoolExecutor(8) as pool:
        found = [one.result() for one in [pool.submit(fetcher.fetch, url, plain) for _ in range(40)]]
    assert set(found) <= set(contents.values())
    assert 1 == len(list(fetcher.folder.glob("*")))
    assert Fetcher(fetcher.folder, offline=True).fetch(url, plain) in contents.values()


def test_no_password_is_told(server: Server, fetcher: Fetcher, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a message nor a report has the password or the token of an address."""
    url = server.put(answer(404)).replace("//", "//ana:s3cret@") + "?token=t0ken"
    assert "s3cret" not in refused(fetcher, url)
    assert "t0ken" not in refused(fetcher, url)
    server.answers["/good.json?token=t0ken"] = answer(200, GOOD)
    good = server.url.replace("//", "//ana:s3cret@") + "/good.json?token=t0ken"
    assert 1 == main([good, "generation:1", "--cache", str(fetcher.folder)])
    assert "s3cret" not in (told := capsys.readouterr().out)
    assert "t0ken" not in told
    assert "http://[" == called("http://[")
