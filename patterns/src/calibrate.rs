//! Fits the calibration: scale and shifts under which the log-odds fit the labels best.
//!
//! Gradient descent on the log-loss of unseen messages; six numbers, so nothing can be over-fitted.

use crate::train::Unseen;

/// Scale, then one shift per label.
#[must_use]
pub fn fit(unseen: &Unseen) -> Vec<f64> {
    let mut values = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for _ in 0..400 {
        let slope = slope(unseen, &values);
        for (value, slope) in values.iter_mut().zip(slope) {
            *value -= 0.5 * slope;
        }
    }
    values.to_vec()
}

/// How the mean log-loss changes with each value.
fn slope(unseen: &Unseen, values: &[f64; 6]) -> [f64; 6] {
    let mut slope = [0.0; 6];
    for (logits, label) in unseen {
        let mut p = [0.0; 5];
        for c in 0..5 {
            p[c] = logits[c] * values[0] + values[c + 1];
        }
        let top = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        p.iter_mut().for_each(|p| *p = libm::exp(*p - top));
        let sum: f64 = p.iter().sum();
        for c in 0..5 {
            let error = p[c] / sum - if c == *label { 1.0 } else { 0.0 };
            slope[0] += error * logits[c] / 4.0;
            slope[c + 1] += error;
        }
    }
    slope.map(|s| s / unseen.len().max(1) as f64)
}
