"""Read what the code says of itself: docstrings of the numpy kind, signatures, fields."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


class Told(NamedTuple):
    """A docstring in its parts."""

    summary: str
    text: str
    """What stands between the first line and the first section."""
    sections: dict[str, str]


class Setting(NamedTuple):
    """A parameter of a function, or a field of a class."""

    name: str
    type: str
    default: str
    """Empty if it must be given."""
    says: str
    """What stands below it, for a field."""


def told(thing: object) -> Told:
    """Return what a function or a class says of itself.

    Examples
    --------
    >>> sorted(told(told).sections)
    ['Examples']

    """
    parts = _SECTION.split(inspect.cleandoc(thing.__doc__ or ""))
    summary, _, text = parts[0].partition("\n")
    named = zip(parts[1::2], parts[2::2], strict=True)
    return Told(summary, text.strip(), {name: said.strip() for name, said in named})


def entries(section: str) -> list[tuple[list[str], str]]:
    r"""Return the names of a section such as Parameters, each with what is said of it.

    Examples
    --------
    >>> entries("size, reason\n    How much, and why.\n\nlimit\n    The worst price.")
    [(['size', 'reason'], 'How much, and why.'), (['limit'], 'The worst price.')]

    """
    found: list[tuple[list[str], str]] = []
    for part in re.split(r"^(?=\S)", section, flags=re.MULTILINE)[1:]:
        names, _, said = part.partition("\n")
        found.append((names.split(", "), flowing(textwrap.dedent(said))))
    return found


def flowing(text: str) -> str:
    """Return a paragraph in one line."""
    return " ".join(text.split())


def settings(thing: object) -> list[Setting]:
    """Return the parameters of a function, or the fields of a class, as they are written."""
    node = _parsed(thing)
    if isinstance(node, ast.ClassDef):
        made = next((one for one in node.body if getattr(one, "name", "") == "__init__"), None)
        if made is None:
            return list(_fields(node))
        node = made
    assert isinstance(node, ast.FunctionDef)  # noqa: S101 - nothing else is told of
    return list(_parameters(node))


def properties(cls: type) -> list[tuple[str, str]]:
    """Return the properties of a class, each with its first line."""
    return [
        (name, told(value).summary)
        for name, value in vars(cls).items()
        if isinstance(value, property) and not name.startswith("_")
    ]


def _parsed(thing: object) -> ast.stmt:
    source = inspect.getsource(inspect.unwrap(thing))  # type: ignore[arg-type]
    return ast.parse(textwrap.dedent(source)).body[0]


def _parameters(node: ast.FunctionDef) -> Iterator[Setting]:
    arguments = [*node.args.args, *node.args.kwonlyargs]
    given = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
    defaults = [""] * (len(arguments) - len(given)) + [ast.unparse(one) for one in given]
    for argument, default in zip(arguments, defaults, strict=True):
        if argument.arg != "self":
            kind = ast.unparse(argument.annotation) if argument.annotation else ""
            yield Setting(argument.arg, kind, default, "")


def _fields(node: ast.ClassDef) -> Iterator[Setting]:
    for one, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            default = ast.unparse(one.value) if one.value is not None else ""
            said = following.value if isinstance(following, ast.Expr) else None
            says = str(said.value) if isinstance(said, ast.Constant) else ""
            yield Setting(one.target.id, ast.unparse(one.annotation), default, flowing(says))
