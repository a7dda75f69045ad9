"""Numbers that people type, models they fetch, and what is remembered until the next start."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from window.window_helpers import Drive, copies, states

from anonator.core.config import (
    Device,
    Encoder,
    Mode,
    Model,
    Performance,
    Settings,
)
from anonator.ui.look.number_field import NumberField
from anonator.ui.panels.choices import DEVICE, NO_OPENVINO
from anonator.ui.state import preferences
from anonator.ui.state.chosen_settings import CHANGED_ENCODER, Choices


def test_a_neutral_name_is_free_under_the_lock_and_remembered_and_the_report_is_held(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    switches = driver.window.panel.free.switches
    assert [switch.on for switch in switches.values()] == [True, False]
    assert [switch.enabled for switch in switches.values()] == [False, True]
    assert driver.window.panel.free.report_line.winfo_viewable(), "it says why"
    switches["neutral_name"].invoke()
    (tmp_path / "jane doe_anonymized.mp4").write_bytes(b"old")
    driver.answering("No key file")
    driver.window.foot.start.invoke()  # and nobody asks about the old result
    driver.until(lambda: states(driver) == ["done"])
    target = driver.engine.jobs[0].job.target
    assert "jane" not in target.name and target.is_file()
    switches["report"].invoke()
    driver.close()
    again = drive()
    assert again.window.state.settings == Settings(neutral_name=True)
    again.answering("Switch off")
    again.window.panel.lock.switch.invoke()
    assert again.window.state.settings == Settings.standard(neutral_name=True)
    assert again.window.panel.free.switches["report"].enabled


def test_settings_that_are_being_saved_when_the_window_closes_are_kept(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that save at once write one temporary file: once, what was left of it was called damaged."""
    begun, saving, together = threading.Event(), threading.Lock(), []
    save = preferences.save

    def slowly(path: Path, values: preferences.Preferences) -> None:
        together.append(not saving.acquire(blocking=False))
        try:
            begun.set()
            time.sleep(0.3)
            save(path, values)
        finally:
            if saving.locked():
                saving.release()

    monkeypatch.setattr(preferences, "save", slowly)
    driver = drive()
    driver.show()
    driver.window.panel.free.switches["neutral_name"].invoke()
    driver.until(begun.is_set)
    driver.window.choosing.choose("performance", Performance.BALANCED)
    driver.close()
    assert len(together) >= 2 and not any(together)
    kept, said = preferences.load(tmp_path / "config" / "window.json")
    assert not said and kept.choices.hipaa == {"performance": Performance.BALANCED, "neutral_name": True}


