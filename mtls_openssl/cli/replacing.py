"""What it means for others that an authority is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.language import Text, _, few
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.scripting import prompt

if TYPE_CHECKING:
    from mtls_openssl.life.decision import Decision

_SHOWN = 5


def noted(folder: Path, decision: Decision) -> Iterator[Text]:
    """What a person should know of what the old authority has issued.

    Args:
        folder: the folder of the set.
        decision: what is to be done.
    """
    from mtls_openssl import register  # noqa: PLC0415 - few runs make an authority anew
    from mtls_openssl.inventory import clients, strangers  # noqa: PLC0415
    from mtls_openssl.life import below, condition  # noqa: PLC0415

    if not (decision.makes(ROOT) or decision.makes(INTERMEDIATE)):
        return
    if register.is_kept(folder):
        yield _(
            "the register and the CRL of the authority before go to the backup; a server that"
            " reads crl.pem needs another: {command}",
            command=prompt.ours(folder, "crl"),
        )
    if fleet := len(clients.names(folder)):
        yield _(
            "{count} client{count:|s} of the fleet {count:is|are} of the CA before, which nobody"
            " will trust any more; issue again as before, with --reissue: {command}",
            count=fleet,
            command=strangers.issuing_again(folder),
        )
    described = {leaf.name for leaf in decision.manifest.leaves}
    leaves = condition.leaves_there(condition.files_in(folder))
    if others := below.others(folder, leaves, described, register.revoked(folder)):
        yield _(
            "not in mtls.toml, and of the CA before, which nobody will trust any more: {names};"
            " sign another request of theirs: {command}",
            names=few(others, _SHOWN),
            command=prompt.ours(folder, "sign", "REQUEST"),
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
