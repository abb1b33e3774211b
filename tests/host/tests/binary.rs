//! `triage-host up` as a process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::probe;

fn request(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).unwrap();
    got.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn directory(name: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("triage-host-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.toml");
    std::fs::copy(manifest, directory.join("spin.toml")).unwrap();
    std::fs::copy(probe(), directory.join("probe.wasm")).unwrap();
    directory
}

#[test]
fn it_serves_keeps_its_store_and_ends_on_a_signal() {
    let directory = directory("up");
    for seen in ["1", "2"] {
        let mut host = Command::new(env!("CARGO_BIN_EXE_triage-host"))
            .args(["up", "--listen", "127.0.0.1:0", "--variable", "greeting=hi"])
            .current_dir(&directory)
            .env("SPIN_VARIABLE_GREETING", "not this")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.strip_prefix("Serving http://").unwrap();
        assert_eq!(request(address, "/wasi/increment?k=n&d=1"), seen);
        assert_eq!(request(address, "/variable?name=greeting"), "hi, world");
        assert_eq!(request(address, "/log?text=abc"), "logged");
        let signal = if seen == "1" { "-INT" } else { "-TERM" };
        Command::new("kill").args([signal, &host.id().to_string()]).status().unwrap();
        assert!(host.wait().unwrap().success());
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(rest.contains(&"[probe] abc".to_owned()), "{rest:?}");
        let mut errors = String::new();
        host.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(errors, "[probe] abc\n");
    }
    assert!(directory.join(".spin/sqlite_key_value.db").exists());
    assert!(directory.join(".triage/cache").exists());
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_manifest_that_is_not_right_is_told_in_one_line() {
    let directory = directory("bad");
    std::fs::write(directory.join("spin.toml"), "spin_manifest_version = 2\n[wat]\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_triage-host"))
        .args(["up", "--from", "spin.toml"])
        .current_dir(&directory)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("error: in manifest spin.toml: "), "{errors}");
    std::fs::remove_dir_all(directory).unwrap();
}
