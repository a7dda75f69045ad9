"""The command line: its options, mostly made from the settings' declarations, and the settings they give."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NoReturn

from anonator.core.catalogue import SETTINGS, Setting
from anonator.core.config import DECIDED, Settings
from anonator.core.config_file import UserConfig, default_path
from anonator.core.hipaa_lock import (
    HIPAA_FIXED,
    HIPAA_STRICTER,
    NOT_UNDER_LOCK,
    lock_takes,
    lock_words,
    require_lock_holds,
)
from anonator.core.setting import Scope, Topic, is_number, parse_enum, word
from anonator.errors import HipaaLockError, SettingsError

OPTIONS: dict[str, Setting] = {
    name: each for name, each in SETTINGS.items() if each.declared.topic is not None
}
"""Settings that are options of the same name."""
JOB_ONLY = (
    "standard",
    "output",
    "output_dir",
    "report_dir",
    "overwrite",
    "tracks",
    "from_tracks",
    "key_file",
    "json",
)
"""Other options that only make sense for a job in the terminal."""


class Parser(argparse.ArgumentParser):
    """Answers a wrong command line with one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n{self.prog} --help lists all options.\n")


def build_parser() -> argparse.ArgumentParser:
    """The command line; defaults of None mean "as the mode has it"."""
    parser = Parser(
        prog="anonator",
        allow_abbrev=False,  # a short form of --standard must not open the lock by mistake
        description="Covers the faces in videos. Opens the window unless --headless is given.",
        epilog="HIPAA mode is on unless --standard is given: solid masks, no sound, fixed values. "
        "In HIPAA mode, options can only make it stricter. "
        "anonator report FILE.json makes the page of an audit report again.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="VIDEO",
        help="videos, or folders with videos in them; without --headless they open in the window",
    )
    parser.add_argument(
        "--version", action="version", version=f"Anonator {importlib.metadata.version('anonator')}"
    )
    parser.add_argument("--headless", action="store_true", help="work in the terminal, without a window")
    groups = add_settings(parser)
    finding, results, scripts = (groups[t] for t in (Topic.FINDING, Topic.RESULTS, Topic.SCRIPTS))
    finding.add_argument(
        "--weights", type=Path, metavar="PATH", help="your own weights file, or the folder it is in"
    )
    finding.add_argument(
        "--download-models",
        action="store_true",
        help="download the chosen model's weights if they are missing",
    )
    results.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="name of the result, for one video"
    )
    results.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="folder for the results (default: next to each video)"
    )
    results.add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="folder for the audit reports (default: the configuration file's, or else next to each result)",
    )
    results.add_argument(
        "--tracks", type=Path, metavar="FILE", help="keep what was found in this file, to correct it later"
    )
    results.add_argument(
        "--from-tracks",
        type=Path,
        metavar="FILE",
        help="make the result from such a file and its corrections, without looking for faces again",
    )
    results.add_argument(
        "--key-file",
        type=Path,
        metavar="PATH",
        help="with --neutral-name: add to this CSV file which result belongs to which video; it is protected "
        "health information (PHI)",
    )
    results.add_argument("--overwrite", action="store_true", help="replace a result that already exists")
    scripts.add_argument(
        "--json", action="store_true", help="print one line of JSON per video to standard output"
    )
    scripts.add_argument("--verbose", action="store_true", help="also write the log to the terminal")
    scripts.add_argument(
        "--self-test",
        action="store_true",
        help="check that this copy of the program works (with --json: for scripts)",
    )
    return parser


def add_settings(parser: argparse.ArgumentParser) -> dict[Topic, argparse._ArgumentGroup]:
    """Add what `settings_from` reads: the mode, the configuration file and an option for each setting."""
    parser.add_argument(
        "--standard",
        action="store_true",
        help="switch HIPAA mode off, so that every option can take any of its values",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        # argparse expands %, which a folder's name may hold
        help=f"start from the settings in this TOML file (default: {default_path()})".replace("%", "%%"),
    )
    groups = {topic: parser.add_argument_group(topic.value) for topic in Topic}
    for setting in OPTIONS.values():
        _add_option(groups[setting.declared.topic or Topic.SCRIPTS], setting)
    return groups


def says_something_of_a_job(args: argparse.Namespace) -> bool:
    """Whether options were given that the window would have to ignore."""
    chosen = any(getattr(args, name) is not None for name in OPTIONS)
    return chosen or any(getattr(args, name) not in (None, False) for name in JOB_ONLY)


