"""What a client of a fleet costs, here and elsewhere: `python scripts/bench_fleet.py`.

`issue` of many clients and of a tenth as many; how much of RSA is genrsa's own; what the commands
that read the whole set take; and the same clients by cfssl, mkcert, easy-rsa and the guide's
sequence, where they are installed (Debian: golang-cfssl, mkcert, easy-rsa), in turn with ours.
They make one client after another, as their users would have them in a loop; those that keep no
register of their own are run on all processors at once besides.
Not a test: a busy machine gives other figures.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

EASYRSA = Path("/usr/share/easy-rsa/easyrsa")
GUIDE = """
openssl {genkey}
openssl req -new -key $1.key -out $1.csr -subj "/C=CN/O=Company/CN=$1"
openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $1.crt -days 365 \\
  -sha256 -extfile client.ext
openssl verify -CAfile ca.crt $1.crt
"""
EXTENSIONS = """
authorityKeyIdentifier = keyid, issuer
basicConstraints = CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
"""
RSA = ("genrsa", "-out", "$1.key", "2048")
EC = ("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", "$1.key")

Made = Callable[[Path, int, int], None]
"""Makes so many clients in a folder that is prepared, so many at a time."""


def run(*argv: str | Path, cwd: Path, **env: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(argv, cwd=cwd, check=True, capture_output=True, env={**os.environ, **env})


def ours(*argv: str) -> tuple[str, ...]:
    """The command line of the program."""
    return (sys.executable, "-m", "mtls_openssl", *argv)


def prepare() -> None:
    """Have this checkout measured, and say where."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
    print(f"{processors()} processors, Python {sys.version.split()[0]}")


def each(count: int) -> str:
    """The names of so many clients, a line each."""
    return "".join(f"device-{number:05d}\n" for number in range(1, count + 1))


def for_each(script: str, folder: Path, count: int, jobs: int) -> None:
    """Run a script for each name, so many at a time."""
    (folder / "one.sh").write_text(f"set -eu\n{script}\n", "utf-8")
    argv = ("xargs", "-P", str(jobs), "-n", "1", "sh", "one.sh")
    subprocess.run(
        argv, cwd=folder, check=True, capture_output=True, text=True, input=each(count)
    )  # fmt: skip


def by_us(folder: Path, count: int, _jobs: int) -> None:
    """`issue`, on P-256."""
    pattern = ("--cn", "device-{:05d}", "--key", "P-256", "--profile", "modern")
    run(*ours("issue", "-n", str(count), *pattern), cwd=folder)


def by_cfssl(folder: Path, count: int, jobs: int) -> None:
    """`cfssl gencert`, one process a client, as its own manual has it."""
    script = (
        'echo "{\\"CN\\": \\"$1\\", \\"key\\": {\\"algo\\": \\"ecdsa\\", \\"size\\": 256}}" |'
        " cfssl gencert -ca ca.crt -ca-key ca.key -config cfssl.json -profile client - |"
        " cfssljson -bare $1"
    )
    usages = ["digital signature", "key encipherment", "client auth"]
    profile = {"expiry": "8760h", "usages": usages}
    config = {"signing": {"default": {"expiry": "8760h"}, "profiles": {"client": profile}}}
    (folder / "cfssl.json").write_text(json.dumps(config), "utf-8")
    for_each(script, folder, count, jobs)


def by_mkcert(folder: Path, count: int, jobs: int) -> None:
    """`mkcert -client`, one process a client."""
    (folder / "rootCA.pem").write_bytes((folder / "ca.crt").read_bytes())
    (folder / "rootCA-key.pem").write_bytes((folder / "ca.key").read_bytes())
    script = "CAROOT=. mkcert -client -ecdsa -cert-file $1.crt -key-file $1.key $1"
    for_each(script, folder, count, jobs)


def by_easyrsa(folder: Path, count: int, _jobs: int) -> None:
    """`easyrsa build-client-full`, one after another: it keeps a register."""
    ec = {"EASYRSA_ALGO": "ec", "EASYRSA_CURVE": "prime256v1", "EASYRSA_BATCH": "1"}
    for words in (("init-pki",), ("build-ca", "nopass")):
        run(EASYRSA, *words, cwd=folder, **ec)
    for name in each(count).split():
        run(EASYRSA, "build-client-full", name, "nopass", cwd=folder, **ec)


def by_the_guide(key: tuple[str, ...]) -> Made:
    """The guide's sequence by sh."""

    def made(folder: Path, count: int, jobs: int) -> None:
        (folder / "client.ext").write_text(EXTENSIONS, "utf-8")
        for_each(GUIDE.format(genkey=" ".join(key)), folder, count, jobs)

    return made


class Tool(NamedTuple):
    """What else makes clients on this machine.

    Args:
        made: how.
        jobs: how many at a time.
        times: how many times as many it makes as the slowest, so that all are at work for long.
    """

    made: Made
    jobs: int = 1
    times: int = 1


def others() -> dict[str, Tool]:
    """What else makes clients on this machine, by name."""
    found: dict[str, Tool] = {}
    if shutil.which("cfssl") and shutil.which("cfssljson"):
        found["cfssl"] = Tool(by_cfssl, times=8)
        found["cfssl, on all processors"] = Tool(by_cfssl, processors(), times=8)
    if shutil.which("mkcert"):
        found["mkcert"] = Tool(by_mkcert, times=4)
        found["mkcert, on all processors"] = Tool(by_mkcert, processors(), times=4)
    if EASYRSA.is_file():
        found["easy-rsa"] = Tool(by_easyrsa)
    found["the guide's sequence, on P-256"] = Tool(by_the_guide(EC))
    found["the guide's sequence, as it is (RSA-2048)"] = Tool(by_the_guide(RSA))
    return found


