"""Looking before a run and after it, with the slider."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from patience import PATIENCE
from ui_helpers import Driver
from window.window_helpers import Drive, copies, states

from anonator.core.config import Mode, Settings
from anonator.ui.work import thumbnails as media


def test_a_dropped_video_is_tested_and_other_moments_too(drive: Drive, clip: Path) -> None:
    driver = drive()
    driver.show(clip)
    viewer = driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    assert driver.engine.tested[0] == (0.0, Settings())
    assert viewer.faces.cget("text") == "3 masks"
    assert viewer.original.picture is not None and viewer.anonymized.picture is not None
    viewer.slider.set(1.2)
    driver.until(lambda: len(driver.engine.tested) == 2)
    assert driver.engine.tested[1][0] == pytest.approx(1.2)
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    viewer.test.invoke()
    driver.until(lambda: len(driver.engine.tested) == 3)


def test_changed_settings_are_tested_again(drive: Drive, clip: Path) -> None:
    driver = drive()
    driver.show(clip)
    driver.until(lambda: driver.engine.tested)
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    driver.window.panel.masking.modes[Mode.MOSAIC].invoke()
    driver.until(lambda: driver.engine.tested[-1][1].mode is Mode.MOSAIC)


def test_after_a_job_the_slider_compares_video_and_result(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    viewer = driver.window.viewer
    driver.until(lambda: states(driver) == ["done"] and viewer.caption.cget("text") == "Result")
    viewer.slider.set(0.4)
    driver.until(lambda: viewer.time.cget("text") == "0:00.4 of 0:02")
    before = viewer.original.picture
    driver.until(lambda: viewer.original.picture is not before)
    # the fake engine copies the video, so both sides are the same picture
    assert viewer.original.picture is not None and viewer.anonymized.picture is not None
    assert (viewer.original.picture == viewer.anonymized.picture).all()
    assert viewer.faces.cget("text") == "" and not viewer.compare.winfo_viewable()
    # other settings can be tried on a finished video, and its result is a click away
    viewer.test.invoke()
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    assert driver.engine.tested[-1][0] == pytest.approx(0.4)
    driver.until(viewer.compare.winfo_viewable)
    viewer.compare.invoke()
    driver.until(lambda: viewer.caption.cget("text") == "Result")


def coloured(path: Path, level: int, frames: int = 50, rate: int = 25) -> Path:
    """A grey video that starts at this level and grows a little brighter with each frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "4", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(frames):
            picture = np.full((180, 320, 3), level + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def level(driver: Driver) -> float | None:
    """How bright the left picture is; None if there is none."""
    picture = driver.window.viewer.original.picture
    return None if picture is None else float(picture.mean())


def test_a_row_that_opens_slowly_shows_nothing_of_the_row_before(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first user saw one patient's face, called a test, beside another one's name."""
    dark, bright = coloured(tmp_path / "a.mp4", 20), coloured(tmp_path / "b.mp4", 180)
    driver = drive()
    driver.show(dark, bright)
    viewer, gate = driver.window.viewer, threading.Event()

    def slowly(work: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any) -> Any:
            gate.wait(PATIENCE)
            return work(*arguments)

        return slow

    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "done"])
    driver.window.queue_view.select(1)
    driver.until(lambda: viewer.caption.cget("text") == "Result")
    assert level(driver) == pytest.approx(45, abs=26)
    monkeypatch.setattr(media, "compare", slowly(media.compare))
    monkeypatch.setattr(media, "still", slowly(media.still))
    driver.window.queue_view.select(2)
    driver.until(lambda: viewer.original.words == "Opening the video…")
    assert level(driver) is None and viewer.anonymized.picture is None
    assert viewer.caption.cget("text") == "Anonymized" and viewer.faces.cget("text") == ""
    driver.window.queue_view.select(1)
    driver.turn(0.1)
    assert level(driver) is None, "its pictures went with it"
    driver.window.queue_view.select(2)
    gate.set()
    driver.until(lambda: viewer.caption.cget("text") == "Result")
    assert level(driver) == pytest.approx(205, abs=26)
    # a result that is gone: its own video, and why there is no more
    (tmp_path / "a_anonymized.mp4").unlink()
    driver.window.queue_view.select(1)
    driver.until(lambda: level(driver) is not None and viewer.anonymized.words)
    assert level(driver) == pytest.approx(45, abs=26) and viewer.anonymized.picture is None


def test_a_click_on_the_slider_goes_there(drive: Drive, tmp_path: Path) -> None:
    driver = drive()
    driver.show(coloured(tmp_path / "a.mp4", 40, frames=150))
    viewer = driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    slider = viewer.slider
    driver.until(lambda: slider.winfo_width() > 50)
    driver.turn(0.3)
    x, y = round(slider.winfo_width() * 0.8), slider.winfo_height() // 2
    slider.event_generate("<ButtonPress-1>", x=x, y=y)
    slider.event_generate("<ButtonRelease-1>", x=x, y=y)
    assert float(slider.get()) == pytest.approx(0.8 * 6, abs=0.4), "it moved by a second only"
    driver.until(lambda: driver.engine.tested[-1][0] > 4)
    # and can be dragged on from there
    slider.event_generate("<ButtonPress-1>", x=x, y=y)
    slider.event_generate("<B1-Motion>", x=x // 2, y=y)
    slider.event_generate("<ButtonRelease-1>", x=x // 2, y=y)
    assert float(slider.get()) == pytest.approx(0.4 * 6, abs=0.4)


def test_frame_by_frame(drive: Drive, tmp_path: Path) -> None:
    driver = drive()
    driver.show(coloured(tmp_path / "a.mp4", 40))
    viewer, root = driver.window.viewer, driver.root
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    shown = lambda: driver.window.state.shown.seconds  # noqa: E731
    for key, frame in (("period", 1), ("period", 2), ("comma", 1), ("comma", 0), ("comma", 0)):
        root.event_generate(f"<{key}>")
        driver.until(lambda frame=frame: shown() == pytest.approx(frame / 25, abs=1e-3))  # type: ignore[misc]
        driver.turn(0.2)
        assert shown() == pytest.approx(frame / 25, abs=1e-3)
    for _ in range(13):  # a held key; over a key frame
        root.event_generate("<period>")
    driver.until(lambda: shown() == pytest.approx(13 / 25, abs=1e-3))
    driver.until(lambda: driver.engine.tested[-1][0] == pytest.approx(13 / 25, abs=1e-3))
    viewer.back.invoke()
    driver.until(lambda: shown() == pytest.approx(12 / 25, abs=1e-3))
    # typed into a field, the same keys are text
    box = driver.window.panel.free.performance.box
    box.focus_force()
    box.event_generate("<period>")
    driver.turn(0.2)
    assert shown() == pytest.approx(12 / 25, abs=1e-3)


@pytest.mark.slow
def test_playing_moves_on_by_itself_and_stops(drive: Drive, tmp_path: Path) -> None:
    driver = drive()
    driver.show(coloured(tmp_path / "a.mp4", 20, frames=75))
    window, viewer = driver.window, driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    viewer.play.invoke()
    driver.until(lambda: window.state.shown.seconds > 0.5)
    assert viewer.play.cget("text") == "■" and 0.5 < float(viewer.slider.get()) < 3
    assert level(driver) == pytest.approx(20 + 25 * window.state.shown.seconds, abs=4)
    assert viewer.anonymized.picture is None and "Stop" in viewer.anonymized.words
    viewer.play.invoke()
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    at = window.state.shown.seconds
    assert driver.engine.tested[-1][0] == pytest.approx(at)
    driver.turn(0.3)
    assert window.state.shown.seconds == at and window.state.playing is None
    viewer.play.invoke()
    driver.until(lambda: window.state.playing is None)  # it has come to its end
    assert window.state.shown.seconds > 2.7
    # its result is played beside it, and another row ends that
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"] and viewer.caption.cget("text") == "Result")
    viewer.slider.focus_force()
    driver.until(lambda: driver.root.focus_get() is viewer.slider)
    viewer.slider.event_generate("<space>")
    driver.until(lambda: window.state.playing is not None and window.state.shown.seconds > 0.3)
    assert viewer.anonymized.picture is not None and viewer.original.picture is not None
    assert float(viewer.anonymized.picture.mean()) == pytest.approx(level(driver), abs=1)
    window.add([coloured(tmp_path / "b.mp4", 200)])
    driver.until(lambda: window.state.chosen == 2 and window.state.playing is None)
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    driver.turn(0.3)
    assert window.state.shown.seconds == 0 and viewer.play.cget("text") == "▶"


def test_looking_closer_by_wheel_keys_and_buttons(drive: Drive, tmp_path: Path) -> None:
    driver = drive()
    driver.show(coloured(tmp_path / "a.mp4", 20))
    window, viewer = driver.window, driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    label = lambda: str(viewer.closer.buttons["level"].cget("text"))  # noqa: E731
    pane = viewer.original
    driver.turn(0.3)
    pane.event_generate("<Button-4>", x=10, y=10)
    assert pane._zoom.factor == pytest.approx(1.25) == viewer.anonymized._zoom.factor
    assert pane._zoom.x < 0.45 and label().endswith("%")
    before = pane._zoom.x
    pane.event_generate("<ButtonPress-1>", x=40, y=40)
    pane.event_generate("<B1-Motion>", x=20, y=40)
    assert pane._zoom.x > before, "the picture is dragged, so what lies right of it comes into sight"
    pane.event_generate("<ButtonRelease-1>", x=20, y=40)
    driver.root.event_generate("<Key-1>")
    assert label() == "100 %"
    assert pane._photo is not None and pane._photo.width() == min(320, pane.room[0])
    driver.root.event_generate("<plus>")
    assert label() == "125 %"
    for _ in range(30):
        driver.root.event_generate("<plus>")
    assert label() == "400 %"
    driver.root.event_generate("<Key-0>")
    assert label() == "Fit" and viewer.closer.buttons["out"].instate(["disabled"])
    viewer.closer.buttons["level"].invoke()
    viewer.closer.buttons["out"].invoke()
    window.add([coloured(tmp_path / "b.mp4", 200)])
    driver.until(lambda: window.state.chosen == 2)
    assert label() == "Fit", "another video begins whole"


def test_pictures_take_the_room_that_the_queue_does_not_need(drive: Drive, tmp_path: Path) -> None:
    driver = drive()
    first = coloured(tmp_path / "a.mp4", 20)
    driver.show(first)
    window, viewer = driver.window, driver.window.viewer
    queue = window.queue_view
    driver.until(lambda: int(queue.tree.cget("height")) == 1)
    driver.turn(0.3)
    alone = viewer.winfo_height()
    window.add(copies(first, tmp_path, *(f"{name}.mp4" for name in "bcdefghi")))
    driver.until(lambda: len(window.state.jobs) == 9)
    driver.until(lambda: 2 <= int(queue.tree.cget("height")) < 9)  # a long list scrolls
    driver.until(lambda: queue.winfo_height() < viewer.winfo_height() < alone)


def test_a_double_click_shows_the_pictures_in_large_and_escape_gives_the_window_back(
    drive: Drive, tmp_path: Path
) -> None:
    driver = drive()
    driver.show(coloured(tmp_path / "a.mp4", 20))
    window, viewer = driver.window, driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    driver.turn(0.2)
    small, shown = viewer.original.room, viewer.original._photo
    for _ in range(2):
        viewer.original.event_generate("<ButtonPress-1>", x=20, y=20)
        viewer.original.event_generate("<ButtonRelease-1>", x=20, y=20)
    driver.until(lambda: viewer.original.room[0] > 1.5 * small[0])
    assert not window.queue_view.winfo_ismapped() and not window.panel.winfo_viewable()
    assert viewer.enlarge.cget("text") == "Smaller" and window.foot.start.winfo_viewable()
    assert shown is not None
    before = shown.width()
    driver.until(lambda: viewer.original._photo is not None and viewer.original._photo.width() > 1.5 * before)
    driver.root.event_generate("<Escape>")
    driver.until(lambda: viewer.original.room == small)
    driver.until(lambda: window.queue_view.winfo_viewable() and window.panel.winfo_viewable())
    viewer.enlarge.invoke()
    window.queue_view.tree.focus_force()
    window.commands.remove()  # nothing is left to be looked at
    driver.until(lambda: window.layout.drop_area.winfo_viewable() and window.panel.winfo_viewable())
