//! The page under `/`.

use http::Request;
use triage_host::Response;

use crate::support::*;

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OWN_KEY: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"own","k":"b3VyLW93bi1rZXktb2YtdGhpcnR5LXR3by1ieXRlcy1vci1tb3Jl"}]}"#;
const KEY: &str = "triage-development-key-never-use-in-production";

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

fn page(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    answer.text()
}

#[tokio::test(start_paused = true)]
async fn the_page_and_all_it_loads_come_from_here() {
    let app = app(&Sidecar::default()).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
    ] {
        let answer = app.request(get(path)).await;
        page(&answer);
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
    }
    let text = page(&app.request(get("/")).await);
    for reference in text.split(['"', '\'']).filter(|part| part.starts_with('/')) {
        assert_eq!(app.request(get(reference)).await.status, 200, "{reference}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_development_key_stands_in_the_page_only_where_it_opens_the_gateway() {
    let stand_in = plain().virtual_time().build().await.unwrap();
    assert!(page(&stand_in.request(get("/")).await).contains(KEY));
    let own_keys = app_with(&Sidecar::default(), &[("jwt_keys", OWN_KEY)]).await;
    assert!(!page(&own_keys.request(get("/")).await).contains(KEY));
    let faulty = plain().variable("rate_limit_per_minute", "many").virtual_time().build().await.unwrap();
    assert!(!page(&faulty.request(get("/")).await).contains(KEY), "served whatever the configuration");
    assert_eq!(faulty.request(get("/api/v1/agents")).await.status, 503);
}
