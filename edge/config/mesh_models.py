"""
The `mesh` section: who the gateway is in the mesh, who its upstreams are there, and who else may call them.

Owns these names, types and defaults. It says only what generated policies need; nothing here changes how the gateway serves, but a
split or a failover `by: edge`.
Default deny: who is not the gateway and not listed under `other_callers` is kept out by what is generated.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.config.section import Count, Model, Timeout
from edge.config.traffic_models import Label, LabelKey, LabelValue, UpstreamFailover, UpstreamSplit

Mesh = Literal["consul", "linkerd", "istio", "gateway-api", "kubernetes"]
"""What policies are generated for. `kubernetes` is NetworkPolicy, and the gateway's own workload with --deploy."""

Labels = Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
"""Kubernetes labels that select pods."""


class MeshGateway(Model):
    """The gateway's own identity. In Linkerd and Istio it is a ServiceAccount, in Consul a service name."""

    namespace: Label = "edge"
    """Its Kubernetes namespace."""
    service_account: Label = "edge-gateway"
    """Its Kubernetes ServiceAccount, its own: whoever shares it shares its rights."""
    trust_domain: str = Field("cluster.local", min_length=1, max_length=253)
    """Of Linkerd's and Istio's identities."""
    linkerd_namespace: Label = "linkerd"
    """Where Linkerd's control plane runs: part of its identities."""
    service: Label = "edge"
    """Its Consul service, and its Kubernetes Service; with the target consul, `consul.service`, if given, must be the same."""
    selector: Labels = Field(default={"app.kubernetes.io/name": "edge-gateway"})
    """Labels of its pods."""


class OtherCaller(Model):
    """A workload beside the gateway that may call a service, and which of its RPCs."""

    service: Label = Field(examples=["billing"])
    """Its Consul service name."""
    service_account: Label = Field(examples=["billing"])
    """Its Kubernetes ServiceAccount."""
    namespace: Label = Field(examples=["billing"])
    """Its Kubernetes namespace."""
    rpcs: tuple[
        Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*/[A-Za-z_][A-Za-z0-9_]*$")],
        ...,
    ] = Field(min_length=1, examples=["[lab.v1.Shop/GetItem]"])
    """The RPCs it calls, as `package.Service/Method`; they need not be exposed by the gateway."""


class Probes(Model):
    """Kubelet probes, which come from outside the mesh and would otherwise be kept out."""

    grpc: bool = True
    """Let grpc.health.v1.Health/Check in from `networks` without an identity."""
    networks: tuple[str, ...] = Field(("0.0.0.0/0", "::/0"), min_length=1)
    """Where the nodes are; narrow it when you know."""


class LocalRateLimit(Model):
    """Requests a second that one instance takes, enforced by its own proxy (Linkerd's HTTPLocalRateLimitPolicy)."""

    total: Count | None = None
    """From all callers together."""
    per_client: Count | None = None
    """From each identity."""


class Failover(UpstreamFailover):
    """Where calls go while no instance here is healthy."""

    by: Literal["mesh", "edge"] = "mesh"
    """Who does it: the mesh's own objects, which know `datacenters` alone, or the gateway, as if it stood in the upstream's section."""


class Split(UpstreamSplit):
    """How calls are divided among subsets."""

    by: Literal["mesh", "edge"] = "mesh"
    """Who does it: the mesh's own objects, which know `labels` alone, or the gateway, as if it stood in the upstream's section."""


class JwtRequirement(Model):
    """A JSON Web Token the mesh itself demands of calls (Consul's jwt-provider, Istio's RequestAuthentication)."""

    issuer: str = Field(min_length=1)
    """The `iss` that tokens carry."""
    jwks_uri: str = Field(min_length=1, pattern=r"^https?://\S+$")
    """Where its keys are published."""
    audiences: tuple[str, ...] = ()
    """One of which tokens must carry; empty: any."""


class Retries(Model):
    """What the mesh tries again, for calls between its proxies."""

    attempts: Count = 2
    """How often, beyond the first."""
    on: tuple[Literal["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"], ...] = (
        "unavailable",
    )
    """After which gRPC statuses."""


