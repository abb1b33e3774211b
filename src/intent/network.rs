//! The learned model: rows of a small quantised embedding, pooled by place, and one hidden layer.
//!
//! Every row found adds its numbers to the pool of each place it is in; a pool is divided by the
//! root of its count, so that long messages do not shout. A hidden layer sees all pools, and a
//! straight path from the pools to the labels keeps what plain weights would say. Several such
//! members, trained from different seeds, are averaged. Pools are sums of integers; what follows
//! is multiplied and added one by one in a fixed order, so the bits are the same on every target.

use super::features::{PLACES, Row};

/// Numbers per row and member.
pub const WIDTH: usize = 32;
/// Inputs of the hidden layer: one pool per place.
pub const INPUTS: usize = WIDTH * PLACES;
/// Hidden units per member.
pub const HIDDEN: usize = 64;
/// Labels.
pub const LABELS: usize = 5;

/// Numbers of rows are in units of one part in this.
pub const ROW_UNIT: f32 = 128.0;

/// Floats of one member, in this order: from pools to hidden units, hidden bias, from hidden units
/// to labels, from pools to labels, label bias.
pub const MEMBER: usize = INPUTS * HIDDEN + HIDDEN + HIDDEN * LABELS + INPUTS * LABELS + LABELS;

/// The model's tables, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a> {
    /// Members, each with `WIDTH` numbers per row: row by row, member by member.
    pub rows: &'a [u8],
    /// How many members there are.
    pub members: usize,
    /// Little-endian floats, [`MEMBER`] per member.
    pub weights: &'a [[u8; 4]],
}

/// What one member computes on its way.
struct Pass<'a> {
    weights: Weights<'a>,
    scales: [f32; PLACES],
    hidden: [f32; HIDDEN],
    labels: [f32; LABELS],
}

/// One member's floats by their role.
#[derive(Clone, Copy)]
struct Weights<'a> {
    to_hidden: &'a [[u8; 4]],
    hidden_bias: &'a [[u8; 4]],
    to_labels: &'a [[u8; 4]],
    straight: &'a [[u8; 4]],
    label_bias: &'a [[u8; 4]],
}

