//! The learned model: rows of a small quantised embedding, pooled by place, and one hidden layer.
//!
//! Every row found adds its numbers to the pool of each place it is in; a pool is divided by the
//! root of its count, so that long messages do not shout. A hidden layer sees all pools, and a
//! straight path from the pools to the labels keeps what plain weights would say. Several such
//! members, trained from different seeds, are averaged. Pools are sums of integers; what follows
//! is multiplied and added one by one in a fixed order, so the bits are the same on every target.

use super::features::{PLACES, Row};

/// Numbers per row and member.
pub const WIDTH: usize = 8;
/// Inputs of the hidden layer: one pool per place.
pub const INPUTS: usize = WIDTH * PLACES;
/// Hidden units per member.
pub const HIDDEN: usize = 32;
/// Networks that are averaged; a row holds the numbers of all of them, a quarter of a cache line.
pub const MEMBERS: usize = 2;
/// Labels.
pub const LABELS: usize = 5;

/// Numbers of rows are in units of one part in this.
pub const ROW_UNIT: f32 = 128.0;

/// Slopes are rounded to one part in this.
const FINE: f32 = 131_072.0;

/// Floats of one member, in this order: from pools to hidden units, hidden bias, from hidden units
/// to labels, from pools to labels, label bias.
pub const MEMBER: usize = INPUTS * HIDDEN + HIDDEN + HIDDEN * LABELS + INPUTS * LABELS + LABELS;

/// A float of the tables, little-endian.
type Float = [u8; 4];

/// The model's tables, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a> {
    /// Numbers of rows: row by row, in each row member by member.
    pub rows: &'a [[[u8; WIDTH]; MEMBERS]],
    /// Floats of the layers, [`MEMBER`] per member.
    pub weights: &'a [Float],
}

/// What one member computes on its way.
#[derive(Debug, Clone)]
struct Pass<'a> {
    weights: Weights<'a>,
    scales: [f32; PLACES],
    hidden: [f32; HIDDEN],
    labels: [f32; LABELS],
}

/// One member's floats by their role.
#[derive(Debug, Clone, Copy)]
struct Weights<'a> {
    to_hidden: &'a [[Float; HIDDEN]],
    hidden_bias: &'a [Float],
    to_labels: &'a [[Float; LABELS]],
    straight: &'a [[Float; LABELS]],
    label_bias: &'a [Float],
}

/// Sums of rows and how many there were, per place.
struct Pools {
    sums: [[[i32; WIDTH]; MEMBERS]; PLACES],
    counts: [u32; PLACES],
}

/// What the network says about one message.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// The log-odds of the labels.
    pub logits: [f64; LABELS],
    passes: Vec<Pass<'a>>,
}

impl<'a> Network<'a> {
    /// Whether anything has been learned.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Runs all members over `rows`.
    #[must_use]
    pub fn run(&self, rows: &[Row]) -> Outcome<'a> {
        let pools = self.pool(rows);
        let members = Weights::members(self.weights).enumerate();
        let passes: Vec<Pass<'a>> = members.map(|(m, weights)| pools.pass(m, weights)).collect();
        let mut logits = [0.0; LABELS];
        for pass in &passes {
            for (sum, label) in logits.iter_mut().zip(pass.labels) {
                *sum += f64::from(label);
            }
        }
        Outcome { logits: logits.map(|s| s * SHARE), passes }
    }

    /// What each row added to the log-odds of `label`, to first order.
    #[must_use]
    pub fn contributions(&self, outcome: &Outcome<'_>, rows: &[Row], label: usize) -> Vec<f32> {
        // whole numbers again: their sum has no order, so the compiler may use vectors
        let slopes: Vec<_> = outcome.passes.iter().map(|pass| pass.slopes(label)).collect();
        let mut places = 0;
        let mut along = [[0i16; WIDTH]; MEMBERS];
        let weigh = |row: &Row| {
            if row.places != places {
                places = row.places;
                for (along, slopes) in along.iter_mut().zip(&slopes) {
                    *along = combine(slopes, places);
                }
            }
            let Some(numbers) = self.rows.get(row.number as usize) else {
                return 0.0;
            };
            dot(along.as_flattened(), numbers.as_flattened()) / (FINE * MEMBERS as f32)
        };
        rows.iter().map(weigh).collect()
    }

    /// Sums the rows of each place. Rows come in runs of the same places, one run per sentence.
    fn pool(&self, rows: &[Row]) -> Pools {
        let mut pools = Pools { sums: [[[0; WIDTH]; MEMBERS]; PLACES], counts: [0; PLACES] };
        for run in rows.chunk_by(|a, b| a.places == b.places) {
            let mut sums = [[0i32; WIDTH]; MEMBERS];
            for row in run {
                if let Some(numbers) = self.rows.get(row.number as usize) {
                    for (sum, number) in sums.as_flattened_mut().iter_mut().zip(numbers.as_flattened()) {
                        *sum = sum.wrapping_add(i32::from(number.cast_signed()));
                    }
                }
            }
            pools.add(run.first().map_or(0, |row| row.places), run.len(), &sums);
        }
        pools
    }
}

/// What one member counts for in the mean.
#[allow(clippy::cast_precision_loss, reason = "a handful of members")]
const SHARE: f64 = 1.0 / MEMBERS as f64;

