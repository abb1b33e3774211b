//! What of a match is fit to be shown as a keyword: whole words, without the punctuation around them.

/// The keyword at `start..end` of `text`, a normal form; `None` when it is only a piece of a word, or
/// has no letter or digit. With `telling` symbols alone are one too (`==`).
pub(super) fn of(text: &str, start: usize, end: usize, telling: bool) -> Option<&str> {
    let found = text.get(start..end)?.trim();
    if !found.chars().any(char::is_alphanumeric) {
        return (telling && !found.is_empty()).then_some(found);
    }
    // "i don'" of "i don't", and a single syllable out of a word of an unspaced script
    let before = text.get(..start)?.chars().next_back();
    let after = text.get(end..)?.chars().next();
    let cut = |edge: Option<char>, beyond: Option<char>| {
        edge == Some('\'') && beyond.is_some_and(char::is_alphabetic)
    };
    let mut chars = found.chars();
    let (first, last) = (chars.next(), found.chars().next_back());
    let syllable = chars.next().is_none() && [before, after].iter().flatten().any(|c| c.is_alphanumeric());
    (!cut(first, before) && !cut(last, after) && !syllable).then(|| found.trim_matches(around))
}

/// What stands around words; `c++`, `c#`, `.net` and `__init__` keep their signs.
const fn around(c: char) -> bool {
    matches!(
        c,
        ' ' | '\n' | '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | ':' | '!' | '?'
    )
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_keyword_is_whole_words_without_what_stands_around_them() {
        let text = "\"i don't get (c++ or .net), 재귀가 why == not x?";
        for (piece, telling, keyword) in [
            ("i don'", false, None),
            ("'t get", false, None),
            ("get (", false, Some("get")),
            ("(c++", false, Some("c++")),
            (".net),", false, Some(".net")),
            ("\"i", false, Some("i")),
            ("재", false, None),
            ("재귀", false, Some("재귀")),
            ("==", false, None),
            ("==", true, Some("==")),
            ("x?", false, Some("x")),
        ] {
            let start = text.find(piece).unwrap();
            assert_eq!(of(text, start, start + piece.len(), telling), keyword, "{piece}");
        }
    }
}
