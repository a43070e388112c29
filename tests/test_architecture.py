"""The shape of the project: who may import whom, and how large a thing may grow."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("oracle_site", "chat", "flags", "monitoring")
DOORS = {
    "flags": {"evaluation", "runtime", "errors", "observations", "past"},
    "monitoring": {
        *("metrics", "slis", "registry", "notify", "incidents"),
        *("facts", "jobs", "leases", "processes", "read_only"),
        *("health", "series", "pending", "history"),
        # From a figure to the turns behind it, on threads that hold up no answer.
        *("drilldown", "aside_pages"),
        # Pictures of numbers: pure, and the same on every page.
        "charts",
    },
}
LOCAL_GEMINI = "chat.local_gemini"
GOOGLE = {"chat.gemini"}
PURE = {
    *("chat.breaker", "chat.completion", "chat.personalities", "chat.retries"),
    *("chat.reachability", "chat.upstream", "flags.bucketing", "flags.values"),
    *("flags.evidence.harm", "flags.evidence.looks", "flags.evidence.mixture"),
    *("flags.evidence.sample_ratio", "flags.evidence.sequence"),
    *("flags.controller", "flags.endings", "flags.gates", "flags.observations"),
    *("flags.plans", "flags.readings", "flags.simulation", "flags.situation"),
}
FRAMEWORKS = {"django", "celery", "ninja", "waffle"}
MAX_LINES = 300
DRAWERS = re.compile(r"(^|_)(utils?|helpers?|common|base|misc)$")
# Django looks for a database backend in a module of this name.
DEMANDED_NAMES = {"oracle_site/sqlite/base.py"}
MADE = {"var", "htmlcov"}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".js",
    ".css",
    ".html",
    ".svg",
    ".sh",
    ".yml",
    "",
}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*APPS, include_external_packages=True)


def _modules(package: str) -> set[str]:
    return {package} | _graph().find_descendants(package)


def _files() -> Iterator[Path]:
    """Yield the text files of the project, not what was installed or made beside it."""
    for top in ROOT.iterdir():
        if top.is_file() and top.name != ".env":
            yield top
        elif top.name == ".ci" or not (top.name.startswith(".") or top.name in MADE):
            yield from (p for p in top.rglob("*") if p.is_file() and p.suffix in TEXT)


def _sources() -> Iterator[Path]:
    for path in _files():
        parts = path.relative_to(ROOT).parts
        is_ours = "migrations" not in parts and "vendor" not in parts
        if is_ours and path.suffix in {".py", ".js", ".css", ".html"}:
            yield path


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("app", DOORS)
def test_others_knock_only_at_the_doors(app: str) -> None:
    doors = {f"{app}.{door}" for door in DOORS[app]}
    callers = _modules("chat") | _modules("flags") | _modules("monitoring")

    knocks = {
        (caller, target)
        for target in _modules(app)
        for caller in _graph().find_modules_that_directly_import(target)
        if caller in callers - _modules(app)
    }

    assert {(c, t) for c, t in knocks if t not in doors} == set()


def test_only_one_module_speaks_to_google() -> None:
    importers = {
        caller
        for module in _graph().modules
        if module.split(".")[0] == "google"
        for caller in _graph().find_modules_that_directly_import(module)
    }

    assert importers == GOOGLE


def test_the_local_gemini_needs_nothing_of_the_project() -> None:
    own = _modules(LOCAL_GEMINI)

    imported = {
        target
        for module in own
        for target in _graph().find_modules_directly_imported_by(module)
        if target.split(".")[0] in APPS
    }

    assert own
    assert imported - own - {"chat"} == set()


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_modules_know_no_framework(module: str) -> None:
    reached = _graph().find_upstream_modules(module)

    assert {name.split(".")[0] for name in reached} & FRAMEWORKS == set()


def test_monitoring_asks_nobody() -> None:
    imported = {
        target.split(".")[0]
        for module in _modules("monitoring")
        for target in _graph().find_modules_directly_imported_by(module)
    }

    assert imported & set(APPS) == {"monitoring"}


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    names = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.suffix == ".py" and DRAWERS.search(path.stem)
    }

    assert names == DEMANDED_NAMES


def test_no_source_file_outgrows_its_reader() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in _sources()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }

    assert long == {}


def test_no_template_has_styles_or_scripts_of_its_own() -> None:
    inline = re.compile(r"\sstyle=|<style|<script(?![^>]*\bsrc=)|\son[a-z]+=", re.I)

    found = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.suffix == ".html" and inline.search(path.read_text(encoding="utf-8"))
    }

    assert found == set()


def test_nothing_in_the_repository_belongs_to_one_machine() -> None:
    places = re.compile("/" + r"(?:work|root|farm|opt/pypi|home/\w+)/")

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files()
        for match in places.finditer(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_no_work_is_left_for_later_in_a_comment() -> None:
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

    found = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if words.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_the_chosen_requirements_say_why_and_all_are_exact() -> None:
    exact = re.compile(r"^[\w.\[\]-]+==[\w.]+( *;.*)?( +#.*)?$")

    loose = [
        line
        for name in ("requirements.txt", "tests/requirements.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#") and not exact.match(line)
    ]

    assert loose == []
