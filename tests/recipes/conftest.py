"""The recipes are users' tests; test_recipes.py runs each in a pytest of its own."""

from __future__ import annotations

collect_ignore_glob = ["with_*"]
