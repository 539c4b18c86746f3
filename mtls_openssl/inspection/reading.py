"""Has openssl read what a file holds, part by part."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mtls_openssl import steps
from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError
from mtls_openssl.inspection.content import Content, Kind, Part, taken_apart
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.inspection.objects import (
    Bundle,
    Certificate,
    Holding,
    Item,
    Key,
    Parameters,
    Request,
    RevocationList,
    Thing,
    Unreadable,
)
from mtls_openssl.language import _
from mtls_openssl.openssl import asn1parse, crl, pkcs7, pkcs12, pkey, req, x509
from mtls_openssl.openssl.asn1parse import Shape

_BY_SHAPE: dict[Shape | None, Kind] = {
    Shape.CERTIFICATE: Kind.CERTIFICATE,
    Shape.REQUEST: Kind.REQUEST,
    Shape.CRL: Kind.CRL,
    Shape.KEY: Kind.KEY,
    Shape.ENCRYPTED_KEY: Kind.KEY,
    Shape.PUBLIC_KEY: Kind.PUBLIC_KEY,
    Shape.PKCS12: Kind.PKCS12,
    Shape.PKCS7: Kind.PKCS7,
}

Asked = Callable[[Path], str | None]
"""Gives the password of a file, or None where there is nobody who knows it."""


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where openssl finds a part, and in which form."""

    folder: Path
    name: str
    form: str


