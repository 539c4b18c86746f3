"""`schedule`: what cron, systemd and Windows are told, word by word, and read back."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl.cli.schedule import Kind
from mtls_openssl.desk import at
from mtls_openssl.errors import (
    CommandFailedError,
    NotProvenError,
    SettingRefusedError,
    UsageError,
)
from mtls_openssl.language import _
from mtls_openssl.locate import Search
from mtls_openssl.process import Door
from mtls_openssl.schedule import Job, Plan, cron, jobs, systemd, tasks
from mtls_openssl.schedule.installing import Scheduler
from mtls_openssl.schedule.jobs import ourselves
from tests.machine import mtls, ran
from tests.trusting import host, program

PURPOSE = _("renew what ends soon")
ODD = '50% o\'clock $HOME \\ "x" 证书'


def plan_for(folder: Path, *words: str) -> Plan:
    job = Job("renew", PURPOSE, ("/py/python", *words, "--out", str(folder)), 1, (10,))
    other = Job("crl", PURPOSE, ("/py/python", "crl", "--out", str(folder)), 7)
    return Plan(folder, 3, 30, (job, other))


# What is run


def test_the_set_is_renewed_and_its_list_kept_fresh(tmp_path: Path) -> None:
    renew, crl = jobs(tmp_path, "6w", tmp_path / "openssl")
    end = ("--quiet", "--out", str(tmp_path), "--openssl", str(tmp_path / "openssl"))
    assert renew.argv[-8:] == ("renew", "--within", "6w", *end)
    assert jobs(tmp_path, "", tmp_path / "openssl")[0].argv[-6:] == ("renew", *end)
    assert crl.argv[-6:] == ("crl", *end)
    assert (renew.every, crl.every, renew.fine) == (1, 7, (10,))
    assert Path(renew.argv[0]) == Path(sys.executable)


def test_the_program_is_started_from_any_folder(tmp_path: Path) -> None:
    assert ourselves("py", "x.pyz") == ("py", str(Path.cwd() / "x.pyz"))
    packages = next(Path(one) for one in sys.path if one.endswith("site-packages"))
    assert ourselves("py", "x", packages / "mtls_openssl") == ("py", "-P", "-m", "mtls_openssl")
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*ourselves(), "--version"], cwd=tmp_path, env=bare, capture_output=True, check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.stdout.startswith(b"mtls-openssl ")


# cron


def as_cron_runs_it(line: str, folder: Path) -> list[str]:
    """The arguments that a command gets from cron (crontab(5)): `\\%` is `%` to it."""
    command = line.split(" ", 5)[5]
    assert not command.replace("\\%", "").count("%")
    script = folder / "show"
    program(script, f"exec {shlex.quote(sys.executable)} -c 'import json,sys;"
                    " print(json.dumps(sys.argv[1:]))' \"$@\"")  # fmt: skip
    shown = command.replace("/py/python", shlex.quote(str(script)), 1).replace("\\%", "%")
    arguments: list[str] = json.loads(ran("/bin/sh", "-c", shown, cwd=folder).stdout)
    return arguments


@pytest.mark.posix
@pytest.mark.parametrize("folder", ["/srv/certs", f"/srv/{ODD}", "/srv/# x", "/srv/a;b&c"])
def test_cron_hands_every_word_on_as_it_is(folder: str, tmp_path: Path) -> None:
    plan = plan_for(Path(folder), "renew", "--within", "30d")
    line = cron.line(plan, plan.jobs[0])
    assert line.startswith("30 3 * * * ")
    assert as_cron_runs_it(line, tmp_path) == ["renew", "--within", "30d", "--out", folder]
    assert cron.line(plan, plan.jobs[1]).startswith("30 3 * * 0 ")


@pytest.mark.posix
def test_other_lines_of_a_crontab_stay_as_they_are() -> None:
    mine, theirs = plan_for(Path("/srv/a")), plan_for(Path("/srv/a b"))
    others = "# my own\nMAILTO=me\n0 1 * * * /bin/x   # renew /srv/a\n"
    once = cron.added(cron.added(others, theirs), mine)
    assert cron.added(once, mine) == once
    assert cron.removed(once, mine) == cron.added(others, theirs)
    assert cron.removed(cron.removed(once, theirs), mine) == others
    assert cron.added("no end", mine).startswith("no end\n30 3")


def test_a_path_that_has_no_place_on_a_line_is_refused() -> None:
    plan = plan_for(Path("/srv/a\nb"))
    with pytest.raises(SettingRefusedError):
        cron.line(plan, plan.jobs[0])


# systemd


def test_systemd_hands_every_word_on_as_it_is() -> None:
    plan = plan_for(Path("/srv") / 'a%b$c "d"', "renew")
    service, timer = list(systemd.units(plan).values())[:2]
    last = str(plan.folder).replace("\\", "\\\\").replace('"', '\\"')
    last = last.replace("%", "%%").replace("$", "$$")
    assert f'ExecStart="/py/python" "renew" "--out" "{last}"\n' in service
    assert "SuccessExitStatus=10\n" in service
    assert "OnCalendar=*-*-* 03:30:00\n" in timer
    assert (
        "OnCalendar=Sun *-*-* 03:30:00\n"
        in systemd.units(plan)[f"mtls-openssl-{plan.called(plan.jobs[1])}.timer"]
    )


# Windows


def test_schtasks_gets_the_command_quoted_as_windows_takes_it_apart() -> None:
    folder = PureWindowsPath(r"C:\Users\李 雷\证书 a&b")
    python = r"C:\Program Files\Python\python.exe"
    argv = (python, "-P", "-m", "mtls_openssl", "renew", "--out", str(folder))
    plan = Plan(Path(str(folder)), 3, 5, (Job("renew", PURPOSE, argv, 7),))
    (job,) = plan.jobs
    assert tasks.create(plan, job) == (
        "/Create", "/F", "/TN", f"mtls-openssl\\{plan.called(job)}", "/SC", "DAILY", "/MO", "7",
        "/ST", "03:05", "/TR",
        f'"{python}" -P -m mtls_openssl renew --out "{folder}"',
    )  # fmt: skip


@pytest.mark.parametrize("folder", ["C:\\%TEMP%", "C:\\" + "x" * 250])
def test_what_the_task_scheduler_would_take_amiss_is_refused(folder: str) -> None:
    plan = plan_for(Path(folder))
    with pytest.raises(SettingRefusedError):
        tasks.create(plan, plan.jobs[0])


# Installed, with programs that this machine can't have


@contextlib.contextmanager
def scheduler(root: Path, platform: str) -> Iterator[Scheduler]:
    machine = host(root, platform, PATH=str(root / "bin")).machine
    door = Door()
    with at(root, Search((), None), door=door, purpose="schedule") as desk:
        yield Scheduler(desk, machine, lambda _argv: None, root)


def argvs(fp: FakeProcess) -> list[list[str]]:
    return [list(map(str, call))[1:] for call in fp.calls if not isinstance(call, str)]


CRONTAB = """cd "$(dirname "$0")" || exit 9
echo "$*" >> calls
if [ "$1" = -l ]; then
  [ -f table ] && exec cat table
  echo "no crontab for me" >&2
  exit 1
