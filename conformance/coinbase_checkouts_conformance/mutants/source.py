"""
Random small changes of the sandbox's own code: what a tired programmer, and no author of tests, gets wrong.

A change is made in the syntax tree of one module, and the whole sandbox imported anew around it, in a fork. Docstrings,
annotations, log lines and the words of error messages are left alone: no document says what they are.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import random
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Final

from coinbase_checkouts_conformance.outcomes import BREAKING

from .trial import verdicts
from .workers import WORKERS, Lost, results

PACKAGE: Final = "coinbase_checkouts_sandbox"
# What the API does. Not: pages, command line, key files, migrations, webhooks, and how bytes get in and out.
MODULES: Final = (
    "acts",
    "checkouts",
    "clock",
    "errors",
    "idempotency",
    "money",
    "operations",
    "paging",
    "refunds",
    "requests",
    "store",
    "tokens",
    "world",
)
DEADLINE_S: Final = 60.0
KNOWN_FILE: Final = Path(__file__).with_name("survivors.toml")

KILLED: Final = "killed"
SURVIVED: Final = "SURVIVED"
NOT_VIABLE: Final = "not viable"
NOT_RUN: Final = "not run"
KNOWN: Final = "known"

# Calls whose texts are for people, or for a log.
_WORDS: Final = frozenset(
    {"ApiError", "_refusal", "IllegalChangeError", "ValueError", "TypeError", "KeyError", "append"}
)
_OTHER_COMPARISON: Final[Mapping[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OTHER_OPERATOR: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}


class CannotTryError(Exception):
    """The sandbox is not what is changed here; the message says why."""


@dataclass(frozen=True)
class Change:
    """
    One change of one module.

    Attributes:
        lines: From and to, of the statement it is in.
        number: Of the changes of its module, in the order of the tree.
        where: The statement, as it is unchanged.
    """

    module: str
    number: int
    lines: tuple[int, int]
    function: str
    before: str
    after: str
    where: str

    @property
    def told(self) -> str:
        """`checkouts.py:121  a → b`."""
        return f"{self.module}.py:{self.lines[0]}  {self.before} → {self.after}"


@dataclass(frozen=True)
class Fate:
    """What became of a change; *by* is the first claim that broke, or why there is no result."""

    change: Change
    said: str
    by: str = ""


def changes(module: str) -> list[Change]:
    """Every change that is known to be made to *module*."""
    return [change for change, _ in _changed_trees(module)]


def _path(module: str) -> Path:
    spec = importlib.util.find_spec(f"{PACKAGE}.{module}")
    if spec is None or spec.origin is None:
        raise CannotTryError(f"the sandbox has no module {module}")
    return Path(spec.origin)


def _changed_trees(module: str) -> Iterator[tuple[Change, ast.Module]]:
    """Each change, with the whole tree after it; the tree is good until the next one."""
    tree = ast.parse(_path(module).read_text(encoding="utf-8"))
    for number, (statement, function, node, edit) in enumerate(list(_sites(tree, tree, "module", None))):
        before, kind, kept = ast.unparse(node), node.__class__, dict(node.__dict__)
        where = ast.unparse(statement)
        swapped = edit(node)
        lines = statement.lineno, getattr(statement, "end_lineno", statement.lineno)
        if isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.FunctionDef):
            lines = statement.lineno, statement.body[0].lineno
        after = swapped or ast.unparse(node)
        yield Change(module, number, lines, function, _short(before), _short(after), where), tree
        node.__class__ = kind
        node.__dict__.clear()
        node.__dict__.update(kept)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:87]}…"


Edit = Callable[[Any], str | None]
_Site = tuple[ast.stmt, str, ast.AST, Edit]


def _sites(node: ast.AST, parent: ast.AST, function: str, statement: ast.stmt | None) -> Iterator[_Site]:
    """Every place that can be changed, and how: an edit in place, which may say what it comes to."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if isinstance(node, ast.stmt):
        statement = node
    if statement is not None:
        for edit in _edits(node, parent):
            yield statement, function, node, edit
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and isinstance(node, ast.stmt | ast.arg):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_words(child, node):
                yield from _sites(child, node, function, statement)


