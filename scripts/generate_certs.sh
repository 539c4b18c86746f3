#!/bin/sh
# Makes a CA, a server's and a client's certificate, and client.p12, in the current folder:
#   generate_certs.sh [OPTION]...
# The options are those of `python -m mtls_openssl all`; one that is given wins over the value below.

# --- Configuration ---
COUNTRY='CN'
STATE='Beijing'
CITY='Beijing'
ORG='MyOrganization'
DOMAIN='your_domain.com'
CERT_DAYS='365'
KEY_SIZE='2048'

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
. "$here/prepare.sh"
prepare || exit
# The size that a profile has by itself is left to it: modern makes keys of another kind.
[ "$KEY_SIZE" = 2048 ] || set -- --key-size="$KEY_SIZE" "$@"
# -P: a file in the current folder is never taken for a module of the program.
exec "$python" -P -m mtls_openssl all \
    --country="$COUNTRY" --state="$STATE" --city="$CITY" --org="$ORG" --domain="$DOMAIN" \
    --cert-days="$CERT_DAYS" "$@"
