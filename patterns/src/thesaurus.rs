//! Words that can stand for each other, as the teacher's vocabulary has them side by side.
//!
//! A corpus says most things in few words; students say them in others. Rewording messages with
//! neighbouring words, for the teacher to judge, shows the small model words that nobody wrote in
//! the corpus ("data augmentation", Jiao et al. 2020, "TinyBERT").

use crate::random::Random;
use std::collections::HashMap;
use std::path::Path;

/// Share of the words that have neighbours to be replaced.
const REPLACED: f32 = 0.35;

/// Neighbours by word, in lower case; empty where there is no file.
#[derive(Default)]
pub struct Thesaurus(HashMap<String, Vec<String>>);

impl Thesaurus {
    /// Reads `neighbours.tsv` under `folder`: a word, a tab, and its neighbours with blanks between.
    ///
    /// # Errors
    /// Names the line that is not in form.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(folder.join("neighbours.tsv"))
            .map_err(|e| format!("neighbours.tsv: {e}"))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        let entry = |(n, line): (usize, &str)| {
            let (word, others) =
                line.split_once('\t').ok_or_else(|| format!("neighbours.tsv:{}: not in form", n + 1))?;
            Ok((word.to_owned(), others.split(' ').map(str::to_owned).collect()))
        };
        lines.map(entry).collect::<Result<_, _>>().map(Self)
    }

    /// `text` with some of its words replaced by neighbours; `None` if none was.
    pub fn reword(&self, text: &str, random: &mut Random) -> Option<String> {
        let mut out = String::with_capacity(text.len() + 16);
        let mut replaced = false;
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (head, tail) = if word > 0 {
                rest.split_at(word)
            } else {
                rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len()))
            };
            match self.0.get(&head.to_ascii_lowercase()) {
                Some(others) if random.unit() < REPLACED => {
                    out.push_str(&others[random.below(others.len())]);
                    replaced = true;
                }
                _ => out.push_str(head),
            }
            rest = tail;
        }
        replaced.then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_with_neighbours_change_and_everything_else_stays() {
        let thesaurus = Thesaurus(HashMap::from([("show".to_owned(), vec!["display".to_owned()])]));
        let mut random = Random(1);
        let texts: Vec<Option<String>> =
            (0..20).map(|_| thesaurus.reword("Show x_1, don't «show» é", &mut random)).collect();
        assert!(texts.iter().any(Option::is_none));
        assert!(texts.contains(&Some("display x_1, don't «display» é".to_owned())));
    }
}
