"""Why an openssl process failed: its exit code and its words, told so that a person can mend it.

The words differ from release to release, so they only ever explain a failure and never decide
whether there was one.
"""

from __future__ import annotations

import signal

from mtls_openssl.language import _

WINDOWS_CODES = {
    0xC0000135: _("a DLL that it needs is missing"),
    0xC000007B: _("it and its DLLs are of different kinds (32 and 64 bits)"),
    0xC0000142: _("one of its DLLs could not start"),
    0xC0000005: _("it crashed (access violation)"),
    0xC000013A: _("it was interrupted (Ctrl-C)"),
}
"""NTSTATUS values that Windows gives as exit codes (ntstatus.h)."""

DISK_FULL = (_("the disk is full"), _("make room, then run the same command again"))
"""Cause and mend, where openssl is silent about it."""

_SAID = (
    ("No space left on device", *DISK_FULL),
    ("Disk quota exceeded", _("the disk quota is used up"), _("make room, then run it again")),
    (
        "Read-only file system",
        _("the file system is read-only"),
        _("choose another folder with --out"),
    ),
    ("Permission denied", _("a file or folder does not let us in"), _("look at its permissions")),
    ("error loading the config file", _("openssl could not read our configuration"), ""),
    (
        "unable to load provider",
        _("a provider module of this openssl is missing"),
        _("reinstall openssl"),
    ),
    (
        "Mac verify error",
        _("the password is not the one of the file"),
        _("give the right password"),
    ),
    (
        "bad decrypt",
        _("the pass phrase is not the one of the key"),
        _("give the right pass phrase"),
    ),
    (
        "Enter pass phrase for",
        _("the private key has a pass phrase, which openssl was not told"),
        _(
            "give it a key without one (openssl pkey -in KEY -out NEW); `client add`, "
            "`server add`, `renew` and `apply` ask for the pass phrase of a CA"
        ),
    ),
    ("No certificate matches private key", _("the key is not the certificate's"), ""),
    ("No cert in -in file", _("the key is not the certificate's"), ""),
    ("key values mismatch", _("the key is not the certificate's"), ""),
    ("Could not find or decode private key", _("the private key file is damaged"), ""),
    ("unable to load Private Key", _("the private key file is damaged"), ""),
    ("Could not read private key", _("the private key file is damaged"), ""),
    ("Could not read CA private key", _("ca.key is damaged or has a pass phrase"), ""),
    ("unable to load CA Private Key", _("ca.key is damaged or has a pass phrase"), ""),
    ("Could not open file or uri for loading", _("a file is missing or damaged"), ""),
    ("string too long", _("a name is longer than a certificate allows"), _("shorten it")),
)


def ended(code: int) -> str:
    """What an exit code other than 0 says by itself, as the end of a sentence."""
    known = WINDOWS_CODES.get(code & 0xFFFFFFFF)
    if known:
        return _("ended with code 0x{code:08X}: {meaning}", code=code & 0xFFFFFFFF, meaning=known)
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = _("signal {number}", number=-code)
        return _("was killed ({signal})", signal=name)
    return _("ended with exit code {code}", code=code)


def cause(words: str) -> tuple[str, str]:
    """The likely cause behind what openssl said, and what mends it; empty where unknown."""
    for said, reason, mend in _SAID:
        if said in words:
            return reason, mend
    return "", ""
