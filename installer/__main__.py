"""The command line: ``python3 -m installer run | test | install | uninstall | doctor``."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:
    # Started by its path (`python3 .../installer`): Python then looks inside this folder, not beside it.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from installer.demo import CONSENT_GROUNDS, DEFAULT_PERSONA
from installer.errors import InstallerError
from installer.exclusive import exclusive
from installer.obs_roots import ROOTS
from installer.progress import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 fine, 1 failed, 2 not understood, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    progress = Progress()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has one ignored
            # As Ctrl-C, so that OBS and the display end, too.
            signal.signal(number, signal.default_int_handler)
    try:
        # `test` starts `run` itself, and `doctor` changes nothing.
        changes = options.command in ("run", "install", "uninstall")
        with exclusive() if changes else contextlib.nullcontext():
            report = _command(options, progress)
    except InstallerError as error:
        report = {"ok": False, "problems": [str(error)]}
    except OSError as error:
        # What the system refused is the user's to mend: a file and a reason, no stack.
        refused = f"{error.filename}: " if error.filename is not None else ""
        report = {"ok": False, "problems": [f"{refused}{error.strerror or error}"]}
    except KeyboardInterrupt:
        progress.say("interrupted; the same command goes on where it stopped")
        return 130
    for problem in [] if options.command == "doctor" else report.get("problems", []):
        print(f"problem: {problem}", file=sys.stderr)
    for warning in report.get("warnings", []):
        print(f"warning: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(report, indent=2))
    return 0 if report["ok"] else 1


def _command(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    if options.command == "run":
        from installer.run import RunOptions, run

        wanted = RunOptions(
            media=options.media,
            persona=options.persona,
            consent=options.consent,
            headless=options.headless,
            out=options.out,
            device=options.device,
        )
        report = run(wanted, progress)
        if "files" in report and not options.json:
            for name in ("before_after", "recording", "report"):
                if name in report["files"]:
                    print(f"{name.replace('_', '-')}: {report['files'][name]}")
        return report
    if options.command == "test":
        return _test(options, progress)
    if options.command == "install":
        from installer.install import install

        return install(progress, options.device)
    if options.command == "uninstall":
        from installer.install import uninstall

        return uninstall(progress, keep_personas=options.keep_personas)
    if options.command == "doctor":
        from installer.doctor import doctor

        report = doctor()
        text = report.pop("text")
        if not options.json:
            print("\n".join(text))
        return report
    from installer.layout import PROJECT
    from installer.lock import write_lock

    return {"ok": True, "problems": [], "file": str(write_lock(PROJECT))}


def _test(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from installer.layout import PROJECT
    from installer.sudo_user import give_back

    try:
        report = _tested(options, progress)
    finally:
        kept = [] if options.results is None else [options.results]
        problems = give_back([PROJECT, *kept]) if options.inside is None else []
    report.setdefault("warnings", []).extend(problems)
    return report


def _tested(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from installer.other_versions import keep_results, run_others, run_version, tell_how_long
    from installer.testing import run_integration, run_tests

    how = {"everything": options.all, "json_output": options.json}
    if options.inside is not None:
        return run_integration(progress, options.inside, only=options.only, **how)
    if options.obs is not None:
        root = next(root for root in ROOTS if root.major == options.obs)
        return run_version(root, progress, only=options.only, results=options.results, **how)
    on_every_version = options.all and not options.only
    if on_every_version:
        tell_how_long(progress)
    report = run_tests(progress, device=options.device, only=options.only, **how)
    keep_results(report, options.results)
    if on_every_version:
        others = run_others(report["obs"], progress, results=options.results, **how)
        report["problems"] += others["problems"]
        warnings = [*report.get("warnings", []), *others["warnings"]]
        report.update(ok=not report["problems"], warnings=warnings, versions=others["versions"])
    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m installer", description="Installs and runs Doppel.")
    commands = parser.add_subparsers(dest="command")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    run = commands.add_parser("run", parents=[common], help="open OBS with a demo scene of its own")
    run.add_argument("--media", type=Path, metavar="FILE", help="play this file instead of the webcam")
    run.add_argument("--persona", default=DEFAULT_PERSONA, metavar="NAME|PHOTO", help="the face to wear")
    run.add_argument("--consent", choices=CONSENT_GROUNDS, help="on what ground the photo may be used")
    run.add_argument("--headless", type=_seconds, metavar="SECONDS", help="record without a screen")
    run.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="folder of recordings")
    test = commands.add_parser("test", parents=[common], help="run Doppel's tests, with a real OBS")
    test.add_argument(
        "--all",
        action="store_true",
        help="the long ones, too, more than an hour, and on every version of OBS, up to an hour for each",
    )
    test.add_argument(
        "--obs",
        type=int,
        choices=[root.major for root in ROOTS],
        help="the integration suite alone, on this version of OBS in a Debian of its own (as root)",
    )
    test.add_argument("--results", type=Path, metavar="DIR", help="keep the results files there, too")
    test.add_argument("--inside", type=int, help=argparse.SUPPRESS)  # what --obs runs in its Debian
    test.add_argument("only", nargs="*", metavar="TEST", help="run these alone, e.g. tests/unit/doppel_ipc")
    install = commands.add_parser("install", parents=[common], help="add Doppel to your own OBS")
    for command in (run, test, install):
        command.add_argument(
            "--device", choices=("auto", "cpu", "gpu"), default="auto", help="which packages to use"
        )
    uninstall = commands.add_parser("uninstall", parents=[common], help="remove Doppel and all that it made")
    own = uninstall.add_mutually_exclusive_group()
    own.add_argument(
        "--keep-personas",
        dest="keep_personas",
        action="store_const",
        const=True,
        help="keep your faces, models and looks; so it does, too, where nobody can be asked",
    )
    own.add_argument(
        "--delete-personas",
        dest="keep_personas",
        action="store_const",
        const=False,
        help="delete your faces, models and looks without asking",
    )
    commands.add_parser("doctor", parents=[common], help="see what is in order and what is not")
    commands.add_parser("lock", parents=[common], help="for developers: resolve the packages anew")
    # The usage line and argparse's own list of what can be chosen are then the same.
    commands.metavar = "|".join(commands.choices)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 1.0 <= value <= 86400.0:
        raise argparse.ArgumentTypeError(f"{text} seconds is not between 1 and 86400")
    return value


if __name__ == "__main__":
    sys.exit(main())
