//! The model in training: rows of a small embedding, pooled by place, and one hidden layer.

use crate::random::Random;
pub use triage::intent::features::PLACES as POOLS;
use triage::intent::network::damping;
pub use triage::intent::network::{HIDDEN as H, INPUTS as X, LABELS as C, WIDTH as D};

/// A message as the network sees it.
#[derive(Clone, Default)]
pub struct Example {
    /// Rows with the set of pools (bits) each belongs to.
    pub rows: Vec<(u32, u8)>,
    /// The probabilities it should give.
    pub target: [f32; C],
    /// What it counts.
    pub weight: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 12,
            batch: 32,
            rate: 0.002,
            decay_rows: 0.0,
            decay: 0.01,
            drop_rows: 0.4,
            drop_hidden: 0.3,
            init: 0.05,
        }
    }
}

/// Settings of a training run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Times every message is seen.
    pub epochs: usize,
    /// Messages per step.
    pub batch: usize,
    /// Learning rate at its height.
    pub rate: f32,
    /// Weight decay of rows.
    pub decay_rows: f32,
    /// Weight decay of layers.
    pub decay: f32,
    /// Mean share of rows dropped from a message.
    pub drop_rows: f32,
    /// Share of hidden units dropped.
    pub drop_hidden: f32,
    /// Range of the first row values.
    pub init: f32,
}

/// Parameters with their Adam moments.
pub struct Tensor {
    /// The values.
    pub w: Vec<f32>,
    g: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
}

impl Tensor {
    fn new(n: usize, scale: f32, random: &mut Random) -> Self {
        let w = (0..n).map(|_| (random.unit() - 0.5) * 2.0 * scale).collect();
        Self { w, g: vec![0.0; n], m: vec![0.0; n], v: vec![0.0; n] }
    }

    fn step(&mut self, range: std::ops::Range<usize>, rate: f32, decay: f32, t: f32) {
        let c1 = 1.0 - libm::powf(0.9, t);
        let c2 = 1.0 - libm::powf(0.999, t);
        let k = rate / c1;
        let (w, g, m, v) = (
            &mut self.w[range.clone()],
            &mut self.g[range.clone()],
            &mut self.m[range.clone()],
            &mut self.v[range],
        );
        for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            *m = 0.9 * *m + 0.1 * *g;
            *v = 0.999 * *v + 0.001 * *g * *g;
            *w -= k * *m / ((*v / c2).sqrt() + 1e-8) + rate * decay * *w;
            *g = 0.0;
        }
    }
}

/// The whole network.
pub struct Network {
    /// One embedding for each pattern.
    pub rows: Tensor,
    /// Pools to hidden layer.
    pub w1: Tensor,
    /// Its biases.
    pub b1: Tensor,
    /// Hidden layer to labels.
    pub w2: Tensor,
    /// Pools straight to labels.
    pub w3: Tensor,
    /// Biases of the labels.
    pub b2: Tensor,
    touched: Vec<u32>,
    is_touched: Vec<bool>,
}

/// What one message excites.
pub struct Pass {
    /// The pools and shape features.
    pub x: [f32; X],
    scale: [f32; POOLS],
    h: [f32; H],
    /// The logits.
    pub out: [f32; C],
}

impl Network {
    /// Random values of a small range.
    #[must_use]
    pub fn new(rows: usize, init: f32, random: &mut Random) -> Self {
        Self {
            rows: Tensor::new(rows * D, init, random),
            w1: Tensor::new(X * H, 0.15, random),
            b1: Tensor::new(H, 0.0, random),
            w2: Tensor::new(H * C, 0.15, random),
            w3: Tensor::new(X * C, 0.05, random),
            b2: Tensor::new(C, 0.0, random),
            touched: Vec::new(),
            is_touched: vec![false; rows],
        }
    }

    /// Runs the network over `rows`; `keep` scales hidden units (0 where dropped).
    #[must_use]
    pub fn forward(&self, rows: &[(u32, u8)], keep: Option<&[f32; H]>) -> Pass {
        let mut p = Pass { x: [0.0; X], scale: [0.0; POOLS], h: [0.0; H], out: [0.0; C] };
        let mut counts = [0u32; POOLS];
        for &(row, pools) in rows {
            let e = &self.rows.w[row as usize * D..][..D];
            for k in (0..POOLS).filter(|k| pools & (1 << k) != 0) {
                counts[k] += 1;
                for (x, e) in p.x[k * D..][..D].iter_mut().zip(e) {
                    *x += e;
                }
            }
        }
        for (k, count) in counts.iter().enumerate() {
            p.scale[k] = damping(*count);
            p.x[k * D..][..D].iter_mut().for_each(|x| *x *= p.scale[k]);
        }
        p.h.copy_from_slice(&self.b1.w);
        p.out.copy_from_slice(&self.b2.w);
        for (i, x) in p.x.iter().enumerate() {
            axpy(&mut p.h, *x, &self.w1.w[i * H..][..H]);
            axpy(&mut p.out, *x, &self.w3.w[i * C..][..C]);
        }
        p.h.iter_mut().for_each(|h| *h = h.max(0.0));
        if let Some(keep) = keep {
            p.h.iter_mut().zip(keep).for_each(|(h, k)| *h *= k);
        }
        for (j, h) in p.h.iter().enumerate() {
            axpy(&mut p.out, *h, &self.w2.w[j * C..][..C]);
        }
        p
    }