class Reader:
    """Reads files at a desk.

    Args:
        desk: where the commands are run.
        asked: gives the password of a file that has one; asked once for each file.
        known: passwords that are known without asking, by the names of the files.
    """

    def __init__(self, desk: Desk, asked: Asked, known: Mapping[str, str] | None = None) -> None:
        self._desk = desk
        self._asked = asked
        self._known = known or {}
        self._passwords: dict[tuple[Path, str], str] = {}
        self._certificates: dict[bytes, tuple[Certificate, str]] = {}
        self._count = 0

    def read(self, path: Path) -> Holding:
        """Read a file.

        Args:
            path: the file; `-` for standard input.

        Returns:
            What it holds; a part that can't be read is in it as an Unreadable.

        Raises:
            FolderUnavailableError: there is no such file, or it can't be read.
            CommandFailedError: openssl did not come to an end, or could not be started.
        """
        data = bytes_of(path)
        content = taken_apart(data)
        if not content.parts:
            unreadable = Unreadable(content.fault)
            item = Item(Kind.UNKNOWN, "", "", 0, self._desk.scratch, "", unreadable)
            return Holding(path, len(data), (item,), content.notes)
        items = [
            self._item(part, self._placed(path, content, part), path) for part in content.parts
        ]
        # Parameters of a curve only stand before the key that they belong to.
        if any(item.kind is Kind.KEY for item in items):
            items = [item for item in items if item.kind is not Kind.PARAMETERS]
        return Holding(path, len(data), tuple(items), content.notes)

    def password_of(self, item: Item) -> str | None:
        """The password that opened a key; None if it has none, or was not opened."""
        return self._passwords.get((item.folder, item.name))

    def _placed(self, path: Path, content: Content, part: Part) -> _Place:
        bare = path.name
        # On Windows openssl finds no file by a name that is not ASCII (openssl#29253), and takes
        # brackets for a pattern; elsewhere it takes what is before a colon for a kind of store.
        plain = bare.isascii() and not set(bare) & set("*?[]:")
        if content.in_place and plain and str(path) != "-" and path.is_file():
            name = f"./{bare}" if bare.startswith("-") else bare
            return _Place(Path(os.path.abspath(path)).parent, name, part.form)  # noqa: PTH100
        return self._kept(part.data, part.form)

    def _kept(self, data: bytes, form: str) -> _Place:
        self._count += 1
        name = f"{self._count}.{form.lower()}"
        (self._desk.scratch / name).write_bytes(data)
        return _Place(self._desk.scratch, name, form)

    def _item(self, part: Part, place: _Place, path: Path) -> Item:
        kind = part.kind
        read: tuple[Thing, str] = Unreadable(part.fault), ""
        if not part.fault:
            kind, protection, answer = self._recognised(part, place)
            if kind is Kind.UNKNOWN:
                why = _("it is DER, but cut off, damaged or of no kind that is known here")
                read = Unreadable(why, answer), ""
            else:
                read = self._read(kind, part, place, path, protection)
        return Item(kind, part.form, part.label, part.line, place.folder, place.name, *read)

    def _recognised(self, part: Part, place: _Place) -> tuple[Kind, tuple[str, ...], str]:
        """What a part is, what it is encrypted with if it is a key, and what openssl objected."""
        if part.cipher:
            return part.kind, (part.cipher,), ""
        encrypted = part.label == "ENCRYPTED PRIVATE KEY"
        if part.kind is not Kind.UNKNOWN and not encrypted:
            return part.kind, (), ""
        # Of a key that is not encrypted it prints the numbers.
        shown = self._ask(
            asn1parse.show(place.name, place.form),
            _("find out what it is"),
            place,
            reveals_key=True,
        )
        printed = shown.finished.stdout
        shape = asn1parse.shape(printed) if not shown.problem else None
        kind = part.kind if encrypted else _BY_SHAPE.get(shape, Kind.UNKNOWN)
        if encrypted or shape is Shape.ENCRYPTED_KEY:
            return kind, asn1parse.algorithms(printed) or ("PKCS#8",), ""
        return kind, (), shown.finished.stderr.partition("\n")[0]

    def _read(
        self, kind: Kind, part: Part, place: _Place, path: Path, protection: tuple[str, ...]
    ) -> tuple[Thing, str]:
        match kind:
            case Kind.CERTIFICATE:
                return self._certificate(part.data, place)
            case Kind.REQUEST:
                return self._request(place)
            case Kind.CRL:
                return self._crl(place)
            case Kind.KEY:
                return self._key(place, path, protection)
            case Kind.PUBLIC_KEY:
                return self._public_key(place)
            case Kind.PKCS7:
                return self._pkcs7(place, path)
            case Kind.PKCS12:
                return self._pkcs12(place, path)
        return Parameters(), ""

    def _certificate(self, data: bytes, place: _Place, name: str = "") -> tuple[Thing, str]:
        if known := self._certificates.get(data):  # those above are in every bundle
            return dataclasses.replace(known[0], name=name), known[1]
        outcome = self._ask(x509.inspect(place.name, place.form), _("read the certificate"), place)
        said = outcome.finished.stdout
        try:
            described = x509.parse_text(said) if not outcome.problem else None
        except ValueError as error:
            return Unreadable(_("openssl's answer is not understood"), str(error)), said
        if described is None:
            return _unreadable(_("it is a certificate, but a damaged one"), outcome), ""
        read = Certificate(described, _block(said, "CERTIFICATE"), name), _text(said)
        self._certificates[data] = read
        return read

    def _request(self, place: _Place) -> tuple[Thing, str]:
        outcome = self._ask(req.describe(place.name, place.form), _("read the request"), place)
        said = outcome.finished.stdout
        if outcome.problem or not (pem := _block(said, "(?:NEW )?CERTIFICATE REQUEST")):
            return _unreadable(_("it is a request, but a damaged one"), outcome), ""
        checked = self._ask(
            req.check(place.name, place.form), _("check the request's own signature"), place
        ).finished
        proven = checked.exit == 0 and req.is_ok(f"{checked.stdout}\n{checked.stderr}")
        return Request(req.parse(said), pem, proven), _text(said)

    def _crl(self, place: _Place) -> tuple[Thing, str]:
        outcome = self._ask(crl.describe(place.name, place.form), _("read the CRL"), place)
        said = outcome.finished.stdout
        try:
            described = crl.parse(said) if not outcome.problem else None
        except ValueError as error:
            return Unreadable(_("openssl's answer is not understood"), str(error)), said
        if described is None:
            return _unreadable(_("it is a CRL, but a damaged one"), outcome), ""
        return RevocationList(described, _block(said, "X509 CRL")), _text(said)

    def _public_key(self, place: _Place) -> tuple[Thing, str]:
        outcome = self._ask(
            pkey.describe_public(place.name, place.form), _("read the public key"), place
        )
        said = outcome.finished.stdout
        if outcome.problem:
            return _unreadable(_("it is a public key, but a damaged one"), outcome), ""
        key = Key(private=False, kind=pkey.parse_kind(said), public_key=pkey.parse_pem(said))
        return key, _text(said)

    def _key(
        self, place: _Place, path: Path, protection: tuple[str, ...], name: str = ""
    ) -> tuple[Thing, str]:
        known = (place.folder, place.name)
        given = {}
        if protection:
            password = self._passwords.get(known) or self._asked(path)
            if password is None:
                return Key(private=True, protection=protection, name=name), ""
            given = {pkey.PASSWORD_VARIABLE: password}
        outcome = self._ask(
            pkey.describe(place.name, place.form, encrypted=bool(protection)),
            _("read the key's public half"), place, given,
        )  # fmt: skip
        said = outcome.finished.stdout
        if outcome.problem or not pkey.parse_pem(said):
            if protection:
                return Key(private=True, protection=protection, name=name, wrong=True), ""
            return _unreadable(_("it is a private key, but a damaged one"), outcome), ""
        if protection:
            self._passwords[known] = given[pkey.PASSWORD_VARIABLE]
        key = Key(
            private=True,
            protection=protection,
            kind=pkey.parse_kind(said),
            public_key=pkey.parse_pem(said),
            name=name,
        )
        return key, _text(said)

    def _pkcs7(self, place: _Place, path: Path) -> tuple[Thing, str]:
        outcome = self._ask(pkcs7.show(place.name, place.form), _("read the certificates"), place)
        if outcome.problem:
            return _unreadable(_("it is PKCS#7, but damaged, or not of certificates"), outcome), ""
        said = outcome.finished.stdout
        return Bundle(self._parts_of(said, path)), said

    def _pkcs12(self, place: _Place, path: Path) -> tuple[Thing, str]:
        for password in self._tried(path):
            if password is None:
                return Bundle(locked=_("it has a password, which was not given")), ""
            outcome = self._opened(place, password)
            if not outcome.problem:
                break
        if outcome.problem:
            if "unsupported" in outcome.finished.stderr:
                why = _("it is made with RC2 or another old algorithm that this openssl lacks")
                return _unreadable(why, outcome), ""
            if pkcs12.is_wrong_password(outcome.finished.stderr):
                return Bundle(locked=_("the password is not the one of this file"), wrong=True), ""
            return _unreadable(_("it is a PKCS#12 file, but a damaged one"), outcome), ""
        said, told = outcome.finished.stdout, outcome.finished.stderr
        contents = pkcs12.parse(said, told)
        certificates = self._parts_of(said, path)
        keys: tuple[Item, ...] = ()
        if contents.keys:
            keys = self._keys_of(
                place, path, password or "", legacy="-legacy" in outcome.command.argv
            )
        return Bundle((*keys, *certificates), contents), f"{told}{said}"

    def _tried(self, path: Path) -> Iterator[str | None]:
        """Passwords for a PKCS#12 file, one after the other; None where nobody knows it."""
        if path.name in self._known:
            yield self._known[path.name]
        yield ""  # some have none at all
        yield self._asked(path)

    def _opened(self, place: _Place, password: str) -> steps.Outcome:
        given = {pkcs12.PASSWORD_VARIABLE: password}
        argv = pkcs12.open_again(place.name)
        outcome = self._ask(argv, _("open the PKCS#12 file"), place, given)
        if "unsupported" in outcome.finished.stderr:
            # What Windows and 1.1.1 wrote by themselves has certificates under RC2.
            legacy = (*argv, *pkcs12.LEGACY)
            outcome = self._ask(legacy, _("open it with the legacy provider"), place, given)
        return outcome

    def _keys_of(
        self, place: _Place, path: Path, password: str, *, legacy: bool
    ) -> tuple[Item, ...]:
        # They leave the file under a password that is forgotten with the desk: never in the clear.
        ours = secrets.token_hex(16)
        argv = (*pkcs12.keys(place.name), *(pkcs12.LEGACY if legacy else ()))
        given = {pkcs12.PASSWORD_VARIABLE: password, pkcs12.NEW_PASSWORD_VARIABLE: ours}
        outcome = self._ask(argv, _("take its keys out, encrypted"), place, given, reveals_key=True)
        return self._parts_of(outcome.finished.stdout, path, ours)

    def _parts_of(self, said: str, path: Path, password: str = "") -> tuple[Item, ...]:
        """The certificates and keys in what openssl printed, each with its friendly name."""
        items = []
        for part, name in zip(
            taken_apart(said.encode()).parts, pkcs12.friendly_names(said), strict=True
        ):
            place = self._kept(part.data, part.form)
            if part.kind is Kind.KEY:
                self._passwords[place.folder, place.name] = password
                thing, raw = self._key(place, path, (part.label,), name)
            else:
                thing, raw = self._certificate(part.data, place, name)
            items.append(
                Item(part.kind, part.form, part.label, 0, place.folder, place.name, thing, raw)
            )
        return tuple(items)

    def _ask(
        self,
        argv: tuple[str, ...],
        purpose: str,
        place: _Place,
        given: dict[str, str] | None = None,
        *,
        reveals_key: bool = False,
    ) -> steps.Outcome:
        command = steps.Command(
            argv,
            purpose,
            steps.Kind.LOOK,
            reads=(place.name,),
            secrets=tuple(given or ()),
            verdict=True,
            reveals_key=reveals_key,
        )
        outcome = self._desk.ask(command, folder=place.folder, secrets=given)
        if outcome.finished.ending is not steps.Ending.EXITED:
            raise CommandFailedError(
                _("openssl {command} {problem}.", command=argv[0], problem=outcome.problem),
                fix=_("if this machine is only slow, give it longer: --timeout SECONDS"),
            )
        return outcome


def _unreadable(why: str, outcome: steps.Outcome) -> Unreadable:
    lines = [line for line in outcome.finished.stderr.split("\n") if line.strip()]
    return Unreadable(why, lines[0] if lines else "")


def _block(said: str, label: str) -> str:
    found = re.search(
        rf"^-----BEGIN {label}-----\n.*?^-----END {label}-----$", said, re.MULTILINE | re.DOTALL
    )
    return found[0] if found else ""


def _text(said: str) -> str:
    """What openssl said without what was asked for besides its text."""
    without = re.sub(
        r"^-----BEGIN .*?^-----END [^\n]*\n?", "", said, flags=re.MULTILINE | re.DOTALL
    )
    fields = r"^(subject|issuer|serial|notBefore|notAfter|lastUpdate|nextUpdate)=.*\n?"
    return re.sub(fields, "", without, flags=re.MULTILINE)
