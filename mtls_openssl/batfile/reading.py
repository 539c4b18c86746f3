"""A batch file's set in the words of `mtls.toml`, each value as the settings take it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mtls_openssl.batfile import naming, openssl, script
from mtls_openssl.batfile.encoding import decoded
from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.batfile.tables import tables
from mtls_openssl.batfile.whole import Authority, Leaf, Whole, whole
from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.language import Text, _
from mtls_openssl.profiles import BAT
from mtls_openssl.settings import Settings, SettingsRefusedError, load

_ALWAYS = ("country", "state", "city", "org", "domain", "cert_days", "key_size")
"""What the batch file's own `set` block has."""


@dataclasses.dataclass(frozen=True)
class Import:
    """What came of a batch file.

    Args:
        encoding: what it was saved as.
        flat: the settings that hold for the whole set, by their names.
        tables: the tables, each list of them and each one by its name, in their order.
        left: what could not be carried over, in the order of the lines.
    """

    encoding: str
    flat: Mapping[str, object]
    tables: Mapping[str, Any]
    left: tuple[Left, ...]


def read(content: bytes, name: str) -> Import:
    """Read a batch file.

    Args:
        content: its bytes.
        name: what to call it.

    Raises:
        SettingRefusedError: it can't be read as text, or makes no certificate.
    """
    text, encoding = decoded(content, name)
    ran = script.run(text)
    facts, left = openssl.facts(ran.commands)
    found = whole(facts)
    if found.root is None and not found.leaves:
        raise SettingRefusedError(
            _("{file} makes no certificate with openssl.", file=name),
            cause=_("it is another batch file, or calls one that does"),
            fix=_("name the file that has the lines `openssl req` and `openssl x509`"),
        )
    settings = _Settings(found, ran.variables.get("DOMAIN") or "")
    return Import(
        encoding,
        settings.flat,
        settings.tables,
        tuple(
            sorted(
                dict.fromkeys((*ran.left, *left, *found.left, *settings.left)),
                key=lambda one: one.line,
            )
        ),
    )


