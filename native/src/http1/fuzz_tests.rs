//! Fuzz targets of HTTP/1.1: heads, chunked bodies with trailers, pipelined requests.
//!
//! All are read whole, octet by octet and in pieces, under limits that seeds pass and under ones that they meet: the reading is the same,
//! and what is read keeps the limits. The limits are counted here again, from the requests and not from the reader.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::fuzz_seeds::{HEAD, bodies, heads, pipelines};
use super::reader::Limits;
use super::tests::{LIMITS, MAX_BODY, Reading, Request, read};
use crate::fuzz::fuzz;

const TIGHT: Limits = Limits { uri: 12, header_bytes: 50, header_count: 5, head_wire: 100 };
const TIGHT_BODY: u64 = 20;

/// Seeds behind an octet that says under which limits they are read, and one that says in pieces of how many octets.
fn behind_choices(seeds: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let chosen = |choice: u8| seeds.iter().map(move |seed| [&[choice, 7], &seed[..]].concat());
    chosen(0).chain(chosen(1)).collect()
}

fn bounds(choice: u8) -> (Limits, u64) {
    if choice & 1 == 0 { (LIMITS, MAX_BODY) } else { (TIGHT, TIGHT_BODY) }
}

fn keeps(request: &Request, limits: Limits, max_body: u64) -> Result<(), TestCaseError> {
    let Request { head, target, fields, body, facts, size, .. } = request;
    let field_bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    prop_assert!(
        target.len() <= limits.uri && fields.len() <= limits.header_count && field_bytes <= limits.header_bytes
    );
    prop_assert!(head.len() as u64 <= limits.head_wire && body.len() as u64 <= max_body);
    // Twice a head's bound for the head and what frames the chunks, once for the trailers.
    prop_assert!(*size as u64 <= 8 * body.len() as u64 + 3 * limits.head_wire);
    prop_assert!(facts.content_length.is_none_or(|length| length == body.len() as u64));
    prop_assert!(facts.chunked || head.len() + body.len() == *size);
    prop_assert!(head.ends_with(b"\r\n\r\n") && head.trim_ascii_start().iter().all(|octet| *octet != 0));
    Ok(())
}

/// What is read of `prefix` and `data`, however it is cut.
fn agreed(data: &[u8], prefix: &[u8]) -> Result<Option<Reading>, TestCaseError> {
    let (Some(choice), Some(piece)) = (data.first(), data.get(1)) else { return Ok(None) };
    let (limits, max_body) = bounds(*choice);
    let data = [prefix, &data[2..]].concat();
    let whole = read(&data, [], limits, max_body);
    prop_assert_eq!(&read(&data, 0..data.len(), limits, max_body), &whole, "octet by octet");
    let pieces = (0..data.len()).step_by(usize::from(*piece).max(1));
    prop_assert_eq!(&read(&data, pieces, limits, max_body), &whole, "in pieces");
    for request in &whole.requests {
        keeps(request, limits, max_body)?;
    }
    Ok(Some(whole))
}

#[test]
fn fuzz_http1_heads() {
    fuzz("HTTP/1.1 heads", behind_choices(heads()), |data| agreed(data, b"").map(|_| ()));
}

/// A chunked body that was found sound, read by the letter of RFC 9112 7.1: its content and its size. Nothing of the reader is used.
fn by_the_letter(mut coded: &[u8]) -> (Vec<u8>, usize) {
    let (mut content, all) = (Vec::new(), coded.len());
    let line_end = |text: &[u8]| text.windows(2).position(|pair| pair == b"\r\n").expect("a line") + 2;
    loop {
        let digits = coded.iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        assert!((1..=16).contains(&digits) && matches!(coded[digits], b'\r' | b';'));
        let size =
            u64::from_str_radix(str::from_utf8(&coded[..digits]).expect("digits"), 16).expect("a number") as usize;
        coded = &coded[line_end(coded)..];
        if size == 0 {
            break;
        }
        content.extend_from_slice(&coded[..size]);
        coded = coded[size..].strip_prefix(b"\r\n").expect("an end");
    }
    while !coded.starts_with(b"\r\n") {
        coded = &coded[line_end(coded)..];
    }
    (content, all - coded.len() + 2)
}

#[test]
fn fuzz_http1_chunks() {
    fuzz("HTTP/1.1 chunks", behind_choices(bodies()), |data| {
        let Some(Reading { requests, .. }) = agreed(data, HEAD)? else { return Ok(()) };
        let Some(first) = requests.first() else { return Ok(()) };
        prop_assert_eq!((first.body.clone(), first.size - HEAD.len()), by_the_letter(&data[2..]));
        Ok(())
    });
}

#[test]
fn fuzz_http1_pipelined() {
    fuzz("HTTP/1.1 pipelined", behind_choices(pipelines()), |data| {
        let Some(Reading { requests, flaw, begun }) = agreed(data, b"")? else { return Ok(()) };
        let (limits, max_body) = bounds(data[0]);
        let mut rest = &data[2..];
        for request in requests {
            let (octets, behind) = rest.split_at(request.size);
            let alone = Reading { requests: vec![request], flaw: None, begun: false };
            prop_assert_eq!(
                read(octets, [], limits, max_body),
                alone,
                "what is around a request changes nothing in it"
            );
            rest = behind;
        }
        let last = Reading { requests: vec![], flaw, begun };
        prop_assert_eq!(read(rest, [], limits, max_body), last, "nor does what was before change what is refused");
        Ok(())
    });
}
