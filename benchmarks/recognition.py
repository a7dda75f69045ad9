"""Measures whether a face embedding recognizes masked faces: distances of the same picture before and after.

The embedding is dlib's ResNet, whose public weights the package face-recognition-models carries. It is helped
where it can be: it takes the landmarks of the unmasked picture, so that the masked face is aligned perfectly.
Yardsticks are the distances between different people, those between different pictures of one person, and
those of solid masks, around which only hair and clothes are left. The control, a fine mosaic of 16 blocks,
shows that the measure finds what is still there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import av
import cv2
import numpy as np
import numpy.typing as npt
from clips import decoded
from common import CLIPS, settings_of, table
from PIL import Image

from anonator.core import anonymizer
from anonator.core import boxes as box_ops
from anonator.core.config import MOSAIC_BLOCKS, Mode, Settings
from anonator.core.detection.loading import load_detector
from anonator.core.frames import Frame, Masks

UInt8Array = npt.NDArray[np.uint8]
SIZES = (40, 100, 200, 300)
"""Sides of the faces, in pixels."""
SAME_PERSON = 0.6
"""dlib's own bound: nearer faces are one person."""
STEP, SAMPLES = 15, 5
"""Frames between two pictures of a clip, and how many are taken."""
MIN_SIDE, MIN_SCORE, LINKED = 40, 0.8, 0.3
"""Faces that are good enough, and the IoU that makes two of them one person."""
WINDOW = 3.5
"""Side of the picture around a face, in face sizes."""
SKIPPED = (
    "Not measured: this needs the packages dlib-bin and face-recognition-models "
    "(uv run --with dlib-bin --with face-recognition-models python benchmarks/masks.py --recognition)."
)


@dataclass(slots=True)
class Face:
    """One face with its surroundings."""

    source: str
    person: str
    moment: int
    rgb: UInt8Array
    box: np.ndarray
    """(4,) xyxy in pixels of rgb."""

    def at(self, side: int) -> tuple[UInt8Array, np.ndarray]:
        """The picture with even sides and the box, scaled so that the face has that side."""
        factor = side / float((self.box[2:] - self.box[:2]).max())
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        rgb = cv2.resize(self.rgb, None, fx=factor, fy=factor, interpolation=way)
        even = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
        return even.astype(np.uint8, copy=False), self.box * factor


@dataclass(slots=True)
class Distances:
    """Of one size of face: minimum, median, maximum and counts."""

    side: int
    same: list[float]
    """Different pictures of one person."""
    different: list[float]
    """Pictures of different people."""
    masked: dict[str, list[float]] = field(default_factory=dict)
    """The same picture, unmasked and masked: minimum, median, maximum."""
    under_bound: dict[str, int] = field(default_factory=dict)
    """Masked faces that the embedding takes for the person."""
    strangers: dict[str, float] = field(default_factory=dict)
    """Smallest distance of a masked face to the unmasked picture of somebody else."""
    nearer: dict[str, float] = field(default_factory=dict)
    """How often the person is nearer than a stranger: 1 is recognized, 0.5 is chance."""


