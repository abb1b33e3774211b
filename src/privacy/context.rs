//! What the words before a number say it is.
//!
//! `5551234567` is nothing by itself, and a phone number after "call me at". A word counts for
//! what stands close behind it: on the same line, in the same sentence, within [`REACH`] bytes.

use std::borrow::Cow;

use super::checksum::all_same;

/// Bytes between a word and the number it announces: "phone number of my study group is".
const REACH: usize = 32;
/// Longer words announce nothing.
const MAX_WORD: usize = 32;

/// National identifiers that need to be named when they come without their punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Aadhaar,
    Cpf,
    German,
    Korean,
    Portuguese,
    Social,
    Spanish,
    Pakistani,
}

/// How sure a word makes a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Announced {
    /// "my number": could be any number, so it takes nine digits.
    Weakly,
    /// "phone", "call me": seven digits will do.
    Strongly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A phone number follows.
    Phone,
    /// A phone number follows if a pronoun or preposition does: "call me", "text us".
    Verb,
    /// Somebody's, so that "number" after it is a phone number.
    Possessive,
    /// What a verb needs behind it.
    Object,
    /// A number of any kind.
    Number,
    /// A way to reach somebody or a cell of a table: as [`Self::Number`], and before "me" or a
    /// colon it could be a phone number too.
    Contact,
    /// Begins "social security".
    Social,
    Security,
    Id(Id),
}

use Meaning::{Contact, Number, Object, Phone, Possessive, Verb};

/// Sorted, in lower case. A new word is one that people write before their own numbers.
const WORDS: [(&str, Meaning); 99] = [
    ("aadhaar", Meaning::Id(Id::Aadhaar)),
    ("aadhar", Meaning::Id(Id::Aadhaar)),
    ("adhaar", Meaning::Id(Id::Aadhaar)),
    ("appelle", Phone),
    ("at", Object),
    ("call", Verb),
    ("cell", Contact),
    ("cellphone", Phone),
    ("celular", Phone),
    ("celular_numero", Phone),
    ("cnic", Meaning::Id(Id::Pakistani)),
    ("contact", Contact),
    ("contact_number", Phone),
    ("contacto", Contact),
    ("contato", Contact),
    ("contribuente", Meaning::Id(Id::Portuguese)),
    ("contribuinte", Meaning::Id(Id::Portuguese)),
    ("cpf", Meaning::Id(Id::Cpf)),
    ("dial", Verb),
    ("dni", Meaning::Id(Id::Spanish)),
    ("fax", Phone),
    ("fone", Phone),
    ("handy", Phone),
    ("handynummer", Phone),
    ("her", Object),
    ("him", Object),
    ("his", Possessive),
    ("hotline", Phone),
    ("idnr", Meaning::Id(Id::German)),
    ("kontakt", Contact),
    ("llamame", Phone),
    ("llámame", Phone),
    ("me", Object),
    ("meine", Possessive),
    ("meiner", Possessive),
    ("mera", Possessive),
    ("message", Verb),
    ("meu", Possessive),
    ("mi", Possessive),
    ("mich", Object),
    ("mob", Phone),
    ("mobil", Phone),
    ("mobile", Phone),
    ("mobile_number", Phone),
    ("mobilenumber", Phone),
    ("mobilnummer", Phone),
    ("mon", Possessive),
    ("movil", Phone),
    ("msg", Verb),
    ("my", Possessive),
    ("móvil", Phone),
    ("nie", Meaning::Id(Id::Spanish)),
    ("nif", Meaning::Id(Id::Portuguese)),
    ("no", Number),
    ("nr", Number),
    ("number", Number),
    ("numero", Number),
    ("nummer", Number),
    ("numéro", Number),
    ("número", Number),
    ("on", Object),
    ("our", Possessive),
    ("phone", Phone),
    ("phone_no", Phone),
    ("phone_number", Phone),
    ("phonenumber", Phone),
    ("phones", Phone),
    ("portable", Phone),
    ("reach", Verb),
    ("ring", Verb),
    ("rrn", Meaning::Id(Id::Korean)),
    ("ruf", Verb),
    ("rufnummer", Phone),
    ("security", Meaning::Security),
    ("sms", Phone),
    ("social", Meaning::Social),
    ("ssn", Meaning::Id(Id::Social)),
    ("steuer", Meaning::Id(Id::German)),
    ("steuerid", Meaning::Id(Id::German)),
    ("steueridentifikationsnummer", Meaning::Id(Id::German)),
    ("steuernummer", Meaning::Id(Id::German)),
    ("tel", Phone),
    ("telefon", Phone),
    ("telefone", Phone),
    ("telefonnummer", Phone),
    ("telefono", Phone),
    ("telemovel", Phone),
    ("telemóvel", Phone),
    ("telephone", Phone),
    ("teléfono", Phone),
    ("text", Verb),
    ("them", Object),
    ("tlf", Phone),
    ("téléphone", Phone),
    ("uidai", Meaning::Id(Id::Aadhaar)),
    ("us", Object),
    ("viber", Phone),
    ("wa", Phone),
    ("whatsapp", Phone),
];