impl Pools {
    fn add(&mut self, places: u8, rows: usize, sums: &[[i32; WIDTH]; MEMBERS]) {
        for (place, (pool, count)) in self.sums.iter_mut().zip(&mut self.counts).enumerate() {
            if places & (1 << place) != 0 {
                *count = count.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
                for (sum, new) in pool.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                    *sum = sum.wrapping_add(*new);
                }
            }
        }
    }

    /// One member's way from pools to labels.
    fn pass<'a>(&self, member: usize, weights: Weights<'a>) -> Pass<'a> {
        let scales = self.counts.map(|count| damping(count) * (1.0 / ROW_UNIT));
        let mut pass = Pass { weights, scales, hidden: [0.0; HIDDEN], labels: [0.0; LABELS] };
        load(&mut pass.hidden, weights.hidden_bias);
        load(&mut pass.labels, weights.label_bias);
        let mut columns = weights.to_hidden.iter().zip(weights.straight);
        for (pool, scale) in self.sums.iter().zip(scales) {
            let sums = pool.get(member).copied().unwrap_or_default();
            for (sum, (hidden, labels)) in sums.iter().zip(&mut columns) {
                #[allow(clippy::cast_precision_loss, reason = "sums stay below 2^24")]
                let x = *sum as f32 * scale;
                add_scaled(&mut pass.hidden, x, hidden);
                add_scaled(&mut pass.labels, x, labels);
            }
        }
        for (unit, labels) in pass.hidden.iter_mut().zip(weights.to_labels) {
            *unit = unit.max(0.0);
            add_scaled(&mut pass.labels, *unit, labels);
        }
        pass
    }
}

impl Pass<'_> {
    /// How the log-odds of `label` change with each pool.
    fn slopes(&self, label: usize) -> [[f32; WIDTH]; PLACES] {
        let mut back = [0.0; HIDDEN];
        for ((back, unit), labels) in back.iter_mut().zip(self.hidden).zip(self.weights.to_labels) {
            if unit > 0.0 {
                *back = labels.get(label).map_or(0.0, |w| f32::from_le_bytes(*w));
            }
        }
        let mut slopes = [[0.0; WIDTH]; PLACES];
        let mut columns = self.weights.to_hidden.iter().zip(self.weights.straight);
        for (slopes, scale) in slopes.iter_mut().zip(self.scales) {
            for (slope, (hidden, labels)) in slopes.iter_mut().zip(&mut columns) {
                let straight = labels.get(label).map_or(0.0, |w| f32::from_le_bytes(*w));
                let mut products = back;
                for (product, weight) in products.iter_mut().zip(hidden) {
                    *product *= f32::from_le_bytes(*weight);
                }
                *slope = (straight + sum_of(products)) * scale;
            }
        }
        slopes
    }
}

impl<'a> Weights<'a> {
    fn members(all: &'a [Float]) -> impl Iterator<Item = Self> {
        all.chunks_exact(MEMBER).filter_map(Self::of)
    }

    fn of(own: &'a [Float]) -> Option<Self> {
        let (to_hidden, rest) = own.split_at_checked(INPUTS * HIDDEN)?;
        let (hidden_bias, rest) = rest.split_at_checked(HIDDEN)?;
        let (to_labels, rest) = rest.split_at_checked(HIDDEN * LABELS)?;
        let (straight, label_bias) = rest.split_at_checked(INPUTS * LABELS)?;
        Some(Self {
            to_hidden: to_hidden.as_chunks().0,
            hidden_bias,
            to_labels: to_labels.as_chunks().0,
            straight: straight.as_chunks().0,
            label_bias,
        })
    }
}

/// The slopes of a row that is in all of `places`, in units of 1/[`FINE`].
fn combine(slopes: &[[f32; WIDTH]; PLACES], places: u8) -> [i16; WIDTH] {
    let mut along = [0.0; WIDTH];
    for (place, slopes) in slopes.iter().enumerate() {
        if places & (1 << place) != 0 {
            for (along, slope) in along.iter_mut().zip(slopes) {
                *along += slope;
            }
        }
    }
    #[allow(clippy::cast_possible_truncation, reason = "saturates, which is as good")]
    along.map(|slope| (slope * FINE) as i16)
}

#[allow(clippy::cast_precision_loss, reason = "exact enough for an explanation")]
fn dot(along: &[i16], numbers: &[u8]) -> f32 {
    let mut sum = 0i32;
    for (slope, number) in along.iter().zip(numbers) {
        let product = i32::from(*slope).wrapping_mul(i32::from(number.cast_signed()));
        sum = sum.wrapping_add(product);
    }
    sum as f32
}

/// Adds in four fixed lanes: one order on every target, and the compiler may use vectors.
fn sum_of<const N: usize>(values: [f32; N]) -> f32 {
    let mut lanes = [0.0f32; 4];
    for chunk in values.as_chunks::<4>().0 {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let [a, b, c, d] = lanes;
    (a + b) + (c + d)
}

/// What a pool of `count` rows is multiplied with.
#[must_use]
pub fn damping(count: u32) -> f32 {
    #[allow(clippy::cast_precision_loss, reason = "counts stay below 2^24")]
    let count = count as f32;
    1.0 / (count + 4.0).sqrt()
}

fn load(into: &mut [f32], from: &[Float]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into = f32::from_le_bytes(*from);
    }
}

fn add_scaled<const N: usize>(sums: &mut [f32; N], x: f32, weights: &[Float; N]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += x * f32::from_le_bytes(*weight);
    }
}
