//! What an injection says, a file for each language. Data only; `prompt` compares.
//!
//! Words are in lower case; `*` stands for any ending; several words are a sequence. A new phrase
//! needs an attack in `tests/fixtures/threats.json`, and the honest messages there must still pass.

mod english;
mod french;
mod german;
mod hindi;
mod korean;
mod portuguese;
mod spanish;

/// A verb, what it is about, and which one.
#[derive(Debug)]
pub(super) struct Rule {
    /// Whether the first words must begin a clause, as an order does.
    pub(super) imperative: bool,
    /// One of these begins the rule.
    pub(super) first: &'static [&'static str],
    /// One of these follows within `reach` words (nothing, if empty).
    pub(super) then: &'static [&'static str],
    pub(super) reach: usize,
    /// One of these stands there too (unless empty), up to `before` words ahead of the first and
    /// `behind` words after the last.
    pub(super) with: &'static [&'static str],
    pub(super) before: usize,
    pub(super) behind: usize,
    /// None of these stands in the same words.
    pub(super) without: &'static [&'static str],
    /// None of these stands between the first words and what they are about.
    pub(super) between: &'static [&'static str],
}

const ORDER: Rule = Rule {
    imperative: true,
    first: &[],
    then: &[],
    reach: 7,
    with: &[],
    before: 0,
    behind: 3,
    without: &[],
    between: &[],
};

/// Things of a course that have instructions and rules of their own.
const COURSEWORK: &[&str] = &[
    "pdf",
    "assignment",
    "homework",
    "task",
    "exercise",
    "readme",
    "sheet",
    "worksheet",
    "teacher",
    "lab",
    "gitignore",
    "linter",
    "compiler",
    "line",
    "lines",
];

/// All rules, by language.
pub(super) const RULES: [&[Rule]; 7] = [
    &english::RULES,
    &spanish::RULES,
    &german::RULES,
    &french::RULES,
    &portuguese::RULES,
    &korean::RULES,
    &hindi::RULES,
];

/// Which words can begin a rule: a set of 1024 hashes of their first three bytes, made when this is
/// compiled. Most words of a message are in no rule and need not be compared with all of them.
const BEGINNINGS: [u128; 8] = beginnings();

const fn beginnings() -> [u128; 8] {
    let mut set = [0_u128; 8];
    let mut languages: &[&[Rule]] = &RULES;
    while let [rules, others @ ..] = languages {
        let mut rules: &[Rule] = rules;
        while let [rule, more @ ..] = rules {
            let mut phrases = rule.first;
            while let [phrase, rest @ ..] = phrases {
                let (slot, bit) = place(phrase.as_bytes());
                if let Some((_, [word, ..])) = set.split_at_mut_checked(slot) {
                    *word |= bit;
                }
                phrases = rest;
            }
            rules = more;
        }
        languages = others;
    }
    set
}

/// Where in the set a word or phrase with these bytes belongs.
const fn place(word: &[u8]) -> (usize, u128) {
    let (a, b, c) = match word {
        [a, b' ' | b'*', ..] | [a] => (*a, 0, 0),
        [a, b, b' ' | b'*', ..] | [a, b] => (*a, *b, 0),
        [a, b, c, ..] => (*a, *b, *c),
        [] => (0, 0, 0),
    };
    let hash = (a as u32).wrapping_mul(31).wrapping_add(b as u32).wrapping_mul(31).wrapping_add(c as u32);
    let hash = hash.wrapping_mul(0x9E37_79B1) >> 22;
    ((hash >> 7) as usize, 1_u128 << (hash & 127))
}

/// Whether a rule may begin with `word`.
pub(super) fn may_begin(word: &str) -> bool {
    let (slot, bit) = place(word.as_bytes());
    BEGINNINGS.get(slot).is_some_and(|word| word & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_begin_and_most_words_cannot() {
        for rule in RULES.iter().flat_map(|rules| rules.iter()) {
            for phrase in rule.first {
                let word = phrase.split(' ').next().unwrap();
                assert!(may_begin(word.trim_end_matches('*')), "{phrase}");
                assert!(may_begin(&word.replace('*', "endung")), "{phrase}");
            }
        }
        let set: u32 = BEGINNINGS.iter().map(|word| word.count_ones()).sum();
        assert!(set < 300, "{set} of 1024");
    }
}
