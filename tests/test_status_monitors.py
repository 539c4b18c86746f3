"""`status` for monitors: a line for Nagios, metrics for Prometheus, and no name breaks either."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tests.test_status import DAY, NOW, asked, made_fixture, status
from tests.test_status_states import CA, lasting, listed_fixture, shop_fixture
from tests.tls_servers import Workshop

pytestmark = pytest.mark.end_to_end
_used = (made_fixture, shop_fixture, listed_fixture)


def test_nagios_gets_one_line_with_performance_data(shop: Workshop, made: Path) -> None:
    calm = status("--nagios", cwd=made)
    alarm = status("--nagios", cwd=shop.folder, code=2)

    assert calm.startswith("CERTIFICATES OK - 3 certificates, all fine; the first to end is ")
    assert (
        " | certificates=3;;;0 soon=0;;;0 over=0;;;0 days_left=364;30:;0: 'client.crt'=364;" in calm
    )
    assert alarm.startswith("CERTIFICATES CRITICAL - ")
    for line in (calm, alarm):
        assert line.count("\n") == 1
        assert line.count("|") == 1


def test_a_name_can_neither_end_the_line_nor_begin_the_data(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("x", None, *CA, subject="/CN=a | b=1\\\nOK", dates=lasting(3))
    line = status("--nagios", "x.crt", cwd=tmp_path, code=1)

    assert (line.count("\n"), line.count("|")) == (1, 1)


SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})?'
    r" (?P<value>-?\d+)"
)


def samples(text: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)$", line)
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        key = sample["name"], sample["labels"] or ""
        assert key not in found
        found[key] = int(sample["value"])
    return found


def test_prometheus_gets_metrics_in_its_own_form(shop: Workshop, listed: Path) -> None:
    found = samples(status(".", "--prometheus", cwd=listed))
    names = {name for name, _labels in found}
    after = {
        labels: value
        for (name, labels), value in found.items()
        if name == "mtls_certificate_not_after_timestamp_seconds"
    }
    (fine,) = (labels for labels in after if 'file="fine.crt"' in labels)

    assert names >= {"mtls_certificate_status", "mtls_crl_next_update_timestamp_seconds"}
    assert re.search(r'cn="fine",issuer_cn="middle",role="server",serial="[0-9A-F]+"$', fine)
    assert abs(after[fine] - (NOW + 100.5 * DAY).timestamp()) < 2
    lists = [labels for name, labels in found if name == "mtls_crl_status"]
    assert len(lists) == 2  # as PEM and as DER


def test_a_hostile_name_stays_in_its_label(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path)
    shop.certificate("x", None, *CA, subject='/CN=a"} 1\\\n b\\\\', dates=lasting(300))
    found = samples(status("x.crt", "--prometheus", cwd=tmp_path))

    assert any(r'cn="a\"} 1\n b\\"' in labels for _name, labels in found)


def test_metrics_are_put_in_a_file_in_one_instant_for_everybody(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "mtls.prom"
    for _ in range(2):
        assert status("--prometheus", "--write", file, cwd=made) == ""
    assert samples(file.read_text("utf-8"))
    assert [one.name for one in tmp_path.iterdir()] == ["mtls.prom"]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_metrics_never_replace_a_file_that_is_not_ours(made: Path) -> None:
    key = (made / "ca.key").read_bytes()
    done = asked("--prometheus", "--write", "ca.key", cwd=made, code=7)

    assert "was not touched" in done.stderr
    assert (made / "ca.key").read_bytes() == key
