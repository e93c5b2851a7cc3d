//! A value that does not fit, before it is known which part of the request it came from.
//!
//! Owns how a field path is put together: made at the leaf, completed on the way up, so that the common path never builds one.
//! Values quoted in the text stay values until an exception is made of it (`python`): Python quotes them there.

use std::borrow::Cow;

use super::wire::Malformed;

const NAME_CHARACTERS: usize = 100;

/// A piece of a description.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Plain(Cow<'static, str>),
    /// Text, to be quoted.
    Text(String),
    /// A JSON text whose value is to be quoted.
    Json(String),
}

impl From<&'static str> for Piece {
    fn from(text: &'static str) -> Self {
        Self::Plain(Cow::Borrowed(text))
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Plain(Cow::Owned(text))
    }
}

/// `path` is complete once it reaches the top; `offset` points into the body's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Misfit {
    pub path: String,
    pub text: Vec<Piece>,
    pub offset: Option<usize>,
}

impl Misfit {
    pub fn new(text: impl Into<Piece>) -> Self {
        Self { path: String::new(), text: vec![text.into()], offset: None }
    }

    pub fn pieces(text: Vec<Piece>) -> Self {
        Self { path: String::new(), text, offset: None }
    }

    pub fn under(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
        self
    }
}

/// Why a request could not be read. Boxed: it is rare and results should be small.
#[derive(Debug)]
pub enum Fail {
    /// The text is no JSON that is taken: `explain` finds out why.
    Syntax,
    Misfit(Misfit),
    /// Something Python raised while it loaded a type.
    Python(pyo3::PyErr),
}

pub type Read<T> = Result<T, Box<Fail>>;

impl From<Misfit> for Box<Fail> {
    fn from(misfit: Misfit) -> Self {
        Box::new(Fail::Misfit(misfit))
    }
}

impl From<Malformed> for Box<Fail> {
    /// Only our own bytes are decoded while a request is read; a defect here must not take the gateway down.
    fn from(malformed: Malformed) -> Self {
        Misfit::new(malformed.0).into()
    }
}

#[cold]
pub fn syntax<T>() -> Read<T> {
    Err(Box::new(Fail::Syntax))
}

#[cold]
pub fn misfit<T>(text: impl Into<Piece>) -> Read<T> {
    Err(Misfit::new(text).into())
}

/// The failure as seen from the message that holds field `name`.
#[cold]
pub fn within(mut fail: Box<Fail>, name: &str) -> Box<Fail> {
    if let Fail::Misfit(misfit) = &mut *fail {
        let separator = if misfit.path.is_empty() || misfit.path.starts_with('[') { "" } else { "." };
        misfit.path = format!("{}{separator}{}", shortened(name), misfit.path);
    }
    fail
}

/// The failure as seen from the list or map that holds it under `key`.
#[cold]
pub fn at(fail: Box<Fail>, key: &str) -> Box<Fail> {
    within(fail, &format!("[{}]", shortened(key)))
}

/// A key as paths name it: a client chose it, and neither the answer nor the log is to repeat a megabyte.
pub fn shortened(name: &str) -> Cow<'_, str> {
    if name.len() <= NAME_CHARACTERS || name.chars().count() <= NAME_CHARACTERS {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().take(NAME_CHARACTERS - 3).chain(['…']).collect())
}

/// The first characters of a key, as an unknown field is named.
pub fn beginning(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS).collect()
}
