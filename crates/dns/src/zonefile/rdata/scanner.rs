//! Our words as `domain`'s record types read them: names below our origin, errors with our lines.

use super::fields::{BadData, Fields, bad_escape};
use crate::zonefile::words;
use domain::base::charstr::CharStr;
use domain::base::name::Name;
use domain::base::scan::{ConvertSymbols, EntrySymbol, Scanner, ScannerError, Symbol};
use domain::dep::octseq::str::Str;

impl std::error::Error for BadData {}

impl std::fmt::Display for BadData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.cause)
    }
}

impl ScannerError for BadData {
    fn custom(cause: &'static str) -> Self {
        Self { line: None, cause: cause.to_owned() }
    }

    fn end_of_entry() -> Self {
        Self::custom("something is missing at the end")
    }

    fn short_buf() -> Self {
        Self::custom("it is too long")
    }

    fn trailing_tokens() -> Self {
        Self::custom("there is more than the record can hold")
    }
}

impl Fields<'_> {
    /// The next word as symbols. What is not ASCII stands for its bytes.
    fn symbols(&mut self) -> Result<Vec<Symbol>, BadData> {
        if self.peek().is_none() {
            return Err(self.bad("something is missing at the end"));
        }
        let word = self.plain_word("this")?;
        let bytes = words::bytes(word.text).map_err(|_| self.bad(bad_escape(word.text)))?;
        Ok(bytes
            .into_iter()
            .map(|byte| match byte.value {
                value @ 0x20..=0x7e if byte.escaped => Symbol::SimpleEscape(value),
                value @ 0x20..=0x7e => Symbol::Char(value.into()),
                value => Symbol::DecimalEscape(value),
            })
            .collect())
    }

    /// An error without a place, at the word read last.
    fn placed(&self, error: BadData) -> BadData {
        match error.line {
            Some(_) => error,
            None => self.bad(error.cause),
        }
    }
}

impl Scanner for Fields<'_> {
    type Octets = Vec<u8>;
    type OctetsBuilder = Vec<u8>;
    type Name = Name<Vec<u8>>;
    type Error = BadData;

    fn has_space(&self) -> bool {
        self.peek().is_some_and(|word| !word.glued)
    }

    fn continues(&mut self) -> bool {
        self.peek().is_some()
    }

    fn scan_symbols<F>(&mut self, op: F) -> Result<(), BadData>
    where
        F: FnMut(Symbol) -> Result<(), BadData>,
    {
        self.symbols()?.into_iter().try_for_each(op).map_err(|error| self.placed(error))
    }

    fn scan_entry_symbols<F>(&mut self, mut op: F) -> Result<(), BadData>
    where
        F: FnMut(EntrySymbol) -> Result<(), BadData>,
    {
        while self.continues() {
            let symbols = self.symbols()?.into_iter().map(EntrySymbol::from).chain([EntrySymbol::EndOfToken]);
            symbols.into_iter().try_for_each(&mut op).map_err(|error| self.placed(error))?;
        }
        Ok(())
    }

    fn convert_token<C: ConvertSymbols<Symbol, BadData>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, BadData> {
        let mut bytes = Vec::new();
        for symbol in self.symbols()? {
            let more = convert.process_symbol(symbol).map_err(|error| self.placed(error))?;
            bytes.extend_from_slice(more.unwrap_or_default());
        }
        let more = convert.process_tail().map_err(|error| self.placed(error))?;
        bytes.extend_from_slice(more.unwrap_or_default());
        Ok(bytes)
    }

    fn convert_entry<C: ConvertSymbols<EntrySymbol, BadData>>(
        &mut self,
        mut convert: C,
    ) -> Result<Vec<u8>, BadData> {
        let mut bytes = Vec::new();
        while self.continues() {
            for symbol in self.symbols()? {
                let more = convert.process_symbol(symbol.into()).map_err(|error| self.placed(error))?;
                bytes.extend_from_slice(more.unwrap_or_default());
            }
        }
        let more = convert.process_tail().map_err(|error| self.placed(error))?;
        bytes.extend_from_slice(more.unwrap_or_default());
        Ok(bytes)
    }

    fn scan_octets(&mut self) -> Result<Vec<u8>, BadData> {
        self.bytes("a string")
    }

    /// `key="a value"`: what is quoted belongs to the word before if there is no space between.
    fn scan_svcb_octets(&mut self) -> Result<Vec<u8>, BadData> {
        let mut bytes = self.scan_octets()?;
        if self.peek().is_some_and(|word| word.quoted && word.glued) {
            bytes.extend(self.scan_octets()?);
        }
        Ok(bytes)
    }

    fn scan_ascii_str<F, T>(&mut self, op: F) -> Result<T, BadData>
    where
        F: FnOnce(&str) -> Result<T, BadData>,
    {
        if self.peek().is_some_and(|word| word.quoted) {
            return Err(self.bad("this must not stand between quotes"));
        }
        let bytes = self.scan_octets()?;
        let text = str::from_utf8(&bytes).ok().filter(|text| text.is_ascii());
        op(text.ok_or_else(|| self.bad("it is not ASCII"))?).map_err(|error| self.placed(error))
    }

    fn scan_name(&mut self) -> Result<Name<Vec<u8>>, BadData> {
        let name = self.name("a domain name")?;
        Name::from_octets(name.to_wire()).map_err(|_| self.bad("the name is too long"))
    }

    fn scan_charstr(&mut self) -> Result<CharStr<Vec<u8>>, BadData> {
        let bytes = self.scan_octets()?;
        CharStr::from_octets(bytes).map_err(|_| self.bad("the string is too long (at most 255 bytes)"))
    }

    fn scan_string(&mut self) -> Result<Str<Vec<u8>>, BadData> {
        let bytes = self.scan_octets()?;
        Str::from_utf8(bytes).map_err(|_| self.bad("it is not UTF-8"))
    }

    fn scan_charstr_entry(&mut self) -> Result<Vec<u8>, BadData> {
        let mut bytes = self.string("a string")?;
        while self.continues() {
            bytes.extend(self.string("a string")?);
        }
        Ok(bytes)
    }

    fn scan_opt_unknown_marker(&mut self) -> Result<bool, BadData> {
        // It has been looked for before.
        Ok(false)
    }

    fn octets_builder(&mut self) -> Result<Vec<u8>, BadData> {
        Ok(Vec::new())
    }
}
