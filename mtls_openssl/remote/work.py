"""The host's half: its key and request, and later its certificate; all there, or nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import secrets
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mtls_openssl.audit import AuditLog
from mtls_openssl.errors import CommandFailedError, MtlsError, UnreachableError
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import genpkey, req
from mtls_openssl.plan import Wanted, chain_of
from mtls_openssl.plan.requests import asking
from mtls_openssl.remote import lines
from mtls_openssl.remote.host import Host, is_lost, was_reached
from mtls_openssl.remote.lines import Place
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Render

_MAKING_A_KEY = 600.0
_OF_WINDOWS = ("MINGW", "MSYS", "CYGWIN", "Windows")
"""How uname begins where a POSIX shell is a guest of Windows."""

_PEM = re.compile(
    r"^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\n.*?^-----END [A-Z ]+-----$",
    re.MULTILINE | re.DOTALL,
)


@dataclasses.dataclass
class Half:
    """What there is on the host by now.

    Args:
        host: the host.
        place: where.
        new_folder: whether the folder was not there before.
        begun: whether there may be a stage.
        unsure: whether it is not known if the files are in place.
    """

    host: Host
    place: Place
    new_folder: bool = False
    begun: bool = False
    unsure: bool = False

    def clear(self) -> Text | None:
        """Remove what is not in place.

        Returns:
            What was left behind, where the host could not be told; else None.
        """
        if not self.begun:
            return None
        line = lines.remove(self.place, folder=self.new_folder)
        outcome = None
        with contextlib.suppress(MtlsError):
            outcome = self.host.ask(line, _("remove what is not used there"))
        if outcome and not outcome.problem:
            self.begun = False
            return None
        return _(
            "a private folder is left on {host}, which the next run removes after an hour: {path}",
            host=str(self.host.address),
            path=f"{self.place.folder}/{self.place.stage}",
        )


def place_for(folder: str, name: str) -> Place:
    """Where the files of a certificate go.

    Args:
        folder: as it was typed; from the user's home if it does not begin at the root.
        name: what they are called before the dot.
    """
    return Place(folder.removeprefix("~/") or ".", name, secrets.token_hex(6))


def request(half: Half, wanted: Wanted, render: Callable[[Render], str]) -> str:
    """Have the host make a key, and a request for it.

    Args:
        half: where; it knows then what is there.
        wanted: what is to be made; its key has no pass phrase.
        render: makes the text of a Render.

    Returns:
        The request, PEM.

    Raises:
        MtlsError: it could not; what was begun there has been removed, or the error says that it
            could not be.
    """
    host, place, leaf = half.host, half.place, wanted.leaf
    first = host.ask(lines.begin(place, render(asking(wanted))), _("make a private folder there"))
    half.new_folder = lines.NEW in first.finished.stdout.splitlines()
    system = first.finished.stdout.strip()
    if not is_lost(first) and (not system or system.startswith(_OF_WINDOWS)):
        half.begun = bool(system)
        with clearing(half):
            raise host.without_shell(first)
    half.begun = was_reached(first) and first.finished.exit not in lines.UNTOUCHED
    with clearing(half):
        if first.problem:
            raise host.error(first)
        host.must(
            lines.openssl(place, genpkey.generate(leaf.key_file, leaf.key)),
            _("make the private key {file} there", file=leaf.key_file),
            limit=_MAKING_A_KEY,
        )
        host.must(
            lines.openssl(place, req.request(leaf.key_file, leaf.request_file, leaf.subject)),
            _("make the certificate signing request {file} there", file=leaf.request_file),
        )
        said = host.must(lines.request(place), _("bring the request here"))
        found = _PEM.search(said)
        if not found:
            raise CommandFailedError(
                _("{host} sent no request.", host=str(host.address)),
                fix=_("its line in the log has all that it said"),
            )
        return found[0]


@contextlib.contextmanager
def clearing(half: Half) -> Iterator[None]:
    """Remove what is not in place there if the block fails, and say so if that can't be done."""
    try:
        yield
    except BaseException as error:
        clear_after(half, error)
        raise


def clear_after(half: Half, error: BaseException) -> None:
    """Remove what is not in place there, after something that went wrong.

    Args:
        half: what there is.
        error: what went wrong; it is told what is left, where that can't be done.
    """
    left = None if half.unsure else half.clear()
    if left and isinstance(error, MtlsError):
        error.cause = _("{cause}; {more}", cause=error.cause, more=left) if error.cause else left


class Installing:
    """Hands a certificate over to the host that has its key (`pipeline.Handing`).

    Args:
        half: what there is on the host.
        bind: has the host's commands written into the log of the run.
    """

    def __init__(self, half: Half, bind: Callable[[Path, AuditLog], None]) -> None:
        self._half = half
        self._bind = bind

    def prepare(self, stage: Path, log: AuditLog) -> None:
        """Bring the certificates there, into the private folder, and hold them against the key."""
        self._bind(stage, log)
        line = lines.bring(self._half.place, contents(stage, self._half.place.name))
        self._half.host.must(line, _("bring the certificate there, beside its key"))

    def finish(self) -> None:
        """Move key and certificates into place there, all of them or none."""
        half, host = self._half, self._half.host
        outcome = host.ask(lines.install(half.place), _("put key and certificate in place there"))
        if not outcome.problem:
            half.begun = False
            return
        if not is_lost(outcome):
            raise host.error(outcome)
        seen = host.ask(lines.look(half.place), _("see whether they are in place there"))
        if not seen.problem:
            half.begun = False
        elif is_lost(seen):
            # What may be in use there must be on record here, to be revoked if need be.
            half.unsure = True
        else:
            raise host.error(outcome)


def contents(stage: Path, name: str) -> Mapping[str, str]:
    """What is brought to the host: the certificate, who issued it, and the root."""
    names = {
        f"{name}.crt": f"{name}.crt", chain_of(name): chain_of(name), f"{name}.ca.crt": "ca.crt"
    }  # fmt: skip
    return {
        there: (stage / here).read_text("ascii")
        for there, here in names.items()
        if (stage / here).is_file()
    }


def lost(half: Half, folder: Path) -> UnreachableError:
    """That nobody knows whether the files are in place on the host.

    Args:
        half: what there is there.
        folder: the folder of the set.
    """
    place, host = half.place, str(half.host.address)
    return UnreachableError(
        _(
            "The connection to {host} was lost while the files were put in place; whether they are"
            " is not known. The certificate is on record here.",
            host=host,
        ),
        fix=_(
            "look: {command}; if they are not there, revoke it: {revoke}",
            command=half.host.typed(f"ls -la {shlex.quote(place.folder)}"),
            revoke=ours(folder, "revoke", place.name),
        ),
    )
