//! Extensions (RFC 5280 4.2): of certificates, lists, entries of lists, and OCSP answers.

use crate::der::DerError;
use crate::der::{self, Reader};

/// One extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    /// The contents of its object identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    /// The DER inside its OCTET STRING.
    pub(crate) value: &'a [u8],
}

/// The extensions in the contents of a `SEQUENCE OF Extension`.
pub(crate) struct Extensions<'a>(Reader<'a>);

impl<'a> Extensions<'a> {
    pub(crate) fn new(sequence: &der::Element<'a>) -> Self {
        Self(sequence.inside())
    }

    /// Inside an explicit tag, as certificates and lists have them.
    pub(crate) fn within(tagged: &der::Element<'a>) -> Result<Self, DerError> {
        let sequence = Reader::only(tagged.contents, der::SEQUENCE, "the extensions")?;
        Ok(Self::new(&sequence))
    }

    fn read(&mut self) -> Result<Extension<'a>, DerError> {
        const WHAT: &str = "an extension";
        let mut fields = self.0.read(der::SEQUENCE, WHAT)?.inside();
        let oid = fields.read(der::OID, WHAT)?.contents;
        let critical = match fields.optional(der::BOOLEAN, WHAT)? {
            Some(critical) => critical.truth(WHAT)?,
            None => false,
        };
        let value = fields.read(der::OCTET_STRING, WHAT)?.contents;
        fields.end(WHAT)?;
        Ok(Extension { oid, critical, value })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, DerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        // What follows something unreadable cannot be found.
        if read.is_err() {
            self.0 = Reader::new(&[]);
        }
        Some(read)
    }
}
