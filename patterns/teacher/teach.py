"""Asks a language model what it makes of the training split; writes scores.tsv beside this file.

The model (README.md) is fine-tuned on the labels of the training split, then judges the transfer set:
these messages and their variants, which it reads from standard input, a JSON string a line.
"""

import json
import random
import sys
from pathlib import Path

import language_model
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

HERE = Path(__file__).parent
LABELS = ["syntax_help", "concept_explanation", "exercise_request", "progress_check", "none"]
EPOCHS, BATCH, SEED = 3, 32, 1
RATES = {"body": 6e-5, "head": 1e-3}
WARM_UP = 0.06
SMOOTHING = 0.05
# Of a long message, the tokens at its start and at its end: there the question stands.
START, END = 50, 60
# Half the digits, two to three times the speed, where the processor can.
BFLOAT16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()


def fnv(text):
    """The hash by which `triage_patterns::corpus` splits the corpus."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def is_test(text):
    return fnv(text) % 20 == 0


class Teacher(torch.nn.Module):
    """The language model with one layer over the mean of its tokens and over its first."""

    def __init__(self):
        super().__init__()
        self.body = language_model.load()
        self.drop = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(2 * self.body.config.hidden_size, len(LABELS))

    def forward(self, ids, mask):
        with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
            states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        states, weight = states.float(), mask.unsqueeze(-1).float()
        mean = (states * weight).sum(1) / weight.sum(1)
        return self.head(self.drop(torch.cat([mean, states[:, 0]], 1)))


def encoder():
    tokenizer = language_model.tokenizer()

    def encode(text):
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if len(ids) > START + END:
            ids = ids[:START] + ids[-END:]
        return [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]

    return encode


def padded(rows):
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return ids, mask


def batches_alike(rows):
    """Batches in a new order, each of rows of about one length, so that little is padding."""
    order = list(range(len(rows)))
    random.shuffle(order)
    batches = []
    for start in range(0, len(order), BATCH * 20):
        chunk = sorted(order[start : start + BATCH * 20], key=lambda i: len(rows[i]))
        batches += [chunk[i : i + BATCH] for i in range(0, len(chunk), BATCH)]
    random.shuffle(batches)
    return batches


def fine_tune(teacher, rows, labels):
    groups = [{"params": getattr(teacher, part).parameters(), "lr": rate} for part, rate in RATES.items()]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    total = EPOCHS * ((len(rows) + BATCH - 1) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / (WARM_UP * total)) * (1 - step / total)
    )
    teacher.train()
    with tqdm(total=total, desc="fine-tune") as progress:
        for _ in range(EPOCHS):
            for batch in batches_alike(rows):
                out = teacher(*padded([rows[i] for i in batch]))
                target = torch.tensor([labels[i] for i in batch])
                loss = cross_entropy(out, target, label_smoothing=SMOOTHING)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                progress.update()


@torch.inference_mode()
def judge(teacher, rows, what):
    """The probabilities of the labels for each of `rows`."""
    teacher.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    judged = [None] * len(rows)
    for start in tqdm(range(0, len(order), 128), desc=what):
        batch = order[start : start + 128]
        for i, shares in zip(batch, teacher(*padded([rows[i] for i in batch])).softmax(1).tolist()):
            judged[i] = shares
    return judged


def main():
    transfer = [json.loads(line) for line in sys.stdin]
    corpus = [json.loads(line) for file in sorted(HERE.glob("../corpus/*.jsonl")) for line in file.open()]
    training = [row for row in corpus if not is_test(row["text"])]
    held_out = [row for row in corpus if is_test(row["text"])]
    torch.manual_seed(SEED)
    random.seed(SEED)
    encode = encoder()
    teacher = Teacher()
    fine_tune(
        teacher, [encode(row["text"]) for row in training], [LABELS.index(row["label"]) for row in training]
    )
    right = sum(
        LABELS[max(range(len(LABELS)), key=shares.__getitem__)] == row["label"]
        for row, shares in zip(held_out, judge(teacher, [encode(row["text"]) for row in held_out], "test"))
    )
    print(f"the teacher is right on {right} of the {len(held_out)} messages of the test split", file=sys.stderr)
    judged = judge(teacher, [encode(text) for text in transfer], "judge")
    lines = {
        f"{fnv(text):016x}\t" + "".join(f"{round(share * 255):02x}" for share in shares)
        for text, shares in zip(transfer, judged)
    }
    with (HERE / "scores.tsv").open("w") as file:
        file.write("# hash of the text, then a byte (share * 255) per label: " + " ".join(LABELS) + "\n")
        file.writelines(line + "\n" for line in sorted(lines))


if __name__ == "__main__":
    main()
