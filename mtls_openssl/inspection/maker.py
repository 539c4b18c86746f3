"""Makes the same in another form, in a stage, and proves it there.

A key never comes out of a file without the password that it had there unless that was asked for
by name, and is under a password that nobody knows wherever it stands meanwhile.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError, NotProvenError, UsageError
from mtls_openssl.inspection.conversion import Form, Wish, block, identity, leaf
from mtls_openssl.inspection.matching import public_key
from mtls_openssl.inspection.objects import Bundle, Certificate, Item, Key, Request, RevocationList
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import _
from mtls_openssl.openssl import crl, diagnosis, pkcs7, pkcs12, pkey, readers, req, x509
from mtls_openssl.steps import Command, Kind


class Maker:
    """Makes files in a folder, and proves them there.

    Args:
        desk: where the commands are run.
        reader: what has read the parts, and knows the passwords that opened them.
        stage: a private folder.
    """

    def __init__(self, desk: Desk, reader: Reader, stage: Path) -> None:
        self._desk = desk
        self._reader = reader
        self._stage = stage
        self._count = 0

    def make(self, items: Sequence[Item], wish: Wish, name: str) -> None:
        """Make a file of `items`, and prove that it holds them and nothing else.

        Args:
            items: what goes into it.
            wish: what is to be made.
            name: the name of the file.

        Raises:
            UsageError: the form has no room for these items.
            CommandFailedError: openssl failed.
            NotProvenError: what was made is not what it should be; it is not to be used.
        """
        match wish.form:
            case Form.PEM:
                made = self._pem(items, wish)
            case Form.DER:
                made = self._der(items, wish)
            case Form.P12:
                made = self._p12(items, wish)
            case Form.P7B:
                made = self._p7b(items)
        self._prove(items, wish, made)
        (self._stage / made).rename(self._stage / name)

    def _pem(self, items: Sequence[Item], wish: Wish) -> str:
        blocks = [
            self._key_block(item, wish) if isinstance(item.thing, Key) else block(item)
            for item in items
        ]
        return self._written("\n".join(block.strip() for block in blocks) + "\n", "pem")

    def _key_block(self, item: Item, wish: Wish) -> str:
        if isinstance(item.thing, Key) and not item.thing.private:
            return item.thing.public_key
        rewrite = wish.plain or wish.password is not None
        if item.form == "PEM" and not rewrite:
            return (item.folder / item.name).read_text("utf-8-sig", "replace")
        made = self._key(item, None if wish.plain else wish.password)
        return (self._stage / made).read_text("ascii")

    def _key(self, item: Item, password: str | None) -> str:
        """A key written anew as PEM, with another password or none; the name of the file."""
        source, old = self._copied(item), self._reader.password_of(item)
        made = self._next("pem")
        given = {pkey.PASSWORD_VARIABLE: old} if old else {}
        if password is not None:
            given[pkey.NEW_PASSWORD_VARIABLE] = password
        argv = pkey.write(
            source, made, item.form, encrypted=bool(old), protect=password is not None
        )
        self._run(argv, _("write the key anew"), source, made, given)
        return made

    def _der(self, items: Sequence[Item], wish: Wish) -> str:
        if len(items) > 1:
            raise UsageError(
                _("A DER file holds one thing, and here are {count}.", count=len(items)),
                fix=_("choose with --only certificate or --only key, or add --split"),
            )
        item = items[0]
        made = self._next("der")
        match item.thing:
            case Key(private=True) as key:
                if key.protection and not wish.plain:
                    raise UsageError(
                        _("This command writes no encrypted keys in DER."),
                        fix=_("choose --to pem, or --no-encryption to have it without a password"),
                    )
                source = self._key(item, None)
                argv = pkey.write_der(source, made)
            case Key() as key:
                source = self._written(key.public_key, "pem")
                argv = pkey.write_der(source, made, public=True)
            case Request():
                source = self._written(block(item), "pem")
                argv = req.write(source, made, out_form="DER")
            case RevocationList():
                source = self._written(block(item), "pem")
                argv = crl.write(source, made, out_form="DER")
            case _:
                source = self._written(block(item), "pem")
                argv = x509.write(source, made, out_form="DER")
        self._run(argv, _("write it as DER"), source, made)
        return made

    def _p12(self, items: Sequence[Item], wish: Wish) -> str:
        keys = [item for item in items if isinstance(item.thing, Key) and item.thing.private]
        end = leaf(items)
        strange = [item for item in items if not isinstance(item.thing, Certificate | Key)]
        if strange:
            raise UsageError(_("A PKCS#12 file holds keys and certificates, nothing else."))
        if len(keys) != 1:
            raise UsageError(
                _("A PKCS#12 file is made of one private key, and here are {count}.",
                    count=len(keys)),
                fix=_("name the file of the key as well, before that of the result"),
            )  # fmt: skip
        if end is None or public_key(end) != public_key(keys[0]):
            raise UsageError(
                _("No certificate here belongs to the private key."),
                fix=_("python -m mtls_openssl match tells which files belong together"),
            )
        ours = secrets.token_hex(16)
        key = self._key(keys[0], ours)
        certificate = self._written(block(end), "pem")
        others = [
            block(item) for item in items if isinstance(item.thing, Certificate) and item is not end
        ]
        chain = (self._written("\n".join(others) + "\n", "pem"),) if others else ()
        made = self._next("p12")
        argv = pkcs12.export(
            made, key, certificate, wish.name, chain=chain,
            protection=readers.arguments(wish.profile),
        )  # fmt: skip
        self._run(
            (*argv, "-passin", f"env:{pkey.PASSWORD_VARIABLE}"), _("pack key and certificates"),
            key, made,
            {pkey.PASSWORD_VARIABLE: ours, pkcs12.PASSWORD_VARIABLE: wish.password or ""},
        )  # fmt: skip
        return made

    def _p7b(self, items: Sequence[Item]) -> str:
        if not all(isinstance(item.thing, Certificate) for item in items):
            raise UsageError(
                _("A PKCS#7 file holds certificates only."),
                fix=_("choose --only certificate or --only chain, or another form"),
            )
        source = self._written("\n".join(map(block, items)) + "\n", "pem")
        made = self._next("p7b")
        self._run(pkcs7.pack(source, made), _("pack the certificates"), source, made)
        return made

    def _prove(self, items: Sequence[Item], wish: Wish, made: str) -> None:
        known = {self._reader.password_of(item) for item in items} - {None}
        password = wish.password or next(iter(known), None)
        holding = Reader(self._desk, lambda _path: password).read(self._stage / made)
        wanted = sorted(identity(holding.path, item) for item in items)
        found = sorted(identity(holding.path, item) for item in holding.flat)
        fault = "" if wanted == found else _("read back, it does not hold the same things")
        for item in holding.items:
            match item.thing:
                case Bundle(contents=contents) if contents:
                    fault = fault or readers.fault(contents, wish.profile)
                case Key(private=True, protection=protection) if wish.plain or wish.password:
                    if bool(protection) is wish.plain:
                        fault = fault or _("its key is not protected as was asked for")
        if fault:
            raise NotProvenError(
                _("What was made is not what was asked for, and was thrown away."),
                cause=fault,
                fix=_("the commands and what they said are in {log}", log=self._desk.log),
            )

    def _run(
        self,
        argv: tuple[str, ...],
        purpose: str,
        source: str,
        made: str,
        given: Mapping[str, str] | None = None,
    ) -> None:
        command = Command(
            argv, purpose, Kind.LOOK, reads=(source,), writes=(made,), secrets=tuple(given or ())
        )
        outcome = self._desk.ask(command, folder=self._stage, secrets=given)
        if outcome.problem:
            why, mend = diagnosis.cause(outcome.finished.stderr)
            said = next(iter(outcome.finished.stderr.strip().split("\n")), "")
            raise CommandFailedError(
                _("openssl {command} {problem}.", command=argv[0], problem=outcome.problem),
                cause=why or said,
                fix=mend or _("its line in {log} has all that it said", log=self._desk.log),
            )

    def _copied(self, item: Item) -> str:
        return self._written((item.folder / item.name).read_bytes(), item.form.lower())

    def _written(self, content: str | bytes, ending: str) -> str:
        name = self._next(ending)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._stage / name, flags, 0o600), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return name

    def _next(self, ending: str) -> str:
        self._count += 1
        return f"{self._count}.{ending}"
