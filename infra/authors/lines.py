"""Where in a flow's file something is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def named_in(path: Path, text: str) -> int | None:
    """Return the line of the function that an error's text names, as pickle does."""
    found = [(name, line) for name, line in _functions(_read(path), "") if f"{name}'" in text]
    found += [(name, line) for name, line in _functions(_read(path), "") if f"{name} " in text]
    return max(found, key=lambda one: len(one[0]))[1] if found else None


def assigned(path: Path, name: str) -> int | None:
    """Return the line that gives a name of the module its first value."""
    for node in _read(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    return None


def mentioned(path: Path, module: str) -> int | None:
    """Return the line that first uses a module of this name, such as `np.random`."""
    lines = (
        node.lineno
        for node in ast.walk(_read(path))
        if isinstance(node, ast.Attribute) and node.attr == module
    )
    return min(lines, default=None)


def _read(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def _functions(node: ast.AST, inside: str) -> Iterator[tuple[str, int]]:
    """Yield functions with the names that Python gives them, and their lines."""
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            own = "<lambda>" if isinstance(child, ast.Lambda) else child.name
            yield inside + own, child.lineno
            name = f"{inside}{own}." + ("" if isinstance(child, ast.ClassDef) else "<locals>.")
        yield from _functions(child, name)
