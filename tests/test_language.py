"""Messages know their translation, and the catalogue has every one of them."""

from __future__ import annotations

import ast
import copy
import importlib.util
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog

from mtls_openssl import errors, language
from mtls_openssl.inventory.telling import counted
from mtls_openssl.language import (
    _,
    chosen,
    clauses,
    joined,
    named,
    padded,
    recalled,
    speak,
    spoken,
    width,
)
from mtls_openssl.settings.refusals import Refusal

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mtls_openssl"
HAN = "[\u3400-\u9fff]"


def script() -> ModuleType:
    """scripts/catalogue.py, as a module."""
    spec = importlib.util.spec_from_file_location("catalogue", ROOT / "scripts" / "catalogue.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CATALOGUE = script()
PO = PACKAGE / "locale" / "zh_CN" / "LC_MESSAGES" / "messages.po"


def chinese() -> dict[str, str]:
    """Every message and its translation."""
    return {message.id: message.string for message in CATALOGUE._read(PO) if message.id}


@pytest.fixture
def in_chinese() -> Iterator[None]:
    speak("zh_CN")
    yield
    speak("en")


# The catalogue


def test_every_message_has_its_chinese_and_the_catalogue_is_compiled() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "catalogue.py", "--check"],
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (checked.stdout + checked.stderr, checked.returncode) == (
        "every message is translated\n",
        0,
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A catalogue with two translations."""
    po = tmp_path / "zh_CN" / "LC_MESSAGES" / "messages.po"
    po.parent.mkdir(parents=True)
    po.write_text(
        'msgid "hello {name}"\nmsgstr "{name}，您好"\n\nmsgid "gone"\nmsgstr "去"\n', "utf-8"
    )
    CATALOGUE.update(po, catalog("hello {name}", "gone"))
    return po


def catalog(*texts: str) -> Catalog:
    found = Catalog()
    for text in texts:
        found.add(text, locations=[("some.py", 1)])
    return found


def faults(po: Path, *texts: str) -> list[str]:
    return list(CATALOGUE.faults_of(po, catalog(*texts)))


def changed(po: Path, old: str, new: str) -> Path:
    text = po.read_text("utf-8")
    assert old in text
    po.write_text(text.replace(old, new), "utf-8")
    return po


def test_a_complete_catalogue_has_no_fault(small: Path) -> None:
    assert faults(small, "hello {name}", "gone") == []


def test_a_message_that_is_not_in_the_catalogue_is_told(small: Path) -> None:
    (fault,) = faults(small, "hello {name}", "gone", "new")
    assert fault.startswith("missing")


def test_a_message_that_is_no_longer_in_the_code_is_told(small: Path) -> None:
    (fault,) = faults(small, "hello {name}")
    assert fault.startswith("no longer in the code")


def test_a_message_without_its_chinese_is_told(small: Path) -> None:
    CATALOGUE.update(small, catalog("hello {name}", "gone", "new"))
    assert faults(small, "hello {name}", "gone", "new") == ["not translated: 'new'"]


def test_a_guess_is_no_translation(small: Path) -> None:
    po = changed(small, 'msgid "gone"', '#, fuzzy\nmsgid "gone"')
    assert "fuzzy: 'gone'" in faults(po, "hello {name}", "gone")


def test_a_value_that_the_translation_lacks_is_told(small: Path) -> None:
    po = changed(small, "{name}，您好", "您好")
    CATALOGUE.update(po, catalog("hello {name}", "gone"))
    (fault,) = faults(po, "hello {name}", "gone")
    assert fault.startswith("not the same values")


def test_a_translation_that_is_not_compiled_is_told(small: Path) -> None:
    po = changed(small, '"去"', '"走"')
    (fault,) = faults(po, "hello {name}", "gone")
    assert "not what messages.po compiles to" in fault


def test_what_is_marked_must_be_a_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.py").write_text('x = 1\n_(f"value {x}")\n')
    monkeypatch.setattr(CATALOGUE, "PACKAGE", tmp_path)
    monkeypatch.setattr(CATALOGUE, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"some.py:2: no plain text"):
        CATALOGUE.extracted()


def test_the_texts_of_options_and_the_docstrings_of_commands_are_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.py").write_text(
        'option(str, "--x", help="what x is", show_default="none")\n'
        '@takes()\ndef command(choices):\n    """Do it."""\n'
    )
    monkeypatch.setattr(CATALOGUE, "PACKAGE", tmp_path)
    monkeypatch.setattr(CATALOGUE, "ROOT", tmp_path)
    found = {message.id for message in CATALOGUE.extracted() if message.id}
    assert found == {"what x is", "none", "Do it."}


# The Chinese


def test_a_console_of_code_page_936_can_show_all_of_it() -> None:
    def fits(text: str) -> bool:
        try:
            return bool(text.encode("gbk"))
        except UnicodeEncodeError:
            return False

    assert [text for text in chinese().values() if text and not fits(text)] == []


def test_a_blank_stands_between_han_and_latin_letters() -> None:
    tight = re.compile(f"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}")
    assert [text for text in chinese().values() if tight.search(text)] == []


def test_punctuation_after_han_letters_is_chinese() -> None:
    western = re.compile(f"{HAN}[,;:?!()]|[()]{HAN}")
    assert [text for text in chinese().values() if western.search(text)] == []


def test_file_names_and_options_are_the_same_in_both_languages() -> None:
    name = re.compile(r"--[a-z0-9-]+|\b[a-z0-9_]+\.(?:key|crt|p12|pem|toml|jsonl|bat|csr)\b")
    wrong = [
        (text, translated)
        for text, translated in chinese().items()
        if set(name.findall(text)) - set(name.findall(translated))
    ]
    assert wrong == []


# Texts


def test_a_message_is_its_english_text() -> None:
    assert _("{count} run{count:|s}", count=3) == "3 runs"


@pytest.mark.parametrize(("count", "said"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs")])
def test_a_word_goes_by_its_number(count: int, said: str) -> None:
    assert _("{count} run{count:|s}", count=count) == said


@pytest.mark.parametrize("count", [1, 2])
def test_a_word_that_went_by_its_number_is_recalled(count: int, in_chinese: None) -> None:
    said = str(_("{count} client{count:|s} {count:is|are} in place", count=count))
    assert spoken(recalled(said)) == f"{count} 个客户端已就位"


def test_a_message_is_said_in_the_language_of_the_process(in_chinese: None) -> None:
    assert spoken(_("{count} run{count:|s}", count=3)) == "3 次运行"


def test_a_message_within_a_message_is_translated_too(in_chinese: None) -> None:
    inner = _("the disk is full")
    assert spoken(_("Cause: {cause}", cause=inner)) == "原因：磁盘已满"


def test_clauses_have_another_mark_between_them_than_things_in_a_list(in_chinese: None) -> None:
    said = clauses(("1", _("all fine"), _("the disk is full")))

    assert said == "1, all fine, the disk is full"
    assert spoken(said) == "1，全部正常，磁盘已满"
    assert spoken(joined(_(", "), ("a", "b"))) == "a、b"
    assert spoken(counted(())) == "0 张证书，全部正常"


def test_what_a_refusal_is_about_is_said_in_the_language_of_the_process(in_chinese: None) -> None:
    refusal = Refusal(_("the row"), "", "a.csv 2", _("is empty"), "x", "")

    assert spoken(refusal.words).startswith("该行（a.csv 2）")


def test_what_is_no_message_is_said_as_it_is(in_chinese: None) -> None:
    assert spoken("plain {text}") == "plain {text}"


def test_the_english_of_a_message_stays_english_for_the_log(in_chinese: None) -> None:
    text = _("Cause: {cause}", cause=_("the disk is full"))
    assert f"{text}" == "Cause: the disk is full"


def test_joined_texts_are_translated_each_with_what_stands_between(in_chinese: None) -> None:
    text = joined(_("; "), [_("the disk is full"), "plain"])
    assert (str(text), spoken(text)) == ("the disk is full; plain", "磁盘已满；plain")


@pytest.mark.parametrize(
    "text",
    [
        _("{count} run{count:|s}", count=3),
        joined(_(", "), [_("{count} run{count:|s}", count=1), "x"]),
    ],
    ids=["one", "joined"],
)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_a_copied_message_keeps_its_translation(text: str, copied: type, in_chinese: None) -> None:
    assert spoken(copied(text)) == spoken(text) != text


def test_a_message_is_recalled_from_its_english_text(in_chinese: None) -> None:
    said = str(
        _("failed: {what}", what=_("the log {path} can't be read: {error}", path="a", error="b"))
    )
    assert spoken(recalled(said)) == "失败：无法读取日志 a：b"


def test_a_number_that_was_written_into_a_text_is_recalled_as_it_was_written(
    in_chinese: None,
) -> None:
    said = str(_("did not come to an end within {seconds:.0f} s, and was killed", seconds=2.4))
    assert spoken(recalled(said)) == "在 2 秒内没有结束，已被终止"


def test_what_no_message_says_is_recalled_as_it_is(in_chinese: None) -> None:
    assert spoken(recalled("openssl's own words: x")) == "openssl's own words: x"


def test_a_han_letter_is_two_columns_wide() -> None:
    assert (width("证书 a.crt"), padded("证书", 6)) == (10, "证书  ")


# The choice


@pytest.mark.parametrize(
    ("argv", "environ", "language"),
    [
        ([], {}, "en"),
        (["all", "--lang", "zh"], {}, "zh_CN"),
        (["--lang", "zh", "all"], {}, "zh_CN"),
        (["all", "--lang=zh-CN"], {}, "zh_CN"),
        (["all", "--lang"], {}, "en"),
        (["all", "--lang", "fr"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["all", "--lang", "en"], {"MTLS_LANG": "zh"}, "en"),
        ([], {"MTLS_LANG": "zh", "LANG": "en_US.UTF-8"}, "zh_CN"),
        ([], {"MTLS_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
        ([], {"MTLS_LANG": "", "LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ([], {"LANG": "zh_CN.GBK"}, "zh_CN"),
        ([], {"LANG": "fr_FR.UTF-8"}, "en"),
        ([], {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LC_MESSAGES": "zh_CN", "LANG": "en_US.UTF-8"}, "zh_CN"),
        ([], {"LANGUAGE": "zh", "LANG": "en_US.UTF-8"}, "zh_CN"),
        ([], {"LANGUAGE": "fr:zh:en", "LANG": "fr_FR.UTF-8"}, "zh_CN"),
        ([], {"LANGUAGE": "en:zh", "LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LANGUAGE": "zh", "LC_ALL": "C.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_first(
    argv: list[str], environ: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtls_openssl.language._system_language", lambda: "en")
    assert chosen(argv, environ) == language


def test_where_no_variable_says_it_the_systems_own_language_is_spoken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mtls_openssl.language._system_language", lambda: "zh_CN")
    assert chosen([], {}) == "zh_CN"


@pytest.mark.parametrize(
    "name", ["zh", "ZH", "zh_CN", "zh-CN", "zh-Hans-CN", "zh_CN.UTF-8", "zh_TW"]
)
def test_every_name_of_chinese_is_known(name: str) -> None:
    assert named(name) == "zh_CN"


@pytest.mark.parametrize("name", ["", "fr", "zhuang", "中文"])
def test_a_language_without_a_catalogue_is_not_known(name: str) -> None:
    assert named(name) is None


def test_english_costs_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_compiled", lambda _: pytest.fail("a catalogue was read"))
    assert spoken(_("{count} run{count:|s}", count=1)) == "1 run"


# What must be marked


WORDS = re.compile(r"[A-Za-z']+ [a-z']+ [a-z']+")
COMMAND = re.compile(r"(sudo |python -m |openssl |nginx |keytool |certutil |choco |winget )")
ERRORS = {name for name in vars(errors) if name.endswith("Error")}


def unmarked(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        shown: list[ast.expr] = []
        if name in ERRORS:
            shown = [*node.args[:1], *(k.value for k in node.keywords if k.arg in {"cause", "fix"})]
        elif name == "echo":
            shown = node.args[:1]
        elif name == "Command":
            shown = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "purpose")]
        for text in shown:
            words = literal(text)
            if WORDS.search(words) and not COMMAND.match(words):
                yield f"{file.name}:{text.lineno}: {words}"


def literal(text: ast.expr) -> str:
    """The words of a plain text or of an f-string."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(str(one.value) for one in text.values if isinstance(one, ast.Constant))
    return ""


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE))
)
def test_what_a_person_can_see_is_marked(file: Path) -> None:
    assert list(unmarked(file)) == []
