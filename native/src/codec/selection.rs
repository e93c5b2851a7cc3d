//! Partial answers: which members of an object `$fields` selects.
//!
//! Owns the tree of a mask's paths, in names as printed. A selected member comes whole unless the mask goes on below it; `*` is every
//! member that is not named. Arrays are transparent.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Tree(BTreeMap<Vec<u8>, Tree>);

impl Tree {
    /// The tree of dotted paths; a path that is the beginning of another covers it.
    pub fn of(paths: &[String]) -> Self {
        let mut sorted: Vec<&String> = paths.iter().collect();
        sorted.sort_by_key(|path| std::cmp::Reverse(path.chars().count()));
        let mut tree = Self::default();
        for path in sorted {
            let mut node = &mut tree;
            for name in path.split('.') {
                node = node.0.entry(name.as_bytes().to_vec()).or_default();
            }
            node.0.clear();
        }
        tree
    }

    /// Whether the member `name` is selected, and what of it (None: all). No tree selects everything.
    #[inline]
    pub fn below<'t>(tree: Option<&'t Tree>, name: &[u8]) -> (bool, Option<&'t Tree>) {
        match tree {
            None => (true, None),
            Some(tree) => match tree.0.get(name).or_else(|| tree.0.get(&b"*"[..])) {
                None => (false, None),
                Some(below) => (true, (!below.0.is_empty()).then_some(below)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_paths_does_not_matter() {
        for paths in [["a.b", "a", "c.*"], ["c.*", "a", "a.b"]] {
            let tree = Tree::of(&paths.map(String::from));
            let (seen, below) = Tree::below(Some(&tree), b"a");
            assert!(seen && below.is_none());
            let (_, below) = Tree::below(Some(&tree), b"c");
            assert!(Tree::below(below, b"anything").0);
            assert!(!Tree::below(Some(&tree), b"d").0);
        }
    }
}
