//! Processes of one program are alike. States that differ in their numbers only have the same hash,
//! and by its hash the checker tells whether it has been in a state before.

use std::hash::{Hash, Hasher};

use super::memory::{text_in, Seen, Text, FOREIGN, MARKED};
use super::routine::CHANGED;
use super::system::{index_in, Lockattr, Stage, State};
use crate::record::owner::Owner;

/// Whose number stands in a word or a text, and what else it says.
#[derive(Clone, Copy, Hash)]
enum Said<P> {
    Plain(u64),
    /// By a process of lockattr, and the round and the phase of it.
    Lockattr(P, u64, u64),
    Foreigner(P, u64),
}

impl<P> Said<P> {
    fn renamed<Q>(self, rename: impl Fn(P) -> Q, rename_foreigner: impl Fn(P) -> Q) -> Said<Q> {
        match self {
            Self::Plain(number) => Said::Plain(number),
            Self::Lockattr(index, round, phase) => Said::Lockattr(rename(index), round, phase),
            Self::Foreigner(index, round) => Said::Foreigner(rename_foreigner(index), round),
        }
    }
}

fn word(word: u64) -> Said<usize> {
    let owner = Owner(word);
    match owner.phase() {
        Some(phase) => {
            let (index, round) = index_in(owner);
            Said::Lockattr(index, round, phase as u64)
        }
        None => Said::Plain(word),
    }
}

fn text(text: Text) -> Said<usize> {
    let parts = |from: Text| (usize::from((text - from) / 2), u64::from((text - from) % 2));
    match text {
        0 | MARKED..FOREIGN | 254.. => Said::Plain(text.into()),
        FOREIGN.. => {
            let (index, round) = parts(FOREIGN);
            Said::Foreigner(index, round)
        }
        _ if text > CHANGED => {
            let (index, round) = parts(CHANGED + 1);
            Said::Lockattr(index, round, 1)
        }
        _ => {
            let (index, round) = parts(1);
            Said::Lockattr(index, round, 0)
        }
    }
}

fn seen(seen: Seen) -> Said<usize> {
    text_in(seen).map_or_else(|| word(seen), text)
}

impl State {
    fn said(&self) -> [Said<usize>; 4] {
        let shared = &self.shared;
        [word(shared.owner), word(shared.signed.0), text(shared.text), text(shared.recorded)]
    }
}

impl Lockattr {
    /// What it has seen in its routine.
    fn seen(&self) -> &[Seen] {
        match &self.stage {
            Stage::In(_, seen) => seen,
            _ => &[],
        }
    }

    fn key(&self) -> (bool, u8, u8, usize) {
        let stage = match &self.stage {
            Stage::Idle => 0,
            Stage::Claims => 1,
            Stage::Body => 2,
            Stage::In(routine, _) => 3 + *routine as u8,
        };
        (self.is_alive, self.rounds, stage, self.seen().len())
    }

    fn hash_but_what_it_has_seen(&self, state: &mut impl Hasher) {
        match &self.stage {
            Stage::In(routine, seen) => (3, *routine, seen.len()).hash(state),
            other => other.hash(state),
        }
        (self.is_alive, self.rounds, self.file, self.has_bare_unit).hash(state);
        (self.looked_in_the_window, self.looked_before_a_word, self.forces_a_living).hash(state);
    }
}

/// The order that is the same in states that differ in numbers only: by `key`, which tells no numbers.
///
/// Those that are alike after this keep their order, and so some states are counted twice: that costs time, and is right.
fn order<K: Ord>(count: usize, key: impl FnMut(&usize) -> K) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(key);
    order
}

fn place(order: &[usize], index: usize) -> usize {
    order.iter().position(|it| *it == index).unwrap_or(usize::MAX)
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let said = self.said();
        let foreigners = order(self.foreigners.len(), |index| {
            let is_its = said.map(|said| matches!(said, Said::Foreigner(by, _) if by == *index));
            (self.foreigners[*index].key(), is_its)
        });
        let lockattrs = order(self.lockattrs.len(), |index| {
            let is_its = said.map(|said| matches!(said, Said::Lockattr(by, ..) if by == *index));
            (self.lockattrs[*index].key(), is_its)
        });
        let rename = |said: Said<usize>| {
            said.renamed(|index| place(&lockattrs, index), |index| place(&foreigners, index))
        };
        said.map(rename).hash(hasher);
        for &index in &lockattrs {
            let process = &self.lockattrs[index];
            // Which of them are threads of one process.
            let first = lockattrs.iter().position(|it| self.pid(*it) == self.pid(index));
            first.hash(hasher);
            process.hash_but_what_it_has_seen(hasher);
            for it in process.seen() {
                rename(seen(*it)).hash(hasher);
            }
        }
        for &index in &foreigners {
            self.foreigners[index].hash(hasher);
        }
        let shared = &self.shared;
        (shared.values, shared.named, shared.signed.1, shared.is_released).hash(hasher);
        (self.unget, self.forces, self.removals, self.overwrites, self.texts).hash(hasher);
        self.history.hash(hasher);
    }
}
