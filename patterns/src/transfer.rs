//! The transfer set: messages nobody wrote, made of the corpus's own, for the teacher to judge.
//!
//! A teacher that has read much more than our corpus still knows what a message asks when a part
//! of it is gone or comes from elsewhere; from its judgements a small model learns which words carry
//! a meaning and which only stood beside it (Tang et al. 2019, "Distilling Task-Specific Knowledge
//! from BERT into Simple Neural Networks"). The variants of a message are drawn from a generator
//! that its own text seeds.

use crate::corpus::{self, Message};
use crate::random::Random;
use crate::thesaurus::Thesaurus;
use std::collections::{BTreeMap, HashSet};

/// Share of the words that come from another message, in a swapped variant.
const SWAPPED: f32 = 0.2;
/// How often a message is put into other words.
const REWORDINGS: usize = 2;

/// A message with what was made of it.
#[derive(Clone)]
pub struct Varied<'a> {
    /// The message.
    pub message: &'a Message,
    /// A part of it, all of it with some words of another message in it, and all of it in other words;
    /// none twice in the set.
    pub variants: Vec<String>,
}

/// All `messages` with their variants; what is `held_out` is no variant of any.
#[must_use]
pub fn vary<'a>(messages: &'a [Message], held_out: &[Message], thesaurus: &Thesaurus) -> Vec<Varied<'a>> {
    let partners: BTreeMap<u64, &Message> = messages.iter().map(|m| (corpus::hash(&m.text), m)).collect();
    let mut seen: HashSet<u64> = held_out.iter().map(|m| corpus::hash(&m.text)).collect();
    let mut vary = |message: &'a Message| {
        let mut random = Random(corpus::hash(&message.text).rotate_left(16));
        let reworded = (0..REWORDINGS).filter_map(|_| thesaurus.reword(&message.text, &mut random));
        let mut variants: Vec<String> = variants(message, &partners).into_iter().chain(reworded).collect();
        variants.retain(|text| text.chars().any(char::is_alphanumeric) && seen.insert(corpus::hash(text)));
        Varied { message, variants }
    };
    messages.iter().map(&mut vary).collect()
}

/// The other message is the next on a ring of hashes, so a new message changes few variants of others.
fn variants(message: &Message, partners: &BTreeMap<u64, &Message>) -> Vec<String> {
    let hash = corpus::hash(&message.text);
    let mut random = Random(hash);
    let after = partners.range(hash.rotate_left(32)..).chain(partners).next();
    let words: Vec<&str> = message.text.split_inclusive(char::is_whitespace).collect();
    let others: Vec<&str> =
        after.map_or(message, |(_, m)| m).text.split_inclusive(char::is_whitespace).collect();
    let made = [crop(&words, &mut random), swap(&words, &others, &mut random)];
    made.map(|variant| variant.concat().trim().to_owned()).into()
}

/// A run of between a third and all of the words.
fn crop<'a>(words: &[&'a str], random: &mut Random) -> Vec<&'a str> {
    let shortest = words.len().div_ceil(3);
    let length = shortest + random.below(words.len() - shortest + 1);
    let start = random.below(words.len() - length + 1);
    words[start..start + length].to_vec()
}

fn swap<'a>(words: &[&'a str], others: &[&'a str], random: &mut Random) -> Vec<&'a str> {
    let mut pick = |word: &&'a str| {
        if random.unit() < SWAPPED { others[random.below(others.len())] } else { *word }
    };
    words.iter().map(&mut pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_made_of_the_corpus_and_always_the_same() {
        let message = |text: &str| Message {
            text: text.to_owned(),
            label: "none".to_owned(),
            lang: None,
            source: None,
        };
        let corpus = [message("one two three four five six"), message("?"), message("a b c d")];
        let variants = |held_out: &[Message]| -> Vec<String> {
            let varied = vary(&corpus, held_out, &Thesaurus::default());
            varied.into_iter().flat_map(|varied| varied.variants).collect()
        };
        let made = variants(&[]);
        assert_eq!(made, variants(&[]));
        let without = variants(&[message(&made[0])]);
        assert_eq!(without, made[1..], "a text of the test split is nobody's variant");
        for variant in &made {
            let known = |word: &str| corpus.iter().any(|m| m.text.split(' ').any(|w| w == word));
            assert!(variant.split_whitespace().all(known), "{variant}");
        }
    }
}
