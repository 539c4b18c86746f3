"""Run `python -m mtls_openssl all` with the values of `generate_certs.bat`'s configuration block.

They come by the environment, and the options of the command line after them, so that those win.
cmd.exe itself has no way of quoting that takes every value through to a program: a quotation mark
ends the quoting of `&`, and delayed expansion eats the `!` of the options.
"""

from __future__ import annotations

import os
import runpy
import sys

OPTIONS = {
    "COUNTRY": "--country",
    "STATE": "--state",
    "CITY": "--city",
    "ORG": "--org",
    "DOMAIN": "--domain",
    "CERT_DAYS": "--cert-days",
    "KEY_SIZE": "--key-size",
}

if __name__ == "__main__":
    # An emptied variable does not exist in cmd.exe.
    block = [f"{option}={os.environ.get(name, '')}" for name, option in OPTIONS.items()]
    sys.argv[1:] = ["all", *block, *sys.argv[1:]]
    runpy.run_module("mtls_openssl", run_name="__main__", alter_sys=True)