def test_an_encoder_that_is_gone_is_told(drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / "config" / "window.json"
    preferences.save(file, preferences.Preferences(Choices(hipaa={"encoder": Encoder.QSV})))
    driver = drive()
    driver.show()
    driver.until(lambda: driver.window.notice.message)
    assert driver.window.notice.message == CHANGED_ENCODER
    assert driver.window.state.settings == Settings()


def test_typed_numbers_are_taken_or_refused_calmly(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    entry = panel.masking.threshold.entry
    refused = ("1,2", "", "abc", "0,,7", "nan")  # the value stays what it was
    for typed, value in (*((typed, 0.5) for typed in refused), ("0,7", 0.7), ("0.65", 0.65), (" 0,9 ", 0.9)):
        entry.focus_force()
        entry.delete(0, "end")
        entry.insert(0, typed)
        entry.event_generate("<KeyRelease>", keysym="0")
        driver.turn(0.02)
        assert bool(panel.masking.threshold.hint.winfo_manager()) is (typed in refused), typed
        entry.event_generate("<Return>")
        assert driver.window.state.settings.threshold == value, typed
        panel.masking.mask_scale.entry.focus_force()
        driver.turn(0.05)
        assert entry.get() == f"{value:.2f}", typed
        assert not panel.masking.threshold.hint.winfo_manager(), typed


def test_a_field_with_a_whole_step_gives_whole_numbers(drive: Drive) -> None:
    """Settings that are whole numbers take no others, not even 3.0."""
    driver = drive()
    driver.show()
    chosen: list[float] = []
    field = NumberField(driver.window.panel, driver.window.panel.theme, 1, chosen.append)
    field.set_range(0, 200)
    field.scale.set(3.2)
    field.entry.delete(0, "end")
    field.entry.insert(0, "17")
    field.entry.event_generate("<FocusOut>")
    assert chosen == [3, 17] and all(isinstance(value, int) for value in chosen)


def test_a_missing_model_is_fetched_after_a_yes(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    assert not panel.free.fetch.winfo_manager()
    driver.until(lambda: driver.window.state.models.sizes)
    box = panel.free.model.box
    box.current(list(Model).index(Model.RESNET50))
    box.event_generate("<<ComboboxSelected>>")
    assert panel.free.fetch.winfo_manager()
    assert panel.free.download.cget("text") == "Download (109 MB)…"
    driver.answering("Not now")
    panel.free.download.invoke()
    assert driver.engine.downloads == []
    driver.answering("Download")
    panel.free.download.invoke()
    driver.until(lambda: driver.dialogs() and driver.dialogs()[0].message.cget("text") == "50 B of 100 B")
    driver.engine.hold_download.set()
    driver.until(lambda: not panel.free.fetch.winfo_manager())
    assert driver.dialogs() == []
    assert driver.window.notice.message == "The model is now on this computer."


def test_a_download_can_be_cancelled(drive: Drive) -> None:
    driver = drive()
    driver.show()
    driver.answering("Download")
    driver.window.choosing.choose("model", Model.RESNET50)
    driver.window.loading.download()
    driver.until(lambda: driver.engine.downloads)
    driver.dialogs()[0].event_generate("<Escape>")
    driver.until(lambda: not driver.dialogs())
    assert driver.window.notice.message == ""


def test_settings_are_remembered_but_the_lock_is_on_again(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    driver.answering("Switch off")
    panel = driver.window.panel
    panel.lock.switch.invoke()
    panel.masking.modes[Mode.BLUR].invoke()
    panel.masking.mask_scale.scale.set(2.0)
    panel.masking.switches["keep_audio"].invoke()
    driver.window.choosing.set_folder(tmp_path)
    driver.close()
    written = (tmp_path / "config" / "window.json").read_text("utf-8")
    assert "jane" not in written
    again = drive()
    panel = again.window.panel
    assert again.window.state.settings.hipaa
    assert again.window.choosing.preferences().choices == Choices(
        standard={"mode": Mode.BLUR, "mask_scale": 2.0, "keep_audio": True}
    )
    assert again.window.state.folder == tmp_path
    panel.reset.invoke()
    assert again.window.choosing.preferences() == preferences.Preferences()


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        "\x00\xff",
    ],
    ids=["cut off", "a list", "binary"],
)
def test_a_damaged_file_is_kept_beside_and_reported(drive: Drive, tmp_path: Path, written: str) -> None:
    file = tmp_path / "config" / "window.json"
    file.parent.mkdir()
    file.write_bytes(written.encode("latin-1"))
    driver = drive()
    assert driver.window.notice.message == preferences.DAMAGED
    assert driver.window.choosing.preferences() == preferences.Preferences()
    assert (tmp_path / "config" / "window.json.damaged").read_bytes() == written.encode("latin-1")
    driver.close()
    assert preferences.load(file) == (preferences.Preferences(), "")


def test_choices_of_the_panel_cover_every_enum(drive: Drive) -> None:
    driver = drive()
    driver.answering("Switch off")
    driver.show()
    driver.window.panel.lock.switch.invoke()
    panel = driver.window.panel
    for box, choices in ((panel.free.performance.box, Performance), (panel.free.model.box, Model)):
        assert len(box.cget("values")) == len(choices), f"ui/panels/choices.py needs words for all {choices}"
    assert len(panel.free.encoder.box.cget("values")) == 2, "only encoders that were tried and work"
    assert set(panel.masking.modes) == set(Mode)


def test_the_device_is_there_only_where_openvino_adds_to_it(drive: Drive) -> None:
    driver = drive()
    driver.show()
    free = driver.window.panel.free
    assert not free.device_part.winfo_ismapped()
    driver.engine.openvino = (Device.INTEL_GPU, Device.OPENVINO_CPU)
    driver.window.loading.find_models()
    driver.until(free.device_part.winfo_ismapped)
    assert list(free.device.box.cget("values")) == [
        DEVICE[each][0] for each in (Device.AUTO, Device.CPU, Device.INTEL_GPU, Device.OPENVINO_CPU)
    ]
    free.device.box.current(2)
    free.device.box.event_generate("<<ComboboxSelected>>")
    driver.window.root.update()
    assert driver.window.state.settings == Settings(device=Device.INTEL_GPU)
    assert free.device.line.cget("text") == DEVICE[Device.INTEL_GPU][1]
    driver.close()
    again = drive()  # by now it isn't installed any more
    again.show()
    free = again.window.panel.free
    again.until(free.device_part.winfo_ismapped)
    assert free.device.line.cget("text") == NO_OPENVINO
    free.device.box.current(0)
    free.device.box.event_generate("<<ComboboxSelected>>")
    again.until(lambda: not free.device_part.winfo_ismapped())
    assert again.window.state.settings == Settings()


def test_the_picture_quality_is_one_choice_and_remembered(drive: Drive) -> None:
    driver = drive()
    driver.show()
    box = driver.window.panel.free.picture.box
    assert box.get() == "Like the original" and driver.window.state.settings.crf == 21
    box.current(list(box.cget("values")).index("Best picture"))
    box.event_generate("<<ComboboxSelected>>")
    driver.window.root.update()
    assert driver.window.state.settings == Settings(crf=17)
    driver.close()
    again = drive()
    assert again.window.state.settings == Settings(crf=17)
    again.window.choosing.choose("crf", 18)
    assert again.window.panel.free.picture.box.get() == "Best picture (CRF 18)"
