//! Header fields as they are sent: in the order and the spelling that the caller gave them.

use http::header::InvalidHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Header fields, one a line. A name keeps the case in which it was given, though it is compared
/// without regard to it (RFC 9110 5.1), and fields of one name need not stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    lines: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: HeaderName,
    /// Whether nobody said how it is spelt.
    usual: bool,
    spelt: String,
    value: HeaderValue,
}

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line whose name is spelt like this; refused if it is no token (RFC 9110 5.6.2).
    pub fn push(&mut self, spelt: &str, value: HeaderValue) -> Result<(), InvalidHeaderName> {
        let name = HeaderName::from_bytes(spelt.as_bytes())?;
        self.lines.push(Field { name, usual: false, spelt: spelt.to_owned(), value });
        Ok(())
    }

    /// Adds a line whose name is spelt as people know it, as `Content-Type`.
    pub fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.lines.push(Field { usual: true, spelt: wire_name(name.as_str()), name, value });
    }

    /// As [`append`](Self::append), but before a line of the name `last` if that comes last and was
    /// appended itself.
    pub(crate) fn append_before(&mut self, last: &HeaderName, name: HeaderName, value: HeaderValue) {
        let is_last = self.lines.last().is_some_and(|field| field.usual && field.name == *last);
        let at = self.lines.len() - usize::from(is_last);
        self.lines.insert(at, Field { usual: true, spelt: wire_name(name.as_str()), name, value });
    }

    /// The value of the first line of this name.
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.lines.iter().find(|field| field.name == *name).map(|field| &field.value)
    }

    /// The values of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> + 'a {
        self.lines.iter().filter(move |field| field.name == *name).map(|field| &field.value)
    }

    /// Whether there is a line of this name.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Takes every line of this name out.
    pub fn remove(&mut self, name: &HeaderName) {
        self.lines.retain(|field| field.name != *name);
    }

    /// Name as spelt, and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.lines.iter().map(|field| (field.spelt.as_str(), &field.value))
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Names are spelt as people know them, as `Content-Type`.
impl From<HeaderMap> for Fields {
    fn from(headers: HeaderMap) -> Self {
        let mut fields = Self::new();
        for (name, value) in &headers {
            fields.append(name.clone(), value.clone());
        }
        fields
    }
}

/// Names are spelt as people know them, as `Content-Type`.
impl FromIterator<(HeaderName, HeaderValue)> for Fields {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(lines: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in lines {
            fields.append(name, value);
        }
        fields
    }
}

/// A field name as it is sent, as `Content-Type`: field names are case-insensitive (RFC 9110 5.1),
/// and this is how people know them.
pub fn wire_name(name: &str) -> String {
    let mut at_start = true;
    name.chars()
        .map(|letter| {
            let spelt = if at_start { letter.to_ascii_uppercase() } else { letter };
            at_start = letter == '-';
            spelt
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_its_place_and_its_spelling_and_is_found_in_any_case() {
        let mut fields = Fields::new();
        fields.push("x-ODD", HeaderValue::from_static("1")).unwrap();
        fields.append(http::header::ACCEPT, HeaderValue::from_static("*/*"));
        fields.push("X-odd", HeaderValue::from_static("2")).unwrap();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-ODD", "Accept", "X-odd"]);
        assert_eq!(fields.get_all(&HeaderName::from_static("x-odd")).count(), 2);
        fields.remove(&HeaderName::from_static("x-odd"));
        assert_eq!(fields.len(), 1);
        assert!(fields.push("two words", HeaderValue::from_static("")).is_err());
    }

    #[test]
    fn field_names_are_spelt_as_people_know_them() {
        assert_eq!(wire_name("content-type"), "Content-Type");
        assert_eq!(wire_name("te"), "Te");
        assert_eq!(wire_name("x--y"), "X--Y");
    }
}
