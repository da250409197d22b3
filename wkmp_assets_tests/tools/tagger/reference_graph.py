"""Write what the released graph of MusiCNN says about made-up inputs, for the test of our network.

Needs TensorFlow, in an environment of its own, and the folder `MSD_musicnn` of the unpacked package:

    python wkmp_assets_tests/tools/tagger/reference_graph.py MSD_musicnn/ reference_tags.json
"""

import json
import sys
from pathlib import Path

import tensorflow as tf
from patches import made_up_patches
from tensorflow.core.protobuf import meta_graph_pb2

v1 = tf.compat.v1


def main(folder: str, target: str) -> None:
    """Restore the graph without its training half, which new versions of TensorFlow refuse, and run it."""
    v1.disable_eager_execution()
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString((Path(folder) / ".meta").read_bytes())
    (output,) = [node.name for node in meta.graph_def.node if node.op == "Sigmoid"]
    inputs = [node.name for node in meta.graph_def.node if node.op == "Placeholder"]
    graph = v1.graph_util.extract_sub_graph(meta.graph_def, [output, meta.saver_def.restore_op_name, *inputs])
    for node in graph.node:
        node.attr.pop("_output_shapes", None)
    v1.import_graph_def(graph, name="")
    tensors = [v1.get_default_graph().get_tensor_by_name(f"{name}:0") for name in inputs]
    patches = next(tensor for tensor in tensors if tensor.shape.rank == 3)
    is_training = next(tensor for tensor in tensors if tensor.dtype == tf.bool)
    with v1.Session() as session:
        session.run(meta.saver_def.restore_op_name, {meta.saver_def.filename_tensor_name: folder})
        tags = session.run(f"{output}:0", {patches: made_up_patches(), is_training: False})
    text = json.dumps([[round(float(value), 8) for value in row] for row in tags])
    Path(target).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
