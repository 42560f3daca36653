"""
The hook for pre-commit: each description that a commit changes, compared with the one before.

    - id: coinbase-checkouts-drift
      args: [--fail-on, breaking]

A description that is new is compared with itself, so that it has to be one. Exit codes are those of `coinbase-checkouts drift`, the worst of all.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Final

from .cli import main as drift

_GIT_S: Final = 30


def main(argv: list[str]) -> int:
    """Compare each file that is named at the end of *argv* with its state in HEAD."""
    parser = argparse.ArgumentParser(prog="coinbase-checkouts-drift", allow_abbrev=False)
    parser.add_argument("--fail-on", default="potential", metavar="CLASS")
    parser.add_argument("--waivers", metavar="FILE")
    parser.add_argument("files", nargs="*", metavar="FILE")
    asked = parser.parse_args(argv)
    options = ["--fail-on", asked.fail_on, *(["--waivers", asked.waivers] if asked.waivers else [])]
    codes = [
        drift([*options, "--", f"git:HEAD:{file}", file] if _is_known(file) else ["--", file, file])
        for file in asked.files
    ]
    return max(codes, default=0)


def _is_known(file: str) -> bool:
    """Whether HEAD has it. pre-commit runs hooks in the root of the repository, from which git counts paths, too."""
    done = subprocess.run(  # noqa: S603 -- no shell, and what is asked for begins with HEAD
        ["git", "cat-file", "-e", f"HEAD:{file}"],  # noqa: S607 -- from PATH, as the user has it
        capture_output=True,
        timeout=_GIT_S,
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
