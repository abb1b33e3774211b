//! `GET /`: one static page to try a question in a browser and see the decision, the matched words, the
//! answer and the breakers. Text, style and behaviour are the files under `src/page/`.

use std::borrow::Cow;

use crate::config::{Config, DEVELOPMENT_SECRET};

/// What the page may load and call: this origin alone, and nothing that stands in the document itself.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the document takes the development key.
const KEY: &str = "data-key=\"KEY\"";

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

    /// The text. The document carries the published development key where that is accepted, so that
    /// the page can sign tokens as `make token` does; elsewhere one is pasted.
    pub fn text(self, config: Option<&Config>) -> Cow<'static, str> {
        match self {
            Self::Document => {
                let known = config.is_some_and(|config| config.keys.accepts_secret(DEVELOPMENT_SECRET));
                let key = if known { DEVELOPMENT_SECRET } else { "" };
                include_str!("page/index.html").replace(KEY, &format!("data-key=\"{key}\"")).into()
            }
            Self::Script => include_str!("page/page.js").into(),
            Self::Style => include_str!("page/page.css").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn only_where_the_development_key_is_accepted_does_the_page_have_it() {
        let config = Config::read(&Settings::default()).unwrap();
        assert!(Part::Document.text(Some(&config)).contains(DEVELOPMENT_SECRET));
        let without = Part::Document.text(None);
        assert!(without.contains("data-key=\"\"") && !without.contains(DEVELOPMENT_SECRET));
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
