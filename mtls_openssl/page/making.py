"""Puts the page together. Pure but for the reading of its templates."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import mtls_openssl
from mtls_openssl import templating
from mtls_openssl.inspection.telling import key as key_kind
from mtls_openssl.inspection.telling import name as whole_name
from mtls_openssl.inspection.telling import shown
from mtls_openssl.inventory import judging, telling
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, Severity, Stock
from mtls_openssl.language import Text, _, current, recalled, spoken
from mtls_openssl.page import drawing, timeline
from mtls_openssl.page.record import Entry, Record, Run
from mtls_openssl.page.words import words
from mtls_openssl.proof import Check
from mtls_openssl.steps import Render

SIGN = b'<meta name="generator" content="mtls-openssl'
"""What such a page has in its beginning."""

_CLASSES = {
    Severity.FINE: "fine",
    Severity.SOON: "soon",
    Severity.OVER: "over",
    Severity.UNKNOWN: "over",
}
_OURS = "python -m mtls_openssl"
_SHOWN_FAULTS = 10
_SECRET = re.compile(r"(?<=\bpass:)\S+")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Contents:
    """What the page tells of.

    Args:
        folder: the folder of the set.
        now: the time, UTC.
        stock: what is in it.
        checks: the proof.
        left_out: what could not be checked.
        record: the log.
        openssl: the release that made the proof; empty if there is none.
    """

    folder: Path
    now: dt.datetime
    stock: Stock
    checks: Sequence[Check]
    left_out: Sequence[str]
    record: Record
    openssl: str


def page(contents: Contents) -> str:
    """The page, HTML."""
    style = _fixed("report/style.css.j2")
    script = _fixed("report/script.js.j2")
    values = {
        "lang": current().replace("_", "-"),
        "generator": f"mtls-openssl {mtls_openssl.__version__}",
        "say": words(),
        "style": style,
        "script": script,
        "policy": _policy(style, script),
        **_told(contents),
    }
    return templating.render(Render("report/page.html.j2", "", "", values))


def _fixed(template: str) -> str:
    return templating.render(Render(template, "", ""))


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and nothing runs but what we wrote (CSP Level 3)."""
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]};"
        " base-uri 'none'; form-action 'none'"
    )


def _told(contents: Contents) -> dict[str, Any]:
    nodes = tuple(flat(contents.stock))
    ids = {id(node): f"c{number}" for number, node in enumerate(nodes, start=1)}
    scale = timeline.scale(nodes, contents.now)
    faults = [check for check in contents.checks if check.fault]
    folder = contents.folder.absolute()
    return {
        "name": shown(folder.name or str(folder)),
        "path": shown(str(folder)),
        "made": spoken(_made(contents)),
        "status": _status(nodes, contents),
        "cards": list(_cards(nodes, contents, faults)),
        "picture": drawing.drawn(contents.stock.nodes, contents.now, ids),
        "picture_words": spoken(drawing.heading(len(nodes))),
        "ticks": list(scale.ticks()),
        "today": scale.at(contents.now),
        "rows": [_row(node, ids[id(node)], scale, contents.now) for node in nodes],
        "checks": [
            {
                "file": shown(check.subject),
                "claim": spoken(check.claim),
                "fault": shown(spoken(check.fault)),
            }
            for check in contents.checks
        ],
        "left_out": [spoken(text) for text in contents.left_out],
        "proof_told": spoken(_proof(contents, faults)),
        "proof_class": "over" if faults else "fine" if contents.checks else "soon",
        **_log(contents.record),
        "footer": spoken(
            _(
                "This page holds no private key and no password. It is a picture of one moment:"
                " make it anew with {command}.",
                command=f'{_OURS} report --out "{shown(str(folder))}"',
            )
        ),
    }


def _made(contents: Contents) -> Text:
    known = {
        "time": f"{contents.now:%Y-%m-%d %H:%M} UTC",
        "program": f"mtls-openssl {mtls_openssl.__version__}",
    }
    if not contents.openssl:
        return _("Made on {time} by {program}, without openssl", **known)
    known["version"] = contents.openssl
    return _("Made on {time} by {program} with OpenSSL {version}", **known)


