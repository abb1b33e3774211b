//! Where the time goes.
use std::{hint::black_box, path::Path, time::Instant};
use triage::intent::*;
use triage_patterns::corpus;
fn main() {
    let all = corpus::read_all(Path::new("patterns/corpus")).unwrap();
    let text: Vec<String> = all
        .chunks(3)
        .take(2000)
        .map(|c| {
            let s: String = c.iter().map(|m| m.text.as_str()).collect::<Vec<_>>().join(" ");
            s.chars().take(300).collect()
        })
        .collect();
    let texts: Vec<String> = text.into_iter().filter(|t: &String| t.len() >= 290 && t.is_ascii()).collect();
    let t = |name: &str, f: &dyn Fn(usize)| {
        let mut best = f64::MAX;
        for _ in 0..10 {
            let s = Instant::now();
            for i in 0..texts.len() {
                f(i)
            }
            best = best.min(s.elapsed().as_secs_f64());
        }
        println!("{name}: {:.2} us", best * 1e6 / texts.len() as f64);
    };
    let normal: Vec<String> = texts.iter().map(|t| normalize::normalize(t)).collect();
    let lex = tables::lexicon();
    let net = tables::network();
    let rows: Vec<_> = normal.iter().map(|n| lex.read(n).rows).collect();
    println!("texts {} rows {}", texts.len(), rows.iter().map(Vec::len).sum::<usize>() / rows.len());
    let outs: Vec<_> = rows.iter().map(|r| net.run(r)).collect();
    let w: Vec<_> = rows.iter().zip(&outs).map(|(r, o)| net.contributions(o, r, 0)).collect();
    t("normalize", &|i| {
        black_box(normalize::normalize(&texts[i]));
    });
    t("split", &|i| {
        black_box(sentence::split(&normal[i]));
    });
    t("scan", &|i| {
        lex.automaton.scan(&normal[i], |m| {
            black_box(m);
        });
    });
    t("read", &|i| {
        black_box(lex.read(&normal[i]));
    });
    t("run", &|i| {
        black_box(net.run(&rows[i]));
    });
    t("contributions", &|i| {
        black_box(net.contributions(&outs[i], &rows[i], 0));
    });
    t("learned", &|i| {
        black_box(evidence::learned(&rows[i], &w[i], Intent::SyntaxHelp));
    });
    t("classify", &|i| {
        black_box(classify(&texts[i], &Context::default(), &Options::default()));
    });
}
