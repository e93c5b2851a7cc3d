"""
`edge certs`: a development authority with SPIFFE IDs, leaves from it, and any chain printed for people.

Owns the three commands. `show` ends with 1 when the strict check that the gateway runs has something against a certificate, so that
a script can ask.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError
from rich.text import Text

from certs.describe import CertificateFacts, chain_facts
from certs.devca import Authority, DevCaError, Issued, new_authority
from certs.devca_files import CA_NAME, ExistsError, read_folder, write_pair
from certs.pem import PemError, read_certificates
from certs.spiffe import SpiffeId, SpiffeIdError
from edge.cli.output import FAILED, JsonOption, console, print_json
from edge.config.units import Seconds
from edge.core.problem import Problem, ProblemsError

FolderOption = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write; made when missing.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]

_EXIT_CODES = "Exit codes: 0 ok, 1 failed, 2 bad input."

certs = typer.Typer(
    name="certs",
    help="Make and show certificates with SPIFFE IDs.",
    epilog=f"Example: edge certs ca dev.example -o tls; edge certs issue spiffe://dev.example/edge --ca tls -o tls. {_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@certs.command(epilog=f"Example: edge certs ca dev.example -o tls. {_EXIT_CODES}")
def ca(
    trust_domain: Annotated[str, typer.Argument(metavar="TRUST_DOMAIN", help="What its IDs begin with.")],
    out: FolderOption = Path("tls"),
    ttl: Annotated[str, typer.Option("--ttl", metavar="DURATION", help="How long it is good for.")] = "8760h",
    unconstrained: Annotated[
        bool,
        typer.Option("--no-name-constraints", help="Leave out the extension that holds it to its trust domain."),
    ] = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """
    Make a development authority: ca.pem and ca-key.pem.

    Its root signs for its own trust domain only. The key is written with mode 0600. Not for production:
    it keeps no list of what it signed and can revoke nothing.
    """
    with _told("TRUST_DOMAIN"):
        authority = new_authority(trust_domain, time.time(), _seconds(ttl), constrained=not unconstrained)
    _write(out, CA_NAME, authority.root, json=json, force=force)


@certs.command(
    epilog=f"Example: edge certs issue spiffe://dev.example/ns/default/svc/shop --ca tls --ttl 24h. {_EXIT_CODES}"
)
def issue(
    spiffe_id: Annotated[str, typer.Argument(metavar="SPIFFE_ID", help="spiffe://trust-domain/path")],
    authority: Annotated[
        Path, typer.Option("--ca", metavar="DIR", help="The folder with ca.pem and ca-key.pem.")
    ] = Path("tls"),
    out: FolderOption = Path("tls"),
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of the files; default: the ID's last part.")
    ] = None,
    dns: Annotated[list[str] | None, typer.Option("--dns", metavar="NAME", help="A DNS name too; repeatable.")] = None,
    ttl: Annotated[str, typer.Option("--ttl", metavar="DURATION", help="How long it is good for.")] = "24h",
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """
    Issue a leaf with a SPIFFE ID: NAME.pem and NAME-key.pem.

    It is good for both sides of a connection. The key is new, and written with mode 0600.
    """
    with _told("--ca"):
        signer = read_folder(authority)
    with _told("SPIFFE_ID"):
        wanted = SpiffeId.parse(spiffe_id)
        issued = _issue(signer, wanted, _seconds(ttl), dns or [])
    _write(out, _file_name(name or wanted.path.rpartition("/")[2]), issued, json=json, force=force)


@certs.command(epilog=f"Example: edge certs show tls/shop.pem --json. {_EXIT_CODES}")
def show(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="PEM files: a leaf first in its file.")],
    json: JsonOption = False,
) -> None:
    """
    Print certificates, and what the strict check has against them.

    Subject, issuer, SPIFFE ID, validity, names, usages, fingerprint. Exits with 1 when there is a warning.
    """
    now = time.time()
    shown = {}
    for file in files:
        with _told(str(file)):
            shown[str(file)] = chain_facts(read_certificates(file.read_bytes()), now)
    if json:
        print_json([{"file": name, "certificates": list(map(asdict, facts))} for name, facts in shown.items()])
    else:
        for name, facts in shown.items():
            _print(name, facts)
    raise typer.Exit(FAILED if any(one.warnings for facts in shown.values() for one in facts) else 0)


def _issue(signer: Authority, wanted: SpiffeId, ttl_s: float, dns: list[str]) -> Issued:
    for name in dns:
        if not name.isascii() or not name or name != name.strip():
            raise DevCaError(f"{name!r} is no DNS name")
    return signer.issue(wanted, time.time(), ttl_s, dns)


def _file_name(name: str) -> str:
    if name in {"", ".", "..", CA_NAME} or "/" in name:
        problem = f"{name!r} cannot be the name of the files"
        raise ProblemsError([Problem("", "--name", problem, "name them, such as --name shop")])
    return name


def _seconds(text: str) -> float:
    try:
        seconds = Seconds.parse(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise ProblemsError(
            [Problem("", "--ttl", f"{text!r} {context.get('message')}", str(context.get("fix")))]
        ) from error
    if seconds <= 0:
        raise ProblemsError([Problem("", "--ttl", f"{text!r} is no time at all", "write a duration such as 24h")])
    return seconds


@contextmanager
def _told(place: str) -> Iterator[None]:
    """A user's mistake becomes a problem with its place."""
    try:
        yield
    except OSError as error:
        problem = Problem(
            "", place, f"cannot read {error.filename}: {error.strerror}", "name a file this user may read"
        )
    except (SpiffeIdError, DevCaError, PemError) as error:
        problem = Problem("", place, str(error))
    else:
        return
    raise ProblemsError([problem])


def _write(folder: Path, name: str, issued: Issued, *, json: bool, force: bool) -> None:
    try:
        paths = write_pair(folder, name, issued, force=force)
    except ExistsError as error:
        typer.echo(f"edge certs: {error} is there already; --force overwrites it", err=True)
        raise typer.Exit(FAILED) from error
    except OSError as error:
        typer.echo(f"edge certs: cannot write {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(FAILED) from error
    facts = chain_facts([issued.certificate], time.time())
    certificate, key = paths
    if json:
        print_json({"certificate": str(certificate), "key_file": str(key), **asdict(facts[0])})
        return
    _print(str(certificate), facts)
    console().print(f"{'key file':<12}{key} (0600)")


def _print(file: str, facts: list[CertificateFacts]) -> None:
    out = console()
    out.print(Text(file, style="bold"))
    for number, one in enumerate(facts):
        if number:
            out.print()
        for title, value in _lines(one):
            out.print(Text(f"{title:<12}{value}"))
        for warning in one.warnings:
            out.print(Text("warning     ", "yellow").append(warning))


def _lines(one: CertificateFacts) -> Iterator[tuple[str, str]]:
    yield "kind", one.kind
    yield "subject", one.subject
    yield "issuer", one.issuer
    if one.spiffe_id:
        yield "SPIFFE ID", one.spiffe_id
    for uri in one.uris:
        if uri != one.spiffe_id:
            yield "URI", uri
    for name in one.dns_names:
        yield "DNS", name
    yield "valid", f"{one.not_before} to {one.not_after}, {one.validity}"
    yield "key", one.key
    yield "usage", ", ".join(one.usage) or "(none)"
    yield "serial", one.serial
    yield "SHA-256", one.sha256
