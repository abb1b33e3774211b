//! STUB
pub fn redact(t:&str)->std::borrow::Cow<'_,str>{t.into()}
pub fn redact_json(_:&mut serde_json::Value){}
