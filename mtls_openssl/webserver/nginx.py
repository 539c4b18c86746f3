"""nginx: what goes into its configuration, and what it says (ngx_http_ssl_module; Appendix C)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import PurePath
from urllib.parse import urlsplit

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.language import Text, _
from mtls_openssl.steps import Command, Kind, Render

CONFIG = "nginx.conf"
"""What nginx calls its configuration."""

BLOCK = "mtls.conf"
"""What we call ours, wherever it is put: that of the server `server`."""

CA = "ca.crt"

CRL = "crl.pem"
DHPARAM = "dhparam.pem"

_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
)  # fmt: skip
_DHE_CIPHERS = ("DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384")

_HTTP2_DIRECTIVE = (1, 25, 1)
_HTTPS = 443
_PORTS = range(1, 65536)
_LISTEN = re.compile(
    r"(?:(?P<host>\*|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):)?(?P<port>[0-9]{1,5})"
)
_UPSTREAM = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/%+-]*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TEMPORARY = ("fastcgi", "uwsgi", "scgi")


@dataclasses.dataclass(frozen=True)
class Build:
    """Which nginx a program is, by its own account.

    Args:
        name: its name and version, such as `nginx/1.22.1`.
        version: the version of nginx that it is, or that it is made from; empty if it tells none.
        options: what it was built with.
    """

    name: str
    version: tuple[int, ...]
    options: str

    @property
    def knows_http2(self) -> bool:
        """Whether it has the directive `http2` (since 1.25.1, where the module is built in)."""
        return self.version >= _HTTP2_DIRECTIVE and "--with-http_v2_module" in self.options

    @property
    def config(self) -> str:
        """The path of the configuration that it reads unless told otherwise; empty if unknown."""
        found = re.search(r"--conf-path=(\S+)", self.options)
        return found[1] if found else ""


@dataclasses.dataclass(frozen=True)
class Site:
    """A server block for a set.

    Args:
        folder: the absolute path of the folder of the set.
        names: the names in the server's certificate.
        depth: how many CAs may stand above a client's certificate.
        listen: addresses and ports, as the directive `listen` has them.
        http2: whether the directive `http2` is to be used.
        upstream: where requests go; empty for a page that shows who the client is.
        dhe: whether DHE ciphers are wanted, with the set's `dhparam.pem`.
        crl: whether the set has a `crl.pem`.
        redirect: the port whose requests are sent to the TLS port, if any.
        password_file: the file with the pass phrase of the server's key, if it has one.
        owner: what the files of the server's certificate are called.
        certificate: the file with it, and with who issued it where that is not the root.
        ca: the file with the CAs that clients are issued by, and those above them.
    """

    folder: PurePath
    names: tuple[str, ...]
    depth: int
    listen: tuple[str, ...] = (str(_HTTPS),)
    http2: bool = False
    upstream: str = ""
    dhe: bool = False
    crl: bool = False
    redirect: int | None = None
    password_file: PurePath | None = None
    owner: str = "server"
    certificate: str = "server.crt"
    ca: str = CA

    @property
    def block(self) -> str:
        """What the file is called that the block is in, so that each server has its own."""
        return BLOCK if self.owner == "server" else f"mtls-{self.owner}.conf"

    @property
    def key(self) -> str:
        """The name of the file of the server's key."""
        return f"{self.owner}.key"


def version() -> Command:
    """The command that says which nginx it is, and what it was built with."""
    return Command(("-V",), _("ask nginx for its version"), Kind.TOOL, verdict=True)


def parse_version(said: str) -> Build | None:
    """Read what `version` printed; None if it was not by an nginx."""
    first = re.search(r"^nginx version: (\S+)", said, re.MULTILINE)
    if not first:
        return None
    # OpenResty's version is nginx's and one number more; others count in their own way.
    number = re.match(r"(?:nginx|openresty)/(\d+)\.(\d+)\.(\d+)", first[1])
    options = re.search(r"^configure arguments:(.*)$", said, re.MULTILINE)
    return Build(
        first[1],
        tuple(map(int, number.groups())) if number else (),
        options[1] if options else "",
    )


def server_block(site: Site, say: Callable[[Text], str] = str) -> Render:
    """The configuration of a site.

    Args:
        site: the site.
        say: says a comment in the language of whoever will read it.

    Raises:
        SettingRefusedError: a path or an option can't be put into a configuration of nginx.
    """
    ports = [_port(value) for value in site.listen]
    tls = ports[0] if _HTTPS not in ports else _HTTPS
    return Render(
        "nginx/server.conf.j2",
        site.block,
        _("the server block"),
        {
            "shows": say(_("What the server shows to clients")),
            "asks": say(_("What clients must show to the server: a certificate of this CA")),
            "tells": say(_("What the application is told; a client can't write these headers")),
            "listen": site.listen,
            "names": " ".join(site.names) or "_",
            "http2": site.http2,
            "certificate": quoted(site.folder / site.certificate),
            "key": quoted(site.folder / site.key),
            "password_file": quoted(site.password_file) if site.password_file else "",
            "ca": quoted(site.folder / site.ca),
            "depth": site.depth,
            "crl": quoted(site.folder / CRL) if site.crl else "",
            "ciphers": ":".join((*_CIPHERS, *(_DHE_CIPHERS if site.dhe else ()))),
            "dhparam": quoted(site.folder / DHPARAM) if site.dhe else "",
            "upstream": _upstream(site.upstream) if site.upstream else "",
            "redirect": _redirect_address(site),
            "target": "https://$host" + ("" if tls == _HTTPS else f":{tls}") + "$request_uri",
        },
    )