def _is_words(node: ast.AST, parent: ast.AST) -> bool:
    """Whether *node* is only read by people."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return isinstance(parent, ast.Call) and _name(parent.func) in _WORDS
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Assert)


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _edits(node: ast.AST, parent: ast.AST) -> Iterator[Edit]:  # noqa: C901, PLR0912 -- one case for each kind of change
    match node:
        case ast.Compare():
            yield _other_comparison
            if type(node.ops[0]) in (ast.Lt, ast.LtE, ast.Gt, ast.GtE):
                yield _turned_comparison
        case ast.BoolOp():
            yield _other_bool
        case ast.BinOp() if type(node.op) in _OTHER_OPERATOR:
            yield _other_operator
        case ast.UnaryOp(op=ast.Not()) if not isinstance(parent, ast.If | ast.IfExp):
            yield _without_not
        case ast.Constant(value=bool()):
            yield _flipped
        case ast.Constant(value=int() | float()):
            yield _one_more
            yield _one_less
        case ast.Constant(value=str()) if not isinstance(parent, ast.JoinedStr | ast.FormattedValue):
            yield _other_text
        case ast.If() | ast.IfExp():
            yield _negated
        case ast.Return() if node.value is not None:
            yield _returned_none
        case ast.Expr() | ast.AugAssign() | ast.Raise():
            yield _removed
        case ast.Call() if len(node.args) > 1:
            yield _swapped
        case _:
            pass


def _other_comparison(node: ast.Compare) -> None:
    node.ops = [_OTHER_COMPARISON[type(node.ops[0])](), *node.ops[1:]]


def _turned_comparison(node: ast.Compare) -> None:
    turned: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.Gt,
        ast.LtE: ast.GtE,
        ast.Gt: ast.Lt,
        ast.GtE: ast.LtE,
    }
    node.ops = [turned[type(node.ops[0])](), *node.ops[1:]]


def _other_bool(node: ast.BoolOp) -> None:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _other_operator(node: ast.BinOp) -> None:
    node.op = _OTHER_OPERATOR[type(node.op)]()


def _without_not(node: ast.UnaryOp) -> None:
    node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)


def _flipped(node: ast.Constant) -> None:
    node.value = not node.value


def _one_more(node: ast.Constant) -> None:
    node.value += 1  # type: ignore[operator]  # a number


def _one_less(node: ast.Constant) -> None:
    node.value -= 1  # type: ignore[operator]  # a number


def _other_text(node: ast.Constant) -> None:
    node.value = f"{node.value!s}X"


def _negated(node: ast.If | ast.IfExp) -> str:
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return f"if {ast.unparse(node.test)}"


def _returned_none(node: ast.Return) -> None:
    node.value = ast.Constant(None)


def _removed(node: ast.stmt) -> str:
    # In place: the node becomes a `pass` for whoever compiles it.
    node.__dict__.update(ast.Expr(ast.Constant(None)).__dict__)
    if not isinstance(node, ast.Expr):
        node.__class__ = ast.Expr
    return "nothing"


def _swapped(node: ast.Call) -> None:
    node.args = [node.args[1], node.args[0], *node.args[2:]]


# Trying them.


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed tree."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._name = f"{PACKAGE}.{module}"
        self._code = code

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 -- the sandbox's own code, changed


def _forget_the_sandbox() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def _compiled(change: Change) -> CodeType:
    for one, tree in _changed_trees(change.module):
        if one.number == change.number:
            return compile(ast.fix_missing_locations(tree), str(_path(change.module)), "exec")
    raise LookupError(change.told)


def fates(
    chosen: Collection[Change], key_file: Path, *, seed: int, workers: int = WORKERS, deadline_s: float = DEADLINE_S
) -> Iterator[Fate]:
    """What the suite says of each change; those that no claim runs are not tried."""
    [(_, run)] = results([None], lambda _: _lines_run(key_file, seed), deadline_s=5 * deadline_s, workers=1)
    if isinstance(run, Lost):
        raise CannotTryError(f"the unchanged sandbox could not be tried: {run.why}")
    known = known_survivors()
    reached: list[Change] = []
    for change in chosen:
        if run.get(change.module, set()).isdisjoint(range(change.lines[0], change.lines[1] + 1)):
            yield Fate(change, NOT_RUN)
        else:
            reached.append(change)

    def do(change: Change) -> tuple[str, str]:
        sys.meta_path.insert(0, _Finder(change.module, _compiled(change)))
        _forget_the_sandbox()
        try:
            app = _application_anew(key_file)
        except Exception as exc:  # noqa: BLE001 -- whatever keeps it from starting
            return NOT_VIABLE, type(exc).__name__
        found = verdicts(app, key_file, seed=seed, first=True)
        broken = [claim for claim, verdict in found.items() if verdict in BREAKING]
        return (KILLED, broken[0]) if broken else (SURVIVED, "")

    for change, ended in results(reached, do, deadline_s=deadline_s, workers=workers):
        if isinstance(ended, Lost):
            # Without an end, or of itself ended: any user would have noticed.
            yield Fate(change, KILLED, ended.why)
        elif ended[0] == SURVIVED and (why := next((one.why for one in known if one.is_about(change)), "")):
            yield Fate(change, KNOWN, why)
        else:
            yield Fate(change, *ended)


def _application_anew(key_file: Path) -> Any:
    """The sandbox of the modules that are there now."""
    from coinbase_checkouts_sandbox import keys  # noqa: PLC0415 -- anew
    from coinbase_checkouts_sandbox.app import create_app  # noqa: PLC0415 -- anew

    key = keys.parse(key_file.read_bytes())
    return create_app(keys={key.id: key})


def _lines_run(key_file: Path, seed: int) -> dict[str, set[int]]:
    """By module, the lines that run when the suite meets the sandbox as it is, its start included."""
    files = {str(_path(module)): module for module in MODULES}
    found: dict[str, set[int]] = {module: set() for module in MODULES}

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            found[files[frame.f_code.co_filename]].add(frame.f_lineno)
        return local

    def each(frame: FrameType, _: str, __: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        found[files[frame.f_code.co_filename]].add(frame.f_lineno)
        return local

    _forget_the_sandbox()
    sys.settrace(each)
    try:
        verdicts(_application_anew(key_file), key_file, seed=seed)
    finally:
        sys.settrace(None)
    return found


@dataclass(frozen=True)
class Known:
    """
    Changes that no claim can notice, and why.

    Attributes:
        within: Part of the statement that is changed, so that the entry stays when lines move.
        change: Part of `before → after`; empty for any.
    """

    module: str
    within: str
    why: str
    change: str = ""

    def is_about(self, change: Change) -> bool:
        """Whether *change* is one of them."""
        is_there = change.module == self.module and self.within in change.where
        return is_there and self.change in f"{change.before} → {change.after}"


def known_survivors() -> list[Known]:
    """All of `survivors.toml`."""
    return [Known(**one) for one in tomllib.loads(KNOWN_FILE.read_text(encoding="utf-8"))["known"]]


def drawn(sample: int | None, seed: int) -> tuple[list[Change], int]:
    """So many changes of all modules, all if there is no *sample*; and how many there are."""
    everything = [change for module in MODULES for change in changes(module)]
    if sample is None or sample >= len(everything):
        return everything, len(everything)
    return random.Random(seed).sample(everything, sample), len(everything)  # noqa: S311 -- a choice of tests
