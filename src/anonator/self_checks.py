"""What --self-test checks: libraries, weights, detectors, video, the window and the device."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anonator
from anonator import models, self_check_clip
from anonator.core import process_setup
from anonator.core.config import Device, Model, Settings

if TYPE_CHECKING:
    import tkinter  # a missing tkinter is a failed check, not a crash

    from anonator.core.frames import Detections, UInt8Array

PICTURE = "astronaut.jpg"
FACE = (90, 40, 220, 190)
"""xyxy in the picture: hair to chin; the box found must be inside it and fill a third of it."""
COVERED = (60, 0, 250, 220)
"""The part that is painted grey to make a picture without a face."""
SURE, SEEN = 0.9, 0.35
"""The face scores at least SURE; without it nothing reaches SEEN, HIPAA mode's lowest threshold."""


class Skipped(Exception):
    """A check that can't be made on this computer; its text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work."""

    name: str
    seconds_allowed: float
    call: Callable[[], str]
    """Returns one sentence of detail; raises Skipped, or anything else if it fails."""


FOREIGN = (
    "numpy", "cv2", "av", "torch", "torchvision.ops", "safetensors.torch",
    "face_detection.retinaface.models.retinaface", "face_detection.dsfd.face_ssd",
    "imageio_ffmpeg", "platformdirs", "tqdm", "wakepy",
    "tkinter", "tkinterdnd2", "PIL.ImageTk", "PIL._tkinter_finder",
    *(["wakepy.dbus_adapters.jeepney"] if sys.platform == "linux" else []),
)  # fmt: skip

OPTIONAL = dict.fromkeys(
    (f"anonator.archive.{name}" for name in ("cluster", "cluster_scheduler", "cluster_worker")),
    ("dask", "distributed"),
)
"""Modules whose libraries only those have who asked for them (anonator[cluster])."""

CPP_RUNTIME = (
    "vcruntime140.dll", "vcruntime140_1.dll", "vcruntime140_threads.dll",
    "msvcp140.dll", "msvcp140_atomic_wait.dll",
)  # fmt: skip
"""Microsoft's libraries that PyTorch asks for; without one Windows says only that a module was not found."""


def cpp_runtime() -> str:
    """Microsoft's C++ runtime is there."""
    missing = []
    for name in CPP_RUNTIME:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    if missing:
        raise OSError(
            f"missing: {', '.join(missing)}. Install Microsoft's Visual C++ Redistributable for x64, "
            "or Anonator again."
        )
    return f"{len(CPP_RUNTIME)} libraries"


def imports() -> str:
    """Every module of the program, and every library it uses, can be imported."""
    own = [module.name for module in pkgutil.walk_packages(anonator.__path__, "anonator.")]
    if not own:
        raise ImportError("the program's own modules could not be found")
    left_out = 0
    for name in (*FOREIGN, *own):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as exc:
            if (exc.name or "").partition(".")[0] not in OPTIONAL.get(name, ()):
                raise
            left_out += 1
    process_setup.prepare()
    return f"{len(own) - left_out} modules of the program, {len(FOREIGN)} libraries"


def bundled_weights() -> str:
    """The weights of the standard model are intact."""
    from anonator.core.detection import weights

    file = weights.find(Model.MOBILENET, Path(models.__file__).parent)
    return f"SHA-256 {file.sha256[:12]}..., {file.check.value}"


def detector() -> str:
    """The face in the bundled picture is found, and none where it is painted over."""
    from anonator.core.detection.loading import load_detector

    picture, faceless = _pictures()
    with contextlib.closing(load_detector(Settings(), Path(models.__file__).parent)) as loaded:
        found, empty = loaded.detect([picture])[0], loaded.detect([faceless])[0]
        line = loaded.device_line
    return f"{_the_one_face(found, empty)}, on {line}"


