//! What a single header field is, by its name and value alone (RFC 9113 sections 8.2 and 8.3).
//!
//! Found once when a field enters a table, so that a field sent as an index costs no second look.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Method,
    Scheme,
    Path,
    Authority,
    Status,
    /// Of extended CONNECT (RFC 8441).
    Protocol,
    UnknownPseudo,
    /// A name that is no token in lower case, or one about the connection (section 8.2.2).
    Forbidden,
    Host,
    Te,
    ContentLength,
    Regular,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldFacts {
    pub kind: Kind,
    /// The value has a NUL, CR or LF.
    pub unsafe_value: bool,
    /// The value begins or ends with white space.
    pub spaced: bool,
}

impl FieldFacts {
    pub fn of(name: &[u8], value: &[u8]) -> Self {
        Self::with_kind(kind(name), value)
    }

    pub fn with_kind(kind: Kind, value: &[u8]) -> Self {
        let space = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
        Self {
            kind,
            unsafe_value: value.iter().fold(false, |found, octet| found | matches!(octet, b'\0' | b'\r' | b'\n')),
            spaced: space(value.first()) || space(value.last()),
        }
    }
}

fn kind(name: &[u8]) -> Kind {
    match name {
        b":method" => Kind::Method,
        b":scheme" => Kind::Scheme,
        b":path" => Kind::Path,
        b":authority" => Kind::Authority,
        b":status" => Kind::Status,
        b":protocol" => Kind::Protocol,
        [b':', ..] => Kind::UnknownPseudo,
        b"host" => Kind::Host,
        b"te" => Kind::Te,
        b"content-length" => Kind::ContentLength,
        b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => Kind::Forbidden,
        _ if !name.is_empty() && name.iter().all(|&octet| is_token(octet) && !octet.is_ascii_uppercase()) => {
            Kind::Regular
        }
        _ => Kind::Forbidden,
    }
}

/// Whether an octet may stand in a token (RFC 9110 section 5.6.2).
pub const fn is_token(octet: u8) -> bool {
    TOKEN[octet as usize]
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = matches!(octet as u8, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&'
            | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
        octet += 1;
    }
    table
};
