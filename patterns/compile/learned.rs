//! The learned weights as text that a diff can show: one line per row, one line per column.
//!
//! `rows.tsv` holds a line per row: kind, text, and two hex digits per number. `network.tsv` holds
//! named lines of whole numbers: the layers in units of 2^-12, and the calibration in units of 2^-16.

use std::fmt::Write as _;
use std::path::Path;

/// Layers are written in units of this.
pub const UNIT: f32 = 1.0 / 4096.0;
/// Calibration is written in units of this.
pub const FINE: f64 = 1.0 / 65536.0;

/// What a row stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A learned pattern with its boundary class by name.
    Pattern(String),
    /// A shape; its text is its number.
    Shape,
    /// A group of hand-written phrases; its text is intent and name.
    Group,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it stands for.
    pub kind: Kind,
    /// The pattern in normal form, or what else names the row.
    pub text: String,
    /// The numbers of all members.
    pub numbers: Vec<i8>,
}

/// Everything learned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    /// Patterns, then shapes, then groups.
    pub rows: Vec<Row>,
    /// How many networks are averaged.
    pub members: usize,
    /// The layers of all members.
    pub weights: Vec<f32>,
    /// Scale and shift per label of the log-odds: with learned weights, then by hand alone.
    pub calibration: Vec<f64>,
}

/// Reads what was learned; `None` where nothing is there yet.
///
/// # Errors
/// Names the line that is not in form.
pub fn read(folder: &Path) -> Result<Option<Learned>, String> {
    let (Ok(rows), Ok(network)) = (
        std::fs::read_to_string(folder.join("rows.tsv")),
        std::fs::read_to_string(folder.join("network.tsv")),
    ) else {
        return Ok(None);
    };
    let mut learned = Learned::default();
    for (n, line) in rows.lines().enumerate().filter(|(_, l)| !l.starts_with('#')) {
        learned.rows.push(parse_row(line).ok_or_else(|| format!("rows.tsv:{}: not a row", n + 1))?);
    }
    for (n, line) in network.lines().enumerate().filter(|(_, l)| !l.starts_with('#')) {
        parse_layer(line, &mut learned).ok_or_else(|| format!("network.tsv:{}: not a layer", n + 1))?;
    }
    Ok(Some(learned))
}

fn parse_row(line: &str) -> Option<Row> {
    let mut parts = line.split('\t');
    let (kind, text, hex) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = match kind {
        "shape" => Kind::Shape,
        "group" => Kind::Group,
        boundary => Kind::Pattern(boundary.to_owned()),
    };
    let digit = |d: u8| char::from(d).to_digit(16);
    let pairs = hex.as_bytes().chunks_exact(2);
    let numbers =
        pairs.map(|p| Some((digit(p[0])? * 16 + digit(p[1])?) as u8 as i8)).collect::<Option<_>>()?;
    Some(Row { kind, text: text.to_owned(), numbers })
}

fn parse_layer(line: &str, learned: &mut Learned) -> Option<()> {
    let (name, values) = line.split_once('\t')?;
    let values = values.split(' ').map(|v| v.parse::<i64>().ok()).collect::<Option<Vec<_>>>()?;
    match name {
        "members" => learned.members = usize::try_from(*values.first()?).ok()?,
        "calibration" => learned.calibration.extend(values.iter().map(|v| *v as f64 * FINE)),
        _ => learned.weights.extend(values.iter().map(|v| *v as f32 * UNIT)),
    }
    Some(())
}

/// The text of `rows.tsv`.
#[must_use]
pub fn rows_text(learned: &Learned) -> String {
    let mut text = String::from("# written by `make train`: kind, text, numbers of all members in hex\n");
    for row in &learned.rows {
        let kind = match &row.kind {
            Kind::Pattern(boundary) => boundary,
            Kind::Shape => "shape",
            Kind::Group => "group",
        };
        let _ = write!(text, "{kind}\t{}\t", row.text);
        row.numbers.iter().for_each(|n| {
            let _ = write!(text, "{:02x}", *n as u8);
        });
        text.push('\n');
    }
    text
}

/// The text of `network.tsv`; `columns` gives name and length of each line of a member.
#[must_use]
pub fn network_text(learned: &Learned, columns: &[(String, usize)]) -> String {
    let mut text = format!(
        "# written by `make train`: layers in 1/4096, calibration in 1/65536\nmembers\t{}\n",
        learned.members
    );
    let calibration: Vec<String> =
        learned.calibration.iter().map(|c| format!("{}", (c / FINE).round() as i64)).collect();
    let _ = writeln!(text, "calibration\t{}", calibration.join(" "));
    let mut rest = learned.weights.as_slice();
    for member in 0..learned.members {
        for (name, length) in columns {
            let (own, tail) = rest.split_at(*length);
            rest = tail;
            let own: Vec<String> = own.iter().map(|w| format!("{}", (w / UNIT).round() as i64)).collect();
            let _ = writeln!(text, "{name}.{member}\t{}", own.join(" "));
        }
    }
    text
}