class MeshService(Model):
    """An upstream as the mesh knows it."""

    namespace: Label = Field(examples=["shop"])
    """Its Kubernetes namespace."""
    selector: Labels = Field(examples=["{app: shop}"])
    """Labels of its pods."""
    port: Annotated[int, Field(ge=1, le=65535)] = Field(examples=[50051])
    """The port its containers listen on."""
    protocol: Literal["grpc", "http2", "http", "tcp"] = "grpc"
    """What it speaks. Only gRPC and HTTP/2 can be told apart by RPC in every mesh; `tcp` is allowed or denied as a whole."""
    service: Label | None = None
    """Its Kubernetes Service; default: the upstream's name."""
    consul_service: Label | None = None
    """Its Consul service; default: its Kubernetes Service's name."""
    service_account: Label | None = None
    """Its Kubernetes ServiceAccount; default: its service's name."""
    other_callers: tuple[OtherCaller, ...] = ()
    """Who else calls it. What is not listed here breaks the moment the policies are applied: begin with --audit."""
    probes: Probes = Probes()
    """Kubelet probes."""
    rate_limit: LocalRateLimit | None = None
    """Limits its own proxy keeps."""
    timeout: Timeout | None = None
    """Of one call between the proxies."""
    retries: Retries | None = None
    """Calls between the proxies that are tried again."""
    split: Split | None = None
    """Division among subsets."""
    failover: Failover | None = None
    """Another datacenter when nothing here is healthy."""
    jwt: JwtRequirement | None = None
    """A token the mesh demands besides the caller's identity."""
    export_to: tuple[Label, ...] = ()
    """Consul peers or partitions that may use it (exported-services)."""


class ConsulFront(Model):
    """Consul's own API gateway in front of the edge gateway (api-gateway, http-route)."""

    name: Label = Field(examples=["public"])
    """The api-gateway, which is also the name it calls the gateway as."""
    port: Annotated[int, Field(ge=1, le=65535)] = Field(examples=[8443])
    """What it listens on."""
    hostnames: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    """The hosts it answers for; empty: any."""
    certificate: Label | None = None
    """A certificate entry of yours, for TLS; its private key is never in what is generated."""
    certificate_kind: Literal["inline-certificate", "file-system-certificate"] = "inline-certificate"
    """Its kind; files are read by Consul 1.20 and later."""


class ConsulMesh(Model):
    """What only Consul has. Its proxy-defaults are shared by the whole mesh, so that nothing is written there unless it is asked for."""

    mesh_gateway: Literal["none", "local", "remote"] | None = None
    """In proxy-defaults: how calls leave a datacenter."""
    access_logs: bool | None = None
    """In proxy-defaults: proxies write access logs."""
    front: ConsulFront | None = None
    """Consul's API gateway in front of this one."""


class GatewayApiFront(Model):
    """A Gateway of the cluster's own in front of the edge gateway (Gateway, HTTPRoute)."""

    name: Label = "edge"
    """The Gateway's name."""
    class_name: Annotated[str, Field(min_length=1, max_length=253)] = Field(examples=["istio"])
    """The GatewayClass that makes it."""
    namespace: Label | None = None
    """Where it stands; default: the edge gateway's namespace."""
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    """What it listens on."""
    backend_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The edge gateway's port, one without TLS; default: its lowest."""
    hostnames: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field((), max_length=16)
    """The hosts it answers for, each a listener; empty: any."""
    certificate: Label | None = None
    """A Secret with certificate and key, for TLS; without it the port speaks plain HTTP."""
    certificate_namespace: Label | None = None
    """Where that Secret is; elsewhere than the Gateway it needs a ReferenceGrant, which is made."""


class GatewayApiMesh(Model):
    """What only Gateway API has."""

    front: GatewayApiFront | None = None
    """A Gateway in front of this one."""


class Workload(Model):
    """The gateway's own pods, for --deploy."""

    image: str = Field("edge-gateway", min_length=1, examples=["registry.example.com/edge-gateway:1.2.0"])
    """The container's image, whose entrypoint is `edge`; kustomize's `images` can name another."""
    replicas: Count = 2
    """At least so many."""
    max_replicas: Count = 10
    """At most so many."""
    cpu: str = Field("500m", pattern=r"^[0-9]+m?$")
    """What each asks for, as Kubernetes writes it."""
    cpu_percent: Annotated[int, Field(ge=1, le=100)] = 70
    """Of that, above which more are started."""
    memory: str = Field("512Mi", pattern=r"^[0-9]+(Ki|Mi|Gi)?$")
    """What each asks for and gets at most."""
    grace_s: Annotated[int, Field(ge=10, le=3600)] = 45
    """Seconds from being told to end to being killed; longer than the gateway's own drain."""


class MeshPolicies(Model):
    """What `edge mesh` generates policies from."""

    targets: tuple[Mesh, ...] = Field(min_length=1, examples=["[consul, linkerd, istio]"])
    """The meshes to generate for."""
    gateway: MeshGateway = MeshGateway()
    """Who the gateway is."""
    services: dict[str, MeshService] = Field(min_length=1)
    """The upstreams as the mesh knows them, by the upstream's name. An exposed upstream that is missing is an error."""
    consul: ConsulMesh = ConsulMesh()
    """What only Consul has."""
    gateway_api: GatewayApiMesh = GatewayApiMesh()
    """What only Gateway API has."""
    workload: Workload = Workload()
    """The gateway's own pods, for --deploy."""
    default_allow: bool = False
    """Consul's ACLs are not default-deny here: end every list of intentions with an explicit deny for everyone."""
