"""
What can be written after `coinbase-checkouts`: the client's commands and their options.

Nothing here imports the client, so that help, completion and mistakes are answered at once.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

DEFAULT_KEY_FILE: Final = "cdp_api_key.json"
SHELLS: Final = ("bash", "zsh", "tcsh")
# CheckoutStatus, which would import all of the compiled client; a test holds the two together.
STATUSES: Final = (
    "ACTIVE",
    "COMPLETED",
    "DEACTIVATED",
    "EXPIRED",
    "FAILED",
    "PARTIALLY_REFUNDED",
    "PROCESSING",
    "REFUNDED",
)

OK: Final = 0
SAID_NO: Final = 1
COULD_NOT_RUN: Final = 2
UNKNOWN: Final = 3
INTERRUPTED: Final = 130
EXIT_CODES: Final = """\
exit codes of create, get, list, deactivate, refund and wait:
  0    done
  1    the API said no, or gave no usable answer; wait ended without what was waited for
  2    could not run: usage, key, a request that breaks the description, not confirmed,
       nobody reached; nothing was changed
  3    it may have happened: stderr says why, and how to repeat the command safely
  130  interrupted, nothing was changed"""
WEBHOOK_EXIT_CODES: Final = """\
exit codes:
  0    verify: it is good; listen: stopped by Ctrl-C or SIGTERM, or --count or --timeout reached
  1    verify: refused, stderr says why; listen: fewer than --count events within --timeout
  2    could not run: usage, no secret, a file or port that cannot be had, no subscription"""
SUBSCRIPTION_EXIT_CODES: Final = """\
exit codes:
  0    done
  1    the API said no, or gave no usable answer
  2    could not run: usage, key, a request that breaks the description, nobody reached
  3    it may have happened: stderr says why, and how to find out
  130  interrupted, nothing was changed"""
MIGRATE_EXIT_CODES: Final = """\
Nothing is created: this reads files and writes files.

exit codes:
  0    all charges were converted, none with a loss but those of --accept
  1    some lose something, or were refused
  2    could not run: usage, or something could not be read or written; stderr says where
  130  interrupted"""

# Longer is a mistake, and more than a socket can count.
_LONGEST_S: Final = 30 * 24 * 3600
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
# What is in a key file, given in place of its name: nothing may repeat it.
_A_KEY: Final = re.compile(r"[{\n]|-----BEGIN|^[A-Za-z0-9+/]{43,}={0,2}$")
_OPTION: Final = re.compile(r"--?[a-z][a-z-]{0,30}")


class Parsers(NamedTuple):
    """All of it, for help and completion; and each command's own."""

    root: argparse.ArgumentParser
    commands: Mapping[str, argparse.ArgumentParser]


