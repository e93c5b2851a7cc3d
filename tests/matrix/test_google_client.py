"""
A client Google generated (google-cloud-secret-manager, REST transport) works unmodified through the gateway.

The package brings its message types and, in the transport, every method's HTTP bindings, but no service descriptor: that is put
together here from the client's own tables, so that nothing of the API is written a second time. Upstream is a recorder that answers
with the package's messages. Generated clients send `$alt=json;enum-encoding=int`, `+` for a space and `X-Goog-*` headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager_v1 as api
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport as Transport,
)
from google.iam.v1 import iam_policy_pb2, policy_pb2  # type: ignore[import-untyped]  # ships no types
from google.protobuf import empty_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2, status_pb2

from tests.matrix.rest_site import Site, serving
from tests.upstreams.recorder import Reply, ThreadedRecorder

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
NAME = "projects/p/secrets/s"

METHODS: dict[str, tuple[Any, Any]] = {
    "GetSecret": (api.GetSecretRequest, api.Secret),
    "ListSecrets": (api.ListSecretsRequest, api.ListSecretsResponse),
    "CreateSecret": (api.CreateSecretRequest, api.Secret),
    "UpdateSecret": (api.UpdateSecretRequest, api.Secret),
    "DeleteSecret": (api.DeleteSecretRequest, empty_pb2.Empty),
    "AddSecretVersion": (api.AddSecretVersionRequest, api.SecretVersion),
    "AccessSecretVersion": (api.AccessSecretVersionRequest, api.AccessSecretVersionResponse),
    "DestroySecretVersion": (api.DestroySecretVersionRequest, api.SecretVersion),
    "TestIamPermissions": (iam_policy_pb2.TestIamPermissionsRequest, iam_policy_pb2.TestIamPermissionsResponse),
    "SetIamPolicy": (iam_policy_pb2.SetIamPolicyRequest, policy_pb2.Policy),
}


def descriptor(message: Any) -> Any:
    """The descriptor of a message class, proto-plus or plain."""
    return message.pb().DESCRIPTOR if hasattr(message, "pb") else message.DESCRIPTOR


def described() -> bytes:
    """A descriptor set of the service, with the HTTP rules the client's transport goes by."""
    own = FileDescriptorProto(name="rpcs.proto", package=SERVICE.rpartition(".")[0], syntax="proto3")
    service = own.service.add(name=SERVICE.rpartition(".")[2])
    files: dict[str, FileDescriptorProto] = {}
    for name, (request, response) in METHODS.items():
        types = descriptor(request), descriptor(response)
        method = service.method.add(
            name=name, input_type=f".{types[0].full_name}", output_type=f".{types[1].full_name}"
        )
        rule = method.options.Extensions[annotations_pb2.http]
        options = getattr(Transport, f"_Base{name}")._get_http_options()
        for target, option in zip([rule, *(rule.additional_bindings.add() for _ in options[1:])], options, strict=True):
            setattr(target, option["method"], option["uri"])
            target.body = option.get("body", "")
        for each in types:
            collect(each.file, files)
            if each.file.name not in own.dependency:
                own.dependency.append(each.file.name)
    collect(annotations_pb2.DESCRIPTOR, files)
    own.dependency.append(annotations_pb2.DESCRIPTOR.name)
    return FileDescriptorSet(file=[*files.values(), own]).SerializeToString()


def collect(file: Any, files: dict[str, FileDescriptorProto]) -> None:
    """A file and all it imports, those first."""
    for imported in file.dependencies:
        collect(imported, files)
    if file.name not in files:
        files[file.name] = FileDescriptorProto()
        file.CopyToProto(files[file.name])


@dataclass
class Google:
    """The generated client, and what stands behind the gateway."""

    client: api.SecretManagerServiceClient
    site: Site

    def answers(self, rpc: str, message: Any) -> None:
        """What the service shall say to an RPC."""
        data = type(message).serialize(message) if hasattr(type(message), "serialize") else message.SerializeToString()
        self.site.recorder.replies[f"/{SERVICE}/{rpc}"] = Reply(data)

    def asked(self, rpc: str) -> Any:
        """The request the service got."""
        call = self.site.recorder.last
        assert call.path == f"/{SERVICE}/{rpc}"
        kind = METHODS[rpc][0]
        return kind.deserialize(call.message) if hasattr(kind, "deserialize") else kind.FromString(call.message)


