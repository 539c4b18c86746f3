"""What there is, as Prometheus reads it (its text exposition format, version 0.0.4). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from mtls_openssl.inventory import judging
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, Place, Role, State, Stock

_Value = Callable[[Node], float | None]
_CERTIFICATE: tuple[tuple[str, str, _Value], ...] = (
    (
        "mtls_certificate_not_before_timestamp_seconds",
        "From when on the certificate is valid, as seconds since 1970.",
        lambda node: _seconds(node.begins),
    ),
    (
        "mtls_certificate_not_after_timestamp_seconds",
        "Until when the certificate is valid, as seconds since 1970.",
        lambda node: _seconds(node.ends),
    ),
    (
        "mtls_certificate_status",
        "How the certificate stands: 0 fine, 1 ends soon, 2 not usable.",
        lambda node: node.verdict.severity,
    ),
)
_LIST: tuple[tuple[str, str, _Value], ...] = (
    (
        "mtls_crl_last_update_timestamp_seconds",
        "When the list of revoked certificates was made, as seconds since 1970.",
        lambda node: _seconds(node.begins),
    ),
    (
        "mtls_crl_next_update_timestamp_seconds",
        "Until when the list of revoked certificates is good, as seconds since 1970.",
        lambda node: _seconds(node.ends),
    ),
    (
        "mtls_crl_status",
        "How the list stands: 0 fine, 1 ends soon, 2 not usable: nobody is let in.",
        lambda node: node.verdict.severity,
    ),
    (
        "mtls_crl_revoked_certificates",
        "How many certificates are on the list.",
        lambda node: len(node.crl.revoked) if node.crl else None,
    ),
)
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def text(stocks: Sequence[Stock], unreadable: int) -> str:
    """The metrics.

    Args:
        stocks: the places.
        unreadable: how many places could not be looked at.
    """
    return "".join(f"{line}\n" for line in _lines(stocks, unreadable))


def _lines(stocks: Sequence[Stock], unreadable: int) -> Iterator[str]:
    things = [(stock, node) for stock in stocks for node in flat(stock)]
    certificates = [
        (_of_certificate(stock, node, place), node)
        for stock, node in things
        if node.certificate and node.role is not Role.PKCS12
        for place in node.places
    ]
    lists = [
        (_of_list(stock, node, place), node)
        for stock, node in things
        if node.crl
        for place in node.places
    ]
    for kinds, found in ((_CERTIFICATE, certificates), (_LIST, lists)):
        for name, help_, value in kinds:
            samples = dict.fromkeys(
                f"{name}{labels} {_number(known)}"
                for labels, node in found
                if (known := value(node)) is not None
            )
            if samples:
                yield f"# HELP {name} {help_}"
                yield f"# TYPE {name} gauge"
                yield from samples
    broken = sum(node.verdict.state is State.BROKEN for _stock, node in things)
    for name, help_, count in (
        ("mtls_files_broken", "Files with something in them that can't be read.", broken),
        ("mtls_places_unreadable", "Places that could not be looked at.", unreadable),
    ):
        yield f"# HELP {name} {help_}"
        yield f"# TYPE {name} gauge"
        yield f"{name} {count}"


def _of_certificate(stock: Stock, node: Node, place: Place) -> str:
    assert node.certificate  # noqa: S101 - they were picked by it
    return _labels(
        place=stock.place,
        file=place.file,
        part=str(place.number),
        cn=judging.common_name(node.certificate.subject),
        issuer_cn=judging.common_name(node.certificate.issuer),
        role=node.role.value,
        serial=node.certificate.serial,
    )


def _of_list(stock: Stock, node: Node, place: Place) -> str:
    assert node.crl  # noqa: S101 - they were picked by it
    return _labels(
        place=stock.place,
        file=place.file,
        part=str(place.number),
        issuer_cn=judging.common_name(node.crl.issuer),
    )


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    # A name of a file that is no text, and a carriage return, which is the end of a line for some.
    plain = value.encode("utf-8", "replace").decode().replace("\r", "\ufffd")
    return plain.translate(_ESCAPED)


def _seconds(time: dt.datetime | None) -> float | None:
    return time.timestamp() if time else None


def _number(value: float) -> str:
    return str(int(value))
