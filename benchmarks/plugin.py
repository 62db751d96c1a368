"""The pytest plugin that turns a suite into cases: options, markers, parameters.

Every worker of a distributed run reads the same suite and so collects the same cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from functools import cache
from itertools import chain
from typing import Any

import pytest

from benchmarks.cases import KINDS, Case
from benchmarks.methods import EXPLANATIONS
from benchmarks.results import Record
from benchmarks.schema import Suite
from benchmarks.sections import suggestion
from benchmarks.suite import SuiteError, built_in_suites, load_suite
from benchmarks.techniques import TECHNIQUES, TRAITS
from fixtures.known import known_names

#: The group of this project's options in ``pytest --help``.
OPTIONS = "RobustLite"

#: Where the suite of the session is kept.
SUITE = pytest.StashKey[Suite]()

#: Where every case of the suite is kept by its id, whatever is selected of them.
CASES = pytest.StashKey[dict[str, Case]]()

#: What gets a line of progress, in whichever process, to write it on the terminal.
TELL = pytest.StashKey[Callable[[str], None]]()

#: What the marker of a method begins with, by the kind of its cases.
_METHOD_MARKERS = {"adversarial": "attack", "explainability": "explanation"}

#: Where a test keeps what it measured, for the report.
RECORD = pytest.StashKey[Record]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say what is measured."""
    group = parser.getgroup(OPTIONS, "RobustLite: robustness of compressed models")
    group.addoption(
        "--suite",
        metavar="NAME|PATH",
        help=f"what to measure: a built-in suite ({', '.join(built_in_suites())}) or the path of a .toml "
        "file; default: the ini option 'suite', else quick",
    )
    group.addoption(
        "--set",
        dest="suite_overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting of the suite for this run, e.g. --set data.test_images=500; repeatable",
    )
    group.addoption(
        "--paper",
        action="store_true",
        help="also write the tables and figures of the original study, to paper/ in the report, and every "
        "figure in figures/, as PDF too",
    )
    group.addoption(
        "--explain-thresholds",
        action="store_true",
        help="list the thresholds of each selected case with the rules that set them, and run nothing",
    )
    parser.addini("suite", "the suite that is measured without --suite", default="quick")


@pytest.hookimpl(tryfirst=True)  # before xdist starts workers
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Collect in one process where nothing is run."""
    if config.getoption("explain_thresholds"):
        config.option.numprocesses = 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """List the thresholds of what is selected in the place of running it, if that is asked for."""
    config = session.config
    if not config.getoption("explain_thresholds") or session.testsfailed:
        return None
    from benchmarks.explained import explained  # noqa: PLC0415 - of no use to any other run

    selected = {case_id(item.nodeid) for item in session.items}
    cases = [case for name, case in config.stash[CASES].items() if name in selected]
    terminal = config.get_terminal_writer()
    terminal.line()
    terminal.line(explained(cases, config.stash[SUITE]))
    return True


def pytest_configure(config: pytest.Config) -> None:
    """Read the suite, and register a marker for everything a case can be selected by.

    Raises ``pytest.UsageError`` for a suite that cannot be read and for an unknown name in ``-m``.
    """
    name = config.getoption("suite") or config.getini("suite")
    try:
        config.stash[SUITE] = load_suite(name, known_names(), config.getoption("suite_overrides"))
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[CASES] = {
        str(case): case
        for kind in KINDS
        for case in config.stash[SUITE].cases(kind, known_names().corruptions)
    }
    for marker, meaning in _markers(config.stash[SUITE]):
        config.addinivalue_line("markers", f"{marker}: {meaning}")
    _check_marker_expression(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes a ``case`` every case of the suite of the kind that it is marked with."""
    if "case" not in metafunc.fixturenames:
        return
    kind = next((kind for kind in KINDS if metafunc.definition.get_closest_marker(kind)), None)
    if kind is None:
        return  # what it takes by that name is its own
    cases = [case for case in metafunc.config.stash[CASES].values() if case.kind == kind]
    metafunc.parametrize(
        "case", [pytest.param(case, id=str(case), marks=_marks_of(case)) for case in cases], scope="function"
    )


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """Leave out the placeholder that pytest makes of a test whose kind the suite has no case of."""
    made = yield
    return [item for item in made if not _is_placeholder(item)] if isinstance(made, list) else made


def _is_placeholder(item: object) -> bool:
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return False
    of_kind = any(item.get_closest_marker(kind) for kind in KINDS)
    return of_kind and not isinstance(item.callspec.params.get("case"), Case | None)


def case_id(nodeid: str) -> str:
    """Return the id of the case in ``benchmarks/test_latency.py::test_latency[CASE]``; empty without one."""
    return nodeid.partition("[")[2].removesuffix("]")


def marker_names(case: Case) -> list[str]:
    """Return the names of the markers of a case, its kind excepted, which marks the test function."""
    variant = case.variant
    names = [variant.dataset, variant.model, f"technique-{variant.technique}"]
    names += sorted(TECHNIQUES[variant.technique].traits)
    if case.method is not None:
        names.append(f"{_METHOD_MARKERS[case.kind]}-{case.method}")
    return names + [name for name in (case.corruption, case.family) if name]


def _marks_of(case: Case) -> list[pytest.MarkDecorator]:
    return [_mark(name) for name in marker_names(case)]


@cache
def _mark(name: str) -> pytest.MarkDecorator:
    mark: pytest.MarkDecorator = getattr(pytest.mark, name)
    return mark


def _markers(suite: Suite) -> list[tuple[str, str]]:
    """Return every marker with its meaning, for ``pytest --markers``; attacks are those of the suite."""
    known = known_names()
    families = dict.fromkeys(known.corruptions.values())
    return list(
        chain(
            ((kind, f"cases of the {meaning}") for kind, meaning in KINDS.items()),
            ((dataset, "cases on this data set") for dataset in known.datasets),
            ((model, "cases of this model") for model in known.models),
            (
                (f"technique-{name}", f"cases of technique {t.code}, {t.title}")
                for name, t in TECHNIQUES.items()
            ),
            ((trait, f"cases of techniques with {meaning}") for trait, meaning in TRAITS.items()),
            ((name, f"cases under this {family} corruption") for name, family in known.corruptions.items()),
            ((family, f"cases under a corruption of the family {family}") for family in families),
            (
                (f"attack-{name}", f"cases of this attack of the suite ({attack.method})")
                for name, attack in suite.attacks.by_name.items()
            ),
            ((f"explanation-{name}", f"cases of {meaning}") for name, meaning in EXPLANATIONS.items()),
        )
    )


def _check_marker_expression(config: pytest.Config) -> None:
    """Refuse a name in ``-m`` that marks nothing; pytest would select nothing without a word."""
    expression = re.sub(r"\([^()]*=[^()]*\)", "", config.getoption("markexpr") or "")
    known = [re.split(r"[:(]", line)[0].strip() for line in config.getini("markers")]
    for name in re.findall(r"[\w.+:\\/\[\]-]+", expression):
        if name not in (*known, "and", "or", "not", "True", "False", "None"):
            raise pytest.UsageError(
                f"-m: expected the name of a marker, got {name!r}{suggestion(name, known)}; "
                "pytest --markers lists them all"
            )
