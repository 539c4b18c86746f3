"""Ways to make a healthy set ill, and a doctor to ask about it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mtls_openssl import doctor
from mtls_openssl.audit import LOG
from mtls_openssl.desk import at
from mtls_openssl.doctor import Finding, Patient, Request
from mtls_openssl.doctor.patient import BUNDLES
from mtls_openssl.locate import Search, find
from mtls_openssl.process import Door
from mtls_openssl.workspace import commit
from tests.machine import CHECKOUT, PASSWORD, mtls, openssl, ran

NOW = dt.datetime.now(dt.UTC)
SERVER = (
    "authorityKeyIdentifier = keyid", "basicConstraints = CA:FALSE",
    "keyUsage = digitalSignature", "extendedKeyUsage = serverAuth",
    "subjectAltName = DNS:server.your_domain.com, DNS:localhost, IP:127.0.0.1",
)  # fmt: skip
CLIENT = (*SERVER[:3], "extendedKeyUsage = clientAuth")
CA = ("subjectKeyIdentifier = hash", "basicConstraints = critical,CA:TRUE",
      "keyUsage = critical,keyCertSign")  # fmt: skip
HARMLESS = {"openssl-old", "openssl-config", "openssl-passed-over"}
"""What is the matter with the computer of the test, and not with the set."""

if sys.platform == "win32":
    # Wine keeps no permissions of files, and calls itself Windows 7.
    HARMLESS |= {"key-open", "p12-reader"}
_CONFIG = """\
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
unique_subject = no
rand_serial = yes
policy = any
email_in_dn = no
copy_extensions = none
[any]
commonName = supplied
"""


def findings(
    folder: Path, *, domain: str = "", reader: str = "", password: str | None = PASSWORD,
    now: dt.datetime | None = None,
) -> tuple[Finding, ...]:  # fmt: skip
    """What the doctor says of a set."""
    return doctor.examine(patient(folder, domain=domain, reader=reader, password=password, now=now))


def patient(
    folder: Path, *, domain: str = "", reader: str = "", password: str | None = PASSWORD,
    now: dt.datetime | None = None,
) -> Patient:  # fmt: skip
    """What the doctor sees of a set."""
    bundles = {*BUNDLES, *(path.name for path in folder.glob("*.p12"))}
    passwords = {} if password is None else dict.fromkeys(bundles, password)
    request = Request(folder, now or dt.datetime.now(dt.UTC), domain, reader, passwords)
    return _looked_at(request, _search())


def unaided(folder: Path, *, now: dt.datetime | None = None) -> tuple[Finding, ...]:
    """What the doctor says of a set without openssl: of clocks, settings, permissions, the log."""
    request = Request(folder, now or dt.datetime.now(dt.UTC))
    found = doctor.examine(_looked_at(request, Search((), None)))
    return tuple(one for one in found if one.code != "openssl-missing")


def asked(
    examined: Patient, *, now: dt.datetime | None = None, domain: str = "", reader: str = ""
) -> tuple[Finding, ...]:
    """What the doctor says of what was seen once, to whom something else matters."""
    request = dataclasses.replace(
        examined.request, now=now or examined.request.now, domain=domain, reader=reader
    )
    return doctor.examine(dataclasses.replace(examined, request=request))


def _looked_at(request: Request, search: Search) -> Patient:
    door = Door()
    log = doctor.proven_log(request.folder)
    with at(request.folder, search, door=door, purpose="doctor") as desk:
        return doctor.look(desk, request, search, None, log)


@functools.cache
def _search() -> Search:
    return find(None, Door())


def of_the_set(found: Iterable[Finding]) -> list[Finding]:
    """Those of the findings that the set is to blame for."""
    return [finding for finding in found if finding.code not in HARMLESS]


def codes(found: Iterable[Finding]) -> list[str]:
    """The codes of the findings that the set is to blame for."""
    return [finding.code for finding in of_the_set(found)]


def heed(mend: str, folder: Path) -> None:
    """Do what mends something: a command of ours in this process, any other as `take` does."""
    words = _words(mend)
    if words[:3] != ["python", "-m", "mtls_openssl"]:
        take(mend, folder)
        return
    done = mtls(*words[3:], cwd=folder, exit_code=None)
    assert done.returncode in _content(mend), f"{mend}\n{done.stdout}\n{done.stderr}"


def _words(line: str) -> list[str]:
    if sys.platform != "win32":
        return shlex.split(line)
    return [word.replace('"', "") for word in re.findall(r'(?:[^\s"]|"[^"]*")+', line)]


def _content(mend: str) -> set[int]:
    # Wine keeps no permissions, so that the doctor is never quite content there.
    return {0, 5} if sys.platform == "win32" and "doctor" in mend else {0}


def take(mend: str, folder: Path) -> None:
    """Type the command that mends something, as a person does."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {
        **os.environ, "PATH": path, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8",
        "MTLS_P12_PASSWORD": PASSWORD,
    }  # fmt: skip
    done = subprocess.run(
        mend, shell=True, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    said = f"{done.stdout.decode()}\n{done.stderr.decode()}"
    assert done.returncode in _content(mend), f"{mend}\n{said}"


def ssl(folder: Path, *argv: str) -> str:
    """Run openssl in `folder` with a configuration of our own."""
    # A bare name: openssl.exe can't open a path outside the code page of Windows.
    config = folder / "by-hand.cnf"
    config.write_text(_CONFIG)
    try:
        return ran(openssl(), *argv, cwd=folder, env={"OPENSSL_CONF": config.name}).stdout
    finally:
        config.unlink()


def issue(
    folder: Path,
    owner: str,
    *,
    extensions: Sequence[str] | None = None,
    begin: dt.timedelta = dt.timedelta(0),
    end: dt.timedelta = dt.timedelta(365),
    digest: str = "sha256",
    by: Path | None = None,
    self_signed: bool = False,
) -> None:
    """Make the certificate of an owner anew, for the key it has, with openssl ca(1)."""
    subject = {"ca": "/CN=MyRootCA", "server": "/CN=server.your_domain.com"}
    work = folder.parent / f"{folder.name}-work"
    work.mkdir(exist_ok=True)
    for name in ("ca.crt", "ca.key"):
        shutil.copy((by or folder) / name, work)
    shutil.copy(folder / f"{owner}.key", work)
    lines = (SERVER if owner == "server" else CLIENT) if extensions is None else extensions
    (work / "v3.ext").write_text("\n".join(lines) + "\n")
    (work / "index.txt").write_text("")
    ssl(work, "req", "-new", "-key", f"{owner}.key", "-out", "x.csr",
        "-subj", subject.get(owner, "/CN=client1"))  # fmt: skip
    signer = ("-selfsign", "-keyfile", f"{owner}.key") if self_signed else (
        "-cert", "ca.crt", "-keyfile", "ca.key"
    )  # fmt: skip
    ssl(work, "ca", "-batch", "-notext", *signer, "-md", digest, "-in", "x.csr",
        "-startdate", _time(begin), "-enddate", _time(end), "-extfile", "v3.ext",
        "-out", "x.crt")  # fmt: skip
    (work / "x.crt").replace(folder / f"{owner}.crt")


def _time(offset: dt.timedelta) -> str:
    return f"{NOW + offset:%Y%m%d%H%M%SZ}"


def unlogged(folder: Path) -> None:
    """Take the log away, which would tell of every planted fault as well."""
    (folder / LOG).unlink(missing_ok=True)


def rewritten(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A plant that changes the bytes of a file."""

    def plant(folder: Path) -> None:
        file = folder / name
        file.write_bytes(change(file.read_bytes()))

    return plant


def moved(source: str, target: str) -> Callable[[Path], None]:
    """A plant that puts one file in another's place."""

    def plant(folder: Path) -> None:
        shutil.copy(folder / source, folder / target)

    return plant


def gone(*names: str) -> Callable[[Path], None]:
    """A plant that removes files."""

    def plant(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return plant


def journal(folder: Path) -> None:
    """A run that was cut off in the middle of its move: the stage has the rest."""
    stage = folder / commit.STAGE
    stage.mkdir(mode=0o700)
    (folder / "server.crt").replace(stage / "server.crt")
    commit.write_journal(folder, commit.Journal("", (), ("server.crt",), ("server.crt",)))


def numbered(folder: Path) -> None:
    """Two certificates with one serial number."""
    for owner, lines in (("server", SERVER), ("client", CLIENT)):
        (folder / "v3.ext").write_text("\n".join(lines) + "\n")
        ssl(folder, "req", "-new", "-key", f"{owner}.key", "-out", "x.csr", "-subj", f"/CN={owner}")
        ssl(folder, "x509", "-req", "-in", "x.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-set_serial", "1", "-days", "99", "-extfile", "v3.ext",
            "-out", f"{owner}.crt")  # fmt: skip
    gone("v3.ext", "x.csr")(folder)


def serial(folder: Path, owner: str) -> str:
    """The serial number of a certificate."""
    said = ssl(folder, "x509", "-in", f"{owner}.crt", "-noout", "-serial")
    found = re.search(r"serial=(\w+)", said)
    assert found
    return found[1]
