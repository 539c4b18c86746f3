"""What goes over to somebody else: a request for a key that stays, a certificate for one of theirs.

A foreign request is never signed as it is, unless its whole subject was granted: of it only the
public key goes into a request of ours. So nothing that it asks for can come through by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from mtls_openssl.language import _
from mtls_openssl.manifest import Leaf, Manifest, Name, Role
from mtls_openssl.openssl import genpkey, req
from mtls_openssl.openssl.pkey import NEW_PASSWORD_VARIABLE
from mtls_openssl.plan import pieces
from mtls_openssl.plan.drop_in import issuing
from mtls_openssl.plan.naming import CONFIG, chain_of, packed
from mtls_openssl.plan.nouns import Plan
from mtls_openssl.steps import Command, Render, Step

# No certificate of a set can be called so: a name begins with a letter or a digit.
_THROWAWAY = "_throwaway.key"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A request that we make.

    Args:
        leaf: for whom, and with which key.
        role: what it says that the certificate is to be for; None to leave that to who signs.
        encrypted: whether its key has a pass phrase, in NEW_PASSWORD_VARIABLE.
    """

    leaf: Leaf
    role: Role | None = None
    encrypted: bool = False

    @property
    def usages(self) -> tuple[str, ...]:
        """The extended key usages that it asks for."""
        return self.leaf.usages if self.role else ()

    @property
    def passphrase(self) -> str:
        """The environment variable with the pass phrase of its key; empty for none."""
        return NEW_PASSWORD_VARIABLE if self.encrypted else ""


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A request of somebody else, and what is granted for it.

    Args:
        leaf: what is granted.
        pem: the request.
        asked: the subject that it asks for.
    """

    leaf: Leaf
    pem: str
    asked: Name

    @property
    def is_whole(self) -> bool:
        """Whether its subject is granted as it is, so that the request itself can be signed."""
        return self.leaf.subject == self.asked

    @property
    def public_key_file(self) -> str:
        """The name of the file with its public key."""
        return f"{self.leaf.name}.pub"

    @property
    def our_request_file(self) -> str:
        """The name of the file with the request of ours that stands for it."""
        return f"_{self.leaf.name}.csr"


def request(wanted: Wanted) -> Plan:
    """A private key, and a request for it."""
    leaf = wanted.leaf
    return Plan(
        name="csr",
        stages=(_("Generating {file}", file=leaf.request_file),),
        steps=(
            asking(wanted),
            pieces.private_key(leaf.name, leaf.key, wanted.passphrase),
            requesting(wanted),
        ),
        makes=(leaf.key_file, leaf.request_file),
    )


def asking(wanted: Wanted) -> Render:
    """What openssl reads, with the extensions that the request asks for."""
    values = {
        "usage": ", ".join(wanted.usages),
        "names": pieces.named(wanted.leaf.alternatives),
    }
    purpose = _("the configuration that openssl reads, and what the request asks for")
    return Render("openssl/openssl_request.cnf.j2", CONFIG, purpose, values)


def requesting(wanted: Wanted) -> Command:
    """The command that makes the request."""
    leaf = wanted.leaf
    return Command(
        req.request(
            leaf.key_file, leaf.request_file, leaf.subject, passphrase=wanted.passphrase
        ),
        _("make the certificate signing request {file}", file=leaf.request_file),
        reads=(leaf.key_file,),
        writes=(leaf.request_file,),
        secrets=(wanted.passphrase,) if wanted.encrypted else (),
    )  # fmt: skip


def signed(manifest: Manifest, requests: Sequence[Foreign]) -> Plan:
    """Certificates for the keys of others.

    Args:
        manifest: whose authorities issue them.
        requests: what they have sent, each for another name.
    """
    leaves = [one.leaf for one in requests]
    above = manifest.intermediate
    stages = [(_("Signing {file}", file=one.leaf.request_file), _signing(one, manifest))
              for one in requests]  # fmt: skip
    return Plan(
        name="sign",
        stages=tuple(title for title, _steps in stages),
        steps=(
            pieces.configuration(),
            *(() if all(one.is_whole for one in requests) else (_throwaway(),)),
            *(
                step
                for number, (_title, steps) in enumerate(stages, start=1)
                for step in pieces.at(number, tuple(steps))
            ),
        ),
        makes=tuple(
            file for leaf in leaves for file in pieces.makes(leaf, manifest, new_key=False)
        ),
        needs=issuing(manifest),
        scratch=tuple(
            dict.fromkeys(file for leaf in leaves for file in pieces.scratch(leaf, manifest))
        ),
        # What an earlier certificate was packed into.
        retires=tuple(
            file
            for leaf in leaves
            for file in (*packed(leaf.name), *(() if above else (chain_of(leaf.name),)))
        ),
    )


def _throwaway() -> Command:
    return Command(
        genpkey.generate(_THROWAWAY, genpkey.P_256),
        _("make a key for requests of ours, which is thrown away"),
        writes=(_THROWAWAY,),
    )


def _signing(one: Foreign, manifest: Manifest) -> Iterator[Step]:
    leaf = one.leaf
    theirs, ours = leaf.request_file, one.our_request_file
    purpose = _("the request {file}, as it was sent", file=theirs)
    yield Render("openssl/text.j2", theirs, purpose, {"text": f"{one.pem}\n"})
    yield Command(
        req.public_key(theirs, one.public_key_file),
        _("take the public key out of {file}", file=theirs),
        reads=(theirs,),
        writes=(one.public_key_file,),
    )
    if one.is_whole:
        yield from pieces.issued(leaf, manifest, theirs)
    else:
        yield Command(
            req.request(_THROWAWAY, ours, leaf.subject),
            _("make a request of ours with the subject that is granted"),
            reads=(_THROWAWAY,),
            writes=(ours,),
        )
        yield from pieces.issued(leaf, manifest, ours, public_key=one.public_key_file)
    above = manifest.intermediate
    yield pieces.verified(leaf.certificate_file, by=above.certificate_file if above else "")
