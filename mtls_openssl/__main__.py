"""`python -m mtls_openssl`."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line."""
    # Start-up makes objects that all stay: collecting in between finds nothing and costs a tenth.
    gc.disable()
    from mtls_openssl.cli import app  # noqa: PLC0415 - after the line above, or it is for nothing

    app(prog_name="python -m mtls_openssl")


if __name__ == "__main__":
    main()
