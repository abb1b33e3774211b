//! STUB
#[derive(Debug,Clone,Copy,PartialEq,Eq)] pub enum Threat{Sql}
impl Threat{pub fn from_name(s:&str)->Option<Self>{(s=="sql").then_some(Self::Sql)} pub fn as_str(self)->&'static str{"sql"}}
pub fn flags(_:&str)->Vec<Threat>{Vec::new()}
