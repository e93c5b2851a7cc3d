//! Why a request is refused: `edge.core.http1_head.HeadFlaw`. The detail names the rule, never a value.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Malformed,
    Version,
    Expectation,
    NoRoute,
    UriTooLong,
    HeadersTooLarge,
    BodyTooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub kind: Kind,
    pub detail: &'static str,
}

impl Flaw {
    pub const fn new(kind: Kind, detail: &'static str) -> Self {
        Self { kind, detail }
    }

    pub const fn malformed(detail: &'static str) -> Self {
        Self::new(Kind::Malformed, detail)
    }
}

pub const NO_FORM: Flaw = Flaw::malformed("the request target has no form that is known");
pub const UNSERVED_VERSION: Flaw = Flaw::new(Kind::Version, "HTTP/1.0 and HTTP/1.1 are served here");
