"""What the configuration file says is shown and used, and nothing runs where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from window.window_helpers import Drive, copies, states

from anonator.core.config import (
    HIPAA_WAIVER,
    Mode,
    Performance,
    Settings,
)
from anonator.ui.panels.free_settings import REPORT_LOCKED, REPORTS_GO_TO
from anonator.ui.presenter import START_DISABLED


def write_config(folder: Path, content: str) -> Path:
    file = folder / "anonator.toml"
    file.write_text(content, "utf-8")
    return file


def test_stricter_values_of_the_configuration_are_shown_and_used(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    content = (
        '[hipaa]\nthreshold = 0.3\nmask_scale = 2\nperformance = "original"\n[standard]\nmode = "blur"\n'
    )
    driver = drive(config=write_config(tmp_path, content))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    panel = driver.window.panel
    masking = panel.masking
    assert (masking.threshold.entry.get(), masking.mask_scale.entry.get()) == ("0.30", "2.00")
    assert masking.threshold.scale.get() == pytest.approx(0.3) and masking.threshold.low == 0.2
    assert panel.free.performance.box.get() == "Original"
    assert panel.lock.note == "" and not driver.window.layout.lock_state.winfo_manager()
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    wanted = Settings(threshold=0.3, mask_scale=2, performance=Performance.ORIGINAL)
    assert driver.engine.jobs[0].job.settings == wanted
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    assert (
        driver.window.state.settings.mode is Mode.BLUR
        and driver.window.state.settings.performance is Performance.QUALITY
    )
    assert masking.threshold.low == 0.5


def test_what_was_signed_away_stands_in_the_window(drive: Drive, tmp_path: Path) -> None:
    content = f'[hipaa]\ni_accept = "{HIPAA_WAIVER}"\nmode = "blur"\nmask_scale = 1.2\n'
    driver = drive(config=write_config(tmp_path, content))
    driver.show()
    lock, layout = driver.window.panel.lock, driver.window.layout
    assert "loosened" in lock.note and "mask_scale 1.2" in lock.note
    assert lock._note.winfo_viewable() and layout.lock_state.winfo_viewable()
    assert layout.lock_state.cget("text") == "HIPAA mode is loosened"
    shown = [str(label.cget("text")) for _, label in lock._lines]
    assert shown[:2] == ["Blur instead of black boxes", "Boxes 20 % larger than the face"]
    assert driver.window.panel.masking.modes[Mode.BLUR].instate(["selected", "disabled"])
    driver.answering("Switch off")
    lock.switch.invoke()
    assert layout.lock_state.cget("text") == "HIPAA mode is off" and "loosened" not in lock.note


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("content", ["[hipaa]\nmask_scale = 1.2\n", "[hipaa\n", "[hipaa]\nmask_skale = 2\n"])
def test_nothing_runs_without_a_configuration_that_can_be_used(
    drive: Drive, clip: Path, tmp_path: Path, content: str
) -> None:
    """Whoever wrote stricter values must not run without them because of a slip of the pen."""
    file = write_config(tmp_path, content)
    driver = drive(config=file)
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    window = driver.window
    assert "cannot be used" in window.layout.held.message and str(tmp_path) not in window.layout.held.message
    assert window.foot.start.instate(["disabled"]) and window.foot.status.cget("text") == START_DISABLED
    assert window.state.settings == Settings(), "what is shown meanwhile is HIPAA's own"
    assert not window.panel.lock.switch.enabled, "nor can the lock be opened to get around it"
    window.run.start()
    driver.turn(0.2)
    assert states(driver) == ["waiting"] and not driver.engine.jobs
    window.layout.held.close.invoke()
    assert window.layout.held.message, "not fixed yet"
    file.write_text("[hipaa]\nmask_scale = 2\n")
    window.layout.held.close.invoke()
    assert window.layout.held.message == "" and window.panel.lock.switch.enabled
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert driver.engine.jobs[0].job.settings == Settings(mask_scale=2)


def test_the_folder_for_reports_is_shown_and_used(drive: Drive, clip: Path, tmp_path: Path) -> None:
    """Only the configuration file can move the report, which HIPAA mode always writes."""
    audit = tmp_path / "audit"
    audit.mkdir()
    driver = drive(config=write_config(tmp_path, f"[reports]\nfolder = '{audit}'\n"))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    line = driver.window.panel.free.report_line
    assert line.cget("text") == f"{REPORT_LOCKED} {REPORTS_GO_TO.format('audit')}"
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert driver.engine.jobs[0].job.report_folder == audit
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    assert not line.winfo_manager(), "without a report there is nothing to say"
    driver.window.panel.free.switches["report"].invoke()
    assert line.cget("text") == REPORTS_GO_TO.format("audit")
