//! Fuzz targets of HTTP/2: frames into a session, blocks into HPACK, octets into Huffman. Seeds are whole, sound exchanges and what h2spec sends.

use proptest::prelude::*;

use super::encoder::Encoder;
use super::frame;
use super::hpack_tests::{decoder, octets};
use super::huffman;
use super::plain_host::{PlainHost, Told};
use super::session_tests::life;
use crate::fuzz::fuzz;

/// `:method GET`, `:scheme http`, `:path /`, `:authority h`.
const REQUEST: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'h'];

/// A frame by kind, flags, stream and payload.
type Sent = (u8, u8, u32, &'static [u8]);

/// Whole exchanges, and most of what h2spec sends that is wrong.
const FRAMES: &[&[Sent]] = &[
    &[(frame::SETTINGS, 0, 0, &[]), (frame::HEADERS, 5, 1, REQUEST), (frame::SETTINGS, 1, 0, &[])],
    &[(frame::SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff, 0, 5, 0, 0, 0x40, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0x10, 0])],
    &[(frame::SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]), (frame::SETTINGS, 1, 0, &[0]), (frame::SETTINGS, 0, 1, &[])],
    &[(frame::HEADERS, 0x2c, 3, &[2, 0, 0, 0, 0, 200, 0x82, 0x86, 0x84, 0x41, 1, b'h', 0, 0])],
    &[
        (frame::HEADERS, 1, 1, &[0x82]),
        (frame::CONTINUATION, 0, 1, &[0x86, 0x84]),
        (frame::CONTINUATION, 4, 1, &[0x41, 1, b'h']),
    ],
    &[(frame::HEADERS, 0, 1, &[0x82]), (frame::DATA, 0, 1, b"x"), (frame::CONTINUATION, 4, 3, &[])],
    &[
        (frame::HEADERS, 4, 1, REQUEST),
        (frame::DATA, 8, 1, &[1, b'a', 0]),
        (frame::DATA, 1, 1, b"end"),
        (frame::DATA, 0, 1, b"closed"),
    ],
    &[(frame::HEADERS, 4, 1, REQUEST), (frame::DATA, 8, 1, &[9, 0]), (frame::HEADERS, 5, 1, &[0, 1, b'a', 1, b'b'])],
    &[
        (frame::HEADERS, 4, 1, REQUEST),
        (frame::RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        (frame::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]),
    ],
    &[(frame::RST_STREAM, 0, 0, &[0, 0, 0, 8]), (frame::RST_STREAM, 0, 1, &[0, 0, 0])],
    &[
        (frame::PRIORITY, 0, 1, &[0, 0, 0, 1, 7]),
        (frame::PRIORITY, 0, 0, &[0, 0, 0, 0, 7]),
        (frame::PRIORITY, 0, 5, &[0]),
    ],
    &[
        (frame::PING, 0, 0, &[7; 8]),
        (frame::PING, 1, 0, &[7; 8]),
        (frame::PING, 0, 1, &[7; 8]),
        (frame::PING, 0, 0, &[7; 6]),
    ],
    &[(frame::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0, b'w', b'h', b'y']), (frame::HEADERS, 5, 3, REQUEST)],
    &[(frame::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 0]), (frame::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])],
    &[(frame::PUSH_PROMISE, 4, 1, &[0, 0, 0, 2, 0x82]), (0x16, 0xff, 9, b"unknown")],
    &[
        (frame::HEADERS, 5, 1, &[0x88]),
        (frame::HEADERS, 4, 3, &[0x48, 3, b'1', b'0', b'0']),
        (frame::HEADERS, 5, 3, &[0x88]),
    ],
    &[
        (frame::HEADERS, 4, 1, &[0x88]),
        (frame::DATA, 0, 1, &[0; 50]),
        (frame::HEADERS, 5, 1, &[0, 11, b'g', b'r', b'p', b'c', b'-', b's', b't', b'a', b't', b'u', b's', 1, b'0']),
    ],
];

