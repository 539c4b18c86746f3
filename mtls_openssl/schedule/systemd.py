"""What systemd is told, as timers of the user (systemd.timer(5), systemd.service(5)). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.schedule.jobs import MARK, Job, Plan
from mtls_openssl.scripting.quoting import printable

FOLDER = "~/.config/systemd/user"


def units(plan: Plan) -> dict[str, str]:
    """The files of all jobs, by their names.

    Raises:
        SettingRefusedError: a path holds a control character.
    """
    found: dict[str, str] = {}
    for job in plan.jobs:
        stem = _stem(plan, job)
        found[f"{stem}.service"] = _service(plan, job)
        found[f"{stem}.timer"] = _timer(plan, job)
    return found


def commands(plan: Plan) -> Iterator[str]:
    """What is typed once the files are there."""
    timers = " ".join(f"{_stem(plan, job)}.timer" for job in plan.jobs)
    yield "systemctl --user daemon-reload"
    yield f"systemctl --user enable --now {timers}"
    # Else they run only while somebody is logged on.
    yield "loginctl enable-linger"


def _stem(plan: Plan, job: Job) -> str:
    return f"{MARK}-{plan.called(job)}"


def _service(plan: Plan, job: Job) -> str:
    lines = [
        "[Unit]",
        f"Description={MARK} {job.name} {printable(str(plan.folder)).replace('%', '%%')}",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={' '.join(map(_quoted, job.argv))}",
    ]
    if job.fine:
        lines.append(f"SuccessExitStatus={' '.join(map(str, job.fine))}")
    return "\n".join(lines) + "\n"


def _timer(plan: Plan, job: Job) -> str:
    day = "*-*-*" if job.every == 1 else "Sun *-*-*"
    lines = [
        "[Unit]",
        f"Description={MARK} {job.name}",
        "",
        "[Timer]",
        f"OnCalendar={day} {plan.hour:02}:{plan.minute:02}:00",
        # What was missed while the computer was off is made up for.
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    """An argument of ExecStart, in which `%` and `$` mean something (systemd.service(5))."""
    text = printable(word).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("%", "%%").replace("$", "$$") + '"'
