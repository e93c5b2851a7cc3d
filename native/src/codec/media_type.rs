//! Which bodies are JSON, by their Content-Type.
//!
//! Owns the reading of media types and of the charset: JSON is UTF-8 (RFC 8259), so any spelling of that is fine and no other is.
//! Source: RFC 9110 section 8.3, RFC 6839 section 3.1 (+json).

/// Whether a body so declared is JSON in UTF-8; an absent type is taken as JSON.
pub fn is_json(content_type: &str) -> bool {
    if matches!(content_type, "" | "application/json") {
        return true;
    }
    let (kind, charset) = parts(content_type);
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    json && is_utf8(&charset)
}

/// Whether a body so declared is an HTML form's, in UTF-8.
pub fn is_form(content_type: &str) -> bool {
    if content_type.is_empty() {
        return false;
    }
    let (kind, charset) = parts(content_type);
    kind == "application/x-www-form-urlencoded" && is_utf8(&charset)
}

fn is_utf8(charset: &str) -> bool {
    matches!(charset, "utf-8" | "utf8")
}

/// The lower-case type, and the charset parameter (utf-8 when there is none).
fn parts(content_type: &str) -> (String, String) {
    let mut pieces = content_type.split(';');
    let kind = trimmed(pieces.next().unwrap_or_default()).to_lowercase();
    let mut charset = "utf-8".to_owned();
    for piece in pieces {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        if trimmed(name).to_lowercase() == "charset" {
            charset = trimmed(value).trim_matches('"').to_lowercase();
        }
    }
    (kind, charset)
}

/// Without the white space that Python's strip takes away.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for json in ["", "application/json; charset=\"UTF-8\"", "Application/Merge-Patch+JSON ;charset=utf8"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/json", "application/json; charset=latin-1", "application/json2"] {
            assert!(!is_json(other), "{other}");
        }
        assert!(is_form("application/x-www-form-urlencoded;charset=utf-8"));
    }
}
