"""What is kept running, and how the supervisor is told of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

DRAIN_SECONDS = 60
"""How long a program may drain; then it is killed."""


@dataclass(frozen=True)
class Program:
    """What is kept running.

    Parameters
    ----------
    name
        What it is called.
    arguments
        What Python runs.
    behind
        The lock of what it is to be: it waits there for one that somebody else started.
    again
        Whether it is started again even if it ended well.
    kept
        What it finds of our variables; it may hold secrets.

    """

    name: str
    arguments: tuple[str, ...]
    behind: str = ""
    again: bool = False
    kept: dict[str, str] = field(default_factory=dict, repr=False)


def own(directory: Path, socket: Path) -> str:
    """Return the supervisor's own file.

    Parameters
    ----------
    directory
        Its home.
    socket
        Where it is spoken to.

    """
    at = _escaped(directory)
    return (
        f"[unix_http_server]\nfile={_escaped(socket)}\nchmod=0700\n\n"
        f"[supervisord]\nlogfile={at}/supervisord.log\nlogfile_maxbytes=1MB\n"
        f"logfile_backups=2\npidfile={at}/supervisord.pid\nchildlogdir={at}/logs\n"
        f"umask=077\nloglevel=info\nnocleanup=true\n\n"
        f"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
        f"supervisor.rpcinterface:make_main_rpcinterface\n\n"
        f"[include]\nfiles=programs/*.conf\n"
    )


def section(name: str, path: Path, logs: str, again: bool) -> str:
    """Return what it is told of a program.

    Parameters
    ----------
    name
        The program's.
    path
        What the program is.
    logs
        Where what it prints is kept, from the supervisor's home on; without any %.
    again
        Whether it is started again even if it ended well.

    """
    command = f'"{sys.executable}" -m infra.deploy.launch "{path}"'
    return (
        f"[program:{name}]\ncommand={_escaped(command)}\n"
        f"directory={_escaped(Path(__file__).parents[2])}\nautostart=true\n"
        f"autorestart={'true' if again else 'unexpected'}\nexitcodes=0,3\n"
        f"startsecs=0\nstartretries=1000\nstopsignal=TERM\nstopwaitsecs={DRAIN_SECONDS}\n"
        f"killasgroup=true\nredirect_stderr=true\n"
        f"stdout_logfile={logs}/{name}.log\n"
        f"stdout_logfile_maxbytes=4MB\nstdout_logfile_backups=2\n"
    )


def _escaped(text: object) -> str:
    """Return a text as the supervisor reads it: it would fill in what stands behind a %."""
    return str(text).replace("%", "%%")