def _status(nodes: Sequence[Node], contents: Contents) -> dict[str, str]:
    worst = judging.worst(contents.stock.nodes)
    broken = contents.record.verdict and contents.record.verdict.faults
    if worst >= Severity.OVER:
        return {"class": "over", "text": spoken(_("Something needs attention now"))}
    if any(check.fault for check in contents.checks):
        return {"class": "over", "text": spoken(_("The set did not pass its proof"))}
    if broken:
        return {"class": "over", "text": spoken(_("The log is not as it was written"))}
    if worst is Severity.SOON:
        return {"class": "soon", "text": spoken(_("Something ends soon"))}
    del nodes
    return {"class": "fine", "text": spoken(_("All is well"))}


def _cards(
    nodes: Sequence[Node], contents: Contents, faults: Sequence[Check]
) -> Iterator[dict[str, str]]:
    ending = telling.first(nodes, contents.now)
    if ending and ending.ends:
        yield _card(
            _("The first to end"),
            judging.left(ending.ends, contents.now),
            f"{ending.file}, {ending.ends:%Y-%m-%d}",
            _CLASSES[ending.verdict.severity],
        )
    certificates = [node for node in nodes if node.certificate]
    alarms = [node for node in nodes if node.verdict.severity]
    note: str = _("all fine")
    if alarms:
        note = _("need attention: {count}", count=len(alarms))
    worst = max((node.verdict.severity for node in nodes), default=Severity.FINE)
    yield _card(_("Certificates"), str(len(certificates)), note, _CLASSES[worst])
    if contents.checks:
        note = _("{count} failed", count=len(faults)) if faults else _("all passed")
        kind = "over" if faults else "fine"
        yield _card(_("Checks, made now"), str(len(contents.checks)), note, kind)
    verdict = contents.record.verdict
    if verdict:
        note = _("unbroken")
        if verdict.faults:
            note = _("NOT AS WRITTEN: {count}", count=len(verdict.faults))
        kind = "over" if verdict.faults else "fine"
        yield _card(_("Lines of the log"), f"{verdict.lines}", note, kind)
    for node in nodes:
        if node.crl and node.ends:
            left = judging.left(node.ends, contents.now)
            kind = _CLASSES[node.verdict.severity]
            yield _card(_("List of revoked, {file}", file=node.file), left, node.verdict.why, kind)
    if contents.stock.backups:
        note = _("the latest of {time}", time=contents.stock.backups[-1])
        yield _card(_("Backups"), str(len(contents.stock.backups)), note, "")


def _card(title: str, figure: str, note: str, kind: str) -> dict[str, str]:
    return {
        "title": spoken(title), "figure": spoken(figure), "note": spoken(note), "class": kind
    }  # fmt: skip


def _row(node: Node, id_: str, scale: timeline.Scale, now: dt.datetime) -> dict[str, Any]:
    bar = scale.bar(node.begins, node.ends) if node.begins and node.ends else None
    left = spoken(judging.left(node.ends, now)) if node.ends else ""
    until = f"{node.ends:%Y-%m-%d}" if node.ends else ""
    told = spoken(telling.name(node))
    is_list = node.crl is not None
    notes = [node.verdict.why, *node.notes]
    return {
        "id": id_,
        "name": spoken(node.role.told) if is_list else told or shown(node.file),
        "file": shown(node.file),
        "names": [one for one in telling.names(node) if one != told],
        "role": told if is_list else spoken(node.role.told),
        "until": until,
        "left": left,
        "bar": bar,
        "span": f"{node.begins:%Y-%m-%d} / {until}, {left}" if node.begins else "",
        "class": drawing.tone(node),
        "state": spoken(node.verdict.state.told),
        "alarm": bool(node.verdict.severity),
        "notes": [spoken(note) for note in notes if note],
        "facts": [(spoken(label), spoken(value)) for label, value in _facts(node)],
    }


