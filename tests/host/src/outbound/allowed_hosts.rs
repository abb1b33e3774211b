//! Which hosts a component may call: `allowed_outbound_hosts` by Spin's rules.
//!
//! An entry is `scheme://host[:port]` with `*` for each part. A template that resolves to nothing is
//! skipped; any other entry that is not of this form (one with a path, say) makes the whole list
//! unusable, and then every call is denied.

use std::net::IpAddr;

use anyhow::{Context as _, Result, bail, ensure};
use ip_network::IpNetwork;
use url::{Host, Url};

use crate::variables::{Template, Variables};

/// The domain under which components of the same application reach each other.
pub(crate) const CHAINING_SUFFIX: &str = ".spin.internal";

/// A component's list, resolved.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `None`: any.
    scheme: Option<String>,
    host: HostRule,
    ports: PortRule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    Any,
    /// `*.example.com`, kept with its dot.
    Subdomains(String),
    /// `self`: relative URLs only.
    Own,
    Exactly(Host),
    Network(IpNetwork),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PortRule {
    Any,
    /// From the first to before the last.
    Range(u16, u32),
}

impl AllowedHosts {
    /// Fills in the templates and parses the result; `*.spin.internal` stands for the `components`
    /// that the application has.
    ///
    /// # Errors
    /// A template names an unknown variable, or an entry is of another form.
    pub fn resolve(entries: &[String], variables: &Variables, components: &[&str]) -> Result<Self> {
        let mut resolved = Vec::new();
        for text in entries {
            let template = Template::parse(text)?;
            let filled = variables
                .resolve(&template)
                .map_err(|error| anyhow::format_err!("allowed host {text:?}: {error:?}"))?;
            let empty = matches!(filled.as_str(), "" | "http://" | "https://");
            if template.is_literal() || !empty {
                resolved.extend(Entry::parse(&filled)?.siblings(components));
            }
        }
        Ok(Self(resolved))
    }

    /// Checks what can be known before variables have values: the literal entries, and that a literal
    /// `NAME.spin.internal` names one of the `components`.
    ///
    /// # Errors
    /// A literal entry is of another form, or names no component.
    pub fn check_literals(entries: &[String], components: &[&str]) -> Result<()> {
        for text in entries {
            if !Template::parse(text)?.is_literal() {
                continue;
            }
            let entry = Entry::parse(text)?;
            if let HostRule::Exactly(Host::Domain(domain)) = &entry.host
                && let Some(name) = domain.strip_suffix(CHAINING_SUFFIX)
            {
                ensure!(
                    components.contains(&name),
                    "allowed_outbound_hosts names `{text}`, but the application has no component `{name}`"
                );
            }
        }
        Ok(())
    }

    /// Whether a call to `uri` is allowed.
    pub fn allows(&self, uri: &http::Uri) -> bool {
        let Ok(url) = Url::parse(&uri.to_string()) else { return false };
        self.0.iter().any(|entry| entry.allows(&url))
    }

    /// Whether calls to the application's own public routes are allowed.
    pub fn allows_own(&self) -> bool {
        self.0.iter().any(|entry| matches!(entry.host, HostRule::Any | HostRule::Own))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .with_context(|| format!("allowed host {text:?} has no scheme (such as 'http://')"))?;
        let any_scheme = scheme == "*";
        ensure!(any_scheme || scheme.chars().all(char::is_alphabetic), "allowed host {text:?}: bad scheme");
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, "")) => (host, ""),
            Some(_) if HostRule::parse(rest).is_ok() => (rest, ""),
            Some((host, port)) => (host, without_slash(port)),
            None => (rest, ""),
        };
        let named = || format!("allowed host {text:?}");
        Ok(Self {
            scheme: (!any_scheme).then(|| scheme.to_owned()),
            host: HostRule::parse(host).with_context(named)?,
            ports: PortRule::parse(port, scheme).with_context(named)?,
        })
    }

    /// The entries that it stands for: one per component for all siblings, otherwise itself.
    fn siblings(self, components: &[&str]) -> Vec<Self> {
        if self.host != HostRule::Subdomains(CHAINING_SUFFIX.to_owned()) {
            return vec![self];
        }
        let named = |id: &&str| HostRule::Exactly(Host::Domain(format!("{id}{CHAINING_SUFFIX}")));
        components.iter().map(|id| Self { host: named(id), ..self.clone() }).collect()
    }

    fn allows(&self, url: &Url) -> bool {
        self.scheme.as_deref().is_none_or(|scheme| scheme == url.scheme())
            && self.host.allows(url)
            && self.ports.allows(url.port_or_known_default())
    }
}

impl HostRule {
    fn parse(text: &str) -> Result<Self> {
        let host = text.trim();
        if let Ok(network) = IpNetwork::from_str_truncate(host) {
            return Ok(Self::Network(network));
        }
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Own),
            _ => {}
        }
        let host = without_slash(host);
        ensure!(!host.contains('/'), "must not include a path");
        if let Some(domain) = host.strip_prefix("*.") {
            let Host::Domain(domain) = Host::parse(domain)? else {
                bail!("a wildcard's suffix must be a domain");
            };
            return Ok(Self::Subdomains(format!(".{domain}")));
        }
        ensure!(!host.contains('*'), "wildcards are allowed only as subdomains");
        Ok(Self::Exactly(Host::parse(host)?))
    }

    fn allows(&self, url: &Url) -> bool {
        // `Url` leaves the host of schemes it does not know unparsed.
        let Some(host) = url.host_str().and_then(|host| Host::parse(host).ok()) else {
            return false;
        };
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Exactly(wanted), host) => *wanted == host,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Network(network), Host::Ipv4(ip)) => network.contains(IpAddr::V4(ip)),
            (Self::Network(network), Host::Ipv6(ip)) => network.contains(IpAddr::V6(ip)),
            (Self::Own | Self::Subdomains(_) | Self::Network(_), _) => false,
        }
    }
}

impl PortRule {
    fn parse(text: &str, scheme: &str) -> Result<Self> {
        let number = |digits: &str| -> Result<u16> {
            digits.parse().with_context(|| format!("port {digits:?} is not a number"))
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some((first, last)) = text.split_once("..") {
            return Ok(Self::Range(number(first)?, u32::from(number(last)?)));
        }
        let port = match (text, scheme) {
            ("", "http") => 80,
            ("", "https") => 443,
            ("", "redis") => 6379,
            ("", "postgres") => 5432,
            ("", "mysql") => 3306,
            ("", "mqtt") => 1883,
            ("", _) => bail!("no port was given and scheme {scheme:?} has no known default port"),
            (digits, _) => number(digits)?,
        };
        Ok(Self::Range(port, u32::from(port) + 1))
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::Range(first, end), Some(port)) => port >= *first && u32::from(port) < *end,
            (Self::Range(..), None) => false,
        }
    }
}

fn without_slash(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
}

#[cfg(test)]
mod tests;
