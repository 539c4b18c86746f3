"""What a plan is."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.frozen import dataclass
from mtls_openssl.openssl import pkcs12
from mtls_openssl.steps import Command, Step


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Args:
        name: the command of ours that it belongs to.
        stages: the titles of its stages, the first one numbered 1.
        steps: the steps, in the guide's order.
        needs: files of the set that it reads.
        makes: files of the set that it leaves.
        beside: files that it reads and that are proven with what it makes.
        scratch: files that it makes besides, gone at the end unless asked for.
        retires: files of the set that no longer fit once it is done.
        bundles: the PKCS#12 files that it makes.
        java: the keytool that it needs, and that is asked what Java sees.
    """

    name: str
    stages: tuple[str, ...]
    steps: tuple[Step, ...]
    makes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    retires: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    bundles: tuple[pkcs12.Bundle, ...] = ()
    java: Path | None = None

    @property
    def proven(self) -> tuple[str, ...]:
        """The files that must pass their proof."""
        return (*(self.makes or self.needs), *self.beside)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The steps that are commands."""
        return tuple(step for step in self.steps if isinstance(step, Command))
