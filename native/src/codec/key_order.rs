//! Texts put in order: the keys of a map or a Struct.
//!
//! Owns that ordering many costs little: they are sorted by their first eight octets behind what all have in common, as numbers, and
//! only those alike in these are compared whole. By comparison, not by hash: nothing that a client could aim at.

/// The order of `count` texts, as indices; and whether two are the same. Equal texts keep their order.
pub fn ordered<'t>(count: usize, text: impl Fn(usize) -> &'t [u8]) -> (Vec<u32>, bool) {
    let shared = shared(count, &text);
    let mut order: Vec<(u64, u32)> = (0..count).map(|index| (head(&text(index)[shared..]), index as u32)).collect();
    let whole = |one: u32, other: u32| text(one as usize).cmp(text(other as usize));
    order.sort_unstable_by(|one, other| {
        one.0.cmp(&other.0).then_with(|| whole(one.1, other.1)).then_with(|| one.1.cmp(&other.1))
    });
    let again = order.windows(2).any(|pair| pair[0].0 == pair[1].0 && whole(pair[0].1, pair[1].1).is_eq());
    (order.into_iter().map(|entry| entry.1).collect(), again)
}

/// How many octets all have in common at their beginning.
fn shared<'t>(count: usize, text: &impl Fn(usize) -> &'t [u8]) -> usize {
    let Some(first) = (count > 0).then(|| text(0)) else { return 0 };
    (1..count).fold(first.len(), |shared, index| {
        let both = first[..shared].iter().zip(text(index));
        both.take_while(|(one, other)| one == other).count()
    })
}

/// The first eight octets as a number that compares as they do; what is missing counts as zeros.
fn head(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => text.iter().enumerate().fold(0, |sum, (place, &octet)| sum | u64::from(octet) << (56 - 8 * place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_a_plain_sort_says(texts in prop::collection::vec("(abcdefgh)?[a-c\0]{0,10}", 0..40)) {
            let (order, again) = ordered(texts.len(), |index| texts[index].as_bytes());
            let mut plain: Vec<u32> = (0..texts.len() as u32).collect();
            plain.sort_by_key(|&index| &texts[index as usize]);
            prop_assert_eq!(&order, &plain);
            prop_assert_eq!(again, plain.windows(2).any(|pair| texts[pair[0] as usize] == texts[pair[1] as usize]));
        }
    }
}
