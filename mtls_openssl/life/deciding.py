"""What to do for a set to be what is wanted, and nothing more. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import timedelta

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.telling import remaining
from mtls_openssl.language import Text, _, joined
from mtls_openssl.life import authority
from mtls_openssl.life.condition import Condition, leaves_there
from mtls_openssl.life.decision import Action, Decision, Verb, Wish
from mtls_openssl.manifest import Authority, Leaf, Manifest, Packing
from mtls_openssl.openssl.x509 import Description, renewal
from mtls_openssl.plan import CHAIN, Work, chain_of
from mtls_openssl.proof.certificates import kind_of
from mtls_openssl.scripting.prompt import ours


def decide(manifest: Manifest, condition: Condition, wish: Wish) -> Decision:
    """What to do.

    Args:
        manifest: what is wanted.
        condition: what there is.
        wish: how.

    Raises:
        FolderUnavailableError: an authority is missing, and to make it anew would make what it
            has issued worthless; or a certificate is named that can't be renewed, since its key is
            elsewhere, or it is revoked and is to keep its key.
        UsageError: a new authority would put others out of reach, who are good still.
    """
    authorities = list[Action]()
    fresh = False
    for one in manifest.authorities:
        action = _authority(one, manifest, condition, wish)
        if fresh and action.verb is not Verb.MAKE:
            action = Action(one.name, Verb.MAKE, (_("its authority is new"),))
        authorities.append(action)
        fresh = fresh or action.verb is Verb.MAKE
    leaves = [_leaf(leaf, manifest, condition, wish, fresh=fresh) for leaf in manifest.leaves]
    if any(action.verb is Verb.RENEW for action in authorities):
        leaves = [
            _with_new_chain(action, leaf, condition)
            for action, leaf in zip(leaves, manifest.leaves, strict=True)
        ]
    works = any(action.work and action.work.issue for action in leaves)
    issuer = manifest.issuer
    made = {action.name for action in authorities if action.verb is Verb.MAKE}
    if made and manifest.root.name not in made:
        authority.require_in_reach(condition, manifest)
    if works and issuer.name not in made and issuer.key_file not in condition.files:
        raise FolderUnavailableError(
            _("{file} is not here, and it takes it to issue a certificate.", file=issuer.key_file),
            cause=joined(_("; "), _listed(leaves)),
            fix=_(
                "put {file} beside {certificate} for this",
                file=issuer.key_file,
                certificate=issuer.certificate_file,
            ),
        )
    return Decision(
        manifest,
        (*authorities, *leaves),
        (*_notes(manifest, condition, wish, authorities), *_kept_out(leaves, condition, wish)),
        join=CHAIN in condition.stale and not wish.only_renew,
    )


def _listed(actions: list[Action]) -> Iterator[Text]:
    for action in actions:
        if action.work and action.work.issue:
            yield _("{name} {verb}", name=action.name, verb=action.verb.title)


def _authority(one: Authority, manifest: Manifest, condition: Condition, wish: Wish) -> Action:
    if one.name in wish.replace:
        return Action(one.name, Verb.MAKE, (_("asked for by name"),))
    if one.name in wish.names:
        return authority.certified_again(one, manifest, condition, wish)
    if one.certificate_file in condition.files:
        return Action(one.name, Verb.KEEP)
    others = sorted({*leaves_there(condition.files)} - {one.name})
    if one.key_file in condition.files:
        raise FolderUnavailableError(
            _(
                "{key} is here without {certificate}.",
                key=one.key_file,
                certificate=one.certificate_file,
            ),
            cause=_("a new authority would take the place of the key that is here"),
            fix=_("take {file} out of backup/, or move the key away", file=one.certificate_file),
        )
    if others and one is manifest.root:
        raise FolderUnavailableError(
            _(
                "{file} is not here, and {names} are.",
                file=one.certificate_file,
                names=", ".join(others),
            ),
            cause=_("a new CA would make what the old one has issued worthless"),
            fix=_("bring back the old one from backup/")
            if wish.only_renew
            else _(
                "bring back the old one from backup/, or say that you want a new one: {command}",
                command=authority.anew(one.name, condition.folder),
            ),
        )
    if wish.only_renew:
        raise FolderUnavailableError(
            _("{file} is not here, so there is nothing to renew.", file=one.certificate_file),
            cause=_("this is not the folder of a set"),
            fix=_("name the folder of the set with --out, or make one: {command}",
                  command=ours(condition.folder, "all")),
        )  # fmt: skip
    return Action(one.name, Verb.MAKE, (_("it is not there yet"),))


def _leaf(
    leaf: Leaf, manifest: Manifest, condition: Condition, wish: Wish, *, fresh: bool
) -> Action:
    there = {leaf.certificate_file, leaf.key_file} & condition.files
    described = condition.certificates.get(leaf.certificate_file)
    has_key = leaf.key_file in there
    revoked = leaf.certificate_file in condition.revoked
    if leaf.name in wish.names:
        if revoked and not wish.rekey:
            raise FolderUnavailableError(
                _("{file} is revoked, and its key goes with it.", file=leaf.certificate_file),
                cause=_("a new certificate for the same key would be let in again"),
                fix=_with_new_key(leaf.name, condition),
            )
        if not (has_key or wish.rekey):
            raise FolderUnavailableError(
                _("{file} is not here, so its certificate can't be renewed.", file=leaf.key_file),
                cause=_("it is on the host that uses it, which asked for the certificate"),
                fix=_(
                    "sign another request of that host: {command}; or make a new key here: --rekey",
                    command=ours(condition.folder, "sign", "REQUEST", "--name", leaf.name),
                ),
            )
        return _renewed(leaf, _("asked for by name"), wish, has_key=has_key)
    ending = when_it_ends(described, wish) if described else None
    if wish.only_renew:
        if ending and has_key and not revoked:
            return _renewed(leaf, ending, wish, has_key=has_key)
        return Action(leaf.name, Verb.KEEP)
    if fresh or len(there) < len({leaf.certificate_file, leaf.key_file}):
        return _issued(leaf, Verb.MAKE, (_missing(leaf, there, fresh=fresh),), new_key=True)
    if revoked:
        return Action(leaf.name, Verb.KEEP)
    return _mended(leaf, manifest, condition, wish, ending)


def _with_new_chain(action: Action, leaf: Leaf, condition: Condition) -> Action:
    if action.verb is not Verb.KEEP or leaf.certificate_file not in condition.files:
        return action
    readable = condition.files - condition.unopened
    packings = tuple(one for one in leaf.packings if {one.file, leaf.key_file} <= readable)
    work = Work(leaf, issue=False, new_key=False, packings=packings)
    return Action(leaf.name, Verb.PACK, (_("its issuer has a new certificate"),), work)


def _missing(leaf: Leaf, there: AbstractSet[str], *, fresh: bool) -> Text:
    if fresh:
        return _("its authority is new")
    if not there:
        return _("it is not there yet")
    return (
        _("its certificate is not there") if leaf.key_file in there else _("its key is not there")
    )


def _mended(
    leaf: Leaf, manifest: Manifest, condition: Condition, wish: Wish, ending: Text | None
) -> Action:
    described = condition.certificates.get(leaf.certificate_file)
    unlike = described is None or str(kind_of(described)) != str(leaf.key)
    faults = (
        *condition.faults(leaf.certificate_file),
        *_of_another(described, manifest, condition),
    )
    # What has ended fails each check of its chain: that is one reason, not three.
    if described and ending and (described.not_after <= wish.now or not faults):
        return _issued(leaf, Verb.RENEW, (ending,), new_key=wish.rekey or unlike)
    if faults:
        unpaired = _unpaired(condition, leaf)
        return _issued(leaf, Verb.REISSUE, faults, new_key=unlike or unpaired)
    packings, reasons = _packings(leaf, condition)
    stale = chain_of(leaf.name) in condition.stale
    if stale:
        reasons = (*reasons, _("{file} is missing, or out of date", file=chain_of(leaf.name)))
    if reasons:
        work = Work(leaf, issue=False, new_key=False, join=stale, packings=packings)
        return Action(leaf.name, Verb.PACK, reasons, work)
    return Action(leaf.name, Verb.KEEP)


def _renewed(leaf: Leaf, reason: Text, wish: Wish, *, has_key: bool) -> Action:
    return _issued(leaf, Verb.RENEW, (reason,), new_key=wish.rekey or not has_key)


def _issued(leaf: Leaf, verb: Verb, reasons: tuple[str, ...], *, new_key: bool) -> Action:
    work = Work(leaf, new_key=new_key, packings=leaf.packings)
    return Action(leaf.name, verb, tuple(dict.fromkeys(reasons)), work)


def when_it_ends(described: Description, wish: Wish) -> Text | None:
    """Why a certificate is to be renewed: when it ends; None where it lasts long enough.

    Args:
        described: what it says.
        wish: how long before its end it is renewed.
    """
    left = described.not_after - wish.now
    if left > renewal(described.not_before, described.not_after, wish.within):
        return None
    date = f"{described.not_after:%Y-%m-%d}"
    if left <= timedelta(0):
        return _("it has ended on {date}", date=date)
    return _("it ends on {date}: {left}", date=date, left=remaining(described.not_after, wish.now))


def _of_another(
    described: Description | None, manifest: Manifest, condition: Condition
) -> Iterator[Text]:
    issuer = condition.certificates.get(manifest.issuer.certificate_file)
    if described and issuer and described.issuer != issuer.subject:
        yield _("another authority has issued it")


def _unpaired(condition: Condition, leaf: Leaf) -> bool:
    claim = _("it belongs to {key}", key=leaf.key_file)
    return any(
        check.fault and check.claim == claim
        for check in condition.checks
        if check.subject == leaf.certificate_file
    )


def _packings(leaf: Leaf, condition: Condition) -> tuple[tuple[Packing, ...], tuple[str, ...]]:
    packings, reasons = list[Packing](), list[str]()
    for packing in leaf.packings:
        faults = condition.faults(packing.file)
        if packing.file not in condition.files:
            packings.append(packing)
            reasons.append(_("{file} is not there yet", file=packing.file))
        elif faults:
            packings.append(packing)
            reasons += (_("{file}: {fault}", file=packing.file, fault=fault) for fault in faults)
    return tuple(packings), tuple(reasons)


def _notes(
    manifest: Manifest, condition: Condition, wish: Wish, authorities: list[Action]
) -> Iterator[Text]:
    # Who only renews wants nothing of an authority but what it is.
    if wish.only_renew:
        yield from _elsewhere(manifest, condition, wish)
    else:
        kept = {action.name for action in authorities if action.verb is Verb.KEEP}
        yield from _unlike(manifest, condition, kept)
    known = {leaf.name for leaf in manifest.leaves}
    others = [name for name in leaves_there(condition.files) if name not in known]
    if others and not wish.only_renew:
        yield _("not described, and left as they are: {names}", names=", ".join(others))
    for file in sorted(condition.unopened):
        yield _("{file} was not looked into: its password is not known", file=file)


def _kept_out(leaves: list[Action], condition: Condition, wish: Wish) -> Iterator[Text]:
    """What is left as it is because it is revoked."""
    for action in leaves:
        file = f"{action.name}.crt"
        if action.verb is not Verb.KEEP or file not in condition.revoked:
            continue
        if not wish.only_renew or when_it_ends(condition.certificates[file], wish):
            yield _(
                "{file} is revoked, and left as it is; {mend}",
                file=file,
                mend=_with_new_key(action.name, condition),
            )


def _with_new_key(name: str, condition: Condition) -> Text:
    return _(
        "another one, with a new key: {command}",
        command=ours(condition.folder, "renew", name, "--rekey"),
    )


def _unlike(manifest: Manifest, condition: Condition, kept: AbstractSet[str]) -> Iterator[Text]:
    """The authorities that are not as wanted, and stay."""
    for one in manifest.authorities:
        faults = condition.faults(one.certificate_file)
        if faults and one.name in kept:
            yield _(
                "{file} stays, though {faults}; {mend}",
                file=one.certificate_file,
                faults=joined(_("; "), faults),
                mend=authority.mending(one, condition),
            )


def _elsewhere(manifest: Manifest, condition: Condition, wish: Wish) -> Iterator[Text]:
    """What nears its end and is not renewed, since its key is on the host that uses it."""
    for leaf in manifest.leaves:
        described = condition.certificates.get(leaf.certificate_file)
        ending = when_it_ends(described, wish) if described else None
        if ending and leaf.key_file not in condition.files and leaf.name not in wish.names:
            yield _(
                "{file}: {ending}, and its key is elsewhere; sign another request of that host",
                file=leaf.certificate_file,
                ending=ending,
            )
