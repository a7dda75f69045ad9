"""The configuration file: read as a whole or refused in one sentence, and described by CONFIG_EXAMPLE.md."""

from __future__ import annotations

import dataclasses
import re
import sys
from enum import Enum
from pathlib import Path, PureWindowsPath

import pytest

from anonator.core.catalogue import SETTINGS, legal_range
from anonator.core.config import (
    HIPAA_PERFORMANCE,
    HIPAA_WAIVER,
    Mode,
    Model,
    Performance,
    Settings,
)
from anonator.core.config_file import SIGNATURE, STANDARD_ONLY, UserConfig, default_path, load
from anonator.core.hipaa_lock import HIPAA_FIXED, HIPAA_STRICTER, lock_words, require_lock_holds, waiver_note
from anonator.core.performance import PerformancePreset
from anonator.core.setting import Hipaa, word
from anonator.core.tracking_settings import TrackingSettings
from anonator.errors import HipaaLockError, SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCUMENT = (Path(__file__).parents[2] / "CONFIG_EXAMPLE.md").read_text("utf-8")


NO_SETTING = "not a setting"
"""What the document says of a setting that the lock doesn't have; why follows."""


def written(folder: Path, text: str) -> Path:
    file = folder / "some.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place that load() looks at, in a folder of this test."""
    path = tmp_path / "Anonator" / "anonator.toml"
    monkeypatch.setattr("anonator.core.config_file.default_path", lambda: path)
    path.parent.mkdir()
    return path


# --- what is read


def test_the_default_file_lies_beside_the_window_s_own() -> None:
    from anonator.ui.state import preferences

    assert default_path().name == "anonator.toml"
    assert default_path().parent == preferences.default_file().parent


def test_without_a_file_the_defaults_hold(default_file: Path) -> None:
    assert load() == UserConfig(Settings(), Settings.standard())


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == UserConfig()
    assert load(written(tmp_path, "[hipaa]\n[standard.tracking]\n")) == UserConfig()


def test_every_kind_of_value_is_read(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            """
            [hipaa]
            threshold = 0.3
            mask_scale = 2
            performance = "Balanced"
            crf = 20
            [hipaa.tracking]
            bridge_seconds = 2.5
            [standard]
            mode = "blur"
            model = "RetinaNetResNet50"
            keep_audio = true
            damaged_frames_limit = 3
            tracking.link_distance = 3.5
            """,
        )
    )
    assert config.hipaa == Settings(
        threshold=0.3,
        mask_scale=2,
        performance=Performance.BALANCED,
        crf=20,
        tracking=TrackingSettings(bridge_seconds=2.5),
    )
    require_lock_holds(config.hipaa)
    assert (config.standard.mode, config.standard.model) == (Mode.BLUR, Model.RESNET50)
    assert config.standard.keep_audio and config.standard.damaged_frames_limit == 3
    # what the file does not name stays standard mode's, not HIPAA's
    assert config.standard.tracking == dataclasses.replace(Settings.standard().tracking, link_distance=3.5)
    assert not config.standard.hipaa and not config.standard.orientations


