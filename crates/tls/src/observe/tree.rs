//! Reads a message from its beginning to its end, and writes down as fields what it has read.

use crate::hex::hex;
use crate::observe::names::Registry;
use glasstack_journal::event::{Field, Value};

/// Bytes are repeated in a field up to this length; longer ones are to be found in the message.
const REPEATED: usize = 64;

/// A message breaks off, or has more than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// A stretch of a message, and the fields that were read from it so far. Whatever is asked of it,
/// the fields cover what was read byte for byte.
pub(super) struct Tree<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
    fields: Vec<Field>,
}

impl<'a> Tree<'a> {
    /// All of `message`.
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0, end: message.len(), fields: Vec::new() }
    }

    /// Whether nothing is left to be read.
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// How many bytes are left to be read.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// What has been read, and what is wrong with it. What could not be read is a field, too.
    pub(super) fn finish(mut self, outcome: Result<(), Malformed>) -> (Vec<Field>, Option<Malformed>) {
        let problem = outcome.and_then(|()| self.nothing_left()).err();
        self.give_up();
        (self.fields, problem)
    }

    /// A number of 1 to 4 bytes.
    pub(super) fn number(&mut self, name: &'static str, length: usize) -> Result<u64, Malformed> {
        let at = self.at;
        let number = self.take_number(name, length)?;
        self.leaf(name, at, Some(Value::Number(number)));
        Ok(number)
    }

    /// A number that `registry` has a name for.
    pub(super) fn code(
        &mut self,
        name: &'static str,
        length: usize,
        registry: Registry,
    ) -> Result<u64, Malformed> {
        let at = self.at;
        let code = self.take_number(name, length)?;
        self.leaf(name, at, Some(Value::Code { code, name: registry(code) }));
        Ok(code)
    }

    /// Bytes that say nothing to us.
    pub(super) fn opaque(&mut self, name: &'static str, length: usize) -> Result<&'a [u8], Malformed> {
        self.told(name, length, |bytes| (bytes.len() <= REPEATED).then(|| Value::Bytes(hex(bytes))))
    }

    /// All that is left.
    pub(super) fn rest(&mut self, name: &'static str) -> Result<&'a [u8], Malformed> {
        match self.left() {
            0 => Ok(&[]),
            left => self.opaque(name, left),
        }
    }

    /// Bytes that say what `value` makes of them.
    pub(super) fn told(
        &mut self,
        name: &'static str,
        length: usize,
        value: impl FnOnce(&[u8]) -> Option<Value>,
    ) -> Result<&'a [u8], Malformed> {
        let at = self.at;
        let bytes = self.take(name, length)?;
        self.leaf(name, at, value(bytes));
        Ok(bytes)
    }

    /// A vector (RFC 8446 3.4): its length in `prefix` bytes, then what `read` finds in it.
    pub(super) fn vector<T>(
        &mut self,
        name: &'static str,
        prefix: usize,
        read: impl FnOnce(&mut Tree<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        self.group(name, |tree| {
            let length = tree.number("length", prefix)?;
            tree.bounded(name, length, read)
        })
    }

    /// A vector of bytes that say nothing to us.
    pub(super) fn bytes(&mut self, name: &'static str, prefix: usize) -> Result<&'a [u8], Malformed> {
        self.vector(name, prefix, |tree| tree.rest("bytes"))
    }

    /// A vector of items, as many as fit.
    pub(super) fn list(
        &mut self,
        name: &'static str,
        prefix: usize,
        mut item: impl FnMut(&mut Tree<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.vector(name, prefix, |tree| {
            while !tree.is_empty() {
                item(tree)?;
            }
            Ok(())
        })
    }

    /// A vector of numbers that `registry` has names for.
    pub(super) fn codes(
        &mut self,
        name: &'static str,
        prefix: usize,
        (item, length): (&'static str, usize),
        registry: Registry,
    ) -> Result<(), Malformed> {
        self.list(name, prefix, |tree| tree.code(item, length, registry).map(|_| ()))
    }

    /// Several fields under one name.
    pub(super) fn group<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Tree<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let mut inner = Self { message: self.message, at: self.at, end: self.end, fields: Vec::new() };
        let outcome = read(&mut inner);
        let (at, length) = (self.at, inner.at - self.at);
        self.at = inner.at;
        self.fields.push(Field { name, at, length, value: None, fields: inner.fields });
        outcome
    }

    /// Renames the field read last, once it is known what it is.
    pub(super) fn rename(&mut self, name: &'static str) {
        if let Some(field) = self.fields.last_mut() {
            field.name = name;
        }
    }

    /// The next `length` bytes and no others, all of which `read` must make something of.
    pub(super) fn bounded<T>(
        &mut self,
        name: &'static str,
        length: u64,
        read: impl FnOnce(&mut Tree<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.left() {
            let left = self.left();
            self.give_up();
            return Err(Malformed(format!("{name} has {length} bytes by its length, and {left} are left")));
        }
        let end = std::mem::replace(&mut self.end, self.at + length);
        let outcome = read(self).and_then(|value| self.nothing_left().map(|()| value));
        if outcome.is_err() {
            self.give_up();
        }
        self.end = end;
        outcome
    }

    fn nothing_left(&self) -> Result<(), Malformed> {
        match self.left() {
            0 => Ok(()),
            left => Err(Malformed(format!("{left} bytes are left behind the last field"))),
        }
    }

    /// Takes what is left as what it is: not read.
    fn give_up(&mut self) {
        if !self.is_empty() {
            let at = std::mem::replace(&mut self.at, self.end);
            self.leaf("unread", at, None);
        }
    }

    fn leaf(&mut self, name: &'static str, at: usize, value: Option<Value>) {
        self.fields.push(Field { name, at, length: self.at - at, value, fields: Vec::new() });
    }

    fn take(&mut self, name: &'static str, length: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.end);
        let bytes = end.and_then(|end| self.message.get(self.at..end));
        match (bytes, end) {
            (Some(bytes), Some(end)) => {
                self.at = end;
                Ok(bytes)
            }
            _ => Err(Malformed(format!("{name} takes {length} bytes, and {} are left", self.left()))),
        }
    }

    fn take_number(&mut self, name: &'static str, length: usize) -> Result<u64, Malformed> {
        let bytes = self.take(name, length)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vector_says_too_much_of_is_unread_and_said() {
        let bytes = [0, 3, 1, 2];
        let mut tree = Tree::new(&bytes);
        let outcome = tree.bytes("cookie", 2).map(|_| ());
        let (fields, problem) = tree.finish(outcome);
        assert_eq!(problem, Some(Malformed("cookie has 3 bytes by its length, and 2 are left".to_owned())));
        assert_eq!((fields[0].name, fields[0].length), ("cookie", 4));
        let inner: Vec<_> = fields[0].fields.iter().map(|f| (f.name, f.at, f.length)).collect();
        assert_eq!(inner, [("length", 0, 2), ("unread", 2, 2)]);
    }

    #[test]
    fn what_nobody_reads_is_said() {
        let bytes = [7, 8, 9];
        let mut tree = Tree::new(&bytes);
        let outcome = tree.number("first", 1).map(|_| ());
        let (fields, problem) = tree.finish(outcome);
        assert_eq!(problem, Some(Malformed("2 bytes are left behind the last field".to_owned())));
        assert_eq!(fields.len(), 2);
    }
}