def settings_from(
    args: argparse.Namespace, config: UserConfig | None = None, found: Settings | None = None
) -> Settings:
    """The settings that a command line asks for.

    Args:
        args: the parsed command line.
        config: what the modes start from; None takes the program's own defaults.
        found: of the tracks that the result is made from; they then are what the modes start from.

    Raises:
        SettingsError: a value is out of range, or decides what is found although tracks are given.
        HipaaLockError: an option is less strict than HIPAA mode, or than the configuration file made it.
    """
    config = config or UserConfig()
    if found is not None:
        for name, each in OPTIONS.items():
            if getattr(args, name) is not None and name in DECIDED:
                raise SettingsError(
                    f"{_flag(name)} decides how faces are found, and --from-tracks finds none anew. Leave it "
                    f"out, or run the video again ({_begun_small(each.declared.doc)})."
                )
        if not args.standard and not found.hipaa:
            raise HipaaLockError(NOT_UNDER_LOCK)
        config = UserConfig(found, dataclasses.replace(found, hipaa=False, hipaa_waiver=""))
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    base = config.standard if args.standard else config.hipaa
    for name in given:
        before = OPTIONS[name].of(base)
        if isinstance(before, tuple):  # what the base covers stays covered
            given[name] = (*before, *given[name])
    if args.standard:
        return dataclasses.replace(base, **given)
    for name, value in given.items():
        declared = OPTIONS[name].declared
        if declared.scope is Scope.STANDARD:
            raise HipaaLockError(f"{declared.why}; {_flag(name)} needs --standard.")
        if name in HIPAA_FIXED and not lock_takes(name, value, config.hipaa):
            allowed = f" It takes {lock_words(name, config.hipaa)}." if name in HIPAA_STRICTER else ""
            raise HipaaLockError(
                f"HIPAA mode does not allow {_written(name, value)}.{allowed} "
                "Leave it out, or switch HIPAA mode off with --standard."
            )
    settings = dataclasses.replace(config.hipaa, **given)
    try:
        require_lock_holds(settings)
    except HipaaLockError as exc:
        raise HipaaLockError(f"{exc} {_flag('standard')} does that.") from exc
    return settings


def _flag(name: str) -> str:
    declared = OPTIONS[name].declared if name in OPTIONS else None
    return "--" + ((declared and declared.option) or name).replace("_", "-")


def _written(name: str, value: object) -> str:
    """A setting as written on the command line."""
    if isinstance(value, bool):
        return _flag(name) if value else _flag("no_" + name)
    return f"{_flag(name)} {word(value)}"


def _add_option(group: argparse._ArgumentGroup, setting: Setting) -> None:
    """The option of one setting, with its sentence, its legal values and its defaults."""
    flag, text = _flag(setting.name), f"{_begun_small(setting.declared.doc)} ({_facts(setting)})"
    text = text.replace("%", "%%")
    if setting.declared.form is not None:
        form = _text(setting.declared.form)
        group.add_argument(flag, dest=setting.name, type=form, action="append", metavar="PLACE", help=text)
    elif isinstance(setting.default, bool):
        group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif isinstance(setting.default, Enum):
        kind = type(setting.default)
        values = "|".join(word(choice) for choice in kind)
        group.add_argument(flag, type=_choice(kind), metavar=values, help=text)
    else:
        whole = isinstance(setting.default, int)
        group.add_argument(
            flag, type=_number(int if whole else float), metavar="N" if whole else "F", help=text
        )


def _begun_small(sentence: str) -> str:
    """A sentence as --help has it: no capital, no full stop."""
    return sentence[0].lower() + sentence[1:].removesuffix(".")


def _facts(setting: Setting) -> str:
    """Legal values and defaults, such as "1 to 3, in HIPAA mode 1.5 to 3; default 1.5"."""
    name, declared = setting.name, setting.declared
    default = f"default {_shown(setting.standard)}"
    if setting.default != setting.standard:
        default += f", in HIPAA mode {_shown(setting.default)}"
    facts = ["{:g} to {:g}".format(*declared.range())] if is_number(setting.default) else []
    if declared.scope is Scope.STANDARD:
        facts.append("only with --standard")
    elif name in HIPAA_STRICTER:
        facts.append(f"in HIPAA mode {lock_words(name)}")
    elif name in HIPAA_FIXED:
        facts.append(f"HIPAA mode fixes it: {_shown(setting.default)}")
        default = f"with --standard, default {_shown(setting.standard)}"
    elif declared.hipaa_choices and isinstance(setting.default, Enum):
        refused = (each for each in type(setting.default) if each not in declared.hipaa_choices)
        facts.append(f"HIPAA mode refuses {', '.join(map(word, refused))}")
    return ", ".join(facts) + ("; " if facts else "") + default


def _shown(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else word(value) or "none"


def _choice(kind: type[Enum]) -> Callable[[str], Enum]:
    def parse(value: str) -> Enum:
        try:
            return parse_enum(kind, value)
        except SettingsError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return parse


def _text(form: Callable[[str], object]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            form(value)
        except SettingsError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc
        return value

    return parse


def _number(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            # in many countries the decimal point is a comma
            return kind(value.replace(",", "."))
        except ValueError as exc:
            raise argparse.ArgumentTypeError(f'"{value}" is not a number.') from exc

    return parse
