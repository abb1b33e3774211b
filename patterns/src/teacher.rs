//! What the teacher said: probabilities of the labels for messages and their variants.
//!
//! The teacher is a language model that was shown our training split (`patterns/teacher`). Training
//! reads its judgements from a file and needs neither the model nor a network. A judgement is found
//! by the hash of its text, so those of messages that have changed since are simply not found.

use crate::corpus;
use crate::network::C;
use std::collections::HashMap;
use std::path::Path;

/// The teacher's judgements; empty where there is no file.
pub struct Teacher(HashMap<u64, [f32; C]>);

impl Teacher {
    /// Reads `scores.tsv` under `folder`: per line the hash of a text in hex, and a byte per label.
    ///
    /// # Errors
    /// Names the line that is not in form. Without the file training would make another model.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(folder.join("scores.tsv")).map_err(|e| format!("scores.tsv: {e}"))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        lines
            .map(|(n, line)| parse(line).ok_or_else(|| format!("scores.tsv:{}: not a judgement", n + 1)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The probabilities the teacher gives the labels of `text`.
    #[must_use]
    pub fn judge(&self, text: &str) -> Option<[f32; C]> {
        self.0.get(&corpus::hash(text)).copied()
    }
}

fn parse(line: &str) -> Option<(u64, [f32; C])> {
    let (hash, bytes) = line.split_once('\t')?;
    let mut shares = [0.0; C];
    for (share, byte) in shares.iter_mut().zip(0..) {
        *share = f32::from(u8::from_str_radix(bytes.get(byte * 2..byte * 2 + 2)?, 16).ok()?);
    }
    let sum: f32 = shares.iter().sum();
    (sum > 0.0).then_some(())?;
    Some((u64::from_str_radix(hash, 16).ok()?, shares.map(|share| share / sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judgement_is_found_by_its_text_and_sums_to_one() {
        let line = format!("{:016x}\tff00000001", corpus::hash("why?"));
        let teacher = Teacher(HashMap::from([parse(&line).unwrap()]));
        let judged = teacher.judge("why?").unwrap();
        assert!((judged.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(judged[0] > 0.99);
        assert_eq!(teacher.judge("how?"), None);
        for bad in ["", "x\tff00000000", "00\tff0000", "00\t0000000000"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
