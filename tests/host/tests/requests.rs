//! From a request to the guest's answer, and what the host answers itself.

use bytes::Bytes;
use http::Request;
use triage_host::{App, Fault};

use crate::support::{app, get, probe, text};

#[tokio::test(start_paused = true)]
async fn a_request_gets_the_guests_answer() {
    let app = app().build().await.unwrap();
    let response = app.request(get("/")).await;
    assert_eq!((response.status.as_u16(), response.text().as_str()), (200, "hello"));
    assert_eq!(response.header("content-length"), Some("5"));
    let echo = Request::post("/echo").body("körper").unwrap();
    assert_eq!(app.request(echo).await.text(), "körper");
}

#[tokio::test(start_paused = true)]
async fn variables_reach_the_guest_as_its_manifest_says() {
    let app = app().variable("greeting", "hi").build().await.unwrap();
    assert_eq!(text(&app, "/variable?name=greeting").await, "hi, world");
    assert!(text(&app, "/variable?name=upstream").await.starts_with("error Error::Undefined"));
    assert!(text(&app, "/variable?name=A").await.starts_with("error Error::InvalidName"));
}

#[tokio::test(start_paused = true)]
async fn the_guest_sees_spins_headers_and_no_host() {
    let app = app().build().await.unwrap();
    let request = Request::get("/headers?a=b")
        .header("host", "example.test:8080")
        .header("connection", "keep-alive")
        .header("x-twice", "1")
        .header("x-twice", "2")
        .body(Bytes::new())
        .unwrap();
    let seen = app.request(request).await.text();
    let lines: Vec<&str> = seen.lines().collect();
    for line in [
        "spin-full-url: http://example.test:8080/headers?a=b",
        "spin-path-info: /headers",
        "spin-matched-route: /...",
        "spin-client-addr: 127.0.0.1:49152",
        "x-twice: 1",
        "x-twice: 2",
    ] {
        assert!(lines.contains(&line), "{line} in {seen}");
    }
    assert!(!seen.contains("\nhost:") && !seen.contains("connection:"), "{seen}");
    assert_eq!(text(&app, "http://h.test/uri?x=y").await, "http://h.test/uri?x=y");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_fails_becomes_a_bare_500() {
    let app = app().build().await.unwrap();
    for (path, is_trap) in [("/trap", true), ("/error", false)] {
        let response = app.request(get(path)).await;
        assert_eq!(response.status, 500);
        assert!(response.body.is_empty() && response.headers.is_empty());
        assert_eq!(matches!(response.fault, Some(Fault::Trap(_))), is_trap, "{:?}", response.fault);
    }
    assert_eq!(text(&app, "/").await, "hello");
}

#[tokio::test(start_paused = true)]
async fn the_host_refuses_what_no_guest_may_see() {
    let app = app().build().await.unwrap();
    let odd = Request::get("/").header("x", &b"\xff"[..]).body(Bytes::new()).unwrap();
    let refused = app.request(odd).await;
    assert_eq!((refused.status.as_u16(), refused.body.len()), (500, 0));
    let clash = Request::get("http://a.test/").header("host", "b.test").body(Bytes::new()).unwrap();
    assert!(matches!(app.request(clash).await.fault, Some(Fault::Closed(_))));
    let sibling = Request::get("/").header("host", "sibling.spin.internal").body(Bytes::new()).unwrap();
    assert!(matches!(app.request(sibling).await.fault, Some(Fault::Closed(_))));
    assert_eq!(text(&app, "/.well-known/spin/health").await, "OK");
    assert_eq!(app.request(get("/.well-known/spin/x")).await.status, 404);
    assert!(app.instances().values().all(|made| *made == 0), "no guest was asked");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_route_is_spins_empty_404() {
    let directory = std::env::temp_dir().join(format!("triage-host-route-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let manifest = directory.join("spin.toml");
    let text = r#"
        spin_manifest_version = 2
        [application]
        name = "t"
        [[trigger.http]]
        route = "/api/..."
        component = "web"
        [component.web]
        source = "web.wasm"
    "#;
    std::fs::write(&manifest, text).unwrap();
    let app = App::builder(&manifest).source("web", probe()).virtual_time().build().await.unwrap();
    let response = app.request(get("/other")).await;
    assert_eq!((response.status.as_u16(), response.body.len()), (404, 0));
    assert_eq!(app.request(get("/api/x")).await.text(), "hello");
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_undefined_store_label_and_a_missing_component_stop_the_start() {
    let directory = std::env::temp_dir().join(format!("triage-host-start-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let manifest = directory.join("spin.toml");
    let head = "spin_manifest_version = 2\n[application]\nname = \"t\"\n[component.web]\n";
    for (rest, named) in [
        (
            "source = \"w.wasm\"\nkey_value_stores = [\"other\"]",
            "unknown key_value_stores label \"other\" for component \"web\"",
        ),
        ("source = \"w.wasm\"\nallowed_outbound_hosts = [\"http://x.spin.internal\"]", "no component `x`"),
        ("source = \"w.wasm\"", "w.wasm"),
    ] {
        std::fs::write(&manifest, format!("{head}{rest}")).unwrap();
        let error = App::builder(&manifest).virtual_time().build().await.err().unwrap();
        assert!(format!("{error:#}").contains(named), "{error:#}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn output_is_kept_by_component_and_line() {
    let app = app().build().await.unwrap();
    assert_eq!(text(&app, "/log?text=eins%0Azwei").await, "logged");
    let lines: Vec<_> = app.logs().into_iter().map(|line| (line.component, line.stderr, line.text)).collect();
    let expected = [(false, "eins"), (false, "zwei"), (true, "eins"), (true, "zwei")]
        .map(|(stderr, text)| ("probe".to_owned(), stderr, text.to_owned()));
    assert_eq!(lines, expected);
}

#[test]
fn the_imports_of_a_component_are_listed() {
    let imports = triage_host::imports(probe()).unwrap();
    assert!(imports.iter().any(|name| name == "spin:key-value/key-value@3.0.0"), "{imports:?}");
}
