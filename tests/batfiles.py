"""The batch file that the program replaces, whole, and what people make of it.

Where the environment names the original itself (MTLS_ORIGINAL_BAT), it must say the same.
"""

from __future__ import annotations

import os
from pathlib import Path

ORIGINAL = r"""@echo off
setlocal enabledelayedexpansion

echo === Generating Mutual TLS Certificates on Windows ===

:: --- Configuration ---
set COUNTRY=CN
set STATE=Beijing
set CITY=Beijing
set ORG=MyOrganization
set DOMAIN=your_domain.com
set CERT_DAYS=365
set KEY_SIZE=2048

:: --- Clean up old files ---
echo Cleaning up old certificate files...
del /Q *.key *.crt *.csr *.p12 *.srl v3*.ext 2>nul

:: 1. Generate CA Certificate
echo [1/4] Generating CA certificate...
openssl genrsa -out ca.key %KEY_SIZE%
openssl req -new -x509 -days 3650 -key ca.key -out ca.crt ^
  -subj "/C=%COUNTRY%/ST=%STATE%/L=%CITY%/O=%ORG% CA/CN=MyRootCA"

:: 2. Generate Server Certificate
echo [2/4] Generating Server certificate...
openssl genrsa -out server.key %KEY_SIZE%
openssl req -new -key server.key -out server.csr ^
  -subj "/C=%COUNTRY%/ST=%STATE%/L=%CITY%/O=%ORG%/CN=server.%DOMAIN%"

:: Create server extension file
(
echo authorityKeyIdentifier=keyid,issuer
echo basicConstraints=CA:FALSE
echo keyUsage = digitalSignature, keyEncipherment
echo extendedKeyUsage = serverAuth
echo subjectAltName = @alt_names
echo.
echo [alt_names]
echo DNS.1 = server.%DOMAIN%
echo DNS.2 = localhost
echo DNS.3 = api.%DOMAIN%
echo IP.1 = 127.0.0.1
) > v3_server.ext

openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial ^
  -days %CERT_DAYS% -sha256 -extfile v3_server.ext -out server.crt

:: 3. Generate Client Certificate
echo [3/4] Generating Client certificate...
openssl genrsa -out client.key %KEY_SIZE%
openssl req -new -key client.key -out client.csr ^
  -subj "/C=%COUNTRY%/ST=%STATE%/L=%CITY%/O=%ORG%/CN=client1"

:: Create client extension file
(
echo authorityKeyIdentifier=keyid,issuer
echo basicConstraints=CA:FALSE
echo keyUsage = digitalSignature
echo extendedKeyUsage = clientAuth
) > v3_client.ext

openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial ^
  -days %CERT_DAYS% -sha256 -extfile v3_client.ext -out client.crt

:: 4. Verify and Package
echo [4/4] Verifying and packaging certificates...
openssl verify -CAfile ca.crt server.crt
openssl verify -CAfile ca.crt client.crt

echo Creating PKCS#12 file...
echo Please enter password when prompted:
openssl pkcs12 -export -out client.p12 -inkey client.key -in client.crt -certfile ca.crt ^
  -name "MyClientCert"

:: --- Clean up temporary files ---
echo Cleaning up temporary files...
del /Q *.csr *.srl v3*.ext 2>nul

echo.
echo === All certificates generated successfully! ===
echo.
echo Files created:
echo   ca.key    - CA private key (KEEP SECRET!)
echo   ca.crt    - CA certificate
echo   server.key - Server private key
echo   server.crt - Server certificate
echo   client.key - Client private key
echo   client.crt - Client certificate
echo   client.p12 - PKCS#12 bundle (if created)

echo.
echo === Next Steps ===
echo 1. Import client.p12 into Windows Certificate Store (double-click)
echo 2. Export CA certificate (ca.crt) to trusted root CAs
echo 3. Configure your web server (IIS/Nginx) for mTLS
pause
"""


def edited(*changes: tuple[str, str]) -> str:
    """The original with some of its text replaced; all of it must be there."""
    text = ORIGINAL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def original_bytes() -> bytes:
    """The original as it lies on a disk of Windows."""
    named = os.environ.get("MTLS_ORIGINAL_BAT")
    if named:
        return Path(named).read_bytes()
    return ORIGINAL.replace("\n", "\r\n").encode()
