"""The tables of mtls.toml: what they mean, and how each fault is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtls_openssl.manifest import Key, Manifest, Packing, Role
from mtls_openssl.settings import Refusal, SettingsRefusedError, load


@pytest.fixture(name="config")
def config_fixture(tmp_path: Path) -> Path:
    return tmp_path / "mtls.toml"


def manifest(text: str, config: Path) -> Manifest:
    config.write_text(text, "utf-8")
    return load({}, environ={}, config=config).manifest


def refusals(text: str, config: Path) -> tuple[Refusal, ...]:
    with pytest.raises(SettingsRefusedError) as refused:
        manifest(text, config)
    return refused.value.refusals


def test_without_tables_it_is_the_batch_files_set(config: Path) -> None:
    made = manifest('org = "示例"', config)
    assert [(leaf.name, leaf.role) for leaf in made.leaves] == [
        ("server", Role.SERVER),
        ("client", Role.CLIENT),
    ]
    assert made.leaves[1].packings == (Packing("client.p12", "MyClientCert"),)
    assert (made.intermediate, made.root.encrypted) == (None, False)


def test_what_a_table_leaves_out_comes_from_the_settings_of_the_whole(config: Path) -> None:
    made = manifest(
        'domain = "example.com"\ncert_days = 90\nkey_size = 3072\n[[server]]\nname = "www"\n'
        '[[client]]\nname = "alice"\n',
        config,
    )
    www, alice = made.leaves
    assert (www.subject[-1], www.alternatives) == (
        ("CN", "www.example.com"),
        ("DNS:www.example.com",),
    )
    assert (alice.subject[-1], alice.alternatives) == (("CN", "alice"), ())
    assert {leaf.days for leaf in made.leaves} == {90}
    assert {leaf.key for leaf in made.leaves} == {Key("RSA", bits=3072)}


def test_a_server_is_called_by_its_first_name_and_a_modern_client_by_its_own(config: Path) -> None:
    made = manifest(
        'profile = "modern"\n[[server]]\nname = "www"\ndns = ["a.example", "b.example"]\n'
        '[[client]]\nname = "alice"\n',
        config,
    )
    assert made.leaves[0].subject[-1] == ("CN", "a.example")
    assert made.leaves[1].alternatives == ("DNS:alice",)


def test_the_first_reader_has_the_plain_name_and_the_others_their_own(config: Path) -> None:
    made = manifest(
        '[[client]]\nname = "alice"\np12 = ["default", "windows2016", "java8"]\n'
        'p12_name = "Alice 张"\n[[client]]\nname = "bob"\np12 = []\n',
        config,
    )
    assert made.leaves[0].packings == (
        Packing("alice.p12", "Alice 张"),
        Packing("alice.windows2016.p12", "Alice 张", "windows2016"),
        Packing("alice.java8.p12", "Alice 张", "java8"),
    )
    assert made.leaves[1].packings == ()


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("RSA-4096", Key("RSA", bits=4096)),
        ("rsa 2048", Key("RSA", bits=2048)),
        ("P-256", Key("EC", curve="P-256")),
        ("p384", Key("EC", curve="P-384")),
        ("ed25519", Key("ED25519")),
    ],
)
def test_a_kind_of_key_is_written_as_people_write_it(written: str, key: Key, config: Path) -> None:
    made = manifest(f'[ca]\nkey = "{written}"\n[[client]]\nname = "a"\n', config)
    assert made.root.key == key


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("example.com", "DNS:example.com"),
        (".example.com", "DNS:example.com"),
        ("192.0.2.0/24", "IP:192.0.2.0/255.255.255.0"),
        ("192.0.2.7", "IP:192.0.2.7/255.255.255.255"),
        ("2001:db8::/32", "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0"),
        ("a@example.com", "email:a@example.com"),
        ("例子.测试", "DNS:xn--fsqu00a.xn--0zwm56d"),
    ],
)
def test_a_name_constraint_is_written_as_openssl_prints_it(
    written: str, limit: str, config: Path
) -> None:
    made = manifest(f'[ca]\npermitted = ["{written}"]\n', config)
    assert made.root.permitted == (limit,)


@pytest.mark.parametrize(
    ("text", "field", "line", "why"),
    [
        ('[ca]\n\nkeys = "x"\n', "keys", 3, "is no setting of [ca]; did you mean key?"),
        ('[[client]]\nname = "a"\n\n[[client]]\nname = "b"\nday = 5\n', "day", 6, "did you mean"),
        ('[[client]]\ncn = "b"\n', "[[client]] name", 1, "is missing"),
        ('[[client]]\nname = "a b"\n', "[[client]] name", 2, "can't be the name of its files"),
        ('[[client]]\nname = "ca"\n', "[[client]] name", 2, "is the name of another file already"),
        ('[[client]]\nname = "NUL"\n', "[[client]] name", 2, "is the name of a device on Windows"),
        ('[[client]]\nname = "x.p12"\n', "[[client]] name", 2, "ends as another file of a set"),
        ('[[client]]\nname = "A"\n[[server]]\nname = "a"\n', "[[client]] name", 2, "is too like"),
        ('[[server]]\nname = "a"\ndns = ["x y"]\n', "[[server]] dns", 3, "not a part of"),
        ('[[server]]\nname = "a"\nip = "1.2.3"\n', "[[server]] ip", 3, "is not an IP address"),
        ('[[client]]\nname = "a"\nuri = "x"\n', "[[client]] uri", 3, "is not a URI"),
        ('[[client]]\nname = "a"\nuri = "urn:a\\n[b]"\n', "[[client]] uri", 3, "a line break"),
        ('[[client]]\nname = "a"\nuri = "urn:$ENV::x"\n', "[[client]] uri", 3, "is not a URI"),
        ('[[client]]\nname = "a"\nemail = "a"\n', "[[client]] email", 3, "not an e-mail address"),
        ('[[client]]\nname = "a"\np12 = "ie6"\n', "[[client]] p12", 3, "is nobody that"),
        ('[[client]]\nname = "a"\ndays = 4000\n', "[[client]] days", 3, "is longer than"),
        ("[intermediate]\ndays = 4000\n", "[intermediate] days", 2, "is longer than"),
        ("[ca]\npath_length = 0\n[intermediate]\n", "[ca] path_length", 2, "leaves no room"),
        ('[ca]\nkey = "DSA-1024"\n', "[ca] key", 2, "is no kind of key"),
        ('[ca]\nkey = "RSA-1024"\n', "[ca] key", 2, "is too short to be safe"),
        ('[ca]\npassphrase = "pass:x"\n', "[ca] passphrase", 2, "is the pass phrase itself"),
        ('[ca]\npassphrase = "secret"\n', "[ca] passphrase", 2, "names no place"),
        ('[ca]\ncrl_url = "ftp://x/"\n', "[ca] crl_url", 2, "does not begin with http://"),
        ('server = "x"\n', "[[server]]", 1, "is not a list of tables"),
        ("ca = 3\n", "[ca]", 1, "is not a table"),
        ('profile = "modern"\n[[client]]\nname = "a"\ncn = "A B"\n', "[[client]] cn", 4, "give"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_what_is_allowed(
    text: str, field: str, line: int, why: str, config: Path
) -> None:
    (refusal,) = refusals(text, config)
    assert (refusal.field, refusal.source) == (field, f"mtls.toml line {line}")
    assert why in refusal.why
    assert refusal.allowed


def test_a_pass_phrase_in_the_file_is_not_repeated_on_the_screen(config: Path) -> None:
    (refusal,) = refusals('[ca]\npassphrase = "pass:very secret"\n', config)
    assert "very secret" not in str(refusal)


def test_all_faults_are_told_at_once(config: Path) -> None:
    told = refusals('[ca]\nkey = "x"\n[[client]]\nname = "a"\ndays = 0\nfoo = 1\n', config)
    assert [refusal.field for refusal in told] == ["[ca] key", "[[client]] days", "foo"]
