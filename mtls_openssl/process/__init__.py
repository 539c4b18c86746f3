"""How a process is started: `door` is the one way to start it, `environment` what it is given."""

from mtls_openssl.process.door import Door, Serving
from mtls_openssl.process.environment import clean_environment, foreign_environment

__all__ = ["Door", "Serving", "clean_environment", "foreign_environment"]
