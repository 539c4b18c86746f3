"""Finds and renders `templates/`. jinja2 is imported here and nowhere else.

Nothing in a template can add a line: every value has passed `settings`, which lets no line
break through, and a name that a template forgets to be given is an error, not an empty text.
"""

from __future__ import annotations

import functools
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from mtls_openssl.steps import Render


def templates() -> Traversable:
    """The folder of templates: inside the package in a wheel, beside it in a checkout or a zip."""
    package: Any = files("mtls_openssl")
    packed = package / "templates"
    found: Traversable = packed if packed.is_dir() else package.parent / "templates"
    return found


def render(step: Render) -> str:
    r"""The text of `step`'s file, with `\n` line ends.

    Raises:
        jinja2.TemplateError: the template and what it is given do not fit each other; our fault.
    """
    if not step.values:
        # Fixed text needs no engine, and the first command need not wait for its import.
        return _source(step.template)[0]
    return str(_environment().get_template(step.template).render(**step.values))


@functools.cache
def _environment() -> Any:
    import jinja2  # noqa: PLC0415 - imported while the keys are being made, not before

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        # Most are openssl's and web servers' files, where & is no sign for anything.
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
    )


def _source(name: str) -> tuple[str, str, None]:
    return templates().joinpath(*name.split("/")).read_text("utf-8"), name, None
