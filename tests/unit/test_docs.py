"""The documentation keeps up with the program: doctor's findings, settings, states, links."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doppel_ipc.settings import FIELDS
from doppel_obs import status_line
from doppel_worker import findings

from installer import doctor, doctor_worker

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
_PARTS = ("benchmarks", "docs", "installer", "models", "obs_plugin", "shared", "tests")
PAGES = sorted([*PROJECT.glob("*.md"), *(page for part in _PARTS for page in (PROJECT / part).rglob("*.md"))])
_STATES = ("note", "bad", "NOTE", "BAD", "short")
"""How a finding that is not all right is written in the code."""


def test_each_finding_of_doctor_has_its_paragraph() -> None:
    sections = _sections(DOCS / "troubleshooting.md")
    found = list(_findings())
    assert len(found) > 30
    for subject, detail in found:
        section = next((text for name, text in sections.items() if subject.lower() == name.lower()), None)
        assert section is not None, f"docs/troubleshooting.md has no paragraph on {subject!r}"
        assert detail in section, f"its paragraph on {subject!r} does not tell of {detail!r}"


def test_no_paragraph_is_left_of_what_doctor_does_not_find() -> None:
    subjects = {subject.lower() for subject, _ in _findings()}
    assert {name.lower() for name in _sections(DOCS / "troubleshooting.md")} <= subjects


def test_every_setting_is_listed_for_remote_controls_with_its_values() -> None:
    page = (DOCS / "remote-control.md").read_text(encoding="utf-8")
    for key, field in FIELDS.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{key}` |")), "")
        assert row, f"docs/remote-control.md does not list {key}"
        missing = [choice for choice in field.metadata["choices"] if f"`{choice}`" not in row]
        assert not missing, f"{key}: {missing}"
        for limit in (field.metadata["low"], field.metadata["high"]):
            assert limit is None or f"{limit:g}" in row, f"{key}: {limit:g}"


def test_every_state_of_a_filter_is_explained_for_remote_controls() -> None:
    page = (DOCS / "remote-control.md").read_text(encoding="utf-8")
    source = inspect.getsource(status_line.state_of) + inspect.getsource(status_line.covered_state_of)
    states = re.findall(r'phrase\(\s*"status\.([a-z-]+)"', source)
    assert "swapping" in states
    assert [state for state in states if f"`{state}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    gone = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", _prose(page)):
        if "://" in target:
            continue
        led = page.parent / target if target else page
        if not led.exists() or (anchor and anchor not in _anchors(led)):
            gone.append(f"{target}#{anchor}")
    assert gone == []


def test_a_heading_has_the_anchor_that_a_forge_gives_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# What is *tested*, and `what` not\n## Is it? ([a](b))\n```\n# no heading\n```\n## Is it? (a)\n"
    )
    assert _anchors(page) == ["what-is-tested-and-what-not", "is-it-a", "is-it-a-1"]


def _prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> list[str]:
    """What links may name of a page: its headings, as GitHub and GitLab write them."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", _prose(page), flags=re.MULTILINE):
        text = re.sub(r"\]\([^)]*\)", "", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
        again = sum(re.sub(r"-\d+$", "", known) == anchor for known in found)
        found.append(f"{anchor}-{again}" if again else anchor)
    return found


def _sections(page: Path) -> dict[str, str]:
    """The paragraphs of "What doctor finds" by their headings."""
    part = page.read_text(encoding="utf-8").partition("## What doctor finds")[2].partition("\n## ")[0]
    headings = re.split(r"^### (.+)$", part, flags=re.MULTILINE)[1:]
    return dict(zip(headings[::2], headings[1::2], strict=True))


def _findings() -> Iterator[tuple[str, str]]:
    """(subject, words of the detail) of every finding that is no "ok", from the code."""
    for module in (doctor, doctor_worker, findings):
        tree = ast.parse(inspect.getsource(module))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                parts = _parts(node)
                if len(parts) not in (3, 4) or not _is_trouble(parts[1]):
                    continue
                for subject in _subjects(parts[0], function, tree):
                    yield subject, _words(parts[2])


def _parts(node: ast.AST) -> list[ast.expr]:
    """The fields of a finding; empty: it is none."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
        return node.args
    return node.elts if isinstance(node, ast.Tuple) and len(node.elts) == 4 else []


def _is_trouble(state: ast.expr) -> bool:
    text = state.id if isinstance(state, ast.Name) else getattr(state, "value", None)
    return text in _STATES


def _words(text: ast.expr) -> str:
    """The longest part that is the same each time; empty where all comes from elsewhere."""
    constants = [node.value for node in ast.walk(text) if isinstance(node, ast.Constant)]
    pieces = [value.strip(" ,()';:") for value in constants if isinstance(value, str)]
    longest = max(pieces, key=len, default="")
    return longest if len(longest) > 7 else ""


def _subjects(subject: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> set[str]:
    """What the finding may be about."""
    if isinstance(subject, ast.Constant):
        return {str(subject.value)}
    if isinstance(subject, ast.JoinedStr):
        first = subject.values[0]
        assert isinstance(first, ast.Constant)
        return {str(first.value).strip(" '")}
    if isinstance(subject, ast.Call):  # check.__name__: a check that could not look
        return {"obs"}
    assert isinstance(subject, ast.Name)
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == subject.id:
            found |= _subjects(node.value, function, tree)
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            rows = [row for row in node.iter.elts if isinstance(row, ast.Tuple)]
            found |= {row.elts[0].value for row in rows if isinstance(row.elts[0], ast.Constant)}
    if subject.id in [argument.arg for argument in function.args.args]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function.name:
                found |= _subjects(node.args[0], function, tree)
    assert found, f"what {subject.id} of {function.name} may be is not found"
    return found
