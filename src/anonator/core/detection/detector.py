"""FaceDetector: pictures in, faces out, in batches; with less memory or on the CPU where that runs out."""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback
from collections.abc import Callable, Sequence

import torch

from anonator.core.config import NMS_THRESHOLD
from anonator.core.detection.detector_protocol import View
from anonator.core.detection.devices import is_out_of_memory
from anonator.core.detection.inference import UPLOAD_CHUNK, ImpossibleNumbersError, Inference, Request
from anonator.core.detection.openvino_engine import LEFT_LINE, EngineFailedError
from anonator.core.detection.passes import Pass, all_passes, further_passes, merge, plan_passes
from anonator.core.detection.preprocess import Pictures, network_size, padded, require_pictures
from anonator.core.detection.seams import Layout, find_seams
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import Detections, Float32Array
from anonator.errors import DetectionError, JobCancelled

log = logging.getLogger(__name__)

SMALLEST_RESOLUTION = 480
"""Out of memory on a GPU never shrinks the picture below this long side; then the CPU takes over."""


class FaceDetector:
    """Finds faces in RGB pictures, with less memory or on the CPU where that runs out.

    Threads may share it: each of their batches has the network for itself, but for small pictures on a CPU,
    which don't wait. Close it to free its own threads and a GPU's memory.
    """

    def __init__(
        self,
        inference: Inference,
        *,
        max_resolution: int,
        batch_size: int | None = 1,
        nms_threshold: float = NMS_THRESHOLD,
        device_line: str = "",
        name: str = "FaceDetector",
        weights: WeightsFile | None = None,
        judges_large_faces_at_half_size: bool = True,
    ) -> None:
        """Take over the network on its device; close() closes it too.

        Args:
            inference: the network on its device.
            max_resolution: long side in pixels of the picture that the network sees.
            batch_size: pictures in work at once; None: as many as keep the CPU busy.
            nms_threshold: boxes that overlap more than this are one face.
            device_line: the device in words, for people.
            name: of the network, for the report.
            weights: what the network was loaded from, for the report.
            judges_large_faces_at_half_size: False only for comparison with detectors that look once.
        """
        self._inference = inference
        self._turn, self._change = threading.Lock(), threading.Lock()
        self.max_resolution = self._full_resolution = max_resolution
        self.batch_size = inference.at_once if batch_size is None else batch_size
        self.nms_threshold = nms_threshold
        self.device_line = device_line
        self.name = name
        self.weights = weights
        self._judges_large_faces_at_half_size = judges_large_faces_at_half_size
        self.notes: list[str] = []
        """Sentences for the user about what had to be changed along the way."""

    @property
    def device(self) -> torch.device:
        """Where the network runs now."""
        return self._inference.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._inference.dtype

    @property
    def _takes_any_together(self) -> bool:
        return self.device.type == "cpu"

    def close(self) -> None:
        """Free the network, the threads, and what is held on the device; detect() fails afterwards."""
        self._inference.close()

    def detect(
        self,
        pictures: Pictures,
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """Find the faces in pictures of one size.

        Args:
            pictures: N arrays (H, W, 3) uint8 RGB (grey ones (H, W) too), or one (N, H, W, 3) array.
            turns: quarter turns at which each picture is looked at; what they find is merged by NMS.
                With more than one, it is also looked at with its parts apart.
            checkpoint: called between layers of the network, in any thread; may raise to end the call there.

        Returns:
            N Detections, sorted by falling score, boxes in pixels of the pictures.

        Raises:
            DetectionError: the network failed; no result is made up.
            JobCancelled: checkpoint raised it.
        """
        return self.detect_views([View(each, turns) for each in pictures], checkpoint=checkpoint)

    def part_scale(self, width: int, height: int) -> float | None:
        """Pixels that the network sees for each of a picture of that size; None on a GPU, which is used
        best by whole pictures of one size."""
        if self.device.type != "cpu":
            return None
        return network_size(width, height, self.max_resolution)[0] / width

    def detect_views(
        self, views: Sequence[View], *, checkpoint: Callable[[], None] | None = None
    ) -> list[Detections]:
        """Find the faces in pictures and parts of pictures, each looked at in its own way.

        Args:
            views: N of any sizes, (H, W, 3) uint8 RGB or grey (H, W).
            checkpoint: as for detect.

        Returns:
            N Detections, sorted by falling score, boxes in pixels of what was looked at.

        Raises:
            DetectionError: the network failed; no result is made up.
            JobCancelled: checkpoint raised it.
        """
        found: dict[int, Detections] = {}
        while len(found) < len(views):
            with contextlib.nullcontext() if self._is_quick(views) else self._turn:
                batch = self._next_batch(views, [i for i in range(len(views)) if i not in found])
                answers = self._try([views[i] for i in batch], checkpoint)
            if answers:
                found.update(zip(batch, answers, strict=True))
        return [found[i] for i in range(len(views))]

    def _is_quick(self, views: Sequence[View]) -> bool:
        """Whether they needn't wait for their turn."""
        if any(each.picture.ndim < 2 for each in views):
            return False  # it will be refused
        sizes = [padded(self._size_of(each)) for each in views]
        return self._inference.is_quick([width * height for width, height in sizes])

    def _next_batch(self, views: Sequence[View], left: Sequence[int]) -> Sequence[int]:
        """Which of those that are left come next: a CPU takes any together, a GPU only what is alike."""
        if self._takes_any_together:
            # so many looks that each worker always has one; memory is what the workers need
            return left[: 4 * self.batch_size if self.batch_size > 1 else 1]

        def kind(view: View) -> tuple[object, ...]:
            return (view.picture.shape[:2], tuple(view.turns), view.scale)

        alike = [i for i in left if kind(views[i]) == kind(views[left[0]])]
        return alike[: self.batch_size]

    def _try(self, views: Sequence[View], checkpoint: Callable[[], None] | None) -> list[Detections]:
        """Answers for a batch; none if something had to be changed before the next try."""
        if self._inference.network is None:
            raise DetectionError("The face detector was closed before the job ended. Start the job again.")
        try:
            require_pictures([view.picture for view in views])
            return self._detect_batch(views, checkpoint)
        except JobCancelled:
            raise
        except EngineFailedError as exc:
            with self._change:
                self._note(str(exc))
                exc.leave()  # so that PyTorch looks at the same pictures next
                self.device_line = LEFT_LINE
        except Exception as exc:
            if is_out_of_memory(exc):
                with self._change:
                    self._retreat(exc)
            elif isinstance(exc, ImpossibleNumbersError) and self.dtype == torch.float16:
                self._inference.move(self.device, torch.float32)
                self._note("The network does not work in float16 on this GPU; continuing in float32.")
            else:
                raise DetectionError(
                    "The face detector failed, so the job was stopped. Try again with the device set to "
                    "CPU; if that fails too, the log says why."
                ) from exc
        return []

    def _retreat(self, cause: Exception) -> None:
        """After running out of memory: half the batch, then on a GPU half the size, then the CPU."""
        # the tensors that the failed functions still hold must be gone before the next try
        traceback.clear_frames(cause.__traceback__)
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.empty_cache()
        place = "The GPU" if on_gpu else "This computer"
        if self.batch_size > 1:
            in_memory = min(self.batch_size, UPLOAD_CHUNK) if on_gpu else self.batch_size
            self.batch_size = max(1, in_memory // 2)
            self._note(f"{place} ran out of memory; continuing with batches of {self.batch_size}.")
        elif on_gpu and self.max_resolution // 2 >= SMALLEST_RESOLUTION:
            self.max_resolution //= 2
            self._note(
                f"The GPU ran out of memory; looking for faces at {self.max_resolution} pixels from here on, "
                "so small faces may be missed. Close other programs or choose the CPU, and run the job again."
            )
        elif on_gpu:
            self._inference.move(torch.device("cpu"), torch.float32)
            # there is more memory now: no reason to keep missing small faces
            self.max_resolution, self.batch_size = self._full_resolution, self._inference.at_once
            self.device_line = "CPU, float32; the GPU ran out of memory"
            self._note("The GPU ran out of memory; continuing on the CPU, which is slower.")
        else:
            raise DetectionError(
                "This computer ran out of memory. Close other programs, or choose a faster performance mode."
            ) from cause

    def _note(self, text: str) -> None:
        log.warning(text)
        if text not in self.notes:  # two threads can meet the same
            self.notes.append(text)

    def _detect_batch(self, views: Sequence[View], checkpoint: Callable[[], None] | None) -> list[Detections]:
        for view in () if self._is_quick(views) else views:
            if view.scale is None:
                self._inference.expect(padded(self._size_of(view)))
        requests = self._inference.workers.map(self._request, views)
        found = self._inference.look(requests, checkpoint)
        return [
            self._merged(request, made, looks) for request, (made, looks) in zip(requests, found, strict=True)
        ]

    def _size_of(self, view: View) -> tuple[int, int]:
        """Width and height at which the network sees it, without padding."""
        height, width = view.picture.shape[:2]
        if view.scale is None:
            return network_size(width, height, self.max_resolution)
        return max(1, round(width * view.scale)), max(1, round(height * view.scale))

    def _request(self, view: View) -> Request:
        height, width = view.picture.shape[:2]
        size = self._size_of(view)
        seen = padded(size)
        plan = plan_passes if self._inference.asks_further else all_passes
        passes = plan(view.turns, seen, halves=self._judges_large_faces_at_half_size)
        layout = None
        if any(p.apart for p in passes):
            layout = Layout.of(find_seams(view.picture), (width, height), (seen[0] // 2, seen[1] // 2))
        return Request(view.picture, size, passes, layout, lambda faces: further_passes(faces, passes, seen))

    def _merged(self, request: Request, made: Sequence[Pass], looks: Sequence[Float32Array]) -> Detections:
        height, width = request.picture.shape[:2]
        (w, h), seen = request.size, padded(request.size)
        return merge(
            looks, made, seen, (width / w, height / h), (width, height), request.layout, self.nms_threshold
        )
