"""The scheduler of a cluster: where it is, who we are to it, and whether it lets us in.

It is knocked at first with TLS alone, which tells what is wrong where Dask would try again and
again. As Dask's, the check is of the CA and not of a host name: whoever has a certificate of that
CA for servers could stand in for the scheduler.
"""

from __future__ import annotations

import dataclasses
import re
import socket
import ssl
from pathlib import Path

from mtls_openssl.errors import (
    FolderUnavailableError,
    MtlsError,
    UnreachableError,
    UsageError,
    system_said,
)
from mtls_openssl.inventory.clients import der_of
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.language import Text, _
from mtls_openssl.life.choosing import sent
from mtls_openssl.life.condition import as_spelt
from mtls_openssl.live.alerts import ALERTS
from mtls_openssl.scripting import prompt

CA = "ca.crt"
NODE = "--tls-ca-file ca.crt --tls-cert NAME.crt --tls-key NAME.key"
"""What a scheduler and a worker are told of the files of their set."""

_ADDRESS = re.compile(
    r"(?P<scheme>tls|tcp)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>[0-9]{1,5})/?"
)
_PORTS = range(1, 65536)
_TIMES = {9, 10}
_PURPOSES = {24, 26}
"""Codes of `openssl verify`: not in date, and not for this side of a connection."""


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a scheduler is.

    Args:
        scheme: tls or tcp.
        host: its name or its address.
        port: its port.
    """

    scheme: str
    host: str
    port: int

    @property
    def is_private(self) -> bool:
        """Whether nobody else can read what is said there."""
        return self.scheme == "tls"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who we are to a cluster, and whom of it we trust.

    Args:
        ca: the file with its CA.
        certificate: the file with our certificate, and with who issued it.
        key: the file with our key.
    """

    ca: Path
    certificate: Path
    key: Path


def parse(text: str) -> Address:
    """Read what was typed.

    Raises:
        UsageError: it is not where a scheduler could be.
    """
    found = _ADDRESS.fullmatch(text)
    if not found or int(found["port"]) not in _PORTS:
        raise UsageError(
            _("--scheduler {value!r} is not where a scheduler could be.", value=text),
            fix=_("give tls://HOST:PORT, as `dask scheduler` prints it"),
        )
    return Address(found["scheme"], found["host"].strip("[]"), int(found["port"]))


def identity(folder: Path, name: str) -> Identity:
    """Who we are, by the files of a set.

    Args:
        folder: the folder of the set.
        name: what the files of our certificate are called.

    Raises:
        FolderUnavailableError: a file is not there.
    """
    name = as_spelt(folder, name)
    for file in (CA, f"{name}.crt", f"{name}.key"):
        if not (folder / file).is_file():
            raise FolderUnavailableError(
                _("{name} is not in {folder}.", name=file, folder=folder.absolute()),
                cause=_("it takes the cluster's CA and a certificate of it to be let in"),
                fix=_(
                    "make it: {command}; or name another one: --scheduler-as NAME",
                    command=prompt.ours(folder, "client", "add", name),
                ),
            )
    return Identity(folder / CA, folder / sent(folder, name), folder / f"{name}.key")


def is_same(cluster: Path, folder: Path) -> bool:
    """Whether the sets of two folders have the same CA."""
    try:
        one, other = (
            der_of((each / CA).read_text("ascii", "replace")) for each in (cluster, folder)
        )
    except (OSError, NotDerError):
        return False
    return one == other


def knock(address: Address, one: Identity | None, limit: float) -> None:
    """See that a scheduler lets us in.

    Args:
        address: where it is.
        one: who we are; None to speak without TLS.
        limit: seconds that it may take.

    Raises:
        UnreachableError: it does not, or is not there.
        FolderUnavailableError: our own files are of no use.
    """
    context = _context(one) if one else None
    try:
        with socket.create_connection((address.host, address.port), limit) as plain:
            plain.settimeout(limit)
            if context is None:
                greeting = plain.recv(1)
            else:
                with context.wrap_socket(plain, server_hostname=address.host) as secured:
                    # With TLS 1.3 what it has against us comes only now.
                    greeting = secured.recv(1)
    except OSError as error:
        raise _refused(address, one, error, limit) from None
    if not greeting:
        raise _unreachable(address, _("it hangs up without a word"), _LOOK)


