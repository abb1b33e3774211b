//! Over TCP, in real time: hyper's refusals, connections that are closed, real outbound calls.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use triage_host::Server;

use crate::support::real_time_app;

/// Sends raw bytes, and reads until the server closes or says enough for `until`.
async fn exchange(server: &Server, sent: String, until: &'static str) -> String {
    let address = server.address();
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may close before it has read everything.
        let _ = stream.write_all(sent.as_bytes());
        let (mut got, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => break,
                Ok(size) => got.extend_from_slice(piece.get(..size).unwrap()),
            }
            let text = String::from_utf8_lossy(&got);
            if !until.is_empty() && text.ends_with(until) {
                break;
            }
        }
        String::from_utf8(got).unwrap()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_a_connection_and_bodies_without_a_length_are_chunked() {
    let app = real_time_app().build().await.unwrap();
    let server = app.serve("127.0.0.1:0").await.unwrap();
    let two = "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /stream?n=2&ms=1 HTTP/1.1\r\nhost: a\r\n\r\n";
    let got = exchange(&server, two.to_owned(), "0\r\n\r\n").await;
    assert_eq!(got.matches("HTTP/1.1 200 OK").count(), 2, "{got}");
    assert!(got.contains("content-length: 5") && got.contains("transfer-encoding: chunked"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_own_refusals_are_spins() {
    let app = real_time_app().build().await.unwrap();
    let server = app.serve("127.0.0.1:0").await.unwrap();
    let many: String = (0..10_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    for (name, head, status) in [
        ("10 000 headers", format!("host: a\r\n{many}"), "HTTP/1.1 431 "),
        ("two lengths", "host: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n".to_owned(), "HTTP/1.1 400 "),
        ("no host", String::new(), ""),
        ("bad host", "host: a b\r\n".to_owned(), ""),
    ] {
        let got = exchange(&server, format!("GET / HTTP/1.1\r\n{head}\r\n"), "").await;
        assert!(got.starts_with(status) && got.is_empty() == status.is_empty(), "{name}: {got}");
        assert!(got.is_empty() || got.ends_with("\r\n\r\n"), "{name}: no body in {got}");
    }
    let clash = "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n".to_owned();
    assert_eq!(exchange(&server, clash, "").await, "");
    assert_eq!(app.instances().get("probe"), Some(&0));
}

#[tokio::test(flavor = "multi_thread")]
async fn real_hosts_are_called_and_their_absence_is_told() {
    let upstream = real_time_app().build().await.unwrap();
    let server = upstream.serve("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.address());
    let app = real_time_app().network().variable("upstream", &url).build().await.unwrap();
    let call = |options: &str| crate::support::get(&format!("/call?url={url}/{options}"));
    assert_eq!(app.request(call("")).await.text(), "200 hello");
    assert_eq!(app.request(call("echo&length=1")).await.text(), "200 ");
    let framing = app.request(call("headers&stream=1").map(|_| bytes::Bytes::from_static(b"x"))).await;
    assert!(framing.text().starts_with("200 "), "{}", framing.text());
    assert_eq!(
        app.request(call("sleep%3Fms%3D5000&first_byte_ms=50")).await.text(),
        "error ErrorCode::ConnectionReadTimeout"
    );
    let secure = format!("https://{}", server.address());
    let plain = real_time_app().network().variable("upstream", &secure).build().await.unwrap();
    let answer = plain.request(crate::support::get(&format!("/call?url={secure}/"))).await;
    assert_eq!(answer.text(), "error ErrorCode::TlsProtocolError");
    drop(server);
    let gone = real_time_app().network().variable("upstream", "http://127.0.0.1:9").build().await;
    let gone = gone.unwrap();
    let answer = gone.request(crate::support::get("/call?url=http://127.0.0.1:9/")).await;
    assert_eq!(answer.text(), "error ErrorCode::ConnectionRefused");
}