def second_detector() -> str:
    """The same of the other detector, which looks at finished files; its weights are intact, too."""
    from anonator.core.detection.yunet import NAME, YuNet

    picture, faceless = _pictures()
    second = YuNet(SEEN)
    side = max(picture.shape)
    return f"{NAME} {_the_one_face(second.find(picture, side), second.find(faceless, side))}"


def _pictures() -> tuple[UInt8Array, UInt8Array]:
    """The bundled picture of a face, and the same without it."""
    import numpy as np
    from PIL import Image

    with Image.open(Path(models.__file__).with_name(PICTURE)) as file:
        picture = np.array(file.convert("RGB"))
    faceless = picture.copy()
    faceless[COVERED[1] : COVERED[3], COVERED[0] : COVERED[2]] = 128
    return picture, faceless


def _the_one_face(found: Detections, empty: Detections) -> str:
    """What was found in the picture of one face, in words; raises ValueError if it isn't that face."""
    sure = found.boxes[found.scores >= SEEN]
    if len(sure) != 1 or found.scores.max() < SURE:
        raise ValueError(
            f"{len(sure)} faces found in the picture of one face, scores {found.scores.round(2).tolist()}"
        )
    x0, y0, x1, y1 = sure[0].tolist()
    inside = x0 >= FACE[0] and y0 >= FACE[1] and x1 <= FACE[2] and y1 <= FACE[3]
    if not inside or 3 * (x1 - x0) * (y1 - y0) < (FACE[2] - FACE[0]) * (FACE[3] - FACE[1]):
        raise ValueError(f"the face was found in the wrong place: {sure[0].round().tolist()}")
    if (empty.scores >= SEEN).any():
        raise ValueError(f"a face was found where there is none, scores {empty.scores.round(2).tolist()}")
    return f"found the one face, score {found.scores.max():.3f}"


def window() -> str:
    """Tk opens a window and shows a picture in it."""
    from PIL import Image, ImageTk

    with _tk_root() as root:
        picture = ImageTk.PhotoImage(Image.new("RGB", (8, 8), "white"), master=root)
        shown = root.tk.call("image", "width", str(picture))
        if int(shown) != 8:
            raise ValueError(f"a picture of 8 pixels is {shown} wide in Tk")
        del picture
        return f"Tk {root.tk.call('info', 'patchlevel')}, a screen of {root.winfo_fpixels('1i'):.0f} dpi"


def drag_and_drop() -> str:
    """The tkdnd library loads into Tk."""
    from tkinterdnd2 import TkinterDnD

    with _tk_root() as root:
        return f"tkdnd {TkinterDnD.require(root)}"


@contextlib.contextmanager
def _tk_root() -> Iterator[tkinter.Tk]:
    import tkinter

    if sys.platform == "darwin":
        raise Skipped("macOS allows windows only in the main thread")
    try:
        root = tkinter.Tk()
    except tkinter.TclError as exc:
        if sys.platform == "win32":
            raise
        raise Skipped("no display") from exc
    try:
        root.withdraw()
        yield root
    finally:
        root.destroy()


def device() -> str:
    """What the detector would run on; having no GPU isn't a failure."""
    import torch

    from anonator.core.detection.devices import choose_device

    chosen, reason = choose_device(Device.AUTO)
    name = torch.cuda.get_device_name() if chosen.type == "cuda" else f"CPU; no CUDA because {reason}"
    return f"{name} (torch {torch.__version__}, CUDA {torch.version.cuda or 'none'})"


CHECKS = (
    *([Check("C++ runtime", 30, cpp_runtime)] if sys.platform == "win32" else []),
    # the first import of PyTorch reads gigabytes, from a slow disk and past a virus scanner
    Check("imports", 300, imports),
    Check("weights", 30, bundled_weights),
    Check("detector", 180, detector),
    Check("second detector", 60, second_detector),
    Check("video", 60, self_check_clip.decoded),
    Check("second FFmpeg", 60, self_check_clip.played),
    Check("window", 30, window),
    Check("drag and drop", 30, drag_and_drop),
    Check("device", 60, device),
)
