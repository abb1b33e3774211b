//! What can be found, and what stands in its place.

/// A kind of personal data or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Email,
    Phone,
    Token,
    Key,
    Card,
    NationalId,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Email, Self::Phone, Self::Token, Self::Key, Self::Card, Self::NationalId];

    /// What replaces the text. None of these is found again.
    pub(super) const fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::Token => "[token]",
            Self::Key => "[key]",
            Self::Card => "[card]",
            Self::NationalId => "[national_id]",
        }
    }
}

/// Something to replace: the bytes from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

impl Finding {
    pub(super) const fn new(start: usize, end: usize, kind: Kind) -> Self {
        Self { start, end, kind }
    }
}
