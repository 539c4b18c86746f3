"""What the CRLs beside a set say, and until when they are good."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.inspection.objects import RevocationList
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.openssl.crl import Description
from mtls_openssl.openssl.x509 import Name
from mtls_openssl.register.files import LIST


@dataclasses.dataclass(frozen=True)
class Standing:
    """The CRLs in a file, such as crl.pem.

    Args:
        lists: what each of them says, in the order of the file.
    """

    lists: tuple[Description, ...]

    def of(self, authority: Name) -> Description | None:
        """The CRL of an authority; None if it is not among them."""
        return next((one for one in self.lists if one.issuer == authority), None)

    @property
    def first_end(self) -> Description | None:
        """The CRL that ends first; None if none ever does."""
        ending = [one for one in self.lists if one.next_update]
        return min(ending, key=lambda one: one.next_update or one.last_update, default=None)

    def is_over(self, now: datetime) -> bool:
        """Whether one of them has ended, so that whoever checks with them refuses everybody."""
        return any(one.next_update is not None and one.next_update <= now for one in self.lists)


def standing(desk: Desk, folder: Path, name: str = LIST) -> Standing | None:
    """Read the CRLs of a folder.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        name: the file.

    Returns:
        What they say, without any part that can't be read; None if there is no such file.

    Raises:
        FolderUnavailableError: the file can't be read.
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    if not (folder / name).is_file():
        return None
    items = Reader(desk, lambda _path: None).read(folder / name).items
    return Standing(
        tuple(one.thing.described for one in items if isinstance(one.thing, RevocationList))
    )