@pytest.fixture(scope="module")
def _google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    folder: Path = tmp_path_factory.mktemp("google")
    (folder / "secrets.binpb").write_bytes(described())
    with ThreadedRecorder() as upstream:
        config = {
            "listeners": [{"bind": "127.0.0.1:0"}],
            "access_log": {"enabled": False},
            "apis": [{"name": "secrets", "descriptors": "secrets.binpb", "services": [SERVICE], "upstream": "secrets"}],
            "upstreams": {"secrets": {"endpoints": [upstream.address]}},
        }
        with serving(folder, config, upstream) as site:
            nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth annotates its methods in part
            transport = Transport(host=f"127.0.0.1:{site.gateway.port}", url_scheme="http", credentials=nobody)
            with api.SecretManagerServiceClient(transport=transport) as client:
                yield Google(client, site)


@pytest.fixture
def google(_google: Google) -> Google:
    """The client, and a recorder without a past."""
    _google.site.recorder.clear()
    _google.site.recorder.default = Reply()
    return _google


def secret(**fields: Any) -> api.Secret:
    """A secret with an enum, a map, a oneof and times in it."""
    return api.Secret(
        name=NAME,
        labels={"a": "b c"},
        replication={"automatic": {}},
        etag='"e"',
        create_time="2026-01-02T03:04:05Z",
        **fields,
    )


def test_get(google: Google) -> None:
    """A path variable of several segments; the answer comes back as the client's own message, equal to what was sent."""
    google.answers("GetSecret", secret())
    assert google.client.get_secret(name=NAME) == secret()
    assert google.asked("GetSecret").name == NAME


def test_get_by_another_binding(google: Google) -> None:
    """Additional bindings: the client picks the template the name fits."""
    name = "projects/p/locations/eu/secrets/s"
    google.answers("GetSecret", api.Secret(name=name))
    assert google.client.get_secret(name=name).name == name


def test_list_pages(google: Google) -> None:
    """Query parameters, spaces and other marks in them, and the client's pager."""
    google.answers("ListSecrets", api.ListSecretsResponse(secrets=[secret()], total_size=1))
    filter_ = "labels.a=b AND name:x+y & é"
    pages = google.client.list_secrets(request=api.ListSecretsRequest(parent="projects/p", page_size=7, filter=filter_))
    assert list(pages) == [secret()]
    asked = google.asked("ListSecrets")
    assert (asked.parent, asked.page_size, asked.filter) == ("projects/p", 7, filter_)


def test_create(google: Google) -> None:
    """A body field, with the id in the query."""
    google.answers("CreateSecret", secret())
    assert google.client.create_secret(parent="projects/p", secret_id="s", secret=secret()).labels == {"a": "b c"}
    asked = google.asked("CreateSecret")
    assert (asked.parent, asked.secret_id, asked.secret) == ("projects/p", "s", secret())


def test_update_with_a_mask(google: Google) -> None:
    """PATCH with update_mask in the query; the path repeats a field of the body."""
    google.answers("UpdateSecret", secret())
    google.client.update_secret(secret=secret(), update_mask=FieldMask(paths=["labels", "version_aliases"]))
    asked = google.asked("UpdateSecret")
    assert list(asked.update_mask.paths) == ["labels", "version_aliases"]
    assert asked.secret == secret()


def test_delete(google: Google) -> None:
    """Empty comes back as nothing; an etag with quotes goes through the query."""
    google.client.delete_secret(request={"name": NAME, "etag": '"e"'})
    assert (google.asked("DeleteSecret").name, google.asked("DeleteSecret").etag) == (NAME, '"e"')


def test_custom_verb_with_a_body(google: Google) -> None:
    """`:addVersion` with body `*` and bytes; `:destroy` gives an enum, printed as a number because the client asks so."""
    google.answers("AddSecretVersion", api.SecretVersion(name=f"{NAME}/versions/1", state="ENABLED"))
    payload = api.SecretPayload(data=bytes(range(256)), data_crc32c=2**40)
    version = google.client.add_secret_version(parent=NAME, payload=payload)
    assert version.state is api.SecretVersion.State.ENABLED
    assert google.asked("AddSecretVersion").payload == payload
    google.answers("DestroySecretVersion", api.SecretVersion(state="DESTROYED"))
    assert google.client.destroy_secret_version(name=f"{NAME}/versions/1").state is api.SecretVersion.State.DESTROYED


