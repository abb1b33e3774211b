//! triage-patterns: trains, measures and explains the classifier.

pub mod bench;
pub mod calibrate;
pub mod check;
pub mod corpus;
#[path = "../compile/double_array.rs"]
#[allow(missing_docs, reason = "shared with the build script")]
pub mod double_array;
pub mod judge;
#[path = "../compile/learned.rs"]
pub mod learned;
pub mod lexicon;
pub mod network;
#[path = "../compile/phrases.rs"]
pub mod phrases;
pub mod progress;
pub mod random;
pub mod report;
pub mod teacher;
pub mod thesaurus;
pub mod train;
pub mod transfer;
pub mod vocabulary;
