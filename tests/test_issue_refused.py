"""What is wrong with those who are to be issued: told where it was typed, and nobody is there."""

from __future__ import annotations

import pytest

from tests.sets import Set, made_fixture
from tests.test_issue import NUMBERED, described, fleet_fixture, original_fixture, table

pytestmark = pytest.mark.end_to_end
_used = (made_fixture, fleet_fixture, original_fixture)

FAULTS = {
    "a name that is no file's": ("name\n../a\n", ["line 2", "can't be the name of its files"]),
    "a name of Windows": ("name\nnul\n", ["line 2", "is the name of a device on Windows"]),
    "a name of the set": ("name\nserver\n", ["line 2", "is server.crt of the set"]),
    "a name twice": ("name\nab\nc\nAB\n", ["line 4", "is in clients.csv line 2 already"]),
    "no name that will do": (
        "cn\n张三\n",
        ["line 2", "can't be the name of its files", "are called: in a column name"],
    ),
    "an address that is none": ("name,ip\na,1.2.3\n", ["line 2", "ip '1.2.3'"]),
    "several at once": ("name,key\na,DSA\nb,P-256\nc,P-1\n", ["line 2", "line 4"]),
    "days that are over": ("name,days\na,-1\n", ["line 2", "is too short a time"]),
    "days without end": ("name,days\na,99999\n", ["line 2", "hundred years"]),
    "one longer than the CA": ("name,days\na,9999\n", ["line 2", "is longer than"]),
    "too many values": (
        "name\na,b\n",
        ["line 2", "has 2 values for 1 columns; allowed: a value for each column"],
    ),
    "an unknown column": ("name,dsn\na,b\n", ["'dsn' is no column", "dns"]),
    "no columns": ("a\nb\n", ["does not name the columns"]),
    "nothing": ("", ["does not name the columns"]),
    "an open quote": ('name\n"a\n', ["can't be read as CSV"]),
    "a column twice": ("name,name\na,b\n", ["name is there twice"]),
    "a line break in a name": ('name,cn\na,"b\nc"\n', ["line 2", "a line break"]),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_table_is_told_with_its_line_and_nothing_is_made(
    fleet: Set, case: str
) -> None:
    text, wanted = FAULTS[case]
    arguments = table(fleet, text)
    before = fleet.files()

    ran = fleet.run(*arguments)

    assert ran.code == 6
    assert all(words in ran.stderr for words in wanted), ran.stderr
    assert fleet.changed_since(before) == set()
    assert not (fleet.folder / "clients").exists()


def test_a_name_that_differs_in_case_only_from_another_is_refused(fleet: Set) -> None:
    fleet.must(*table(fleet, "name\nli\n"), "--key", "P-256")
    before = described(fleet, "li")

    ran = fleet.run(*table(fleet, "name\nLI\nServer\n"), "--reissue")

    assert ran.code == 6
    assert "line 2) differs in upper and lower case only from li of the fleet" in ran.stderr
    assert "line 3) is server.crt of the set" in ran.stderr
    assert described(fleet, "li") == before


@pytest.mark.parametrize("form", [(), ("--zip",)])
@pytest.mark.parametrize("name", ["device-001", "Device-001"])
def test_nobody_else_gets_the_name_of_a_client_of_the_fleet(
    fleet: Set, name: str, form: tuple[str, ...]
) -> None:
    fleet.must(*NUMBERED, "-n", "1", *form)
    before = fleet.files()

    client, server = fleet.run("client", "add", name), fleet.run("server", "add", name)

    assert (client.code, server.code) == (7, 7)
    assert "renew device-001" in client.stderr
    assert fleet.changed_since(before) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Who is to get a certificate?"),
        (("-n", "2"), "nothing says what they are called"),
        (("-n", "2", "--cn", "device"), "gives all the same"),
        (("-n", "2", "--cn", "{.__class__}"), "gives all the same"),
        (("--from", "x.csv", "--cn", "{}"), "for numbered clients"),
    ],
)
def test_what_can_not_be_meant_is_told(fleet: Set, options: tuple[str, ...], words: str) -> None:
    ran = fleet.run("issue", *options)

    assert (ran.code, words in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (("--cn", "设{}"), 'say what their files are called: add --name "dev{:03d}"'),
        (("--cn", "设{}", "--name", "设{}"), "change --name"),
        (("--cn", "device-{}", "--days", "99999"), "change --days"),
    ],
)
def test_what_is_wrong_with_numbered_clients_is_mended_where_it_was_typed(
    fleet: Set, options: tuple[str, ...], cure: str
) -> None:
    ran = fleet.run("issue", "-n", "5", *options)

    assert ran.code == 6
    assert ran.stderr.endswith(f"\nTo mend it: {cure}\n")


@pytest.mark.parametrize("column", ["name", "cn"])
def test_for_names_in_chinese_a_column_with_names_of_files_is_prescribed(
    fleet: Set, column: str
) -> None:
    ran = fleet.run(*table(fleet, f"{column}\n张三\n李四\n"))

    assert ran.code == 6
    assert "are called: in a column name, with A-Z a-z 0-9 . _ - alone; what is" in ran.stderr


def test_of_many_rows_that_must_be_edited_a_few_are_named_and_the_others_counted(
    fleet: Set,
) -> None:
    rows = "".join(f"a{number},1.2.3\n" for number in range(6))
    ran = fleet.run(*table(fleet, f"name,ip\n{rows}"))

    places = "; ".join(f"edit clients.csv line {line}" for line in (2, 3, 4))
    assert ran.code == 6
    assert ran.stderr.endswith(f"\nTo mend it: {places}; and 3 more\n")


def test_a_set_without_its_key_can_issue_nothing(fleet: Set) -> None:
    (fleet.folder / "ca.key").unlink()

    ran = fleet.run(*NUMBERED, "-n", "2")

    assert (ran.code, "ca.key is not in" in ran.stderr) == (7, True)
    assert "put ca.key beside ca.crt for this" in ran.stderr
