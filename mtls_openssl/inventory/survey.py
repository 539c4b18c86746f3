"""Looks at a place, and makes a tree of what is there."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.inventory import places, reading, tree
from mtls_openssl.inventory.clients import ZIP
from mtls_openssl.inventory.held import Terms
from mtls_openssl.inventory.reading import File
from mtls_openssl.inventory.things import Node, Severity, State, Stock
from mtls_openssl.language import _
from mtls_openssl.manifest import ROOT
from mtls_openssl.workspace.causes import unreadable
from mtls_openssl.workspace.commit import CLIENTS
from mtls_openssl.workspace.missing import is_missing, is_pattern, no_file

_WHERE = _("name the folder of the set with --out, or the folder to look at")


def of_set(folder: Path, terms: Terms) -> Stock:
    """What is in the folder of a set, but not in its folders.

    Args:
        folder: the folder.
        terms: what is asked.

    Raises:
        FolderUnavailableError: it can't be looked into, or there is nothing in it.
    """
    return _of_folder(folder, terms, deep=False)


def of_path(path: Path, terms: Terms) -> Stock:
    """What is in a folder and its folders, or in one file.

    Args:
        path: the folder or file.
        terms: what is asked.

    Raises:
        FolderUnavailableError: it can't be looked into, or there is nothing in it.
    """
    if path.is_dir():
        return _of_folder(path, terms, deep=True)
    file = reading.read(path, path.name, named=True)
    nodes = tree.grown([file], path.parent, terms)
    if not nodes:
        raise _nothing(path)
    return Stock(str(path), "file", tuple(map(_known, nodes)))


def of_server(name: str, pems: tuple[str, ...], notes: Iterable[str], terms: Terms) -> Stock:
    """What a server sent.

    Args:
        name: its address.
        pems: its certificates, its own first.
        notes: what else is to be known of it.
        terms: what is asked.
    """
    nodes = tree.grown([reading.of_server(pems, name)], Path(name), terms)
    said = tuple(notes)
    if nodes and said:
        nodes = (dataclasses.replace(nodes[0], notes=(*nodes[0].notes, *said)), *nodes[1:])
    return Stock(name, "server", nodes)


def _of_folder(folder: Path, terms: Terms, *, deep: bool) -> Stock:
    passed_over = list[str]()
    try:
        files = [
            file
            for path in places.files(folder, deep=deep)
            if (file := _read(path, folder, passed_over)) and not file.is_foreign
        ]
    except OSError as error:
        # What Windows says of a file in its place is not always that it is no folder.
        if isinstance(error, NotADirectoryError) or os.path.isfile(folder):  # noqa: PTH113 - no error
            raise FolderUnavailableError(
                _("There is no folder {folder}.", folder=folder), fix=_WHERE
            ) from None
        if is_missing(folder, error):
            raise (no_file if is_pattern(folder) else _nothing)(folder) from None
        raise unreadable(
            _("{folder} can't be looked into: {why}", folder=folder, why=system_said(error)),
            error,
            fix=_("run the command as the user who owns the folder"),
        ) from error
    nodes = tree.grown(files, folder, terms)
    if not nodes:
        raise _nothing(folder)
    return Stock(str(folder), "folder", nodes, places.backups(folder), tuple(passed_over))


def _read(path: Path, folder: Path, passed_over: list[str]) -> File | None:
    name = os.fspath(path.relative_to(folder))
    promising = path.suffix.lower() in places.NAMES
    try:
        if not promising and path.stat().st_size > places.LARGEST:
            passed_over.append(name)
            return None
        if path.suffix == ZIP and path.parent == folder / CLIENTS:
            return reading.of_archive(path, name)
        return reading.read(path, name)
    except (FolderUnavailableError, OSError) as error:
        if _keeps_clients(path, error):
            why = _("you may not look into it; run the command as the user who owns it")
            return File(path, name, closed=why)
        if isinstance(error, OSError):
            passed_over.append(name)
            return None
        # A key that is private to somebody else is as it should be.
        is_kept = isinstance(error.__cause__, PermissionError) and places.is_private(path)
        if promising and not is_kept:
            return reading.refused(error, path, name)
        passed_over.append(name)
        return None


def _keeps_clients(path: Path, error: Exception) -> bool:
    """Whether clients of a set's fleet are in a folder or an archive that this user may not open.

    Args:
        path: it.
        error: what came of reading it.
    """
    home = path.parent if path.name == CLIENTS else path.parent.parent
    # A folder comes here as a file only where it can't be looked into.
    is_closed = isinstance(error.__cause__ or error, PermissionError) or path.is_dir()
    return (
        is_closed
        and CLIENTS in {path.name, path.parent.name}
        and os.path.lexists(home / f"{ROOT}.crt")
    )


def _known(node: Node) -> Node:
    """A PKCS#12 file that was named by itself is not fine because it could not be looked into."""
    if node.verdict.state is not State.CLOSED:
        return node
    return dataclasses.replace(
        node, verdict=dataclasses.replace(node.verdict, severity=Severity.UNKNOWN)
    )


def _nothing(path: Path) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("There is no certificate in {folder}.", folder=path.absolute()),
        cause=_("it is another folder, or nothing was made in it yet"),
        fix=_WHERE,
    )


def flat(stock: Stock) -> Iterator[Node]:
    """Every thing in a place, a CA before what it issued."""
    yield from _flat(stock.nodes)


def _flat(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _flat(node.children)
