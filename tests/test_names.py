"""A name is refused, or in the certificate exactly as typed; it never becomes anything else."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mtls_openssl.cli import app
from tests.machine import facts

pytestmark = pytest.mark.end_to_end

META = "/\\+=\"'#,;<>$%!&|^`~*?()[]{}@:. -\t\n\r\0"
NAMES = st.text(
    st.one_of(st.sampled_from(META), st.characters(codec="utf-8")), min_size=1, max_size=12
)
NO_OTHER_EXTENSIONS = {
    "X509v3 Subject Key Identifier:",
    "X509v3 Authority Key Identifier:",
    "X509v3 Basic Constraints: critical",
    "X509v3 Key Usage: critical",
}
REFUSED = 6


def decoded(certificate: Path) -> dict[str, Any]:
    """The certificate as Python's own ssl module reads it."""
    return ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined, no-any-return]


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(org=NAMES, common_name=NAMES)
@example(org="A/CN=evil", common_name="x+O=evil")
@example(org='"quoted" \\ back', common_name="trailing\\")
@example(org="$ENV::PATH ${HOME} %PATH% !x!", common_name="#hash, comma; <angle>")
@example(org="北京 测试公司", common_name="根证书 😀")
@example(org="a\nbasicConstraints=CA:FALSE", common_name="x")
@example(org="@section", common_name="*")
@example(org="-passin", common_name="C:\\certs\\*.key")
def test_a_name_is_refused_or_in_the_certificate_exactly_as_typed(
    org: str, common_name: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done = CliRunner().invoke(
            app,
            [
                *("ca", "--out", name, "--profile", "modern"),
                *(f"--org={org}", f"--ca-cn={common_name}"),
            ],
        )
        if done.exit_code == REFUSED:
            assert list(folder.iterdir()) == []
            return
        assert done.exit_code == 0, done.output
        subject = dict(pair for rdn in decoded(folder / "ca.crt")["subject"] for pair in rdn)
        assert subject["organizationName"] == f"{org} CA"
        assert subject["commonName"] == common_name
        assert set(facts(folder / "ca.crt").extensions) == NO_OTHER_EXTENSIONS


@pytest.mark.parametrize(
    "name", ["O'Neil & Söhne", 'He said "no"', "100% sure!", "$HOME", "C:\\new\\tab", "北京"]
)
def test_what_people_type_is_not_refused(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["ca", "--out", str(tmp_path), "--profile", "modern", "--org", name]
    )

    assert done.exit_code == 0, done.output
    subject = dict(pair for rdn in decoded(tmp_path / "ca.crt")["subject"] for pair in rdn)
    assert subject["organizationName"] == f"{name} CA"
