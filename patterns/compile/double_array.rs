//! Writes an automaton as a double array, out of the `aho-corasick` crate's own NFA.
//!
//! The NFA is walked through its public `Automaton` trait: anchored steps give the trie, an
//! unanchored step from a parent's failure state gives the failure link. States are placed
//! breadth first, each at the first base where all its children fit and that no other state has.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::noncontiguous::NFA;

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
const FREE: u32 = u32::MAX;

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

/// The breadth-first walk: every state's place, base and failure link.
struct Walk<'a> {
    nfa: &'a NFA,
    bytes: &'a [u8],
    /// In order of the walk: the NFA's state, its place, its failure's index in this list.
    states: Vec<Visited>,
    /// Per slot: index in `states`, or FREE.
    owner: Vec<u32>,
    base_taken: Vec<bool>,
    first_free: usize,
}

struct Visited {
    id: StateID,
    depth: usize,
    label: u8,
    slot: u32,
    base: u32,
    fail: usize,
}

impl<'a> Walk<'a> {
    fn new(nfa: &'a NFA, bytes: &'a [u8]) -> Self {
        let id = nfa.start_state(Anchored::Yes).expect("the NFA supports anchored searches");
        let root = Visited { id, depth: 0, label: 0, slot: 0, base: 0, fail: 0 };
        Self { nfa, bytes, states: vec![root], owner: vec![0], base_taken: Vec::new(), first_free: 1 }
    }

    fn run(&mut self) {
        let mut at = 0;
        while at < self.states.len() {
            self.expand(at);
            at += 1;
        }
    }

    /// Places the children of one state and finds their failure links.
    fn expand(&mut self, at: usize) {
        let id = self.states[at].id;
        let children: Vec<(u8, StateID)> = (1..=self.bytes.len())
            .map(|class| (class as u8, self.child(id, self.bytes[class - 1])))
            .filter_map(|(class, child)| child.map(|c| (class, c)))
            .collect();
        if children.is_empty() {
            return;
        }
        let base = self.place(&children);
        self.states[at].base = base;
        for (class, child) in children {
            let fail = self.failure(at, class);
            let slot = base + u32::from(class);
            self.owner[slot as usize] = self.states.len() as u32;
            let depth = self.states[at].depth + 1;
            self.states.push(Visited { id: child, depth, label: class, slot, base: 0, fail });
        }
    }

    fn child(&self, id: StateID, byte: u8) -> Option<StateID> {
        let next = self.nfa.next_state(Anchored::Yes, id, byte);
        (!self.nfa.is_dead(next)).then_some(next)
    }

    /// The state of the longest proper suffix: follow the parent's failures to one with a child.
    fn failure(&self, parent: usize, class: u8) -> usize {
        let mut from = parent;
        while from != 0 {
            from = self.states[from].fail;
            let slot = self.states[from].base + u32::from(class);
            if self.states[from].base != 0 && self.owner.get(slot as usize).is_some_and(|o| *o != FREE) {
                let found = self.owner[slot as usize] as usize;
                if self.states[found].label == class {
                    return found;
                }
            }
        }
        0
    }

    /// The first unused base (never 0) where all children fall on free slots.
    fn place(&mut self, children: &[(u8, StateID)]) -> u32 {
        let lowest = usize::from(children[0].0);
        let mut slot = self.first_free.max(lowest + 1);
        loop {
            let base = slot - lowest;
            self.grow(base + 256);
            let fits = !self.base_taken[base]
                && children.iter().all(|(c, _)| self.owner[base + usize::from(*c)] == FREE);
            if fits {
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
        while self.owner.get(self.first_free).is_some_and(|o| *o != FREE) {
            self.first_free += 1;
        }
    }

    fn grow(&mut self, len: usize) {
        if self.owner.len() < len {
            self.owner.resize(len, FREE);
            self.base_taken.resize(len, false);
        }
        if self.base_taken.len() < self.owner.len() {
            self.base_taken.resize(self.owner.len(), false);
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
    for (state, first) in walk.states.iter().zip(first) {
        let fail = walk.states[state.fail].slot;
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
