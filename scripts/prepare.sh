# Sourced by the scripts beside it, which set $here to their folder.
#
# prepare [EXTRA]: leave in $python the Python of the checkout's .venv, which is made on first use
# and has the packages of that EXTRA of pyproject.toml too. Says why and returns 1 if it can't be.

prepare() {
    python=$here/../.venv/bin/python
    "$python" -I -S "$here/prepare.py" --check "$@" 2>/dev/null && return
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            "$candidate" -I "$here/prepare.py" "$@"
            return
        fi
    done
    cat >&2 <<'END'
Error: there is no Python 3.11 or newer on the PATH.
To mend it, install one, then run this again:
  Debian, Ubuntu:  apt-get install python3 python3-venv
  Fedora:          dnf install python3
  macOS:           brew install python
  elsewhere:       https://www.python.org/downloads/
错误：PATH 中没有 Python 3.11 或更高版本。
解决办法：按上面与本系统对应的一行安装，再运行一次。
END
    return 1
}
