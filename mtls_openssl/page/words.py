"""What the page says by itself, in the language of this process."""

from __future__ import annotations

from mtls_openssl.language import _, spoken

_WORDS = {
    "title": _("Certificates of {name}"),
    "skip": _("To the content"),
    "search": _("Search"),
    "search_hint": _("name, file, serial number, command …"),
    "nothing": _("Nothing here matches the search."),
    "theme": _("Light or dark"),
    "overview": _("Overview"),
    "chain": _("Who issued what"),
    "certificates": _("Certificates"),
    "proof": _("Proof"),
    "log": _("Log"),
    "certificate": _("Certificate"),
    "purpose": _("For"),
    "until": _("Good until"),
    "line": _("Time line"),
    "today": _("today"),
    "state": _("State"),
    "only_alarms": _("Only what needs attention"),
    "details": _("Details"),
    "file": _("File"),
    "claim": _("What must be true"),
    "verdict": _("Verdict"),
    "passed": _("passed"),
    "failed": _("FAILED"),
    "time": _("Time (UTC)"),
    "command": _("Command"),
    "exit": _("Exit"),
    "seconds": _("Seconds"),
    "left_out": _("Not checked"),
    "scroll": _("The picture, which can be moved sideways"),
}


def words() -> dict[str, str]:
    """All of them."""
    return {name: spoken(text) for name, text in _WORDS.items()}
