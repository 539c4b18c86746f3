"""What it means for others that an authority is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.errors import UsageError
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.scripting import prompt

if TYPE_CHECKING:
    from mtls_openssl.life.decision import Decision


def noted(folder: Path, decision: Decision) -> Iterator[Text]:
    """What a person should know of what the old authority has issued.

    Args:
        folder: the folder of the set.
        decision: what is to be done.

    Raises:
        UsageError: it would be good still, and nobody could revoke it any more.
        FolderUnavailableError: the register can't be read.
    """
    from mtls_openssl import register  # noqa: PLC0415 - few runs make an authority anew
    from mtls_openssl.inventory import clients  # noqa: PLC0415

    if not (decision.makes(ROOT) or decision.makes(INTERMEDIATE)):
        return
    fleet = len(clients.names(folder))
    if not decision.makes(ROOT):
        _require_nobody_out_of_reach(folder, fleet)
    if register.is_kept(folder):
        yield _(
            "the register and the CRL of the authority before go to the backup; a server that"
            " reads crl.pem needs another: {command}",
            command=prompt.ours(folder, "crl"),
        )
    if fleet:
        yield _(
            "{count} client{count:|s} of the fleet {count:is|are} of the CA before, which nobody"
            " will trust any more; issue again as before, with --reissue: {command}",
            count=fleet,
            command=prompt.ours(folder, "issue", "--from", "TABLE", "--reissue"),
        )


def with_an_old_chain(folder: Path, decision: Decision) -> Iterator[Text]:
    """Who sends the certificate that an authority below the root had before.

    Args:
        folder: the folder of the set.
        decision: what is to be done.
    """
    from mtls_openssl.inventory import clients  # noqa: PLC0415 - as above

    if decision.renews(INTERMEDIATE) and (fleet := len(clients.names(folder))):
        yield _(
            "{count} client{count:|s} of the fleet {count:has|have} the authority's certificate"
            " from before, which is good until it ends; whoever is renewed gets the new one",
            count=fleet,
        )


def _require_nobody_out_of_reach(folder: Path, fleet: int) -> None:
    from mtls_openssl import register  # noqa: PLC0415
    from mtls_openssl.openssl.ca import Status  # noqa: PLC0415

    now = datetime.now(UTC)
    revoked = sum(
        entry.status is Status.REVOKED and entry.expires > now for entry in register.entries(folder)
    )
    if not (fleet or revoked):
        return
    counted = (
        _("clients of the fleet: {count}", count=fleet) if fleet else "",
        _("revoked: {count}", count=revoked) if revoked else "",
    )
    raise UsageError(
        _("Nobody could revoke any more what the intermediate authority has issued."),
        cause=_(
            "below the same root it is good until it ends, whatever a new authority says ({what})",
            what=joined(_(", "), filter(None, counted)),
        ),
        fix=_(
            "let the authority last longer, with its key: {renew}; or, if its key is in wrong"
            " hands, have a new root as well: {replace}",
            renew=prompt.ours(folder, "renew", "intermediate"),
            replace=prompt.ours(folder, "apply", "--replace", "ca"),
        ),
    )