class Embedding:
    """dlib's face embedding."""

    def __init__(self) -> None:
        """Load the weights.

        Raises:
            ModuleNotFoundError: a package is missing.
        """
        import dlib  # type: ignore[import-not-found]

        # found, not imported: the package's own module needs setuptools
        spec = importlib.util.find_spec("face_recognition_models")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("face_recognition_models")
        models = Path(spec.submodule_search_locations[0]) / "models"
        self._dlib: Any = dlib
        self._landmarks = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(
            str(models / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def landmarks(self, rgb: UInt8Array, box: np.ndarray) -> Any:
        """Eyes and nose of the face in a box; the network's boxes are higher than dlib's square ones."""
        x, y = (box[:2] + box[2:]) / 2 + [0, 0.05 * (box[3] - box[1])]
        half = 0.525 * (box[2] - box[0])
        return self._landmarks(
            rgb, self._dlib.rectangle(*(int(v) for v in (x - half, y - half, x + half, y + half)))
        )

    def __call__(self, rgb: UInt8Array, landmarks: Any) -> np.ndarray:
        """(128,) of the face with these landmarks."""
        chip = self._dlib.get_face_chip(np.ascontiguousarray(rgb), landmarks, 150, 0.25)
        return np.array(self._network.compute_face_descriptor(chip))


def measure(people: Path | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Distances for every size and mask, or the sentence that says why there are none."""
    try:
        embedding = Embedding()
    except ModuleNotFoundError:
        return {"skipped": SKIPPED}
    faces = list(collected(people))
    names = {(face.source, face.person) for face in faces}
    say(f"{len(faces)} faces of {len(names)} people")
    return {
        "faces": len(faces),
        "people": len(names),
        "sizes": [asdict(_distances(side, faces, embedding)) for side in SIZES],
    }


def collected(people: Path | None) -> Iterator[Face]:
    """The faces of a folder of people, or those of the reference clips and scikit-image's astronaut."""
    detector = load_detector(settings_of("quality"))
    try:
        if people is not None:
            for moment, path in enumerate(sorted(p for p in people.glob("*/*") if p.is_file())):
                rgb = np.asarray(Image.open(path).convert("RGB"))
                boxes = _boxes(detector, rgb)
                if len(boxes) == 1:
                    # a folder is a person, a file is a moment
                    yield _cut(rgb, boxes[0], path.parent.name, "0", moment)
            return
        from skimage import data

        astronaut = np.asarray(data.astronaut())
        for box in _boxes(detector, astronaut):
            yield _cut(astronaut, box, "astronaut", "0", 0)
        for clip in sorted(p for p in CLIPS.glob("*") if p.suffix in {".mp4", ".mkv"}):
            last: list[tuple[str, np.ndarray]] = []
            for index, frame in enumerate(decoded(clip, STEP * SAMPLES)):
                if index % STEP:
                    continue
                rgb = frame.to_ndarray(format="rgb24")
                here = []
                for number, box in enumerate(_boxes(detector, rgb)):
                    before = [name for name, old in last if _iou(old, box) >= LINKED]
                    here.append((before[0] if before else f"{index}-{number}", box))
                    yield _cut(rgb, box, clip.stem, here[-1][0], index)
                last = here
    finally:
        detector.close()


def report(result: dict[str, Any]) -> str:
    """A markdown table, or the sentence that says why there is none."""
    if "skipped" in result:
        return str(result["skipped"])
    head = ["face, px", "what", "minimum", "median", "maximum"]
    head += [f"under {SAME_PERSON}", "nearest stranger", "nearer than a stranger"]
    rows = []
    for d in result["sizes"]:
        for what, values in (("one person, other pictures", d["same"]), ("different people", d["different"])):
            rows.append([str(d["side"]), what, *(f"{v:.2f}" for v in values), "", "", ""])
        for what, values in d["masked"].items():
            nearer = f"{100 * d['nearer'][what]:.0f} %"
            found = [str(d["under_bound"][what]), f"{d['strangers'][what]:.2f}", nearer]
            rows.append([str(d["side"]), f"same picture, {what}", *(f"{v:.2f}" for v in values), *found])
    return (
        f"{result['faces']} faces of {result['people']} people, mask scale 1.5\n\n{table(head, rows, left=2)}"
    )


def _distances(side: int, faces: list[Face], embedding: Embedding) -> Distances:
    """Unmasked faces of that size with each other, and with themselves after masking."""
    pictures = [face.at(side) for face in faces]
    marks = [embedding.landmarks(rgb, box) for rgb, box in pictures]
    plain = np.array([embedding(rgb, mark) for (rgb, _), mark in zip(pictures, marks, strict=True)])
    # people of one picture are different, and so are those of different sources; a lost track tells nothing
    same = np.array([[_same(a, b) for b in faces] for a in faces])
    different = np.array([[_different(a, b) for b in faces] for a in faces])
    apart = np.linalg.norm(plain[:, None] - plain[None], axis=2)
    result = Distances(side, _spread(apart[same]), _spread(apart[different]))
    cells, blocks = anonymizer.BLUR_CELLS, MOSAIC_BLOCKS
    masks = [(mode.value, mode, cells, blocks) for mode in (Mode.BLUR, Mode.MOSAIC, Mode.SOLID)]
    masks.append(("control: 16 sharp blocks", Mode.MOSAIC, 1000, 16))
    for name, mode, *strength in masks:
        with mock.patch.object(anonymizer, "BLUR_CELLS", strength[0]):
            after = [_masked(rgb, box, mode, strength[1]) for rgb, box in pictures]
        codes = np.array([embedding(rgb, mark) for rgb, mark in zip(after, marks, strict=True)])
        to_all = np.linalg.norm(codes[:, None] - plain[None], axis=2)
        own = np.diag(to_all)
        result.masked[name] = _spread(own)
        result.under_bound[name] = int((own < SAME_PERSON).sum())
        result.strangers[name] = float(to_all[different].min())
        nearer = [own[i] < to_all[i][different[i]] for i in range(len(faces)) if different[i].any()]
        result.nearer[name] = float(np.mean([n.mean() for n in nearer]))
    return result


def _masked(rgb: UInt8Array, box: np.ndarray, mode: Mode, mosaic_blocks: int) -> UInt8Array:
    """The picture as a job would write it, but for the encoder."""
    image = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    image.color_range = 1
    frame = Frame(0, 0, Fraction(1, 25), image)
    masks = Masks(box.astype(np.float32)[None], np.zeros(1, np.int32))
    settings = Settings.standard(mode=mode, mask_scale=1.5)
    object.__setattr__(settings, "mosaic_blocks", mosaic_blocks)  # the control has more than a job may have
    anonymizer.anonymize(frame, masks, settings)
    return np.asarray(frame.image.to_ndarray(format="rgb24"))


def _boxes(detector: Any, rgb: UInt8Array) -> list[np.ndarray]:
    """(4,) of every face that is large and sure enough."""
    (found,) = detector.detect([np.ascontiguousarray(rgb)])
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0)
    return list(found.boxes[(sides >= MIN_SIDE) & (found.scores >= MIN_SCORE)])


def _cut(rgb: UInt8Array, box: np.ndarray, source: str, person: str, moment: int) -> Face:
    """The face with its surroundings."""
    middle, reach = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() * WINDOW / 2
    left, top = (int(v) for v in np.maximum(middle - reach, 0))
    right, bottom = (int(v) for v in middle + reach)
    return Face(source, person, moment, rgb[top:bottom, left:right].copy(), box - [left, top, left, top])


def _same(a: Face, b: Face) -> bool:
    return (a.source, a.person) == (b.source, b.person) and a.moment < b.moment


def _different(a: Face, b: Face) -> bool:
    return a is not b and (a.source != b.source or (a.moment == b.moment and a.person != b.person))


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(box_ops.iou(a[None], b[None])[0, 0])


def _spread(values: np.ndarray) -> list[float]:
    """Minimum, median, maximum."""
    return [float(v) for v in np.percentile(values, [0, 50, 100])] if len(values) else [float("nan")] * 3
