"""Decoded frames of the video under review: the places from which it is read on, and those that are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from anonator.core.frames import Frame

if TYPE_CHECKING:
    from anonator.core.reading.frame_access import FrameAccess


class Kept:
    """Frames in memory, bounded in bytes: those that are far from where people look go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._frames: dict[int, Frame] = {}
        self.centre = 0
        """Where people look."""
        self.pinned: Collection[int] = ()
        """Frames that stay although they are far away."""

    def __contains__(self, index: int) -> bool:
        return index in self._frames

    def get(self, index: int) -> Frame | None:
        """A frame, if it is here."""
        return self._frames.get(index)

    def add(self, frame: Frame) -> None:
        """Keep a frame, perhaps in place of others."""
        if frame.index in self._frames:
            return
        self._frames[frame.index] = frame
        self._bytes += frame.nbytes
        while self._bytes > self._most and len(self._frames) > 1:
            far = max(self._frames, key=lambda each: (each not in self.pinned, abs(each - self.centre)))
            self._bytes -= self._frames.pop(far).nbytes

    def last_before(self, index: int) -> int:
        """The first frame of the unbroken row that ends with a frame; index + 1 if it isn't here."""
        while index in self._frames:
            index -= 1
        return index + 1

    def first_after(self, index: int) -> int:
        """The first frame behind a frame that isn't here."""
        while index in self._frames:
            index += 1
        return index

    def nearest_before(self, index: int, at_least: int) -> int | None:
        """The last frame up to one that is here, and no earlier than another."""
        return next((each for each in range(index, at_least - 1, -1) if each in self._frames), None)

    def clear(self) -> None:
        """Forget all."""
        self._frames.clear()
        self._bytes = 0


class Reel:
    """One place in a video, from which it is read on."""

    def __init__(self, access: FrameAccess) -> None:
        self._access = access
        self._frames: Iterator[Frame | None] = iter(())
        self.at: int | None = None
        """The frame that comes next, if it was wound anywhere and is not at its end."""

    def wind(self, index: int, *, before: int = 0, skims: bool = False) -> None:
        """Go to a frame.

        Args:
            index: of the frame that is wanted.
            before: up to so many frames before it come, too, if they cost nothing.
            skims: leave out frames that no other one depends on.
        """
        self._access.skims = skims
        self._frames, self.at = self._access.frames_on(index, before), index

    @property
    def skims(self) -> bool:
        """Whether frames that no other one depends on are left out from now on."""
        return self._access.skims

    @skims.setter
    def skims(self, yes: bool) -> None:
        self._access.skims = yes

    def step(self) -> Frame | None:
        """Decode a little, and return the next frame if that completes it.

        Raises:
            AnonatorError: the video can't be read there; wind again to go on.
        """
        try:
            frame = next(self._frames)
        except StopIteration:
            self.at = None
            return None
        except BaseException:
            self.at = None
            raise
        if frame is not None:
            self.at = frame.index + 1
        return frame

    def close(self) -> None:
        """Close the file."""
        self._frames, self.at = iter(()), None
        self._access.close()


class Stock:
    """Frames of one video: those that are kept, and the reels that bring more; for one thread."""

    def __init__(self, open_video: Callable[[], FrameAccess], most_bytes: int) -> None:
        """Set it up; the video is opened when the first reel is wanted.

        Args:
            open_video: opens it; may raise an AnonatorError, which comes out of every use of a reel.
            most_bytes: of decoded frames to keep.
        """
        self._open, self._most_bytes = open_video, most_bytes
        self._access: FrameAccess | None = None
        self._reels: dict[str, Reel] = {}
        self.kept = Kept(most_bytes)
        self.room = 8
        """So many frames can be kept."""

    @property
    def front(self) -> Reel:
        """The one that reads on from where people look."""
        if self._access is None:
            self._access = self._open()
            self._reels["front"] = Reel(self._access)
        return self._reels["front"]

    @property
    def back(self) -> Reel:
        """The one for what lies before it, and for what is expected."""
        return self._another("back")

    @property
    def through(self) -> Reel:
        """The one that goes through the whole video once."""
        return self._another("through")

    def take(self, reel: Reel) -> Frame | None:
        """Decode a little, and keep the frame that this completes."""
        frame = reel.step()
        if frame is not None:
            self.kept.add(frame)
            self.room = max(4, self._most_bytes // frame.nbytes)
        return frame

    def close(self) -> None:
        """Close the files."""
        for reel in self._reels.values():
            reel.close()
        self._reels, self._access = {}, None
        self.kept.clear()

    def _another(self, name: str) -> Reel:
        front = self.front
        if name not in self._reels and self._access is not None:
            self._reels[name] = Reel(self._access.twin())
        return self._reels.get(name, front)