impl<'a> Network<'a> {
    /// The log-odds of the labels.
    #[must_use]
    pub fn logits(&self, rows: &[Row]) -> [f64; LABELS] {
        let mut sum = [0.0; LABELS];
        for member in 0..self.members {
            if let Some(pass) = self.pass(member, rows) {
                for (sum, label) in sum.iter_mut().zip(pass.labels) {
                    *sum += f64::from(label);
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of members")]
        let members = self.members.max(1) as f64;
        sum.map(|s| s / members)
    }

    /// What each row adds to the log-odds of `label`, to first order.
    #[must_use]
    pub fn contributions(&self, rows: &[Row], label: usize) -> Vec<f64> {
        let mut sums = vec![0.0; rows.len()];
        for member in 0..self.members {
            let Some(pass) = self.pass(member, rows) else {
                continue;
            };
            let slopes = pass.slopes(label);
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum += f64::from(self.along(member, *row, &slopes));
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of members")]
        let members = self.members.max(1) as f64;
        sums.iter().map(|s| s / members).collect()
    }

    fn row(&self, member: usize, number: u32) -> &'a [u8] {
        let stride = self.members.saturating_mul(WIDTH);
        let at = (number as usize)
            .saturating_mul(stride)
            .saturating_add(member.saturating_mul(WIDTH));
        self.rows
            .get(at..at.saturating_add(WIDTH))
            .unwrap_or_default()
    }

    fn pass(&self, member: usize, rows: &[Row]) -> Option<Pass<'a>> {
        let weights = Weights::of(self.weights, member)?;
        let (pools, counts) = self.pool(member, rows);
        let mut pass = Pass {
            weights,
            scales: [0.0; PLACES],
            hidden: [0.0; HIDDEN],
            labels: [0.0; LABELS],
        };
        load(&mut pass.hidden, weights.hidden_bias);
        load(&mut pass.labels, weights.label_bias);
        let to_hidden = weights.to_hidden.chunks_exact(HIDDEN);
        let straight = weights.straight.chunks_exact(LABELS);
        let mut columns = to_hidden.zip(straight);
        for ((pool, count), scale) in pools.iter().zip(counts).zip(&mut pass.scales) {
            *scale = damping(count);
            for (value, (hidden, labels)) in pool.iter().zip(&mut columns) {
                if *value != 0 {
                    #[allow(clippy::cast_precision_loss, reason = "sums stay below 2^24")]
                    let x = *value as f32 * (1.0 / ROW_UNIT) * *scale;
                    add_scaled(&mut pass.hidden, x, hidden);
                    add_scaled(&mut pass.labels, x, labels);
                }
            }
        }
        let to_labels = weights.to_labels.chunks_exact(LABELS);
        for (unit, labels) in pass.hidden.iter_mut().zip(to_labels) {
            *unit = unit.max(0.0);
            add_scaled(&mut pass.labels, *unit, labels);
        }
        Some(pass)
    }

    /// Sums the rows of each place.
    fn pool(&self, member: usize, rows: &[Row]) -> ([[i32; WIDTH]; PLACES], [u32; PLACES]) {
        let mut pools = [[0i32; WIDTH]; PLACES];
        let mut counts = [0u32; PLACES];
        for row in rows {
            let numbers = self.row(member, row.number);
            for (place, (pool, count)) in pools.iter_mut().zip(&mut counts).enumerate() {
                if row.places & (1 << place) != 0 {
                    *count = count.saturating_add(1);
                    for (sum, number) in pool.iter_mut().zip(numbers) {
                        *sum = sum.wrapping_add(i32::from(number.cast_signed()));
                    }
                }
            }
        }
        (pools, counts)
    }

    /// How far a row goes along `slopes`, over all its places.
    fn along(&self, member: usize, row: Row, slopes: &[[f32; WIDTH]; PLACES]) -> f32 {
        let numbers = self.row(member, row.number);
        let mut sum = 0.0;
        for (place, slopes) in slopes.iter().enumerate() {
            if row.places & (1 << place) != 0 {
                for (slope, number) in slopes.iter().zip(numbers) {
                    sum += slope * f32::from(number.cast_signed());
                }
            }
        }
        sum
    }
}

impl Pass<'_> {
    /// How the log-odds of `label` change with each pool.
    fn slopes(&self, label: usize) -> [[f32; WIDTH]; PLACES] {
        let mut back = [0.0; HIDDEN];
        let to_labels = self.weights.to_labels.chunks_exact(LABELS);
        for ((back, unit), labels) in back.iter_mut().zip(self.hidden).zip(to_labels) {
            if unit > 0.0 {
                *back = labels.get(label).map_or(0.0, |w| f32::from_le_bytes(*w));
            }
        }
        let mut slopes = [[0.0; WIDTH]; PLACES];
        let to_hidden = self.weights.to_hidden.chunks_exact(HIDDEN);
        let straight = self.weights.straight.chunks_exact(LABELS);
        let mut columns = to_hidden.zip(straight);
        for (slopes, scale) in slopes.iter_mut().zip(self.scales) {
            for (slope, (hidden, labels)) in slopes.iter_mut().zip(&mut columns) {
                let mut sum = labels.get(label).map_or(0.0, |w| f32::from_le_bytes(*w));
                for (back, weight) in back.iter().zip(hidden) {
                    sum += back * f32::from_le_bytes(*weight);
                }
                *slope = sum * scale * (1.0 / ROW_UNIT);
            }
        }
        slopes
    }
}

impl<'a> Weights<'a> {
    fn of(all: &'a [[u8; 4]], member: usize) -> Option<Self> {
        let own = all.chunks_exact(MEMBER).nth(member)?;
        let (to_hidden, rest) = own.split_at_checked(INPUTS * HIDDEN)?;
        let (hidden_bias, rest) = rest.split_at_checked(HIDDEN)?;
        let (to_labels, rest) = rest.split_at_checked(HIDDEN * LABELS)?;
        let (straight, label_bias) = rest.split_at_checked(INPUTS * LABELS)?;
        Some(Self {
            to_hidden,
            hidden_bias,
            to_labels,
            straight,
            label_bias,
        })
    }
}

/// What a pool of `count` rows is multiplied with.
#[must_use]
pub fn damping(count: u32) -> f32 {
    #[allow(clippy::cast_precision_loss, reason = "counts stay below 2^24")]
    let count = count as f32;
    1.0 / (count + 4.0).sqrt()
}

fn load(into: &mut [f32], from: &[[u8; 4]]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into = f32::from_le_bytes(*from);
    }
}

fn add_scaled(sums: &mut [f32], x: f32, weights: &[[u8; 4]]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += x * f32::from_le_bytes(*weight);
    }
}
