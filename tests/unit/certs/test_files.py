"""An identity from files, under every way there is to write them."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs import files as module
from certs.files import MAX_FILE_BYTES, CertificateFiles, FileSource, read_files
from certs.identity import Identity
from certs.rehearsal import rehearse
from tests.unit.certs.mint import EDGE, TD, Minted, mint, root

CA = root()


def put(folder: Path, leaf: Minted, *roots: Minted) -> CertificateFiles:
    """Write a set in place, as `cp` does."""
    files = named(folder)
    Path(files.cert).write_bytes(leaf.chain_pem)
    Path(files.key).write_bytes(leaf.key_pem)
    Path(files.roots).write_bytes(b"".join(one.pem for one in roots or (CA,)))
    return files


def named(folder: Path) -> CertificateFiles:
    return CertificateFiles(str(folder / "tls.crt"), str(folder / "tls.key"), str(folder / "ca.crt"))


def replaced(path: str, make: Callable[[str], None]) -> None:
    os.unlink(path)
    make(path)


@asynccontextmanager
async def watching(
    files: CertificateFiles, settle_s: float = 0.005, clock: Callable[[], float] = time.time
) -> AsyncIterator[FileSource]:
    """A source that looks often."""
    source = FileSource(files, interval_s=0.01, settle_s=settle_s, clock=clock)
    await source.start()
    try:
        yield source
    finally:
        await source.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def comes(source: FileSource, leaf: Minted) -> None:
    await until(lambda: (now := source.current()) is not None and now.chain[0] == leaf.der)


async def test_what_is_there_at_the_start_is_there_at_once(tmp_path: Path) -> None:
    """`start` returns with it; every root of the bundle, and those of federated trust domains."""
    other = root("other.test")
    (tmp_path / "other.crt").write_bytes(other.pem)
    files = put(tmp_path, leaf := mint(CA, EDGE), CA, extra := root())
    files = CertificateFiles(files.cert, files.key, files.roots, {"other.test": str(tmp_path / "other.crt")})
    async with watching(files) as source:
        found = source.current()
        assert found is not None
        assert found.chain == (leaf.der,)
        assert found.bundles == {TD: {CA.der, extra.der}, "other.test": {other.der}}
        assert source.fault() is None


async def test_one_file_for_certificate_and_key(tmp_path: Path) -> None:
    """As SPIFFE's credential bundle and many proxies have it."""
    leaf = mint(CA, EDGE)
    both = tmp_path / "bundle.pem"
    both.write_bytes(leaf.key_pem + leaf.chain_pem)
    (tmp_path / "ca.crt").write_bytes(CA.pem)
    async with watching(CertificateFiles(str(both), str(both), str(tmp_path / "ca.crt"))) as source:
        await comes(source, leaf)


async def test_files_that_come_later(tmp_path: Path) -> None:
    """An agent that starts after us; until then the reason names the file."""
    async with watching(named(tmp_path)) as source:
        assert source.current() is None
        assert "No such file" in (source.fault() or "")
        put(tmp_path, leaf := mint(CA, EDGE))
        await comes(source, leaf)


async def test_written_in_place(tmp_path: Path) -> None:
    """The certificate first, the key a moment later: the half of it is never used."""
    files = put(tmp_path, old := mint(CA, EDGE))
    new = mint(CA, EDGE)
    async with watching(files) as source:
        Path(files.cert).write_bytes(new.chain_pem)
        await until(lambda: "key: it is not the key" in (source.fault() or ""))
        now = source.current()
        assert now is not None
        assert now.chain[0] == old.der
        Path(files.key).write_bytes(new.key_pem)
        await comes(source, new)
        assert source.fault() is None


async def test_renamed_over(tmp_path: Path) -> None:
    """The files' inodes change; size and time are made the same to show that neither is looked at."""
    files = put(tmp_path, mint(CA, EDGE))
    new = mint(CA, EDGE)
    async with watching(files) as source:
        for path, content in ((files.key, new.key_pem), (files.cert, new.chain_pem)):
            beside = Path(path + ".new")
            beside.write_bytes(content)
            times = os.stat(path)
            os.utime(beside, ns=(times.st_atime_ns, times.st_mtime_ns))
            beside.replace(path)
        await comes(source, new)