def test_custom_verb_on_get(google: Google) -> None:
    """`:access`, with bytes and a 64-bit integer in the answer."""
    payload = {"data": b"\x00\xff", "data_crc32c": 2**53 + 1}
    google.answers("AccessSecretVersion", api.AccessSecretVersionResponse(payload=payload))
    got = google.client.access_secret_version(name=f"{NAME}/versions/latest")
    assert (got.payload.data, got.payload.data_crc32c) == (b"\x00\xff", 2**53 + 1)


def test_plain_protobuf_messages(google: Google) -> None:
    """The IAM mix-in, whose messages are not the package's own."""
    google.answers("TestIamPermissions", iam_policy_pb2.TestIamPermissionsResponse(permissions=["x"]))
    request = {"resource": NAME, "permissions": ["x", "y"]}
    assert list(google.client.test_iam_permissions(request=request).permissions) == ["x"]
    assert list(google.asked("TestIamPermissions").permissions) == ["x", "y"]
    google.answers("SetIamPolicy", policy_pb2.Policy(version=3, etag=b"\x01"))
    policy = {"bindings": [{"role": "r", "members": ["user:a"]}], "etag": b"\x02"}
    assert google.client.set_iam_policy(request={"resource": NAME, "policy": policy}).etag == b"\x01"
    assert google.asked("SetIamPolicy").policy.bindings[0].members == ["user:a"]


def test_the_client_s_own_headers_reach_the_service(google: Google) -> None:
    """X-Goog-Api-Client and custom metadata; a timeout of the client's is its own."""
    google.client.get_secret(name=NAME, metadata=[("x-goog-user-project", "u")], timeout=30)
    assert google.site.recorder.last.values("x-goog-user-project") == ["u"]
    assert google.site.recorder.last.values("x-goog-api-client")


@pytest.mark.parametrize(
    ("code", "error"),
    [(3, exceptions.BadRequest), (5, exceptions.NotFound), (6, exceptions.Conflict), (7, exceptions.Forbidden),
     (8, exceptions.TooManyRequests),
     (13, exceptions.InternalServerError), (14, exceptions.ServiceUnavailable), (4, exceptions.GatewayTimeout),
     (12, exceptions.MethodNotImplemented)],
)  # fmt: skip
def test_errors_raise_what_google_s_own_raise(
    google: Google, code: int, error: type[exceptions.GoogleAPICallError]
) -> None:
    """The status maps to google.api_core's exception; its message is the service's."""
    google.site.recorder.default = Reply(code=code, text=f"told {code}")
    with pytest.raises(error, match=f"told {code}"):
        google.client.get_secret(name=NAME, retry=None)


def test_error_details_are_read_by_the_client(google: Google) -> None:
    """google.rpc details in the body are what `exception.details`, `.reason` and `.domain` are made of."""
    status = status_pb2.Status(code=5, message="gone")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="R", domain="d", metadata={"k": "v"}))
    google.site.recorder.default = Reply(code=5, text="gone", details=status.SerializeToString())
    with pytest.raises(exceptions.NotFound, match="gone") as raised:
        google.client.get_secret(name=NAME, retry=None)
    assert (raised.value.reason, raised.value.domain, raised.value.metadata) == ("R", "d", {"k": "v"})


def test_an_error_of_the_gateway_s_own(google: Google) -> None:
    """A route that does not exist, in the same form."""
    with pytest.raises(exceptions.NotFound, match="no route matches") as raised:
        google.client.enable_secret_version(name=f"{NAME}/versions/1", retry=None)
    assert (raised.value.reason, raised.value.domain) == ("ROUTE_NOT_FOUND", "edge-gateway")


def test_a_refusal_names_the_field(google: Google) -> None:
    """A request that does not fit: the client shows which field; the service heard nothing."""
    with pytest.raises(exceptions.BadRequest, match="grpc-timeout") as raised:
        google.client.get_secret(name=NAME, metadata=[("grpc-timeout", "soon")], retry=None)
    assert raised.value.details[1]["fieldViolations"][0]["field"] == "grpc-timeout"
    assert google.site.recorder.calls == []
