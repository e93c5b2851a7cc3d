//! Any octets, cut anywhere: no panic, no octet past a boundary, and the same whatever the cuts.

use proptest::prelude::*;

use super::flaw::{Flaw, Kind};
use super::reader::{Limits, Reader};
use super::rules::Facts;
use super::scan::Version;

pub const MAX_BODY: u64 = 1 << 16;
pub const LIMITS: Limits = Limits { uri: 64, header_bytes: 256, header_count: 8, head_wire: 64 + 256 + 4 * 8 + 64 };

/// A request as it was read, and how many octets it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub head: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub version: Version,
    pub facts: Facts,
    pub body: Vec<u8>,
    pub size: usize,
}

/// All that is read of some octets: whole requests, then a flaw, or the beginning of another request.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    pub requests: Vec<Request>,
    pub flaw: Option<Flaw>,
    pub begun: bool,
}

fn head_of(reader: &Reader, head: &[u8]) -> Request {
    let fields = reader.scan.fields.iter().map(|(name, value)| (name.of(head).to_vec(), value.of(head).to_vec()));
    let target = reader.scan.target.of(head).to_vec();
    let (version, facts) = (reader.scan.version, reader.facts);
    Request { head: head.to_vec(), target, fields: fields.collect(), version, facts, ..Request::default() }
}

/// `data`, fed in the pieces that end at `cuts`.
pub fn read(data: &[u8], cuts: impl IntoIterator<Item = usize>, limits: Limits, max_body: u64) -> Reading {
    let mut edges: Vec<usize> = cuts.into_iter().map(|cut| cut % (data.len() + 1)).collect();
    edges.extend([0, data.len()]);
    edges.sort_unstable();
    let (mut reader, mut reading) = (Reader::new(limits), Reading::default());
    let (mut request, mut body, mut size) = (Request::default(), Vec::new(), 0);
    for pair in edges.windows(2) {
        let mut piece = &data[pair[0]..pair[1]];
        while !piece.is_empty() {
            let used =
                reader.feed(piece, &mut |reader, head: &[u8]| request = head_of(reader, head), &mut |part: &[u8]| {
                    body.extend_from_slice(part)
                });
            assert!(used > 0 && used <= piece.len());
            piece = &piece[used..];
            size += used;
            if reader.flaw.is_some() {
                reading.flaw = reader.flaw;
                return reading;
            }
            if reader.head_complete {
                reader.max_body = Some(max_body);
            }
            if reader.complete {
                let body = std::mem::take(&mut body);
                reading.requests.push(Request {
                    body,
                    size: std::mem::take(&mut size),
                    ..std::mem::take(&mut request)
                });
                reader.reset();
            }
        }
    }
    reading.begun = reader.begun();
    reading
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"GET / HTTP/1.1\r\n",
        b"POST /a?b HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"\r\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"0\r\nx: y\r\n\r\n",
        b"a: b\r\n",
        b"1;a=\"b\\\"\"\r\nx\r\n",
        b"GET http://a/b HTTP/1.1\r\n",
        b"GET / HTTP/1.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
    ];
    prop_oneof![
        8 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
        1 => prop::sample::select(b"\r\n :;\t\0/?#0".to_vec()).prop_map(|octet| vec![octet]),
    ]
}

proptest! {
    #[test]
    fn any_octets_are_read_the_same_however_they_are_cut(
        pieces in prop::collection::vec(piece(), 0..12), cuts in prop::collection::vec(any::<usize>(), 0..9)
    ) {
        let data = pieces.concat();
        prop_assert_eq!(read(&data, cuts, LIMITS, MAX_BODY), read(&data, [], LIMITS, MAX_BODY));
    }

    #[test]
    fn noise_does_not_panic(data in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(any::<usize>(), 0..9)) {
        read(&data, cuts, LIMITS, MAX_BODY);
    }
}

