//! The labels a message can get.

use serde::{Deserialize, Serialize};

/// What a student wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Something concrete in code to work, or its exact form.
    SyntaxHelp,
    /// To understand.
    ConceptExplanation,
    /// Something to practise on.
    ExerciseRequest,
    /// To know where they stand.
    ProgressCheck,
    /// None of these, or it cannot be told.
    None,
}

impl Intent {
    /// All labels, in the order of their numbers in the tables.
    pub const ALL: [Self; 5] =
        [Self::SyntaxHelp, Self::ConceptExplanation, Self::ExerciseRequest, Self::ProgressCheck, Self::None];

    /// The name used on the wire and in pattern files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SyntaxHelp => "syntax_help",
            Self::ConceptExplanation => "concept_explanation",
            Self::ExerciseRequest => "exercise_request",
            Self::ProgressCheck => "progress_check",
            Self::None => "none",
        }
    }

    /// The label of that name.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "an unknown name is no error here")]
    pub fn from_str(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }

    /// The label of that number in the tables; unknown numbers mean none.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::SyntaxHelp,
            1 => Self::ConceptExplanation,
            2 => Self::ExerciseRequest,
            3 => Self::ProgressCheck,
            _ => Self::None,
        }
    }

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
