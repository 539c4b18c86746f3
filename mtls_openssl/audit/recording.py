"""What every run puts on record besides its commands: how openssl was found, how it ended badly."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mtls_openssl.audit.log import AuditLog
from mtls_openssl.errors import Exit, InterruptedRunError, MtlsError
from mtls_openssl.language import _
from mtls_openssl.locate import Search


def searched(log: AuditLog, search: Search) -> None:
    """Put on record what was asked of which openssl, and which one is used from here on.

    Args:
        log: the log.
        search: how openssl was found.
    """
    for candidate in search.candidates:
        if candidate.probe:
            log.identify(candidate.path, str(candidate.version or ""))
            log.command(candidate.probe, cwd=candidate.path.parent)
    if search.chosen:
        log.identify(search.chosen.path, str(search.chosen.version))


@contextlib.contextmanager
def ending(log: AuditLog) -> Iterator[None]:
    """Put on record how a run has ended that did not end well; what it raised goes on.

    Args:
        log: the log.
    """
    try:
        yield
    except MtlsError as error:
        log.end(error.code, _("failed: {what}", what=error.what), {})
        raise
    except KeyboardInterrupt:
        log.end(Exit.INTERRUPTED, _("interrupted"), {})
        raise
    except BaseException as error:
        log.end(Exit.OUR_FAULT, _("failed: {what}", what=type(error).__name__), {})
        raise


@contextlib.contextmanager
def changing(log: AuditLog) -> Iterator[None]:
    """As `ending`, for a run that changes a folder, or leaves it as it was.

    Args:
        log: the log.

    Raises:
        InterruptedRunError: KeyboardInterrupt came.
    """
    try:
        with ending(log):
            yield
    except KeyboardInterrupt:
        raise InterruptedRunError(
            _("The run was interrupted; the folder is as it was before."),
            fix=_("run the same command again when you are ready"),
        ) from None