fi
cat "$OLDPWD/$1" > table
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The table that a crontab keeps which stands in for the real one: it is every user's own."""
    program(tmp_path / "bin" / "crontab", CRONTAB)
    return tmp_path / "bin" / "table"


@pytest.mark.posix
@pytest.mark.parametrize("before", [None, "", "0 1 * * * /bin/x 50\\% 证书\n"])
def test_crontab_gets_the_lines_and_gives_them_back(
    before: str | None, tmp_path: Path, table: Path
) -> None:
    plan = plan_for(tmp_path / "set")
    if before is not None:
        table.write_text(before, "utf-8")
    with scheduler(tmp_path, "linux") as one:
        one.install(plan)
        assert table.read_text("utf-8") == cron.added(before or "", plan)
        one.install(plan)
        assert one.remove(plan)
        assert table.read_text("utf-8") == (before or "")
        assert not one.remove(plan)
    assert (tmp_path / "bin" / "calls").read_text().splitlines() == [
        "-l", "crontab.txt", "-l", "-l", "-l", "crontab.txt", "-l", "-l",
    ]  # fmt: skip


@pytest.mark.posix
def test_a_crontab_that_did_not_take_it_is_no_success(tmp_path: Path, table: Path) -> None:
    table.write_text("")
    program(table.parent / "crontab", CRONTAB.replace("> table", "> /dev/null"))
    with scheduler(tmp_path, "linux") as one, pytest.raises(NotProvenError):
        one.install(plan_for(tmp_path))


@pytest.mark.posix
@pytest.mark.parametrize(
    "script", ["echo you are not allowed to use this program >&2; exit 1", "exit 1",
               "printf '0 1 * * * /bin/\\377\\n'"],
)  # fmt: skip
def test_a_crontab_that_can_not_be_read_is_not_written_over(
    script: str, tmp_path: Path, table: Path
) -> None:
    program(table.parent / "crontab", f'[ "$1" = -l ] || exec touch {table}\n{script}')
    with scheduler(tmp_path, "linux") as one, pytest.raises(CommandFailedError):
        one.install(plan_for(tmp_path))
    assert not table.exists()


