//! Any octets, cut anywhere: no panic, no octet past a boundary, and the same whatever the cuts.

use proptest::prelude::*;

use super::flaw::Kind;
use super::reader::{Limits, Reader};

const LIMITS: Limits = Limits { uri: 64, header_bytes: 256, header_count: 8, head_wire: 64 + 256 + 4 * 8 + 64 };

/// A head and a body, as octets.
type Request = (Vec<u8>, Vec<u8>);

/// What is read of `data`: each request, and the flaw at the end.
fn read(data: &[u8], cuts: &[usize]) -> (Vec<Request>, Option<Kind>) {
    let mut edges: Vec<usize> = cuts.iter().map(|cut| cut % (data.len() + 1)).collect();
    edges.extend([0, data.len()]);
    edges.sort_unstable();
    let mut reader = Reader::new(LIMITS);
    reader.max_body = Some(1 << 16);
    let (mut requests, mut head, mut body) = (Vec::new(), Vec::new(), Vec::new());
    for pair in edges.windows(2) {
        let piece = &data[pair[0]..pair[1]];
        let mut at = 0;
        while at < piece.len() {
            let used = reader.feed(&piece[at..], &mut |_, whole: &[u8]| head = whole.to_vec(), &mut |part: &[u8]| {
                body.extend_from_slice(part)
            });
            assert!(used > 0 && at + used <= piece.len());
            at += used;
            if let Some(flaw) = reader.flaw {
                return (requests, Some(flaw.kind));
            }
            if reader.complete {
                requests.push((std::mem::take(&mut head), std::mem::take(&mut body)));
                reader.reset();
                reader.max_body = Some(1 << 16);
            }
        }
    }
    (requests, None)
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
        prop_assert_eq!(read(&data, &cuts), read(&data, &[]));
    }

    #[test]
    fn noise_does_not_panic(data in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(any::<usize>(), 0..9)) {
        read(&data, &cuts);
    }
}

#[test]
fn a_request_ends_where_it_says() {
    let data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (requests, flaw) = read(data, &[]);
    assert_eq!(flaw, None);
    assert_eq!(requests.iter().map(|(_, body)| body.as_slice()).collect::<Vec<_>>(), [b"abc".as_slice(), b""]);
}
