//! The document under `/openapi.json` says what the code does.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::agents::{AgentId, Priority};
use crate::auth::Subject;
use crate::intent::Intent;
use crate::page::Part;
use crate::problem;
use crate::route::{self, Endpoint};

const METHODS: [&str; 9] = ["get", "head", "post", "put", "patch", "delete", "options", "trace", "connect"];

fn document() -> Value {
    serde_json::from_str(OPENAPI).expect("the document is JSON")
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "schema {name}");
    schema
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn texts(array: &Value) -> BTreeSet<&str> {
    array.as_array().expect("an array").iter().map(|item| item.as_str().expect("a string")).collect()
}

/// Method and path of every endpoint as the document writes them. `None`: the answer to `OPTIONS` on
/// every path of the API.
const fn documented(endpoint: &Endpoint) -> Option<(&'static str, &'static str)> {
    Some(match endpoint {
        Endpoint::Triage => ("post", "/api/v1/triage"),
        Endpoint::Classify => ("post", "/api/v1/classify"),
        Endpoint::ClassifyBatch => ("post", "/api/v1/classify/batch"),
        Endpoint::Agents => ("get", "/api/v1/agents"),
        Endpoint::BreakerReset(_) => ("post", "/api/v1/agents/{agent}/breaker/reset"),
        Endpoint::DeadLetters => ("get", "/api/v1/dead-letters"),
        Endpoint::Replay(_) => ("post", "/api/v1/dead-letters/{id}/replay"),
        Endpoint::Maintenance => ("post", "/internal/maintenance"),
        Endpoint::MaintenanceOptions => ("options", "/internal/maintenance"),
        Endpoint::StudentRecords(_) => ("get", "/internal/students/{student}/records"),
        Endpoint::StudentErasure(_) => ("post", "/internal/students/{student}/records/erase"),
        Endpoint::Health => ("get", "/health"),
        Endpoint::Ready => ("get", "/ready"),
        Endpoint::OpenApi => ("get", "/openapi.json"),
        Endpoint::Page(Part::Document) => ("get", "/"),
        Endpoint::Page(Part::Script) => ("get", "/page.js"),
        Endpoint::Page(Part::Style) => ("get", "/page.css"),
        Endpoint::Preflight => return None,
    })
}

/// One of each. A new endpoint does not compile in [`documented`]; it belongs here too.
fn endpoints() -> [Endpoint; 18] {
    [
        Endpoint::Triage,
        Endpoint::Classify,
        Endpoint::ClassifyBatch,
        Endpoint::Agents,
        Endpoint::BreakerReset(AgentId::new("debug-agent").expect("an app id")),
        Endpoint::DeadLetters,
        Endpoint::Replay("20000-1".into()),
        Endpoint::Maintenance,
        Endpoint::MaintenanceOptions,
        Endpoint::StudentRecords(student()),
        Endpoint::StudentErasure(student()),
        Endpoint::Health,
        Endpoint::Ready,
        Endpoint::OpenApi,
        Endpoint::Page(Part::Document),
        Endpoint::Page(Part::Script),
        Endpoint::Page(Part::Style),
        Endpoint::Preflight,
    ]
}

const STUDENT: &str = "student_0a1b2c3d-0000-4000-8000-00000000abcd";

fn student() -> Subject {
    Subject::parse(STUDENT).expect("a subject")
}

/// A path of the document with its parameters filled in.
fn filled(path: &str) -> String {
    path.replace("{agent}", "debug-agent").replace("{id}", "20000-1").replace("{student}", STUDENT)
}

fn resolves(method: &str, path: &str) -> Option<Endpoint> {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    route::resolve(&method, &filled(path)).ok()
}

/// `$ref` targets that do not exist.
fn dangling(document: &Value, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(Value::as_str)
                && document.pointer(target.trim_start_matches('#')).is_none()
            {
                found.push(target.to_owned());
            }
            members.values().for_each(|member| dangling(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| dangling(document, item, found)),
        _ => {}
    }
}

