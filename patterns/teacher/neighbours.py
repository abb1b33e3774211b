"""Writes neighbours.tsv beside this file: which words the language model has side by side.

For each word of the training split that the model knows as a whole, the words whose input vectors lie closest.
Training rewords messages with them (`patterns/src/thesaurus.rs`).
"""

import json
import re
from collections import Counter
from pathlib import Path

from language_model import load, tokenizer
from teach import is_test

HERE = Path(__file__).parent
# Words of fewer messages are left as they are.
MESSAGES = 3
CLOSEST, LEAST_COSINE = 6, 0.4


def corpus_words():
    counts = Counter()
    for file in HERE.glob("../corpus/*.jsonl"):
        for line in file.open():
            text = json.loads(line)["text"]
            if not is_test(text):
                counts.update(set(re.findall(r"[a-z]+", text.lower())))
    return {word for word, count in counts.items() if count >= MESSAGES}


def main():
    numbers = {word: n for word, n in tokenizer().get_vocab().items() if re.fullmatch(r"[a-z]{2,}", word)}
    words = list(numbers)
    vectors = load().embeddings.word_embeddings.weight.detach()[list(numbers.values())]
    vectors = vectors - vectors.mean(0)
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    wanted = sorted(corpus_words() & numbers.keys())
    place = {word: at for at, word in enumerate(words)}
    cosines, closest = (vectors[[place[word] for word in wanted]] @ vectors.T).topk(CLOSEST + 1)
    with (HERE / "neighbours.tsv").open("w") as file:
        for word, row, others in zip(wanted, cosines.tolist(), closest.tolist()):
            near = [words[at] for cosine, at in zip(row, others) if cosine >= LEAST_COSINE and words[at] != word]
            if near:
                file.write(f"{word}\t{' '.join(near)}\n")


if __name__ == "__main__":
    main()
