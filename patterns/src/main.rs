//! `triage-patterns`: one command for everything that concerns patterns and weights.

use std::path::Path;
use std::process::ExitCode;
use triage::intent::Options;
use triage_patterns::network::Settings;
use triage_patterns::thesaurus::Thesaurus;
use triage_patterns::{bench, check, corpus, judge, learned, report, train, transfer};

const USAGE: &str =
    "usage: triage-patterns train | transfer | evaluate [FILE.jsonl] | explain TEXT | bench | check";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["bench"] => bench::run(Path::new("patterns")),
        ["check"] => match check::faults(Path::new("patterns")) {
            faults if faults.is_empty() => Ok(()),
            faults => Err(faults.join("\n")),
        },
        ["train"] => train(Path::new("patterns")),
        ["transfer"] => transfer(Path::new("patterns")),
        ["evaluate"] | ["evaluate", ""] => evaluate(None),
        ["evaluate", file] => evaluate(Some(Path::new(file))),
        ["explain", text] => {
            report::explanation(text);
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn train(folder: &Path) -> Result<(), String> {
    let learned = train::train(folder, &Settings::default())?;
    let out = folder.join("learned");
    std::fs::create_dir_all(&out).map_err(|e| e.to_string())?;
    let write =
        |name: &str, text: String| std::fs::write(out.join(name), text).map_err(|e| format!("{name}: {e}"));
    write("rows.tsv", learned::rows_text(&learned))?;
    write("network.tsv", learned::network_text(&learned, &train::columns()))
}

/// Prints what the teacher is to judge: the training split with its variants, a JSON string a line.
fn transfer(folder: &Path) -> Result<(), String> {
    let all = corpus::read_all(&folder.join("corpus"))?;
    let (held_out, training): (Vec<_>, Vec<_>) = all.into_iter().partition(corpus::Message::is_test);
    let thesaurus = Thesaurus::read(&folder.join("teacher"))?;
    for varied in transfer::vary(&training, &held_out, &thesaurus) {
        let texts = std::iter::once(&varied.message.text).chain(&varied.variants);
        texts.for_each(|text| println!("{}", serde_json::Value::from(text.as_str())));
    }
    Ok(())
}

/// Evaluates on `file`, or on the test split; errors are shown for files of this repository only.
fn evaluate(file: Option<&Path>) -> Result<(), String> {
    let messages = match file {
        Some(file) => corpus::read(file)?,
        None => {
            let all = corpus::read_all(Path::new("patterns/corpus"))?;
            all.into_iter().filter(corpus::Message::is_test).collect()
        }
    };
    if messages.is_empty() {
        return Err("no messages: one JSON object a line, {\"text\": …, \"label\": …}".to_owned());
    }
    let own = file.is_none_or(inside_repository);
    report::print(&judge::judge(messages, &Options::default()), own);
    Ok(())
}

fn inside_repository(file: &Path) -> bool {
    let here = std::env::current_dir().and_then(|d| d.canonicalize());
    file.canonicalize().is_ok_and(|file| here.is_ok_and(|here| file.starts_with(here)))
}
