//! Fuzzing without nightly: seeds, mutated, into one parser, for as many minutes as `FUZZ_MINUTES` or for as many cases as `PROPTEST_CASES` says.
//!
//! Not guided by coverage: what stands in for it are seeds that reach deep, and tests that demand more than no panic. A failing input
//! is shrunk and printed. `make fuzz` gives each parser its minutes, with overflow and debug assertions on.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseResult, TestRunner};

const CASES_A_ROUND: u32 = 500;

/// For property tests that want more cases than the default, unless `PROPTEST_CASES` says how many.
pub fn config(cases: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(cases),
    }
}

/// One change to an input.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Splice(Index, Index, Index),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, octet)| Edit::Set(at, octet)),
        (place(), 0u8..8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (place(), prop::collection::vec(any::<u8>(), 1..5)).prop_map(|(at, octets)| Edit::Insert(at, octets)),
        (place(), 1usize..9).prop_map(|(at, count)| Edit::Remove(at, count)),
        (place(), 1usize..20, 2usize..40).prop_map(|(at, count, times)| Edit::Repeat(at, count, times)),
        (place(), place(), place()).prop_map(|(at, seed, from)| Edit::Splice(at, seed, from)),
        place().prop_map(Edit::Cut),
    ]
}

fn apply(data: &mut Vec<u8>, edit: &Edit, seeds: &[Vec<u8>]) {
    let place = |index: &Index| index.index(data.len() + 1);
    match edit {
        Edit::Set(at, octet) => {
            let at = place(at);
            data.splice(at..(at + 1).min(data.len()), [*octet]);
        }
        Edit::Flip(at, bit) => {
            let at = place(at);
            if let Some(octet) = data.get_mut(at) {
                *octet ^= 1 << bit;
            }
        }
        Edit::Insert(at, octets) => {
            let at = place(at);
            data.splice(at..at, octets.iter().copied());
        }
        Edit::Remove(at, count) => {
            let at = place(at);
            data.drain(at..(at + count).min(data.len()));
        }
        Edit::Repeat(at, count, times) => {
            let at = place(at);
            let piece = data[at..(at + count).min(data.len())].repeat(*times);
            data.splice(at..at, piece);
        }
        Edit::Splice(at, seed, from) => {
            let at = place(at);
            let seed = &seeds[seed.index(seeds.len())];
            let from = from.index(seed.len() + 1);
            data.splice(at..at, seed[from..].iter().copied().take(200));
        }
        Edit::Cut(at) => data.truncate(place(at)),
    }
}

/// A seed with a few edits; one in ten inputs is any octets.
fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec(edit(), 0..6);
    let mutated = (any::<Index>(), edits).prop_map(move |(seed, edits)| {
        let mut data = seeds[seed.index(seeds.len())].clone();
        edits.iter().for_each(|edit| apply(&mut data, edit, &seeds));
        data
    });
    prop_oneof![9 => mutated, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

/// Runs `test` on the seeds themselves, then on what becomes of them.
pub fn fuzz(name: &str, seeds: Vec<Vec<u8>>, test: impl Fn(&[u8]) -> TestCaseResult) {
    for seed in &seeds {
        if let Err(fail) = test(seed) {
            panic!("{name}: {fail} at the seed {:?}", String::from_utf8_lossy(seed));
        }
    }
    let minutes = std::env::var("FUZZ_MINUTES").ok().map(|text| text.parse::<f64>().expect("FUZZ_MINUTES is a number"));
    let limit = minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
    let round = ProptestConfig { failure_persistence: None, ..config(CASES_A_ROUND) };
    let (begun, mut cases) = (Instant::now(), 0u64);
    loop {
        if let Err(fail) = TestRunner::new(round.clone()).run(&inputs(seeds.clone()), |data| test(&data)) {
            panic!("{name}, after {cases} cases: {fail}");
        }
        cases += u64::from(round.cases);
        if limit.is_none_or(|limit| begun.elapsed() >= limit) {
            break;
        }
    }
    println!("{name}: {cases} cases of {} seeds in {:.0} s", seeds.len(), begun.elapsed().as_secs_f64());
}
