"""Takes pictures of the real window in every state, on displays of its own.

Needs Xvfb, and a font with Chinese characters for one of the names (Debian: fonts-droid-fallback). Without
videos it draws some, with the public-domain face that the package contains. Look at every picture: nothing
may be cut off, overlap or be unclear. Those of the documents are taken at 1240x800; --docs takes only
those, with few colours so that the files stay small. Options come before the videos.
"""

from __future__ import annotations

import _tkinter
import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFilter, ImageGrab

SIZES = {
    "small": ("1000x700", 96),
    "laptop": ("1366x768", 96),
    "laptop150": ("1366x768", 144),
    "large": ("1920x1080", 96),
    "fine": ("3840x2160", 192),
}
"""By name: the size of the screen, which the window fills, and dots per inch (144 is 150 %)."""
DOCS = {"readme": ("1240x800", 96)}
IN_DOCS = ("idle", "running", "done", "unlocked", "review", "review-doubt", "review-sheet", "review-sign")
PATIENCE = 300.0
"""Seconds for a state to come."""


def main() -> int:
    """Start a display for each size and take the pictures in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("videos", type=Path, nargs="*")
    parser.add_argument("--docs", action="store_true", help="only the pictures of the documents")
    parser.add_argument("--only", choices=SIZES, help="one size")
    parser.add_argument("--on-this-display", metavar="SIZE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.on_this_display is not None:
        Photographer(args.out, args.videos, args.on_this_display, docs=args.docs).take_all()
        return 0
    for name, (size, dpi) in (DOCS if args.docs else SIZES).items():
        if args.only in (None, name):
            with_display(size, dpi, [*sys.argv, "--on-this-display", "" if args.docs else name])
    return 0


def with_display(size: str, dpi: int, command: list[str]) -> None:
    """Run a Python command with a private X server."""
    read, write = os.pipe()
    server = subprocess.Popen(
        f"Xvfb -displayfd {write} -screen 0 {size}x24 -nolisten tcp -noreset -dpi {dpi}".split(),
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            display = f":{pipe.readline().strip()}"
        subprocess.run([sys.executable, *command], env={**os.environ, "DISPLAY": display}, check=True)
    finally:
        server.terminate()
        server.wait(10)


def draw_clip(path: Path, *, seconds: int, step: int) -> None:
    """A head that moves before a blue ground, 640x360, H.264 at 25 frames a second."""
    with resources.files("anonator.models").joinpath("astronaut.jpg").open("rb") as file:
        head = Image.open(file).convert("RGB").resize((360, 360)).crop((97, 10, 280, 193))
    rim = Image.new("L", head.size)
    ImageDraw.Draw(rim).ellipse((8, 8, 175, 175), fill=255)
    rim = rim.filter(ImageFilter.GaussianBlur(5))
    size = (640, 360)
    ground = Image.composite(
        Image.new("RGB", size, "#8296a8"),
        Image.new("RGB", size, "#2f5f93"),
        Image.linear_gradient("L").resize(size),
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in range(25 * seconds):
            picture = ground.copy()
            picture.paste(head, ((30 if step > 0 else 430) + step * frame, 70), rim)
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


class Photographer:
    """Uses the window as a person does, and takes a picture in each state."""

    def __init__(self, out: Path, videos: list[Path], prefix: str, *, docs: bool) -> None:
        from anonator.ui.main_window import MainWindow

        self._out, self._prefix, self._docs = out, prefix, docs
        self._folder = Path(tempfile.mkdtemp())
        self._videos = [self._folder / name for name in ("Visit 3, gait.mp4", "Gespräch mit 山田.mov")]
        if videos:
            for video, copy in zip(videos, self._videos, strict=False):
                shutil.copy(video, copy)
            self._videos = self._videos[: len(videos)]
        else:
            draw_clip(self._videos[0], seconds=4, step=3)
            draw_clip(self._videos[1], seconds=3, step=-4)
        self._broken = self._folder / "from the old camera.avi"
        self._broken.write_bytes(b"no video" * 4000)
        self._window = window = MainWindow(
            preferences_file=self._folder / "config" / "window.json",
            config_file=self._write_config("[hipaa]\n"),
        )
        screen = window.root.winfo_screenwidth(), window.root.winfo_screenheight()
        window.root.geometry(f"{screen[0]}x{screen[1]}+0+0")
        window.root.event_generate("<Motion>", warp=True, x=2, y=2)

    def _write_config(self, content: str) -> Path:
        path = self._folder / "anonator.toml"
        path.write_text(content, "utf-8")
        return path

    def take_all(self) -> None:
        """All states, one after another."""
        try:
            self._before_a_job()
            self._a_job()
            self._a_review()
            if not self._docs:
                self._questions()
            self._window.run.end_at_once()
            self._until(lambda: self._window.closed)
        finally:
            shutil.rmtree(self._folder)

    # --- states

    def _before_a_job(self) -> None:
        window = self._window
        window.show()
        self._shot("loading")
        self._until(lambda: window.state.loaded)
        self._shot("idle")
        window.layout.drop_area.hover(True)
        self._shot("drop")
        window.layout.drop_area.hover(False)
        window.add([*self._videos, *([] if self._docs else [self._broken])])
        count = len(self._videos) + (not self._docs)
        jobs = window.controller
        self._until(lambda: len(jobs.jobs) == count and all(job.info or job.message for job in jobs.jobs))
        self._shot("loaded")
        self._until(lambda: self._caption() == "Test of this frame")
        window.viewer.slider.set((jobs.jobs[0].info.seconds or 1.0) * 0.4)  # type: ignore[union-attr]
        self._until(lambda: self._caption() != "Test of this frame")
        self._shot("asking")
        self._until(lambda: self._caption() == "Test of this frame")
        self._shot("testing")

    def _a_job(self) -> None:
        window = self._window
        window.run.start()
        self._until(lambda: window.controller.current is not None)
        self._shot("opening")
        self._until(lambda: self._frames_of(1) > 0.55)
        self._turn(0.4)
        self._shot("running")
        window.run.pause_or_resume()
        self._shot("paused")
        window.run.pause_or_resume()
        checking = "Checking the finished file…"
        self._until(lambda: window.foot.stage.cget("text") == checking or window.controller.current is None)
        self._turn(0.03)  # no longer, because it may be over soon
        self._save("checking")
        done = [job.number for job in window.controller.jobs][-1 - (not self._docs)]
        self._until(lambda: window.controller.current is None)
        window.queue_view.select(done)
        self._until(lambda: self._caption() == "Result")
        self._turn(0.5)
        self._shot("done")
        if not self._docs:
            window.commands.turn_large()
            self._shot("large")
            window.viewer.closer.one_to_one()
            self._shot("closer")
            window.commands.leave_large()
            window.viewer.closer.fit()
            window.queue_view.select([job.number for job in window.controller.jobs][-1])
            self._shot("failed")
            window.queue_view.select(1)
        else:
            window.queue_view.select(1)
        window.choosing.set_locked(False)
        self._turn(1.0)
        self._until(lambda: self._caption() == "Result")
        self._shot("unlocked")

    def _a_review(self) -> None:
        """A review with a leak: some sightings of the first video are taken out of its tracks."""
        window = self._window
        window.choosing.set_locked(True)
        job = window.controller.jobs[0]
        assert job.review is not None and job.review.tracks is not None
        self._blank(job.review.tracks)
        window.queue_view.select(job.number)
        window.reviewing.open(job.number)
        self._until(lambda: window.reviewing.review is not None)
        review = window.reviewing.review
        assert review is not None
        self._until(lambda: review.store.state.assessed)
        self._turn(1.0)
        self._shot("review-first")
        review.screen.hint.close.invoke()
        review.desk.walk.next()
        self._until(lambda: not review.store.state.speed and review.store.state.card is not None)
        self._turn(1.5)
        self._shot("review-doubt")
        index = len(review.session.analysis.pts) // 2
        review.playing.go(index)
        self._turn(0.5)
        review.editing.draw(self._gone)
        self._until(lambda: not review.following.waiting)
        self._until(lambda: review.session.is_assessed)
        self._turn(0.5)
        self._shot("review")
        review.sheet.turn()
        self._until(lambda: all(c.has_picture for c in review.store.state.sheet.cells))  # type: ignore[union-attr]
        self._shot("review-sheet")
        review.sheet.close()
        self._turn(0.3)
        self._dialog("review-keys", review.asking.keys)
        review.desk.select((review.session.tracks()[0].id,))
        self._turn(0.3)
        self._dialog("review-reason", review.editing.turn)
        self._dialog("review-sign", window.reviewing.sign)
        window.reviewing.leave()
        self._turn(0.3)
        self._shot("review-left")

    def _blank(self, path: Path) -> None:
        """Take the sightings in the middle out of a tracks file, and keep one of their places."""
        from anonator.core.review import tracks_file
        from anonator.core.review.analysis import FoundTrack
        from anonator.core.review.kept_sightings import Sightings

        analysis = tracks_file.read(path).analysis
        track = max(analysis.tracks, key=lambda each: len(each.sightings))
        frames, rows = len(analysis.pts), track.sightings.rows
        gone = (rows["frame"] > frames * 0.3) & (rows["frame"] < frames * 0.8)
        x1, y1, x2, y2 = rows["box"][int((abs(rows["frame"] - frames // 2)).argmin())].tolist()
        across, down = (x2 - x1) * 0.15, (y2 - y1) * 0.15
        self._gone = x1 - across, y1 - down, x2 + across, y2 + down
        kept = FoundTrack(track.id, Sightings(rows[~gone]))
        others = tuple(kept if each.id == track.id else each for each in analysis.tracks)
        path.unlink()
        tracks_file.create(dataclasses.replace(analysis, tracks=others), path)

    def _questions(self) -> None:
        from anonator.ui.key_question import key_rows
        from anonator.ui.questions import Questions
        from anonator.ui.state.job import Clear

        window = self._window
        self._dialog(
            "dialog_unlock", lambda: (window.choosing.set_locked(True), window.choosing.turn_lock(False))
        )
        self._remember_the_least()
        self._dialog("dialog_unlock_most", lambda: window.choosing.turn_lock(False))
        window.choosing.restore_defaults()
        self._dialog("dialog_key_file", lambda: key_rows(window.root, window.theme).begin(neutral=True))
        self._dialog("dialog_keys", window.show_keys)
        self._dialog("dialog_again", window.commands.run_again)
        self._dialog("dialog_clear", window.commands.clear_finished)
        window.controller.clear(Clear.ALL)  # a result of this session would be kept without a question
        window.run.refresh()
        window.commands.add([self._videos[0]])
        self._until(lambda: bool(window.state.waiting))
        self._dialog("dialog_existing", window.run.start)
        questions = Questions(window.root, window.theme)
        self._dialog("dialog_close", lambda: questions.close(2, running=True))
        window.say("notes.txt, letter.docx aren't videos, so they were skipped.")
        self._write_config("[hipaa]\nmask_scale = 1.2\n")
        window.read_config()
        self._shot("held")
        self._write_config("[hipaa]\nthreshold = 0.3\nmask_scale = 2\n")
        window.read_config()
        window.notice.close.invoke()
        self._shot("stricter")

    def _remember_the_least(self) -> None:
        """Choose the weakest values without HIPAA mode, and switch it on again."""
        from anonator.core.config import Mode, Performance

        choosing = self._window.choosing
        choosing.set_locked(False)
        for name, value in (
            ("mode", Mode.BLUR),
            ("keep_audio", True),
            ("mask_scale", 1.0),
            ("threshold", 0.9),
            ("orientations", False),
            ("multi_pass", False),
            ("performance", Performance.MAXIMUM),
        ):
            choosing.choose(name, value)
        choosing.set_locked(True)

    # --- tools

    def _dialog(self, name: str, ask: Callable[[], object]) -> None:
        """Ask a question, and close it by Escape once its picture is taken."""

        def look() -> None:
            self._window.root.update()
            self._save(name)
            focus = self._window.root.focus_get()
            if focus is not None:
                focus.event_generate("<Escape>")

        self._window.root.after(500, look)
        ask()
        self._turn(0.2)

    def _caption(self) -> str:
        return str(self._window.viewer.caption.cget("text"))

    def _frames_of(self, number: int) -> float:
        """How far a job is, 0..1."""
        job = self._window.controller.get(number)
        if job is None or job.progress is None or not job.progress.total:
            return 0.0 if job is None or job.result is None else 1.0
        return job.progress.frame / job.progress.total

    def _shot(self, name: str) -> None:
        self._turn(0.35)
        self._save(name)

    def _save(self, name: str) -> None:
        picture = ImageGrab.grab(xdisplay=os.environ["DISPLAY"])
        if self._docs:
            if name not in IN_DOCS:
                return
            name = name if name.startswith("review") else f"window-{name}"
            picture = picture.quantize(palette=picture.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
        prefix = f"{self._prefix}_" if self._prefix else ""
        picture.save(self._out / f"{prefix}{name}.png", optimize=True)

    def _turn(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._until(lambda: time.monotonic() > end)

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("a state did not come in time")
            if self._window.closed or not self._window.root.tk.dooneevent(_tkinter.DONT_WAIT):
                time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
