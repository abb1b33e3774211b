//! Who somebody is: the subject of a token and the role it gives.

use std::fmt;
use std::sync::Arc;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks questions, in the own name only.
    Student,
    /// Asks for students and reads the breakers.
    Instructor,
    /// May also reset breakers and replay dead letters.
    Admin,
}

impl Role {
    /// The role as the `role` claim spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Instructor => "instructor",
            Self::Admin => "admin",
        }
    }

    /// The role of exactly this spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Student, Self::Instructor, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// The `sub` of a token: `student_<uuid>` or `staff_<uuid>`, the UUID in lower case with hyphens.
///
/// A clone shares the text: verified tokens are answered from a cache on every request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

const STUDENT: &str = "student_";
const STAFF: &str = "staff_";

impl Subject {
    /// The subject in `text`, unless it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = text.strip_prefix(STUDENT).or_else(|| text.strip_prefix(STAFF))?;
        is_uuid(uuid).then(|| Self(text.into()))
    }

    /// The text, prefix included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is an instructor or an administrator.
    pub fn is_staff(&self) -> bool {
        self.0.starts_with(STAFF)
    }

    /// Whether a subject of this prefix can have `role`.
    pub fn fits(&self, role: Role) -> bool {
        self.is_staff() == (role != Role::Student)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.0)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0190f3a2-7b1c-7def-8a90-0123456789ab";

    #[test]
    fn a_subject_is_a_known_prefix_and_a_lower_case_uuid() {
        for prefix in ["student_", "staff_"] {
            let text = format!("{prefix}{UUID}");
            let subject = Subject::parse(&text).unwrap();
            assert_eq!(subject.as_str(), text);
            assert_eq!(subject.to_string(), text);
            assert_eq!(format!("{subject:?}"), format!("Subject({text})"));
            assert_eq!(subject.is_staff(), prefix == "staff_");
        }
    }

    #[test]
    fn anything_else_is_no_subject() {
        for text in [
            "".into(),
            UUID.into(),
            "student_".into(),
            format!("admin_{UUID}"),
            format!("Student_{UUID}"),
            format!("student_{}", UUID.to_uppercase()),
            format!(" student_{UUID}"),
            format!("student_{UUID}\n"),
            format!("student_{UUID}\0"),
            format!("student_staff_{UUID}"),
            format!("student_{}", UUID.replace('-', "_")),
            format!("student_{}", UUID.replace('a', "g")),
            format!("student_{}", UUID.replace('a', "á")),
            format!("student_{}", UUID.replace('-', "")),
        ] {
            assert_eq!(Subject::parse(&text), None, "{text:?}");
        }
    }

    #[test]
    fn the_prefix_says_which_roles_are_possible() {
        let subject = |prefix: &str| Subject::parse(&format!("{prefix}{UUID}")).unwrap();
        for (role, student, staff) in
            [(Role::Student, true, false), (Role::Instructor, false, true), (Role::Admin, false, true)]
        {
            assert_eq!(
                (subject("student_").fits(role), subject("staff_").fits(role)),
                (student, staff),
                "{role:?}"
            );
        }
    }

    #[test]
    fn roles_are_read_as_they_are_written() {
        for role in [Role::Student, Role::Instructor, Role::Admin] {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for text in ["", "Student", "student ", "root", "student,admin"] {
            assert_eq!(Role::parse(text), None, "{text:?}");
        }
    }
}
