"""Options that take more than a command line can say."""

from __future__ import annotations

from pathlib import Path

_NAMED = ("--from-log", "--from-clickhouse")


def spread(arguments: list[str]) -> list[str]:
    """Return the arguments with one value behind each option of `replay`, `trade` and `verify`.

    Each of the files that follow `--data` gets one in front of it, and a log that is not named
    gets an empty name.

    Examples
    --------
    >>> spread(["replay", "flow.py", "--data", "a", "b", "--json"])
    ['replay', 'flow.py', '--data', 'a', '--data', 'b', '--json']
    >>> spread(["replay", "--from-log", "flow.py", "--from-clickhouse", "5f0c"])
    ['replay', '--from-log', '', 'flow.py', '--from-clickhouse', '5f0c']

    """
    result: list[str] = []
    if arguments[:1] not in (["replay"], ["trade"], ["verify"], ["sweep"]):
        return arguments
    option = ""
    for argument in [*arguments, "-"]:
        if option == "--data" and not argument.startswith("-"):
            result += [option, argument]
            continue
        if option in _NAMED:
            named = not argument.startswith("-") and Path(argument).suffix != ".py"
            result += [option, argument if named else ""]
            option = ""
            if named:
                continue
        option = argument if argument in ("--data", *_NAMED) else ""
        if not option:
            result.append(argument)
    return result[:-1]
