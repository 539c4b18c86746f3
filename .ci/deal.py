"""Deals the files of tests to several runs, so that all end at about the same time.

deal.py SUITE.xml HANDS FILE... <COLLECTED: how long each test took elsewhere (JUnit), the files,
and on standard input those of the tests that count, as `pytest --collect-only -q` names them.
Prints a line for each run.
"""

import sys
from xml.etree import ElementTree as ET

LEAST = 0.02
"""Seconds that any test takes."""


def weights(suite: str, files: list[str], collected: list[str]) -> dict[str, float]:
    """Seconds for each file; there may be one of which no test was collected here."""
    took = {
        f"{case.get('classname')}::{case.get('name')}": float(case.get("time", 0))
        for case in ET.parse(suite).iter("testcase")
    }
    found = dict.fromkeys(files, LEAST)
    for test in collected:
        file, _, name = test.partition("::")
        module = file.removesuffix(".py").replace("/", ".")
        found[file] += took.get(f"{module}::{name}", 0) + LEAST
    return found


def dealt(weighed: dict[str, float], hands: int) -> list[list[str]]:
    """The files for each run: the longest first, always to whoever has least to do."""
    runs = [(0.0, number, list[str]()) for number in range(hands)]
    for file, seconds in sorted(weighed.items(), key=lambda item: -item[1]):
        least, number, files = min(runs)
        runs[number] = (least + seconds, number, [*files, file])
    return [files for _seconds, _number, files in runs]


if __name__ == "__main__":
    tests = [line.strip() for line in sys.stdin if "::" in line]
    suite, hands, *files = sys.argv[1:]
    for mine in dealt(weights(suite, files, tests), int(hands)):
        print(*mine)
