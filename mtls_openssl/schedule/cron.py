"""What cron is told (crontab(5)). Pure."""

from __future__ import annotations

from mtls_openssl.schedule.jobs import MARK, Job, Plan
from mtls_openssl.scripting.quoting import posix, posix_line

_SUNDAY = "0"


def line(plan: Plan, job: Job) -> str:
    """The line of a crontab for a job.

    Raises:
        SettingRefusedError: a path holds a control character, for which a line has no room.
    """
    day = "*" if job.every == 1 else _SUNDAY
    time = f"{plan.minute} {plan.hour} * * {day}"
    return f"{time} {_escaped(posix_line(job.argv))} {_mark(plan, job)}"


def added(crontab: str, plan: Plan) -> str:
    """A crontab with the lines of a plan in it, and no others for its folder."""
    others = removed(crontab, plan)
    if others and not others.endswith("\n"):
        others += "\n"
    return others + "".join(f"{line(plan, job)}\n" for job in plan.jobs)


def removed(crontab: str, plan: Plan) -> str:
    """A crontab without the lines of a plan's folder; all others are as they were."""
    marks = tuple(_mark(plan, job) for job in plan.jobs)
    lines = crontab.split("\n")
    return "\n".join(one for one in lines if not one.rstrip().endswith(marks))


def _mark(plan: Plan, job: Job) -> str:
    # A comment of the shell: cron itself knows none behind a command.
    return _escaped(f"# {MARK} {job.name} {posix(str(plan.folder))}")


def _escaped(text: str) -> str:
    """A text as cron hands it on: it takes a percent sign for the end of a line."""
    return text.replace("%", "\\%")
