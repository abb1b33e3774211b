//! Why a token was refused, for log and metric.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])+ $variant:ident => $name:literal,)+) => {
        /// One reason each. Callers see `invalid_jwt` for all of them, but for [`Refusal::BadRole`],
        /// which is only ever found on a token that is valid otherwise and is a 403.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Refusal {
            $($(#[$doc])+ $variant,)+
        }

        impl Refusal {
            /// Every reason, for the metric's closed set of labels.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The closed label used in logs, metrics and security events.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

refusals! {
    /// No authorization header.
    Missing => "missing",
    /// More than one authorization header: which one counts would be a guess.
    SeveralHeaders => "several_headers",
    /// Another scheme than `Bearer`.
    WrongScheme => "wrong_scheme",
    /// Longer than [`super::MAX_TOKEN`].
    TooLarge => "too_large",
    /// Not three segments of canonical base64url, or no JSON objects in them.
    Malformed => "malformed",
    /// A member name stands twice in the header or the claims.
    DuplicateMember => "duplicate_member",
    /// `alg` is not a name this service knows; `none` in every spelling.
    UnknownAlgorithm => "unknown_algorithm",
    /// `crit` asks for an extension, and there is none (RFC 7515 §4.1.11).
    CriticalExtension => "critical_extension",
    /// The header carries a key of its own (`jwk`) or a jwt-simple `salt`.
    EmbeddedKey => "embedded_key",
    /// `typ` is something else than a JWT or an access token.
    WrongType => "wrong_type",
    /// No key of this `kid` (or none without one) for this `alg`. New keys may help.
    NoKey => "no_key",
    /// The key of this `kid` is for another algorithm.
    KeyMismatch => "key_mismatch",
    /// `exp`, `nbf` or `iat` is not a number of seconds from 1970 to 9999.
    BadTime => "bad_time",
    /// No `exp`.
    MissingExp => "missing_exp",
    /// `jti` or `nonce` is not a string.
    BadClaim => "bad_claim",
    /// No candidate key made this signature.
    BadSignature => "bad_signature",
    /// Past `exp` and the leeway.
    Expired => "expired",
    /// Before `nbf`.
    NotYetValid => "not_yet_valid",
    /// `iat` lies ahead of us.
    IssuedInFuture => "issued_in_future",
    /// `iss` is missing or another.
    WrongIssuer => "wrong_issuer",
    /// `aud` is missing or does not name us.
    WrongAudience => "wrong_audience",
    /// `sub` is neither `student_<uuid>` nor `staff_<uuid>`.
    BadSubject => "bad_subject",
    /// A student's subject with a staff role, or the reverse.
    SubjectRoleMismatch => "subject_role_mismatch",
    /// `role` is missing or unknown; everything else about the token is right.
    BadRole => "bad_role",
    /// Kong's `x-consumer-username` names somebody else. Found by [`super::kong_agrees`].
    ConsumerMismatch => "consumer_mismatch",
}

impl Refusal {
    /// Whether a fresh key set could change the verdict, so that fetching one is worth its while.
    pub const fn wants_fresh_keys(self) -> bool {
        matches!(self, Self::NoKey)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
