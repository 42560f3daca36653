"""
`coinbase-checkouts drift`: tell what changed between two descriptions of an API, and whom it breaks.

Exit 0: nothing at or above the threshold. 1: drift, or an expired waiver. 2: it could not compare.
"""

from __future__ import annotations

import argparse
import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .changelog import changelog
from .comparing import compare
from .fetching import Fetcher, cache_folder
from .problems import CouldNotCompareError
from .reports import ENCODED, FILES, FORMATS, Result
from .sources import Sources
from .verdicts import Severity
from .waivers import Waived, read_waivers, waived
from .writing import COULD_NOT, guarded, tell, write

NO_DRIFT: Final = 0
DRIFT: Final = 1
COULD_NOT_COMPARE: Final = COULD_NOT

_PROGRAM: Final = "coinbase-checkouts drift"
_SIDES: Final = "a file, a URL, git:REVISION:path, spec (ours), generation:N, or - for stdin"


def main(argv: list[str]) -> int:
    """The command; *argv* is what comes after its name."""
    if argv[:1] == ["observed"]:
        from . import observed_cli  # noqa: PLC0415 -- it needs the suite, which a comparison does not

        return observed_cli.main(argv[1:])
    if argv[:1] == ["facts"]:
        from . import facts  # noqa: PLC0415 -- likewise

        return facts.main(argv[1:])
    options = _parser().parse_args(argv)
    # Millions of values are read, and all of them stay to the end: to look for rubbish among them takes a third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return guarded(_PROGRAM, lambda: _run(options), too_deep="a schema is built of too many others")
    finally:
        if collecting:
            gc.enable()


def _run(options: argparse.Namespace) -> int:
    if options.base == options.revision == "-":
        raise CouldNotCompareError("stdin can be one side only")
    accepted = [] if options.waivers is None else read_waivers(options.waivers)
    notes: list[str] = []
    sources = Sources(
        Fetcher(options.cache or cache_folder(), options.offline), external=options.external, tell=notes.append
    )
    base, revision = sources.open(options.base), sources.open(options.revision)
    marked: Waived = waived(compare(base, revision), accepted, today=datetime.now(UTC).date())
    result = Result(
        base.name,
        revision.name,
        tuple(marked.differences),
        options.fail_on,
        tuple(marked.expired),
        tuple(marked.unused),
        tuple(notes),
        (base, revision),
    )
    if options.report_dir is not None:
        _write_all(result, options.report_dir)
    report = changelog(result.differences) if options.changelog else FORMATS[options.format](result)
    write(report, options.output, for_people=options.changelog or options.format not in ENCODED)
    # A report for programs, or one in a file, says it to nobody; stderr does.
    if options.output is not None or options.changelog or options.format != "text":
        for remark in result.remarks():
            tell(_PROGRAM, remark)
    return DRIFT if result.has_drift else NO_DRIFT


def _write_all(result: Result, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise CouldNotCompareError(f"{folder}: {exc.strerror or 'cannot be made'}") from None
    for name, kind in FILES.items():
        write(FORMATS[kind](result), folder / name, for_people=False)


def _threshold(text: str) -> Severity:
    severity = Severity(text)
    if severity.rank > Severity.PROSE.rank:
        raise ValueError
    return severity


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coinbase-checkouts drift",
        description="Tell what changed between two OpenAPI descriptions, and whom it breaks. Unofficial.",
        epilog="`drift observed --help` tells how traffic is held against the description, `drift facts --help` how facts "
        "are set side by side. Exit codes: 0 nothing at or above the threshold, 1 drift or an expired waiver, "
        "2 it could not compare",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("base", metavar="BASE", help=f"what was: {_SIDES}")
    add("revision", metavar="REVISION", help="what is: likewise")
    add("--format", choices=FORMATS, default="text", help="default: %(default)s")
    add("--changelog", action="store_true", help="write the section “Wire” of a changelog instead")
    add("--output", type=Path, metavar="FILE", help="write there instead of to stdout")
    add("--report-dir", type=Path, metavar="DIR", help=f"write {', '.join(FILES)} there, too")
    add(
        "--fail-on",
        type=_threshold,
        default=Severity.POTENTIAL,
        metavar="CLASS",
        help="exit 1 from this class on: breaking, potential, additive or prose; default: %(default)s",
    )
    add("--waivers", type=Path, metavar="FILE", help="differences that were accepted, as TOML")
    add("--cache", type=Path, metavar="DIR", help="where copies of what URLs answer are kept")
    add("--offline", action="store_true", help="take the copies that were kept of URLs, and ask nobody")
    add(
        "--allow-external-refs",
        dest="external",
        action="store_true",
        help="follow references to other files, of a side that is a file, in its folder",
    )
    return parser
