use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::manifest::Manifest;

fn variables() -> Variables {
    let text = r#"
        spin_manifest_version = 2
        [application]
        name = "t"
        [variables]
        empty = { default = "" }
        dapr = { default = "http://localhost:3500" }
        path = { default = "http://localhost:3500/v1.0" }
    "#;
    let manifest = Manifest::parse(text, Path::new(".")).unwrap();
    Variables::new(&manifest, BTreeMap::new(), BTreeMap::new()).unwrap()
}

fn hosts(entries: &[&str]) -> Result<AllowedHosts> {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    AllowedHosts::resolve(&entries, &variables(), &["sidecar"])
}

#[test]
fn scheme_host_and_port_must_all_match() {
    for (entry, url, allowed) in [
        ("http://a.test", "http://a.test/x", true),
        ("http://a.test", "http://a.test:80/", true),
        ("http://a.test", "http://a.test:81/", false),
        ("http://a.test", "https://a.test/", false),
        ("http://a.test/", "http://a.test/", true),
        ("http://a.test:8080", "http://a.test:8080/", true),
        ("http://a.test:8080/", "http://a.test:8080/", true),
        ("http://a.test:8000..8002", "http://a.test:8001/", true),
        ("http://a.test:8000..8002", "http://a.test:8002/", false),
        ("*://a.test:*", "https://a.test:9/", true),
        ("http://*", "http://b.test/", true),
        ("http://*.a.test", "http://b.a.test/", true),
        ("http://*.a.test", "http://a.test/", false),
        ("http://127.0.0.1:3500", "http://127.0.0.1:3500/", true),
        ("http://127.0.0.0/8:3500", "http://127.1.2.3:3500/", true),
        ("http://[::1]:3500", "http://[::1]:3500/", true),
        ("http://self", "http://a.test/", false),
        ("{{ dapr }}", "http://localhost:3500/v1.0/invoke", true),
        ("{{ dapr }}", "http://localhost:3501/", false),
        ("http://*.spin.internal", "http://sidecar.spin.internal/", true),
        ("http://*.spin.internal", "http://nobody.spin.internal/", false),
        ("http://nobody.spin.internal", "http://nobody.spin.internal/", true),
    ] {
        let uri = url.parse().unwrap();
        assert_eq!(hosts(&[entry]).unwrap().allows(&uri), allowed, "{entry} {url}");
    }
}

#[test]
fn a_template_that_resolves_to_nothing_is_skipped() {
    let hosts = hosts(&["{{ empty }}", "http://{{ empty }}", "http://a.test"]).unwrap();
    assert!(hosts.allows(&"http://a.test/".parse().unwrap()));
}

#[test]
fn one_bad_entry_spoils_the_list() {
    for bad in ["{{ path }}", "a.test", "", "http://", "http://a.test/x", "ftp://a.test", "http://a*b"] {
        assert!(hosts(&["http://a.test", bad]).is_err(), "{bad}");
    }
}

#[test]
fn a_literal_sibling_must_be_there() {
    let check = |entry: &str| AllowedHosts::check_literals(&[entry.to_owned()], &["web"]);
    assert!(check("http://web.spin.internal").is_ok());
    assert!(check("http://*.spin.internal").is_ok());
    assert!(check("{{ dapr }}").is_ok());
    let error = check("http://sidecar.spin.internal").unwrap_err().to_string();
    assert!(error.contains("`sidecar`"), "{error}");
}
