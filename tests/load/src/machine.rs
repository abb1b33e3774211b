//! What the figures were measured on. A figure without its machine says nothing.

use std::fs;

/// One line: processor, cores, memory, system, how busy it is.
#[must_use]
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {} cores, {} GiB, {} {}, load {}",
        model.unwrap_or("unknown processor"),
        cores(),
        kib.map_or(0, |kib| kib.div_ceil(1 << 20)),
        std::env::consts::OS,
        release.trim(),
        load().map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}")),
    )
}

/// Cores this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Processes that wanted a core, on average over the last minute.
#[must_use]
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}
