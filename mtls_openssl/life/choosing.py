"""Which certificate of a set is meant: the one that is named, the usual one, or the only one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.inspection.objections import serves
from mtls_openssl.language import Text, _
from mtls_openssl.life.condition import as_spelt, files_in, leaves_there, read, stale_chains
from mtls_openssl.manifest import ROOT, Role
from mtls_openssl.plan import chain_of
from mtls_openssl.register import issuer_of
from mtls_openssl.scripting.prompt import ours

_SEVERAL = {
    Role.SERVER: _("{folder} has several server certificates, and none is named."),
    Role.CLIENT: _("{folder} has several client certificates, and none is named."),
}
_UNFIT = {
    Role.SERVER: _("{file} may not be used by a server."),
    Role.CLIENT: _("{file} may not be used by a client."),
}


def chosen(desk: Desk, folder: Path, role: Role, name: str = "", *, option: str) -> str:
    """What the files of the certificate are called that is meant.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        role: which side it is for.
        name: what was typed; empty for `server` or `client`, else the only one that there is.
        option: by which it is named, for who has to.

    Returns:
        Its name. Where there is none at all, that of the batch file's, so that whoever needs its
        files says that they are missing.

    Raises:
        FolderUnavailableError: there is none of that name, or it is for the other side.
        UsageError: there are several, and none is named.
    """
    there = leaves_there(files_in(folder))
    name = as_spelt(folder, name.removesuffix(".crt"))
    if name:
        if name not in there or not _fits(desk, folder, name, role):
            raise _unfit(folder, role, name, list(_fitting(desk, folder, role)))
        return name
    if role.value in there:
        return role.value
    found = list(_fitting(desk, folder, role))
    if len(found) > 1:
        raise UsageError(
            Text(_SEVERAL[role], folder=folder.absolute()),
            cause=_("there are: {names}", names=", ".join(found)),
            fix=_("name one of them: {option} {name}", option=option, name=found[0]),
        )
    return found[0] if found else role.value


def _unfit(folder: Path, role: Role, name: str, found: list[str]) -> FolderUnavailableError:
    file = f"{name}.crt"
    return FolderUnavailableError(
        Text(_UNFIT[role], file=file)
        if (folder / file).is_file()
        else _(
            "There is no certificate {names} in {folder}.", names=name, folder=folder.absolute()
        ),
        cause=_("there are: {names}", names=", ".join(found) or "-"),
        fix=_(
            "give one of these names; or make it: {command}",
            command=ours(folder, role.value, "add", "NAME"),
        ),
    )


def _fitting(desk: Desk, folder: Path, role: Role) -> Iterator[str]:
    files = files_in(folder)
    there = leaves_there(files)
    # One without its key is of use to nobody but who tells that the key is missing.
    for name in [one for one in there if f"{one}.key" in files] or there:
        if _fits(desk, folder, name, role):
            yield name


def _fits(desk: Desk, folder: Path, name: str, role: Role) -> bool:
    described = read(desk, folder, f"{name}.crt")
    return described is not None and serves(described, role.usage)


def sent(folder: Path, name: str) -> str:
    """The file with the certificate `name` as it is shown to others: with who issued it, if known.

    One that does not hold what it should is passed over.
    """
    chain = chain_of(name)
    files = files_in(folder)
    good = chain in files and chain not in stale_chains(folder, files, [name])
    return chain if good else f"{name}.crt"


def is_described(folder: Path) -> bool:
    """Whether a file of settings in the folder says what the set is."""
    return (folder / "mtls.toml").is_file()


def made_again(folder: Path, name: str) -> str:
    """The command that issues the certificate `name` again."""
    if is_described(folder):
        return ours(folder, "apply")
    if name in {role.value for role in Role} and issuer_of(folder) == ROOT:
        return ours(folder, name)
    return ours(folder, "renew", name)
