//! Which component a path belongs to: an exact route before a wildcard, a longer wildcard before a
//! shorter one. Private components are not in here.

use anyhow::{Result, anyhow};
use routefinder::Router;

use crate::manifest::{HttpTrigger, Route};

/// The public routes of an application.
pub(crate) struct Routes(Router<Target>);

#[derive(Clone)]
struct Target {
    component: String,
    /// The route with a leading slash and without a trailing one.
    route: String,
    raw: String,
}

/// A path that belongs to a component.
pub(crate) struct Matched {
    pub component: String,
    pub route: String,
    pub raw: String,
    /// What stands where the route has its wildcard.
    pub rest: String,
    /// Values of named segments.
    pub captures: Vec<(String, String)>,
}

impl Routes {
    /// Takes the public routes of `triggers`; of two with the same route the later counts, as in Spin.
    ///
    /// # Errors
    /// A route is not of a form that the router takes.
    pub fn new(triggers: &[HttpTrigger]) -> Result<Self> {
        let mut targets: Vec<Target> = Vec::new();
        for trigger in triggers {
            let Route::Path(raw) = &trigger.route else { continue };
            let target =
                Target { component: trigger.component.clone(), route: absolute(raw), raw: raw.clone() };
            match targets.iter_mut().find(|other| other.raw == *raw) {
                Some(other) => *other = target,
                None => targets.push(target),
            }
        }
        let mut router = Router::new();
        for target in targets {
            let pattern = match target.route.strip_suffix("/...") {
                Some(start) => format!("{start}/*"),
                None => target.route.clone(),
            };
            router.add(pattern.as_str(), target).map_err(|error| anyhow!("route `{pattern}`: {error}"))?;
        }
        Ok(Self(router))
    }

    /// The component for `path`.
    pub fn find(&self, path: &str) -> Option<Matched> {
        let found = self.0.best_match(path)?;
        let target: &Target = found.handler();
        let captures = found.captures();
        let rest = match (captures.wildcard(), path.ends_with('/')) {
            (None, _) | (Some(""), false) => String::new(),
            (Some(""), true) => "/".to_owned(),
            (Some(rest), false) => format!("/{rest}"),
            (Some(rest), true) => format!("/{rest}/"),
        };
        Some(Matched {
            component: target.component.clone(),
            route: target.route.clone(),
            raw: target.raw.clone(),
            rest,
            captures: captures.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        })
    }

    /// The routes as the manifest writes them, with their components.
    pub fn list(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(_, target)| (target.raw.clone(), target.component.clone())).collect()
    }
}

impl Matched {
    /// A call from another component matches whatever the path is.
    pub fn chained(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: "/...".to_owned(),
            raw: "/...".to_owned(),
            rest: path.to_owned(),
            captures: Vec::new(),
        }
    }
}

fn absolute(raw: &str) -> String {
    let route = if raw.starts_with('/') { raw.to_owned() } else { format!("/{raw}") };
    route.strip_suffix('/').map(str::to_owned).unwrap_or(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[(&str, &str)]) -> Routes {
        let triggers: Vec<_> = list
            .iter()
            .map(|(route, component)| HttpTrigger {
                route: Route::Path((*route).to_owned()),
                component: (*component).to_owned(),
            })
            .collect();
        Routes::new(&triggers).unwrap()
    }

    #[test]
    fn exact_routes_win_over_wildcards_and_long_wildcards_over_short_ones() {
        let routes = routes(&[("/...", "all"), ("/api/...", "api"), ("/api/v1", "v1"), ("/u/:id", "u")]);
        for (path, component, rest) in [
            ("/", "all", "/"),
            ("/x", "all", "/x"),
            ("/api", "api", ""),
            ("/api/", "api", "/"),
            ("/api/v1", "v1", ""),
            ("/api/v2/y", "api", "/v2/y"),
            ("/u/7", "u", ""),
        ] {
            let matched = routes.find(path).unwrap();
            assert_eq!((matched.component.as_str(), matched.rest.as_str()), (component, rest), "{path}");
        }
    }

    #[test]
    fn a_path_without_a_route_has_no_component_and_the_later_duplicate_counts() {
        let routes = routes(&[("/a", "first"), ("/a", "second")]);
        assert!(routes.find("/b").is_none());
        assert_eq!(routes.find("/a").unwrap().component, "second");
    }
}
