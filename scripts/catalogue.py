"""Brings the catalogue of messages up to date with the code, and compiles it.

    python scripts/catalogue.py            takes new messages in and old ones out, and compiles
    python scripts/catalogue.py --check    changes nothing, and tells what is missing

A message is what `_("…")` marks, the docstring of a command (`takes`), and the text of an option
(`help=`, `show_default=`, also of `within(…)`), of an argument (the last one of `argument(…)`) or
of a group of commands (`App(help=…)`). After the first command the new ones stand with an empty
`msgstr ""` in mtls_openssl/locale/zh_CN/LC_MESSAGES/messages.po: write their translation there,
then run it again. Both files are committed.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "mtls_openssl"
LOCALES = PACKAGE / "locale"

_TEXTS = {"option": ("help", "show_default"), "within": ("help",), "App": ("help",)}
_FIELD = re.compile(r"(?<!\{)\{(\w+)[^{}]*\}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring up to date, or check.

    Args:
        arguments: of the command line, without the program's name.

    Returns:
        The exit code: 1 if something is missing or stale, else 0.
    """
    parser = argparse.ArgumentParser(description="Bring the catalogue of messages up to date.")
    parser.add_argument("--check", action="store_true", help="only tell what is missing")
    checked = parser.parse_args(arguments).check
    getattr(sys.stdout, "reconfigure", lambda **_: None)(encoding="utf-8")
    found = extracted()
    faults = []
    for po in sorted(LOCALES.glob("*/LC_MESSAGES/messages.po")):
        if not checked:
            update(po, found)
        faults += [f"{po.relative_to(ROOT)}: {fault}" for fault in faults_of(po, found)]
    print("\n".join(faults) or "every message is translated")
    return 1 if faults else 0


def extracted() -> Catalog:
    """Every message of the package, with the files that it is in.

    Babel's own extractor knows nothing of keyword arguments and docstrings.

    Raises:
        SystemExit: something is marked that is no plain text, such as an f-string.
    """
    catalog = Catalog()
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for text in _texts_of(node):
                if not _is_text(text):
                    raise SystemExit(f"{name}:{text.lineno}: no plain text: {ast.unparse(text)}")
                catalog.add(ast.literal_eval(text), locations=[(name, text.lineno)])
    return catalog


def _texts_of(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = _name(node.func)
        if name == "_":
            yield from node.args[:1]
        elif name.lstrip("_") == "argument":
            yield from filter(_is_text, node.args[-1:])
        for one in node.keywords:
            said = isinstance(one.value, ast.JoinedStr) or _is_text(one.value)
            if said and one.arg in _TEXTS.get(name, ()):
                yield one.value
    elif isinstance(node, ast.FunctionDef):
        decorators = [_name(one.func) for one in node.decorator_list if isinstance(one, ast.Call)]
        docstring = ast.get_docstring(node)
        if docstring and "takes" in decorators:
            yield ast.copy_location(ast.Constant(docstring), node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def update(po: Path, found: Catalog) -> None:
    """Give a catalogue the messages that were found, keep its translations, and compile it."""
    catalog = _read(po)
    catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
    written = io.BytesIO()
    write_po(
        written, catalog, width=100, ignore_obsolete=True, sort_by_file=True, include_lineno=False
    )
    po.write_bytes(written.getvalue())
    with po.with_suffix(".mo").open("wb") as file:
        write_mo(file, _read(po))


def faults_of(po: Path, found: Catalog) -> Iterator[str]:
    """What is not as it should be in a catalogue and in its compiled form, a line each."""
    catalog = _read(po)
    ours = {str(message.id): message for message in catalog if message.id}
    theirs = {str(message.id) for message in found if message.id}
    for text in sorted(theirs - ours.keys()):
        yield f"missing, run scripts/catalogue.py: {text!r}"
    for text in sorted(ours.keys() - theirs):
        yield f"no longer in the code, run scripts/catalogue.py: {text!r}"
    for text, message in sorted(ours.items()):
        if not message.string:
            yield f"not translated: {text!r}"
        elif message.fuzzy:
            yield f"fuzzy: {text!r}"
        elif set(_FIELD.findall(text)) != set(_FIELD.findall(str(message.string))):
            yield f"not the same values in both languages: {text!r}"
    with po.with_suffix(".mo").open("rb") as file:
        compiled = {message.id: message.string for message in read_mo(file) if message.id}
    if compiled != {text: message.string for text, message in ours.items() if message.string}:
        yield "messages.mo is not what messages.po compiles to, run scripts/catalogue.py"


def _read(po: Path) -> Catalog:
    with po.open("rb") as file:
        return read_po(file, locale=po.parent.parent.name)


if __name__ == "__main__":
    sys.exit(main())
