"""`python -m mtls_openssl`."""

from __future__ import annotations

# Nothing more: Ctrl-C while these are loaded ends in Python's own words.
import gc
import os
import sys

if not __package__:
    # Started by its path, as from a crontab: its modules are the package's, not the path's.
    _here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - loaded anyway
    sys.path[:] = [os.path.dirname(_here), *(one for one in sys.path if one != _here)]  # noqa: PTH120

_INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    # Start-up makes objects that all stay: collecting in between finds nothing and costs a tenth.
    gc.disable()
    # Other packages' plugins have no business in what makes keys, and the search takes as long.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from mtls_openssl import language, later  # noqa: PLC0415 - after the lines above

        later.when_used("importlib.metadata")
        # Before the first help text is made.
        language.speak(language.chosen(sys.argv[1:], os.environ))
        from mtls_openssl.cli import app  # noqa: PLC0415

        # Handed over by us they are as they were typed: on Windows typer would put files, variables
        # and home folders in the place of `*.example.com`, `%OS%` and `~`.
        app(args=sys.argv[1:], prog_name="python -m mtls_openssl")
    except SystemExit as end:
        _leave(end)
    except KeyboardInterrupt:
        _leave(SystemExit(_INTERRUPTED))  # before there was a command that could say so
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):  # see console.py
            raise
        _leave(SystemExit(_INTERRUPTED))


def _leave(end: SystemExit) -> None:
    """End the process at once: every command has put its things in order by now.

    Python would take down each of its objects first, which takes longer than proving a set.
    """
    import signal  # noqa: PLC0415 - see above

    # The exit code stands: Ctrl-C must not change it any more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if isinstance(end.code, int):
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError):
            raise end from None  # there is no such stream, or nobody reads it: Python knows best
        os._exit(end.code)
    raise end


if __name__ == "__main__":
    main()
