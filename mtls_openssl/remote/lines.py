"""What the shell of the other host is told: POSIX sh, a line for each step. Pure.

Every name is quoted; what is quoted once for `sh` is quoted again, whole, for the login shell.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence

NO_OPENSSL, IS_THERE, NO_FOLDER, NOT_WRITTEN, FAILED, UNPAIRED, NOT_MOVED = range(41, 48)
"""With which exit codes the lines end that could not do what they should."""

UNTOUCHED = frozenset({NO_OPENSSL, IS_THERE})
"""Those of a host on which nothing was made."""

INSTALLED = "installed"
NEW = "new folder"

_START = (
    "LC_ALL=C; export LC_ALL; umask 077;"
    " unset OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES OPENSSL_CONF_INCLUDE SSLEAY_CONF RANDFILE"
)
# Nothing is said of a disk that is full by openssl itself: the numbers tell.
_FULL = "{ df -Pk . >&2; exit %d; }"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the files of a certificate go on the host.

    Args:
        folder: the folder, from the user's home or from the root.
        name: what the files are called before the dot.
        token: what makes the name of the stage in it our own.
    """

    folder: str
    name: str
    token: str

    @property
    def stage(self) -> str:
        """The private folder in it where all work happens."""
        return f".{self.name}.mtls-{self.token}"

    @property
    def key(self) -> str:
        """The file of the key."""
        return f"{self.name}.key"

    @property
    def request(self) -> str:
        """The file of the request."""
        return f"{self.name}.csr"

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that is put there, in the order in which they are."""
        return (self.key, *(f"{self.name}.{end}" for end in ("crt", "chain.crt", "ca.crt")))


def shell(*commands: str) -> str:
    """Commands as one line for whatever the user's login shell is."""
    return f"sh -c {shlex.quote('; '.join((_START, *commands)))}"


def begin(place: Place, config: str) -> str:
    """Make the stage, with openssl's configuration in it, where there is an openssl.

    Nothing that is there is touched. It prints which system it is, and which openssl.
    """
    old = shlex.quote(f".{place.name}.mtls-*")
    return shell(
        "uname -s",
        f"command -v openssl >/dev/null 2>&1 || exit {NO_OPENSSL}",
        "openssl version",
        f"[ -d {_folder(place)} ] || echo {shlex.quote(NEW)}",
        f"mkdir -p -- {_folder(place)} || exit {NO_FOLDER}",
        *_inside(_folder(place)),
        _absent(place),
        # What a run has left there that was cut off for good.
        f"find . -maxdepth 1 -name {old} -mmin +60 -exec rm -rf -- {{}} + 2>/dev/null",
        f"mkdir -- {shlex.quote(place.stage)} || {_FULL % NO_FOLDER}",
        *_inside(shlex.quote(place.stage)),
        _written("openssl.cnf", config),
    )


def openssl(place: Place, argv: Sequence[str]) -> str:
    """Run the host's openssl in the stage."""
    command = shlex.join(("openssl", *argv))
    return shell(
        *_inside(_staged(place)),
        f"OPENSSL_CONF=openssl.cnf {command} </dev/null || {_FULL % FAILED}",
    )


def request(place: Place) -> str:
    """Print the request, once it and its key are whole; the only thing that is brought back."""
    return shell(
        *_inside(_staged(place)),
        "OPENSSL_CONF=openssl.cnf; export OPENSSL_CONF",
        f"openssl pkey -in {shlex.quote(place.key)} -noout || {_FULL % NOT_WRITTEN}",
        f"openssl req -in {shlex.quote(place.request)} -noout -verify || {_FULL % NOT_WRITTEN}",
        f"cat -- {shlex.quote(place.request)}",
    )


def bring(place: Place, files: Mapping[str, str]) -> str:
    """Write the certificates into the stage, and see that they are whole and fit the key."""
    certificate, key = shlex.quote(place.files[1]), shlex.quote(place.key)
    return shell(
        *_inside(_staged(place)),
        *(_written(name, content) for name, content in files.items()),
        f"chmod 644 {' '.join(map(shlex.quote, files))}",
        "OPENSSL_CONF=openssl.cnf; export OPENSSL_CONF",
        f"theirs=$(openssl x509 -in {certificate} -noout -pubkey) || exit {UNPAIRED}",
        f"ours=$(openssl pkey -in {key} -pubout) || exit {UNPAIRED}",
        f'[ "$theirs" = "$ours" ] || exit {UNPAIRED}',
    )


def install(place: Place) -> str:
    """Move all files into place, or none; it goes on if the connection does not."""
    stage = shlex.quote(place.stage)
    files = " ".join(map(shlex.quote, place.files))
    return shell(
        "trap '' HUP PIPE INT TERM",
        *_inside(_folder(place)),
        _absent(place),
        "moved=",
        f"for file in {files}; do [ -e {stage}/$file ] || continue;"
        f' if mv -- {stage}/$file $file; then moved="$moved $file";'
        f" else for one in $moved; do mv -- $one {stage}/; done; exit {NOT_MOVED}; fi; done",
        f"rm -rf -- {stage}",
        f"echo {INSTALLED}",
    )


def look(place: Place) -> str:
    """Whether all is in place, asked where `install` did not answer."""
    key, certificate = (shlex.quote(name) for name in place.files[:2])
    return shell(
        *_inside(_folder(place)),
        f"[ -e {key} ] && [ -e {certificate} ] && [ ! -e {_staged_here(place)} ]"
        f" && echo {INSTALLED}",
    )


def remove(place: Place, *, folder: bool) -> str:
    """Remove the stage.

    Args:
        place: where it is.
        folder: whether the folder above it is ours as well, and goes if nothing else is in it.
    """
    rest = (f"rmdir -- {_folder(place)} 2>/dev/null",) if folder else ()
    return shell(f"rm -rf -- {_staged(place)}", *rest, "true")


def _folder(place: Place) -> str:
    return shlex.quote(place.folder)


def _staged(place: Place) -> str:
    return shlex.quote(f"{place.folder.rstrip('/')}/{place.stage}")


def _staged_here(place: Place) -> str:
    return shlex.quote(place.stage)


def _inside(folder: str) -> tuple[str, ...]:
    # Without CDPATH, which would have cd look elsewhere, and print.
    return ("unset CDPATH", f"cd -- {folder} || exit {NO_FOLDER}")


def _absent(place: Place) -> str:
    files = " ".join(map(shlex.quote, place.files))
    return (
        f"for file in {files}; do if [ -e $file ] || [ -L $file ]; then echo $file >&2;"
        f" exit {IS_THERE}; fi; done"
    )


def _written(name: str, content: str) -> str:
    file, text = shlex.quote(name), shlex.quote(content)
    size = len(content.encode())
    return f"printf %s {text} > {file} && [ $(wc -c < {file}) -eq {size} ] || {_FULL % NOT_WRITTEN}"
