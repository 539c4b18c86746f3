"""The bytes of a batch file as text: UTF-8, UTF-16, or GBK, as Notepad in China saves it."""

from __future__ import annotations

import codecs

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.language import _

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """A batch file's text, and the encoding that its content tells of.

    Bytes of GBK (cp936) that say something are next to never UTF-8 too, so that the content tells.

    Args:
        content: its bytes.
        name: what to call it.

    Raises:
        SettingRefusedError: it is in neither of these encodings.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content.removeprefix(mark), encoding, name), encoding
    for encoding in ("utf-8", "gbk"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise _refused(name)


def _strictly(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise _refused(name) from None


def _refused(name: str) -> SettingRefusedError:
    return SettingRefusedError(
        _("{file} is neither UTF-8 nor GBK.", file=name),
        cause=_("it is damaged, no batch file, or was saved in another code page"),
        fix=_("open it in an editor, see that all of it reads well, and save it as UTF-8"),
    )
