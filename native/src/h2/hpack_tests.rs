//! HPACK against RFC 7541 appendix C, and the encoder against the decoder over any sequence of blocks.

use proptest::prelude::*;

use super::decoder::Decoder;
use super::encoder::Encoder;
use super::hpack_error::HpackError;
use super::plain_host::{List, PlainHost};

pub fn decoder() -> Decoder<(Vec<u8>, Vec<u8>), List> {
    Decoder::new(1 << 20, 1000)
}

pub fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.bytes().filter_map(|digit| (digit as char).to_digit(16).map(|digit| digit as u8)).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn list(fields: &[(&str, &str)]) -> List {
    fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

type Fields = [(&'static str, &'static str)];

/// Blocks of one connection, what each says, and the size of the table after it.
fn assert_reads(table_bytes: usize, blocks: &[(&str, &Fields, usize)]) {
    let (mut decoder, mut host) = (decoder(), PlainHost::default());
    let mut update = Vec::new();
    super::integer::encode(&mut update, table_bytes, 5, 0x20);
    assert!(decoder.decode(&update, &mut host).is_ok());
    for (block, fields, size) in blocks {
        let (found, facts) = decoder.decode(&octets(block), &mut host).expect("it decodes");
        assert_eq!(found, list(fields));
        assert_eq!(facts.fields, fields.len());
        assert_eq!(decoder.table_bytes(), *size);
    }
}

#[test]
fn the_literals_of_appendix_c_2() {
    assert_reads(
        4096,
        &[
            (
                "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
                &[("custom-key", "custom-header")],
                55,
            ),
            ("040c 2f73 616d 706c 652f 7061 7468", &[(":path", "/sample/path")], 55),
            ("1008 7061 7373 776f 7264 0673 6563 7265 74", &[("password", "secret")], 55),
            ("82", &[(":method", "GET")], 55),
        ],
    );
}

const REQUESTS: [&Fields; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

#[test]
fn the_requests_of_appendix_c_3_and_c_4() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, coded] {
        assert_reads(
            4096,
            &std::array::from_fn::<_, 3, _>(|number| (blocks[number], REQUESTS[number], [57, 110, 164][number])),
        );
    }
}

