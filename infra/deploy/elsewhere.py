"""Flows that run elsewhere: in containers beside Kafka and ClickHouse, or in Kubernetes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from infra import screen
from infra.deploy.deployment import KAFKA, DeployError, Deployment, write
from infra.screen import say

COMPOSE, KUBERNETES = "compose", "kubernetes"
_INFRA = Path(__file__).parents[1]
_FILE = _INFRA / "compose" / "compose.yaml"
_CHART = _INFRA / "kubernetes" / "tapedeck"
_VALUES = "values.yaml"
_LONGEST = 32
"""Characters of a name in Kubernetes, whose own names have room for no more."""


@dataclass(frozen=True)
class Errand:
    """What is to be done elsewhere for a deployment.

    Parameters
    ----------
    file, content
        What is written first: the deployment, as the program wants it.
    command
        Has it run.
    look
        Commands that show it, each with what it shows.
    environment
        What the command is told beside ours.

    """

    file: Path
    content: bytes
    command: list[str]
    look: list[tuple[list[str], str]]
    environment: dict[str, str] = field(default_factory=dict)


def deploy_elsewhere(deployment: Deployment, target: str, home: Path) -> None:
    """Have a flow run by `compose` or in `kubernetes`, and print where to look.

    Raises
    ------
    DeployError
        When it cannot run there, or the program that does it is missing or fails.

    """
    if deployment.kind != KAFKA:
        raise DeployError(
            f"--source {deployment.source} --target {target}: containers share Kafka: say --source "
            f"kafka; docs/containers.md tells where its markets are named"
        )
    errand = (compose if target == COMPOSE else kubernetes)(deployment, home)
    write(errand.file, errand.content)
    _run(errand)
    screen.out.print(f"\n{deployment.name} is started:", highlight=False)
    for command, what in errand.look:
        screen.out.print(f"  {shlex.join(command)}  [dim]# {what}[/dim]", soft_wrap=True)


def compose(deployment: Deployment, home: Path) -> Errand:
    """Return what runs it on this machine, beside the other flows that do."""
    service = f"flow-{deployment.name}"
    flow = Path(deployment.flow)
    services: dict[str, object] = {
        service: {
            "extends": {"file": str(_FILE), "service": "flow"},
            "command": [_plain(word) for word in _parent(deployment, Path("/flows") / flow.name)],
            "volumes": [f"{service}:/data", _mounted(flow.parent)],
        }
    }
    volumes: dict[str, object] = {service: {}}
    if deployment.account:
        executor = f"executor-{deployment.account}-{deployment.broker}"
        services[executor] = _executor(deployment, executor)
        volumes[executor] = {}
    place = home / COMPOSE / f"{deployment.name}.yaml"
    files = [_FILE, *sorted({*place.parent.glob("*.yaml"), place})]
    program = ["docker", "compose", *(word for file in files for word in ("-f", str(file)))]
    return Errand(
        place,
        orjson.dumps({"services": services, "volumes": volumes}, option=orjson.OPT_INDENT_2),
        [*program, "up", "--detach", "--build", *services, "ingest", "prometheus", "grafana"],
        [
            ([*program, "ps"], "how it stands"),
            ([*program, "logs", "-f", service], "what it says"),
            ([*program, "stop", service], "drain and end; start goes on"),
        ],
        {"REVISION": deployment.code.get("revision") or "unknown"},
    )


def kubernetes(deployment: Deployment, home: Path) -> Errand:
    """Return what runs it in the cluster that `kubectl` knows, in one release with the others."""
    name, place = deployment.name, home / KUBERNETES
    if len(name) > _LONGEST:
        raise DeployError(f"--name {name}: at most {_LONGEST} characters in Kubernetes")
    if not (place / _VALUES).exists():
        raise DeployError(
            f"{place / _VALUES} is missing: it names the image, Kafka and ClickHouse; "
            f"docs/containers.md shows one"
        )
    flow = Path(deployment.flow)
    values = {
        "flow": flow.name, "code": flow.read_text("utf-8"), "broker": deployment.broker,
        "account": deployment.account, "markets": deployment.markets,
        "processes": deployment.processes, "warmUp": deployment.warm_up,
    }  # fmt: skip
    file = place / f"{name}.json"
    files = [place / _VALUES, *sorted({*place.glob("*.json"), file})]
    told = (word for path in files for word in ("--values", str(path)))
    pod = f"statefulset/tapedeck-flow-{name.lower().replace('_', '-')}"
    return Errand(
        file,
        orjson.dumps({"flows": {name: values}}, option=orjson.OPT_INDENT_2),
        ["helm", "upgrade", "--install", "tapedeck", str(_CHART), *told],
        [
            (["kubectl", "rollout", "status", pod], "whether it runs"),
            (["kubectl", "exec", pod, "--", "deck", "flows"], "how it stands"),
            (["kubectl", "logs", "-f", pod], "what it says"),
            (["kubectl", "scale", pod, "--replicas=0"], "drain and end; --replicas=1 goes on"),
        ],
    )


def _parent(deployment: Deployment, flow: Path) -> list[str]:
    """Return the command that keeps a flow running in a container."""
    return [
        "python", "-m", "infra.deploy.parent", deployment.name, "--source=kafka", f"--flow={flow}",
        f"--broker={deployment.broker}", f"--account={deployment.account}",
        f"--markets={','.join(deployment.markets)}", f"--processes={deployment.processes}",
        f"--warm-up={deployment.warm_up}", "--metrics-port=9464",
    ]  # fmt: skip


def _executor(deployment: Deployment, name: str) -> dict[str, object]:
    return {
        "extends": {"file": str(_FILE), "service": "executor"},
        "command": f"deck executor --kafka --metrics-port=9464 --account={deployment.account} "
        f"--broker={deployment.broker} ${{EXECUTOR_OPTIONS:-}}",
        "volumes": [f"{name}:/data"],
    }


def _mounted(directory: Path) -> dict[str, object]:
    source = _plain(str(directory))
    return {"type": "bind", "source": source, "target": "/flows", "read_only": True}


def _plain(word: str) -> str:
    """Return a word in which compose finds no variable."""
    return word.replace("$", "$$")


def _run(errand: Errand) -> None:
    """Let the program do it, where the user sees what it says."""
    said = shlex.join(errand.command)
    if shutil.which(errand.command[0]) is None:
        raise DeployError(
            f"{errand.command[0]} is not installed here. Where it is, say:\n"
            f"{' '.join(f'{name}={value}' for name, value in errand.environment.items())} {said}"
        )
    say(said, "dim")
    done = subprocess.run(  # noqa: S603 - the user's own program, with what they asked for
        errand.command, env={**os.environ, **errand.environment}, check=False
    )
    if done.returncode:
        raise DeployError(f"{errand.command[0]} failed: its lines above say why")