/// Scripts in which other words or endings are written onto the word: what it contains decides.
const STEMS: [(&str, Meaning); 15] = [
    ("전화", Phone),
    ("핸드폰", Phone),
    ("휴대폰", Phone),
    ("휴대전화", Phone),
    ("연락처", Phone),
    ("주민", Meaning::Id(Id::Korean)),
    ("电话", Phone),
    ("電話", Phone),
    ("手机", Phone),
    ("手機", Phone),
    ("携帯", Phone),
    ("फोन", Phone),
    ("मोबाइल", Phone),
    ("आधार", Meaning::Id(Id::Aadhaar)),
    ("телефон", Phone),
];

/// What has been announced so far, by the end of the word that did it.
#[derive(Debug, Default)]
pub(super) struct Context {
    phone: Option<(usize, Announced)>,
    id: Option<(usize, Id)>,
    previous: Option<Meaning>,
    /// Where the last word ended, whatever it meant.
    last_end: usize,
}

impl Context {
    /// Takes note of a word that ends at `end`.
    pub(super) fn word(&mut self, word: &str, end: usize) {
        // "no" is "number" behind a few words and a word of its own behind all others.
        let follows = matches!(self.previous, Some(Phone | Contact | Possessive));
        let meaning = meaning(word).filter(|meaning| *meaning != Number || word.len() > 2 || follows);
        match (self.previous, meaning) {
            (_, Some(Phone)) | (Some(Verb), Some(Object)) => self.phone = Some((end, Announced::Strongly)),
            // "mobile no.", an abbreviation that ends no sentence.
            (Some(Phone), Some(Number)) if word.len() == 2 => self.phone = Some((end, Announced::Strongly)),
            (Some(Possessive | Number | Contact), Some(Number | Contact)) | (Some(Contact), Some(Object)) => {
                self.announce_weakly(end);
            }
            (Some(Meaning::Social), Some(Meaning::Security)) => self.id = Some((end, Id::Social)),
            (_, Some(Meaning::Id(id))) => self.id = Some((end, id)),
            _ => {}
        }
        self.previous = meaning;
        self.last_end = end;
    }

    /// A colon at `at`. What comes behind it does not go on with the words before it ("message: at
    /// index"), but a number there may be what they name: "cell: 5551234567".
    pub(super) fn colon(&mut self, at: usize, before_number: bool) {
        if before_number && self.previous == Some(Contact) && self.last_end == at {
            self.announce_weakly(at);
        }
        self.previous = None;
    }

    fn announce_weakly(&mut self, end: usize) {
        // "phone number": the stronger word still holds.
        if self.phone.is_none_or(|(_, how)| how != Announced::Strongly) {
            self.phone = Some((end, Announced::Weakly));
        }
    }

    /// A sentence or line ends at `at`; an abbreviation such as "Tel." does not end one.
    pub(super) fn sentence_ends(&mut self, at: usize, line: bool) {
        let abbreviation =
            self.phone.is_some_and(|(end, _)| end == at) || self.id.is_some_and(|(end, _)| end == at);
        if line || !abbreviation {
            *self = Self { last_end: self.last_end, ..Self::default() };
        }
    }

