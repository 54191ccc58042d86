"""All of it on one machine: what compose.yaml says, read as docker compose reads it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from infra.deploy import elsewhere
from infra.deploy.deployment import DeployError, Deployment
from infra.settings import Settings
from tests.infra.containers import COMPOSE, ROOT, TOLD, Refused, Tree, accepts, composed

OURS = {"prepare", "ingest", "flow", "executor"}
LASTING = OURS - {"prepare"}
THEIRS = {"kafka", "clickhouse", "prometheus", "grafana"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of compose.yaml that has beside it what a user makes: the keys."""
    directory = tmp_path_factory.mktemp("repository") / "infra" / "compose"
    directory.mkdir(parents=True)
    directory.joinpath("keys.env").write_text("TAPEDECK_ACCOUNT_MAIN_SECRET=hidden\n")
    return Path(shutil.copy(COMPOSE, directory))


@pytest.fixture(scope="module")
def services(file: Path) -> dict[str, Tree]:
    found: dict[str, Tree] = composed(file)["services"]
    return found


def test_an_executor_starts_only_where_it_is_asked_for(services: dict[str, Tree]) -> None:
    assert services.keys() == OURS | THEIRS
    assert composed(profiles="")["services"].keys() == services.keys() - {"executor"}


@pytest.mark.parametrize("name", TOLD)
def test_what_nobody_can_guess_is_asked_for(name: str) -> None:
    with pytest.raises(Refused, match=name):
        composed(told=TOLD | {name: ""})


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        ("    ports:", "    prots:"),
        ("  prepare: {condition", "  prepared: {condition"),
        ("volumes: [ingest:", "volumes: [inject:"),
    ],
)
def test_a_slip_in_the_file_is_found(file: Path, tmp_path: Path, was: str, is_: str) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.with_name("keys.env").touch()
    wrong.write_text(file.read_text("utf-8").replace(was, is_, 1))
    with pytest.raises(Refused):
        composed(wrong)


def test_every_port_is_open_to_this_machine_only(services: dict[str, Tree]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert not any(services[name].get("ports") for name in OURS)


@pytest.mark.parametrize("name", sorted(OURS | THEIRS))
def test_each_has_its_bounds(services: dict[str, Tree], name: str) -> None:
    service = services[name]
    assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name == "prepare" else "unless-stopped")
    assert ("test" in service["healthcheck"]) == (name != "prepare")


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_can_write_nowhere_but_where_they_keep_things(
    services: dict[str, Tree], name: str
) -> None:
    service = services[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    written = [volume for volume in service.get("volumes", ()) if not volume.get("read_only")]
    assert [volume["target"] for volume in written] == (["/data"] if name in LASTING else [])
    assert service["stop_grace_period"] == "1m0s"


@pytest.mark.parametrize("name", sorted(LASTING))
def test_our_programs_take_what_they_are_given(services: dict[str, Tree], name: str) -> None:
    accepts(services[name]["command"])


def test_what_is_prepared_is_what_deck_can_do(services: dict[str, Tree]) -> None:
    [shell, option, line] = services["prepare"]["command"]
    assert (shell, option) == ("sh", "-c")
    for command in line.split(" && "):
        accepts(command.split())


@pytest.mark.parametrize("name", sorted(LASTING))
def test_nobody_begins_before_kafka_clickhouse_and_what_is_in_them(
    services: dict[str, Tree], name: str
) -> None:
    waits = {on: how["condition"] for on, how in services[name]["depends_on"].items()}
    assert waits == {
        "prepare": "service_completed_successfully",
        "kafka": "service_healthy",
        "clickhouse": "service_healthy",
    }


def test_only_the_executor_sees_an_account_s_keys(services: dict[str, Tree]) -> None:
    with_keys = [name for name, service in services.items() if "hidden" in str(service)]
    assert with_keys == ["executor"]


def test_the_environment_says_where_kafka_and_history_are(services: dict[str, Tree]) -> None:
    for name in OURS:
        settings = Settings.from_environment(services[name]["environment"])
        assert settings.kafka is not None
        assert settings.kafka.bootstrap == "kafka:19092"
        assert settings.clickhouse_url == "http://tapedeck:a@clickhouse:8123/tapedeck"


def test_the_example_has_all_that_is_needed_and_nothing_unknown() -> None:
    example = COMPOSE.with_name("example.env").read_text("utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text("utf-8")))
    assert TOLD.keys() <= named <= asked


def test_git_leaves_out_what_is_secret() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {".env", "keys.env"} <= set(ignored)


def test_what_is_mounted_is_there(services: dict[str, Tree]) -> None:
    theirs = [volume for name in THEIRS for volume in services[name].get("volumes", ())]
    files = [Path(volume["source"]) for volume in theirs if volume["type"] == "bind"]
    copy = next(path for path in files if path.name == "prometheus.yaml").parents[2]
    missing = [path for path in files if not (ROOT / path.relative_to(copy)).exists()]
    assert not missing


def test_prometheus_finds_ours_where_they_are_and_grafana_finds_it(
    services: dict[str, Tree],
) -> None:
    scraped = yaml.safe_load(COMPOSE.with_name("prometheus.yaml").read_text("utf-8"))
    [found] = scraped["scrape_configs"][0]["dns_sd_configs"]
    for name in LASTING:
        assert services[name]["networks"]["default"]["aliases"] == found["names"]
        assert f"--metrics-port={found['port']}" in services[name]["command"]
    sources = yaml.safe_load((COMPOSE.parent / "grafana" / "datasources.yaml").read_text("utf-8"))
    assert sources["datasources"][0]["url"] == "http://prometheus:9090"


def test_flows_that_are_deployed_stand_beside_each_other(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "_FILE", file)
    mine = tmp_path / "my $flows" / "cross.py"
    asked = [
        Deployment("one", str(mine), "kafka", markets=("okx:ETH/USDT",), processes=2),
        Deployment("two", str(mine), "kafka", "sandbox", "main"),
    ]
    for deployment in asked:
        errand = elsewhere.compose(deployment, tmp_path)
        errand.file.parent.mkdir(exist_ok=True)
        errand.file.write_bytes(errand.content)
    errand = elsewhere.compose(asked[0], tmp_path)
    files = [Path(word) for word in errand.command if word.endswith(".yaml")]
    services = composed(*files)["services"]
    assert services.keys() == OURS | THEIRS | {"flow-one", "flow-two", "executor-main-sandbox"}
    for name in ("flow-one", "flow-two", "executor-main-sandbox"):
        accepts(services[name]["command"])
        assert {"source": name, "target": "/data"}.items() <= services[name]["volumes"][0].items()
    assert "--flow=/flows/cross.py" in services["flow-one"]["command"]
    assert services["flow-one"]["volumes"][1]["source"] == str(mine.parent)
    assert errand.command[-4:] == ["flow-one", "ingest", "prometheus", "grafana"]
    assert "hidden" not in str(services["flow-two"])


def test_a_flow_that_is_not_fed_by_kafka_stays_here(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="say --source kafka"):
        elsewhere.deploy_elsewhere(Deployment("one", "/x.py"), "compose", tmp_path)


def test_where_docker_is_missing_the_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployError, match="docker is not installed here") as told:
        elsewhere.deploy_elsewhere(Deployment("one", "/x.py", "kafka"), "compose", tmp_path)
    assert "up --detach --build flow-one" in str(told.value)
    assert (tmp_path / "compose" / "one.yaml").exists()