def _facts(node: Node) -> Iterator[tuple[str, str]]:
    if node.certificate:
        one = node.certificate
        yield _("subject"), whole_name(one.subject)
        yield _("issuer"), whole_name(one.issuer)
        yield _("valid from"), f"{one.not_before:%Y-%m-%d %H:%M} UTC"
        yield _("valid until"), f"{one.not_after:%Y-%m-%d %H:%M} UTC"
        yield _("key"), key_kind(one.key)
        yield _("signed with"), one.signature
        yield _("serial number"), one.serial
    if node.crl:
        yield _("issuer"), whole_name(node.crl.issuer)
        yield _("made"), f"{node.crl.last_update:%Y-%m-%d %H:%M} UTC"
        if node.ends:
            yield _("good until"), f"{node.ends:%Y-%m-%d %H:%M} UTC"
        yield _("list"), telling.name(node)
    if node.sha256:
        yield "SHA-256", node.sha256
    if node.key:
        yield _("key file"), shown(node.key)
    if len(node.places) > 1:
        yield _("also in"), ", ".join(shown(str(place)) for place in node.places[1:])


def _proof(contents: Contents, faults: Sequence[Check]) -> Text:
    count = len(contents.checks)
    if not count:
        return _("Nothing could be checked.")
    if faults:
        return _("{failed} of {count} checks failed.", failed=len(faults), count=count)
    return _("All {count} checks passed.", count=count)


def _log(record: Record) -> dict[str, Any]:
    verdict = record.verdict
    if verdict is None:
        problem = record.problem.what if record.problem else _("There is no log.")
        return {
            "log_class": "soon", "log_told": spoken(problem), "log_faults": [], "runs": [],
            "log_more": "",
        }  # fmt: skip
    faults = [
        spoken(_("line {line}: {what}", line=fault.line, what=fault.what))
        for fault in verdict.faults[:_SHOWN_FAULTS]
    ]
    if len(verdict.faults) > _SHOWN_FAULTS:
        more = len(verdict.faults) - _SHOWN_FAULTS
        faults.append(spoken(_("and {count} more", count=more)))
    runs = _("{count} run{count:|s}", count=verdict.runs)
    told = _("{count} line{count:|s} of {runs}, unbroken", count=verdict.lines, runs=runs)
    if faults:
        told = _("The log is not as it was written.")
    more_told: str = ""
    if record.shown < record.lines:
        more_told = spoken(
            _(
                "Shown are the newest {shown} of {count} lines. All of them: {command}",
                shown=record.shown,
                count=record.lines,
                command=f'{_OURS} audit show --out "{record.path.parent.absolute()}"',
            )
        )
    return {
        "log_class": "over" if faults else "fine",
        "log_told": spoken(told),
        "log_faults": [safe(one) for one in faults],
        "log_more": more_told,
        "runs": [_run(run) for run in record.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    lines = [entry.line for entry in run.entries if entry.line]
    end = next((line for line in reversed(lines) if line.event == "end"), None)
    how = spoken(recalled(safe(end.purpose))) if end else spoken(_("it has no end"))
    commands = sum(line.event == "command" for line in lines)
    return {
        "id": safe(run.id),
        "time": safe(lines[0].time) if lines else "",
        "how": how,
        "class": "fine" if end and end.exit == 0 else "over",
        "count": spoken(_("commands: {count}", count=commands)),
        "lines": [_entry(entry) for entry in run.entries if _is_shown(entry)],
    }


def _is_shown(entry: Entry) -> bool:
    return entry.line is None or entry.line.event != "end"


def _entry(entry: Entry) -> dict[str, Any]:
    line = entry.line
    if line is None:
        text = spoken(_("line {number} is no line of a log", number=entry.number))
        return {
            "time": "", "command": text, "purpose": "", "exit": "", "seconds": "",
            "class": "over", "problem": "",
        }  # fmt: skip
    command = " ".join(line.argv)
    if line.event == "render":
        command = spoken(_("written: {files}", files=", ".join(line.writes)))
    return {
        "time": safe(line.time),
        "command": safe(command),
        "purpose": safe(spoken(recalled(line.purpose))),
        "exit": "" if line.exit is None else str(line.exit),
        "seconds": f"{line.seconds:.2f}" if line.event == "command" else "",
        "class": "over" if line.problem else "",
        "problem": safe(spoken(recalled(line.problem))),
    }


def safe(text: str) -> str:
    """A text of the log as it may be shown; should there be a secret in it, that is left out."""
    return shown(_KEY.sub("…", _SECRET.sub("…", text)))
