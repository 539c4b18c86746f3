"""Whatever is edited in mtls.toml: `apply` does what it said, and a second run does nothing."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sets import Set

pytestmark = pytest.mark.end_to_end

KEYS = st.sampled_from(["P-256", "P-384", "Ed25519"])
HOSTS = st.sampled_from(["a.example.com", "*.example.com", "b.example.com", "localhost"])
SERVERS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from(["www", "api"]), "dns": st.lists(HOSTS, min_size=1, unique=True)},
    optional={
        "key": KEYS,
        "days": st.integers(1, 500),
        "ip": st.just(["192.0.2.1", "2001:db8::1"]),
        "p12": st.sampled_from([["default"], ["windows2016", "modern"]]),
    },
)
CLIENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from(["alice", "bob", "client"])},
    optional={
        "cn": st.sampled_from(["Alice, A/B", "张三", 'it\'s "quoted" & $HOME']),
        "key": KEYS,
        "days": st.integers(1, 500),
        "email": st.just(["alice@example.com"]),
        "p12": st.sampled_from([[], ["default"], ["java8"]]),
    },
)
_PARTS: dict[str, st.SearchStrategy[Any]] = {
    "profile": st.just("modern"),
    "org": st.sampled_from(["Example", "示例公司"]),
    "server": st.lists(SERVERS, max_size=2, unique_by=lambda one: one["name"]),
    "client": st.lists(CLIENTS, min_size=1, max_size=2, unique_by=lambda one: one["name"]),
}
_PERHAPS: dict[str, st.SearchStrategy[Any]] = {"intermediate": st.just({"key": "P-256"})}
SETS = st.fixed_dictionaries(_PARTS, optional=_PERHAPS)


def written(whole: dict[str, Any]) -> str:
    """A description as TOML; JSON's strings, numbers and lists are TOML's too."""

    def lines(table: dict[str, Any]) -> str:
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())

    flat = {key: value for key, value in whole.items() if isinstance(value, str)}
    text = lines(flat)
    if "intermediate" in whole:
        text += "[intermediate]\n" + lines(whole["intermediate"])
    for kind in ("server", "client"):
        text += "".join(f"[[{kind}]]\n{lines(one)}" for one in whole[kind])
    return text


# Each example is a hundred runs of openssl, which take two minutes in all on an emulated Windows.
EXAMPLES = 3 if sys.platform == "win32" else 6


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],  # to make a failing example small takes minutes
)  # fmt: skip
@given(edits=st.lists(SETS, min_size=2, max_size=2))
def test_apply_leaves_what_it_said_and_a_second_run_every_byte(edits: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = Set(Path(name) / "set")
        for whole in edits:
            # A client without an alternative name of its own has its common name as one.
            whole["client"] = [
                one if "cn" not in one else {**one, "email": ["a@example.com"]}
                for one in whole["client"]
            ]
            made.describe(written(whole))
            before = made.files()
            said = made.actions("apply")
            assert made.files() == before

            made.must("apply")

            owners = {
                name.partition(".")[0] for name in made.changed_since(before) if "chain" not in name
            }
            assert owners == set(said)
            after = made.files()
            assert "Nothing to do" in made.must("apply").stdout
            assert made.files() == after