/// The first octet says which side we are, the second into pieces of how many octets the rest is cut.
fn exchanges() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for frames in FRAMES {
        for is_client in [0, 1] {
            let mut data = vec![is_client, 7];
            if is_client == 0 {
                data.extend_from_slice(frame::PREFACE);
            }
            frame::write(&mut data, frame::SETTINGS, 0, 0, &[]);
            for (kind, flags, stream, payload) in *frames {
                frame::write(&mut data, *kind, *flags, *stream, payload);
            }
            seeds.push(data);
        }
    }
    seeds
}

#[test]
fn fuzz_frames() {
    fuzz("frames", exchanges(), |data| {
        let (Some(side), Some(piece)) = (data.first(), data.get(1)) else { return Ok(()) };
        let (is_client, rest) = (side & 1 == 1, &data[2..]);
        let piece = usize::from(*piece).max(1);
        let whole = life(is_client, rest, &[]);
        prop_assert_eq!(&life(is_client, rest, &vec![piece; rest.len() / piece]), &whole, "cut into pieces");
        let failures = whole.0.iter().filter(|event| matches!(event, Told::Failed(_))).count();
        let last = matches!(whole.0.last(), Some(Told::Failed(_)));
        prop_assert!(failures == 0 || (failures == 1 && last), "a failure is the last event");
        Ok(())
    });
}

/// Blocks behind each other, each behind an octet with its size.
fn blocks() -> Vec<Vec<u8>> {
    let seeds = [
        &["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "be", "be"][..],
        &["040c 2f73 616d 706c 652f 7061 7468", "1008 7061 7373 776f 7264 0673 6563 7265 74", "82"],
        &[
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ],
        &[
            "3fe1 01",
            "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b\
             97c8 e9ae 82ae 43d3",
            "4883 640e ffc1 c0bf",
        ],
        &["20 3fe1 1f 82", "4001 6101 31", "20", "be"],
        &[
            "8876 056e 6769 6e78 0f0d 0231 30",
            "8876 056e 6769 6e78 0f0d 0231 30",
            "88be bf",
            "be 4001 6101 31",
            "be 4001 6101 31",
        ],
        &["ff80 8080 8080 00", "3fe2 1f", "7f80 ff03", "4001 6181 ff"],
    ];
    let framed = seeds.iter().map(|blocks| {
        blocks.iter().flat_map(|block| {
            let block = octets(block);
            [vec![block.len() as u8], block].concat()
        })
    });
    framed.map(Iterator::collect).collect()
}

#[test]
fn fuzz_hpack() {
    fuzz("HPACK", blocks(), |data| {
        let (mut decoder, mut forgetful, mut host) = (decoder(), decoder(), PlainHost::default());
        let mut rest = data;
        while let Some((size, behind)) = rest.split_first() {
            let (block, behind) = behind.split_at(usize::from(*size).min(behind.len()));
            rest = behind;
            forgetful.forget();
            let (found, read) = (decoder.decode(block, &mut host), forgetful.decode(block, &mut host));
            prop_assert_eq!(found.as_ref().map(|found| &found.0), read.as_ref().map(|read| &read.0));
            prop_assert_eq!(decoder.table_bytes(), forgetful.table_bytes());
            let Ok((fields, facts)) = found else { return Ok(()) };
            prop_assert!(decoder.table_bytes() <= 4096, "the table outgrows what we allow");
            prop_assert_eq!(facts.fields, fields.len());
            let (mut encoder, mut again) = (Encoder::new(), Vec::new());
            encoder.begin(&mut again);
            for (name, value) in &fields {
                encoder.field(&mut again, name, value);
            }
            let read = super::hpack_tests::decoder().decode(&again, &mut host).map(|read| read.0);
            prop_assert_eq!(read, Ok(fields));
        }
        Ok(())
    });
}

#[test]
fn fuzz_huffman() {
    let texts: [&[u8]; 5] =
        [b"www.example.com", b"no-cache", b"Mon, 21 Oct 2013 20:13:21 GMT", &[0, 0xff, 0x80, 10], b""];
    let mut seeds: Vec<_> = texts.iter().map(|text| huffman::encode(text)).collect();
    seeds.extend([vec![0xff; 4], vec![0x1f], vec![0x18]]);
    fuzz("Huffman", seeds, |coded| {
        let mut text = Vec::new();
        if huffman::decode(coded, &mut text).is_ok() {
            prop_assert_eq!(huffman::encode(&text), coded, "a text has one code");
        }
        Ok(())
    });
}
