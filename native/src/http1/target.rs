//! A request target's parts (RFC 9112 3.2; `core.http1_head.split_target`).

use super::authority::is_authority;
use super::chars;
use super::flaw::{Flaw, Kind};
use super::methods::{CONNECT, OPTIONS};
use super::scan::Span;

/// Spans of the head. The path of an absolute-form target without one is `/`, which is nowhere in it: an empty span says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub path: Span,
    pub query: Span,
    pub authority: Option<Span>,
}

const NO_TARGET: Flaw = Flaw::malformed("the request target is neither a path nor an http URL");
const BACKSLASH: Flaw = Flaw::malformed("a backslash in the path"); // some upstream file servers read it as "/"

/// What is no target of any form: refused before anything else is looked at.
pub fn is_form(method: usize, target: &[u8]) -> bool {
    if method == CONNECT {
        return is_server(target);
    }
    match target.first() {
        Some(b'/' | b'*') => true,
        _ => scheme(target).is_some_and(|end| is_server(&target[end..])),
    }
}

pub fn split(method: usize, head: &[u8], target: Span) -> Result<Target, Flaw> {
    let text = target.of(head);
    let start = target.start as usize;
    if method == CONNECT {
        return Err(Flaw::new(Kind::NoRoute, "CONNECT is not served"));
    }
    if text.first() == Some(&b'/') && !text.contains(&b'#') {
        return origin(head, target, None);
    }
    if method == OPTIONS && text == b"*" {
        return Err(Flaw::new(Kind::NoRoute, "OPTIONS * names no resource"));
    }
    let end = scheme(text).ok_or(NO_TARGET)?;
    let name = text[..end - 3].to_ascii_lowercase();
    if (name != b"http" && name != b"https") || text.contains(&b'#') {
        return Err(NO_TARGET);
    }
    let rest = &text[end..];
    let size = rest.iter().position(|octet| matches!(octet, b'/' | b'?')).unwrap_or(rest.len());
    if !is_authority(&rest[..size]) {
        return Err(Flaw::malformed("the authority of the request target"));
    }
    let authority = Span::new(start + end, start + end + size);
    origin(head, Span { start: authority.end, end: target.end }, Some(authority))
}

/// Where the authority begins, if there is a scheme.
fn scheme(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|octet| !octet.is_ascii_alphabetic())?;
    (end > 0 && text[end..].starts_with(b"://")).then_some(end + 3)
}

fn is_server(text: &[u8]) -> bool {
    let size = text.iter().position(|octet| matches!(octet, b'/' | b'?')).unwrap_or(text.len());
    let doubled = text[..size].windows(2).any(|pair| pair == b"@@");
    !doubled && text[..size].iter().all(|&octet| chars::is_authority(octet))
}

fn origin(head: &[u8], target: Span, authority: Option<Span>) -> Result<Target, Flaw> {
    let text = target.of(head);
    let size = text.iter().position(|&octet| octet == b'?').unwrap_or(text.len());
    if text[..size].contains(&b'\\') {
        return Err(BACKSLASH);
    }
    let path_end = target.start + size as u32;
    let query = if size < text.len() { Span { start: path_end + 1, end: target.end } } else { Span::default() };
    Ok(Target { path: Span { start: target.start, end: path_end }, query, authority })
}
