"""What is granted of a foreign request: what somebody decided, and nothing by itself. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence

from mtls_openssl.errors import NotProvenError, UsageError
from mtls_openssl.inspection.telling import shown
from mtls_openssl.language import Text, _
from mtls_openssl.life.taken import Taken
from mtls_openssl.manifest import Key, Leaf, Name, Role
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.plan.naming import owner_of
from mtls_openssl.settings import Settings, names, values
from mtls_openssl.settings.values import UnfitError
from mtls_openssl.signing.asking import Asked

ALL, NONE = "all", "none"
_ENDINGS = re.compile(r"\.(csr|req|p10|pem|der|txt)$", re.IGNORECASE)
_KINDS = {
    "DNS": values.server_name,
    "IP": values.ip_address,
    "email": names.mail,
    "URI": names.address,
}


@dataclasses.dataclass(frozen=True)
class Policy:
    """What may be granted.

    Args:
        settings: the subject's other attributes, the days, the profile.
        role: which side the certificates are for; None for what each request says.
        names: the names that may be granted, or ALL, or NONE.
        whole: whether subjects are granted as they are asked for.
        name: what the files of the only certificate are called; empty for as its request's.
        common_name: the only certificate's common name; empty for its request's.
        peer: whether servers may be clients of their peers as well.
        replace: whether a certificate of the same name for another key is replaced.
    """

    settings: Settings
    role: Role | None = None
    names: tuple[str, ...] = (NONE,)
    whole: bool = False
    name: str = ""
    common_name: str = ""
    peer: bool = False
    replace: bool = False


@dataclasses.dataclass(frozen=True)
class There:
    """What there is in the folder.

    Args:
        certificates: what each certificate says that is there, the authorities' too, by its file;
            of a client of the fleet by its folder or archive.
        keys: the public key of each private key that was opened, PEM, by its name.
        taken: the names that are taken.
    """

    certificates: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    keys: Mapping[str, str] = dataclasses.field(default_factory=dict)
    taken: Taken = dataclasses.field(default_factory=Taken)


@dataclasses.dataclass(frozen=True)
class Withheld:
    """Something that was asked for and is not granted.

    Args:
        what: it.
        why: why not.
    """

    what: str
    why: Text


@dataclasses.dataclass(frozen=True)
class Grant:
    """What is granted of one request.

    Args:
        asked: what it asks for.
        leaf: the certificate that is issued.
        withheld: what is not granted.
        notes: what a person should know besides.
    """

    asked: Asked
    leaf: Leaf
    withheld: tuple[Withheld, ...] = ()
    notes: tuple[Text, ...] = ()


class RequestRefusedError(NotProvenError):
    """A request that is not signed."""


def name_for(asked: Asked, policy: Policy, taken: Taken) -> str:
    """What the files of a certificate are called: as the request's file, else its common name.

    One that is here already is called as it is spelt here.

    Raises:
        UsageError: no name can be made of either.
    """
    stem = policy.name or asked.path.name
    while not policy.name and _ENDINGS.search(stem):
        stem = _ENDINGS.sub("", stem)
    why: Text | str = ""
    for candidate in (stem, *(() if policy.name else asked.common_names)):
        try:
            return _as_spelt(names.file_name(candidate), taken)
        except UnfitError as error:
            why = why or error.why
    raise UsageError(
        _("{name} {why}.", name=repr(shown(stem)), why=why),
        fix=_("give the certificate a name for its files: --name NAME"),
    )


def _as_spelt(name: str, taken: Taken) -> str:
    spelt = taken.files.spelt(f"{name}.crt") or taken.files.spelt(f"{name}.key")
    return owner_of(spelt) if spelt else name


def granted(asked: Asked, policy: Policy, there: There) -> Grant:
    """Decide what is granted.

    Args:
        asked: what is asked for.
        policy: what may be granted.
        there: what there is in the folder.

    Raises:
        RequestRefusedError: it can't be signed as it is.
        UsageError: nobody has said what it is to be signed for.
    """
    if fault := asked.fault:
        raise _refused(
            asked, fault, _("ask whoever sent it for a new one: python -m mtls_openssl csr NAME")
        )
    role = policy.role or asked.role
    if role is None:
        raise UsageError(
            _("{file}: it is not said whether it is for a server or a client.", file=asked.path),
            cause=_(
                "the request itself says: {purposes}", purposes=", ".join(asked.purposes) or "-"
            ),
            fix=_("give --server, --client, or --peer for both"),
        )
    name = name_for(asked, policy, there.taken)
    _see_that_nobody_else_is_called_so(asked, there.taken, name)
    subject = _subject(asked, policy)
    _see_that_it_is_theirs(asked, policy, there, name, subject)
    allowed, withheld = _names(asked, policy)
    if role is Role.SERVER and not allowed:
        raise _refused(
            asked,
            _("a server's certificate without a name in it is accepted by no client (RFC 9525)"),
            _to_have_a_name(asked, policy),
        )
    key = asked.kind
    assert isinstance(key, Key)  # noqa: S101 - else there was a fault
    leaf = Leaf(
        name, role, subject, policy.settings.cert_days, key, allowed, f"v3_{name}.ext",
        policy.settings.critical_key_usage, peer=policy.peer and role is Role.SERVER,
    )  # fmt: skip
    return Grant(
        asked,
        leaf,
        (*_withheld(asked, leaf), *withheld),
        tuple(_notes(asked, policy, there, leaf)),
    )


def _refused(asked: Asked, why: Text, fix: Text | str) -> RequestRefusedError:
    return RequestRefusedError(_("{file} is not signed: {why}.", file=asked.path, why=why), fix=fix)


def _subject(asked: Asked, policy: Policy) -> Name:
    if policy.whole:
        for attribute, value in asked.subject:
            try:
                values.visible(value)
            except UnfitError as error:
                raise _refused(
                    asked,
                    _(
                        "{attribute} in its subject {why}",
                        attribute=shown(attribute),
                        why=error.why,
                    ),
                    _("leave out --subject as-asked"),
                ) from error
        if not asked.subject:
            raise _refused(asked, _("its subject is empty"), _("leave out --subject as-asked"))
        return asked.subject
    common_name = policy.common_name
    if not common_name:
        if len(asked.common_names) != 1:
            raise _refused(
                asked,
                _("its subject has {count} common names, not one", count=len(asked.common_names)),
                _("say whom it is for: --cn NAME"),
            )
        (common_name,) = asked.common_names
    try:
        fit = values.name(common_name)
    except UnfitError as error:
        raise _refused(
            asked,
            _("its common name {name} {why}", name=repr(shown(common_name)), why=error.why),
            _("say whom it is for: --cn NAME"),
        ) from error
    # The other attributes are the same for everybody in the set.
    return (*policy.settings.client_subject[:-1], ("CN", fit))


def _see_that_nobody_else_is_called_so(asked: Asked, taken: Taken, name: str) -> None:
    if client := taken.clients.spelt(name):
        raise _refused(
            asked,
            _("a client of the fleet is called {name}", name=client),
            _("give another name: --name NAME"),
        )
    for file in (f"{name}.crt", f"{name}.key"):
        there = taken.files.spelt(file)
        if there not in {None, file}:
            raise _refused(
                asked,
                _("{file} is here, and its name differs in upper and lower case only", file=there),
                _("give the name as it is spelt, or another one: --name NAME"),
            )


def _see_that_it_is_theirs(
    asked: Asked, policy: Policy, there: There, name: str, subject: Name
) -> None:
    file = f"{name}.crt"
    before = there.certificates.get(file)
    if before and before.public_key != asked.public_key and not policy.replace:
        raise _refused(
            asked,
            _("{file} is here already, for another key", file=file),
            _("give another name, --name NAME; or put it in the place of that one: --replace"),
        )
    if there.keys.get(name, asked.public_key) != asked.public_key:
        raise _refused(
            asked,
            _("{file}.key is here, and is another key than the request's", file=name),
            _("give another name: --name NAME"),
        )
    if policy.common_name:
        return
    common_name = dict(subject).get("CN")
    for other, described in there.certificates.items():
        same = described.subject == subject or dict(described.subject).get("CN") == common_name
        if other != file and same and described.public_key != asked.public_key:
            raise _refused(
                asked,
                _("it asks for the name of {file}: {name}", file=other,
                  name=shown(common_name or "-")),
                _("say whom it is for: --cn NAME; it may be the same name if it is meant"),
            )  # fmt: skip


def _names(asked: Asked, policy: Policy) -> tuple[tuple[str, ...], list[Withheld]]:
    allowed, withheld = list[str](), list[Withheld]()
    for one in asked.alternatives:
        kind, _colon, value = one.partition(":")
        if kind not in _KINDS:
            withheld.append(Withheld(one, _("names of this kind are not certified here")))
            continue
        if not is_granted(one, policy.names):
            withheld.append(Withheld(one, _("it was not granted")))
            continue
        try:
            allowed.append(f"{kind}:{_KINDS[kind](value)}")
        except UnfitError as error:
            withheld.append(Withheld(one, _("it {why}", why=error.why)))
    return values.distinct(allowed), withheld


def _to_have_a_name(asked: Asked, policy: Policy) -> Text:
    """What mends a request of a server that is granted no name."""
    grantable, _withheld = _names(asked, dataclasses.replace(policy, names=(ALL,)))
    if grantable:
        return _(
            "grant what it asks for: --grant-san all, or --grant-san NAME; it asks for: {names}",
            names=shown(", ".join(asked.alternatives)),
        )
    return _(
        "it asks for no name that could be granted; have another request made where the key is:"
        " {command}",
        command="python -m mtls_openssl csr NAME --server --dns www.example.com",
    )


def is_granted(alternative: str, listed: Sequence[str]) -> bool:
    """Whether a name that is asked for is among those that may be granted.

    Args:
        alternative: the name, such as `DNS:www.example.com`.
        listed: ALL, NONE, or names with or without what kind they are of.
    """
    if ALL in listed:
        return True
    plain = alternative.partition(":")[2]
    return any(_same(one) in {_same(alternative), _same(plain)} for one in listed if one != NONE)


def unasked(listed: Sequence[str], requests: Sequence[Asked]) -> list[str]:
    """Those among the names that may be granted that nobody asks for."""
    return [
        one
        for one in listed
        if one not in {ALL, NONE}
        and not any(is_granted(name, [one]) for asked in requests for name in asked.alternatives)
    ]


def _same(name: str) -> str:
    kind, colon, value = name.partition(":")
    try:
        if kind.upper() == "IP" and colon:
            return f"ip:{values.ip_address(value)}"
        return values.ip_address(name)
    except UnfitError:
        return name.lower()


def _withheld(asked: Asked, leaf: Leaf) -> Iterator[Withheld]:
    for pair in asked.subject:
        if pair not in leaf.subject:
            yield Withheld(
                "=".join(pair),
                _("of the subject only the common name is taken")
                if pair[0] != "CN"
                else _("another common name was given"),
            )
    for one in asked.constraints:
        if one != "CA:FALSE":
            yield Withheld(one, _("nobody becomes an authority by a request"))
    for usage in asked.purposes:
        if usage not in leaf.usages:
            yield Withheld(usage, _("it is signed for one side only"))
    for usage in asked.usages:
        if usage not in _usages(leaf):
            yield Withheld(usage, _("it is not among what a {role} needs", role=leaf.role.value))
    for name in asked.others:
        yield Withheld(name, _("this extension is not known here, and is never copied"))


def _usages(leaf: Leaf) -> tuple[str, ...]:
    both = leaf.role is Role.SERVER and leaf.key.algorithm == "RSA"
    return ("digitalSignature", "keyEncipherment") if both else ("digitalSignature",)


def _notes(asked: Asked, policy: Policy, there: There, leaf: Leaf) -> Iterator[Text]:
    if policy.role is None:
        yield _("the request itself says that it is for a {role}", role=leaf.role.value)
    if before := there.certificates.get(leaf.certificate_file):
        if before.public_key == asked.public_key:
            yield _("it takes the place of {file}, for the same key", file=leaf.certificate_file)
        else:
            yield _("it takes the place of {file}, for another key", file=leaf.certificate_file)
