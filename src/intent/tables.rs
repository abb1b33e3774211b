//! The compiled patterns, embedded in place: nothing is parsed, copied or built at start-up.

use super::automaton::Automaton;
use super::calibration::Calibration;
use super::features::Lexicon;
use super::network::Network;

/// Keeps a table on a boundary of 16 bytes, so that no slot straddles two cache lines.
#[repr(C, align(16))]
struct Aligned<const N: usize>([u8; N]);

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// All patterns.
#[must_use]
pub fn lexicon() -> Lexicon<'static> {
    let automaton = Automaton {
        classes: &CLASSES.0,
        slots: SLOTS.0.as_chunks().0,
        ranks: RANKS.0.as_chunks().0,
        heads: HEADS.0.as_chunks().0,
        links: LINKS.0.as_chunks().0,
        lengths: &LENGTHS.0,
    };
    Lexicon { automaton, hand: HAND.0.as_chunks().0, learned: LEARNED }
}

/// The learned model; empty where nothing has been learned yet.
#[must_use]
pub fn network() -> Network<'static> {
    Network { rows: ROWS.0.as_chunks().0.as_chunks().0, weights: WEIGHTS.0.as_chunks().0 }
}

/// The calibration of the learned model (0) or of the phrases alone (1).
#[must_use]
pub fn calibration(model: usize) -> Calibration {
    let mut values =
        CALIBRATION.0.as_chunks().0.iter().map(|v| f64::from_le_bytes(*v)).skip(model.saturating_mul(6));
    let scale = values.next().unwrap_or(1.0);
    let mut shifts = [0.0; 5];
    for (shift, value) in shifts.iter_mut().zip(values) {
        *shift = value;
    }
    Calibration { scale, shifts }
}
