"""Why a web server has refused our certificate, as far as the CRL of the set at hand says it."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import Text, _
from mtls_openssl.live import refusals
from mtls_openssl.live.reading import Answer, now
from mtls_openssl.openssl import ca


def blamed(desk: Desk, folder: Path, certificate: Path, answer: Answer) -> Answer:
    """What came of a connection, with the cause that the CRL of a set knows.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set; it may have no CRL.
        certificate: the file of the certificate that was sent.
        answer: what came of it.

    Raises:
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    if not any(one.told is refusals.UNLIKED for one in answer.wrong):
        return answer
    why = None
    with contextlib.suppress(FolderUnavailableError):  # what the server said is told in any case
        why = _why(desk, folder, certificate)
    if why is None:
        return answer
    told = dataclasses.replace(refusals.UNLIKED, cause=why[0], cure=why[1])
    wrong = (
        dataclasses.replace(one, told=told) if one.told is refusals.UNLIKED else one
        for one in answer.wrong
    )
    return dataclasses.replace(answer, wrong=tuple(wrong))


def _why(desk: Desk, folder: Path, certificate: Path) -> tuple[Text, Text] | None:
    """The cause and what mends it; None where the CRL has nothing against the certificate."""
    crls = register.standing(desk, folder)
    held = Reader(desk, lambda _path: None).read(certificate).certificates if crls else ()
    if crls is None or not held:
        return None
    ours = held[0].described
    own = crls.of(ours.issuer)
    if own is None:
        return None
    if ca.plain(ours.serial) in {ca.plain(entry.serial) for entry in own.revoked}:
        return (
            _("it is revoked, says {file}", file=folder / register.LIST),
            _("give another one; or make it anew, with a new key: {command}",
              command="python -m mtls_openssl renew NAME --rekey"),
        )  # fmt: skip
    end = crls.first_end
    if end and end.next_update and crls.is_over(now()):
        return (
            _(
                "the CRL in {file} has ended on {date:%Y-%m-%d %H:%M} UTC, and a server that checks"
                " with it refuses everybody",
                file=folder / register.LIST,
                date=end.next_update,
            ),
            _("make it anew, and have the web server read it: {command}",
              command="python -m mtls_openssl crl"),
        )  # fmt: skip
    return None
