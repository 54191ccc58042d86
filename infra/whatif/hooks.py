"""A flow file with hooks in it, by which its settings are seen and set while it is loaded.

A hook stands behind each assignment at the top of the file, so that whatever is made from a
setting further down is made from the new one, as if the file had been edited there. One more is
around each value that a step of `strategy` is given in place, such as `every=timedelta(...)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import TypeGuard

from infra.whatif.knobs import Changes, Knob, KnobError, knobs, turned
from infra.whatif.values import write

HOOK = "__set_by_tapedeck__"
_STRATEGY = "strategy"


@dataclass
class Panel:
    """The settings of a flow, as they pass by.

    Parameters
    ----------
    changes
        What is set.

    """

    changes: Changes = ()
    seen: dict[str, Knob] = field(default_factory=dict)
    """What can be set, and what it is now."""
    known: dict[str, object] = field(default_factory=dict)
    """What the file has named so far."""

    def set(self, name: str, value: object) -> object:
        """Return what becomes of a value: itself, if nothing is set."""
        for full, text in self.changes:
            if full == name or full.startswith(f"{name}."):
                value = _turned(name, value, full, text, self.known)
        self.seen.update((one.name, one) for one in knobs(name, value))
        if isinstance(value, FunctionType):
            self.seen[name] = Knob(name, value)
        return value

    def functions(self, names: Mapping[str, object]) -> dict[str, object]:
        """Return which functions of the file stand for others; one may, if it takes the same.

        Parameters
        ----------
        names
            What the file has named.

        """
        own = {n: one for n, one in names.items() if _own(one, names) and n != _STRATEGY}
        taken = {name: _takes(one) for name, one in own.items()}
        for name, one in own.items():
            if name not in self.seen and [*taken.values()].count(taken[name]) > 1:
                self.seen[name] = Knob(name, one)
        return {
            name: _turned(name, own[name], name, text, own)
            for name, text in self.changes
            if name in own
        }


def _turned(name: str, value: object, full: str, text: str, known: Mapping[str, object]) -> object:
    """Return the value of a name with what is set of it."""
    try:
        return turned(value, full.removeprefix(name).split(".")[1:], text, known)
    except ValueError as error:
        raise KnobError(f"--set {full}={text}: {error}") from error


def _takes(function: FunctionType) -> tuple[str, ...]:
    """Return the names of what a function takes."""
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def _own(value: object, names: Mapping[str, object]) -> TypeGuard[FunctionType]:
    return isinstance(value, FunctionType) and value.__globals__ is names


def constants(source: bytes, names: Mapping[str, object]) -> dict[str, str]:
    """Return the settings that a flow file has at its top, by name, as they are written.

    Parameters
    ----------
    source
        The file.
    names
        What it has named.

    """
    assigned = [name for statement in ast.parse(source).body for name in _assigned(statement)]
    found = [one for name in assigned if name in names for one in knobs(name, names[name])]
    return {one.name: write(one.value) for one in found}


def hooked(source: bytes, name: str) -> ast.Module:
    """Return the file's code with hooks in it; its lines stay where they are."""
    tree = ast.parse(source, name)
    tree.body = [*_with_hooks(tree.body)]
    return ast.fix_missing_locations(tree)


def _with_hooks(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If):
            statement.body = [*_with_hooks(statement.body)]
            statement.orelse = [*_with_hooks(statement.orelse)]
        elif isinstance(statement, ast.FunctionDef) and statement.name == _STRATEGY:
            _Steps().visit(statement)
        yield statement
        for name in _assigned(statement):
            call = _hook(name, ast.Name(name, ast.Load()))
            hook = ast.Assign([ast.Name(name, ast.Store())], call)
            yield ast.copy_location(hook, statement)


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that are assigned to and can be set."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    for target in targets:
        for node in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(node, ast.Name) and not node.id.startswith("_"):
                yield node.id


def _hook(name: str, value: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name(HOOK, ast.Load()), [ast.Constant(name), value], [])
    return ast.copy_location(call, value) if hasattr(value, "lineno") else call


class _Steps(ast.NodeTransformer):
    """Puts hooks around what steps are given in place."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Put hooks around the values of a step, but for those that have a name already."""
        step = node.args[0] if node.args else None
        if isinstance(step, ast.Constant) and isinstance(step.value, str):
            for one in node.keywords:
                if one.arg is not None and not isinstance(one.value, ast.Name):
                    one.value = _hook(f"{step.value}.{one.arg}", one.value)
        self.generic_visit(node)
        return node
