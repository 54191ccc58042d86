"""What a flow's file says it reads beside its tape, also where the simulated hours never lead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CLOCKS = frozenset({
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
    "time.perf_counter_ns", "time.process_time", "time.localtime", "time.sleep", "time.ctime",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today", "pandas.Timestamp.now", "pandas.Timestamp.today",
    "pandas.Timestamp.utcnow",
})  # fmt: skip
_CHANCE = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"})
_SEEDED = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.RandomState"})
"""Generators: no chance if they are given a seed."""
_SHARED = ("random.", "numpy.random.", "secrets.")
"""Modules whose functions, in lower case, draw from a generator that all share."""
_SETTLED = frozenset({"random.seed", "numpy.random.seed"})
_OUTSIDE = frozenset({
    "open", "input", "io.open", "os.getenv", "os.listdir", "os.scandir", "os.system", "os.popen",
    "sqlite3.connect", "numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile",
})  # fmt: skip
_FRAMES = ("pandas.", "polars.", "pyarrow.")
_NETWORK = ("urllib.", "requests.", "httpx.", "socket.", "subprocess.", "http.")
_METHODS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes", "iterdir"})
"""Of paths; nothing else has them."""
_ORDERLESS = frozenset({"sorted", "len", "min", "max", "any", "all", "set", "frozenset"})
"""What these make of a set does not depend on its order."""


class Written(NamedTuple):
    """What a line of a file does that a flow may not."""

    kind: str
    """`clock`, `chance` or `outside`; `sets`: it goes through a set, one by one."""
    what: str
    line: int


def written(path: Path) -> list[Written]:
    """Return what the lines of a flow's file read beside its tape, from the top on.

    What stands under `if __name__ == "__main__":` is no part of the flow.
    """
    tree = ast.parse(path.read_bytes())
    tree.body = [node for node in tree.body if not _is_main(node)]
    names = dict(_imports(tree))
    found = [one for node in ast.walk(tree) for one in _reads(node, names)]
    found += [Written("sets", what, line) for what, line in _through_sets(tree)]
    return sorted(set(found), key=lambda one: one.line)


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ ==")


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a file gives to what it imports, and what that is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _reads(node: ast.AST, names: dict[str, str]) -> Iterator[Written]:
    if isinstance(node, ast.Call):
        name = _dotted(node.func, names)
        kind = _kind(name, node)
        if kind:
            yield Written(kind, f"{name}()", node.lineno)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            yield Written("outside", f"{node.func.attr}()", node.lineno)
    elif isinstance(node, ast.Attribute) and _dotted(node, names) == "os.environ":
        yield Written("outside", "os.environ", node.lineno)


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Return the full name of what is called; nothing if it has none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def _kind(name: str, call: ast.Call) -> str:
    if name in _CLOCKS or (name == "numpy.datetime64" and _is_now(call)):
        return "clock"
    if name in _SEEDED:
        return "" if call.args or call.keywords else "chance"
    own = name.rpartition(".")[2]
    if name in _CHANCE:
        return "chance"
    if name.startswith(_SHARED) and own.islower() and name not in _SETTLED:
        return "chance"
    reads = name.startswith(_FRAMES) and own.startswith(("read_", "scan_"))
    return "outside" if reads or name in _OUTSIDE or name.startswith(_NETWORK) else ""


def _is_now(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and first.value in ("now", "today")


def _through_sets(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the sets whose order something depends on, and the lines that go through them."""
    sets = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_set(node.value, frozenset())
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    calm = {id(node) for call in ast.walk(tree) for node in _calm(call)}
    for node in ast.walk(tree):
        if id(node) not in calm:
            for through in _gone_through(node):
                if _is_set(through, frozenset(sets)):
                    yield ast.unparse(through), through.lineno


def _calm(call: ast.AST) -> list[ast.AST]:
    """Return what stands where no order is looked at, such as between the brackets of `sorted`."""
    named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    if named and call.func.id in _ORDERLESS:  # type: ignore[attr-defined]
        return [*call.args]  # type: ignore[attr-defined]
    return [call] if isinstance(call, ast.SetComp) else []


def _gone_through(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
        return [generator.iter for generator in node.generators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.args if node.func.id in ("list", "tuple", "sum", "iter", "enumerate") else []
    return []


def _is_set(node: ast.expr | None, sets: frozenset[str]) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    return isinstance(node, ast.Name) and node.id in sets
