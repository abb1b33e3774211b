//! Commands that break out of an argument, or that nobody runs by accident.
//!
//! `gcc main.c && ./a.out` is homework. An attack destroys (`rm -rf /`), opens a shell to elsewhere
//! (`/dev/tcp/…`, `nc -e`), fetches a program and runs it, or reads what is not its own behind a
//! separator (`x; cat /etc/shadow`).

use std::ops::Range;

use super::cursor::{Cursor, each};
use super::mention::any_used;
use super::message::Message;

/// Bytes behind a command that are looked at.
const WINDOW: usize = 200;
/// How PowerShell's `-EncodedCommand` is written.
const ENCODED: [&str; 4] = ["-e", "-ec", "-enc", "-encodedcommand"];

/// Whether `message` carries such a payload and uses it.
pub(super) fn used(message: &Message) -> bool {
    any_used(message, payloads(&message.text))
}

fn payloads(text: &str) -> Vec<Range<usize>> {
    let marks =
        [":(){", "|:&", "> /dev/sda", "of=/dev/sda", "/dev/tcp/", "__import__('os').", "__import__(\"os\")."];
    let fixed = marks.iter().flat_map(|mark| each(text, mark).map(|at| at..at.saturating_add(mark.len())));
    let removals = each(text, "rm -").filter_map(|at| removal(text, at));
    let listeners = each(text, "nc ").chain(each(text, "ncat ")).filter_map(|at| listener(text, at));
    let readers =
        each(text, "/etc/passwd").chain(each(text, "/etc/shadow")).filter_map(|at| reader(text, at));
    let fetchers =
        ["curl ", "wget "].into_iter().flat_map(|call| each(text, call)).filter_map(|at| fetcher(text, at));
    let power = each(text, "downloadstring(").chain(each(text, "frombase64string("));
    let power = power
        .filter(|_| text.contains("iex") || text.contains("powershell"))
        .map(|at| at..at.saturating_add(1));
    let encoded = each(text, "powershell").filter_map(|at| encoded_command(text, at));
    let rights = each(text, "chmod ").chain(each(text, "chown ")).filter_map(|at| rights(text, at));
    let power = power.chain(encoded).chain(rights);
    fixed.chain(removals).chain(listeners).chain(readers).chain(fetchers).chain(power).collect()
}

fn command_at(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| {
        before.is_empty() || before.ends_with([' ', ';', '&', '|', '(', '`', '\'', '"', '\n'])
    })
}

/// `rm` with -r and -f on everything: the root, the home, all.
fn removal(text: &str, at: usize) -> Option<Range<usize>> {
    let (flags, after) = Cursor::new(text, at.saturating_add("rm -".len())).name()?;
    let target = after.spaces().rest().split_whitespace().next().unwrap_or_default();
    let target = target.trim_end_matches([';', ')', '`', '\'', '"', '&', '|', '#']);
    let everything =
        ["/", "/*", "~", "~/", "~/*", "$home", "/home", "/etc", "/var", "/usr", "--no-preserve-root"];
    let recursive = flags.contains('r') && flags.contains('f');
    (command_at(text, at) && recursive && everything.contains(&target))
        .then(|| at..after.spaces().at().saturating_add(target.len()))
}

/// PowerShell that is given its command in base64.
fn encoded_command(text: &str, at: usize) -> Option<Range<usize>> {
    let line = Cursor::new(text, at).window(WINDOW).split('\n').next().unwrap_or_default();
    let command = line.split_whitespace().skip_while(|word| !ENCODED.contains(word)).nth(1)?;
    let digits = command.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).count();
    (command_at(text, at) && digits >= 8).then(|| at..end(line, command, digits, at))
}

/// Behind a separator, rights or an owner for what belongs to the system.
fn rights(text: &str, at: usize) -> Option<Range<usize>> {
    let separated = text.get(..at)?.trim_end().ends_with([';', '&', '|', '`', '(']);
    let line = Cursor::new(text, at).window(WINDOW).split(['\n', ';', '&', '|']).next().unwrap_or_default();
    let target = line.split_whitespace().nth(2)?;
    let path = target.trim_end_matches(['\'', '"', '`', ')']);
    let systems = ["/etc", "/bin", "/usr", "/root", "/boot", "/var"];
    let system = path == "/" || systems.iter().any(|folder| path.starts_with(folder));
    (separated && system).then(|| at..end(line, target, path.len(), at))
}

/// Where the first `length` bytes of `word` end, a word of `line`, which begins at `at`.
fn end(line: &str, word: &str, length: usize, at: usize) -> usize {
    at.saturating_add(line.find(word).unwrap_or_default()).saturating_add(length)
}

/// `nc` that hands its connection to a shell.
fn listener(text: &str, at: usize) -> Option<Range<usize>> {
    let line = Cursor::new(text, at).window(WINDOW).split('\n').next().unwrap_or_default();
    let shell = line.contains(" -e ")
        || line.contains(" -c ")
        || line.contains("/bin/sh")
        || line.contains("/bin/bash");
    (command_at(text, at) && shell).then(|| at..at.saturating_add(line.len()))
}

/// A command behind a separator, or inside a substitution, that reads the users' file.
fn reader(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?.trim_end();
    let call =
        before.split_whitespace().next_back()?.trim_start_matches([';', '&', '|', '`', '(', '$', '\'', '"']);
    let reads = ["cat", "less", "more", "head", "tail", "tac", "nl", "type"].contains(&call);
    let start = before.rfind(call)?;
    let lead = before.get(..start)?.trim_end();
    let separated = [";", "&&", "|", "$(", "`", "&"].iter().any(|separator| lead.ends_with(separator));
    // At the beginning of a message a backtick is a substitution only if it is one; `cat x | cut` is a lesson.
    (reads && separated).then(|| start..at.saturating_add("/etc/passwd".len()))
}

/// `curl` or `wget` whose answer is run, or whose address carries the output of a command.
fn fetcher(text: &str, at: usize) -> Option<Range<usize>> {
    if !command_at(text, at) {
        return None;
    }
    let line = Cursor::new(text, at).window(WINDOW).split('\n').next().unwrap_or_default();
    let piped = line.split('|').skip(1).map(str::trim_start).any(|next| {
        let next = next.trim_start_matches("sudo ");
        ["sh", "bash", "zsh", "python", "python3", "perl"]
            .iter()
            .any(|shell| Cursor::new(next, 0).word(shell).is_some())
    });
    let leaks = line.contains("$(") || line.contains('`') && !text.get(..at)?.contains('`');
    let plain_http = line.contains("http://");
    let runs = line.contains("chmod ") && plain_http;
    let before = text.get(..at)?.trim_end();
    let substituted = before.ends_with(['`', '(']);
    let separated = before.ends_with([';', '&', '|']) && !is_script(before);
    // Installers are piped into a shell as well, but by https and among other commands.
    let hostile =
        (piped && (substituted || separated || plain_http)) || leaks || (runs && (substituted || separated));
    hostile.then(|| at..at.saturating_add(line.len()))
}

/// Whether the line before begins with a command that people type themselves.
fn is_script(before: &str) -> bool {
    const COMMANDS: [&str; 24] = [
        "apt", "apt-get", "brew", "cd", "cmake", "conda", "cp", "docker", "echo", "export", "git", "ls",
        "make", "mkdir", "mv", "npm", "pip", "pip3", "python", "python3", "run", "source", "sudo", "yum",
    ];
    let line = before.rsplit('\n').next().unwrap_or_default().trim_start_matches(['$', '#', '>', ' ', '%']);
    line.split_whitespace().next().is_some_and(|word| COMMANDS.contains(&word))
}
