"""What can be done about an authority that is not as it is described. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.inspection import telling
from mtls_openssl.language import Text, _, few, joined
from mtls_openssl.life.condition import Condition
from mtls_openssl.life.decision import Action, Verb, Wish
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Manifest
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.proof.certificates import kind_of, limits_of
from mtls_openssl.scripting.prompt import ours

_SHOWN = 5


def anew(name: str, folder: Path) -> str:
    """The command that makes an authority anew, and with it all that it has issued."""
    return ours(folder, "apply", "--replace", name)


def renewed(name: str, folder: Path) -> str:
    """The command that gives an authority another certificate for its key."""
    return ours(folder, "renew", name)


def mending(one: Authority, condition: Condition) -> Text:
    """What is to be done about an authority that is not as it is described, and stays.

    Args:
        one: as it is described.
        condition: what there is.
    """
    if one.name == ROOT or not _holds_others(condition):
        return _(
            "to make it anew, and with it all that it has issued: {command}",
            command=anew(one.name, condition.folder),
        )
    if _can_keep_its_key(one, condition):
        return _(
            "to make it so, with its key: {command}",
            command=renewed(one.name, condition.folder),
        )
    return as_it_was(condition.folder)


def require_in_reach(condition: Condition, manifest: Manifest) -> None:
    """Refuse a new authority below the same root where the old one has issued to others.

    Args:
        condition: what there is.
        manifest: what is wanted.

    Raises:
        UsageError: what they have would be good still, and nobody could revoke it any more.
    """
    middle = manifest.intermediate
    if middle is None or not _holds_others(condition):
        return
    counted = (
        _("clients of the fleet: {count}", count=condition.fleet) if condition.fleet else "",
        _("revoked: {count}", count=condition.barred) if condition.barred else "",
        _("not in mtls.toml: {names}", names=few(condition.others, _SHOWN))
        if condition.others
        else "",
    )
    fix = as_it_was(condition.folder)
    if middle.certificate_file not in condition.files:
        fix = _(
            "leave [intermediate] out of mtls.toml, or bring {file} back if there was one; or have"
            " a new root as well, below which all is issued again, a fleet too: {command}",
            file=middle.certificate_file,
            command=anew(ROOT, condition.folder),
        )
    elif _can_keep_its_key(middle, condition):
        fix = _(
            "let the authority last longer, with its key: {renew}; or, if its key is in wrong"
            " hands, have a new root as well: {replace}",
            renew=renewed(INTERMEDIATE, condition.folder),
            replace=anew(ROOT, condition.folder),
        )
    raise UsageError(
        _("Nobody could revoke any more what the authority before has issued."),
        cause=_(
            "below the same root it is good until it ends, whatever a new authority says ({what})",
            what=joined(_(", "), filter(None, counted)),
        ),
        fix=fix,
    )


def certified_again(one: Authority, manifest: Manifest, condition: Condition, wish: Wish) -> Action:
    """An authority below the root with its key, so that all that it has issued stays good.

    Args:
        one: as it is described.
        manifest: what is wanted.
        condition: what there is.
        wish: how.

    Raises:
        FolderUnavailableError: it is the root; or a key is not here, another one is asked for, or
            another subject is described.
    """
    if one is manifest.root:
        raise FolderUnavailableError(
            _("The root CA is not renewed like a certificate."),
            cause=_("nobody signs it but itself, and whoever trusts it has its certificate"),
            fix=_(
                "let it last longer, with its key: {command}",
                command=ours(condition.folder, "repair-ca", "--ca-days", "3650"),
            ),
        )
    if wish.rekey:
        name = ROOT if _holds_others(condition) else one.name
        raise FolderUnavailableError(
            _("{file} is renewed with its key only.", file=one.certificate_file),
            cause=_("with a new one all that it has issued would be refused"),
            fix=_("to make it anew, and with it all that it has issued: {command}",
                  command=anew(name, condition.folder)),
        )  # fmt: skip
    for file in (one.key_file, manifest.root.key_file):
        if file not in condition.files:
            raise FolderUnavailableError(
                _("{file} is not here, and it takes it to renew {name}.", file=file, name=one.name),
                fix=_("put {file} beside {certificate} for this", file=file,
                      certificate=file.replace(".key", ".crt")),
            )  # fmt: skip
    if condition.issuing not in {(), one.subject}:
        fix = as_it_was(condition.folder)
        if one.certificate_file not in condition.files:
            fix = _(
                "put back into mtls.toml what it was called: cn under [intermediate]; or bring"
                " {file} back from backup/",
                file=one.certificate_file,
            )
        elif not _holds_others(condition):
            fix = _(
                "describe it in mtls.toml as it is: cn under [intermediate]; or make it anew, and"
                " with it all that it has issued: {command}",
                command=anew(one.name, condition.folder),
            )
        raise FolderUnavailableError(
            _("{file} has another subject than mtls.toml describes.", file=one.certificate_file)
            if one.certificate_file in condition.files
            else _(
                "{file} had another subject than mtls.toml describes.", file=one.certificate_file
            ),
            cause=_(
                "what it has issued names it as its issuer: {subject}",
                subject=telling.name(condition.issuing),
            ),
            fix=fix,
        )
    return Action(one.name, Verb.RENEW, (_("asked for by name"),))


def as_it_was(folder: Path) -> Text:
    """What is to be done where what the intermediate authority has issued needs it as it is."""
    return _(
        "put back into mtls.toml what {file} says; or have a new root as well, which everybody has"
        " to trust anew, and below which all is issued again, a fleet too: {command}",
        file=f"{INTERMEDIATE}.crt",
        command=anew(ROOT, folder),
    )


def _holds_others(condition: Condition) -> bool:
    """Whether there is somebody whom a new authority below the same root could not revoke."""
    return bool(condition.fleet or condition.barred or condition.others)


def _can_keep_its_key(one: Authority, condition: Condition) -> bool:
    """Whether a new certificate for the key of an authority would be as it is described.

    Not where it may certify less than it did: who has a certificate for that would be out.
    """
    there = condition.certificates.get(one.certificate_file)
    if there is None:
        return True
    same = there.subject == one.subject and str(kind_of(there)) == str(one.key)
    return same and not _narrows(one, there)


def _narrows(one: Authority, there: Description) -> bool:
    """Whether it is described as certifying fewer names than it does (RFC 5280, 4.2.1.10)."""
    permitted, excluded = limits_of(there)
    kinds = {_kind(name) for name in permitted}
    if any(_kind(name) not in kinds for name in one.permitted):
        return True  # of that kind it may certify all names
    wanted = {_kind(name) for name in one.permitted}
    lost = [
        name for name in permitted if _kind(name) in wanted and not _within(name, one.permitted)
    ]
    return bool(lost) or any(not _within(name, excluded) for name in one.excluded)


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _within(name: str, others: Iterable[str]) -> bool:
    """Whether a name, and what stands below it, is among others."""
    kind, _colon, domain = name.partition(":")
    return any(
        name == other or (kind == "DNS" and domain.endswith("." + other.removeprefix("DNS:")))
        for other in others
    )
