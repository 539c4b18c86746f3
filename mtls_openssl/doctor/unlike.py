"""What of a folder is not as mtls.toml describes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.doctor.members import Members
from mtls_openssl.errors import MtlsError, UsageError
from mtls_openssl.language import Text, _, joined
from mtls_openssl.life import authority, condition
from mtls_openssl.life.deciding import decide
from mtls_openssl.life.decision import Verb, Wish
from mtls_openssl.manifest import INTERMEDIATE, Manifest
from mtls_openssl.plan import CHAIN, chain_of, packed


@dataclasses.dataclass(frozen=True)
class Unlike:
    """One thing that is not as it is described.

    Args:
        what: what would be done, or what is otherwise.
        files: what it is about; who knows that something is the matter with one knows this too.
        mend: what is to be done about it; None where `apply` does it.
    """

    what: Text
    files: tuple[str, ...]
    mend: str | None = None


def gather(
    desk: Desk, folder: Path, members: Members, passwords: Mapping[str, str], now: datetime
) -> tuple[Unlike, ...]:
    """Hold a folder against what describes it.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        members: what is in it, and what describes it.
        passwords: of the PKCS#12 files, by name, as far as they are known.
        now: the time.
    """
    if members.loaded is None:
        return ()
    try:
        wanted = condition.with_authorities(members.loaded.manifest, folder, described=True)
        described = {leaf.name for leaf in wanted.leaves}
        there = condition.examine(desk, folder, wanted, passwords, described)
        return tuple(_unlike(wanted, there, now))
    except (MtlsError, PermissionError):
        return ()  # what is in the way, such as a CA that is gone, has a finding of its own


def _unlike(wanted: Manifest, there: condition.Condition, now: datetime) -> Iterator[Unlike]:
    for one in wanted.authorities:
        faults = there.faults(one.certificate_file)
        if faults and one.certificate_file in there.files:
            what = _("{file}: {fault}", file=one.certificate_file, fault=joined(_("; "), faults))
            mend = authority.mending(one, there)
            yield Unlike(what, (one.certificate_file, one.key_file), mend)
    try:
        decision = decide(wanted, there, Wish(now))
    except UsageError as refused:
        middle = f"{INTERMEDIATE}.crt"
        yield Unlike(_("{file} is not there yet", file=middle), (middle,), refused.fix)
        return
    for action in decision.actions:
        if action.verb not in {Verb.KEEP, Verb.RENEW}:
            name = action.name
            files = (f"{name}.crt", f"{name}.key", chain_of(name), *packed(name), CHAIN)
            yield Unlike(_("{name} {verb}", name=name, verb=action.verb.title), files)