async def test_a_kubernetes_secret(tmp_path: Path) -> None:
    """`..data` is swapped from one folder to the next; the paths we watch are links through it and never change."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    put(tmp_path / "first", old := mint(CA, EDGE))
    put(tmp_path / "second", new := mint(CA, EDGE))
    (tmp_path / "..data").symlink_to("first")
    files = named(tmp_path)
    for path in files.paths:
        Path(path).symlink_to(Path("..data", Path(path).name))
    async with watching(files) as source:
        await comes(source, old)
        (tmp_path / "..tmp").symlink_to("second")
        (tmp_path / "..tmp").replace(tmp_path / "..data")
        shutil.rmtree(tmp_path / "first")
        await comes(source, new)


async def test_torn_writes_are_never_used(tmp_path: Path) -> None:
    """
    A writer renews the three files in place, piece by piece and in any order, two roots in the bundle; what is published is always a
    whole pair, and a whole bundle.
    """
    sets = [(mint(CA, EDGE), (CA, root(name=f"extra{number}"))) for number in range(12)]
    files = put(tmp_path, sets[0][0], *sets[0][1])
    leaves, bundles = {leaf.der for leaf, _ in sets}, {frozenset(one.der for one in roots) for _, roots in sets}
    seen: set[tuple[bytes, frozenset[bytes]]] = set()
    over = threading.Event()

    def write() -> None:
        for leaf, roots in sets[1:]:
            contents = {
                files.cert: leaf.chain_pem,
                files.key: leaf.key_pem,
                files.roots: b"".join(one.pem for one in roots),
            }
            for path, content in sorted(contents.items(), key=lambda _: os.urandom(1)):
                with open(path, "wb", buffering=0) as file:
                    for place in range(0, len(content), 97):
                        file.write(content[place : place + 97])
                        time.sleep(0.0005)
            time.sleep(0.25)
        over.set()

    async with watching(files, settle_s=0.02) as source:

        def note() -> None:
            now = source.current()
            assert now is not None
            seen.add((now.chain[0], now.bundles[TD]))

        note()
        source.watch(note)
        writer = asyncio.get_running_loop().run_in_executor(None, write)
        await until(over.is_set)
        await writer
        await comes(source, sets[-1][0])
    assert {leaf for leaf, _ in seen} <= leaves
    assert {bundle for _, bundle in seen} <= bundles
    assert len(seen) > 2


async def test_a_new_set_must_read_the_same_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle caught between its first and its second root is whole PEM and a good pair, and still not what was written."""
    extra = root()
    files = put(tmp_path, leaf := mint(CA, EDGE), CA, extra)
    whole = read_files(files.paths)
    half = whole | {files.roots: CA.pem}
    script = [half, whole, half, half | {files.roots: b""}]
    monkeypatch.setattr(module, "read_files", lambda _paths: script.pop(0) if script else whole)
    taken: list[frozenset[bytes]] = []
    source = FileSource(files, interval_s=0.01, settle_s=0.001)
    source.watch(lambda: taken.append(source.current().bundles[TD]))  # type: ignore[union-attr]  # it has one now
    await source.start()
    await comes(source, leaf)
    await source.stop()
    assert taken == [{CA.der, extra.der}]
    assert script == []


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda files: Path(files.cert).unlink(), "No such file"),
        (lambda files: Path(files.key).write_bytes(b""), "tls.key: no usable private key"),
        (lambda files: Path(files.roots).write_bytes(CA.pem[:-30]), "ca.crt: it is cut off"),
        (lambda files: Path(files.roots).write_bytes(root().pem), "unable to get local issuer"),
        (lambda files: Path(files.cert).write_bytes(mint(CA, EDGE, ends_s=-1).pem), "key: it is not the key"),
        (lambda files: put(Path(files.cert).parent, mint(CA, EDGE, ends_s=-1)), "validity: expired"),
        (lambda files: put(Path(files.cert).parent, mint(CA, dns=["edge.test"])), "uri-san: 0"),
        (lambda files: Path(files.roots).write_bytes(b"x" * (MAX_FILE_BYTES + 1)), "is larger than"),
        (lambda files: replaced(files.key, os.mkfifo), "tls.key is not a file"),
        (lambda files: replaced(files.key, os.mkdir), "Is a directory|is not a file"),
    ],
)
async def test_a_bad_set_is_kept_out(
    tmp_path: Path, break_it: Callable[[CertificateFiles], object], reason: str
) -> None:
    """The last good one stays, the reason names file or check; a repaired set is taken."""
    files = put(tmp_path, old := mint(CA, EDGE))
    async with watching(files) as source:
        break_it(files)
        await until(lambda: any(part in (source.fault() or "") for part in reason.split("|")))
        now = source.current()
        assert now is not None
        assert now.chain[0] == old.der
        for path in files.paths:
            if os.path.isdir(path):
                os.rmdir(path)
            elif not os.path.isfile(path) and os.path.lexists(path):
                os.unlink(path)
        put(tmp_path, new := mint(CA, EDGE))
        await comes(source, new)
        assert source.fault() is None


async def test_not_valid_yet_is_taken_when_it_is(tmp_path: Path) -> None:
    """A set that was refused is looked at again though it did not change: clocks move."""
    leaf = mint(CA, EDGE)
    behind_s = [7200.0]
    async with watching(put(tmp_path, leaf), clock=lambda: time.time() - behind_s[0]) as source:
        assert source.current() is None
        assert "not valid before" in (source.fault() or "")
        behind_s[0] = 0.0
        await comes(source, leaf)


async def test_unchanged_files_cost_no_handshake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in use is not examined again each second."""
    rehearsals: list[Identity] = []

    def counted(identity: Identity, *, strict: bool) -> None:
        rehearsals.append(identity)
        rehearse(identity, strict=strict)

    monkeypatch.setattr(module, "rehearse", counted)
    async with watching(put(tmp_path, mint(CA, EDGE))):
        await asyncio.sleep(0.2)
    assert len(rehearsals) == 1


async def test_a_bug_does_not_end_the_watch(tmp_path: Path) -> None:
    """Whatever goes wrong inside, the next look comes."""
    files = put(tmp_path, mint(CA, EDGE))
    broken = [True]

    def clock() -> float:
        if broken[0]:
            raise RuntimeError("bug")
        return time.time()

    source = FileSource(files, interval_s=0.01, settle_s=0, clock=clock)
    await source.start()
    assert "bug" in (source.fault() or "")
    broken[0] = False
    await until(lambda: source.current() is not None)
    await source.stop()


def test_reading_is_of_files_only(tmp_path: Path) -> None:
    """Neither a pipe nobody writes to nor a device holds us up."""
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero", str(tmp_path)):
        with pytest.raises(OSError, match=r"is not a file|Is a directory"):
            read_files(frozenset({path}))
