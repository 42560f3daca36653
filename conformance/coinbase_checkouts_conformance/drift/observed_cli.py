"""
`coinbase-checkouts drift observed`: tell what traffic has that the description does not, and propose it as a patch.

Exit 0: nothing. 1: observed drift. 2: it could not observe.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .fetching import Fetcher, cache_folder
from .observed import Observed
from .observed_reports import FORMATS, Observing
from .observed_sources import Collector
from .patching import as_patch
from .problems import CouldNotCompareError
from .sources import Sources, our_file
from .writing import guarded, tell, write

NO_DRIFT: Final = 0
DRIFT: Final = 1

_PROGRAM: Final = "coinbase-checkouts drift observed"


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    options = _parser().parse_args(argv)
    return guarded(_PROGRAM, lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if not (options.cassettes or options.har or options.log or options.base_url):
        raise CouldNotCompareError("nothing to look at; name --cassettes, --har, --log or --base-url")
    if (options.base_url is None) != (options.key_file is None):
        raise CouldNotCompareError("--base-url and --key-file go together")
    document = Sources(Fetcher(cache_folder())).open(options.description)
    collector = Collector(Observed(document), document, frozenset(options.host))
    for folder in options.cassettes:
        collector.cassettes(folder)
    for path in options.har:
        collector.har(path)
    for path in options.log:
        collector.log(path)
    if options.base_url is not None:
        collector.server(options.base_url, options.key_file)
    collector.done()
    observed = collector.observed
    result = Observing(
        document.name,
        tuple(observed.observations),
        tuple(observed.never_seen),
        dict(observed.exchanges),
        {name: tuple(found) for name, found in collector.targets.items()},
        tuple(collector.notes),
    )
    is_patch = options.format == "patch"
    if is_patch:
        report = as_patch(_path(options.description), result, collector.files, today=datetime.now(UTC).date())
    else:
        report = FORMATS[options.format](result)
    write(report, options.output, for_people=options.format in ("text", "markdown"), as_is=is_patch)
    # A report for programs, or one in a file, says it to nobody; stderr does.
    if options.output is not None or options.format != "text":
        for note in result.notes:
            tell(_PROGRAM, note)
    return DRIFT if result.has_drift else NO_DRIFT


def _path(description: str) -> Path:
    """Of the file that a patch is for."""
    ours = our_file() if description == "spec" else Path(description)
    if ours is None:
        raise CouldNotCompareError("there is no spec/openapi.yaml here to patch; name one with --description")
    return ours


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Tell what traffic has that the description of the Checkouts API does not. Unofficial.",
        epilog="exit codes: 0 nothing undocumented, 1 observed drift, 2 it could not observe",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--cassettes", action="append", type=Path, default=[], metavar="DIR", help="a folder of vcrpy cassettes")
    add("--har", action="append", type=Path, default=[], metavar="FILE", help="a HAR file, saved with content")
    add(
        "--log",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="what sensor.JsonLines of the client wrote",
    )
    add("--base-url", metavar="URL", help="a server; it is asked with GET only")
    add("--key-file", type=Path, metavar="FILE", help="for --base-url: cdp_api_key.json, as the portal writes it")
    add(
        "--host",
        action="append",
        default=[],
        metavar="HOST",
        help="take traffic with this host, too; otherwise only with the description's servers and this machine",
    )
    add("--description", default="spec", metavar="FILE", help="another description than ours")
    add("--format", choices=[*FORMATS, "patch"], default="text", help="default: %(default)s")
    add("--output", type=Path, metavar="FILE", help="write there instead of to stdout")
    return parser
