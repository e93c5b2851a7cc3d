"""From functions to handlers."""

from __future__ import annotations

import grpc
import pytest

from edge.demo import serving
from edge.demo.messages import Messages


@pytest.mark.parametrize(
    ("rpc", "name"), [("GetBook", "get_book"), ("BatchGetBooks", "batch_get_books"), ("Chat", "chat")]
)
def test_rpcs_are_found_by_their_python_names(rpc: str, name: str) -> None:
    assert serving.python_name(rpc) == name


async def test_an_rpc_nobody_implements_is_an_error_at_start(new: Messages) -> None:
    server = grpc.aio.server()
    with pytest.raises(LookupError, match="ListShelves"):
        serving.add_services(server, new, [object()])
