//! A position in a text from which one reads on, step by step; `None` as soon as something else
//! stands there than was asked for.

/// A position in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// Bytes from the start of the text.
    pub(super) const fn at(self) -> usize {
        self.at
    }

    /// What is left to read.
    pub(super) fn rest(self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// At most `max` bytes of what is left.
    pub(super) fn window(self, max: usize) -> &'a str {
        let rest = self.rest();
        let end = (0..=max.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or_default();
        rest.get(..end).unwrap_or_default()
    }

    fn forward(self, bytes: usize) -> Self {
        Self { at: self.at.saturating_add(bytes), ..self }
    }

    /// Over all characters that `skip` accepts.
    pub(super) fn over(self, skip: impl Fn(char) -> bool) -> Self {
        let rest = self.rest();
        self.forward(rest.len().saturating_sub(rest.trim_start_matches(skip).len()))
    }

    /// Over at most eight characters that `skip` accepts.
    pub(super) fn few(self, skip: impl Fn(char) -> bool) -> Self {
        let skipped = self.rest().chars().take(8).take_while(|c| skip(*c)).map(char::len_utf8).sum();
        self.forward(skipped)
    }

    /// Over white space.
    pub(super) fn spaces(self) -> Self {
        self.over(char::is_whitespace)
    }

    /// Over exactly this text.
    pub(super) fn eat(self, text: &str) -> Option<Self> {
        self.rest().starts_with(text).then(|| self.forward(text.len()))
    }

    /// Over this word: no letter, digit or underscore follows it.
    pub(super) fn word(self, word: &str) -> Option<Self> {
        self.eat(word).filter(|after| !after.rest().starts_with(is_word))
    }

    /// Over one of these words.
    pub(super) fn any_word(self, words: &[&str]) -> Option<Self> {
        words.iter().find_map(|word| self.word(word))
    }

    /// Over words with white space between and before them: "drop table".
    pub(super) fn phrase(self, phrase: &str) -> Option<Self> {
        phrase.split(' ').try_fold(self, |cursor, word| cursor.spaces().word(word))
    }

    /// Over one of these phrases.
    pub(super) fn any_phrase(self, phrases: &[&str]) -> Option<Self> {
        phrases.iter().find_map(|phrase| self.phrase(phrase))
    }

    /// Over a number, which is returned as text too.
    pub(super) fn number(self) -> Option<(&'a str, Self)> {
        self.run(|c| c.is_ascii_digit())
    }

    /// Over a name, which is returned too.
    pub(super) fn name(self) -> Option<(&'a str, Self)> {
        self.run(is_word)
    }

    fn run(self, belongs: impl Fn(char) -> bool) -> Option<(&'a str, Self)> {
        let after = self.over(belongs);
        let found = self.text.get(self.at..after.at)?;
        (!found.is_empty()).then_some((found, after))
    }
}

/// At most `max` bytes of `text` before `at`.
pub(super) fn tail(text: &str, at: usize, max: usize) -> &str {
    let start = (at.saturating_sub(max)..=at).find(|start| text.is_char_boundary(*start)).unwrap_or(at);
    text.get(start..at).unwrap_or_default()
}

pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Every position where `needle` begins in `text`.
pub(super) fn each<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(needle).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_on_only_over_what_was_asked_for() {
        let start = Cursor::new("drop  table users1; 42", 0);
        let table = start.phrase("drop table").unwrap();
        assert_eq!(table.rest(), " users1; 42");
        assert!(table.spaces().word("users").is_none(), "a longer word is another one");
        let (name, after) = table.spaces().name().unwrap();
        assert_eq!((name, after.rest()), ("users1", "; 42"));
        assert_eq!(after.eat(";").unwrap().spaces().number().unwrap().0, "42");
        assert!(start.any_phrase(&["drop index", "alter table"]).is_none());
        assert!(Cursor::new("é", 1).rest().is_empty(), "inside a character there is nothing");
        assert_eq!(Cursor::new("aé", 0).window(2), "a");
        assert_eq!((tail("aéb", 4, 2), tail("abc", 2, 9)), ("b", "ab"));
        assert_eq!(each("abcabc", "bc").collect::<Vec<_>>(), [1, 4]);
    }
}