class _Settings:
    def __init__(self, found: Whole, domain: str) -> None:
        self.left: list[Left] = []
        self.lines: dict[str, int] = {}
        self._found = found
        self._plain = _is_plain(found)
        wanted = {**self._shared(), **self._domain(domain), **self._batch()}
        settings = self._fit(wanted)
        usual = load(
            {name: wanted[name] for name in _ALWAYS if name in wanted}, environ={}, config=None
        ).settings
        self.flat: dict[str, object] = {
            name: getattr(settings, name)
            for name in Settings.model_fields
            if name in wanted
            and (name in _ALWAYS or getattr(settings, name) != getattr(usual, name))
        }
        self.tables: dict[str, Any] = {}
        self._tell_subjects(settings)
        if not self._plain:
            self.tables, more = tables(found, settings)
            self.left += more

    def _shared(self) -> dict[str, object]:
        """What is the same for all of them, or for most."""
        found, wanted = self._found, dict[str, object]()
        subjects = [leaf.subject for leaf in found.leaves] or (
            [found.root.subject] if found.root else []
        )
        line = found.leaves[0].line if found.leaves else found.root.line if found.root else 0
        for name in ("country", "state", "city", "org"):
            value = naming.common([getattr(subject, name) for subject in subjects])
            if not found.leaves:
                value = value.removesuffix(" CA")
            if value or name in {"state", "city"}:
                wanted[name] = value
                self.lines[name] = line
            else:
                usual = BAT.values[name]
                self._leave(line, name, _("a certificate without it can't be made; it is {value}",
                                          value=repr(usual)))  # fmt: skip
        if found.leaves:
            days = max((leaf.days for leaf in found.leaves), key=self._days.count)
            wanted["cert_days"] = days
            self.lines["cert_days"] = line
        bits = [leaf.key.kind for leaf in found.leaves if leaf.key.kind.startswith("RSA-")]
        if bits:
            wanted["key_size"] = int(max(bits, key=bits.count).removeprefix("RSA-"))
            self.lines["key_size"] = line
        return wanted

    @property
    def _days(self) -> list[int]:
        return [leaf.days for leaf in self._found.leaves]

    def _domain(self, domain: str) -> dict[str, object]:
        names = [leaf.subject.cn for leaf in self._found.leaves if leaf.role == "server"]
        if not domain and names and "." in names[0]:
            domain = names[0].partition(".")[2]
        return {"domain": domain.strip()} if domain.strip() else {}

    def _batch(self) -> dict[str, object]:
        """What only the batch file's own set has, or its CA."""
        found, wanted = self._found, dict[str, object]()
        if found.root:
            wanted["ca_days"] = found.root.days
            wanted["ca_cn"] = found.root.subject.cn
            if found.root.key.kind.startswith("RSA-"):
                wanted["ca_key_size"] = int(found.root.key.kind.removeprefix("RSA-"))
            self.lines |= dict.fromkeys(("ca_days", "ca_cn", "ca_key_size"), found.root.line)
        if not self._plain:
            return {name: value for name, value in wanted.items() if value}
        server, client = (_only(found, role) for role in ("server", "client"))
        wanted["server_cn"] = server.subject.cn
        wanted["server_dns"] = server.extensions.dns
        wanted["server_ip"] = server.extensions.ip
        if not server.extensions.dns and not server.extensions.ip:
            wanted["server_dns"] = (server.subject.cn,)
            why = _("it has no subjectAltName, which every client asks for: it gets its own name")
            self._leave(server.line, server.subject.cn, why)
        wanted["client_cn"] = client.subject.cn
        wanted["p12_name"] = client.bundles[0].name
        if client.bundles[0].old:
            wanted["p12_for"] = "windows2016"
        self.lines |= dict.fromkeys(("server_cn", "server_dns", "server_ip"), server.line)
        self.lines |= {"client_cn": client.line, "p12_name": client.bundles[0].line}
        return {
            name: value
            for name, value in wanted.items()
            if value or name in {"server_dns", "server_ip"}
        }

    def _fit(self, wanted: dict[str, object]) -> Settings:
        """The settings, without what they refuse; that is told."""
        while True:
            try:
                return load(wanted, environ={}, config=None).settings
            except SettingsRefusedError as error:
                refused = [one for one in error.refusals if one.field in wanted]
                if not refused:  # made from another one
                    wanted.pop("domain", None)
                    wanted.pop("key_size", None)
                for one in refused:
                    value = wanted.pop(one.field, None)
                    line = self.lines.get(one.field, 0)
                    said = f"{one.field} = {value}"
                    self._leave(line, said, _("it is refused: {why}", why=one.why))

    def _tell_subjects(self, settings: Settings) -> None:
        root = self._found.root
        if root and root.subject.org and root.subject.org != f"{settings.org} CA":
            why = _("the CA's organisation is {org} here", org=repr(f"{settings.org} CA"))
            self._leave(root.line, f"O={root.subject.org}", why)
        owners: list[Leaf | Authority] = [*self._found.leaves, *([root] if root else [])]
        for one in owners:
            for name, part in (("country", "C"), ("state", "ST"), ("city", "L"), ("org", "O")):
                value, ours = getattr(one.subject, name), getattr(settings, name)
                if one is root and name == "org":
                    continue
                if value.strip() != ours and value.upper() != ours:
                    why = _("all certificates of a set have the same: {value}", value=repr(ours))
                    self._leave(one.line, f"{part}={value}", why)

    def _leave(self, line: int, text: str, why: Text) -> None:
        self.left.append(Left(line, shown(text), why))


def _is_plain(found: Whole) -> bool:
    """Whether it is the batch file's own set, so that no tables are needed to describe it."""
    leaves = {leaf.name: leaf for leaf in found.leaves}
    if found.intermediate or found.root is None or len(found.leaves) != len(leaves):
        return False
    if {name: leaf.role for name, leaf in leaves.items()} != {
        "server": "server",
        "client": "client",
    }:
        return False
    server, client = leaves["server"], leaves["client"]
    kinds = {server.key.kind, client.key.kind}
    return (
        server.days == client.days
        and len(kinds) == 1
        and all(kind.startswith("RSA-") for kind in (*kinds, found.root.key.kind))
        and not found.root.key.encrypted
        and found.root.extensions.path_length is None
        and not (server.extensions.email or server.extensions.uri or server.bundles)
        and not server.extensions.peer
        and not _alternatives(client)
        and len(client.bundles) == 1
    )


def _alternatives(leaf: Leaf) -> tuple[str, ...]:
    read = leaf.extensions
    return (*read.dns, *read.ip, *read.email, *read.uri)


def _only(found: Whole, role: str) -> Leaf:
    return next(leaf for leaf in found.leaves if leaf.role == role)