const RESPONSES: [&Fields; 3] = [
    &[
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
];

/// In a table of 256 octets, so that entries are evicted.
#[test]
fn the_responses_of_appendix_c_5_and_c_6() {
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 54\
         6e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d\
         4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076\
         6572 7369 6f6e 3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b\
         97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf\
         cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    for blocks in [plain, coded] {
        assert_reads(
            256,
            &std::array::from_fn::<_, 3, _>(|number| (blocks[number], RESPONSES[number], [222, 222, 215][number])),
        );
    }
}

#[test]
fn what_does_not_decode() {
    for bad in ["80", "be", "ff80 8080 8080 00", "40", "4001", "4001 61", "0f", "3fe2 1f", "8220", "4001 6181 ff"] {
        let result = decoder().decode(&octets(bad), &mut PlainHost::default());
        assert_eq!(result.err(), Some(HpackError::Malformed), "{bad}");
    }
}

#[test]
fn a_list_is_bounded_by_number_and_by_size() {
    let mut decoder = Decoder::new(100 * 42, 100);
    let mut host = PlainHost::default();
    assert!(decoder.decode(&[0x82; 100], &mut host).is_ok());
    assert_eq!(decoder.decode(&[0x82; 101], &mut host).err(), Some(HpackError::TooLarge));
    let mut long = octets("0001 617f 8106");
    long.extend_from_slice(&[b'v'; 1024]);
    let mut decoder = Decoder::new(1024, 100);
    assert_eq!(decoder.decode(&long, &mut host).err(), Some(HpackError::TooLarge));
}

#[test]
fn a_remembered_block_is_forgotten_when_the_table_changes() {
    let (mut decoder, mut host) = (decoder(), PlainHost::default());
    decoder.decode(&octets("4001 6101 31"), &mut host).unwrap();
    for _ in 0..2 {
        assert_eq!(decoder.decode(&[0xbe], &mut host).unwrap().0, list(&[("a", "1")]));
    }
    decoder.decode(&octets("4001 6201 32"), &mut host).unwrap();
    assert_eq!(decoder.decode(&[0xbe], &mut host).unwrap().0, list(&[("b", "2")]));
    decoder.decode(&octets("203f e11f"), &mut host).unwrap();
    assert!(decoder.decode(&[0xbe], &mut host).is_err());
}

/// Lists hold what the table has let go; a peer that fills it anew again and again would have us hold it as often.
#[test]
fn blocks_that_can_not_be_asked_for_again_are_not_held() {
    let (mut decoder, mut host) = (decoder(), PlainHost::default());
    decoder.decode(&octets("4001 6101 31"), &mut host).unwrap();
    for block in ["be", "be82", "be83", "0f2f 0132"] {
        decoder.decode(&octets(block), &mut host).unwrap();
    }
    assert_eq!(decoder.remembered(), 5);
    decoder.decode(&octets("4001 6201 32"), &mut host).unwrap();
    assert_eq!(decoder.remembered(), 2); // the two that look nothing up
}

/// Some servers put the same fields into the table again with each answer (nginx does): what looks nothing up means the same always.
#[test]
fn a_block_that_adds_to_the_table_adds_again() {
    let (mut decoder, mut host) = (decoder(), PlainHost::default());
    let adds_twice = octets("4001 6101 31 4001 6201 32");
    for times in 1..4 {
        assert_eq!(decoder.decode(&adds_twice, &mut host).unwrap().0, list(&[("a", "1"), ("b", "2")]));
        assert_eq!((decoder.remembered(), decoder.table_bytes()), (1, times * 2 * 34));
    }
    assert_eq!(decoder.decode(&octets("bebf c0"), &mut host).unwrap().0, list(&[("b", "2"), ("a", "1"), ("b", "2")]));
    decoder.decode(&adds_twice, &mut host).unwrap();
    assert_eq!(decoder.decode(&octets("be"), &mut host).unwrap().0, list(&[("b", "2")]));
}

/// Such a block moves the entries that it names itself.
#[test]
fn a_block_that_looks_up_and_adds_is_read_each_time() {
    let (mut decoder, mut host) = (decoder(), PlainHost::default());
    decoder.decode(&octets("4001 6101 31"), &mut host).unwrap();
    let both = octets("be 4001 6201 32");
    assert_eq!(decoder.decode(&both, &mut host).unwrap().0, list(&[("a", "1"), ("b", "2")]));
    assert_eq!(decoder.decode(&both, &mut host).unwrap().0, list(&[("b", "2"), ("b", "2")]));
}

/// What callers choose enters no table, and a secret is marked as one (section 7.1).
#[test]
fn secrets_are_never_indexed() {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.field(&mut out, b"authorization", b"s");
    assert_eq!(out[0] & 0xf0, 0x10);
    for name in [&b"cookie"[..], b"set-cookie", b"proxy-authorization"] {
        out.clear();
        encoder.field(&mut out, name, b"s");
        assert_eq!(out[0] & 0xf0, 0x10, "{name:?}");
    }
    out.clear();
    encoder.field(&mut out, b"x-request-id", b"1");
    assert_eq!(out[0], 0);
}

/// Of blocks: indexed from either table, literals that add and that do not, a name from either table, table sizes.
const PIECES: &[&str] = &[
    "82",
    "be",
    "bf",
    "c0",
    "4001 6101 31",
    "4001 6201 32",
    "0001 6101 31",
    "7f00 0133",
    "4401 2f",
    "3f e11f",
    "20",
    "3f 20",
];

const NAMES: &[&str] = &["a", ":path", ":status", "te", "user-agent", "cookie", "content-length", "x-long-name"];

fn fields() -> impl Strategy<Value = List> {
    let values = prop_oneof![
        Just(b"200".to_vec()),
        Just(b"/".to_vec()),
        Just(b"trailers".to_vec()),
        prop::collection::vec(any::<u8>(), 0..300)
    ];
    prop::collection::vec((prop::sample::select(NAMES), values), 0..6)
        .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect())
}

proptest! {
    /// A step is a block, or a table size of the peer's.
    #[test]
    fn the_decoder_reads_what_the_encoder_writes(steps in prop::collection::vec(prop_oneof![
        fields().prop_map(Ok), (0usize..6000).prop_map(Err)
    ], 0..12)) {
        let (mut encoder, mut decoder, mut host) = (Encoder::new(), decoder(), PlainHost::default());
        for step in steps {
            match step {
                Err(limit) => encoder.set_limit(limit),
                Ok(fields) => {
                    let mut block = Vec::new();
                    encoder.begin(&mut block);
                    for (name, value) in &fields {
                        encoder.field(&mut block, name, value);
                    }
                    prop_assert_eq!(decoder.decode(&block, &mut host).unwrap().0, fields);
                }
            }
        }
    }

    /// Blocks come again, between others that add to the table, look up in it and resize it: with a memory and without, they say the same.
    #[test]
    fn what_is_remembered_is_what_would_be_read(steps in prop::collection::vec(prop::collection::vec(
        prop::sample::select(PIECES), 1..4
    ), 1..40)) {
        let (mut remembering, mut host) = (decoder(), PlainHost::default());
        for known in 0..steps.len() {
            let block = |step: &Vec<&str>| octets(&step.concat());
            let mut fresh = decoder();
            let expected = steps[..=known].iter().map(|step| {
                fresh.forget();
                fresh.decode(&block(step), &mut host).map(|(list, facts)| (list, facts.fields))
            }).last().unwrap();
            let found = remembering.decode(&block(&steps[known]), &mut host).map(|(list, facts)| (list, facts.fields));
            prop_assert_eq!(remembering.table_bytes(), fresh.table_bytes());
            prop_assert_eq!(&found, &expected);
            if found.is_err() {
                break;
            }
        }
    }

    #[test]
    fn no_block_panics(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let (mut decoder, mut host) = (decoder(), PlainHost::default());
        for block in blocks {
            let _ = decoder.decode(&block, &mut host);
        }
    }
}