def around(build: Build, user: str) -> Render:
    """A whole configuration with nothing but our block, for a folder of its own.

    Args:
        build: the nginx that it is for.
        user: user and group of its workers; empty unless it is run by root, which has to say.
    """
    return Render(
        "nginx/nginx.conf.j2",
        CONFIG,
        _("a configuration around the server block"),
        {
            "block": BLOCK,
            "user": user,
            "modules": [
                name for name in _TEMPORARY if f"--without-http_{name}_module" not in build.options
            ],
        },
    )


def quoted(path: PurePath) -> str:
    r"""A path as one word of a configuration: in double quotes, with forward slashes.

    Within them nginx takes a backslash for an escape (`\n` is a line break), and a dollar in the
    path of a certificate for a variable, which nothing can escape (`ngx_conf_file.c`,
    `ngx_http_script.c`).

    Raises:
        SettingRefusedError: the path holds a dollar, a control character, or is not in UTF-8.
    """
    text = path.as_posix()
    if "$" in text:
        raise _unfit(text, _("it holds `$`, and nginx would read the name of a variable there"))
    if _CONTROL.search(text):
        raise _unfit(text, _("it holds a control character"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _unfit(text, _("it is not in UTF-8")) from error
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unfit(text: str, cause: Text) -> SettingRefusedError:
    return SettingRefusedError(
        _("the path {path} can't be written in nginx's configuration", path=ascii(text)),
        cause=cause,
        fix=_("rename the folder, or copy the set to another one"),
    )


def _port(value: str) -> int:
    parts = _LISTEN.fullmatch(value)
    if not parts or int(parts["port"]) not in _PORTS:
        raise SettingRefusedError(
            _("--listen {value} is not a port, or an address and a port", value=repr(value)),
            fix=_("such as 443, 8443, 127.0.0.1:443 or [::]:443"),
        )
    return int(parts["port"])


def _upstream(value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = bool(parts.hostname) and parts.port != 0 and _UPSTREAM.fullmatch(value)
    except ValueError:
        fits = None
    if not fits:
        raise SettingRefusedError(
            _("--upstream {value} is not the address of an application", value=repr(value)),
            fix=_("such as http://127.0.0.1:8080"),
        )
    return value


def _redirect_address(site: Site) -> list[str]:
    """The redirect's `listen`s: the same addresses, on the other port."""
    if site.redirect is None:
        return []
    if any(_port(value) == site.redirect for value in site.listen):
        raise SettingRefusedError(
            _("--redirect {port} is the port that TLS is on", port=site.redirect),
            fix=_("choose another port, usually 80"),
        )
    return list(
        dict.fromkeys(re.sub(r"[0-9]+$", str(site.redirect), value) for value in site.listen)
    )


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What nginx says of a configuration.

    Args:
        fault: its words, where it refuses it; empty where it does not.
        denied: its words, where all that it lacks is the right to a port; it binds them once it
            has read everything.
        warnings: its words, where it finds something strange.
        files: the files that it read.
    """

    fault: str
    denied: str = ""
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def test(*where: str) -> Command:
    """The command that reads a configuration and prints it, whole.

    Args:
        where: options that say which configuration; none for nginx's own.
    """
    # It is not kept: other sites' blocks may hold passwords.
    return Command(
        ("-T", *where), _("have nginx test its configuration"), Kind.TOOL, verdict=True,
        reveals_key=True,
    )  # fmt: skip


def reload(*where: str) -> tuple[str, ...]:
    """Argv by which a running nginx reads its configuration anew."""
    return (*where, "-s", "reload")


def parse_test(exit_code: int | None, stdout: str, stderr: str) -> Verdict:
    """Read what `test` printed."""
    faults = [said for level, said in _messages(stderr) if level in {"emerg", "crit"}]
    denied = [said for said in faults if re.match(r"bind\(\) .*\(13: ", said)]
    others = [said for said in faults if said not in denied]
    if exit_code and not faults:
        others = [stderr.strip() or f"exit code {exit_code}"]
    return Verdict(
        " | ".join(others),
        " | ".join(denied),
        tuple(said for level, said in _messages(stderr) if level == "warn"),
        tuple(re.findall(r"^# configuration file (.*):$", stdout, re.MULTILINE)),
    )


_MESSAGE = re.compile(
    r"^(?:nginx: |[0-9/]{10} [0-9:]{8} )\[(?P<level>\w+)\] (?:\d+#\d+: )?(?P<said>.*)$",
    re.MULTILINE,
)
"""A message; before nginx has read where to log, and where that is standard error."""


def _messages(stderr: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one["level"], one["said"]) for one in _MESSAGE.finditer(stderr)))
