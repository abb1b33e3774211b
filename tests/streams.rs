//! Streams: passed through as they come, never replayed, filed at their end.

use std::time::Duration;

use serde_json::Value;
use triage_host::{App, Call, Reply};

use crate::support::*;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn stream() -> Reply {
    Reply::new(200).header("content-type", "text/event-stream")
}

/// Names and data of the events in `text`.
fn events(text: &str) -> Vec<(String, String)> {
    let field = |block: &str, name: &str| {
        let lines = block.lines().filter_map(|line| line.strip_prefix(name).map(str::trim));
        lines.collect::<Vec<_>>().join("\n")
    };
    text.split("\n\n")
        .filter(|b| !b.trim().is_empty())
        .map(|b| (field(b, "event:"), field(b, "data:")))
        .collect()
}

fn names(text: &str) -> Vec<String> {
    events(text).into_iter().map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn pieces_are_passed_on_as_they_come() {
    let sidecar = Sidecar::new(|_, _| {
        stream()
            .chunk(secs(1), "data: one\n\n")
            .chunk(secs(1), "data: two\n")
            .chunk(secs(1), "\ndata: three\n\n")
    });
    let app = app(&sidecar).await;
    let mut answer = app.open(ask_stream(STUCK).map(App::full)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert!(!answer.headers.contains_key("content-length"));
    assert_eq!(sidecar.invoked()[0].header("accept"), Some("text/event-stream"));
    let mut text = String::new();
    let mut arrivals = Vec::new();
    while let Some(frame) = answer.next().await {
        arrivals.push(frame.at.as_secs());
        text.push_str(&frame.text());
    }
    assert_eq!(names(&text), ["decision", "", "", "", "done"], "{text}");
    assert_eq!((arrivals.first(), arrivals.last()), (Some(&0), Some(&3)));
    assert!(arrivals.contains(&1) && arrivals.contains(&2), "{arrivals:?}");
    let decision: Value = serde_json::from_str(&events(&text)[0].1).unwrap();
    assert_eq!(decision["target_agent"], "debug-agent");
    assert_eq!(decision["agent_response"], Value::Null);
    settle(&app).await;
    assert_eq!(sidecar.outcomes(), ["completed"]);
}

/// Whether daprd hides another status than 2xx from this call (`tests/fixtures/daprd.json`).
fn hides(call: &Call) -> bool {
    call.header("accept") == Some("text/event-stream")
}

/// What it says instead.
fn hidden() -> Reply {
    let message = "failed to invoke, id: debug-agent, err: rpc error: no response received from stream";
    Reply::json(500, serde_json::json!({ "errorCode": "ERR_DIRECT_INVOKE", "message": message }).to_string())
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_dapr_hides_from_a_stream_says_nothing_about_the_agent() {
    let sidecar = Sidecar::new(|call, _| if hides(call) { hidden() } else { Reply::json(422, "{}") });
    let app = app(&sidecar).await;
    for n in 1..=6 {
        let answer = app.request(ask_stream(STUCK)).await;
        assert_eq!((answer.status.as_u16(), &json(&answer)["error"]), (502, &"agent_rejected".into()), "{n}");
        assert!(answer.ended_at < Duration::from_millis(100), "at once: {:?}", answer.ended_at);
        assert_eq!(sidecar.calls(), 2 * n, "asked again once, in a way that shows the status");
    }
    let [first, second, ..] = &sidecar.invoked()[..] else { panic!("two calls") };
    assert_eq!(second.header("accept"), Some("text/event-stream, application/json"));
    assert_eq!(second.header("idempotency-key"), first.header("idempotency-key"));
    settle(&app).await;
    assert_eq!(sidecar.events("learning.events")[0]["data"]["dapr_results"]["attempts"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_dapr_hides_from_a_stream_counts_once_it_shows() {
    let sidecar = Sidecar::new(|call, _| if hides(call) { hidden() } else { Reply::json(503, "{}") });
    let app = app(&sidecar).await;
    // Of three attempts the two that show the status count: the fifth opens it.
    for (calls, breaker) in [(3, "closed"), (6, "closed"), (8, "open"), (8, "open")] {
        let answer = json(&app.request(ask_stream(STUCK)).await);
        assert_eq!(
            (&answer["error"], &answer["circuit_breaker"]),
            (&"agent_unavailable".into(), &breaker.into())
        );
        assert_eq!(sidecar.calls(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hidden_failure_counts_when_the_deadline_keeps_the_status_from_showing() {
    let slow = Duration::from_millis(1_900);
    let sidecar =
        Sidecar::new(move |call, _| if hides(call) { hidden() } else { Reply::json(503, "{}") }.after(slow));
    let app = app_with(&sidecar, &[("deadline_ms", "3000")]).await;
    for n in 0..5 {
        assert_eq!(app.request(ask_stream(STUCK)).await.status, 504, "{n}");
    }
    let answer = json(&app.request(ask_stream(STUCK)).await);
    assert_eq!(answer["circuit_breaker"], "open", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn without_another_attempt_a_hidden_status_counts_as_a_failure() {
    let sidecar = Sidecar::new(|call, _| if hides(call) { hidden() } else { Reply::json(422, "{}") });
    let app = app_with(&sidecar, &[("retry_attempts", "1")]).await;
    for _ in 0..5 {
        app.request(ask_stream(STUCK)).await;
    }
    assert_eq!(
        (sidecar.calls(), json(&app.request(ask_stream(STUCK)).await)["circuit_breaker"].clone()),
        (5, "open".into())
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_hidden_from_one_who_wants_a_document() {
    // An agent that passes on what its own sidecar said.
    let sidecar = Sidecar::new(|_, _| hidden());
    let app = app(&sidecar).await;
    assert_eq!(json(&app.request(ask(STUCK)).await)["error"], "agent_unavailable");
    let accepted: Vec<_> =
        sidecar.invoked().iter().map(|call| call.header("accept").map(str::to_owned)).collect();
    assert_eq!(accepted, vec![Some("application/json".to_owned()); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_dapr_hides_the_status_of_is_still_one_probe() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    for n in 0..5 {
        app.request(ask_as(n, STUCK)).await;
    }
    app.clock().advance(secs(31)).await;
    sidecar.agents(
        |call, _| {
            if hides(call) { hidden() } else { stream().chunk(Duration::ZERO, "data: x\n\n") }
        },
    );
    let text = app.request(ask_stream(STUCK)).await.text();
    assert!(text.contains("event: done"), "{text}");
    settle(&app).await;
    sidecar.agents(|_, _| good());
    let answer = json(&app.request(ask_as(9, STUCK)).await);
    assert_eq!(answer["metadata"]["circuit_breaker_status"], "closed", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn plain_json_under_a_streams_label_is_one_answer_event() {
    let body = "{\n  \"status\": \"success\",\n  \"text\": \"a\"\n}";
    let sidecar =
        Sidecar::new(move |_, _| stream().chunk(Duration::ZERO, &body[..9]).chunk(secs(1), &body[9..]));
    let app = app(&sidecar).await;
    let text = app.request(ask_stream(STUCK)).await.text();
    assert_eq!(names(&text), ["decision", "answer", "done"], "{text}");
    let answer: Value = serde_json::from_str(&events(&text)[1].1).unwrap();
    assert_eq!(answer["text"], "a");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_byte_a_stream_is_retried_and_can_be_a_502() {
    let sidecar = Sidecar::new(|_, n| {
        if n == 0 { Reply::json(503, "{}") } else { stream().chunk(Duration::ZERO, "data: x\n\n") }
    });
    let app = app(&sidecar).await;
    let response = app.request(ask_stream(STUCK)).await;
    let decision: Value = serde_json::from_str(&events(&response.text())[0].1).unwrap();
    assert_eq!(decision["metadata"]["retry_count"], 1);
    sidecar.agents(|_, _| Reply::json(500, "{}"));
    assert_eq!(problem(&app.request(ask_stream(STUCK)).await), (502, "agent_unavailable".into()));
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_ends_with_an_error_event_and_counts() {
    for (name, reply) in [
        ("cut", stream().chunk(Duration::ZERO, "data: one\n\ndata: tw").cut()),
        ("idle", stream().chunk(Duration::ZERO, "data: one\n\ndata: tw").stall()),
    ] {
        let sidecar = Sidecar::new(move |_, _| reply.clone());
        let app = app(&sidecar).await;
        let response = app.request(ask_stream(STUCK)).await;
        let text = response.text();
        assert_eq!(names(&text).last().map(String::as_str), Some("error"), "{name}: {text}");
        let error: Value = serde_json::from_str(&events(&text).last().unwrap().1).unwrap();
        assert_eq!((&error["error"], &error["retryable"]), (&"agent_unavailable".into(), &true.into()));
        assert!(response.ended_at <= secs(16), "{name}: {:?}", response.ended_at);
        settle(&app).await;
        assert_eq!(sidecar.calls(), 1, "{name}: never replayed");
        assert_eq!(sidecar.outcomes(), ["truncated"], "{name}");
        assert_eq!(app.store().counter("n:bf:0:debug-agent").await.unwrap(), Some(1), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_student_who_hangs_up_says_nothing_about_the_agent() {
    let sidecar =
        Sidecar::new(|_, _| (0..100).fold(stream(), |reply, _| reply.chunk(secs(1), "data: tick\n\n")));
    let app = app(&sidecar).await;
    let mut answer = app.open(ask_stream(STUCK).map(App::full)).await;
    for _ in 0..3 {
        answer.next().await.unwrap();
    }
    answer.hang_up();
    app.clock().advance(secs(5)).await;
    assert_eq!(app.store().counter("n:bf:0:debug-agent").await.unwrap(), None);
    assert_eq!(sidecar.outcomes(), ["client_closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_stream_is_never_taken_for_abandoned() {
    let sidecar = Sidecar::new(|_, _| {
        (0..12).fold(stream().chunk(secs(5), "data: first\n\n"), |reply, _| {
            reply.chunk(secs(14), "data: tick\n\n")
        })
    });
    let app = app(&sidecar).await;
    let answer = app.open(ask_stream(STUCK).map(App::full)).await;
    let watch = async {
        for _ in 0..8 {
            app.clock().advance(secs(20)).await;
            app.request(maintenance()).await;
        }
    };
    let (response, ()) = tokio::join!(answer.collect(), watch);
    assert_eq!(names(&response.text()).last().map(String::as_str), Some("done"));
    settle(&app).await;
    assert_eq!(sidecar.outcomes(), ["completed"]);
}

#[tokio::test(start_paused = true)]
async fn no_stream_outlasts_five_minutes() {
    let sidecar =
        Sidecar::new(|_, _| (0..100).fold(stream(), |reply, _| reply.chunk(secs(10), "data: tick\n\n")));
    let app = app(&sidecar).await;
    let response = app.request(ask_stream(STUCK)).await;
    assert!((secs(299)..secs(302)).contains(&response.ended_at), "{:?}", response.ended_at);
    assert_eq!(names(&response.text()).last().map(String::as_str), Some("error"));
}

#[tokio::test(start_paused = true)]
async fn every_form_of_json_is_an_answer() {
    for (body, answer) in [
        ("\"look at line 3\"", serde_json::json!("look at line 3")),
        (" \n 42", 42.into()),
        ("-1.5", (-1.5).into()),
        ("true", true.into()),
        ("null", Value::Null),
    ] {
        let (first, rest) = body.split_at(2);
        let reply = stream().chunk(Duration::ZERO, first).chunk(secs(1), rest);
        let sidecar = Sidecar::new(move |_, _| reply.clone());
        let app = app(&sidecar).await;
        let text = app.request(ask_stream(STUCK)).await.text();
        assert_eq!(names(&text), ["decision", "answer", "done"], "{body}: {text}");
        assert_eq!(serde_json::from_str::<Value>(&events(&text)[1].1).unwrap(), answer, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_of_line_end_ends_an_event() {
    for text in ["data: one\n\n", "\n\ndata: one\n\n", "data: one\r\n\r\n", "data: one\r\r", "true: x\n\n"] {
        let (first, rest) = text.split_at(1);
        let reply = stream().chunk(Duration::ZERO, first).chunk(secs(1), rest);
        let sidecar = Sidecar::new(move |_, _| reply.clone());
        let app = app(&sidecar).await;
        let answer = app.request(ask_stream(STUCK)).await.text();
        assert!(answer.contains("event: done"), "{text:?}: {answer}");
        assert!(answer.contains(text), "{text:?} as it came: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_that_opens_the_breaker_says_so() {
    let sidecar = Sidecar::new(|_, _| Reply::json(500, "{}"));
    let app = app(&sidecar).await;
    for n in 0..4 {
        app.request(ask_as(n, STUCK)).await;
    }
    sidecar.agents(|_, _| stream().chunk(Duration::ZERO, "data: tw").cut());
    let text = app.request(ask_stream(STUCK)).await.text();
    let error: Value = serde_json::from_str(&events(&text).last().unwrap().1).unwrap();
    assert_eq!((&error["circuit_breaker"], &error["retry_after"]), (&"open".into(), &30.into()), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_streams_idempotency_key_stays_taken_from_beginning_to_end() {
    // At whatever place of a claim's time slot it begins.
    for second in [0, 3, 6, 9, 11] {
        // The third attempt is the one that streams.
        let sidecar = Sidecar::new(|_, n| {
            let reply = if n < 2 {
                Reply::json(503, "{}")
            } else {
                let begun = stream().chunk(secs(1), "data: tick\n\n");
                (0..4).fold(begun, |reply, _| reply.chunk(secs(9), "data: tick\n\n"))
            };
            reply.after(Duration::from_millis(1_900))
        });
        let app = app(&sidecar).await;
        app.clock().advance(secs(second)).await;
        let request = || {
            let mut request = ask_stream(STUCK);
            request.headers_mut().insert("idempotency-key", "one".parse().unwrap());
            request
        };
        let again = async {
            for at in 0..40 {
                app.clock().advance(secs(1)).await;
                let answer = app.request(request()).await;
                assert_eq!(answer.status, 409, "begun at {second}, {at} s later");
            }
        };
        let (answer, ()) = tokio::join!(app.request(request()), again);
        assert!(answer.text().contains("event: done"));
        assert_eq!(sidecar.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fell_silent_does_not_stop_the_instance_at_a_streams_end() {
    let sidecar =
        Sidecar::new(|_, _| stream().chunk(secs(1), "data: one\n\n").chunk(secs(8), "data: tw").cut());
    let app = app(&sidecar).await;
    let silence = async {
        app.clock().advance(secs(4)).await;
        app.store_faults().set_all(triage_host::StoreFault::Silent);
    };
    tokio::join!(app.request(ask_stream(STUCK)), silence);
    settle(&app).await;
    let blocked = app.store_ops().into_iter().filter(|op| op.at > secs(4));
    assert_eq!(blocked.filter(|op| op.import == triage_host::Import::Increment).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_acceptable_is_not_sent() {
    let sidecar = Sidecar::default();
    let app = app(&sidecar).await;
    for (accept, stream) in [
        ("application/json, text/event-stream;q=0", false),
        ("text/event-stream; q=0.000", false),
        ("text/event-stream;q=0.5", true),
        ("application/json;q=0, TEXT/event-stream", true),
    ] {
        let mut request = ask_stream(STUCK);
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = app.request(request).await;
        assert_eq!(answer.headers["content-type"] == "text/event-stream", stream, "{accept}");
    }
    let mut two_lines = ask(STUCK);
    for line in ["application/json", "text/event-stream"] {
        two_lines.headers_mut().append("accept", line.parse().unwrap());
    }
    assert_eq!(app.request(two_lines).await.headers["content-type"], "text/event-stream");
}
