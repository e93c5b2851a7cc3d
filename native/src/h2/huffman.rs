//! Reading Huffman-coded strings four bits at a time (RFC 7541 section 5.2).
//!
//! The state is a node of the code's tree; a table made once says for each node and four bits which node comes next and which
//! octet is complete (no code is shorter than five bits, so there is at most one). Nothing is written Huffman-coded: it costs
//! both ends time for a few octets of a local network.

use std::sync::LazyLock;

use super::hpack_error::HpackError;
use super::huffman_codes::CODES;

const END_OF_STRING: usize = 256;
const NODES: usize = 256; // the inner nodes of a tree with 257 leaves

#[derive(Clone, Copy)]
struct Step {
    next: u8,
    emit: Option<u8>,
    fails: bool,
}

struct Machine {
    steps: Vec<[Step; 16]>,
    /// Whether a string may end here: after at most seven bits, all ones, of the code for the end of string.
    may_end: [bool; NODES],
}

static MACHINE: LazyLock<Machine> = LazyLock::new(Machine::new);

#[derive(Clone, Copy, PartialEq)]
enum Child {
    None,
    Node(usize),
    Leaf(usize),
}

fn tree() -> Vec<[Child; 2]> {
    let mut nodes = vec![[Child::None; 2]];
    for (symbol, &(code, bits)) in CODES.iter().enumerate() {
        let mut at = 0;
        for place in (0..bits).rev() {
            let bit = (code >> place & 1) as usize;
            if place == 0 {
                nodes[at][bit] = Child::Leaf(symbol);
            } else if let Child::Node(next) = nodes[at][bit] {
                at = next;
            } else {
                nodes.push([Child::None; 2]);
                let next = nodes.len() - 1;
                nodes[at][bit] = Child::Node(next);
                at = next;
            }
        }
    }
    nodes
}

impl Machine {
    fn new() -> Self {
        let nodes = tree();
        let steps =
            (0..nodes.len()).map(|node| std::array::from_fn(|nibble| Self::step(&nodes, node, nibble))).collect();
        let mut may_end = [false; NODES];
        let mut at = 0;
        for _ in 0..8 {
            may_end[at] = true;
            match nodes[at][1] {
                Child::Node(next) => at = next,
                _ => break,
            }
        }
        Self { steps, may_end }
    }

    fn step(nodes: &[[Child; 2]], node: usize, nibble: usize) -> Step {
        let mut step = Step { next: 0, emit: None, fails: false };
        let mut at = node;
        for place in (0..4).rev() {
            match nodes[at][nibble >> place & 1] {
                Child::Node(next) => at = next,
                Child::Leaf(END_OF_STRING) | Child::None => return Step { fails: true, ..step },
                Child::Leaf(symbol) => {
                    step.emit = Some(symbol as u8);
                    at = 0;
                }
            }
        }
        step.next = at as u8;
        step
    }
}

/// Appends what `coded` says. Padding must be the beginning of the end-of-string code, of less than an octet.
pub fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    let machine = &*MACHINE;
    let mut at = 0u8;
    out.reserve(coded.len() * 8 / 5 + 1);
    for &octet in coded {
        for nibble in [octet >> 4, octet & 0xf] {
            let step = machine.steps[at as usize][nibble as usize];
            if step.fails {
                return Err(HpackError::Malformed);
            }
            if let Some(symbol) = step.emit {
                out.push(symbol);
            }
            at = step.next;
        }
    }
    if machine.may_end[at as usize] { Ok(()) } else { Err(HpackError::Malformed) }
}

#[cfg(test)]
pub fn encode(text: &[u8]) -> Vec<u8> {
    let (mut bits, mut count, mut out) = (0u64, 0, Vec::new());
    for &octet in text {
        let (code, length) = CODES[octet as usize];
        bits = bits << length | u64::from(code);
        count += u32::from(length);
        while count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    if count > 0 {
        out.push((bits << (8 - count)) as u8 | (0xff >> count) as u8);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, HpackError> {
        let mut out = Vec::new();
        decode(coded, &mut out).map(|()| out)
    }

    #[test]
    fn the_strings_of_appendix_c_4() {
        assert_eq!(
            decoded(&[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff]),
            Ok(b"www.example.com".to_vec())
        );
        assert_eq!(decoded(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]), Ok(b"no-cache".to_vec()));
        assert_eq!(decoded(&[]), Ok(vec![]));
    }

    #[test]
    fn bad_ends_are_refused() {
        assert!(decoded(&[0xff, 0xff, 0xff, 0xff]).is_err(), "the end of string itself");
        assert!(decoded(&[0xff]).is_err(), "eight bits of padding");
        assert!(decoded(&[0x18]).is_err(), "padding that is not ones: 'a' and 000");
        assert!(decoded(&[0x1f]).is_ok(), "'a' and 111");
    }

    proptest::proptest! {
        #[test]
        fn what_is_coded_is_read(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            proptest::prop_assert_eq!(decoded(&encode(&text)), Ok(text));
        }

        #[test]
        fn no_octets_panic(coded in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = decoded(&coded);
        }
    }
}
