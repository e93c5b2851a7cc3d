//! host or host:port: a registered name, IPv4, or bracketed IPv6; no user information, not empty (`core.http1_head.is_authority`).

pub fn is_authority(text: &[u8]) -> bool {
    let (host, rest) = if text.first() == Some(&b'[') {
        let Some(close) = text.iter().position(|&octet| octet == b']') else {
            return false;
        };
        let inner = &text[1..close];
        let is_address = |&octet: &u8| octet.is_ascii_hexdigit() || octet == b':' || octet == b'.';
        if !(2..=45).contains(&inner.len()) || !inner.iter().all(is_address) {
            return false;
        }
        (&text[..=close], &text[close + 1..])
    } else {
        let end = text.iter().position(|&octet| octet == b':').unwrap_or(text.len());
        let is_name = |&octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'~' | b'-');
        if !(1..=255).contains(&end) || !text[..end].iter().all(is_name) {
            return false;
        }
        text.split_at(end)
    };
    let Some(port) = rest.strip_prefix(b":") else {
        return rest.is_empty();
    };
    host.len() + rest.len() <= MAX_BYTES && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

const MAX_BYTES: usize = 255 + ":65535".len();