@pytest.mark.posix
def test_what_others_have_in_their_crontab_is_not_in_the_log(tmp_path: Path, table: Path) -> None:
    (tmp_path / "mtls-audit.jsonl").touch()
    table.write_text("0 1 * * * /bin/x --password=topsecret\n")
    with scheduler(tmp_path, "linux") as one:
        one.install(plan_for(tmp_path))
    log = (tmp_path / "mtls-audit.jsonl").read_text("utf-8")
    assert '"argv":["crontab","-l"]' in log
    assert "topsecret" not in log


def test_without_a_crontab_systemd_is_named(tmp_path: Path) -> None:
    with scheduler(tmp_path, "linux") as one, pytest.raises(UsageError) as caught:
        one.install(plan_for(tmp_path))
    assert "--for systemd" in caught.value.fix


def test_schtasks_makes_each_task_and_takes_it_away_again(tmp_path: Path, fp: FakeProcess) -> None:
    schtasks = str(tmp_path / "Windows" / "System32" / "schtasks.exe")
    plan = plan_for(Path("C:\\certs"))
    for job in plan.jobs:
        fp.register([schtasks, *tasks.create(plan, job)])
        fp.register([schtasks, *tasks.query(plan, job)], stdout="<Task/>", occurrences=2)
        fp.register([schtasks, *tasks.delete(plan, job)])
        fp.register([schtasks, *tasks.query(plan, job)], returncode=1, occurrences=2)
    with scheduler(tmp_path, "win32") as one:
        one.install(plan)
        assert one.remove(plan)
        assert not one.remove(plan)
    first, second = plan.jobs
    queries = [list(tasks.query(plan, job)) for job in plan.jobs]
    assert argvs(fp) == [
        list(tasks.create(plan, first)), list(tasks.create(plan, second)), *queries,
        *queries, list(tasks.delete(plan, first)), list(tasks.delete(plan, second)), *queries,
        *queries,
    ]  # fmt: skip


def test_a_task_that_is_not_there_afterwards_is_no_success(tmp_path: Path, fp: FakeProcess) -> None:
    schtasks = str(tmp_path / "Windows" / "System32" / "schtasks.exe")
    plan = plan_for(Path("C:\\certs"))
    for job in plan.jobs:
        fp.register([schtasks, *tasks.create(plan, job)])
        fp.register([schtasks, *tasks.query(plan, job)], returncode=1)
    with scheduler(tmp_path, "win32") as one, pytest.raises(NotProvenError):
        one.install(plan)


def test_schtasks_that_refuses_says_why(tmp_path: Path, fp: FakeProcess) -> None:
    schtasks = str(tmp_path / "Windows" / "System32" / "schtasks.exe")
    plan = plan_for(Path("C:\\certs"))
    argv = [schtasks, *tasks.create(plan, plan.jobs[0])]
    fp.register(argv, returncode=1, stderr="ERROR: Access is denied.\n")
    with scheduler(tmp_path, "win32") as one, pytest.raises(CommandFailedError) as caught:
        one.install(plan)
    assert "Access is denied" in caught.value.cause


# The command


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_to_be_done_is_printed_for_each_scheduler(kind: Kind, tmp_path: Path) -> None:
    said = mtls("schedule", "--for", kind.value, "--at", "4:05", "--json", cwd=tmp_path).stdout
    answer = json.loads(said)
    text = "\n".join(answer["lines"])
    assert str(tmp_path) in text.replace("\\\\", "\\")
    assert [job["name"] for job in answer["jobs"]] == ["renew", "crl"]
    assert {"cron": "5 4 * * *", "systemd": "04:05:00", "schtasks": "04:05"}[kind.value] in text


def test_nothing_is_changed_without_a_yes(tmp_path: Path) -> None:
    assert "--yes" in mtls("schedule", "--install", cwd=tmp_path, exit_code=2).stderr


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--at", "25:00"), 2),
        (("--within", "soon"), 2),
        (("--install", "--remove"), 2),
        (("--out", "nowhere"), 7),
    ],
)
def test_what_makes_no_sense_is_refused(argv: tuple[str, ...], code: int, tmp_path: Path) -> None:
    mtls("schedule", *argv, cwd=tmp_path, exit_code=code)


def test_a_pass_phrase_that_somebody_would_have_to_type_is_told(tmp_path: Path) -> None:
    (tmp_path / "mtls.toml").write_text('[ca]\npassphrase = "ask"\n')
    assert "ca.key" in mtls("schedule", cwd=tmp_path).stderr


def test_the_lines_of_schtasks_say_which_prompt_they_are_for(tmp_path: Path) -> None:
    told = mtls("schedule", "--for", "schtasks", cwd=tmp_path)

    assert "are for the command prompt, cmd.exe: PowerShell takes" in told.stderr
    assert "cmd.exe" not in mtls("schedule", "--for", "cron", cwd=tmp_path).stderr
