//! From log-odds to probabilities that mean what they say.

use super::label::Intent;

/// Scale and shifts that make the log-odds of a model calibrated, fitted on messages that the model
/// had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Multiplies all log-odds.
    pub scale: f64,
    /// Is then added, per label.
    pub shifts: [f64; 5],
}

impl Calibration {
    /// The calibrated log-odds.
    #[must_use]
    pub fn apply(&self, logits: [f64; 5]) -> [f64; 5] {
        let mut calibrated = logits;
        for (logit, shift) in calibrated.iter_mut().zip(self.shifts) {
            *logit = *logit * self.scale + shift;
        }
        calibrated
    }
}

/// Probability per label, in the order of [`Intent::ALL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores([f64; 5]);

impl Scores {
    /// The softmax of `logits`; the largest is taken out first, so nothing overflows.
    #[must_use]
    pub fn from_logits(logits: [f64; 5]) -> Self {
        let top = logits.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let powers = logits.map(|l| libm::exp(l - top));
        let sum: f64 = powers.iter().sum();
        Self(powers.map(|p| p / sum))
    }

    /// Probability per label with the label.
    #[must_use]
    pub fn by_label(&self) -> [(Intent, f64); 5] {
        let mut scores = Intent::ALL.map(|label| (label, 0.0));
        for (score, p) in scores.iter_mut().zip(self.0) {
            score.1 = p;
        }
        scores
    }

    /// The most probable label; of equals, the first.
    #[must_use]
    pub fn best(&self) -> (Intent, f64) {
        self.best_but(None)
    }

    /// The most probable label but the best one.
    #[must_use]
    pub fn runner_up(&self) -> (Intent, f64) {
        self.best_but(Some(self.best().0))
    }

    /// The most probable label that leads to a tutor.
    #[must_use]
    pub fn best_intent(&self) -> (Intent, f64) {
        self.best_but(Some(Intent::None))
    }

    fn best_but(&self, excluded: Option<Intent>) -> (Intent, f64) {
        let candidates = self.by_label().into_iter().filter(|(label, _)| Some(*label) != excluded);
        candidates.fold(
            (Intent::None, f64::NEG_INFINITY),
            |best, next| {
                if next.1 > best.1 { next } else { best }
            },
        )
    }
}
