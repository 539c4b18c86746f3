"""`status`: what there is, how it stands, and the exit code that says so."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl.cli import app
from mtls_openssl.desk import own_log
from mtls_openssl.inventory import judging, survey, telling
from mtls_openssl.inventory.entered import oneline
from mtls_openssl.inventory.held import Terms
from mtls_openssl.inventory.things import Node, Severity, State, Stock
from tests import machine, shelf
from tests.terminal import Terminal
from tests.tls_servers import Workshop, context_of, over_tls, serving, web

pytestmark = pytest.mark.end_to_end

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
CA = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign",
      "subjectKeyIdentifier = hash")  # fmt: skip
SERVER = (
    "basicConstraints = CA:FALSE",
    "extendedKeyUsage = serverAuth",
    "authorityKeyIdentifier = keyid",
    "subjectAltName = DNS:a.example, IP:192.0.2.1",
)
CLIENT = (*SERVER[:1], "extendedKeyUsage = clientAuth", SERVER[2])


EC = ("--profile", "modern", "--cert-days", "365")


def stamp(days: float) -> str:
    return f"{NOW + days * DAY:%Y%m%d%H%M%SZ}"


def lasting(days: float) -> tuple[str, str]:
    return stamp(-800), stamp(days + 0.5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    machine.mtls("all", *EC, "--client-cn", "王小明", cwd=folder)
    machine.mtls("server", *EC, cwd=folder)  # so that there is a backup
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An authority with certificates in every state."""
    shop = Workshop.at(tmp_path_factory.mktemp("shop"))
    shop.certificate("ca", None, *CA, dates=lasting(1000))
    shop.certificate("middle", "ca", *CA, dates=lasting(500))
    shop.certificate("fine", "middle", *SERVER, dates=lasting(100))
    shop.certificate("soon", "middle", *SERVER, dates=lasting(7))
    shop.certificate("over", "middle", *CLIENT, dates=lasting(-3))
    shop.certificate("later", "middle", *CLIENT, dates=(stamp(5.5), stamp(100)))
    shop.certificate("outlived", "middle", *SERVER, dates=lasting(900))
    shop.certificate("leaver", "middle", *CLIENT, dates=lasting(100))
    shop.certificate("stolen", "middle", *SERVER, dates=lasting(100))
    for name in ("leaver", "stolen"):
        shop.openssl("ca", "-revoke", f"{name}.crt", "-cert", "middle.crt", "-keyfile",
                     "middle.key", "-crl_reason", "keyCompromise")  # fmt: skip
    shop.certificate("strange", "middle", *SERVER, dates=lasting(100))
    shutil.copy(shop.folder / "soon.key", shop.folder / "strange.key")
    (shop.folder / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    for rest in (
        *shop.folder.glob("*.csr"),
        *shop.folder.glob("0*.pem"),
        *shop.folder.glob("1*.pem"),
    ):
        rest.unlink()
    return shop


def looked_at(folder: Path, now: dt.datetime = NOW, within: int = 30) -> Stock:
    return survey.of_path(folder, Terms(now, within * DAY))


def by_file(folder: Path, now: dt.datetime = NOW) -> dict[str, Node]:
    return {node.file: node for node in survey.flat(looked_at(folder, now))}


def tree(nodes: Sequence[Node]) -> dict[str, Any]:
    return {node.file: tree(node.children) for node in nodes}


def asked(
    *argv: str | Path, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> Result:
    """What `status` says, run in this process."""
    ours = {"MTLS_P12_PASSWORD": machine.PASSWORD, **(env or {})}
    with contextlib.chdir(cwd), pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtls_openssl.cli.secret._taken", {})
        done = CliRunner().invoke(app, ["status", *map(str, argv)], env=ours)
    assert done.exit_code == code, done.output
    return done


def status(
    *argv: str | Path, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> str:
    return asked(*argv, cwd=cwd, code=code, env=env).stdout


# A set that we made.


def test_a_set_is_shown_as_a_tree_with_days_and_backups(made: Path) -> None:
    lines = status(cwd=made).splitlines()

    assert re.match(
        r"ca\.crt  +MyRootCA  +root CA  +\d{4}-\d\d-\d\d  3649 days left  fine$", lines[0]
    )
    assert re.match(
        r"├─ server\.crt  +server\.your_domain\.com  +server  .*364 days left  fine$", lines[1]
    )
    assert "also for localhost, api.your_domain.com, 127.0.0.1" in lines[2]
    assert re.match(r"└─ client\.crt  +王小明  +client  .*364 days left  fine$", lines[3])
    assert lines[4].endswith("also for xn--yeto6u69k")
    assert re.match(r"   └─ client\.p12  +PKCS#12  +fine$", lines[5])
    assert lines[7] == "3 certificates, all fine."
    assert re.match(r"Backups: 1, the latest of \d{4}", lines[9])


def test_the_columns_are_straight_in_chinese_too(made: Path) -> None:
    from mtls_openssl.language import width

    told = machine.started("status", "--lang", "zh", cwd=made).stdout.splitlines()
    places = {
        width(line[: match.start()])
        for line in told
        if (match := re.search(r"\d{4}-\d\d-\d\d  ", line))
    }

    assert "王小明" in "".join(told)
    assert len(places) == 1


def test_it_needs_neither_openssl_nor_a_log(made: Path, tmp_path: Path) -> None:
    before = own_log().stat().st_size if own_log().exists() else 0
    log = (made / "mtls-audit.jsonl").read_bytes()
    env = {"MTLS_OPENSSL": str(tmp_path / "no-openssl")}

    assert "all fine" in status(cwd=made, env=env)
    assert (own_log().stat().st_size if own_log().exists() else 0) == before
    assert (made / "mtls-audit.jsonl").read_bytes() == log


@pytest.mark.parametrize("form", [(), ("--nagios",), ("--json",)])
def test_what_ends_within_the_days_asked_for_is_soon(made: Path, form: tuple[str, ...]) -> None:
    status("--within", "363", *form, cwd=made)
    status("--soon", "365d", *form, cwd=made, code=1)


def test_data_for_a_program_has_it_all(made: Path) -> None:
    told = json.loads(status("--json", cwd=made))
    (place,) = told["places"]
    server = next(one for one in place["certificates"] if one["role"] == "server")

    assert (told["ok"], told["state"], told["exit"]) == (True, "fine", 0)
    assert (server["file"], server["below"], server["key_file"]) == (
        "server.crt", "ca.crt", "server.key",
    )  # fmt: skip
    assert server["days_left"] == 364
    assert "DNS:localhost" in server["names"]
    assert [one["file"] for one in place["pkcs12"]] == ["client.p12"]
    assert len(place["backups"]) == 1


def test_a_password_lets_it_look_into_pkcs12(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "copy")
    open_ = ("--password-env", "MTLS_P12_PASSWORD")
    assert "client.p12" in status(*open_, cwd=folder)
    machine.mtls("client", *EC, cwd=folder)
    shutil.copy(made / "client.p12", folder)

    told = status(*open_, cwd=folder, code=1)

    assert "HOLDS ANOTHER CERTIFICATE" in told
    assert "it holds another certificate than client.crt: pack it again" in told


def test_a_pkcs12_file_that_was_named_and_can_not_be_opened_is_not_fine(made: Path) -> None:
    assert "it has a password, which was not given" in status("client.p12", cwd=made, code=7)
    wrong = ("--password-env", "OTHER")
    told = status("client.p12", *wrong, cwd=made, code=7, env={"OTHER": "another"})
    assert "the password is not the one of this file" in told
    status(*wrong, cwd=made, env={"OTHER": "another"})
    told = status("client.p12", "--password-env", "MTLS_P12_PASSWORD", cwd=made)
    assert re.match(r"client\.p12  王小明  PKCS#12  .*364 days left  fine", told)


def test_a_pkcs12_file_of_before_a_renewal_is_noticed(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "copy")
    old = (folder / "client.crt").stat().st_mtime - 86400
    os.utime(folder / "client.p12", (old, old))

    assert by_file(folder)["client.p12"].notes == (
        "it is older than client.crt: it may hold the certificate before",
    )


# States.


def test_every_state_is_told(shop: Workshop) -> None:
    found = {name: node.verdict.state for name, node in by_file(shop.folder).items()}

    assert found == {
        "ca.crt": State.FINE, "middle.crt": State.FINE, "fine.crt": State.FINE,
        "soon.crt": State.SOON, "over.crt": State.OVER, "later.crt": State.NOT_YET,
        "outlived.crt": State.OUTLIVED, "leaver.crt": State.REVOKED, "stolen.crt": State.REVOKED,
        "strange.crt": State.MISMATCH, "broken.crt": State.BROKEN,
    }  # fmt: skip


def test_a_client_that_left_is_no_alarm_but_a_server_that_nobody_trusts_is(shop: Workshop) -> None:
    found = by_file(shop.folder)

    assert found["leaver.crt"].verdict.severity is Severity.FINE
    assert found["stolen.crt"].verdict.severity is Severity.OVER
    why = found["leaver.crt"].verdict.why
    assert re.fullmatch(r"revoked on \d{4}-\d\d-\d\d: keyCompromise", why)


def test_its_help_says_whose_revocation_is_no_alarm_and_whose_is(tmp_path: Path) -> None:
    said = " ".join(status("--help", cwd=tmp_path).split())

    assert "0: all is fine, a revoked client included;" in said
    assert "or a server or a CA is revoked;" in said


def test_who_was_issued_by_whom_makes_the_tree(shop: Workshop) -> None:
    names = tree(looked_at(shop.folder).nodes)

    assert list(names) == ["ca.crt", "broken.crt"]
    assert list(names["ca.crt"]) == ["middle.crt"]
    assert list(names["ca.crt"]["middle.crt"]) == [
        "fine.crt", "outlived.crt", "soon.crt", "stolen.crt", "strange.crt",
        "later.crt", "leaver.crt", "over.crt",
    ]  # fmt: skip


def test_what_outlives_its_ca_is_soon_and_over_with_it(shop: Workshop) -> None:
    def severity(days: int) -> tuple[State, Severity]:
        verdict = by_file(shop.folder, NOW + days * DAY)["outlived.crt"].verdict
        return verdict.state, verdict.severity

    assert severity(0) == (State.OUTLIVED, Severity.FINE)
    assert severity(480) == (State.OUTLIVED, Severity.SOON)
    assert severity(600) == (State.OUTLIVED, Severity.OVER)
    assert severity(880) == (State.OUTLIVED, Severity.OVER)  # and it ends soon itself
    why = by_file(shop.folder, NOW + 600 * DAY)["outlived.crt"].verdict.why
    assert why.endswith("and everybody refuses it since")


def test_the_worst_of_all_is_the_exit_code_and_the_rest_is_told_quietly(shop: Workshop) -> None:
    told = status("--quiet", cwd=shop.folder, code=2)

    assert "strange.key is the key of another certificate" in told
    assert "fine.crt" not in told


def test_an_ed25519_key_is_compared_by_openssl(tmp_path: Path) -> None:
    (tmp_path / "shelf.cnf").write_text(shelf.CONFIG)
    shelf.key(tmp_path, "root", *shelf.ED25519)
    shelf.self_sign(tmp_path, "root", "root", days=400)
    told = json.loads(status("--json", cwd=tmp_path))
    assert told["places"][0]["certificates"][0]["key_file"] == "root.key"

    shelf.key(tmp_path, "root", *shelf.ED25519)
    assert "KEY DOES NOT MATCH" in status(cwd=tmp_path, code=2)


# Lists of revoked certificates.


@pytest.fixture
def listed(shop: Workshop, tmp_path: Path) -> Iterator[Path]:
    """The authority with a list of 30 days, and no register beside it."""
    shop.openssl("ca", "-gencrl", "-cert", "middle.crt", "-keyfile", "middle.key", "-crldays", "30",
                 "-out", "crl.pem")  # fmt: skip
    for name in ("ca.crt", "middle.crt", "fine.crt", "leaver.crt", "crl.pem"):
        shutil.copy(shop.folder / name, tmp_path)
    shop.openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", str(tmp_path / "crl.der"))
    yield tmp_path
    (shop.folder / "crl.pem").unlink()


def test_a_list_hangs_below_its_ca_and_revokes(listed: Path) -> None:
    found = by_file(listed)

    assert tree(looked_at(listed).nodes)["ca.crt"]["middle.crt"]["crl.pem"] == {}
    assert [place.file for place in found["crl.pem"].places] == ["crl.pem", "crl.der"]
    assert found["leaver.crt"].verdict.state is State.REVOKED
    assert found["leaver.crt"].verdict.why.endswith("Key Compromise")
    assert found["fine.crt"].verdict.state is State.FINE
    assert telling.name(found["crl.pem"]) == "number 1, 2 revoked"


def test_a_list_that_ends_locks_everybody_out_and_is_an_alarm_in_time(listed: Path) -> None:
    def verdict(days: int) -> tuple[State, Severity, str]:
        found = by_file(listed, NOW + dt.timedelta(days, hours=1))["crl.pem"].verdict
        return found.state, found.severity, found.why

    refuses = "a server that reads it refuses every client"
    assert verdict(0)[:2] == (State.FINE, Severity.FINE)
    assert verdict(15)[:2] == (State.FINE, Severity.FINE)
    assert verdict(21) == (State.SOON, Severity.SOON, f"once it has ended, {refuses}")
    assert verdict(31) == (
        State.OVER,
        Severity.OVER,
        f"{refuses} until there is a new one",
    )
    assert judging.worst(looked_at(listed, NOW + 31 * DAY).nodes) is Severity.OVER


def test_the_newest_list_counts(shop: Workshop, listed: Path) -> None:
    index = shop.folder / "index.txt"
    whole = index.read_text()
    try:
        index.write_text("")
        shop.openssl("ca", "-gencrl", "-cert", "middle.crt", "-keyfile", "middle.key",
                     "-out", str(listed / "newer.pem"))  # fmt: skip
    finally:
        index.write_text(whole)
    assert by_file(listed)["leaver.crt"].verdict.state is State.FINE


# Folders that others made.


@pytest.fixture
def foreign(shop: Workshop, tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "live" / "a").mkdir(parents=True)
    (folder / "backup").mkdir()
    (folder / ".git").mkdir()
    for hidden in ("backup", ".git"):
        shutil.copy(shop.folder / "over.crt", folder / hidden)
    shop.openssl("x509", "-in", "ca.crt", "-outform", "DER", "-out", str(folder / "root.cer"))
    chain = shelf.joined(shop.folder, "chain", "fine.crt", "middle.crt").read_bytes()
    (folder / "live" / "a" / "fullchain.pem").write_bytes(chain)
    (folder / "live" / "a" / "privkey.pem").write_bytes((shop.folder / "fine.key").read_bytes())
    shop.openssl("crl2pkcs7", "-nocrl", "-certfile", "soon.crt", "-outform", "DER", "-out",
                 str(folder / "soon.p7b"))  # fmt: skip
    (folder / "readme.txt").write_text("nothing")
    (folder / "picture.bin").write_bytes(b"0\x82\x01\x00picture")
    return folder


def test_a_folder_of_others_is_read_with_all_that_is_in_it(foreign: Path) -> None:
    stock = looked_at(foreign)
    full = f"live{os.sep}a{os.sep}fullchain.pem"
    nodes = {node.file: node for node in survey.flat(stock)}

    assert tree(stock.nodes) == {
        "root.cer": {f"{full} #2": {f"{full} #1": {}, "soon.p7b": {}}}
    }  # fmt: skip
    assert nodes[f"{full} #1"].key == f"live{os.sep}a{os.sep}privkey.pem"
    assert stock.passed_over == ()


def test_a_certificate_without_its_issuer_says_who_that_is(foreign: Path) -> None:
    (foreign / "root.cer").unlink()
    (root,) = looked_at(foreign).nodes

    assert root.notes == ("issued by ca, which is not here",)


def test_a_single_file_and_a_place_without_any_are_told(foreign: Path, tmp_path: Path) -> None:
    done = asked(foreign / "soon.p7b", tmp_path / "none", cwd=tmp_path, code=7)
    assert "ends soon" in done.stdout
    assert f"There is no folder or file {tmp_path / 'none'}." in done.stderr
    (tmp_path / "empty").mkdir()
    done = asked("empty", cwd=tmp_path, code=7)
    assert f"There is no certificate in {tmp_path / 'empty'}." in done.stderr
    assert status("empty", "--nagios", cwd=tmp_path, code=3).startswith("CERTIFICATES UNKNOWN - ")
    done = asked("--out", foreign / "soon.p7b", cwd=tmp_path, code=7)
    assert f"There is no folder {foreign / 'soon.p7b'}." in done.stderr


def test_what_can_not_be_read_is_broken_where_its_name_promises_something(foreign: Path) -> None:
    (foreign / "empty.crt").touch()
    (foreign / "empty.md").touch()
    (foreign / "cut.der").write_bytes((foreign / "root.cer").read_bytes()[:99])
    broken = [node for node in looked_at(foreign).nodes if node.verdict.state is State.BROKEN]

    assert [(node.file, node.verdict.why) for node in broken] == [
        ("cut.der", "it is DER, but cut off, damaged or of no kind that is known here"),
        ("empty.crt", "it is empty"),
    ]


# A server.


def test_a_server_is_asked_for_what_it_sends(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        told = status(f"localhost:{port}", cwd=made)
        data = json.loads(status(f"127.0.0.1:{port}", "--json", cwd=made))
    (place,) = data["places"]

    assert re.search(
        rf"localhost:{port} #1  +server\.your_domain\.com  server  .*364 days left  fine", told
    )
    assert place["kind"] == "server"
    assert [one["common_name"] for one in place["certificates"] if one["role"] == "server"] == [
        "server.your_domain.com"
    ]


def test_a_server_that_is_not_there_is_told_and_the_rest_as_well(made: Path) -> None:
    done = asked(".", "localhost:1", cwd=made, code=7)

    assert "client.p12" in done.stdout
    assert "localhost:1 can't be reached." in done.stderr
    assert status("localhost:1", "--nagios", cwd=made, code=3).startswith("CERTIFICATES UNKNOWN - ")


# Monitors.


def test_nagios_gets_one_line_with_performance_data(shop: Workshop, made: Path) -> None:
    calm = status("--nagios", cwd=made)
    alarm = status("--nagios", cwd=shop.folder, code=2)

    assert calm.startswith("CERTIFICATES OK - 3 certificates, all fine; the first to end is ")
    assert (
        " | certificates=3;;;0 soon=0;;;0 over=0;;;0 days_left=364;30:;0: 'client.crt'=364;" in calm
    )
    assert alarm.startswith("CERTIFICATES CRITICAL - ")
    for line in (calm, alarm):
        assert line.count("\n") == 1
        assert line.count("|") == 1


def test_a_name_can_neither_end_the_line_nor_begin_the_data(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("x", None, *CA, subject="/CN=a | b=1\\\nOK", dates=lasting(3))
    line = status("--nagios", "x.crt", cwd=tmp_path, code=1)

    assert (line.count("\n"), line.count("|")) == (1, 1)


SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})?'
    r" (?P<value>-?\d+)"
)


def samples(text: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)$", line)
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        key = sample["name"], sample["labels"] or ""
        assert key not in found
        found[key] = int(sample["value"])
    return found


def test_prometheus_gets_metrics_in_its_own_form(shop: Workshop, listed: Path) -> None:
    found = samples(status(".", "--prometheus", cwd=listed))
    names = {name for name, _labels in found}
    after = {
        labels: value
        for (name, labels), value in found.items()
        if name == "mtls_certificate_not_after_timestamp_seconds"
    }
    (fine,) = (labels for labels in after if 'file="fine.crt"' in labels)

    assert names >= {"mtls_certificate_status", "mtls_crl_next_update_timestamp_seconds"}
    assert re.search(r'cn="fine",issuer_cn="middle",role="server",serial="[0-9A-F]+"$', fine)
    assert abs(after[fine] - (NOW + 100.5 * DAY).timestamp()) < 2
    lists = [labels for name, labels in found if name == "mtls_crl_status"]
    assert len(lists) == 2  # as PEM and as DER


def test_a_hostile_name_stays_in_its_label(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("x", None, *CA, subject='/CN=a"} 1\\\n b\\\\', dates=lasting(300))
    found = samples(status("x.crt", "--prometheus", cwd=tmp_path))

    assert any(r'cn="a\"} 1\n b\\"' in labels for _name, labels in found)


def test_metrics_are_put_in_a_file_in_one_instant_for_everybody(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "mtls.prom"
    for _ in range(2):
        assert status("--prometheus", "--write", file, cwd=made) == ""
    assert samples(file.read_text("utf-8"))
    assert [one.name for one in tmp_path.iterdir()] == ["mtls.prom"]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_metrics_never_replace_a_file_that_is_not_ours(made: Path) -> None:
    key = (made / "ca.key").read_bytes()
    done = asked("--prometheus", "--write", "ca.key", cwd=made, code=7)

    assert "was not touched" in done.stderr
    assert (made / "ca.key").read_bytes() == key


@pytest.mark.parametrize(
    "argv", [("--json", "--nagios"), ("--write", "x"), ("--within", "many")], ids=" ".join
)
def test_options_that_make_no_sense_are_refused(made: Path, argv: tuple[str, ...]) -> None:
    status(*argv, cwd=made, code=2)


# Colour.


@pytest.mark.posix
def test_colour_is_there_at_a_terminal_only_and_says_nothing_alone(made: Path) -> None:
    def shown(env: Mapping[str, str]) -> str:
        ours = {**os.environ, "PYTHONPATH": str(machine.CHECKOUT), "TERM": "xterm", **env}
        argv = [sys.executable, "-m", "mtls_openssl", "status"]
        with Terminal(*argv, env=ours, cwd=made) as terminal:
            terminal.exit()
        return terminal.shown.replace("\r\n", "\n")

    plain, coloured = shown({"NO_COLOR": "1"}), shown({})
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[" not in status(cwd=made)


def test_a_register_above_the_folder_of_the_certificates_counts(
    shop: Workshop, tmp_path: Path
) -> None:
    (tmp_path / "newcerts").mkdir()
    shutil.copy(shop.folder / "leaver.crt", tmp_path / "newcerts" / "07.pem")
    shutil.copy(shop.folder / "index.txt", tmp_path)
    (node,) = looked_at(tmp_path).nodes

    assert node.verdict.state is State.REVOKED


def test_a_newer_certificate_for_the_same_names_is_pointed_at(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("ca", None, *CA, dates=lasting(1000))
    for name, days in (("old", 5), ("new", 300)):
        shop.certificate(name, "ca", *SERVER, subject="/CN=a.example", dates=lasting(days))
    found = by_file(tmp_path)

    assert found["old.crt"].notes == ("a newer one for the same names is new.crt",)
    assert found["old.crt"].verdict.severity is Severity.SOON
    assert found["new.crt"].notes == ()


def test_a_name_of_the_register_is_written_as_openssl_does(shop: Workshop) -> None:
    lines = (shop.folder / "index.txt").read_text().splitlines()
    (leaver,) = (line for line in lines if line.endswith("/CN=leaver"))

    assert leaver.split("\t")[5] == oneline((("CN", "leaver"),))


@pytest.mark.windows
def test_a_folder_of_a_name_that_windows_does_not_allow_is_told_to_be_so(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["status", "--out", str(tmp_path / "a<b")]).stderr

    assert "holds a character that Windows does not allow" in said
    assert "as the user who owns" not in said
