"""A mutual TLS handshake in memory, as `handshake.py FOLDER HOST`; prints the protocol.

A program of its own, so that any Python on the machine can be asked to do it. Both sides use
`ssl.create_default_context()`, with the strict flag that Python 3.13 has by default.
"""

from __future__ import annotations

import ssl
import sys
from pathlib import Path


def main(folder: Path, host: str) -> None:
    """Shake hands as the set's server and client."""
    client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(folder / "ca.crt"))
    client.load_cert_chain(folder / "client.crt", folder / "client.key")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.crt"))
    server.load_cert_chain(folder / "server.crt", folder / "server.key")
    server.verify_mode = ssl.CERT_REQUIRED
    for context in (client, server):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(down, up, server_side=False, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    )
    for _ in range(5):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    print(ends[0].version(), ends[1].getpeercert()["subject"][-1][0][1])  # type: ignore[index]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
