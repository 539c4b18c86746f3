"""Reads a customised generate_certs.bat, and says in settings what it would make. Runs nothing.

`encoding` makes text of its bytes, `expansion` fills its variables in, `syntax` takes a line apart,
`script` follows it from its first line to its last, `openssl` reads the commands that are left,
`extensions` the files that it writes for them, `naming` its subjects, and `settings` says all that
in the words of mtls.toml. What has no such words is told, line by line.
"""

from mtls_openssl.batfile.encoding import decoded
from mtls_openssl.batfile.left import Left
from mtls_openssl.batfile.reading import Import, read

__all__ = ["Import", "Left", "decoded", "read"]
