"""The chart: what helm makes of values, read with Kubernetes' schemas and by our programs."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from infra.deploy import elsewhere
from infra.deploy.deployment import DeployError, Deployment
from infra.settings import Settings
from tests.infra.containers import CHART, ROOT, Refused, Tree, accepts, helm, rendered

PAPER, LIVE = (CHART / "ci" / f"{name}-values.yaml" for name in ("paper", "live"))
EXTENSIONS = {"ServiceMonitor", "PrometheusRule"}
"""Of the Prometheus operator: Kubernetes has no schema for them."""
LABELS = {"app.kubernetes.io/name": "tapedeck", "app.kubernetes.io/instance": "x"}


@pytest.fixture(scope="module", params=[PAPER, LIVE], ids=lambda path: path.name)
def resources(request: pytest.FixtureRequest) -> list[Tree]:
    return rendered("--values", request.param)


@pytest.fixture(scope="module")
def live() -> list[Tree]:
    return rendered("--values", LIVE)


def sets(resources: list[Tree]) -> dict[str, Tree]:
    """Return the StatefulSets by name."""
    found = (one for one in resources if one["kind"] == "StatefulSet")
    return {one["metadata"]["name"]: one for one in found}


def pod(one: Tree) -> Tree:
    found: Tree = one["spec"]["template"]["spec"]
    return found


def named(resources: list[Tree], kind: str, name: str) -> Tree:
    [found] = (r for r in resources if (r["kind"], r["metadata"]["name"]) == (kind, name))
    return found


@pytest.mark.parametrize("values", [PAPER, LIVE], ids=lambda path: path.name)
def test_helm_finds_nothing_wrong_with_the_chart(values: Path) -> None:
    helm("lint", "--strict", CHART, "--values", values)


@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_kubernetes_knows_every_field(resources: list[Tree], version: str) -> None:
    for resource in resources:
        if resource["kind"] not in EXTENSIONS:
            kubernetes_validate.validate(resource, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found(live: list[Tree]) -> None:
    resource = yaml.safe_load(yaml.safe_dump(next(iter(sets(live).values()))))
    pod(resource)["terminationGraceSeconds"] = 60
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_each_of_ours_is_one_pod_with_a_volume_that_drains(resources: list[Tree]) -> None:
    for one in sets(resources).values():
        assert one["spec"]["replicas"] == 1
        assert one["spec"]["podManagementPolicy"] == "Parallel"
        [claim] = one["spec"]["volumeClaimTemplates"]
        [kept] = (m for m in pod(one)["containers"][0]["volumeMounts"] if m["name"] == "data")
        assert (claim["metadata"]["name"], kept["mountPath"]) == ("data", "/data")
        assert pod(one)["terminationGracePeriodSeconds"] >= 60


def test_pods_are_as_restricted_as_kubernetes_has_it(resources: list[Tree]) -> None:
    for one in sets(resources).values():
        spec = pod(one)
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec["automountServiceAccountToken"]
        assert not spec["enableServiceLinks"]
        for container in [*spec["containers"], *spec.get("initContainers", ())]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_a_volume_is_not_opened_to_its_group_at_each_start(resources: list[Tree]) -> None:
    for one in sets(resources).values():
        context = pod(one)["securityContext"]
        assert context["fsGroup"] == context["runAsUser"] == 10001
        assert context["fsGroupChangePolicy"] == "OnRootMismatch"


def test_our_programs_take_what_they_are_given(resources: list[Tree]) -> None:
    for one in sets(resources).values():
        [container] = pod(one)["containers"]
        accepts(container["args"])
        for made in pod(one).get("initContainers", ()):
            for command in made["args"][2].split(" && "):
                accepts(command.split())


def test_a_flow_that_waits_to_start_again_is_not_killed_and_not_called_ready(
    resources: list[Tree],
) -> None:
    for name, one in sets(resources).items():
        [container] = pod(one)["containers"]
        asked = [container[f"{kind}Probe"]["exec"]["command"] for kind in ("startup", "liveness")]
        ready = container["readinessProbe"]["exec"]["command"]
        if "-flow-" in name:
            assert ready == ["python", "-m", "infra.deploy.alive", container["args"][3]]
            assert asked == [[*ready, "--parent"]] * 2
        else:
            assert [*asked, ready] == [["python", "-m", "infra.metrics.answers", "9464"]] * 3


def test_an_account_s_keys_are_in_its_executor_s_pod_only(live: list[Tree]) -> None:
    secrets = {
        name: {ref["secretRef"]["name"] for ref in pod(one)["containers"][0]["envFrom"][1:]}
        for name, one in sets(live).items()
    }
    assert secrets == {
        "x-ingest": {"x-secret"},
        "x-flow-momentum-2": {"x-secret"},
        "x-executor-main": {"x-secret", "x-executor-main"},
        "x-executor-second": {"x-secret", "second-keys"},
    }


def test_what_is_secret_stands_in_secrets_only(live: list[Tree]) -> None:
    for word in ("se:cret # word", "https://deck:word@history:8443/deck", "1234567"):
        assert {one["kind"] for one in live if word in str(one)} == {"Secret"}


def test_the_environment_is_one_that_we_can_read(live: list[Tree]) -> None:
    config = named(live, "ConfigMap", "x-settings")["data"]
    secret = named(live, "Secret", "x-secret")["stringData"]
    files = {"KAFKA_CA": str(CHART / "Chart.yaml")}  # any file that is there
    settings = Settings.from_environment({**config, **secret, **files})
    assert settings.kafka is not None
    assert settings.kafka.password == "se:cret # word"
    assert settings.clickhouse_url == "https://deck:word@history:8443/deck"


def test_real_money_is_switched_on_only_where_it_is_meant(live: list[Tree]) -> None:
    switched = {name for name, one in sets(live).items() if "I-understand" in str(one)}
    assert switched == {"x-flow-momentum-2", "x-executor-main"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("settings.KAFKA_PASSWORD=word", "KAFKA_PASSWORD"),
        ("settings.CLICKHOUSE_URL=http://a:b@c", "CLICKHOUSE_URL"),
        ("settings.KAFKA_BOOTSTRAP=broker", "KAFKA_BOOTSTRAP"),
        ("secret.existing=", "secret"),
        ("ingest.markets={BTC/USDT}", "BTC/USDT"),
        ("flows.a.flow=x.py,flows.a.brokr=paper", "brokr"),
        ("flows.a.flow=x.py,flows.a.broker=sandbox", "missing property 'account'"),
        ("flows.a.flow=x.py,flows.a.account=main", "flows/a/account"),
        ("flows.a.flow=x.py,flows.a.processes=0", "flows/a/processes"),
        (
            "flows.a123456789012345678901234567890123.flow=x.py",
            "a123456789012345678901234567890123",
        ),
        ("executors.main.broker=sandbox", "missing property 'secret'"),
        ("executors.main.broker=live,executors.main.secret.existing=k", "set live to I-understand"),
        ("live=yes", "I-understand"),
    ],
)
def test_values_that_cannot_be_are_refused(wrong: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        rendered("--values", PAPER, "--set", wrong)


def test_a_long_release_is_refused_before_kubernetes_does_it() -> None:
    with pytest.raises(Refused, match="longer than 52 characters"):
        helm("template", "r" * 45, CHART, "--values", PAPER)


def test_a_changed_setting_starts_the_pods_that_have_it_again() -> None:
    before, after = (
        {name: str(one["spec"]["template"]) for name, one in sets(found).items()}
        for found in (
            rendered("--values", LIVE),
            rendered(
                "--values",
                LIVE,
                "--set",
                "executors.main.secret.values.TAPEDECK_ACCOUNT_MAIN_KEY=x",
            ),
        )
    )
    assert {name for name in before if before[name] != after[name]} == {"x-executor-main"}


def test_a_flow_that_must_not_move_holds_its_node(live: list[Tree]) -> None:
    budgets = {
        one["metadata"]["name"]: one["spec"]["maxUnavailable"]
        for one in live
        if one["kind"] == "PodDisruptionBudget"
    }
    assert budgets == dict.fromkeys(sets(live), 1) | {"x-flow-momentum-2": 0}


def test_only_who_scrapes_comes_in_and_only_who_must_goes_out(resources: list[Tree]) -> None:
    common = named(resources, "NetworkPolicy", "x")["spec"]
    outside = named(resources, "NetworkPolicy", "x-outside")["spec"]
    assert common["podSelector"]["matchLabels"] == LABELS
    [entry] = common["ingress"]
    assert [port["port"] for port in entry["ports"]] == [9464]
    assert entry["from"]
    anywhere = [
        port["port"] for rule in common["egress"] if "to" not in rule for port in rule["ports"]
    ]
    assert 443 not in anywhere
    assert [port["port"] for port in outside["egress"][0]["ports"]] == [443]
    for one in sets(resources).values():
        assert LABELS.items() <= one["spec"]["template"]["metadata"]["labels"].items()


def test_flows_that_are_deployed_stand_in_one_release(tmp_path: Path) -> None:
    flow = ROOT / "flows" / "sma_cross.py"
    values = tmp_path / "kubernetes" / "values.yaml"
    values.parent.mkdir()
    values.write_text(PAPER.read_text("utf-8").partition("flows:")[0], "utf-8")
    asked = [
        Deployment("my_cross", str(flow), "kafka", processes=2, markets=("okx:ETH/USDT",)),
        Deployment("other", str(flow), "kafka", "sandbox", "main"),
    ]
    for deployment in asked:
        errand = elsewhere.kubernetes(deployment, tmp_path)
        errand.file.write_bytes(errand.content)
    errand = elsewhere.kubernetes(asked[0], tmp_path)
    found = rendered(*errand.command[5:])
    assert sets(found).keys() == {"x-ingest", "x-flow-my-cross", "x-flow-other"}
    assert named(found, "ConfigMap", "x-flow-other")["data"] == {"sma_cross.py": flow.read_text()}
    [container] = pod(sets(found)["x-flow-my-cross"])["containers"]
    accepts(container["args"])
    assert "--flow=/flows/sma_cross.py" in container["args"]
    assert {"name": "flow", "mountPath": "/flows", "readOnly": True} in container["volumeMounts"]


def test_a_flow_cannot_go_where_nobody_said_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"values\.yaml is missing"):
        elsewhere.kubernetes(Deployment("x", "/x.py", "kafka"), tmp_path)
    with pytest.raises(DeployError, match="at most 32 characters"):
        elsewhere.kubernetes(Deployment("x" * 33, "/x.py", "kafka"), tmp_path)
