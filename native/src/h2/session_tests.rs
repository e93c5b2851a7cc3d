//! The session without Python: a pair in memory, and any bytes in any pieces. `PROPTEST_CASES=1000000` makes it a long run.

use proptest::prelude::*;

use super::code::{ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR};
use super::frame;
use super::grpc_frame::Framed;
use super::plain_host::{List, PlainHost, Told};
use super::session::Session;
use super::settings::Ours;

type Plain = Session<(Vec<u8>, Vec<u8>), List>;

const LIMITS: Ours = Ours {
    max_concurrent_streams: 4,
    stream_window: 3000,
    connection_window: 70_000,
    max_frame: 16_384,
    max_header_list: 2000,
    connect_protocol: false,
};
const REQUEST: [(&[u8], &[u8]); 4] =
    [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"h")];
const RESPONSE: [(&[u8], &[u8]); 1] = [(b":status", b"200")];

fn taken(session: &mut Plain) -> Vec<u8> {
    session.take(<[u8]>::to_vec)
}

fn carry(from: &mut Plain, to: &mut Plain, host: &mut PlainHost) -> Vec<Told> {
    to.receive(&taken(from), host);
    host.told()
}

fn pair(host: &mut PlainHost) -> (Plain, Plain) {
    let (mut client, mut server) = (Plain::new(true, LIMITS), Plain::new(false, LIMITS));
    carry(&mut client, &mut server, host);
    carry(&mut server, &mut client, host);
    carry(&mut client, &mut server, host);
    (client, server)
}

#[test]
fn flow_control_holds_and_releases_what_is_acknowledged() {
    let mut host = PlainHost::default();
    let (mut client, mut server) = pair(&mut host);
    let id = client.open(&mut &REQUEST[..], false, &mut host).unwrap();
    let body = vec![7; 10_000];
    let mut sent = 0;
    let mut received = 0;
    while received < body.len() {
        sent += client.send_data(id, &&body[sent..], true, &mut host).unwrap();
        let mut arrived = 0;
        for event in carry(&mut client, &mut server, &mut host) {
            if let Told::Data { flow_bytes, .. } = event {
                arrived += flow_bytes;
                server.acknowledge(id, flow_bytes as i64);
            }
        }
        assert!(0 < arrived && arrived <= 3000);
        received += arrived;
        carry(&mut server, &mut client, &mut host);
    }
    assert_eq!((sent, received), (10_000, 10_000));
}

#[test]
fn nothing_is_kept_of_streams_that_ended() {
    let mut host = PlainHost::default();
    let (mut client, mut server) = pair(&mut host);
    for _ in 0..100_000 {
        let id = client.open(&mut &REQUEST[..], true, &mut host).unwrap();
        carry(&mut client, &mut server, &mut host);
        server.send_headers(id, &mut &RESPONSE[..], true, &mut host).unwrap();
        let told = carry(&mut server, &mut client, &mut host);
        assert!(matches!(told[..], [Told::Headers { end: true, .. }]));
    }
    assert_eq!((client.held(), server.held()), ((0, 0), (0, 0)));
}

#[test]
fn a_spent_budget_is_the_end() {
    let mut host = PlainHost::default();
    let mut server = Plain::new(false, LIMITS);
    let mut data = frame::PREFACE.to_vec();
    for _ in 0..1000 {
        frame::write(&mut data, frame::PING, 0, 0, &[0; 8]);
    }
    host.limit = Some(100);
    server.receive(&data, &mut host);
    assert_eq!(host.told(), [Told::Failed(ENHANCE_YOUR_CALM)]);
    assert_eq!(host.points, 100);
    server.receive(&data, &mut host);
    assert_eq!(host.told(), []);
}

#[test]
fn a_frame_too_large_is_refused_by_its_head() {
    let mut host = PlainHost::default();
    let mut client = Plain::new(true, LIMITS);
    client.receive(b"HTTP/1.1 400 Bad", &mut host);
    assert_eq!(host.told(), [Told::Failed(FRAME_SIZE_ERROR)]);
}

/// One frame of any kind; most are what their kind must be.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        Just(vec![0x82, 0x86, 0x84, 0x41, 0x01, b'h']),
        Just(vec![0x88]),
        Just(vec![0, 0, 0, 8]),
        Just(vec![0, 0, 0, 1, 0]),
        Just(vec![0; 8]),
        Just(vec![0, 4, 0, 0, 0xff, 0xff]),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    (0u8..12, prop_oneof![Just(4u8), Just(5), Just(0), any::<u8>()], 0u32..8, payload).prop_map(
        |(kind, flags, stream, payload)| {
            let mut data = Vec::new();
            frame::write(&mut data, kind, flags, stream, &payload);
            data
        },
    )
}

