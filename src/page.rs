//! `GET /`: one static page to try a question in a browser and see the decision, the matched words, the
//! answer and the breakers. Text, style and behaviour are the files under `src/page/`.

use crate::config::{Config, DEVELOPMENT_SECRET};

/// What the page may load and call: this origin alone, and nothing that stands in the document itself.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `GET /`
    Document,
    /// `GET /page.js`
    Script,
    /// `GET /page.css`
    Style,
}

impl Part {
    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Document => "text/html; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
        }
    }

    /// The text. The document carries the published development key where that is accepted, with the
    /// claims that are expected, so that the page can sign tokens as `make token` does; elsewhere one is
    /// pasted.
    pub fn text(self, config: Option<&Config>) -> String {
        match self {
            Self::Document => {
                let known = config.filter(|config| config.keys.accepts_secret(DEVELOPMENT_SECRET));
                let [key, issuer, audience] = known.map_or_else(Default::default, |config| {
                    [
                        DEVELOPMENT_SECRET.into(),
                        attribute(&config.token_policy.issuer),
                        attribute(&config.token_policy.audience),
                    ]
                });
                let values = [("{key}", key), ("{issuer}", issuer), ("{audience}", audience)];
                let document = include_str!("page/index.html").to_owned();
                values.iter().fold(document, |text, (place, value)| text.replacen(place, value, 1))
            }
            Self::Script => include_str!("page/page.js").to_owned(),
            Self::Style => include_str!("page/page.css").to_owned(),
        }
    }
}

/// As the value of an attribute in double quotes (WHATWG HTML, "Escaping a string").
fn attribute(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn only_where_the_development_key_is_accepted_does_the_page_have_it() {
        let config = Config::read(&Settings::default()).unwrap();
        let attributes = format!(
            r#"data-key="{DEVELOPMENT_SECRET}" data-issuer="learnflow-auth" data-audience="learnflow-api""#
        );
        assert!(Part::Document.text(Some(&config)).contains(&attributes));
        let without = Part::Document.text(None);
        assert!(without.contains(r#"data-key="" data-issuer="" data-audience="""#));
    }

    #[test]
    fn what_an_operator_configures_cannot_leave_its_attribute() {
        assert_eq!(attribute(r#""><script>&"#), "&quot;&gt;&lt;script&gt;&amp;");
    }

    #[test]
    fn the_document_keeps_to_its_own_policy() {
        let text = Part::Document.text(None);
        for inline in
            ["<style", "style=", "onclick", "onsubmit", "javascript:", "<script>", "http:", "https:"]
        {
            assert!(!text.contains(inline), "{inline}");
        }
    }
}
