"""Which of profile, `mtls.toml`, environment and option decides, and where each value came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Manifest
from mtls_openssl.profiles import BAT, PROFILES, Profile
from mtls_openssl.settings import values
from mtls_openssl.settings.config import TABLES, Document, read_config
from mtls_openssl.settings.model import Settings
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError, nearest, shown
from mtls_openssl.settings.values import UnfitError
from mtls_openssl.settings.whole import manifest_of

_FIELDS: Final = tuple(Settings.model_fields)


@dataclass(frozen=True)
class Loaded:
    """Checked settings.

    Args:
        settings: the settings.
        sources: where each came from, by its name, as `Refusal.source` says it.
        manifest: what is to be made by them, and by the tables of the file.
        tables: whether the file has tables, and so describes more than the batch file's set.
        passphrases: where the pass phrase of each authority's key is, by the authority's name;
            as `names.passphrase_source` has it.
    """

    settings: Settings
    sources: Mapping[str, str]
    manifest: Manifest
    tables: bool = False
    passphrases: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class _Given:
    """A value that was found somewhere.

    Args:
        value: the value.
        source: where.
        edit: how it is changed there.
        short: where, in fewer words, if there are.
        base: name of the setting that it was made from; empty if it stands by itself.
    """

    value: object
    source: str
    edit: str
    base: str = ""
    short: str = ""


def load(
    options: Mapping[str, object], *, environ: Mapping[str, str], config: Path | None
) -> Loaded:
    """Put the settings together: profile < `mtls.toml` < environment < option.

    The profile is picked by the same order first, and is `bat` where nobody picks one. A value
    that a profile makes from the domain or the key size is made from the one that was given.

    Args:
        options: values from the command line by the name of the setting; None if not given.
        environ: the environment; of its `MTLS_*` variables those named as a setting are read.
        config: the file of settings; None if there is none.

    Raises:
        SettingsRefusedError: the file can't be read, or names what is no setting, or a value
            can't be used. It holds every refusal, not just the first.
    """
    document = read_config(config) if config else Document("", {}, {})
    written, refusals = _from_config(document)
    chosen = {**written, **_from_environment(environ), **_from_options(options)}
    profile = chosen.get("profile", _Given(BAT.name, _("the default"), _give("profile")))
    known = PROFILES.get(str(profile.value), BAT)
    given = {**_from_profile(known, chosen), **chosen, "profile": profile}
    try:
        settings = Settings.model_validate({field: one.value for field, one in given.items()})
    except ValidationError as error:
        raise SettingsRefusedError([*refusals, *_refusals(error, given)]) from None
    if refusals:
        raise SettingsRefusedError(refusals)
    sources = {field: one.source for field, one in given.items()}
    if document.content.keys().isdisjoint(TABLES):
        return Loaded(settings, sources, manifest_of(settings))
    from mtls_openssl.settings.described import tables_of  # noqa: PLC0415 - few files have tables

    tables, refusals = tables_of(document, settings)
    if tables is None:
        raise SettingsRefusedError(refusals)
    passphrases = {
        name: table.passphrase
        for name, table in ((ROOT, tables.ca), (INTERMEDIATE, tables.intermediate))
        if table and table.passphrase
    }
    return Loaded(settings, sources, manifest_of(settings, tables), True, passphrases)  # noqa: FBT003


def _from_options(options: Mapping[str, object]) -> dict[str, _Given]:
    stray = options.keys() - _FIELDS
    if stray:
        raise TypeError(f"not the names of settings: {sorted(stray)}")
    return {
        field: _Given(
            value,
            _("option {option}", option=_option(field)),
            _("change {option}", option=_option(field)),
            short=_option(field),
        )
        for field, value in options.items()
        if value is not None
    }


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    return {
        field: _Given(
            environ[name],
            _("environment {variable}", variable=name),
            _("change or unset {variable}", variable=name),
        )
        for field, name in ((field, f"MTLS_{field.upper()}") for field in _FIELDS)
        if name in environ
    }


def _from_config(document: Document) -> tuple[dict[str, _Given], list[Refusal]]:
    given: dict[str, _Given] = {}
    refusals: list[Refusal] = []
    for key, value in document.content.items():
        field, source = key.replace("-", "_"), document.source((key,))
        if key in TABLES:
            continue
        if field not in _FIELDS:
            refusals.append(_not_a_setting(key, source))
        elif field in given:
            refusals.append(_said_twice(key, source, given[field].source))
        else:
            given[field] = _Given(value, source, _("edit {place}", place=source))
    return given, refusals


def _from_profile(profile: Profile, chosen: Mapping[str, _Given]) -> dict[str, _Given]:
    given = {}
    for field in _FIELDS:
        value = profile.values.get(field)
        base = next((name for name in ("domain", "key_size") if f"{{{name}}}" in str(value)), "")
        source = _("profile {profile}", profile=profile.name)
        if base in chosen:
            source = _("made from {source}", source=chosen[base].short or chosen[base].source)
        given[field] = _Given(
            _filled(value, base, _base_value(base, profile, chosen)) if base else value,
            source,
            _give(field),
            base,
        )
    return given


def _base_value(base: str, profile: Profile, chosen: Mapping[str, _Given]) -> str:
    value = chosen[base].value if base in chosen else profile.values[base]
    try:
        return values.dns_name(value) if base == "domain" else str(value)
    except UnfitError:
        return str(value)


def _filled(value: object, base: str, text: str) -> object:
    if isinstance(value, tuple):
        return tuple(_filled(entry, base, text) for entry in value)
    return str(value).replace(f"{{{base}}}", text)


def _refusals(error: ValidationError, given: Mapping[str, _Given]) -> Iterable[Refusal]:
    problems = error.errors(include_url=False)
    refused = {problem["loc"][0] for problem in problems}
    for problem in problems:
        field = str(problem["loc"][0])
        if given[field].base in refused:
            continue
        reason = problem.get("ctx", {}).get("error")
        if not isinstance(reason, UnfitError):
            reason = UnfitError(_("can't be used: {why}", why=problem["msg"]))
        yield _refusal(field, problem["input"], reason, given)


def _refusal(field: str, value: object, reason: UnfitError, given: Mapping[str, _Given]) -> Refusal:
    why, one = reason.why, given[field]
    beside = given.get(reason.beside)
    if beside:
        why = _(
            "{why}; {setting} is from {source}",
            why=why,
            setting=reason.beside,
            source=beside.source,
        )
    elif field == "profile":
        why = joined("", (why, nearest(str(value), PROFILES)))
    other = beside or given.get(one.base)
    allowed = Settings.model_fields[field].description or ""
    fix = _("{one} or {other}", one=one.edit, other=other.edit) if other else one.edit
    return Refusal(field, shown(value), one.source, why, allowed, fix)


def _not_a_setting(key: str, source: str) -> Refusal:
    # Its value is not shown: it may be a password that does not belong there.
    if "password" in key.lower():
        return Refusal(
            shown(key)[1:-1],
            "",
            source,
            _("has no place in a file of settings"),
            _("a file of its own, with --p12-password-file, or MTLS_P12_PASSWORD"),
            _("take it out of {place}", place=source),
        )
    near = nearest(key.replace("-", "_").lower(), _FIELDS)
    why = joined("", (_("is no setting"), near))
    edit = _("edit {place}", place=source)
    return Refusal(shown(key)[1:-1], "", source, why, ", ".join(_FIELDS), edit)


def _said_twice(key: str, source: str, first: str) -> Refusal:
    return Refusal(
        key,
        "",
        source,
        _("is given by {place} already", place=first),
        _("each setting once"),
        _("edit {place}", place=source),
    )


def _give(field: str) -> Text:
    return _("give {option}", option=_option(field))


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"
