//! A bounded memory: when it is full, what was used least recently is forgotten.

use std::collections::BTreeMap;

/// At most so many entries, by key.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    /// Who was used when: the first is the next to go.
    order: BTreeMap<u64, K>,
    capacity: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry<V> {
    used: u64,
    value: V,
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeMap::new(), capacity: capacity.max(1), uses: 0 }
    }

    /// The entry of `key`, made by `new` if there is none.
    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.uses += 1;
        let used = self.uses;
        if !self.entries.contains_key(&key)
            && self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry { used, value: new() });
        self.order.remove(&entry.used);
        entry.used = used;
        self.order.insert(used, key);
        &mut entry.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_used_least_recently_goes_first() {
        let mut table = Table::new(2);
        *table.entry("a", || 1) += 1;
        table.entry("b", || 10);
        assert_eq!(*table.entry("a", || 0), 2);
        table.entry("c", || 100);
        assert_eq!(*table.entry("a", || 0), 2, "it was used after b");
        assert_eq!(*table.entry("b", || 0), 0, "forgotten, and begun again");
        assert_eq!((table.entries.len(), table.order.len()), (2, 2));
    }
}