def parsers(version: str, others: Mapping[str, str], *, complete_file: Any = None) -> Parsers:
    """
    The parsers of the whole command line.

    Args:
        others: Commands that parse for themselves, each with what it does.
        complete_file: What `shtab` is to do for the name of a file.
    """
    root = argparse.ArgumentParser(
        prog="coinbase-checkouts",
        description="Coinbase Business Checkouts from a shell. Unofficial.",
        epilog=EXIT_CODES + "\n\n'coinbase-checkouts COMMAND --help' tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=version)
    root.add_argument("--print-completion", choices=SHELLS, help="print a script that completes commands and options")
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    made: dict[str, argparse.ArgumentParser] = {}
    common = _common(complete_file)
    for name, (summary, add_arguments) in _COMMANDS.items():
        # Abbreviations would make scripts depend on which options there are not yet.
        made[name] = commands.add_parser(name, help=summary, description=summary, parents=[common], allow_abbrev=False)
        made[name].set_defaults(command=name)
        add_arguments(made[name])
    made["webhook"] = commands.add_parser("webhook", help=_WEBHOOK, description=_WEBHOOK, allow_abbrev=False)
    made["webhook"].set_defaults(command="webhook")
    _webhook(made["webhook"], complete_file)
    made["migrate"] = commands.add_parser(
        "migrate",
        help=_MIGRATE,
        description=_MIGRATE_MORE,
        epilog=MIGRATE_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made["migrate"].set_defaults(command="migrate")
    _migrate(made["migrate"], complete_file)
    for name, summary in others.items():
        commands.add_parser(name, help=summary)
    return Parsers(root, made)


def parse(parser: argparse.ArgumentParser, given: Sequence[str]) -> argparse.Namespace:
    """What *given* says; a mistake ends the program with 2, and its message does not repeat values."""
    options, strange = parser.parse_known_args(given)
    if strange:
        # argparse itself would repeat all of it, and one of them may be a secret.
        named = [option[0] for option in map(_OPTION.match, strange) if option is not None]
        parser.error(f"no such option: {' '.join(named)}" if named else "too many arguments")
    names = [name for name, _ in getattr(options, "metadata", None) or ()]
    if len(names) != len(set(names)):
        parser.error("argument --metadata: a key is given twice")
    if getattr(options, "expires_in", None) and (options.order_id or options.idempotency_key):
        # Found out by the service only when the repetition is needed, with 409.
        parser.error(
            "argument --expires-in: counts from now, so that a repetition would be another request; "
            "with --order-id or --idempotency-key give --expires-at"
        )
    if getattr(options, "subscribe", "") is None and options.key_file is not None:
        parser.error("argument --key-file: belongs to --subscribe")
    return options


def _common(complete_file: Any) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    add = parser.add_argument_group("connection and output").add_argument
    key_file = add(
        "--key-file",
        type=_file,
        metavar="FILE",
        help="API key, as the portal writes it (default: CDP_API_KEY_ID and CDP_API_KEY_SECRET, "
        f"or else ./{DEFAULT_KEY_FILE})",
    )
    if complete_file is not None:
        vars(key_file).update(complete=complete_file)
    add("--base-url", type=_text, metavar="URL", help="another origin than the real service's")
    add("--sandbox", action="store_true", help="Coinbase's own sandbox")
    add("--json", action="store_true", help="what the API said, one JSON object a line")
    add("--timeout", type=_seconds, metavar="SECONDS", help="for one attempt (default: 30)")
    add("--max-retries", type=_number(0), metavar="N", help="attempts after the first (default: 2)")
    return parser


def _create(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("amount", type=_text, metavar="AMOUNT", help="0.01 to 100000000, at most two decimals")
    add("--currency", type=_text, default="USDC", help="default: %(default)s")
    add("--network", type=_text, help="leave it out for base, the only one")
    add("--description", type=_text, metavar="TEXT", help="shown to the payer")
    add("--metadata", type=_pair, action="append", metavar="KEY=VALUE", help="your own; may be given again")
    expiry = parser.add_mutually_exclusive_group()
    expiry.add_argument("--expires-at", type=_text, metavar="TIME", help="such as 2026-03-20T10:30:00Z")
    expiry.add_argument("--expires-in", type=_duration, metavar="DURATION", help="from now, such as 30m, 1h or 2d")
    add("--success-redirect-url", type=_text, metavar="URL", help="https; where the payer goes after authorising")
    add("--fail-redirect-url", type=_text, metavar="URL", help="https; where the payer goes after a failure")
    _keys(parser, "--order-id", "your own id of the order")


def _refund(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _id(parser)
    add("amount", type=_text, metavar="AMOUNT", help="more than 0, at most what is left")
    add("--currency", type=_text, help="default: the checkout's fiat currency, or USDC")
    add("--reason", type=_text, metavar="TEXT", help="for your records")
    _keys(parser, "--refund-id", "your own id of this refund")
    add("--yes", action="store_true", help="do not ask; needed where there is no terminal")


def _keys(parser: argparse.ArgumentParser, option: str, what: str) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        option, type=_filled, metavar="ID", help=f"{what}: the same command within 24 hours is not done twice"
    )
    group.add_argument(
        "--idempotency-key", type=_filled, metavar="KEY", help="to repeat a command whose outcome is unknown"
    )


def _list(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _status(parser, "--status", "only these; may be given again")
    add("--start-time", type=_text, metavar="TIME", help="created then or later, such as 2026-03-20T00:00:00Z")
    add("--end-time", type=_text, metavar="TIME", help="created then or earlier")
    add("--description-query", type=_text, metavar="TEXT", help="part of the description")
    add("--page-size", type=_number(1), metavar="N", help="checkouts a request, 1 to 100 (default: the service's, 20)")
    add("--limit", type=_number(1), metavar="N", help="no more than N checkouts")


def _wait(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    _status(parser, "--until", "any of these; may be given again (default: whatever decides the payment)")
    parser.add_argument(
        "--timeout-s", type=_seconds, default=600.0, metavar="SECONDS", help="in all (default: %(default)g)"
    )


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_filled, metavar="ID", help="the checkout's, 24 hexadecimal digits")


def _status(parser: argparse.ArgumentParser, option: str, help_text: str) -> None:
    parser.add_argument(
        option, type=str.upper, choices=STATUSES, action="append", metavar="STATUS", help=f"{help_text}: %(choices)s"
    )


def _webhook(parser: argparse.ArgumentParser, complete_file: Any) -> None:
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", dest="action", required=True)

    def add_action(name: str, summary: str, more: str, epilog: str, **given: Any) -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.{more}",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **given,
        )

    for name, (summary, more, add_arguments) in _WEBHOOK_ACTIONS.items():
        action = add_action(name, summary, more, WEBHOOK_EXIT_CODES)
        secret = action.add_mutually_exclusive_group(required=True)
        files = [
            secret.add_argument(
                "--secret-file", type=_file, metavar="FILE", help="has the subscription's secret; several, one a line"
            )
        ]
        secret.add_argument("--secret-env", type=_text, metavar="NAME", help="variable of the environment that has it")
        files += add_arguments(action, secret)
        action.add_argument("--json", action="store_true", help="one JSON object for each event, on a line of its own")
        for file in files if complete_file is not None else ():
            vars(file).update(complete=complete_file)
    common = _common(complete_file)
    for name, (summary, more, add_options) in _SUBSCRIPTION_ACTIONS.items():
        add_options(add_action(name, summary, more, SUBSCRIPTION_EXIT_CODES, parents=[common]))


def _subscribe(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", type=_filled, metavar="URL", help="https, where deliveries are to go")
    _event(parser, "deliver only these; may be given again (default: all five of checkouts)")
    add("--description", type=_text, metavar="TEXT", help="for you; at most 100 characters")
    add("--metadata", type=_pair, action="append", metavar="KEY=VALUE", help="your own; may be given again")
    add(
        "--header-file",
        type=_file,
        metavar="FILE",
        help="headers that every delivery is to carry, 'NAME: VALUE' a line; in a file, for they may hold a credential",
    )
    add("--disabled", action="store_true", help="deliver nothing yet")
    _show_secret(parser)


def _subscriptions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_filled, nargs="?", metavar="ID", help="only this one, with all that is known of it")
    _show_secret(parser)


def _unsubscribe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_filled, metavar="ID", help="the subscription's")


def _deliveries(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _unsubscribe(parser)
    _event(parser, "only these; may be given again")
    add("--event-id", type=_text, metavar="ID", help="only this, the X-Event-Id of a delivery")
    add("--since", type=_text, metavar="TIME", help="created then or later, such as 2026-03-20T00:00:00Z")
    add("--until", type=_text, metavar="TIME", help="created then or earlier")


def _event(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--event", type=_filled, action="append", metavar="TYPE", help=help_text)


def _show_secret(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-secret", action="store_true", help="show the secret, and the values of headers")


def _webhook_verify(parser: argparse.ArgumentParser, _: Any) -> list[argparse.Action]:
    add = parser.add_argument
    add(
        "--header", type=_header, action="append", default=[], metavar="'NAME: VALUE'", help="as it came; once for each"
    )
    add("--now", type=_unix_seconds, metavar="SECONDS", help="Unix time to compare with (default: the present)")
    return [add("file", type=_file, nargs="?", default="-", metavar="FILE", help="the body as it came; - is stdin")]


def _webhook_listen(parser: argparse.ArgumentParser, secret: Any) -> list[argparse.Action]:
    add = parser.add_argument
    secret.add_argument(
        "--subscribe", type=_text, metavar="URL", help="subscribe there, at a sandbox of this machine, until the end"
    )
    add("--host", type=_text, default="127.0.0.1", help="a loopback address (default: %(default)s)")
    add("--port", type=_port, default=0, help="default: a free one")
    add("--path", type=_path, default="/", help="where deliveries come (default: %(default)s)")
    add("--count", type=_number(1), metavar="N", help="stop after N events")
    add("--timeout", type=_seconds, metavar="SECONDS", help="stop then")
    return [add("--key-file", type=_file, metavar="FILE", help="API key for --subscribe (default: as for the others)")]


def _migrate(parser: argparse.ArgumentParser, complete_file: Any) -> None:
    add = parser.add_argument
    exported = add(
        "files", type=_file, nargs="+", metavar="FILE", help=".json, .ndjson or .jsonl, or a folder with such files"
    )
    add("--strict", action="store_true", help="refuse every charge that loses anything")
    add(
        "--accept",
        type=_text,
        action="append",
        default=[],
        metavar="CODE",
        help="a loss that is none; may be given again",
    )
    add("--keep-fiat", action="store_true", help="leave USD to the service, in place of as many USDC")
    add("--expires-at", type=_text, metavar="TIME", help="of all requests, such as 2026-03-20T10:30:00Z")
    add(
        "--out",
        type=_file,
        metavar="DIR",
        help="for requests.ndjson, leave.ndjson, refused.ndjson and report.md (default: all lines to stdout)",
    )
    report = add("--report", type=_file, metavar="FILE", help="the report, in Markdown")
    for option in (exported, report) if complete_file is not None else ():
        vars(option).update(complete=complete_file)


_MIGRATE: Final = "turn exported charges of Coinbase Commerce into requests for checkouts"
_MIGRATE_MORE: Final = """\
Turn exported charges of Coinbase Commerce into requests for checkouts, one JSON object a line, with
what each of them loses. The verdict says what to do: 'create' what waits to be paid, 'leave' what is
paid, being paid, over, not surely unpaid, or there again in another line; 'refused' is what no checkout
can mean, or with --strict not without loss."""
_WEBHOOK: Final = "subscribe to webhooks, and verify their deliveries"
_WEBHOOK_ACTIONS: Final[
    Mapping[str, tuple[str, str, Callable[[argparse.ArgumentParser, Any], list[argparse.Action]]]]
] = {
    "verify": (
        "say whether a delivery is good, and what it says",
        """

Refused, stderr has the reason: header_missing, header_repeated, header_malformed,
header_not_delivered, code_not_hexadecimal, code_mismatch, outside_tolerance or payload_malformed.""",
        _webhook_verify,
    ),
    "listen": (
        "take deliveries on this machine, and show the good ones",
        """

The first line is 'listening on http://HOST:PORT', on stdout; with --json on stderr, so that stdout has
events only. Deliveries are answered at once: 200, or 400 and a line on stderr.""",
        _webhook_listen,
    ),
}
_SUBSCRIPTION_ACTIONS: Final[Mapping[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]]] = {
    "subscribe": (
        "have events delivered to an address",
        """

This is never tried again by itself once it may have happened: two subscriptions are every delivery twice.
The secret is not shown unless asked for; it can be read again at any time with 'subscriptions'.""",
        _subscribe,
    ),
    "subscriptions": ("show the subscriptions, or one of them", "", _subscriptions),
    "unsubscribe": ("end a subscription, its secret and its deliveries, for good", "", _unsubscribe),
    "deliveries": (
        "show how the deliveries to a subscription went",
        """

The newest 50; to look further back, give the time of the last one as --until.""",
        _deliveries,
    ),
}
_COMMANDS: Final[Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]] = {
    "create": ("create a checkout; send the payer to its url", _create),
    "get": ("show one checkout", _id),
    "list": ("list checkouts", _list),
    "deactivate": ("end an ACTIVE checkout, for good", _id),
    "refund": ("pay back a part or all of a checkout; asks first", _refund),
    "wait": ("wait until the payment is decided, or for a status", _wait),
}
NAMES: Final = (*_COMMANDS, "webhook", "migrate")


# What follows reads one value. Messages say what must be, and do not repeat what was given.


def _text(given: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("must be UTF-8") from None
    return given


def _filled(given: str) -> str:
    if not given:
        raise argparse.ArgumentTypeError("must not be empty")
    return _text(given)


def _file(given: str) -> str:
    if _A_KEY.search(given):
        raise argparse.ArgumentTypeError("must be the name of a file, not what is in it")
    return given


def _pair(given: str) -> tuple[str, str]:
    key, separator, value = _text(given).partition("=")
    if not separator or not key:
        raise argparse.ArgumentTypeError("must be KEY=VALUE")
    return key, value


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    # Not `seconds <= 0`: a NaN must not pass.
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be seconds, more than 0 and at most {_LONGEST_S}")
    return seconds


def _header(given: str) -> tuple[str, str]:
    name, separator, value = given.partition(":")
    if not separator or not name.strip():
        raise argparse.ArgumentTypeError("must be 'NAME: VALUE'")
    return name.strip(), value.strip()


def _unix_seconds(given: str) -> float:
    # As many digits as a calendar has years for.
    if not re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,9})?", given):
        raise argparse.ArgumentTypeError("must be Unix seconds, such as 1775000000")
    return float(given)


def _port(given: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", given) or int(given) > 65535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(given)


def _path(given: str) -> str:
    if not re.fullmatch(r"/[!-~]*", given) or set(given) & set("?#"):
        raise argparse.ArgumentTypeError("must begin with / and be plain ASCII, without ? and #")
    return given


def _number(least: int) -> Callable[[str], int]:
    def read(given: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", given) or int(given) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number, {least} or more")
        return int(given)

    return read


def _duration(given: str) -> timedelta:
    found = _DURATION.fullmatch(given)
    if found is None:
        raise argparse.ArgumentTypeError("must be minutes, hours or days, such as 30m, 1h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
