"""The sandbox as a process of its own, and a real browser in front of it."""

from __future__ import annotations

from ..leftout import missing  # noqa: TID252, the package of the tests has no other name

collect_ignore_glob = ["test_*.py"] if missing("browser tests", "chromium", "chromedriver") else []
