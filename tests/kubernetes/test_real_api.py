"""The pods of a Service from a real Kubernetes API server, through the official client."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.core.endpoint_slices import PodQuery
from edge.core.slice_watch import WatchAlarm
from edge.kubernetes.api import ClusterAccess
from edge.kubernetes.discovery import SliceDiscovery
from tests.consul.scenes import until
from tests.peers.kubernetes_api import ADMIN, SLICES, WEAK, KubernetesApi, endpoint, slice_of

incluster_config: Any = pytest.importorskip("kubernetes.config.incluster_config", reason="the client is not installed")

Places = tuple[tuple[str, int], ...]


@asynccontextmanager
async def following(
    api: KubernetesApi, folder: Path, namespace: str, token: str = ADMIN, query: PodQuery | None = None
) -> AsyncIterator[tuple[SliceDiscovery, list[Places]]]:
    access = ClusterAccess(str(api.kubeconfig(folder, token)))
    discovery, heard = SliceDiscovery(access, namespace, "shop", query or PodQuery("grpc")), list[Places]()
    discovery.start(heard.append)
    try:
        yield discovery, heard
    finally:
        await discovery.stop()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("kubernetes ")]


def fresh(api: KubernetesApi) -> str:
    name = f"n-{uuid.uuid4().hex[:8]}"
    api.namespace(name)
    return name


def pods(*addresses: str, port: int = 50051) -> Places:
    return tuple((address, port) for address in addresses)


async def test_slices_come_change_and_go(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    """Several of one Service, duplicates, conditions, another Service's; each step is heard as a set."""
    space = fresh(kubernetes)
    kubernetes.put_slice(
        slice_of("a", "shop", space, [endpoint("10.1.0.1", "u1"), endpoint("10.1.0.2", "u2")], port=50051)
    )
    async with following(kubernetes, tmp_path, space) as (discovery, heard):
        await until(lambda: heard == [pods("10.1.0.1", "10.1.0.2")], "the list")
        kubernetes.put_slice(slice_of("other", "cart", space, [endpoint("10.9.9.9")], port=50051))
        kubernetes.put_slice(
            slice_of("b", "shop", space, [endpoint("10.1.0.2", "u2"), endpoint("10.1.0.3", "u3")], port=50051)
        )
        await until(lambda: heard[-1] == pods("10.1.0.1", "10.1.0.2", "10.1.0.3"), "a second slice")
        leaving = endpoint("10.1.0.1", "u1", ready=False, serving=True, terminating=True)
        kubernetes.put_slice(slice_of("a", "shop", space, [leaving], port=50051))
        await until(lambda: heard[-1] == pods("10.1.0.2", "10.1.0.3"), "one that leaves")
        kubernetes.delete_slice(space, "b")
        await until(lambda: heard[-1] == pods("10.1.0.1"), "nobody is ready: who still serves")
        assert discovery.state().terminating
        kubernetes.delete_slice(space, "a")
        await until(lambda: heard[-1] == (), "all gone is believed")
        state = discovery.state()
        assert (state.ready, state.alarm, discovery.fault()) == (True, None, None)
        assert state.age_s is not None
        assert state.age_s < 30
        assert "no ready pod of shop" in discovery.why_none()