    /// Whether a phone number at `start` has been announced.
    pub(super) fn phone(&self, start: usize) -> Option<Announced> {
        self.phone.filter(|(end, _)| near(*end, start)).map(|(_, how)| how)
    }

    /// Which national identifier has been announced for `start`.
    pub(super) fn id(&self, start: usize) -> Option<Id> {
        self.id.filter(|(end, _)| near(*end, start)).map(|(_, id)| id)
    }
}

const fn near(end: usize, start: usize) -> bool {
    end <= start && start.saturating_sub(end) <= REACH
}

fn meaning(word: &str) -> Option<Meaning> {
    if !word.starts_with(|c: char| c.is_ascii()) {
        let lower = end_of(word).to_lowercase();
        return STEMS.iter().find(|(stem, _)| lower.contains(stem)).map(|(_, meaning)| *meaning);
    }
    if word.len() > MAX_WORD {
        return None;
    }
    let is_lower = word.bytes().all(|b| b.is_ascii_lowercase());
    let lower = if is_lower { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) };
    let index = WORDS.binary_search_by(|(known, _)| known.as_bytes().cmp(lower.as_bytes())).ok()?;
    WORDS.get(index).map(|(_, meaning)| *meaning)
}

/// What of a long word is near enough to its end: a clause may be one word ("你好我的手机号码是").
fn end_of(word: &str) -> &str {
    let near = word.len().saturating_sub(REACH);
    let start = word.char_indices().map(|(at, _)| at).find(|at| *at >= near);
    word.get(start.unwrap_or_default()..).unwrap_or_default()
}

/// Whether `digits` could be a number that somebody was given, rather than a round or empty one.
pub(super) fn is_individual(digits: &[u8]) -> bool {
    let zeros = digits.iter().rev().take_while(|digit| **digit == 0).count();
    zeros < 5 && !all_same(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_lower_case_and_said_once() {
        assert!(WORDS.windows(2).all(|pair| pair[0].0.as_bytes() < pair[1].0.as_bytes()), "unsorted");
        for (word, _) in WORDS {
            assert_eq!(word, word.to_ascii_lowercase());
            assert!(word.len() <= MAX_WORD);
            assert!(meaning(&word.to_ascii_uppercase()).is_some() || !word.is_ascii(), "{word}");
        }
    }

    fn after(words: &str) -> Context {
        let mut context = Context::default();
        let mut at = 0;
        for word in words.split(' ') {
            context.word(word, at + word.len());
            at += word.len() + 1;
        }
        context
    }

    #[test]
    fn words_announce_what_follows_them_closely() {
        for (words, announced) in [
            ("my phone is", Some(Announced::Strongly)),
            ("please call me", Some(Announced::Strongly)),
            ("Text US at", Some(Announced::Strongly)),
            ("my number is", Some(Announced::Weakly)),
            ("contact number", Some(Announced::Weakly)),
            ("phone number is", Some(Announced::Strongly)),
            ("전화번호는", Some(Announced::Strongly)),
            ("Teléfono", Some(Announced::Strongly)),
            ("the number is", None),
            ("I call sum", None),
            ("the text file at", None),
        ] {
            assert_eq!(after(words).phone(words.len() + 1), announced, "{words}");
        }
        assert_eq!(after("phone").phone(5 + REACH), Some(Announced::Strongly));
        assert_eq!(after("phone").phone(5 + REACH + 1), None);
        assert_eq!(after("phone").phone(3), None, "the number stands before the word");
    }

    #[test]
    fn identifiers_are_announced_by_name() {
        assert_eq!(after("my social security number").id(26), Some(Id::Social));
        assert_eq!(after("DNI").id(4), Some(Id::Spanish));
        assert_eq!(after("social network").id(15), None);
        assert_eq!(after(&"x".repeat(100)).id(101), None);
    }

    #[test]
    fn a_sentence_ends_an_announcement_and_an_abbreviation_does_not() {
        let mut context = after("my phone");
        context.sentence_ends(8, false);
        assert!(context.phone(10).is_some(), "Tel. 123");
        context.sentence_ends(9, false);
        assert!(context.phone(10).is_none());
        let mut context = after("my phone");
        context.sentence_ends(8, true);
        assert!(context.phone(10).is_none());
    }
}
