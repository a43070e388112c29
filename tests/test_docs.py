"""What the words name exists, and what exists is named."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from flags import runtime, values
from monitoring import registry

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
APPS = ("oracle_site", "chat", "flags", "monitoring")
# Waffle's own, which we only keep from doing harm.
STOCK = {"waffle_delete", "waffle_flag", "waffle_switch"}
# Set by the launcher or by Python itself, never by a person.
MACHINERY = {"DJANGO_SETTINGS_MODULE", "PATH", "ORACLE_ENV_FILE"}
READERS = {
    *("choice", "flag", "get", "integer", "number", "seconds", "secret", "text"),
    *("choices", "networks", "words", "mail", "mails", "url", "urls"),
}
# `runtime.integer(…)` declares a setting whose first value is read by its name.
OWNERS = {"env", "os.environ", "runtime"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _sources() -> Iterator[Path]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "local_gemini" not in path.parts:
                yield path


def _variables_read_in(path: Path) -> Iterator[str]:
    """Yield the names given to `env.integer(…)` and its like, or to `os.environ`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=owner, attr=reader),
                args=[ast.Constant(value=str(name)), *_],
            ) if reader in READERS and ast.unparse(owner) in OWNERS:
                yield name
            case ast.Subscript(
                value=owner, slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) if ast.unparse(owner) == "os.environ":
                yield name


def _documented_variables() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", _text(".env.example"), re.M))


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))


def test_every_variable_that_is_read_is_documented() -> None:
    read = {name for path in _sources() for name in _variables_read_in(path)}

    assert read - MACHINERY - set(_documented_variables()) == set()


def test_every_documented_variable_is_read() -> None:
    read = {name for path in _sources() for name in _variables_read_in(path)}

    assert set(_documented_variables()) - read == set()


def test_the_documented_defaults_are_what_the_settings_make_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from oracle_site import settings

    documented = {
        name: value
        for name, value in _documented_variables().items()
        if value and isinstance(getattr(settings, name, None), int | float)
    }

    assert documented
    for name, value in documented.items():
        expected = getattr(settings, name)
        is_flag = isinstance(expected, bool)
        assert (value == "true" if is_flag else float(value)) == expected, name


def test_the_documented_first_values_are_the_declared_defaults() -> None:
    documented = _documented_variables()

    declared = {
        setting.name: values.write(setting.default) for setting in runtime.declared()
    }

    assert {name: documented[name] for name in declared} == declared


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_words_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text("utf-8")))

    assert named - set(get_commands()) == set()


def test_every_command_of_the_operators_is_in_the_words() -> None:
    words = "".join(document.read_text("utf-8") for document in DOCUMENTS)

    unnamed = {
        name
        for name, app in get_commands().items()
        if app in APPS and f"manage.py {name}" not in words
    }

    assert unnamed - STOCK == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_in_the_words_exists(document: Path) -> None:
    named = set(
        re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z]+)", document.read_text("utf-8"))
    )

    assert named - _targets() == set()


def test_every_make_target_for_people_is_in_the_readme() -> None:
    helped = set(re.findall(r"^([a-z]+):.*## ", _text("Makefile"), re.MULTILINE))

    named = set(re.findall(r"`make ([a-z]+)", _text("README.md")))

    assert helped - named == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_variable_in_the_words_is_documented(document: Path) -> None:
    named = re.findall(
        r"`([A-Z]{2,}_[A-Z0-9_]+)(?:=[^`]*)?`", document.read_text("utf-8")
    )

    assert set(named) - set(_documented_variables()) - MACHINERY == set()


def test_every_health_check_has_its_heading_in_the_runbook_and_back() -> None:
    headings = re.findall(r"^## (Check: .+)$", _text("docs/RUNBOOK.md"), re.MULTILINE)

    anchors = {
        "docs/RUNBOOK.md#" + re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }

    assert anchors == {probe.runbook for probe in registry.probes()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))

    missing = [link for link in links if not (document.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_in_the_words_exists(document: Path) -> None:
    pattern = (
        r"`((?:oracle_site|chat|flags|monitoring|tests|benchmarks|docs)/[\w./-]+)`"
    )
    named = re.findall(pattern, document.read_text("utf-8"))

    missing = [name for name in named if not (ROOT / name).exists()]

    assert missing == []