async def test_both_families(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    space = fresh(kubernetes)
    kubernetes.put_slice(slice_of("four", "shop", space, [endpoint("10.1.0.1", "u1")], port=50051))
    six = [endpoint("fd00::1", "u1"), endpoint("fd00::2", "u2")]
    kubernetes.put_slice(slice_of("six", "shop", space, six, port=50051, family="IPv6"))
    async with following(kubernetes, tmp_path, space) as (_, heard):
        await until(lambda: heard == [pods("10.1.0.1", "fd00::2")], "each pod once")


async def test_without_permission(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    """Not an empty set: an alarm, in the server's words, which name the user and the permission."""
    space = fresh(kubernetes)
    async with following(kubernetes, tmp_path, space, WEAK) as (discovery, heard):
        await until(lambda: discovery.state().alarm is WatchAlarm.DENIED, "the alarm")
        reason = discovery.fault() or ""
        assert 'User "weak" cannot list resource "endpointslices"' in reason
        assert heard == []
        rule = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}
        named = {"name": "edge", "namespace": space}
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space}"
        kubernetes.ask("POST", f"{rbac}/roles", {"metadata": named, "rules": [rule]})
        binding = {
            "metadata": named,
            "subjects": [{"kind": "User", "name": "weak", "apiGroup": "rbac.authorization.k8s.io"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "edge"},
        }
        kubernetes.ask("POST", f"{rbac}/rolebindings", binding)
        await until(lambda: heard == [()], "list and watch are all the permission it needs")
        assert discovery.state().alarm is None


async def test_the_api_server_is_lost_and_comes_back(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    """The last good set stays; what changed meanwhile is heard, without a new process of ours."""
    space = fresh(kubernetes)
    kubernetes.put_slice(slice_of("a", "shop", space, [endpoint("10.1.0.1")], port=50051))
    async with following(kubernetes, tmp_path, space) as (discovery, heard):
        await until(lambda: heard == [pods("10.1.0.1")], "the list")
        await asyncio.to_thread(kubernetes.stop)
        await until(lambda: discovery.state().alarm is WatchAlarm.UNREACHABLE, "the alarm")
        assert discovery.state().endpoints == pods("10.1.0.1")
        assert heard == [pods("10.1.0.1")]
        await asyncio.to_thread(kubernetes.start)
        kubernetes.put_slice(slice_of("a", "shop", space, [endpoint("10.1.0.2")], port=50051))
        await until(lambda: heard[-1] == pods("10.1.0.2") and discovery.state().alarm is None, "the change")


async def test_a_version_etcd_has_forgotten(kubernetes: KubernetesApi, tmp_path: Path) -> None:
    """A watch from a compacted version gets 410 from the real server; a list follows, and the watch goes on."""
    space = fresh(kubernetes)
    kubernetes.put_slice(slice_of("a", "shop", space, [endpoint("10.1.0.1")], port=50051))
    where = SLICES.format(space)
    with kubernetes.opened(f"{where}?watch=true&resourceVersion=1&timeoutSeconds=5") as watched:
        assert json.loads(watched.readline())["object"]["code"] == 410, "or this test shows nothing"
    access = ClusterAccess(str(kubernetes.kubeconfig(tmp_path)))
    discovery, heard = SliceDiscovery(access, space, "shop", PodQuery("grpc")), list[Places]()
    discovery._watch.version = "1"
    discovery.start(heard.append)
    try:
        await until(lambda: heard == [pods("10.1.0.1")], "the list after the 410")
        kubernetes.put_slice(slice_of("a", "shop", space, [endpoint("10.1.0.2")], port=50051))
        await until(lambda: heard[-1] == pods("10.1.0.2"), "the watch after it")
    finally:
        await discovery.stop()


async def test_in_the_cluster_the_service_accounts_token_is_read_again(
    kubernetes: KubernetesApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kubeconfig: the pod's own account, whose token the kubelet rotates under our feet."""
    space, token, ca = fresh(kubernetes), tmp_path / "token", tmp_path / "ca.crt"
    token.write_text(WEAK)
    ca.write_bytes(kubernetes.ca.read_bytes())
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(ca))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(kubernetes.port))
    init = incluster_config.InClusterConfigLoader.__init__

    def hasty(self: Any, *given: Any, **named: Any) -> None:
        init(self, *given, **named)
        self._token_refresh_period = timedelta(0)  # a minute, in the client

    monkeypatch.setattr(incluster_config.InClusterConfigLoader, "__init__", hasty)
    discovery, heard = SliceDiscovery(ClusterAccess(), space, "shop", PodQuery()), list[Places]()
    discovery.start(heard.append)
    try:
        await until(lambda: discovery.state().alarm is WatchAlarm.DENIED, "the weak account's refusal")
        token.write_text(ADMIN)
        await until(lambda: heard == [()], "the new token's answer")
    finally:
        await discovery.stop()