pub fn life(is_client: bool, data: &[u8], pieces: &[usize]) -> (Vec<Told>, Vec<u8>, u32) {
    let mut host = PlainHost { limit: Some(300), ..PlainHost::default() };
    let mut session = Plain::new(is_client, LIMITS);
    if is_client {
        session.open(&mut &REQUEST[..], false, &mut host);
        session.open(&mut &REQUEST[..], true, &mut host);
    }
    host.points = 0;
    let mut rest = data;
    for piece in pieces {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        session.receive(now, &mut host);
        rest = later;
    }
    session.receive(rest, &mut host);
    let told = host.told();
    for stream in 0..8 {
        session.acknowledge(stream, 2000);
        let _ = session.send_headers(stream, &mut &RESPONSE[..], false, &mut host);
        let _ = session.send_data(stream, &&[1; 4000][..], true, &mut host);
        session.reset(stream, 8);
    }
    session.go_away(0, None);
    let out = taken(&mut session);
    (told, out, host.points)
}

proptest! {
    /// However the bytes are cut, the same comes of them; and nothing panics.
    #[test]
    fn pieces_make_no_difference(
        is_client in any::<bool>(),
        frames in prop::collection::vec(any_frame(), 0..20),
        junk in prop::collection::vec(any::<u8>(), 0..20),
        pieces in prop::collection::vec(1usize..30, 0..60),
    ) {
        let mut data = if is_client { Vec::new() } else { frame::PREFACE.to_vec() };
        data.extend(frames.concat());
        data.extend(junk);
        let whole = life(is_client, &data, &[]);
        prop_assert_eq!(&life(is_client, &data, &pieces), &whole);
        prop_assert_eq!(&life(is_client, &data, &vec![1; data.len()]), &whole);
        let failures = whole.0.iter().filter(|event| matches!(event, Told::Failed(_))).count();
        prop_assert!(failures <= 1 && (failures == 0 || matches!(whole.0.last(), Some(Told::Failed(_)))), "the failure is the last event");
    }

    #[test]
    fn no_bytes_panic(is_client in any::<bool>(), data in prop::collection::vec(any::<u8>(), 0..200)) {
        life(is_client, &data, &[]);
    }

    /// What one of ours writes, another of ours reads without complaint.
    #[test]
    fn what_is_written_is_well_formed(bodies in prop::collection::vec((0usize..6000, any::<bool>()), 1..20)) {
        let mut host = PlainHost::default();
        let (mut client, mut server) = pair(&mut host);
        for (size, acknowledged) in bodies {
            let Some(id) = client.open(&mut &REQUEST[..], false, &mut host) else { break };
            client.send_data(id, &&vec![0; size][..], true, &mut host).unwrap();
            for event in carry(&mut client, &mut server, &mut host) {
                prop_assert!(!event.is_bad());
                if let Told::Data { flow_bytes, .. } = event && acknowledged {
                    server.acknowledge(id, flow_bytes as i64);
                }
            }
            server.send_headers(id, &mut &RESPONSE[..], true, &mut host).unwrap();
            for event in carry(&mut server, &mut client, &mut host) {
                prop_assert!(!event.is_bad());
            }
        }
    }
}

#[test]
fn a_call_is_asked_with_its_message_and_what_the_window_does_not_take_is_left() {
    for size in [0, 1, 2994, 2995, 2996, 5000] {
        let mut host = PlainHost::default();
        let (mut client, mut server) = pair(&mut host);
        let message = vec![7; size];
        let framed = Framed::of(&message).unwrap();
        let (id, left) = client.ask(&mut &REQUEST[..], &framed, &mut host).unwrap().unwrap();
        assert_eq!(left, (size + 5).saturating_sub(3000));
        let told = carry(&mut client, &mut server, &mut host);
        assert!(matches!(&told[0], Told::Headers { end: false, .. }));
        let sent = told.iter().map(|event| match event {
            Told::Data { stream, data, end, .. } => {
                assert_eq!((*stream, *end), (id, left == 0));
                data.len()
            }
            _ => 0,
        });
        assert_eq!(sent.sum::<usize>(), size + 5 - left);
    }
}
