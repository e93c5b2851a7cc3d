"""The contract between supervisor and worker."""

from __future__ import annotations

import os
import socket

from edge.runtime.inheritance import VARIABLE, Inheritance, adopted, claim


def test_what_is_put_into_the_environment_is_what_a_worker_claims() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.set_inheritable(True)
        fd = sock.fileno()
        given = Inheritance(1, fd, (fd, fd), fd, fd, "metrics")
        environ = given.environment({"HOME": "here"})
        assert environ["HOME"] == "here"
        assert claim(environ) == given
        assert VARIABLE not in environ  # our own children are no workers
        assert os.get_inheritable(fd) is False


def test_a_process_that_inherited_nothing_is_no_worker() -> None:
    assert claim({}) is None


def test_a_worker_without_admin_inherits_only_the_rest() -> None:
    assert Inheritance(0, 3, (4, 5), 6).descriptors() == (3, 4, 5, 6)


def test_an_adopted_descriptor_is_the_same_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        again = adopted(os.dup(sock.fileno()))
        with again:
            assert again.getsockname() == sock.getsockname()
            assert again.getblocking() is False
