"""What a setting is: its default, range, HIPAA rule, scope and sentence, declared once for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar

from anonator.errors import SettingsError

EnumT = TypeVar("EnumT", bound=Enum)
SettingsT = TypeVar("SettingsT")

if TYPE_CHECKING:

    class Choice(Generic[EnumT]):
        """The type of a setting that's given as a choice or as its text, and always is the choice."""

        def __get__(self, instance: object, owner: Any) -> EnumT: ...

        def __set__(self, instance: object, value: EnumT | str) -> None: ...


class Hipaa(Enum):
    """Which values of a setting the lock takes."""

    FREE = "free"
    """Any legal value."""
    FIXED = "fixed"
    """HIPAA's own value and no other, because no other is surely stricter."""
    LOWER = "only lower"
    """HIPAA's value or a lower one; of several numbers, the lowest counts."""
    HIGHER = "only higher"
    """HIPAA's value or a higher one."""


class Scope(Enum):
    """Where a setting can be given."""

    BOTH = "both"
    """With the lock and without it."""
    STANDARD = "standard"
    """Only without the lock."""
    PROGRAM = "program"
    """Nowhere: the program sets it."""


class Topic(Enum):
    """What a command-line option is for; these are the groups in --help."""

    COVERED = "what is covered"
    FINDING = "finding faces"
    SPEED = "speed and device"
    RESULTS = "results"
    SCRIPTS = "for scripts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Everything about a setting except its name and its default."""

    doc: str
    """One sentence for people."""
    low: float | None = None
    """Least legal number, or None if it is not a number."""
    high: float | None = None
    """Greatest legal number."""
    hipaa: Hipaa = Hipaa.FREE
    """What the lock takes."""
    hipaa_low: float | None = None
    """Least legal number under the lock, where that may be stricter than without it."""
    hipaa_choices: tuple[Enum, ...] = ()
    """The choices that the lock leaves, if it leaves only some; no signature adds to them."""
    signable: bool = True
    """Whether the signed sentence opens the lock for this setting."""
    standard: object = None
    """The default without the lock, where it differs."""
    scope: Scope = Scope.BOTH
    why: str = ""
    """Why the lock refuses what it refuses: the rest of a message."""
    topic: Topic | None = None
    """The group of its option on the command line, or None if it has none."""
    window: bool = False
    """Whether the window lets people choose it."""
    form: Callable[[str], object] | None = None
    """Of a list of texts: raises SettingsError for one that is not written as it must be."""
    option: str = ""
    """Name of its option on the command line, where that is another."""
    rare: bool = False
    """Rarely changed: the report names it only if it differs from its default."""

    def range(self, *, hipaa: bool = False) -> tuple[float, float]:
        """Least and greatest legal number."""
        assert self.low is not None and self.high is not None, "it is not a number"
        return (self.hipaa_low if hipaa and self.hipaa_low is not None else self.low), self.high


def setting(default: object, doc: str, **facts: Any) -> Any:
    """A dataclass field that declares a setting.

    Args:
        default: its value if nothing is given: HIPAA's own.
        doc: one sentence for people.
        facts: the other fields of Declaration.
    """
    return field(default=default, metadata={"declaration": Declaration(doc=doc, **facts)})


def with_values(settings: SettingsT, values: Mapping[str, object]) -> SettingsT:
    """A copy with these values by field name; the settings check names, types and ranges themselves.

    Raises:
        SettingsError: a value is not legal.
        TypeError: there is no such field.
    """
    replace: Any = dataclasses.replace
    copy: SettingsT = replace(settings, **values)
    return copy


def declaration(of: dataclasses.Field[object]) -> Declaration | None:
    """A field's declaration, or None if it is a group of settings."""
    found: Declaration | None = of.metadata.get("declaration")
    return found


def standard_values(kind: type[Any]) -> dict[str, Any]:
    """The defaults of a dataclass of settings that differ without the lock."""
    declared = {f.name: declaration(f) for f in dataclasses.fields(kind)}
    return {name: d.standard for name, d in declared.items() if d is not None and d.standard is not None}


def parse_enum(kind: type[EnumT], text: str) -> EnumT:
    """Turn a string from a command line or a file into a choice, whatever its case.

    Raises:
        SettingsError: the text isn't one of the choices; the message lists them.
    """
    for choice in kind:
        if text.strip().lower() == str(choice.value).lower():
            return choice
    valid = ", ".join(str(choice.value) for choice in kind)
    raise SettingsError(f'"{text}" is not a {kind.__name__.lower()}; choose one of: {valid}.')


def word(value: object) -> str:
    """A value as people write it: a choice by its name, a number without needless digits, true and false."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(word, value))
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def settle(settings: Any, *, hipaa: bool = False) -> None:
    """Check every field of new settings, after turning strings into choices and lists into tuples.

    Args:
        settings: a frozen dataclass, from its own __post_init__.
        hipaa: whether the ranges are those of the lock.

    Raises:
        SettingsError: naming the setting, the value and what is legal.
    """
    for f in dataclasses.fields(settings):
        declared, value = declaration(f), getattr(settings, f.name)
        if declared is None:
            continue
        if isinstance(f.default, Enum) and isinstance(value, str):
            try:
                value = parse_enum(type(f.default), value)
            except SettingsError as exc:
                raise SettingsError(f"{f.name}: {exc}") from exc
        elif isinstance(f.default, tuple) and isinstance(value, list):
            value = tuple(value)
        if declared.form is not None and isinstance(value, tuple):
            try:
                for each in value:
                    declared.form(each)
            except SettingsError as exc:
                raise SettingsError(f"{f.name}: {exc}") from exc
        if problem := _problem(declared, f.default, value, hipaa=hipaa):
            raise SettingsError(f"{f.name} must be {problem}, not {value!r}.")
        object.__setattr__(settings, f.name, value)


def _problem(declared: Declaration, default: object, value: object, *, hipaa: bool) -> str:
    """What the value should be, or "" if it already is."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, Enum):
        choices = ", ".join(str(choice.value) for choice in type(default))
        return "" if type(value) is type(default) else f"one of {choices}"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a text"
    if declared.form is not None:
        return "" if isinstance(value, tuple) else "a list of texts"
    low, high = declared.range(hipaa=hipaa)
    if isinstance(default, tuple):
        legal = isinstance(value, tuple) and len(value) and all(_within(each, low, high) for each in value)
        return "" if legal else f"one or more numbers from {low} to {high}"
    if not _within(value, low, high):
        return f"a number from {low} to {high}"
    return "a whole number" if isinstance(default, int) and not isinstance(value, int) else ""


def _within(value: object, low: float, high: float) -> bool:
    return is_number(value) and low <= value <= high  # NaN is outside every range
