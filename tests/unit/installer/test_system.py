import sys

import pytest

from installer.errors import CommandError, InstallerError
from installer.progress import Progress
from installer.system import PackageManager, all_at_once, ends_with_parent, require_packages, run_command


def test_a_program_that_fails_is_told_with_its_last_words_and_what_to_do():
    program = "print('first'); print('the last word'); raise SystemExit(3)"
    with pytest.raises(CommandError, match="it broke") as caught:
        run_command([sys.executable, "-c", program], "it broke", "mend it")
    assert "ended with code 3" in caught.value.why
    assert "the last word" in caught.value.why
    assert caught.value.todo == "mend it"


def test_a_program_that_is_missing_or_too_slow_is_told_so():
    with pytest.raises(CommandError) as caught:
        run_command(["no-such-program-here"], "it broke", "mend it")
    assert "cannot be run" in caught.value.why
    with pytest.raises(CommandError) as caught:
        run_command([sys.executable, "-c", "import time; time.sleep(60)"], "it broke", "mend it", timeout=0.2)
    assert "took longer" in caught.value.why


def test_a_program_gets_its_input_and_variables():
    program = "import os; print(input() + os.environ['DOPPEL_TEST'])"
    output = run_command([sys.executable, "-c", program], "", "", environ={"DOPPEL_TEST": "b"}, text="a\n")
    assert output == "ab\n"


def test_without_the_right_to_install_the_one_command_is_said(monkeypatch):
    monkeypatch.setattr(PackageManager, "find", classmethod(lambda cls: None))
    with pytest.raises(InstallerError, match="OBS is missing") as caught:
        require_packages(["obs-studio"], "OBS is missing", Progress())
    assert caught.value.todo.startswith(("type: ", "install OBS"))


def test_an_administrator_is_asked_once_for_obs_and_for_what_the_environment_lacks(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "apt-get" else None)
    command = all_at_once("3.13")
    assert command.startswith("type: ")
    assert (
        command.index("apt-get update && ") < command.index("obs-studio") < command.index("python3.13-venv")
    )
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "apt" not in all_at_once("3.13")


FAKE_APT = """
import pathlib, sys
log = pathlib.Path(__file__).with_name("calls")
words = [word for word in sys.argv[1:] if word in ("dpkg", "apt-get", "update", "install", "--configure")]
calls = log.read_text().splitlines() if log.exists() else []
log.write_text("\\n".join([*calls, " ".join(words)]))
if words == ["apt-get", "install"] and not any(call == "apt-get update" for call in calls):
    print("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.")
    raise SystemExit(100)
"""


def test_an_interrupted_dpkg_and_missing_lists_are_mended_before_the_second_try(tmp_path):
    (tmp_path / "apt.py").write_text(FAKE_APT)
    PackageManager((sys.executable, str(tmp_path / "apt.py"))).install(["obs-studio"], Progress())
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["apt-get install", "dpkg --configure", "apt-get update", "apt-get install"]


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_bound_program_keeps_its_output_and_process():
    import subprocess

    command = ends_with_parent([sys.executable, "-c", "import os; print(os.getpid())"], "TERM")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert int(process.communicate()[0]) == process.pid
