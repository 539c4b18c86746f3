"""What can be done about an authority that is not as it is described. Pure."""

from __future__ import annotations

from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.inspection import telling
from mtls_openssl.language import Text, _, joined
from mtls_openssl.life.condition import Condition
from mtls_openssl.life.decision import Action, Verb, Wish
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Manifest
from mtls_openssl.proof.certificates import kind_of
from mtls_openssl.scripting.prompt import ours


def anew(name: str, condition: Condition) -> str:
    """The command that makes an authority anew, and with it all that it has issued."""
    return ours(condition.folder, "apply", "--replace", name)


def mending(one: Authority, condition: Condition) -> Text:
    """What is to be done about an authority that is not as it is described, and stays.

    Args:
        one: as it is described.
        condition: what there is.
    """
    if one.name == ROOT or not _holds_others(condition):
        return _(
            "to make it anew, and with it all that it has issued: {command}",
            command=anew(one.name, condition),
        )
    if _can_keep_its_key(one, condition):
        return _(
            "to make it so, with its key: {command}",
            command=ours(condition.folder, "renew", one.name),
        )
    return _as_it_was(condition)


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
    )
    fix = _as_it_was(condition)
    if middle.certificate_file not in condition.files:
        fix = _(
            "leave [intermediate] out of mtls.toml, or bring {file} back if there was one; or have"
            " a new root as well, below which all is issued again, a fleet too: {command}",
            file=middle.certificate_file,
            command=anew(ROOT, condition),
        )
    elif _can_keep_its_key(middle, condition):
        fix = _(
            "let the authority last longer, with its key: {renew}; or, if its key is in wrong"
            " hands, have a new root as well: {replace}",
            renew=ours(condition.folder, "renew", INTERMEDIATE),
            replace=anew(ROOT, condition),
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
                  command=anew(name, condition)),
        )  # fmt: skip
    for file in (one.key_file, manifest.root.key_file):
        if file not in condition.files:
            raise FolderUnavailableError(
                _("{file} is not here, and it takes it to renew {name}.", file=file, name=one.name),
                fix=_("put {file} beside {certificate} for this", file=file,
                      certificate=file.replace(".key", ".crt")),
            )  # fmt: skip
    there = condition.certificates.get(one.certificate_file)
    if there and there.subject != one.subject:
        fix = _as_it_was(condition)
        if not _holds_others(condition):
            fix = _(
                "describe it in mtls.toml as it is: cn under [intermediate]; or make it anew, and"
                " with it all that it has issued: {command}",
                command=anew(one.name, condition),
            )
        raise FolderUnavailableError(
            _("{file} has another subject than mtls.toml describes.", file=one.certificate_file),
            cause=_(
                "what it has issued names it as its issuer: {subject}",
                subject=telling.name(there.subject),
            ),
            fix=fix,
        )
    return Action(one.name, Verb.RENEW, (_("asked for by name"),))


def _as_it_was(condition: Condition) -> Text:
    return _(
        "put back into mtls.toml what {file} says; or have a new root as well, which everybody has"
        " to trust anew, and below which all is issued again, a fleet too: {command}",
        file=f"{INTERMEDIATE}.crt",
        command=anew(ROOT, condition),
    )


def _holds_others(condition: Condition) -> bool:
    """Whether there is somebody whom a new authority below the same root could not revoke."""
    return bool(condition.fleet or condition.barred)


def _can_keep_its_key(one: Authority, condition: Condition) -> bool:
    """Whether a new certificate for the key of an authority would be as it is described."""
    there = condition.certificates.get(one.certificate_file)
    return there is None or (there.subject == one.subject and str(kind_of(there)) == str(one.key))