def test_the_default_file_is_read(default_file: Path) -> None:
    default_file.write_text("[standard]\ncrf = 30\n", "utf-8")
    assert load().standard.crf == 30


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_windows_line_ends_and_byte_order_marks_do_no_harm(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "some.toml"
    file.write_bytes("[standard]  # für später\r\ncrf = 30\r\n".encode(encoding))
    assert load(file).standard.crf == 30


# --- what is refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[hippa]\nx = 1",
            "'hippa' is not a table of this file; settings belong under [hipaa]",
        ),
        ("threshold = 0.3", "'threshold' is outside of a table; settings belong under [hipaa] or [standard]"),
        ("hipaa = 1", "hipaa must be a table: write [hipaa]"),
        ("[[standard]]\ncrf = 1", "standard must be a table: write [standard]"),
        ("[standard]\ntracking = 3", "standard.tracking must be a table: write [standard.tracking]"),
        ("[standard]\ntreshold = 0.6", "[standard] 'treshold' is not a setting; did you mean threshold? "),
        ("[hipaa.tracking]\nxyz = 1", "[hipaa.tracking] accepts: continue_threshold, bridge_seconds, "),
        ("[hipaa]\nbridge_seconds = 2", "'bridge_seconds' belongs under [hipaa.tracking]"),
        ("[standard.tracking]\ncrf = 2", "'crf' belongs under [standard]"),
        ("[hipaa]\ndamaged_frames_limit = 2", "'damaged_frames_limit' belongs under [standard]: HIPAA"),
        ("[hipaa]\nhipaa = false", "[hipaa] 'hipaa' is not a setting here: the lock is on unless"),
        (f'[standard]\ni_accept = "{HIPAA_WAIVER}"', "[standard] 'i_accept' is not a setting here"),
        (f'[hipaa]\nhipaa_waiver = "{HIPAA_WAIVER}"', "[hipaa] 'hipaa_waiver' is not a setting here"),
        ("[standard]\nthreshold = 0.3", "[standard] threshold must be a number from 0.5 to 0.9, not 0.3."),
        ("[standard]\nthreshold = '0.6'", "threshold must be a number from 0.5 to 0.9, not '0.6'."),
        ("[standard]\nthreshold = nan", "threshold must be a number from 0.5 to 0.9, not nan."),
        ("[standard]\nthreshold = true", "threshold must be a number from 0.5 to 0.9, not True."),
        ("[standard]\ncrf = 17.5", "[standard] crf must be a whole number, not 17.5."),
        ("[standard]\ncrf = 0x" + "f" * 9000, "a value is too large"),
        ("[standard]\nreport = 'yes'", "[standard] report must be true or false, not 'yes'."),
        (
            "[standard]\nmode = 'pixel'",
            '[standard] mode must be one of "solid", "blur", "mosaic", not "pixel".',
        ),
        ("[standard]\nmode = 1", '[standard] mode must be one of "solid", "blur", "mosaic", not 1.'),
        (
            "[hipaa]\nperformance = 'maximum'",
            '[hipaa] performance must be one of "original", "quality", "balanced", not "maximum".',
        ),
        (
            "[standard.tracking]\nlink_iou = 1",
            "[standard.tracking] link_iou must be a number from 0.01 to 0.9, not 1.",
        ),
        ("[standard.tracking]\ncontinue_threshold = 0.6", "must not be higher than 0.35"),
        ("[performance]\nbalanced = 3", "performance.balanced must be a table: write [performance.balanced]"),
        (
            "[performance.fast]\nbatch_size = 3",
            "'fast' is not a performance mode; choose one of: [performance.orig",
        ),
        (
            "[performance.balanced]\nmax_res = 1",
            "did you mean max_resolution? [performance.balanced] accepts: ",
        ),
        ("[performance.balanced]\nbatch_size = 65", "] batch_size must be a number from 1 to 64, not 65."),
        ("[performance.maximum]\ndetect_every = 2.5", "[performance.maximum] detect_every must be a whole"),
        (
            "[performance.balanced.standard]\ndetect_every = 31",
            "balanced.standard] detect_every must be a nu",
        ),
        ("[performance.balanced]\nencoder_preset = 'slow'", "'encoder_preset' is not a setting"),
        ("[hipaa]\ndetect_every = 1", "[hipaa] 'detect_every' belongs under [performance.quality]"),
        ("[performance.quality]\ncrf = 1", "'crf' belongs under [standard]"),
        (
            "[standard]\npass_factors = 0.7",
            "pass_factors must be one or more numbers from 0.2 to 2.0, not 0.7",
        ),
        ("[standard]\npass_factors = [1.0, '0.7']", "pass_factors must be one or more numbers from 0.2 to"),
        ("[standard]\ndevice = 'cpu'\nprecision = 'float16'", "with the device cpu, not float16"),
        ("[standard]\ncrf = 1\ncrf = 2", "line 3"),
        ("[standard]\ncrf 1", "at line 2, column 5"),
        ("[standard]\nx = " + "[" * 100_000, "cannot be used"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_named_with_what_is_legal(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(written(tmp_path, text + "\n"))
    message = str(refused.value)
    assert told in message
    assert message.startswith("The configuration file given with --config cannot be used: ")
    assert "\n" not in message and str(tmp_path) not in message


def test_a_good_part_does_not_save_a_bad_one(default_file: Path) -> None:
    default_file.write_text("[hipaa]\nthreshold = 0.3\n[standard]\ncrf = 99\n", "utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"{default_file} cannot be used: [standard] crf")):
        load()


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_bytes("[standard]\n".encode("utf-16"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load(file)
    file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(SettingsError, match="too large"):
        load(file)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="given with --config was not found"):
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read") as refused:
        load(tmp_path)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights on Windows")
def test_a_default_file_that_leads_nowhere_is_not_no_file(default_file: Path) -> None:
    """A ward's settings on a share that is away must not become looser ones in silence."""
    default_file.symlink_to(default_file.with_name("away.toml"))
    with pytest.raises(SettingsError, match="was not found"):
        load()


# --- the lock


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[hipaa]\nthreshold = 0.6",
            "[hipaa] threshold must be a number from 0.2 to 0.5, not 0.6. HIPAA",
        ),
        ("[hipaa]\nthreshold = 0.95", "threshold must be a number from 0.2 to 0.5, not 0.95."),
        ("[hipaa]\nthreshold = 0.1", "threshold must be a number from 0.2 to 0.5, not 0.1."),
        ("[hipaa]\nthreshold = '0.3'", 'threshold must be a number from 0.2 to 0.5, not "0.3".'),
        ("[hipaa]\nthreshold = nan", "threshold must be a number from 0.2 to 0.5, not nan."),
        ("[hipaa]\nmask_scale = 1.4", "mask_scale must be a number from 1.5 to 3, not 1.4."),
        ("[hipaa]\nmode = 'blur'", "[hipaa] mode must be solid, not blur."),
        ("[hipaa]\nkeep_audio = true", "[hipaa] keep_audio must be false, not true."),
        ("[hipaa]\nmulti_pass = false", "[hipaa] multi_pass must be true, not false."),
        ("[hipaa]\norientations = false", "[hipaa] orientations must be true, not false."),
        (
            "[hipaa.tracking]\nbridge_seconds = 0.5",
            "tracking] bridge_seconds must be a number from 1 to 5",
        ),
        ("[hipaa.tracking]\nextend_seconds = 0", "extend_seconds must be a number from 0.25 to 5, not 0."),
        (
            "[hipaa.tracking]\ncontinue_threshold = 0.2",
            "threshold must be a number from 0.02 to 0.1",
        ),
        (
            "[hipaa]\npass_factors = [1.0, 0.8]",
            "pass_factors must be numbers with 0.2 to 0.7 as the lowest, not [1, 0.8].",
        ),
        ("[hipaa]\npass_factors = []", "pass_factors must be numbers with"),
        ("[hipaa]\npass_factors = 0.5", "pass_factors must be numbers with"),
        ("[hipaa]\nnms_threshold = 0.4", "nms_threshold must be 0.3, not 0.4."),
        (
            "[performance.balanced]\nmax_resolution = 960",
            "[performance.balanced] max_resolution must be a number from 1280 to 4096, not 960. HIPAA mode "
            "can be made stricter here, never looser: put the value under [performance.balanced.standard]",
        ),
        ("[performance.quality]\ndetect_every = 2", "[performance.quality] detect_every must be 1, not 2."),
        ("[hipaa.tracking]\nlink_iou = 0.3", "[hipaa.tracking] link_iou must be 0.2, not 0.3."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_lock_is_not_loosened_without_a_signature(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(HipaaLockError) as refused:
        load(written(tmp_path, text))
    assert told in str(refused.value) and "standard]" in str(refused.value)


def test_every_fixed_value_is_held(tmp_path: Path) -> None:
    """A failure means that a setting can be loosened in the file because nobody thought of it."""
    for name, fixed in HIPAA_FIXED.items():
        group, _, key = name.rpartition(".")
        table = group if group.startswith("performance") else f"hipaa.{group}".strip(".")
        if isinstance(fixed, bool):
            other = word(not fixed)
        elif isinstance(fixed, Enum):
            other = f'"{Mode.BLUR.value}"'
        elif isinstance(fixed, tuple):
            other = "[1.0, 0.8]"
        elif isinstance(fixed, int):
            other = repr(fixed - 1 if HIPAA_STRICTER[name] is Hipaa.HIGHER else fixed + 1)
        else:
            other = repr(fixed * (0.9 if HIPAA_STRICTER.get(name) is Hipaa.HIGHER else 1.1))
        with pytest.raises(HipaaLockError, match=key):
            load(written(tmp_path, f"[{table}]\n{key} = {other}\n"))


def test_a_signature_loosens_and_travels_with_the_settings(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            f'[hipaa]\n{SIGNATURE} = "{HIPAA_WAIVER}"\nthreshold = 0.6\nmode = "blur"\n'
            "[hipaa.tracking]\nbridge_seconds = 0\n",
        )
    )
    assert config.hipaa.hipaa and config.hipaa.hipaa_waiver == HIPAA_WAIVER
    assert (config.hipaa.threshold, config.hipaa.mode) == (0.6, Mode.BLUR)
    require_lock_holds(config.hipaa)
    assert config.standard == Settings.standard()


def test_numbers_of_a_performance_mode_count_in_both_modes_or_only_without_the_lock(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            "[performance.balanced]\nbatch_size = 2\nmax_resolution = 1600\n"
            "[performance.balanced.standard]\nmax_resolution = 800\n"
            "[performance.maximum]\nmax_resolution = 640\n",
        )
    )
    assert config.hipaa.presets.balanced == PerformancePreset(2, 3, 1600, "veryfast")
    assert config.standard.presets.balanced == PerformancePreset(2, 3, 800, "veryfast")
    assert (
        config.hipaa.presets.maximum.max_resolution == config.standard.presets.maximum.max_resolution == 640
    )
    assert config.hipaa.presets.quality == Settings().presets.quality
    require_lock_holds(config.hipaa)


def test_a_signature_loosens_the_numbers_of_a_performance_mode_too(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path, f'[hipaa]\n{SIGNATURE} = "{HIPAA_WAIVER}"\n[performance.balanced]\ndetect_every = 6\n'
        )
    )
    require_lock_holds(config.hipaa)
    assert config.hipaa.presets.balanced.detect_every == 6
    assert "performance.balanced.detect_every 6 instead of 1 to 3" in waiver_note(config.hipaa)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('i_accept = "yes"', f'[hipaa] i_accept must be exactly "{HIPAA_WAIVER}"'),
        ("i_accept = true", "i_accept must be exactly"),
        (f'i_accept = "{HIPAA_WAIVER.upper()}"', "i_accept must be exactly"),
        ('i_accept = ""', "threshold must be a number from 0.2 to 0.5"),
    ],
)
def test_other_words_are_no_signature(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        load(written(tmp_path, f"[hipaa]\n{line}\nthreshold = 0.6\n"))


def test_a_signature_opens_neither_maximum_speed_nor_the_sound(tmp_path: Path) -> None:
    signed = f'[hipaa]\n{SIGNATURE} = "{HIPAA_WAIVER}"\n'
    with pytest.raises(SettingsError, match="performance must be one of"):
        load(written(tmp_path, signed + 'performance = "maximum"\n'))
    with pytest.raises(HipaaLockError, match=r"keep_audio must be false.* under \[standard\]\.$"):
        load(written(tmp_path, signed + "keep_audio = true\n"))


# --- where reports go


def test_the_file_names_the_folder_for_reports(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    assert load(written(tmp_path, f"[reports]\nfolder = '{folder}'\n")) == UserConfig(report_folder=folder)
    assert load(written(tmp_path, "[reports]\nfolder = ''\n")) == UserConfig()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("folder = 'audit'", "must be a whole path"),
        ("folder = 3", "must be a text, not 3"),
        ("report = false", "'report' is not a setting; [reports] accepts: folder"),
    ],
)
def test_the_file_can_say_of_reports_only_where_they_go(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        load(written(tmp_path, f"[reports]\n{line}\n"))


# --- CONFIG_EXAMPLE.md


def examples() -> list[str]:
    """The TOML examples of the document; the first is the whole file."""
    return re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def described() -> dict[str, dict[str, str]]:
    """What the document says of each setting, by the words before the colons."""
    sections = re.split(r"^### `(.+)`$", DOCUMENT, flags=re.MULTILINE)
    return {
        name: dict(re.findall(r"^- (\w+): (.+)$", text, re.MULTILINE))
        for name, text in zip(sections[1::2], sections[2::2], strict=True)
    }


PRESET_KEYS = tuple(f.name for f in dataclasses.fields(PerformancePreset) if f.name != "encoder_preset")
ONE_BY_ONE = {name: each for name, each in SETTINGS.items() if not name.startswith("performance.")}
"""Every setting that the document describes by itself; those of the performance modes share sections."""


def test_the_example_is_the_defaults_and_complete(tmp_path: Path) -> None:
    assert load(written(tmp_path, examples()[0])) == UserConfig()
    data = tomllib.loads(examples()[0])
    for table in ("hipaa", "standard"):
        keys = {*data[table]} - {"tracking"} | {f"tracking.{key}" for key in data[table]["tracking"]}
        wanted = set(ONE_BY_ONE) - set(STANDARD_ONLY if table == "hipaa" else ())
        assert keys == wanted, f"CONFIG_EXAMPLE.md: the table [{table}] lacks {wanted - keys or 'nothing'}"
    assert {mode: tuple(keys) for mode, keys in data["performance"].items()} == {
        mode.value: PRESET_KEYS for mode in Performance
    }


def test_the_other_examples_are_what_the_document_calls_them(tmp_path: Path) -> None:
    _, reports, presets, *locks = examples()
    assert PureWindowsPath(tomllib.loads(reports)["reports"]["folder"]).is_absolute()
    stricter, looser = (load(written(tmp_path, text)).hipaa for text in locks)
    changed = load(written(tmp_path, presets))
    assert changed.hipaa.presets.balanced == PerformancePreset(2, 3, 1280, "veryfast")
    assert changed.standard.presets.balanced == PerformancePreset(2, 5, 960, "veryfast")
    assert stricter != Settings() and not stricter.hipaa_waiver
    assert looser.hipaa_waiver == HIPAA_WAIVER and looser.threshold > 0.5
    for settings in (stricter, looser):
        require_lock_holds(settings)


def test_the_document_describes_every_setting_and_no_other() -> None:
    shared = [f"performance.*.{key}" for key in PRESET_KEYS]
    for name in ONE_BY_ONE:
        assert name in described(), f"CONFIG_EXAMPLE.md needs a section:\n\n{section_of(name)}"
    assert list(described()) == [*ONE_BY_ONE, *shared], "its sections are in the order of the declarations"
    for name, facts in described().items():
        assert set(facts) == {"HIPAA", "standard", "Leaks", "Speed"}, name
        declared = SETTINGS[name.replace("*", "quality")].declared
        section = DOCUMENT.partition(f"### `{name}`\n")[2]
        assert " ".join(section.split()).startswith(declared.doc), name


def section_of(name: str) -> str:
    """What the document must say of a setting, but for what only a person can tell."""
    facts = "".join(f"- {mode}: {default_and_legal(name, mode)}\n" for mode in ("HIPAA", "standard"))
    return f"### `{name}`\n{SETTINGS[name].declared.doc}\n{facts}- Leaks: ...\n- Speed: ...\n"


@pytest.mark.parametrize("name", ONE_BY_ONE)
@pytest.mark.parametrize("mode", ["HIPAA", "standard"])
def test_the_document_has_the_right_default_and_legal_values(name: str, mode: str) -> None:
    said, expected = described().get(name, {}).get(mode, ""), default_and_legal(name, mode)
    right = said == expected or (expected == NO_SETTING and said.startswith(NO_SETTING))
    assert right, f'CONFIG_EXAMPLE.md says "{said}", but should say:\n\n{section_of(name)}'


def default_and_legal(name: str, mode: str) -> str:
    setting, hipaa = SETTINGS[name], mode == "HIPAA"
    if hipaa and name in STANDARD_ONLY:
        return NO_SETTING
    value = setting.default if hipaa else setting.standard
    quote = '"' if isinstance(value, Enum) else ""
    default = f"`[{word(value)}]`" if isinstance(value, tuple) else f"`{quote}{word(value)}{quote}`"
    if hipaa and name in HIPAA_FIXED and name not in HIPAA_STRICTER:
        legal = "fixed"
    elif hipaa and name in HIPAA_STRICTER:
        legal = lock_words(name) if isinstance(value, tuple) else f"from {lock_words(name)}"
    elif isinstance(value, Enum):
        choices = (hipaa and setting.declared.hipaa_choices) or tuple(type(value))
        legal = "of " + ", ".join(f'`"{choice.value}"`' for choice in choices)
    elif isinstance(value, bool):
        legal = "of `true`, `false`"
    elif setting.declared.form is not None:
        legal = '`"X,Y,WIDTH,HEIGHT@FROM-TO"`'
    else:
        low, high = legal_range(name, hipaa=hipaa)
        legal = f"from {low} to {high}".replace(".0 ", " ").removesuffix(".0")
    return f"{default}, {legal}"


@pytest.mark.parametrize("key", PRESET_KEYS)
@pytest.mark.parametrize("mode", ["HIPAA", "standard"])
def test_the_document_has_the_numbers_of_the_performance_modes(key: str, mode: str) -> None:
    modes = HIPAA_PERFORMANCE if mode == "HIPAA" else tuple(Performance)
    settings = [SETTINGS[f"performance.{each.value}.{key}"] for each in modes]
    defaults = ", ".join(
        f"`{each.default}` in {which.value}" for each, which in zip(settings, modes, strict=True)
    )
    low, high = settings[0].declared.range()
    legal = f"from {low} to {high}"
    if mode == "HIPAA" and settings[0].hipaa is Hipaa.LOWER:
        legal = f"only lower, down to {low}"
    elif mode == "HIPAA" and settings[0].hipaa is Hipaa.HIGHER:
        legal = f"only higher, up to {high}"
    assert described()[f"performance.*.{key}"][mode] == f"{defaults}, {legal}"
    for each in settings:
        assert each.default == each.standard


@pytest.mark.parametrize("table", ["hipaa", "standard"])
def test_the_comments_of_the_example_name_the_same_legal_values(table: str) -> None:
    here = ""
    for line in examples()[0].splitlines():
        if line.startswith("["):
            here = line.partition("]")[0][1:]
        elif line.startswith(tuple("abcdefghijklmnopqrstuvwxyz")) and here.split(".")[0] == table:
            key, _, rest = line.partition(" = ")
            comment = rest.partition("#")[2].strip()
            name = key if "." not in here else f"tracking.{key}"
            mode = "HIPAA" if table == "hipaa" else "standard"
            said = described()[name][mode].partition("`, ")[2].replace("`", "")
            expected = said.removeprefix("of ").removeprefix("from ")
            assert comment == ("" if expected == "true, false" else expected), line


def test_the_comments_of_the_example_name_what_a_performance_mode_takes() -> None:
    seen = set()
    for part in examples()[0].split("[performance.")[1:]:
        head, *lines = part.strip().splitlines()
        for line in lines:
            key, comment = line.split(" = ")[0], line.partition("#")[2].strip()
            name = f"performance.{head.partition(']')[0]}.{key}"
            seen.add(name)
            free = "{} to {}".format(*legal_range(name))
            held = name in HIPAA_FIXED
            assert comment == (f"{lock_words(name)}; without the lock {free}" if held else free), name
    assert seen == set(SETTINGS) - set(ONE_BY_ONE)
