//! Method and path to an endpoint, or the refusal that fits (404, 405).

use http::Method;

use crate::agents::AgentId;
use crate::auth::Subject;
use crate::page::Part;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /api/v1/triage`
    Triage,
    /// `POST /api/v1/classify`
    Classify,
    /// `POST /api/v1/classify/batch`
    ClassifyBatch,
    /// `GET /api/v1/agents`
    Agents,
    /// `POST /api/v1/agents/{agent}/breaker/reset`
    BreakerReset(AgentId),
    /// `GET /api/v1/dead-letters`
    DeadLetters,
    /// `POST /api/v1/dead-letters/{id}/replay`
    Replay(String),
    /// `POST /internal/maintenance`
    Maintenance,
    /// `OPTIONS /internal/maintenance`: Dapr asks before it subscribes a binding.
    MaintenanceOptions,
    /// `GET /internal/students/{id}/records`
    StudentRecords(Subject),
    /// `POST /internal/students/{id}/records/erase`
    StudentErasure(Subject),
    /// `GET /health`
    Health,
    /// `GET /ready`
    Ready,
    /// `GET /openapi.json`
    OpenApi,
    /// `GET /` and what that page loads.
    Page(Part),
    /// `OPTIONS` on an API route: a CORS preflight.
    Preflight,
}

/// A path nobody serves, or one that is served under other methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteFault {
    /// 404.
    NotFound,
    /// 405 with the value of the `allow` header.
    MethodNotAllowed(&'static str),
}

/// The endpoint of `method` and `path` (without query).
///
/// `HEAD` is answered like `GET`; the caller leaves the body out (RFC 9110 §9.3.2).
pub fn resolve(method: &Method, path: &str) -> Result<Endpoint, RouteFault> {
    let (allow, endpoint) = endpoint(path).ok_or(RouteFault::NotFound)?;
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    if allow == wanted.as_str() {
        return Ok(endpoint);
    }
    match (endpoint, method) {
        (Endpoint::Maintenance, &Method::OPTIONS) => Ok(Endpoint::MaintenanceOptions),
        (_, &Method::OPTIONS) if path.starts_with("/api/") => Ok(Endpoint::Preflight),
        _ => Err(RouteFault::MethodNotAllowed(if allow == "GET" { "GET, HEAD" } else { allow })),
    }
}

/// The one method a path is made for, and what it does.
fn endpoint(path: &str) -> Option<(&'static str, Endpoint)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    Some(match segments.as_slice() {
        ["api", "v1", "triage"] => ("POST", Endpoint::Triage),
        ["api", "v1", "classify"] => ("POST", Endpoint::Classify),
        ["api", "v1", "classify", "batch"] => ("POST", Endpoint::ClassifyBatch),
        ["api", "v1", "agents"] => ("GET", Endpoint::Agents),
        ["api", "v1", "agents", agent, "breaker", "reset"] => {
            ("POST", Endpoint::BreakerReset(AgentId::new(agent)?))
        }
        ["api", "v1", "dead-letters"] => ("GET", Endpoint::DeadLetters),
        ["api", "v1", "dead-letters", id, "replay"] if !id.is_empty() => {
            ("POST", Endpoint::Replay((*id).to_owned()))
        }
        ["internal", "maintenance"] => ("POST", Endpoint::Maintenance),
        ["internal", "students", id, "records"] => ("GET", Endpoint::StudentRecords(Subject::parse(id)?)),
        ["internal", "students", id, "records", "erase"] => {
            ("POST", Endpoint::StudentErasure(Subject::parse(id)?))
        }
        ["health"] => ("GET", Endpoint::Health),
        ["ready"] => ("GET", Endpoint::Ready),
        ["openapi.json"] => ("GET", Endpoint::OpenApi),
        [""] => ("GET", Endpoint::Page(Part::Document)),
        ["page.js"] => ("GET", Endpoint::Page(Part::Script)),
        ["page.css"] => ("GET", Endpoint::Page(Part::Style)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_one_method() {
        for (method, path, expected) in [
            ("POST", "/api/v1/triage", Ok(Endpoint::Triage)),
            ("GET", "/api/v1/triage", Err(RouteFault::MethodNotAllowed("POST"))),
            ("OPTIONS", "/api/v1/triage", Ok(Endpoint::Preflight)),
            ("POST", "/api/v1/triage/", Err(RouteFault::NotFound)),
            ("POST", "//api/v1/triage", Err(RouteFault::NotFound)),
            ("POST", "/API/v1/triage", Err(RouteFault::NotFound)),
            ("GET", "/health", Ok(Endpoint::Health)),
            ("HEAD", "/health", Ok(Endpoint::Health)),
            ("OPTIONS", "/health", Err(RouteFault::MethodNotAllowed("GET, HEAD"))),
            ("OPTIONS", "/internal/maintenance", Ok(Endpoint::MaintenanceOptions)),
            ("DELETE", "/ready", Err(RouteFault::MethodNotAllowed("GET, HEAD"))),
            ("POST", "/api/v1/dead-letters//replay", Err(RouteFault::NotFound)),
            ("POST", "/api/v1/dead-letters/x/replay", Ok(Endpoint::Replay("x".into()))),
            ("GET", "/", Ok(Endpoint::Page(Part::Document))),
            ("POST", "/", Err(RouteFault::MethodNotAllowed("GET, HEAD"))),
            ("HEAD", "/page.js", Ok(Endpoint::Page(Part::Script))),
            ("GET", "//", Err(RouteFault::NotFound)),
            ("GET", "/index.html", Err(RouteFault::NotFound)),
            ("GET", "", Err(RouteFault::NotFound)),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(resolve(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn an_agent_in_a_path_must_be_a_possible_app_id() {
        assert_eq!(
            resolve(&Method::POST, "/api/v1/agents/debug-agent/breaker/reset"),
            Ok(Endpoint::BreakerReset(AgentId::new("debug-agent").unwrap()))
        );
        for bad in ["", "..", "a%2fb", "A b"] {
            let path = format!("/api/v1/agents/{bad}/breaker/reset");
            assert_eq!(resolve(&Method::POST, &path), Err(RouteFault::NotFound), "{path}");
        }
    }
}
