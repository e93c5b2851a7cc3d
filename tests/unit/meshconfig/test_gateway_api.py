"""The plan as Gateway API resources."""

from __future__ import annotations

from meshconfig import gateway_api
from meshconfig.document import Document, Options
from tests.unit.meshconfig.plans import plan_of

ONE = "targets: [%s]\nservices:\n  shop: {namespace: shop, selector: {app: shop}, port: 50051%s}\n"


def _made(more: str = "", *, options: Options = Options(), targets: str = "gateway-api") -> tuple[Document, ...]:  # noqa: B008  # frozen
    return gateway_api.render(plan_of(ONE % (targets, more), {"shop": ("lab.v1.Shop/GetItem",)}), options)


def test_a_services_route_names_what_somebody_may_call() -> None:
    other = ", other_callers: [{service: b, service_account: b, namespace: b, rpcs: [lab.v1.Other/Get, lab.v1.Shop/GetItem]}]"
    (route,) = _made(other)
    methods = [match["method"]["method"] for match in route.body["spec"]["rules"][0]["matches"]]
    assert methods == ["Get", "GetItem"]
    assert route.body["spec"]["parentRefs"] == [{"group": "", "kind": "Service", "name": "shop", "port": 50051}]


def test_a_timeout_makes_it_an_http_route() -> None:
    """GRPCRoute has none in 1.2.1."""
    (route,) = _made(", timeout: 100.5s")
    assert route.kind == "HTTPRoute"
    assert route.body["spec"]["rules"][0]["timeouts"] == {"request": "1m40s500ms"}
    assert _made()[0].kind == "GRPCRoute"


def test_audit_gives_every_call_a_route() -> None:
    (route,) = _made(options=Options(audit=True))
    assert route.body["spec"]["rules"][0]["matches"] == [{}]


def test_tcp_has_no_route_in_the_standard_channel() -> None:
    assert _made(", protocol: tcp") == ()


def test_the_workload_is_here_only_when_no_other_folder_has_it() -> None:
    def deployed(targets: str) -> bool:
        return any(document.kind == "Deployment" for document in _made(options=Options(deploy=True), targets=targets))

    assert deployed("gateway-api")
    assert not deployed("gateway-api, kubernetes")
    assert not deployed("gateway-api, linkerd")
