"""The same in another form: which forms there are, and what goes into which file. Pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    UsageError,
)
from mtls_openssl.inspection.matching import public_key
from mtls_openssl.inspection.objections import is_ca
from mtls_openssl.inspection.objects import (
    Bundle,
    Certificate,
    Holding,
    Item,
    Key,
    Request,
    RevocationList,
    Unreadable,
    fingerprint,
)
from mtls_openssl.language import _


class Form(enum.StrEnum):
    """What a file can be written as."""

    PEM = "pem"
    DER = "der"
    P12 = "p12"
    P7B = "p7b"


class Only(enum.StrEnum):
    """Which parts are taken."""

    CERTIFICATE = "certificate"
    """The one that is not a CA's, or whose key there is."""
    CHAIN = "chain"
    """All other certificates."""
    KEY = "key"


FORMS = {
    ".pem": Form.PEM, ".crt": Form.PEM, ".key": Form.PEM, ".csr": Form.PEM, ".crl": Form.PEM,
    ".der": Form.DER, ".cer": Form.DER, ".p12": Form.P12, ".pfx": Form.P12, ".p7b": Form.P7B,
    ".p7c": Form.P7B,
}  # fmt: skip
"""What an ending stands for, where nothing else is said."""

_NAMES: dict[type, str] = {
    Certificate: "certificate", Key: "key", Request: "request", RevocationList: "crl",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is to be made.

    Args:
        form: as what.
        password: what keys and PKCS#12 files are to be protected with; None to leave keys that
            stand in PEM or DER as they are.
        plain: whether keys are to be written without a password.
        name: the friendly name in a PKCS#12 file.
        profile: who must be able to read a PKCS#12 file, one of `readers.PROTECTIONS`.
    """

    form: Form
    password: str | None = dataclasses.field(default=None, repr=False)
    plain: bool = False
    name: str = ""
    profile: str = "modern"

    def protected(self, password: str) -> Wish:
        """The same, with a password for what is to be protected."""
        return dataclasses.replace(self, password=password)


def parts(holdings: Sequence[Holding], only: Only | None = None) -> tuple[Item, ...]:
    """What there is to convert, each thing once.

    Args:
        holdings: the files, read.
        only: which parts are taken; None for all.

    Raises:
        UsageError: there is nothing, or something can't be read, or is locked.
    """
    found: dict[tuple[str, str], Item] = {}
    for holding in holdings:
        for item in holding.flat or holding.items:
            found.setdefault(identity(holding.path, item), item)
    items = tuple(found.values())
    end = leaf(items)
    if only is Only.CERTIFICATE:
        items = (end,) if end else ()
    elif only is Only.CHAIN:
        items = tuple(
            item for item in items if isinstance(item.thing, Certificate) and item is not end
        )
    elif only is Only.KEY:
        items = tuple(item for item in items if isinstance(item.thing, Key) and item.thing.private)
    if not items:
        raise UsageError(
            _("There is nothing to convert."),
            cause=_("none of the files has what is asked for"),
            fix=_("look what they hold: python -m mtls_openssl inspect FILE"),
        )
    return items


def is_secret(items: Sequence[Item]) -> bool:
    """Whether there is a private key among them."""
    return any(isinstance(item.thing, Key) and item.thing.private for item in items)


def needs_password(items: Sequence[Item], wish: Wish) -> bool:
    """Whether what is to be made has to get a password."""
    if wish.form is Form.P12:
        return True
    return not wish.plain and any(
        isinstance(item.thing, Key)
        and (was_in_bundle(item) or (item.form == "DER" and item.thing.protection))
        for item in items
    )


def is_encrypted(item: Item) -> bool:
    """Whether it is a private key under a password."""
    return isinstance(item.thing, Key) and bool(item.thing.protection)


def is_open(items: Sequence[Item], wish: Wish) -> bool:
    """Whether what was made of them has a private key without a password."""
    if wish.form is Form.P12 or not is_secret(items):
        return False
    stays = any(is_encrypted(item) for item in items) and wish.form is Form.PEM
    return wish.plain or (wish.password is None and not stays)


def friendly_name(items: Sequence[Item]) -> str:
    """The name that the key, or its certificate, has in a PKCS#12 file; empty if it has none."""
    names = (item.thing.name for item in items if isinstance(item.thing, Key | Certificate))
    return next(filter(None, names), "")


def split(items: Sequence[Item], form: Form) -> dict[str, tuple[Item, ...]]:
    """A file for each thing, by its name.

    Args:
        items: the things.
        form: what each is written as.
    """
    counts: dict[str, int] = {}
    files: dict[str, tuple[Item, ...]] = {}
    for item in items:
        name = _NAMES.get(type(item.thing), "part")
        counts[name] = counts.get(name, 0) + 1
        files[f"{name}-{counts[name]}.{form.value}"] = (item,)
    return files


def identity(path: Path, item: Item) -> tuple[str, str]:
    """What a thing is, whatever its form; two with the same are the same.

    Raises:
        UsageError: it is locked.
        CommandFailedError: its password is another one.
        FolderUnavailableError: it can't be read.
    """
    match item.thing:
        case Certificate() | Request() | RevocationList() as thing:
            return type(thing).__name__, fingerprint(thing.pem)
        case Key(public_key=public, private=private) if public:
            return f"Key {private}", fingerprint(public)
        case Key(wrong=True) | Bundle(wrong=True):
            raise CommandFailedError(
                _("{file} is not opened by the password that was given.", file=path),
                fix=_("give the right one"),
            )
        case Key() | Bundle():
            raise UsageError(
                _("{file} has a password, and none is given.", file=path),
                fix=_("name it with --password-env, --password-file or --password-stdin"),
            )
        case Unreadable(why=why, said=said):
            raise FolderUnavailableError(_("{file}: {why}", file=path, why=why), cause=said)
    raise UsageError(
        _("{file}: {kind} is not converted by this command", file=path, kind=item.kind.value)
    )


def leaf(items: Sequence[Item]) -> Item | None:
    """The certificate that the others stand behind."""
    certificates = [item for item in items if isinstance(item.thing, Certificate)]
    keys = {public_key(item) for item in items if isinstance(item.thing, Key)}
    owned = [item for item in certificates if public_key(item) in keys]
    leaves = [
        item
        for item in certificates
        if isinstance(item.thing, Certificate) and not is_ca(item.thing.described)
    ]
    return next(iter((*owned, *leaves, *certificates)), None)


def was_in_bundle(item: Item) -> bool:
    """Whether it comes out of a PKCS#12 or PKCS#7 file."""
    return item.form == "PEM" and not item.line


def block(item: Item) -> str:
    """It as PEM, unless it is a key; empty then."""
    thing = item.thing
    return thing.pem if isinstance(thing, Certificate | Request | RevocationList) else ""