def compared(root: Path, count: int, few: int, rounds: int) -> None:
    """Ours for `count` clients, then theirs, in turn; how many of ours one of theirs costs."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in others()}
    for _ in range(rounds):
        for name, (made, jobs, times) in others().items():
            own = cost(root, by_us, count, processors())
            found[name].append((own, cost(root, made, few * times, jobs)))
    for name, pairs in found.items():
        ratios = [other / own for own, other in pairs]
        print(
            f"{name}: {statistics.median(other for _own, other in pairs):.1f} ms a client, "
            f"{statistics.median(ratios):.2f} times ours (median of {rounds} in turn, "
            f"{min(ratios):.2f} to {max(ratios):.2f})"
        )


def cost(root: Path, made: Made, count: int, jobs: int) -> float:
    """What a client costs by the clock, in milliseconds.

    What was made stays until the end: a file system has work with thousands of removed files for
    a minute, and whoever comes next would pay for it.
    """
    folder = Path(tempfile.mkdtemp(dir=root)) / "set"
    shutil.copytree(root / "set", folder)
    os.sync()
    begun = time.perf_counter()
    made(folder, count, jobs)
    return (time.perf_counter() - begun) / count * 1000


def fleet(root: Path, count: int, key: str) -> float:
    """`issue` of so many; returns the seconds that all processors spent on a client together."""
    folder = root / f"{key}-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "set", folder)
    pattern = ("--cn", "device-{:05d}", "--key", key, "--profile", "modern")
    begun, before = time.perf_counter(), processors_time()
    run(*ours("issue", "-n", str(count), *pattern), cwd=folder)
    taken, clock = processors_time() - before, time.perf_counter() - begun
    print(
        f"issue of {count} on {key}: {clock / count * 1000:.2f} ms a client by the clock, "
        f"{taken / count * 1000:.2f} ms of processors' time, at most {memory()} MB of memory"
    )
    return taken / count


def reading(folder: Path) -> None:
    """The commands that read all of a set."""
    for argv in (("status",), ("audit", "verify"), ("revoke", "device-00001")):
        begun = time.perf_counter()
        run(*ours(*argv), cwd=folder)
        print(f"{' '.join(argv)} of these: {time.perf_counter() - begun:.1f} s")


def of_rsa(root: Path, count: int) -> None:
    """How much of RSA is genrsa's own, found in two ways.

    How long openssl looks for a prime is a matter of luck: of two runs of 500 keys each, one may
    take a tenth longer, and the share that is found directly is as uncertain. What is added to a
    key is no matter of luck: it is what a client takes on P-256 less what that key does, but for
    the signature of the request, which takes a millisecond longer with RSA.
    """
    directly = alone(root, count, *RSA) / fleet(root, count, "RSA-2048")
    key = alone(root, count, *RSA)
    added = fleet(root, count, "P-256") - alone(root, count, *EC)
    print(
        f"genrsa alone is {directly:.1%} of that; or, as {key * 1000:.1f} ms a key and "
        f"{added * 1000:.1f} ms added to it: {key / (key + added):.1%}"
    )


def bare(root: Path, count: int) -> None:
    """What of a client on P-256 is the one openssl that makes its key and request: a machine's."""
    request = ("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=$1", "-out", "$1.csr")
    taken = alone(root, count, "req", "-new", "-newkey", "ec", *request, "-keyout", "$1.key")
    print(f"one `openssl req` takes {taken * 1000:.2f} ms of processors' time here")


def alone(root: Path, count: int, *argv: str) -> float:
    """What an openssl command takes of the processors' time, in seconds; a loop on each."""
    before = processors_time()
    with ThreadPoolExecutor(processors()) as pool:
        command = ("openssl", *(word.replace("$1", "alone") for word in argv))
        list(pool.map(lambda _: run(*command, cwd=root), range(count)))
    return (processors_time() - before) / count


def processors() -> int:
    """How many processors this may use."""
    return len(os.sched_getaffinity(0))


def processors_time() -> float:
    """What all processes that have ended took of the processors so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory() -> int:
    """The most that any process so far has used, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def figures(count: int, few: int, rounds: int) -> None:
    """Print them.

    Args:
        count: how many clients on P-256; a tenth of that on RSA-2048.
        few: how many of the slowest of the other tools.
        rounds: comparisons with each.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "set").mkdir()
        run(*ours("all", "--profile", "modern"), cwd=root / "set", MTLS_P12_PASSWORD="benchmark")
        fleet(root, count // 10, "P-256")
        fleet(root, count, "P-256")
        bare(root, count // 10)
        reading(root / f"P-256-{count}")
        of_rsa(root, count // 10)
        compared(root, count, few, rounds)


def main() -> None:
    """Do as the options say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=5000, help="on P-256; a tenth on RSA")
    parser.add_argument("--few", type=int, default=100, help="clients of slow other tools")
    parser.add_argument("--rounds", type=int, default=3, help="comparisons with each")
    chosen = parser.parse_args()
    prepare()
    figures(chosen.clients, chosen.few, chosen.rounds)


if __name__ == "__main__":
    main()
