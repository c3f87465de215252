//! A tree over the literal beginnings of patterns, compared without case.
//!
//! Each step is the longest text that all beginnings below share, so a thousand routes under `/api/` are
//! two or three steps away. The way down passes every beginning that the text has.

/// The tree; the root is its first node.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// What must follow the text of the node above.
    label: Box<[u8]>,
    /// The routes whose beginning ends here.
    places: Vec<usize>,
    /// The next nodes, by the first byte of their label, sorted.
    next: Vec<(u8, usize)>,
}

impl Tree {
    /// The tree of these beginnings, in lower case.
    pub(super) fn build(mut beginnings: Vec<(Vec<u8>, usize)>) -> Self {
        beginnings.sort_unstable();
        let mut tree = Self { nodes: Vec::new() };
        tree.grow(&beginnings, 0);
        tree
    }

    /// Adds the node of sorted beginnings that share their first `from` bytes; returns its number. It goes
    /// as deep as beginnings are long, which is bounded.
    fn grow(&mut self, beginnings: &[(Vec<u8>, usize)], from: usize) -> usize {
        let depth = shared(beginnings, from);
        let label = beginnings.first().map(|(text, _)| text[from..depth].into()).unwrap_or_default();
        let ending = beginnings.partition_point(|(text, _)| text.len() == depth);
        let places = beginnings[..ending].iter().map(|(_, place)| *place).collect();
        let number = self.nodes.len();
        self.nodes.push(Node { label, places, next: Vec::new() });
        for branch in beginnings[ending..].chunk_by(|(one, _), (other, _)| one[depth] == other[depth]) {
            let child = self.grow(branch, depth);
            self.nodes[number].next.push((branch[0].0[depth], child));
        }
        number
    }

    /// Calls `found` with each route one of whose beginnings `text` has.
    pub(super) fn for_each_prefix_of(&self, text: &[u8], mut found: impl FnMut(usize)) {
        let mut rest = text;
        let mut node = self.nodes.first();
        while let Some(here) = node {
            let Some((head, tail)) = rest.split_at_checked(here.label.len()) else { return };
            if !head.eq_ignore_ascii_case(&here.label) {
                return;
            }
            here.places.iter().for_each(|place| found(*place));
            let Some(byte) = tail.first().map(u8::to_ascii_lowercase) else { return };
            let next = here.next.binary_search_by_key(&byte, |(first, _)| *first);
            node = next.ok().and_then(|at| self.nodes.get(here.next[at].1));
            rest = tail;
        }
    }
}

/// How many bytes all of the sorted beginnings share, at least `from`.
fn shared(beginnings: &[(Vec<u8>, usize)], from: usize) -> usize {
    let (Some((first, _)), Some((last, _))) = (beginnings.first(), beginnings.last()) else { return from };
    let same = first[from..].iter().zip(&last[from..]).take_while(|(one, other)| one == other).count();
    from + same
}
