"""What Windows' Task Scheduler is told (Microsoft: schtasks /create). Pure."""

from __future__ import annotations

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.language import _
from mtls_openssl.schedule.jobs import MARK, Job, Plan
from mtls_openssl.scripting.quoting import c_runtime, printable

_LONGEST = 261
"""Characters of a task's command."""


def name(plan: Plan, job: Job) -> str:
    """What a task is called: in a folder of ours."""
    return f"{MARK}\\{plan.called(job)}"


def command(job: Job) -> str:
    """The command line of a task.

    Raises:
        SettingRefusedError: it is too long, or the Task Scheduler would take a part of it for a
            variable.
    """
    text = printable(" ".join(_quoted(word) for word in job.argv))
    if "%" in text:
        raise SettingRefusedError(
            _("The command {command} holds a percent sign.", command=text),
            cause=_("the Task Scheduler takes what stands between two of them for a variable"),
            fix=_("give the folder a name without one"),
        )
    if len(text) > _LONGEST:
        raise SettingRefusedError(
            _(
                "The command {command} has {count} characters; a task has room for {most}.",
                command=text,
                count=len(text),
                most=_LONGEST,
            ),
            fix=_("put the folder, or Python, where its path is shorter"),
        )
    return text


def create(plan: Plan, job: Job) -> tuple[str, ...]:
    """Argv that makes a task, or makes it anew."""
    # Every so many days, and not on a day of the week: those are called otherwise in each language.
    return (
        "/Create", "/F", "/TN", name(plan, job), "/SC", "DAILY", "/MO", str(job.every),
        "/ST", f"{plan.hour:02}:{plan.minute:02}", "/TR", command(job),
    )  # fmt: skip


def query(plan: Plan, job: Job) -> tuple[str, ...]:
    """Argv that prints what there is of a task; it fails where there is none."""
    return ("/Query", "/TN", name(plan, job), "/XML")


def delete(plan: Plan, job: Job) -> tuple[str, ...]:
    """Argv that takes a task away."""
    return ("/Delete", "/F", "/TN", name(plan, job))


def _quoted(word: str) -> str:
    return c_runtime(word) if not word or set(word) & set(' \t"&|<>^()') else word
