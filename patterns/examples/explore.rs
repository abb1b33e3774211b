//! Experiments: cross-validation on the corpus and the thermometer, settings from the environment.
use std::path::Path;
use triage::intent::{
    automaton::Automaton, boundary::Boundary, features::Lexicon, normalize::normalize, shape,
};
use triage_patterns::{
    corpus,
    double_array::{self, Entry, Tables},
    network::*,
    phrases,
    random::Random,
    vocabulary,
};

fn env<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
fn automaton(t: &Tables) -> Automaton<'_> {
    Automaton {
        classes: &t.classes,
        slots: &t.slots,
        ranks: &t.ranks,
        heads: &t.heads,
        links: &t.links,
        lengths: &t.lengths,
    }
}
fn example(gaps: &Gaps, lex: &Lexicon<'_>, text: &str, label: usize) -> Example {
    let groups = env("GROUPS", 1) == 1;
    let mut rows: Vec<(u32, u8)> = lex
        .read(text)
        .rows
        .into_iter()
        .filter(|r| groups || r.number < lex.learned + shape::SHAPES)
        .map(|r| (r.number, r.places))
        .collect();
    for (k, p) in gap_keys(lex, text) {
        if let Some(i) = gaps.get(&k) {
            rows.push((lex.learned + shape::SHAPES + 255 + i, p));
        }
    }
    Example { rows, label, soft: None }
}
fn soft_labels() -> std::collections::HashMap<u64, [f32; C]> {
    let text = std::fs::read_to_string(env("SOFTFILE", String::new())).unwrap_or_default();
    text.lines()
        .map(|l| {
            let mut p = l.split(' ');
            let h = u64::from_str_radix(p.next().unwrap(), 16).unwrap();
            let mut v = [0.0; C];
            v.iter_mut().zip(p).for_each(|(v, p)| *v = p.parse().unwrap());
            (h, v)
        })
        .collect()
}
type Gaps = std::collections::HashMap<(u32, u32), u32>;
fn gap_keys(lex: &Lexicon<'_>, text: &str) -> Vec<((u32, u32), u8)> {
    let sent = triage::intent::sentence::split(text);
    let of = |end: usize| sent.iter().position(|s| end <= s.end).unwrap_or(0);
    let w: Vec<(u32, usize, usize, usize, u8)> = lex
        .read(text)
        .rows
        .iter()
        .filter(|r| r.end > r.start && r.number < lex.learned)
        .filter(|r| {
            let t = &text[r.start as usize..r.end as usize];
            t.chars().all(|c| c.is_alphanumeric() || (env("SYM", 0) == 1 && c != ' ' && c != '\n'))
                && !t.chars().any(triage::intent::boundary::is_dense)
        })
        .map(|r| (r.number, r.start as usize, r.end as usize, of(r.end as usize), r.places))
        .collect();
    let mut keys = Vec::new();
    for i in 0..w.len() {
        for g in 1..=env("GAP", 0usize) {
            if let Some(b) = w.get(i + g) {
                if b.3 == w[i].3 && b.1 > w[i].2 + 1 {
                    keys.push(((w[i].0, b.0), if env("GAPPL", 1) == 1 { b.4 } else { 1 }));
                }
            }
        }
    }
    keys
}
fn mine_gaps(lex: &Lexicon<'_>, texts: &[String]) -> Gaps {
    let mut count = std::collections::HashMap::<(u32, u32), u32>::new();
    for t in texts {
        let mut k: Vec<_> = gap_keys(lex, t).into_iter().map(|k| k.0).collect();
        k.sort();
        k.dedup();
        for k in k {
            *count.entry(k).or_default() += 1;
        }
    }
    let mut keys: Vec<_> =
        count.into_iter().filter(|(_, n)| *n >= env("GAPMIN", 4)).map(|(k, _)| k).collect();
    keys.sort();
    keys.into_iter().enumerate().map(|(i, k)| (k, i as u32)).collect()
}
fn pre(t: &str) -> String {
    let n = normalize(t);
    match env("NOQ", 0) {
        1 => n.replace('?', "."),
        2 => n.replace(['?', '.', '!'], ""),
        _ => n,
    }
}
struct Result1 {
    right: usize,
    n: usize,
}
fn main() {
    let train = corpus::read_all(Path::new(&env("CORPUS", "/work/corpus".to_string()))).unwrap();
    let train: Vec<_> = train.into_iter().filter(|m| env("SPLIT", 0) == 0 || !m.is_test()).collect();
    let dev = corpus::read(Path::new("/work/shared/eval/dev.jsonl")).unwrap();
    let limits = vocabulary::Limits {
        words: env("WORDS", 2),
        pairs: env("PAIRS", 3),
        runs: env("RUNS", 9999),
        pieces: env("PIECES", 1000),
        dense: env("DENSE", 3),
    };
    let fold_n: usize = env("FOLDS", 5);
    let folds_run: usize = env("RUN", 1);
    let s = Settings {
        epochs: env("EPOCHS", 12),
        batch: env("BATCH", 32),
        rate: env("RATE", 0.002),
        decay_rows: env("DECAYR", 0.0),
        decay: env("DECAY", 0.01),
        drop_rows: env("DROP", 0.4),
        drop_hidden: env("DROPH", 0.3),
        smoothing: env("SMOOTH", 0.05),
        soft: env("SOFT", 0.5),
        init: env("INIT", 0.05),
    };
    let normal: Vec<String> = train.iter().map(|m| pre(&m.text)).collect();
    let soft = soft_labels();
    let seeds: u64 = env("SEEDS", 1);
    // thermometer: train on all
    let eval = |idx: &[usize], test: &[(String, usize, String)]| -> Vec<[f32; C]> {
        let texts: Vec<String> = idx.iter().map(|i| normal[*i].clone()).collect();
        let vocab = vocabulary::mine(&texts, &limits);
        let hand = phrases::read(Path::new("/work/wt-intent/patterns/intents")).unwrap();
        let mut entries: Vec<Entry> = hand
            .iter()
            .map(|p| Entry {
                text: normalize(&p.text),
                boundary: Boundary::from_name(&p.boundary).unwrap() as u8,
            })
            .collect();
        let hand: Vec<[u8; 4]> = hand.iter().map(phrases::hand_row).collect();
        entries.extend(vocab.iter().map(|(t, b)| Entry { text: t.clone(), boundary: *b as u8 }));
        let tables = double_array::build(&entries);
        let a = automaton(&tables);
        let n = vocab.len() as u32;
        let lex = Lexicon { automaton: a, hand: &hand, learned: n };
        let gaps = mine_gaps(&lex, &texts);
        eprintln!("gaps {}", gaps.len());
        eprintln!(
            "patterns {} slots {} bytes {}",
            n,
            tables.slots.len(),
            tables.slots.len() * 8
                + tables.ranks.len() * 12
                + tables.heads.len() * 4
                + entries.len() * (5 + D)
        );
        let examples: Vec<Example> = idx
            .iter()
            .map(|i| {
                let mut e = example(&gaps, &lex, &normal[*i], train[*i].number());
                e.soft = soft.get(&corpus::hash(&train[*i].text)).copied();
                e
            })
            .collect();
        let mut sum = vec![[0.0; C]; test.len()];
        for seed in 0..seeds {
            let mut random = Random(env::<u64>("SEED", 1) + seed * 77);
            let mut net = Network::new((n + shape::SHAPES) as usize + 255 + gaps.len(), s.init, &mut random);
            net.train(&examples, &s, &mut random, &|| {});
            for (t, sum) in test.iter().zip(&mut sum) {
                let p = softmax(&net.forward(&example(&gaps, &lex, &pre(&t.0), t.1).rows, None).out);
                for c in 0..C {
                    sum[c] += p[c] / seeds as f32;
                }
            }
        }
        sum
    };
    let _ = Boundary::Word;
    let report = |name: &str, test: &[(String, usize, String)], out: &[[f32; C]]| {
        let best = |o: &[f32; C]| (0..C).fold(0, |b, c| if o[c] > o[b] { c } else { b });
        let acc = |f: &dyn Fn(&(String, usize, String)) -> bool| {
            let mut r = Result1 { right: 0, n: 0 };
            for (t, o) in test.iter().zip(out) {
                if f(t) {
                    r.n += 1;
                    r.right += usize::from(best(o) == t.1);
                }
            }
            100.0 * r.right as f64 / r.n.max(1) as f64
        };
        let abst =
            test.iter().zip(out).filter(|(t, o)| t.1 < 4 && o[best(o)] >= 0.6 && best(o) == t.1).count()
                as f64
                / test.iter().filter(|t| t.1 < 4).count() as f64
                * 100.0;
        let nll: f64 = test.iter().zip(out).map(|(t, o)| -f64::from(o[t.1]).max(1e-9).ln()).sum::<f64>()
            / test.len() as f64;
        for scale in [1.0f32, 1.15, 1.3, 1.5] {
            let cal = |o: &[f32; C]| {
                let mut p = o.map(|p| libm::powf(p.max(1e-9), scale));
                p[4] *= env("NONE", 1.0f32);
                let s: f32 = p.iter().sum();
                p.map(|p| p / s)
            };
            let (mut four, mut n4, mut ece, mut none, mut nn) = (0, 0, [[0.0f64; 3]; 10], 0, 0);
            for (t, o) in test.iter().zip(out) {
                let p = cal(o);
                let b = best(&p);
                let rep = if p[b] < 0.6 { 4 } else { b };
                if t.1 < 4 {
                    n4 += 1;
                    four += usize::from(rep == t.1);
                } else {
                    nn += 1;
                    none += usize::from(rep == 4);
                }
                let e = &mut ece[((p[b] * 10.0) as usize).min(9)];
                e[0] += 1.0;
                e[1] += f64::from(p[b]);
                e[2] += f64::from(u8::from(rep == t.1));
            }
            let e: f64 = ece.iter().map(|e| (e[1] - e[2]).abs()).sum::<f64>() / test.len() as f64;
            print!(
                "[x{scale}: {:.1} ece {e:.3} none {:.2}] ",
                100.0 * four as f64 / n4 as f64,
                none as f64 / nn as f64
            );
        }
        print!(
            "{name}: four {:.1} (at .6: {abst:.1}) five {:.1} none {:.1} nll {nll:.3} |",
            acc(&|t| t.1 < 4),
            acc(&|_| true),
            acc(&|t| t.1 == 4)
        );
        let mut sources: Vec<&String> = test.iter().map(|t| &t.2).collect();
        sources.sort();
        sources.dedup();
        for src in sources {
            print!(" {src} {:.1}", acc(&|t| t.2 == *src && t.1 < 4));
        }
        println!();
        if env("CONF", 0) == 1 {
            for src in ["cs1qa", "written"] {
                let mut m = [[0; 5]; 5];
                for (t, o) in test.iter().zip(out) {
                    if t.2 == src {
                        m[t.1][best(o)] += 1;
                    }
                }
                println!("  {src} rows=true {m:?}");
            }
        }
    };
    let mut all_test = Vec::new();
    let mut all_out = Vec::new();
    for fold in 0..folds_run {
        let of = |i: &usize| corpus::hash(&train[*i].text) as usize / 16 % fold_n == fold;
        let idx: Vec<usize> = (0..train.len()).filter(|i| !of(i)).collect();
        let test: Vec<(String, usize, String)> = (0..train.len())
            .filter(of)
            .map(|i| (train[i].text.clone(), train[i].number(), train[i].source.clone().unwrap_or_default()))
            .collect();
        let out = eval(&idx, &test);
        all_test.extend(test);
        all_out.extend(out);
    }
    report("cv", &all_test, &all_out);
    let test: Vec<(String, usize, String)> =
        dev.iter().map(|m| (m.text.clone(), m.number(), m.source.clone().unwrap_or_default())).collect();
    let out = eval(&(0..train.len()).collect::<Vec<_>>(), &test);
    report("dev", &test, &out);
}
