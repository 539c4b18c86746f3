"""Why an openssl process failed: its exit code and its words, told so that a person can mend it.

The words differ from release to release, so they only ever explain a failure and never decide
whether there was one.
"""

from __future__ import annotations

import signal

WINDOWS_CODES = {
    0xC0000135: "a DLL that it needs is missing",
    0xC000007B: "it and its DLLs are of different kinds (32 and 64 bits)",
    0xC0000142: "one of its DLLs could not start",
    0xC0000005: "it crashed (access violation)",
    0xC000013A: "it was interrupted (Ctrl-C)",
}
"""NTSTATUS values that Windows gives as exit codes (ntstatus.h)."""

DISK_FULL = ("the disk is full", "make room, then run the same command again")
"""Cause and mend, where openssl is silent about it."""

_SAID = (
    ("No space left on device", *DISK_FULL),
    ("Disk quota exceeded", "the disk quota is used up", "make room, then run it again"),
    ("Read-only file system", "the file system is read-only", "choose another folder with --out"),
    ("Permission denied", "a file or folder does not let us in", "look at its permissions"),
    ("error loading the config file", "openssl could not read our configuration", ""),
    (
        "unable to load provider",
        "a provider module of this openssl is missing",
        "reinstall openssl",
    ),
    ("Mac verify error", "the password is not the one of the file", "give the right password"),
    ("bad decrypt", "the pass phrase is not the one of the key", "give the right pass phrase"),
    ("No certificate matches private key", "the key is not the certificate's", ""),
    ("No cert in -in file", "the key is not the certificate's", ""),
    ("key values mismatch", "the key is not the certificate's", ""),
    ("Could not find or decode private key", "the private key file is damaged", ""),
    ("unable to load Private Key", "the private key file is damaged", ""),
    ("Could not read private key", "the private key file is damaged", ""),
    ("Could not read CA private key", "ca.key is damaged or has a pass phrase", ""),
    ("unable to load CA Private Key", "ca.key is damaged or has a pass phrase", ""),
    ("Could not open file or uri for loading", "a file is missing or damaged", ""),
    ("string too long", "a name is longer than a certificate allows", "shorten it"),
)


def ended(code: int) -> str:
    """What an exit code other than 0 says by itself, as the end of a sentence."""
    known = WINDOWS_CODES.get(code & 0xFFFFFFFF)
    if known:
        return f"ended with code 0x{code & 0xFFFFFFFF:08X}: {known}"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"was killed ({name})"
    return f"ended with exit code {code}"


def cause(words: str) -> tuple[str, str]:
    """The likely cause behind what openssl said, and what mends it; empty where unknown."""
    for said, reason, mend in _SAID:
        if said in words:
            return reason, mend
    return "", ""
