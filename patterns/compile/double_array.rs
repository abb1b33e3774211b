//! Writes an automaton as a double array, out of the `aho-corasick` crate's own NFA.
//!
//! The NFA is walked through its public `Automaton` trait: anchored steps give the trie, an
//! unanchored step from a parent's failure state gives the failure link. States are placed
//! breadth first, each at the first base where all its children fit and that no other state has.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::noncontiguous::NFA;
use std::ops::Range;

/// A pattern as the automaton sees it: bytes of the normal form and a boundary class.
pub struct Entry {
    /// The pattern in normal form.
    pub text: String,
    /// The boundary class as a number.
    pub boundary: u8,
}

/// The tables of an automaton; the layout is told at their reader.
#[derive(Default)]
pub struct Tables {
    pub classes: Vec<u8>,
    pub slots: Vec<[u8; 8]>,
    pub ranks: Vec<[u8; 12]>,
    pub heads: Vec<[u8; 4]>,
    pub links: Vec<[u8; 4]>,
    pub lengths: Vec<u8>,
}

const ACCEPTS: u32 = 1 << 24;
const ENDS_INSIDE: u32 = 1 << 25;
/// States above this depth are placed level by level, those below it branch by branch.
const SHALLOW: usize = 2;

/// Builds the tables for `entries`; a pattern's number is its place in `entries`.
pub fn build(entries: &[Entry]) -> Tables {
    let texts: Vec<Vec<u8>> = entries.iter().map(|e| as_bytes(&e.text)).collect();
    let nfa = NFA::new(&texts).expect("patterns fit an automaton");
    let (classes, bytes) = byte_classes(&texts);
    let mut walk = Walk::new(&nfa, &bytes);
    walk.run();
    let mut tables = Tables { classes, ..Tables::default() };
    tables.lengths =
        texts.iter().map(|t| u8::try_from(t.len()).expect("patterns are shorter than 256 bytes")).collect();
    let first = link_patterns(&mut tables, &walk, entries, &texts);
    write_slots(&mut tables, &walk, &first);
    tables
}

/// A line break matches where a pattern has a blank.
fn as_bytes(text: &str) -> Vec<u8> {
    text.bytes().map(|b| if b == b'\n' { b' ' } else { b }).collect()
}

fn byte_classes(texts: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let mut classes = vec![0u8; 256];
    let mut bytes = Vec::new();
    let mut seen = [false; 256];
    texts.iter().flatten().for_each(|b| seen[usize::from(*b)] = true);
    for byte in 0..=255u8 {
        if seen[usize::from(byte)] {
            bytes.push(byte);
            classes[usize::from(byte)] =
                u8::try_from(bytes.len()).expect("not every byte value occurs in UTF-8");
        }
    }
    classes[usize::from(b'\n')] = classes[usize::from(b' ')];
    (classes, bytes)
}

/// The automaton's states, in breadth-first order, and where each is placed.
struct Walk<'a> {
    nfa: &'a NFA,
    bytes: &'a [u8],
    /// In order of the walk, so that the children of a state follow each other.
    states: Vec<Visited>,
    /// Per slot: whether a state stands there.
    taken: Vec<bool>,
    base_taken: Vec<bool>,
    first_free: usize,
}

struct Visited {
    id: StateID,
    depth: usize,
    label: u8,
    slot: u32,
    base: u32,
    /// Index of the failure's state.
    fail: usize,
    /// Indices of the children, by ascending label.
    children: Range<usize>,
}

impl Visited {
    fn new(id: StateID, depth: usize, label: u8, fail: usize) -> Self {
        Self { id, depth, label, slot: 0, base: 0, fail, children: 0..0 }
    }
}

impl<'a> Walk<'a> {
    fn new(nfa: &'a NFA, bytes: &'a [u8]) -> Self {
        let id = nfa.start_state(Anchored::Yes).expect("the NFA supports anchored searches");
        let states = vec![Visited::new(id, 0, 0, 0)];
        Self { nfa, bytes, states, taken: vec![true], base_taken: Vec::new(), first_free: 1 }
    }

    fn run(&mut self) {
        let mut at = 0;
        while at < self.states.len() {
            self.expand(at);
            at += 1;
        }
        let shallow = self.states.iter().take_while(|s| s.depth < SHALLOW).count();
        (0..shallow).for_each(|at| self.place_children(at));
        let next = self.states.iter().take_while(|s| s.depth <= SHALLOW).count();
        for root in shallow..next {
            self.place_below(root);
        }
    }

    /// Finds the children of a state and their failure links.
    fn expand(&mut self, at: usize) {
        let (id, depth, first) = (self.states[at].id, self.states[at].depth + 1, self.states.len());
        for class in 1..=self.bytes.len() {
            let child = self.nfa.next_state(Anchored::Yes, id, self.bytes[class - 1]);
            if !self.nfa.is_dead(child) {
                let label = class as u8;
                self.states.push(Visited::new(child, depth, label, self.failure(at, label)));
            }
        }
        self.states[at].children = first..self.states.len();
    }

    /// The state of the longest proper suffix: follow the parent's failures to one with a child.
    fn failure(&self, parent: usize, label: u8) -> usize {
        let mut from = parent;
        while from != 0 {
            from = self.states[from].fail;
            let children = self.states[from].children.clone();
            let found = self.states[children.clone()].binary_search_by_key(&label, |s| s.label);
            if let Ok(found) = found {
                return children.start + found;
            }
        }
        0
    }