_LOOK = _("see that this is the address of a Dask scheduler, and what its own log says")


def _context(one: Identity) -> ssl.SSLContext:
    def asked() -> str:
        raise _unusable(
            one,
            _("the key has a pass phrase, which Dask can't be told"),
            _("name a client whose key has none: --scheduler-as NAME"),
        )

    try:
        context = ssl.create_default_context(cafile=str(one.ca))
        context.check_hostname = False
        if hasattr(ssl, "VERIFY_X509_STRICT"):
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.load_cert_chain(one.certificate, one.key, asked)
    except OSError as error:
        why = error.reason if isinstance(error, ssl.SSLError) else system_said(error)
        files = (str(one.certificate), str(one.key))
        command = prompt.line("python", "-m", "mtls_openssl", "match", *files)
        fix = _("look at them: {command}", command=command)
        raise _unusable(one, str(why), fix) from None
    return context


def _unusable(one: Identity, cause: str, fix: Text) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("{certificate} and {key} can't be used.", certificate=one.certificate, key=one.key),
        cause=cause,
        fix=fix,
    )


def _unreachable(address: Address, why: str, fix: str, cause: str = "") -> UnreachableError:
    what = _("The scheduler {address} can't be reached: {why}.", address=str(address), why=why)
    return UnreachableError(what, cause=cause, fix=fix)


def _refused(address: Address, one: Identity | None, error: OSError, limit: float) -> MtlsError:
    match error:
        case ssl.SSLCertVerificationError():
            return _not_trusted(address, one, error)
        case ssl.SSLError():
            return _of_tls(address, error)
        case socket.gaierror():
            return _unreachable(address, _("there is no host of that name"), _("look at the name"))
        case TimeoutError():
            why = _("it does not answer within {seconds:g} s", seconds=limit)
            fix = _(
                "see that it is switched on, that no firewall is in between, and that it speaks"
                " {scheme}",
                scheme=address.scheme,
            )
            return _unreachable(address, why, fix)
        case ConnectionRefusedError():
            command = f"dask scheduler --port {address.port}"
            if address.is_private:
                command += f" --protocol tls {NODE}"
            return _unreachable(
                address,
                _("nothing listens at that port"),
                _("start it there: {command}", command=command),
            )
    return _unreachable(address, system_said(error), _LOOK)


def _not_trusted(
    address: Address, one: Identity | None, error: ssl.SSLCertVerificationError
) -> UnreachableError:
    quoted = _("openssl said: {words}", words=error.verify_message)
    if error.verify_code in _TIMES:
        return _unreachable(
            address,
            _("its certificate is not valid at this time"),
            _("have it renewed, give it to the scheduler and start that anew; or set the clock"),
            quoted,
        )
    if error.verify_code in _PURPOSES:
        folder = one.ca.parent if one else Path()
        return _unreachable(
            address,
            _("its certificate is none for servers"),
            _(
                "make it one for both sides: {command}",
                command=prompt.ours(folder, "server", "add", "NAME", "--peer", "--dns", "HOST"),
            ),
            quoted,
        )
    return _unreachable(
        address,
        _("its certificate is of another CA"),
        _("name the folder with the cluster's CA and a client of it: --scheduler-set DIR"),
        quoted,
    )


def _of_tls(address: Address, error: ssl.SSLError) -> UnreachableError:
    reason = error.reason or str(error)
    name = reason.partition("ALERT_")[2].lower()
    alert = next((one for one in ALERTS.values() if one.name == name), None)
    if alert:
        cause = _("{meaning}: {cause}", meaning=alert.meaning, cause=alert.cause)
        return _unreachable(
            address,
            _("it refuses our certificate"),
            _("show it one that its CA has issued for clients: --scheduler-set DIR,"
              " --scheduler-as NAME"),
            cause,
        )  # fmt: skip
    return _unreachable(
        address,
        _("it does not speak TLS"),
        _("start it anew: {command}", command=f"dask scheduler --protocol tls {NODE}"),
        _("openssl said: {words}", words=reason),
    )
