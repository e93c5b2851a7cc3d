//! The methods that are taken for HTTP's: those of the IANA registry that llhttp knows, so that both engines refuse the same.

pub const METHODS: [&str; 35] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "QUERY",
    "PRI",
];

/// Of HTTP/2's preface: never a request.
pub const PRI: usize = 34;
pub const OPTIONS: usize = 6;
pub const CONNECT: usize = 7;

pub const LONGEST: usize = 11;

/// Its place in METHODS.
pub fn find(name: &[u8]) -> Option<usize> {
    METHODS.iter().position(|method| method.as_bytes() == name)
}

/// Whether a method may still come of it.
pub fn begins(name: &[u8]) -> bool {
    METHODS.iter().any(|method| method.as_bytes().starts_with(name))
}