    /// Places everything below a state, depth first.
    fn place_below(&mut self, root: usize) {
        let mut waiting = vec![root];
        while let Some(at) = waiting.pop() {
            self.place_children(at);
            waiting.extend(self.states[at].children.clone().rev());
        }
    }

    fn place_children(&mut self, at: usize) {
        let children = self.states[at].children.clone();
        if children.is_empty() {
            return;
        }
        let labels: Vec<usize> = self.states[children.clone()].iter().map(|s| usize::from(s.label)).collect();
        let base = self.place(&labels);
        self.states[at].base = base;
        for child in &mut self.states[children] {
            child.slot = base + u32::from(child.label);
            self.taken[child.slot as usize] = true;
        }
    }

    /// The first unused base (never 0) where children with these labels fall on free slots.
    fn place(&mut self, labels: &[usize]) -> u32 {
        let lowest = labels[0];
        let mut slot = self.first_free.max(lowest + 1);
        loop {
            let base = slot - lowest;
            self.grow(base + 256);
            if !self.base_taken[base] && labels.iter().all(|label| !self.taken[base + label]) {
                self.base_taken[base] = true;
                self.advance_free(slot);
                return u32::try_from(base).expect("fewer than 2^24 slots");
            }
            slot += 1;
        }
    }

    /// Gives up on slots far behind, so that placing stays close to linear.
    fn advance_free(&mut self, used: usize) {
        if used > self.first_free + 4096 {
            self.first_free = used - 4096;
        }
        while self.taken.get(self.first_free).is_some_and(|taken| *taken) {
            self.first_free += 1;
        }
    }

    fn grow(&mut self, len: usize) {
        if self.taken.len() < len {
            self.taken.resize(len, false);
            self.base_taken.resize(len, false);
        }
    }
}

/// Threads the patterns of every state into lists; returns each state's first pattern.
fn link_patterns(
    tables: &mut Tables,
    walk: &Walk<'_>,
    entries: &[Entry],
    texts: &[Vec<u8>],
) -> Vec<Option<u32>> {
    tables.links = vec![[0; 4]; entries.len()];
    let mut first: Vec<Option<u32>> = Vec::with_capacity(walk.states.len());
    for state in &walk.states {
        let suffix = if state.depth == 0 { None } else { first[state.fail] };
        first.push(suffix);
        if !walk.nfa.is_match(state.id) {
            continue;
        }
        let own: Vec<usize> = (0..walk.nfa.match_len(state.id))
            .map(|i| walk.nfa.match_pattern(state.id, i).as_usize())
            .filter(|p| texts[*p].len() == state.depth)
            .collect();
        let mut next = suffix;
        for pattern in own.into_iter().rev() {
            let boundary = u32::from(entries[pattern].boundary) << 28;
            tables.links[pattern] = (boundary | next.map_or(0, |n| n + 1)).to_le_bytes();
            next = Some(pattern as u32);
        }
        *first.last_mut().expect("just pushed") = next;
    }
    first
}

fn write_slots(tables: &mut Tables, walk: &Walk<'_>, first: &[Option<u32>]) {
    let used = walk.states.iter().map(|s| s.slot as usize + 1).max().unwrap_or(1);
    tables.slots = vec![[0; 8]; used];
    let mut head = vec![None; used];
    for ((state, jump), first) in walk.states.iter().zip(&jumps(walk)).zip(first) {
        let fail = walk.states[*jump].slot;
        let accepts = flags(tables, *first);
        let low = (u32::from(state.label) << 24) | state.base;
        let [a, b, c, d] = low.to_le_bytes();
        let [e, f, g, h] = (fail | accepts).to_le_bytes();
        tables.slots[state.slot as usize] = [a, b, c, d, e, f, g, h];
        head[state.slot as usize] = *first;
    }
    for chunk in head.chunks(64) {
        let before = (tables.heads.len() as u32).to_le_bytes();
        let mut bits = 0u64;
        for (at, pattern) in chunk.iter().enumerate() {
            if let Some(pattern) = pattern {
                bits |= 1 << at;
                tables.heads.push(pattern.to_le_bytes());
            }
        }
        let mut rank = [0; 12];
        rank[..8].copy_from_slice(&bits.to_le_bytes());
        rank[8..].copy_from_slice(&before);
        tables.ranks.push(rank);
    }
}

/// Where each state fails to: the longest suffix that has a child the state itself has not, for on any
/// other the same byte would fail again (Knuth, Morris and Pratt 1977, for a single pattern).
fn jumps(walk: &Walk<'_>) -> Vec<usize> {
    let labels = |at: usize| walk.states[walk.states[at].children.clone()].iter().map(|s| s.label);
    let mut jumps: Vec<usize> = Vec::with_capacity(walk.states.len());
    for (at, state) in walk.states.iter().enumerate() {
        let own: Vec<u8> = labels(at).collect();
        let new = state.fail == 0 || labels(state.fail).any(|label| own.binary_search(&label).is_err());
        jumps.push(if new { state.fail } else { jumps[state.fail] });
    }
    jumps
}

/// What the list of patterns that starts with `first` means for its state.
fn flags(tables: &Tables, first: Option<u32>) -> u32 {
    let mut flags = if first.is_some() { ACCEPTS } else { 0 };
    let mut next = first;
    while let Some(pattern) = next {
        let link = u32::from_le_bytes(tables.links[pattern as usize]);
        if (link >> 28) & 2 == 0 {
            flags |= ENDS_INSIDE;
        }
        next = (link & 0x0fff_ffff).checked_sub(1);
    }
    flags
}
