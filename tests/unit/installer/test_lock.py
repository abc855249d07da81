import re
import tomllib

import pytest

from installer.errors import InstallerError
from installer.layout import PROJECT
from installer.lock import LOCK_NAME, SECTIONS, merged_requirements, package_name, read_sections

LOCK = (PROJECT / LOCK_NAME).read_text(encoding="utf-8")
SECTION_NAMES = {name: [package_name(item) for item in items] for name, items in read_sections(LOCK).items()}


def wanted_names(requirements):
    return {re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", item)[0]).lower() for item in requirements}


def test_the_lock_holds_what_pyproject_asks_for():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    assert wanted_names(project["project"]["dependencies"]) <= set(SECTION_NAMES["common"])
    assert wanted_names(extras["cpu"]) <= set(SECTION_NAMES["cpu"])
    assert wanted_names(extras["gpu"]) <= set(SECTION_NAMES["gpu"])
    assert wanted_names(extras["dev"]) <= {*SECTION_NAMES["dev"], *SECTION_NAMES["native"]}
    assert wanted_names(project["build-system"]["requires"]) <= set(SECTION_NAMES["build"])


def test_every_requirement_is_pinned_and_hashed():
    for items in read_sections(LOCK).values():
        for item in items:
            assert re.match(r"^[\w.-]+==\S+", item), item
            assert "--hash=sha256:" in item, item


def test_no_package_host_is_named():
    assert not re.search(r"https?:|--index|--find-links", LOCK)


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_an_environment_gets_one_onnx_runtime_and_one_opencv(kind):
    names = [
        package_name(item)
        for section in ("common", kind, "build", "dev")
        for item in read_sections(LOCK)[section]
    ]
    assert len({name for name in names if name.startswith("onnxruntime")}) == 1
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


def test_sections_agree_on_each_version():
    versions = {}
    for items in read_sections(LOCK).values():
        for item in items:
            first = item.splitlines()[0].rstrip(" \\")
            versions.setdefault(package_name(item) + first.partition(";")[2], set()).add(first)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_a_requirement_in_two_sections_is_given_once():
    text = "".join(f"# section: {name}\nshared==1 \\\n    --hash=sha256:00\n" for name in SECTIONS)
    assert merged_requirements(text, ["cpu", "dev"]).count("shared==1") == 1


@pytest.mark.parametrize("text", ["six==1\n", "# section: common\nsix==1\n", ""])
def test_a_damaged_lock_file_is_named_as_such(text):
    with pytest.raises(InstallerError, match="damaged"):
        read_sections(text)
