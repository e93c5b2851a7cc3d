//! A request that does not fit its method: what becomes a BindingError.
//!
//! Owns the step from a misfit, which knows no more than a value, to the part of the request that is to blame.

use super::misfit::{Fail, Misfit, Piece};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Path,
    Query,
    Body,
    MediaType,
}

#[derive(Debug)]
pub enum Refusal {
    Refused(Source, Misfit),
    /// Python is to say why: a malformed query or form, or a system parameter's value.
    Malformed,
    Python(pyo3::PyErr),
}

pub type Bound<T> = Result<T, Box<Refusal>>;

#[cold]
pub fn refuse<T>(source: Source, field: impl Into<String>, text: Vec<Piece>) -> Bound<T> {
    Err(Box::new(Refusal::Refused(source, Misfit::pieces(text).under(field))))
}

/// Blames a failure on the part of the request that was read.
#[cold]
pub fn blame(source: Source, fail: Fail) -> Box<Refusal> {
    Box::new(match fail {
        Fail::Misfit(misfit) => Refusal::Refused(source, misfit),
        Fail::Syntax => Refusal::Refused(source, Misfit::new("invalid JSON")),
        Fail::Python(error) => Refusal::Python(error),
    })
}

/// The same, of a value that was text of its own: only what is wrong with it counts, not where in it.
#[cold]
pub fn blame_field(source: Source, field: &str, fail: Fail) -> Box<Refusal> {
    match fail {
        Fail::Misfit(misfit) => {
            Box::new(Refusal::Refused(source, Misfit { path: field.to_owned(), offset: None, ..misfit }))
        }
        other => blame(source, other),
    }
}
