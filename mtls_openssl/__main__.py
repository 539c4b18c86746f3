"""`python -m mtls_openssl`."""

from __future__ import annotations

import gc
import os
import signal
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
        from mtls_openssl import language  # noqa: PLC0415 - after the lines above

        # Before the first help text is made.
        language.speak(language.chosen(sys.argv[1:], os.environ))
        from mtls_openssl.cli import app  # noqa: PLC0415

        app(prog_name="python -m mtls_openssl")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)  # before there was a command that could say so
    finally:
        # The exit code stands: Ctrl-C must not change it while Python takes itself down.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # The same at the end: what is frozen is not searched once more before it is given back.
        gc.freeze()


if __name__ == "__main__":
    main()