#[test]
fn a_request_ends_where_it_says() {
    let data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let reading = read(data, [], LIMITS, MAX_BODY);
    assert_eq!(reading.flaw, None);
    assert_eq!(
        reading.requests.iter().map(|request| request.body.as_slice()).collect::<Vec<_>>(),
        [b"abc".as_slice(), b""]
    );
}

/// What a text is refused for, however it is cut.
fn refused(data: &[u8]) -> (Kind, &'static str) {
    let whole = read(data, [], LIMITS, 64);
    for size in 1..data.len() {
        assert_eq!(read(data, (0..data.len()).step_by(size), LIMITS, 64), whole, "in pieces of {size}");
    }
    whole.flaw.map(|flaw| (flaw.kind, flaw.detail)).expect("a flaw")
}

#[test]
fn of_several_flaws_in_a_head_it_is_the_first() {
    let nine = b"Host: h\r\n".repeat(9);
    let head = |line: &[u8], rest: &[u8]| [line, &nine, rest].concat();
    assert_eq!(refused(&head(b"GET / HTTP/1.1\r\n", b" folded\r\n")), (Kind::HeadersTooLarge, ""));
    assert_eq!(refused(&head(b"GET / HTTP/1.1\r\n", b"Transfer-Encoding: x\r\n\r\n")), (Kind::HeadersTooLarge, ""));
    let long = [b"GET /", &b"a".repeat(64)[..]].concat();
    assert_eq!(refused(&[&long, b"\0".as_slice()].concat()), (Kind::UriTooLong, ""));
    let blank = b"\r\n".repeat(LIMITS.head_wire as usize / 2 - 9);
    assert_eq!(refused(&[&blank, &long, b" ".as_slice()].concat()), (Kind::HeadersTooLarge, ""));
    assert_eq!(refused(&[&blank, &blank[..14], b"GXXXXX /".as_slice()].concat()).0, Kind::Malformed);
}

#[test]
fn of_several_flaws_in_a_body_it_is_the_first() {
    let chunked = |body: &[u8]| [b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat();
    let large = [b"41\r\n", &[b'a'; 65][..], b"X"].concat();
    assert_eq!(refused(&chunked(&large)), (Kind::BodyTooLarge, ""));
    assert_eq!(refused(&chunked(b"0\r\nHost: h\r\n folded")), (Kind::Malformed, "a trailer field that frames"));
    let nine = [b"0\r\n", &b"a: b\r\n".repeat(9)[..], b"Host: h\r\n"].concat();
    assert_eq!(refused(&chunked(&nine)), (Kind::HeadersTooLarge, "trailers"));
    let endless = [b"0\r\na: ", &b"a".repeat(LIMITS.head_wire as usize)[..], b"\0"].concat();
    assert_eq!(refused(&chunked(&endless)), (Kind::HeadersTooLarge, "trailers"));
}

#[test]
fn extensions_are_weighed_against_the_content_before_them() {
    let extension = b"e".repeat(2 * LIMITS.head_wire as usize);
    let body =
        [b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;", &extension[..], b"\r\na\r\n40\r\n"];
    let paid = [&body.concat(), &[b'a'; 64][..], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(refused(&paid), (Kind::Malformed, "chunk extensions out of proportion"));
    let trailers = |extension: &[u8]| [body[0], extension, b"\r\na\r\n0\r\na: ", &[b'b'; 200], b"\r\n\r\n"].concat();
    assert_eq!(read(&trailers(&extension[..2 * LIMITS.head_wire as usize - 80]), [], LIMITS, 64).flaw, None);
    let small =
        |chunk: &[u8]| read(&[&body[0][..body[0].len() - 2], &chunk.repeat(1000)].concat(), [], LIMITS, MAX_BODY).flaw;
    assert_eq!(small(b"1;a\r\nx\r\n"), None, "eight octets for one");
    assert_eq!(small(b"1;ab\r\nx\r\n").map(|flaw| flaw.kind), Some(Kind::Malformed), "nine");
}
