"""Binding: clear errors, all at once."""

from __future__ import annotations

import socket

import pytest

from edge.core.problem import ProblemsError
from edge.runtime.sockets import UNSENT_BYTES, Bind, bind_all


def test_a_bound_socket_listens_and_does_not_block() -> None:
    (sock,) = bind_all([Bind("127.0.0.1", 0)])
    with sock, socket.create_connection(sock.getsockname(), 1):
        assert sock.getblocking() is False
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0


def test_every_address_in_use_is_named_with_its_place_and_a_fix() -> None:
    """Two are taken, one is fine: both are reported, and the fine one is given back."""
    first, second = bind_all([Bind("127.0.0.1", 0), Bind("127.0.0.1", 0)])
    with first, second:
        ports = [sock.getsockname()[1] for sock in (first, second)]
        with pytest.raises(ProblemsError) as caught:
            bind_all(
                [
                    Bind("127.0.0.1", ports[0], "listeners[0].bind"),
                    Bind("127.0.0.1", 0),
                    Bind("127.0.0.1", ports[1], "admin.bind"),
                ]
            )
    problems = caught.value.problems
    assert [(problem.path, problem.message) for problem in problems] == [
        ("listeners[0].bind", f"127.0.0.1:{ports[0]} is in use"),
        ("admin.bind", f"127.0.0.1:{ports[1]} is in use"),
    ]
    assert all(problem.fix for problem in problems)


def test_an_address_of_another_machine_is_said_to_be_one() -> None:
    with pytest.raises(ProblemsError, match=r"192\.0\.2\.1:80 is not an address of this machine"):
        bind_all([Bind("192.0.2.1", 80)])


def test_a_name_that_does_not_resolve_is_said_so() -> None:
    with pytest.raises(ProblemsError, match="cannot be resolved"):
        bind_all([Bind("no-such-host.invalid", 80)])


def test_an_empty_host_is_every_interface() -> None:
    (sock,) = bind_all([Bind("", 0)])
    with sock:
        socket.create_connection(("127.0.0.1", sock.getsockname()[1]), 1).close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_ipv6_alone_leaves_ipv4_to_others() -> None:
    (sock,) = bind_all([Bind("::1", 0)])
    with sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) != 0
        socket.create_connection(("::1", sock.getsockname()[1]), 1).close()


def test_ipv6_is_written_in_brackets() -> None:
    assert str(Bind("::1", 80)) == "[::1]:80"


def test_the_kernel_holds_little_for_who_does_not_read() -> None:
    """The bound is the listening socket's, and that of what it accepts."""
    (listening,) = bind_all([Bind("127.0.0.1", 0)])
    with listening, socket.create_connection(listening.getsockname()):
        listening.settimeout(5)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT_BYTES
