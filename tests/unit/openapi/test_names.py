"""Operation ids and tags."""

from __future__ import annotations

from edge.descriptors.model import Rpc
from edge.openapi.names import operation_ids, service_names


def _rpc(service: str, method: str) -> Rpc:
    return Rpc(service, method, "", "")


def test_bindings_are_numbered() -> None:
    """The first has the plain name."""
    get, other = _rpc("a.v1.Shop", "Get"), _rpc("a.v1.Shop", "List")
    assert operation_ids([get, get, other, get]) == ["Shop_Get", "Shop_Get2", "Shop_List", "Shop_Get3"]


def test_a_number_that_is_a_name_already() -> None:
    """A method may end in a digit; it keeps its name."""
    get, get2 = _rpc("a.Shop", "Get"), _rpc("a.Shop", "Get2")
    assert operation_ids([get, get, get2, get2, get]) == [
        "Shop_Get",
        "Shop_Get3",
        "Shop_Get2",
        "Shop_Get22",
        "Shop_Get4",
    ]


def test_two_services_of_one_name() -> None:
    """Both get their packages; others stay short."""
    rpcs = [_rpc("a.v1.Shop", "Get"), _rpc("a.v2.Shop", "Get"), _rpc("a.v1.Bank", "Get")]
    assert service_names(rpcs) == {"a.v1.Shop": "a.v1.Shop", "a.v2.Shop": "a.v2.Shop", "a.v1.Bank": "Bank"}
    assert operation_ids(rpcs) == ["a_v1_Shop_Get", "a_v2_Shop_Get", "Bank_Get"]
