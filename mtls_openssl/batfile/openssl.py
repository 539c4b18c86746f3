"""Reads the commands of a batch file that call openssl. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from mtls_openssl.batfile.facts import DAYS, Bundle, Certificate, Fact, Key, Request
from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.batfile.script import Command, bare
from mtls_openssl.batfile.syntax import Line
from mtls_openssl.language import Text, _

_CURVES = {
    "prime256v1": "P-256", "p-256": "P-256", "secp256r1": "P-256", "secp384r1": "P-384",
    "p-384": "P-384",
}  # fmt: skip
_USUAL_BITS = "2048"
_USUAL_DAYS = str(DAYS)
# With a value behind it, and without.
_VALUED = {
    *("-out", "-in", "-key", "-keyout", "-subj", "-days", "-CA", "-CAkey", "-extfile", "-name"),
    *("-inkey", "-certfile", "-CAfile", "-caname", "-config", "-extensions", "-newkey", "-passin"),
    *("-passout", "-password", "-algorithm", "-pkeyopt", "-keypbe", "-certpbe", "-macalg", "-iter"),
    *("-set_serial", "-CAserial", "-reqexts", "-addext", "-outform", "-inform", "-rand", "-engine"),
    *("-provider", "-provider-path", "-CApath", "-nameopt", "-pkeyopt", "-keyform", "-CAkeyform"),
    *("-CAform", "-sigopt", "-vfyopt", "-section", "-copy_extensions", "-purpose", "-untrusted"),
    *("-writerand", "-CSP", "-not_before", "-not_after", "-startdate", "-enddate"),
}
# What changes nothing in what is made, or what we do anyway.
_NEEDLESS = {
    *("-new", "-x509", "-req", "-nodes", "-noenc", "-batch", "-CAcreateserial", "-sha256", "-utf8"),
    *("-export", "-noout", "-genkey", "-verbose", "-verify", "-text", "-chain", "-config", "-rand"),
    *("-writerand", "-outform", "-inform", "-param_enc", "-CAserial", "-set_serial", "-caname"),
    *("-nameopt", "-traditional", "-keyform", "-CAkeyform", "-CAform", "-extensions", "-section"),
}
_CIPHERS = ("-aes", "-des", "-camellia", "-aria", "-idea", "-seed")
_ONLY_LOOKING = {"verify", "version", "asn1parse", "s_client", "s_server", "help", "list"}


def facts(commands: Iterable[Command]) -> tuple[tuple[Fact, ...], tuple[Left, ...]]:
    """What some commands would make, and what of them can't be carried over.

    Args:
        commands: the commands that call openssl, in order.
    """
    reader = _Reader()
    for command in commands:
        reader.read(command)
    return tuple(reader.facts), tuple(reader.left)


class _Options:
    """The options of a command, taken apart."""

    def __init__(self, words: Sequence[str]) -> None:
        self.values: dict[str, list[str]] = {}
        self.rest: list[str] = []
        waiting = iter(words)
        for word in waiting:
            if word in _VALUED:
                self.values.setdefault(word, []).append(next(waiting, ""))
            elif word.startswith("-") and len(word) > 1:
                self.values.setdefault(word, [])
            else:
                self.rest.append(word)

    def __contains__(self, option: str) -> bool:
        return option in self.values

    def get(self, option: str, default: str = "") -> str:
        """The last value of an option."""
        return next(reversed(self.values.get(option, [])), default)

    def file(self, option: str, default: str = "") -> str:
        """The same for a file, without its folder."""
        return bare(self.get(option)) or default


class _Reader:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.left: list[Left] = []
        self._requests: dict[str, Request] = {}

    def read(self, command: Command) -> None:
        name, *words = command.words or ("",)
        options = _Options(words)
        known = set[str]()
        match name:
            case "genrsa":
                known = self._genrsa(command, options)
            case "genpkey":
                known = self._genpkey(command, options)
            case "ecparam":
                known = self._ecparam(command, options)
            case "req":
                known = self._req(command, options)
            case "x509":
                known = self._x509(command, options)
            case "pkcs12":
                known = self._pkcs12(command, options)
            case "dhparam":
                why = _("made by a command of its own: python -m mtls_openssl dhparam")
                self._leave(command, command.text, why)
                return
            case _:
                if name not in _ONLY_LOOKING:
                    self._leave(command, command.text, _("a command of openssl that is not needed"))
                return
        self._leave_unknown(command, options, known)

    def _genrsa(self, command: Command, options: _Options) -> set[str]:
        bits = next((word for word in reversed(options.rest) if word.isdigit()), _USUAL_BITS)
        encrypted = any(option.startswith(_CIPHERS) for option in options.values)
        key = Key(command.line, options.file("-out"), f"RSA-{bits}", encrypted)
        self.facts.append(key)
        ciphers = {option for option in options.values if option.startswith(_CIPHERS)}
        return {"-out", "-passout", "-f4", "-3", *ciphers}

    def _genpkey(self, command: Command, options: _Options) -> set[str]:
        algorithm = options.get("-algorithm").upper()
        said = dict(one.partition(":")[::2] for one in options.values.get("-pkeyopt", []))
        kind = {
            "RSA": f"RSA-{said.get('rsa_keygen_bits', _USUAL_BITS)}",
            "EC": _CURVES.get(said.get("ec_paramgen_curve", "").lower(), ""),
            "ED25519": "Ed25519",
        }.get(algorithm, "")
        ciphers = {option for option in options.values if option.startswith(_CIPHERS)}
        self._key(command, options.file("-out"), kind, encrypted=bool(ciphers))
        return {"-out", "-algorithm", "-pkeyopt", "-passout", *ciphers}

    def _ecparam(self, command: Command, options: _Options) -> set[str]:
        if "-genkey" in options:
            kind = _CURVES.get(options.get("-name").lower(), "")
            self._key(command, options.file("-out"), kind, encrypted=False)
        return {"-out", "-name"}

    def _key(self, command: Command, file: str, kind: str, *, encrypted: bool) -> None:
        if not kind:
            self._leave(command, command.text, _("a kind of key that is not made here"))
        self.facts.append(Key(command.line, file, kind, encrypted))

    def _req(self, command: Command, options: _Options) -> set[str]:
        known = {"-out", "-key", "-keyout", "-subj", "-newkey", "-days", "-passin", "-passout"}
        key = options.file("-key") or options.file("-keyout", "privkey.pem")
        if kind := options.get("-newkey"):
            bits = kind.partition(":")[2] or _USUAL_BITS
            encrypted = not {"-nodes", "-noenc"} & options.values.keys()
            name = f"RSA-{bits}" if kind.lower().startswith("rsa") else ""
            self._key(command, key, name, encrypted=encrypted)
        if "-new" not in options and "-newkey" not in options and "-x509" not in options:
            return set(options.values)  # it only looks at one
        subject = options.get("-subj")
        if not subject:
            self._leave(command, command.text, _("it asks for the subject when it runs"))
        file = options.file("-out")
        if "-x509" in options:
            days = options.get("-days", _USUAL_DAYS)
            added = (Line(command.line, one) for one in options.values.get("-addext", []))
            made = Certificate(command.line, file, key, subject, extensions=tuple(added))
            self._certificate(command, made, days)
            return {*known, "-addext"}
        self._requests[file.lower()] = Request(command.line, file, key, subject)
        return known

    def _x509(self, command: Command, options: _Options) -> set[str]:
        if "-req" not in options:
            if "-noout" not in options and "-out" in options:
                why = _("a file in another form: python -m mtls_openssl convert")
                self._leave(command, command.text, why)
            return set(options.values)
        request = self._requests.get(options.file("-in").lower())
        if request is None:
            why = _("it signs a request that no command here makes")
            self._leave(command, command.text, why)
            return set(options.values)
        extensions = command.files.get(options.file("-extfile").lower(), ())
        if "-extfile" in options and not extensions:
            why = _("no command here writes {file}", file=options.file("-extfile"))
            self._leave(command, f"-extfile {options.get('-extfile')}", why)
        # A request that signs itself is a root's.
        file, issuer = options.file("-out"), options.file("-CA")
        key, subject = request.key, request.subject
        made = Certificate(command.line, file, key, subject, issuer, extensions, named=request.line)
        self._certificate(command, made, options.get("-days", _USUAL_DAYS))
        return {"-in", "-CA", "-CAkey", "-days", "-extfile", "-out", "-passin", "-signkey"}

    def _certificate(self, command: Command, made: Certificate, days: str) -> None:
        if days.isdigit():
            made = dataclasses.replace(made, days=int(days))
        else:
            self._leave(command, f"-days {days}", _("it is no number of days"))
        self.facts.append(made)

    def _pkcs12(self, command: Command, options: _Options) -> set[str]:
        if "-export" not in options:
            return set(options.values)
        old = "-legacy" in options or any(
            "3des" in options.get(one).lower() or "rc2" in options.get(one).lower()
            for one in ("-keypbe", "-certpbe")
        )
        self.facts.append(
            Bundle(
                command.line, options.file("-out"), options.file("-in"), options.get("-name"), old
            )
        )
        for option in ("-password", "-passout"):
            value = options.get(option)
            if value.startswith("pass:"):
                why = _(
                    "the password is asked for, or named by --p12-password-env or"
                    " --p12-password-file: it has no place in a file"
                )
                self._leave(command, f"{option} pass:...", why)
        return {
            *("-in", "-inkey", "-out", "-name", "-certfile", "-CAfile", "-password", "-passout"),
            *("-passin", "-legacy", "-keypbe", "-certpbe", "-macalg", "-iter", "-descert"),
        }

    def _leave_unknown(self, command: Command, options: _Options, known: set[str]) -> None:
        for option, values in options.values.items():
            if option in known or option in _NEEDLESS:
                continue
            self._leave(
                command, " ".join((option, *values)), _("an option that the settings have not")
            )

    def _leave(self, command: Command, text: str, why: Text) -> None:
        self.left.append(Left(command.line, shown(text), why))
