#!/bin/sh
# Runs the tests: test.sh [ARGUMENT OF PYTEST]...
# What they need is set up first: .venv, and on Debian, as root, the programs that are missing.

# Where Debian has nginx and sshd, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin
lacking=
need() {
    command -v "$1" >/dev/null 2>&1 || lacking="$lacking $2"
}
need openssl openssl
need certtool gnutls-bin
need keytool default-jre-headless
need nginx nginx
need curl curl
need certutil libnss3-tools
need sshd openssh-server
need ssh openssh-client
need update-ca-certificates ca-certificates
need chromium chromium
python3 -c 'import ensurepip' 2>/dev/null || lacking="$lacking python3-venv"

if [ "$lacking" ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        # $lacking is a list of words.
        # shellcheck disable=SC2086
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y $lacking || exit
    else
        cat >&2 <<END
Some tests will fail: these Debian packages, or what they stand for here, are missing:$lacking
To mend it: sudo apt-get update && sudo apt-get install -y$lacking
END
    fi
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
. "$here/prepare.sh"
prepare test || exit
# The whole suite on all processors; what is asked for by arguments as it is asked for.
[ $# -gt 0 ] || set -- -n auto
cd "$here/.." && exec "$python" -m pytest "$@"
