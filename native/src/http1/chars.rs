//! What an octet may be in a head: one table, a bit a class (RFC 9110 5.6.2 token, 5.5 field value, RFC 9112 3.2 target).

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const QUOTED: u8 = 8;
const AUTHORITY: u8 = 16;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let octet = at as u8;
        let mut class = 0;
        if octet.is_ascii_alphanumeric() || is_token_sign(octet) {
            class |= TOKEN;
        }
        if octet == b'\t' || (octet >= b' ' && octet != 0x7f) {
            class |= VALUE;
            if octet != b'"' && octet != b'\\' {
                class |= QUOTED;
            }
        }
        if octet.is_ascii_graphic() {
            class |= TARGET;
        }
        if octet.is_ascii_graphic()
            && !matches!(octet, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        {
            class |= AUTHORITY;
        }
        table[at] = class;
        at += 1;
    }
    table
}

const fn is_token_sign(octet: u8) -> bool {
    matches!(
        octet,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    )
}

fn is(octet: u8, class: u8) -> bool {
    CLASSES[octet as usize] & class != 0
}

pub fn is_token(octet: u8) -> bool {
    is(octet, TOKEN)
}

/// In a field value; of controls only the tab.
pub fn is_value(octet: u8) -> bool {
    is(octet, VALUE)
}

/// Visible ASCII.
pub fn is_target(octet: u8) -> bool {
    is(octet, TARGET)
}

/// In a quoted string, unescaped.
pub fn is_quoted(octet: u8) -> bool {
    is(octet, QUOTED)
}

/// In the authority of a target, user information and what is behind it included: the first, rough look.
pub fn is_authority(octet: u8) -> bool {
    is(octet, AUTHORITY)
}

/// Where in `data`, from `at` on, the first octet is that is not of the class.
pub fn span(data: &[u8], at: usize, of: fn(u8) -> bool) -> usize {
    data[at..].iter().position(|&octet| !of(octet)).map_or(data.len(), |found| at + found)
}

/// Without the white space around it.
pub fn trimmed(data: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    let blank = |octet: u8| octet == b' ' || octet == b'\t';
    while start < end && blank(data[start]) {
        start += 1;
    }
    while end > start && blank(data[end - 1]) {
        end -= 1;
    }
    (start, end)
}