    fn backward(&mut self, rows: &[(u32, u8)], keep: &[f32; H], p: &Pass, dout: &[f32; C]) {
        let mut dh = [0.0; H];
        for j in 0..H {
            axpy(&mut self.w2.g[j * C..][..C], p.h[j], dout);
            if p.h[j] > 0.0 {
                dh[j] = dot(&self.w2.w[j * C..][..C], dout) * keep[j];
            }
        }
        axpy(&mut self.b2.g, 1.0, dout);
        axpy(&mut self.b1.g, 1.0, &dh);
        let mut dx = [0.0; X];
        for (i, d) in dx.iter_mut().enumerate() {
            axpy(&mut self.w1.g[i * H..][..H], p.x[i], &dh);
            axpy(&mut self.w3.g[i * C..][..C], p.x[i], dout);
            *d = (dot(&self.w1.w[i * H..][..H], &dh) + dot(&self.w3.w[i * C..][..C], dout)) * p.scale[i / D];
        }
        for &(row, pools) in rows {
            let at = row as usize;
            if !self.is_touched[at] {
                self.is_touched[at] = true;
                self.touched.push(row);
            }
            for k in (0..POOLS).filter(|k| pools & (1 << k) != 0) {
                axpy(&mut self.rows.g[at * D..][..D], 1.0, &dx[k * D..][..D]);
            }
        }
    }

    /// Rounds every number to what is written down: rows in units of 1/`row_unit`, one byte each.
    pub fn quantise(&mut self, row_unit: f32, unit: f32) {
        self.rows.w.iter_mut().for_each(|w| *w = (*w * row_unit).round().clamp(-127.0, 127.0) / row_unit);
        for layer in [&mut self.w1, &mut self.b1, &mut self.w2, &mut self.w3, &mut self.b2] {
            layer.w.iter_mut().for_each(|w| *w = (*w / unit).round() * unit);
        }
    }

    /// All layers in the order in which the component reads them.
    #[must_use]
    pub fn layers(&self) -> Vec<f32> {
        [&self.w1.w, &self.b1.w, &self.w2.w, &self.w3.w, &self.b2.w].into_iter().flatten().copied().collect()
    }

    /// Trains on `examples`.
    pub fn train(
        &mut self,
        examples: &[Example],
        s: &Settings,
        random: &mut Random,
        tick: &(dyn Fn() + Sync),
    ) {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let steps = (s.epochs * examples.len()).div_ceil(s.batch) as f32;
        let mut t = 0.0f32;
        let mut rows = Vec::new();
        for _ in 0..s.epochs {
            random.shuffle(&mut order);
            for batch in order.chunks(s.batch) {
                for &i in batch {
                    let e = &examples[i];
                    rows.clear();
                    let p_drop = s.drop_rows * 2.0 * random.unit();
                    rows.extend(e.rows.iter().filter(|_| random.unit() >= p_drop));
                    let mut keep = [0.0; H];
                    keep.iter_mut().for_each(|k| {
                        *k = if random.unit() < s.drop_hidden { 0.0 } else { 1.0 / (1.0 - s.drop_hidden) }
                    });
                    let pass = self.forward(&rows, Some(&keep));
                    let dout = loss_gradient(&pass.out, e, batch.len());
                    self.backward(&rows, &keep, &pass, &dout);
                }
                t += 1.0;
                let warm = (t / (0.05 * steps)).min(1.0);
                let rate = s.rate * warm * (1.0 - t / (steps + 1.0)).max(0.0);
                self.step(rate, s, t);
            }
            tick();
        }
    }

    fn step(&mut self, rate: f32, s: &Settings, t: f32) {
        for row in self.touched.drain(..) {
            let at = row as usize;
            self.is_touched[at] = false;
            self.rows.step(at * D..(at + 1) * D, rate, s.decay_rows, t);
        }
        self.w1.step(0..X * H, rate, s.decay, t);
        self.b1.step(0..H, rate, 0.0, t);
        self.w2.step(0..H * C, rate, s.decay, t);
        self.w3.step(0..X * C, rate, s.decay, t);
        self.b2.step(0..C, rate, 0.0, t);
    }
}

fn loss_gradient(out: &[f32; C], e: &Example, batch: usize) -> [f32; C] {
    let p = softmax(out);
    let mut g = [0.0; C];
    for c in 0..C {
        g[c] = e.weight * (p[c] - e.target[c]) / batch as f32;
    }
    g
}

/// Probabilities of logits.
#[must_use]
pub fn softmax(out: &[f32; C]) -> [f32; C] {
    let top = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e = out.map(|o| libm::expf(o - top));
    let sum: f32 = e.iter().sum();
    e.map(|e| e / sum)
}

fn axpy(y: &mut [f32], a: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // eight fixed lanes: the same order on every machine, and the compiler may use vectors
    let mut lanes = [0.0f32; 8];
    let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = ca.remainder().iter().zip(cb.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in ca.zip(cb) {
        for l in 0..8 {
            lanes[l] += a[l] * b[l];
        }
    }
    lanes.iter().sum::<f32>() + rest
}
