"""Speed, as ratios from runs taken in turn on this machine: `python scripts/bench.py`.

`all` against the same openssl commands one after another by sh; what the program adds to openssl's
own time; `--help`; `audit verify` of 10,000 lines; then the figures of fleets, from
`bench_fleet.py`. Not a test: a busy machine gives other figures, so each is a median of pairs. How
long openssl looks for a prime is a matter of luck, by a factor of five: so each side of a pair is
several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench_fleet

PASSWORD = {"MTLS_P12_PASSWORD": "only for a benchmark"}


def seconds(*argv: str | Path, cwd: Path) -> float:
    """How long a command takes as a process, from outside; it must succeed."""
    begun = time.perf_counter()
    subprocess.run(argv, cwd=cwd, check=True, capture_output=True, env={**os.environ, **PASSWORD})
    return time.perf_counter() - begun


def lines_of(folder: Path) -> list[dict[str, object]]:
    """The commands in the log of a folder, in the guide's order."""
    text = (folder / "mtls-audit.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    commands = [line for line in lines if line["event"] == "command"]
    return sorted(commands, key=lambda line: line["step"])


def script_of(folder: Path, *, proof: bool) -> str:
    """What `all` ran there, as a person would have it in sh; with or without the proof."""
    kinds = {"probe", "guide", "proof"} if proof else {"guide"}
    lines = [json.loads(line) for line in (folder / "mtls-audit.jsonl").read_text().splitlines()]
    text = ["set -eu", "export OPENSSL_CONF=openssl.cnf LC_ALL=C"]
    for line in sorted(lines, key=lambda line: line["step"]):
        if line["event"] == "render":
            (name,) = line["writes"]
            text.append(f"cat > {name} <<'END'\n{line['stdout']}END")
        elif line["event"] == "command" and line["kind"] in kinds:
            text.append(shlex.join(line["argv"]))
    return "\n".join(text) + "\n"


def against_sh(pairs: int, rounds: int, *options: str) -> None:
    """`all` and the same commands by sh, in turn, `rounds` runs of each a pair."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "first").mkdir()
        seconds(*bench_fleet.ours("all", *options), cwd=root / "first")
        for proof, label in ((True, "every command it ran"), (False, "the guide's commands alone")):
            script = root / "commands.sh"
            script.write_text(script_of(root / "first", proof=proof), "utf-8")
            ratios, mine, theirs = [], [], []
            for number in range(pairs):
                one, other = [], []
                for round_ in range(rounds):
                    folder = root / f"{proof}{number}-{round_}"
                    (folder / "ours").mkdir(parents=True)
                    (folder / "sh").mkdir()
                    one.append(seconds(*bench_fleet.ours("all", *options), cwd=folder / "ours"))
                    other.append(seconds("sh", script, cwd=folder / "sh"))
                mine.append(statistics.mean(one))
                theirs.append(statistics.mean(other))
                ratios.append(mine[-1] / theirs[-1])
            what = " ".join(("all", *options))
            print(
                f"{what} / {label} by sh: ratio of medians "
                f"{statistics.median(mine) / statistics.median(theirs):.2f}, "
                f"median of {pairs} ratios {statistics.median(ratios):.2f} "
                f"({statistics.median(mine):.2f} s, {statistics.median(theirs):.2f} s)"
            )


def added(runs: int) -> None:
    """What `all` takes beyond the time of its openssl commands, run one at a time."""
    extra = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(runs):
            folder = Path(name, str(number))
            folder.mkdir()
            whole = seconds(*bench_fleet.ours("all", "--jobs", "1"), cwd=folder)
            extra.append(whole - sum(float(str(line["seconds"])) for line in lines_of(folder)))
    print(f"added to the openssl commands' own time: median {statistics.median(extra):.2f} s")


def start_up(runs: int) -> None:
    """`--help`, and `audit verify` of a log of 10,000 lines."""
    here = Path.cwd()
    taken = [seconds(*bench_fleet.ours("--help"), cwd=here) for _ in range(runs)]
    print(f"--help: median {statistics.median(taken):.2f} s")
    taken = [seconds(*bench_fleet.ours("all", "--help"), cwd=here) for _ in range(runs)]
    print(f"all --help: median {statistics.median(taken):.2f} s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long_log(folder, 10_000)
        taken = [seconds(*bench_fleet.ours("audit", "verify"), cwd=folder) for _ in range(runs)]
    print(f"audit verify of 10,000 lines: median {statistics.median(taken):.2f} s")


def long_log(folder: Path, count: int) -> None:
    """A log of `count` lines as long as real ones."""
    from mtls_openssl import audit, locate, process  # noqa: PLC0415 - found by main()

    found = locate.find(None, process.Door()).chosen
    assert found.probe is not None
    with audit.AuditLog.open(folder / "mtls-audit.jsonl") as log:
        log.identify(found.path, str(found.version))
        for _ in range(count - 1):
            log.command(found.probe, cwd=folder)
        log.end(0, "done", {})


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="runs of each, in turn")
    parser.add_argument("--rounds", type=int, default=8, help="runs of each in a pair")
    parser.add_argument("--clients", type=int, default=5000, help="of a fleet; 0 for none")
    pairs, rounds = (chosen := parser.parse_args()).pairs, chosen.rounds
    sys.path.insert(0, str(Path(__file__).parent.parent))
    bench_fleet.prepare()
    against_sh(pairs, rounds)
    against_sh(max(5, pairs // 3), 1, "--key-size", "4096")
    added(pairs)
    start_up(pairs)
    if chosen.clients:
        bench_fleet.figures(chosen.clients, few=100, rounds=3)


if __name__ == "__main__":
    main()