#[test]
fn what_is_served_is_the_file_without_its_indentation() {
    let file: Value = serde_json::from_str(include_str!("openapi.json")).expect("the file is JSON");
    assert_eq!(document(), file);
    assert!(!OPENAPI.contains('\n'));
}

#[test]
fn it_is_an_openapi_3_1_document_whose_references_resolve() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut found = Vec::new();
    dangling(&document, &document, &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_endpoint_is_in_it_under_its_method_and_path() {
    let document = document();
    for endpoint in endpoints() {
        let Some((method, path)) = documented(&endpoint) else { continue };
        assert_eq!(resolves(method, path), Some(endpoint), "{method} {path}");
        assert!(document["paths"][path][method].is_object(), "{method} {path} is not documented");
    }
}

#[test]
fn it_has_no_path_or_method_that_is_not_served_and_leaves_none_out() {
    let document = document();
    let served: BTreeSet<&str> = endpoints().iter().filter_map(documented).map(|(_, path)| path).collect();
    assert_eq!(names(&document["paths"]), served);
    for path in served {
        for method in METHODS {
            // A HEAD request is answered like GET and not written down for itself (RFC 9110 §9.3.2).
            let written = if method == "head" { "get" } else { method };
            let stands = document["paths"][path].get(written).is_some();
            assert_eq!(resolves(method, path).is_some(), stands, "{method} {path}");
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_public_ones_say_so() {
    let document = document();
    let mut seen = BTreeSet::new();
    let mut public = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            assert!(seen.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
            if operation["security"] == json!([]) && method != "options" {
                public.insert(path.as_str());
            }
        }
    }
    assert_eq!(public, BTreeSet::from(["/", "/page.js", "/page.css", "/health", "/ready", "/openapi.json"]));
}

#[test]
fn every_problem_stands_in_it_as_it_is_sent() {
    let document = document();
    let examples = &document["components"]["examples"];
    let mut errors = BTreeSet::new();
    for sample in problem::tests::samples() {
        let (status, error) = (sample.status(), sample.error());
        errors.insert(error);
        let sent = sample.document(problem::tests::ID);
        assert_eq!(examples[error]["value"], sent, "example of {error}");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let own = schemas.values().find(|s| s["allOf"][1]["properties"]["error"]["const"] == error);
        let own = own.unwrap_or_else(|| panic!("no schema of {error}"));
        assert_eq!(own["allOf"][1]["properties"]["status"]["const"], status, "{error}");
        let mut described = names(&own["allOf"][1]["properties"]);
        described.extend(names(&schema(&document, "Problem")["properties"]));
        assert_eq!(names(&sent), described, "{error}");
    }
    assert_eq!(names(examples), errors);
}

#[test]
fn every_problem_is_offered_by_the_response_of_its_status() {
    let document = document();
    let responses = document["components"]["responses"].as_object().unwrap();
    for sample in problem::tests::samples() {
        let offers = |response: &&Value| {
            response["content"]["application/problem+json"]["examples"].get(sample.error()).is_some()
        };
        let (name, response) =
            responses.iter().find(|(_, r)| offers(r)).unwrap_or_else(|| panic!("{}", sample.error()));
        for (header, _) in &sample.headers() {
            assert!(response["headers"].get(*header).is_some(), "{header} of {}", sample.error());
        }
        let target = format!("#/components/responses/{name}");
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(k, _)| *k != "parameters") {
                for (status, used) in operation["responses"].as_object().unwrap() {
                    let fits = used["$ref"] != target.as_str() || *status == sample.status().to_string();
                    assert!(fits, "{method} {path}: {status} refers to {name}");
                }
            }
        }
    }
}

fn decision() -> RoutingDecision {
    let agent = AgentId::new("debug-agent").unwrap();
    RoutingDecision {
        target_agent: agent.clone(),
        intent_type: Intent::SyntaxHelp,
        confidence: 0.9,
        student_id: None,
        dapr_app_id: agent,
        metadata: Metadata { priority: Priority::High, retry_count: 0, circuit_breaker_status: "closed" },
        timestamp: "2026-01-15T12:00:00.000Z".into(),
        request_id: problem::tests::ID.into(),
        correlation_id: None,
        keywords: Vec::new(),
        model_version: "0",
        secondary_intent: Some(Secondary { intent_type: Intent::ProgressCheck, confidence: 0.1 }),
        abstained: false,
        degraded: None,
        agent_response: None,
        timing_ms: Timing::default(),
    }
}

#[test]
fn a_decision_has_the_members_that_are_described_and_all_of_them() {
    let document = document();
    let sent = serde_json::to_value(decision()).unwrap();
    for (name, value) in [
        ("RoutingDecision", &sent),
        ("DeliveryMetadata", &sent["metadata"]),
        ("SecondaryIntent", &sent["secondary_intent"]),
        ("Timing", &sent["timing_ms"]),
    ] {
        let described = schema(&document, name);
        assert_eq!(names(&described["properties"]), names(value), "{name}");
        assert_eq!(texts(&described["required"]), names(value), "{name}");
    }
}

#[test]
fn intents_and_limits_are_the_codes_own() {
    let document = document();
    let intents: BTreeSet<&str> = Intent::ALL.iter().map(|intent| intent.as_str()).collect();
    assert_eq!(texts(&schema(&document, "Intent")["enum"]), intents);
    assert_eq!(schema(&document, "Query")["maxLength"], MAX_QUERY);
    assert_eq!(schema(&document, "BatchRequest")["properties"]["queries"]["maxItems"], MAX_BATCH);
    let key = &document["components"]["parameters"]["idempotency-key"]["schema"];
    assert_eq!(key["maxLength"], crate::idempotency::MAX_KEY);
}

/// The faults that say a field is not known, whatever else is wrong.
fn unknown(faults: Result<(), Vec<String>>) -> Vec<String> {
    faults.err().unwrap_or_default().into_iter().filter(|fault| fault.ends_with("unknown field")).collect()
}

#[test]
fn request_schemas_list_the_fields_that_are_read_and_no_others() {
    let document = document();
    let members = |name: &str| -> Value {
        let described = schema(&document, name);
        assert_eq!(described["additionalProperties"], false, "{name}");
        names(&described["properties"]).into_iter().map(|field| (field.to_owned(), json!(1))).collect()
    };
    let triage = |body: Value| unknown(TriageRequest::parse(body.to_string().as_bytes(), 0).map(drop));
    let classify = |body: Value| unknown(ClassifyRequest::parse(body.to_string().as_bytes()).map(drop));
    let mut body = members("TriageRequest");
    body["student_progress"] = members("StudentProgress");
    body["session_context"] = members("SessionContext");
    assert_eq!(triage(body.clone()), Vec::<String>::new());
    assert_eq!(classify(members("ClassifyRequest")), Vec::<String>::new());
    for (path, more) in [("", "more"), ("/student_progress", "more"), ("/session_context", "more")] {
        let mut changed = body.clone();
        changed.pointer_mut(path).unwrap()[more] = json!(1);
        assert_eq!(triage(changed).len(), 1, "{path}");
    }
}

#[test]
fn required_fields_are_the_ones_that_are_missed() {
    let document = document();
    let missed = |body: Value| -> BTreeSet<String> {
        let faults = TriageRequest::parse(body.to_string().as_bytes(), 0).unwrap_err();
        let named = faults.iter().filter_map(|fault| fault.strip_suffix(": is required"));
        named.map(|path| path.rsplit('.').next().unwrap().to_owned()).collect()
    };
    let required =
        |name: &str| texts(&schema(&document, name)["required"]).into_iter().map(str::to_owned).collect();
    assert_eq!(missed(json!({})), required("TriageRequest"));
    assert_eq!(missed(json!({"query": "q", "student_progress": {}})), required("StudentProgress"));
}

#[test]
fn the_examples_of_requests_are_accepted() {
    let document = document();
    let example = |path: &str| {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"];
        body.to_string().into_bytes()
    };
    assert!(TriageRequest::parse(&example("/api/v1/triage"), 0).is_ok());
    assert!(ClassifyRequest::parse(&example("/api/v1/classify")).is_ok());
    assert!(ClassifyRequest::parse_batch(&example("/api/v1/classify/batch")).is_ok());
}
