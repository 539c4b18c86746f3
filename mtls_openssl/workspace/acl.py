"""Windows access control lists, by the system's own functions (Win32: aclapi.h, sddl.h).

`icacls` is not used: a file would be readable until it had run, and it takes 30 ms a file.
"""

from __future__ import annotations

import ctypes
import functools
import re
import sys
from ctypes import wintypes
from pathlib import Path

assert sys.platform == "win32"  # noqa: S101 - tells mypy; `permissions` imports it nowhere else

_SDDL_REVISION = 1
_FILE_OBJECT = 1
_DACL = 0x00000004
_PROTECTED = 0x80000000
_UNPROTECTED = 0x20000000
_TOKEN_QUERY = 0x0008
_TOKEN_USER = 1
_ACL_REVISION = 2
_ERROR_ALREADY_EXISTS = 183

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_pointer = ctypes.POINTER

_kernel.GetCurrentProcess.restype = wintypes.HANDLE
_kernel.CloseHandle.argtypes = [wintypes.HANDLE]
_kernel.LocalFree.argtypes = [ctypes.c_void_p]
_kernel.LocalFree.restype = ctypes.c_void_p
_kernel.CreateDirectoryW.argtypes = [wintypes.LPCWSTR, ctypes.c_void_p]
_advapi.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, _pointer(wintypes.HANDLE)]
_advapi.GetTokenInformation.argtypes = [
    wintypes.HANDLE,
    ctypes.c_int,
    ctypes.c_void_p,
    wintypes.DWORD,
    _pointer(wintypes.DWORD),
]
_advapi.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, _pointer(ctypes.c_void_p)]
_advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = [
    wintypes.LPCWSTR,
    wintypes.DWORD,
    _pointer(ctypes.c_void_p),
    ctypes.c_void_p,
]
_advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW.argtypes = [
    ctypes.c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    _pointer(ctypes.c_void_p),
    ctypes.c_void_p,
]
_advapi.GetFileSecurityW.argtypes = [
    wintypes.LPCWSTR,
    wintypes.DWORD,
    ctypes.c_void_p,
    wintypes.DWORD,
    _pointer(wintypes.DWORD),
]
_advapi.GetSecurityDescriptorDacl.argtypes = [
    ctypes.c_void_p,
    _pointer(wintypes.BOOL),
    _pointer(ctypes.c_void_p),
    _pointer(wintypes.BOOL),
]
_advapi.SetNamedSecurityInfoW.argtypes = [
    wintypes.LPCWSTR,
    ctypes.c_int,
    wintypes.DWORD,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_void_p,
]
_advapi.SetNamedSecurityInfoW.restype = wintypes.DWORD
_advapi.InitializeAcl.argtypes = [ctypes.c_void_p, wintypes.DWORD, wintypes.DWORD]


class _SecurityAttributes(ctypes.Structure):
    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", ctypes.c_void_p),
        ("inherit_handle", wintypes.BOOL),
    )


def private_folder(path: Path) -> bool:
    """Make a folder for this user, SYSTEM and Administrators, which its files inherit.

    Args:
        path: the folder to make.

    Returns:
        Whether the file system keeps it private.

    Raises:
        OSError: it can't be made, or is there already.
    """
    try:
        descriptor = _only_us("OICI")
        attributes = _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), descriptor, False)  # noqa: FBT003 - a C structure
        try:
            _require(_kernel.CreateDirectoryW(str(path), ctypes.byref(attributes)))
        finally:
            _kernel.LocalFree(descriptor)
    except OSError as error:
        if error.winerror == _ERROR_ALREADY_EXISTS:
            raise
        # Some network shares refuse any ACL; a real obstacle stops this as well, and says so.
        path.mkdir()
        return False
    return is_private(path)


def make_private(path: Path) -> bool:
    """Leave a file to this user, SYSTEM and Administrators, whatever its folder grants.

    Args:
        path: the file.

    Returns:
        Whether the file system keeps it private.
    """
    present, list_, defaulted = wintypes.BOOL(), ctypes.c_void_p(), wintypes.BOOL()
    try:
        descriptor = _only_us("")
    except OSError:
        return False
    try:
        _advapi.GetSecurityDescriptorDacl(
            descriptor, ctypes.byref(present), ctypes.byref(list_), ctypes.byref(defaulted)
        )
        return _set(path, _DACL | _PROTECTED, list_) and is_private(path)
    finally:
        _kernel.LocalFree(descriptor)


def inherit(path: Path) -> None:
    """Give a file the ACL that its folder hands down; where that fails it stays as it is.

    Args:
        path: the file, at its final place.
    """
    nothing = ctypes.create_string_buffer(64)
    if _advapi.InitializeAcl(nothing, len(nothing), _ACL_REVISION):
        _set(path, _DACL | _UNPROTECTED, ctypes.cast(nothing, ctypes.c_void_p))


def _set(path: Path, information: int, list_: ctypes.c_void_p) -> bool:
    failure = _advapi.SetNamedSecurityInfoW(
        str(path), _FILE_OBJECT, information, None, None, list_, None
    )
    return not failure


def _only_us(inheritance: str) -> ctypes.c_void_p:
    # SIDs, since the names differ by language: SY is SYSTEM, BA is Administrators.
    trustees = ("SY", "BA", _user_sid())
    text = "D:P" + "".join(f"(A;{inheritance};FA;;;{trustee})" for trustee in trustees)
    descriptor = ctypes.c_void_p()
    _require(
        _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text, _SDDL_REVISION, ctypes.byref(descriptor), None
        )
    )
    return descriptor


@functools.cache
def _user_sid() -> str:
    token, size, text = wintypes.HANDLE(), wintypes.DWORD(), ctypes.c_void_p()
    _require(
        _advapi.OpenProcessToken(_kernel.GetCurrentProcess(), _TOKEN_QUERY, ctypes.byref(token))
    )
    try:
        _advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
        user = ctypes.create_string_buffer(size.value)
        _require(
            _advapi.GetTokenInformation(token, _TOKEN_USER, user, size, ctypes.byref(size)),
        )
    finally:
        _kernel.CloseHandle(token)
    sid = ctypes.cast(user, _pointer(ctypes.c_void_p))[0]
    _require(_advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)))
    try:
        return ctypes.wstring_at(text.value or 0)
    finally:
        _kernel.LocalFree(text)


def is_private(path: Path) -> bool:
    """Whether a file or a folder is left to this user, SYSTEM and Administrators.

    Args:
        path: the file or the folder.
    """
    # Asked of the file itself: FAT takes any ACL and forgets it, and a share may translate it.
    size = wintypes.DWORD()
    _advapi.GetFileSecurityW(str(path), _DACL, None, 0, ctypes.byref(size))
    found = ctypes.create_string_buffer(size.value)
    if not _advapi.GetFileSecurityW(str(path), _DACL, found, size, ctypes.byref(size)):
        return False
    ours = _only_us("")
    try:
        trustees = _trustees(ctypes.addressof(found))
        return bool(trustees) and trustees <= _trustees(ours.value)
    finally:
        _kernel.LocalFree(ours)


def _trustees(descriptor: int | None) -> set[str]:
    text = ctypes.c_void_p()
    _require(
        _advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor, _SDDL_REVISION, _DACL, ctypes.byref(text), None
        )
    )
    try:
        return set(re.findall(r";([^;)]+)\)", ctypes.wstring_at(text.value or 0)))
    finally:
        _kernel.LocalFree(text)


def _require(succeeded: int) -> None:
    if not succeeded:
        raise ctypes.WinError(ctypes.get_last_error())
