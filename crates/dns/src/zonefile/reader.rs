//! From entries to records: directives, and owners, TTLs and classes that are left out.

use super::mistakes::{bad_time, form_of, too_much, unbalanced, without_ttl};
use super::tokens::{Entry, Tokens, Word};
use super::{BadZoneFile, Warning, ZoneFileOptions, rdata, words};
use crate::name::{DnsName, SpelledName};
use crate::record::{Record, RecordData, RecordType};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How deep files may include each other.
const MAX_DEPTH: usize = 16;
/// The largest TTL, in seconds (RFC 2181 8).
const MAX_TTL: u32 = u32::MAX >> 1;
/// So many bad records are told of; then it is given up.
const MAX_ERRORS: usize = 20;
/// MD and MF.
const OBSOLETE: [u16; 2] = [3, 4];

/// Where something stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Rc<str>,
    pub(super) line: usize,
}

impl Place {
    pub(super) fn bad(&self, cause: impl Into<String>, cure: impl Into<String>) -> BadZoneFile {
        BadZoneFile {
            file: self.file.to_string(),
            line: self.line,
            cause: cause.into(),
            cure: cure.into(),
            others: Vec::new(),
        }
    }

    pub(super) fn warning(&self, cause: impl Into<String>) -> Warning {
        Warning { file: self.file.to_string(), line: self.line, cause: cause.into() }
    }

    pub(super) fn at(&self, line: usize) -> Self {
        Self { line, ..self.clone() }
    }
}

/// A record as a file has it.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) record: Record,
    pub(super) place: Place,
    /// Which run of records with the same owner it is in: a set has one TTL in each.
    pub(super) run: usize,
}

/// What has been read so far.
pub(super) struct Reader<'o> {
    options: &'o ZoneFileOptions<'o>,
    pub(super) loaded: Vec<Loaded>,
    pub(super) warnings: Vec<Warning>,
    /// The records that are bad.
    errors: Vec<BadZoneFile>,
    /// `$TTL`.
    default_ttl: Option<u32>,
    /// The TTL of the record before.
    last_ttl: Option<u32>,
    warned_of_last_ttl: bool,
    runs: usize,
    /// The run of records about one name, and that about a name server of it in between.
    current: Option<Run>,
    glue: Option<Run>,
    depth: usize,
}

/// Records about one name that follow each other.
struct Run {
    number: usize,
    owner: DnsName,
    /// The TTL of each set: of its type, and for signatures of the type that they cover.
    ttls: BTreeMap<(RecordType, Option<RecordType>), u32>,
    name_servers: Vec<DnsName>,
}

/// The file being read: each included one has its own origin and owner.
struct File {
    name: Rc<str>,
    origin: SpelledName,
    owner: Option<DnsName>,
    /// Whether `$ORIGIN` came after the last owner.
    origin_is_new: bool,
}

/// What stands between a record's owner and its data.
struct Head {
    ttl: Option<u32>,
    record_type: RecordType,
    /// How many words that were.
    words: usize,
}

impl<'o> Reader<'o> {
    pub(super) fn new(options: &'o ZoneFileOptions<'o>) -> Self {
        Self {
            options,
            loaded: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
            default_ttl: options.default_ttl,
            last_ttl: None,
            warned_of_last_ttl: false,
            runs: 0,
            current: None,
            glue: None,
            depth: 0,
        }
    }

    /// Reads a file and all that it includes. A bad record does not hide what is wrong in others; what changes the
    /// meaning of all that follows does.
    pub(super) fn read_all(&mut self, text: &str, origin: &SpelledName) -> Result<(), BadZoneFile> {
        let last = self.read(text, self.options.file, origin, None).err();
        let mut all = std::mem::take(&mut self.errors).into_iter().chain(last);
        match all.next() {
            Some(first) => Err(BadZoneFile { others: all.collect(), ..first }),
            None => Ok(()),
        }
    }

    /// Reads a file; `owner` is whom its first record is about, if it does not say so itself.
    pub(super) fn read(
        &mut self,
        text: &str,
        name: &str,
        origin: &SpelledName,
        owner: Option<DnsName>,
    ) -> Result<(), BadZoneFile> {
        let mut file = File { name: name.into(), origin: origin.clone(), owner, origin_is_new: false };
        let mut tokens = Tokens::new(text);
        while let Some(entry) = tokens.next_entry().map_err(|error| unbalanced(&file.name, error))? {
            let Some(first) = entry.words.first() else { continue };
            let place = Place { file: Rc::clone(&file.name), line: first.line };
            if !entry.indented && !first.quoted && first.text.starts_with('$') {
                self.directive(&mut file, &place, &entry)?;
            } else if let Err(error) = self.record(&mut file, &place, &entry) {
                if self.errors.len() + 1 == MAX_ERRORS {
                    return Err(error);
                }
                self.errors.push(error);
            }
        }
        Ok(())
    }

    /// RFC 1035 5.1, RFC 2308 4, and BIND's `$GENERATE`.
    fn directive(&mut self, file: &mut File, place: &Place, entry: &Entry<'_>) -> Result<(), BadZoneFile> {
        let word = |at: usize| entry.words.get(at);
        let directive = word(0).map_or("", |word| word.text).to_ascii_uppercase();
        let most = match directive.as_str() {
            "$ORIGIN" => {
                file.origin = read_name(place, word(1), &file.origin, "$ORIGIN needs a name")?;
                file.origin_is_new = true;
                2
            }
            "$TTL" => {
                let missing = || place.bad("$TTL without a time", "write it like this: $TTL 1h");
                let time = word(1).ok_or_else(missing)?;
                let ttl = words::time(time).ok_or_else(|| bad_time(place, time, "a time"))?;
                self.default_ttl = Some(self.limited(place, ttl));
                2
            }
            "$INCLUDE" => {
                let missing =
                    || place.bad("$INCLUDE without a file", "write it like this: $INCLUDE hosts.zone");
                let path = word(1).ok_or_else(missing)?;
                let origin = match word(2) {
                    Some(name) => read_name(place, Some(name), &file.origin, "")?,
                    None => file.origin.clone(),
                };
                let path = words::plain_bytes(path.text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let path =
                    path.ok_or_else(|| place.bad("the file's name cannot be read", "write it plainly"))?;
                self.include(file, place, &path, &origin)?;
                3
            }
            "$GENERATE" => {
                self.generate(file, place, entry.words.get(1..).unwrap_or_default())?;
                usize::MAX
            }
            // A time that some programs write at the top of a dump.
            "$DATE" => 2,
            other => {
                let cure = "$ORIGIN, $TTL, $INCLUDE and $GENERATE are known; a name that begins with $ is \
                            written \\$";
                return Err(place.bad(format!("{other} is not a directive"), cure));
            }
        };
        match word(most) {
            Some(word) => Err(too_much(place, word)),
            None => Ok(()),
        }
    }

    fn include(
        &mut self,
        file: &File,
        place: &Place,
        path: &str,
        origin: &SpelledName,
    ) -> Result<(), BadZoneFile> {
        if self.depth == MAX_DEPTH {
            let cause = format!("files include each other {MAX_DEPTH} deep");
            return Err(place.bad(cause, "see whether one includes itself"));
        }
        let text = (self.options.include)(path).map_err(|why| {
            place.bad(format!("cannot include {path:?}: {why}"), "name a file that can be read")
        })?;
        (self.current, self.glue) = (None, None);
        self.depth += 1;
        self.read(&text, path, origin, file.owner.clone())?;
        self.depth -= 1;
        // What follows is about the owner before, whatever the included file was about.
        (self.current, self.glue) = (None, None);
        Ok(())
    }

    fn record(&mut self, file: &mut File, place: &Place, entry: &Entry<'_>) -> Result<(), BadZoneFile> {
        let owner = match entry.words.first() {
            Some(word) if !entry.indented => {
                let owner = read_name(place, Some(word), &file.origin, "")?.into_name();
                file.origin_is_new = false;
                file.owner = Some(owner.clone());
                owner
            }
            _ => {
                let cure = "begin the line with the owner's name, or with @ for the zone itself";
                let owner = file.owner.clone().ok_or_else(|| place.bad("a record without an owner", cure))?;
                if std::mem::take(&mut file.origin_is_new) {
                    let cause = format!("the owner is still {owner}, though $ORIGIN is {} now", file.origin);
                    self.warnings.push(place.warning(cause));
                }
                owner
            }
        };
        let rest = entry.words.get(usize::from(!entry.indented)..).unwrap_or_default();
        self.record_of(file, place, owner, rest)
    }

    /// The record with this owner, from the words behind it.
    fn record_of(
        &mut self,
        file: &File,
        place: &Place,
        owner: DnsName,
        words: &[Word<'_>],
    ) -> Result<(), BadZoneFile> {
        let head = self.head(place, words)?;
        let data = words.get(head.words..).unwrap_or_default();
        let parsed = rdata::parse(head.record_type, data, &file.origin).map_err(|bad| {
            let place = place.at(bad.line.unwrap_or(place.line));
            let form = form_of(head.record_type);
            place.bad(format!("this {} record is bad: {}", head.record_type, bad.cause), form)
        })?;
        warn_of_addresses(self, place, &parsed, data);
        self.begin_run(place, &owner);
        if !owner.is_within(self.options.origin) {
            self.last_ttl = head.ttl.or(self.last_ttl);
            return Ok(());
        }
        let ttl = self.ttl_of(place, head.ttl, &parsed)?;
        self.push(place, Record { owner, ttl, data: parsed });
        Ok(())
    }

    /// Notices when another name begins. The addresses of name servers do not end the run of the name
    /// that they serve.
    fn begin_run(&mut self, place: &Place, owner: &DnsName) {
        let is_about = |run: &Option<Run>| run.as_ref().is_some_and(|run| run.owner == *owner);
        if self.glue.is_some() && is_about(&self.glue) {
            return;
        }
        self.glue = None;
        if is_about(&self.current) {
            return;
        }
        self.runs += 1;
        let (number, ttls) = (self.runs, BTreeMap::new());
        let run = Run { number, owner: owner.clone(), ttls, name_servers: Vec::new() };
        if self.current.as_ref().is_some_and(|run| run.name_servers.contains(owner)) {
            self.glue = Some(run);
        } else {
            self.current = Some(run);
        }
        if !owner.is_within(self.options.origin) {
            let cause = format!("{owner} is not in the zone {}: left out", self.options.origin);
            self.warnings.push(place.warning(cause));
        }
    }

    /// RFC 2181 5.2: all records of a set have the same TTL; the first says which.
    fn push(&mut self, place: &Place, mut record: Record) {
        let covered = match &record.data {
            RecordData::Rrsig(signature) => Some(signature.type_covered),
            _ => None,
        };
        let Some(run) = self.glue.as_mut().or(self.current.as_mut()) else { return };
        let ttl = *run.ttls.entry((record.record_type(), covered)).or_insert(record.ttl);
        if ttl != record.ttl {
            let of = format!("{} {}", record.owner, record.record_type());
            let cause = format!("a TTL of {} among those of {of} with {ttl}: {ttl} it is", record.ttl);
            self.warnings.push(place.warning(cause));
            (record.ttl, self.last_ttl) = (ttl, Some(ttl));
        }
        if let RecordData::Ns(host) = &record.data {
            run.name_servers.push(host.clone());
        }
        self.loaded.push(Loaded { record, place: place.clone(), run: run.number });
    }

    /// RFC 1035 5.1: `[TTL] [class] type` or `[class] [TTL] type`.
    fn head(&mut self, place: &Place, words: &[Word<'_>]) -> Result<Head, BadZoneFile> {
        let plain = |at: usize| words.get(at).filter(|word| !word.quoted);
        let mut at = 0;
        let mut ttl = plain(at).and_then(words::time);
        at += usize::from(ttl.is_some());
        if let Some(class) = plain(at).and_then(|word| class_of(word.text)) {
            if class != 1 {
                let cause =
                    format!("the class {:?}, in a zone of class IN", plain(at).map_or("", |word| word.text));
                return Err(place.bad(cause, "leave the class out, or write IN"));
            }
            at += 1;
        }
        if ttl.is_none() {
            ttl = plain(at).and_then(words::time);
            at += usize::from(ttl.is_some());
        }
        let Some(word) = words.get(at) else {
            return Err(place.bad("a record without a type", "write it like this: www 3600 IN A 192.0.2.1"));
        };
        let record_type = word.text.parse().ok().filter(|_| !word.quoted);
        let record_type: RecordType = record_type.ok_or_else(|| {
            // A type follows, so this was meant to be a TTL.
            let is_type = |word: &Word<'_>| word.text.parse::<RecordType>().is_ok();
            let has_digit = word.text.bytes().any(|byte| byte.is_ascii_digit());
            if has_digit && plain(at + 1).is_some_and(|next| is_type(next) || class_of(next.text).is_some()) {
                return bad_time(&place.at(word.line), word, "a TTL");
            }
            let cure = "write a type such as A, AAAA, MX or TXT, or TYPE and a number";
            place.at(word.line).bad(format!("{:?} is not a record type", word.text), cure)
        })?;
        // RFC 6895 3.1
        if record_type.is_meta() || record_type.number() == 0 {
            let cause = format!("records of the type {record_type} cannot be in a zone");
            return Err(place.at(word.line).bad(cause, "leave it out: it stands in messages only"));
        }
        // RFC 973: MX took their place.
        if OBSOLETE.contains(&record_type.number()) {
            let cause = format!("the type {record_type} is obsolete");
            return Err(place.at(word.line).bad(cause, "use MX"));
        }
        let ttl = ttl.map(|ttl| self.limited(place, ttl));
        Ok(Head { ttl, record_type, words: at + 1 })
    }

    /// RFC 2308 4: what stands there, `$TTL`, or what the record before had (RFC 1035 5.1).
    fn ttl_of(&mut self, place: &Place, given: Option<u32>, data: &RecordData) -> Result<u32, BadZoneFile> {
        if let Some(ttl) = given {
            self.last_ttl = Some(ttl);
            return Ok(ttl);
        }
        if let Some(ttl) = self.default_ttl {
            self.last_ttl = Some(ttl);
            return Ok(ttl);
        }
        if let Some(ttl) = self.last_ttl {
            if !std::mem::replace(&mut self.warned_of_last_ttl, true) {
                let cause = format!(
                    "no TTL and no $TTL: the record before has {ttl} seconds, so this one has as well"
                );
                self.warnings.push(place.warning(cause));
            }
            return Ok(ttl);
        }
        let RecordData::Soa(soa) = data else {
            // It is the same with all that follow.
            (self.last_ttl, self.warned_of_last_ttl) = (Some(0), true);
            return Err(without_ttl(place));
        };
        let ttl = self.limited(place, soa.minimum);
        let cause = format!("no TTL and no $TTL: taken from the SOA record's last number, {ttl} seconds");
        self.warnings.push(place.warning(cause));
        self.default_ttl = Some(ttl);
        Ok(ttl)
    }

    /// RFC 2181 8: a TTL that is larger counts as zero.
    fn limited(&mut self, place: &Place, ttl: u32) -> u32 {
        if ttl <= MAX_TTL {
            return ttl;
        }
        self.warnings
            .push(place.warning(format!("a TTL of {ttl} seconds is more than {MAX_TTL}, and counts as 0")));
        0
    }

    /// BIND's `$GENERATE`: each step is a record of its own.
    fn generate(&mut self, file: &File, place: &Place, words: &[Word<'_>]) -> Result<(), BadZoneFile> {
        let range = super::generate::Range::of(place, words.first())?;
        let missing = || place.bad("$GENERATE lacks something", super::generate::FORM);
        let (owner, rest) = words.get(1..).and_then(<[_]>::split_first).ok_or_else(missing)?;
        let head = self.head(place, rest)?;
        let (kept, data) = rest.split_at_checked(head.words).ok_or_else(missing)?;
        // BIND wants to know this even of records that it leaves out.
        if head.ttl.or(self.default_ttl).or(self.last_ttl).is_none() {
            return Err(without_ttl(place));
        }
        // BIND takes one word of data; between quotes it may hold several.
        let [data] = data else {
            return Err(match data.get(1) {
                Some(more) => too_much(place, more),
                None => missing(),
            });
        };
        for number in range {
            let fill = |text: &str| {
                super::generate::fill(text, number).map_err(|why| place.bad(why, super::generate::FORM))
            };
            let owner = words::name(&fill(owner.text)?, &file.origin).map_err(|error| {
                place.bad(format!("the owner is no name: {error}"), super::generate::FORM)
            })?;
            let owner = owner.into_name();
            if !owner.is_within(self.options.origin) {
                self.begin_run(place, &owner);
                continue;
            }
            // A quote between quotes is written \".
            let text = fill(&data.text.replace("\\\"", "\""))?;
            let mut tokens = Tokens::new(&text);
            let entry = tokens.next_entry().map_err(|error| unbalanced(&file.name, error))?;
            let mut all = kept.to_vec();
            let filled = entry.map(|entry| entry.words).unwrap_or_default();
            all.extend(filled.into_iter().map(|word| Word { line: place.line, ..word }));
            self.record_of(file, place, owner, &all)?;
        }
        Ok(())
    }
}

fn read_name(
    place: &Place,
    word: Option<&Word<'_>>,
    origin: &SpelledName,
    missing: &str,
) -> Result<SpelledName, BadZoneFile> {
    let cure = "write a name with a final dot, or without one if it is below the origin";
    let word = word.ok_or_else(|| place.bad(missing, cure))?;
    words::name(word.text, origin)
        .map_err(|error| place.bad(format!("{:?} is not a domain name: {error}", word.text), cure))
}

/// The number of a class (RFC 1035 3.2.4, RFC 3597 5).
fn class_of(text: &str) -> Option<u16> {
    const CLASSES: [(&str, u16); 7] =
        [("IN", 1), ("CH", 3), ("CHAOS", 3), ("HS", 4), ("HESIOD", 4), ("NONE", 254), ("ANY", 255)];
    if let Some((_, number)) = CLASSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some(*number);
    }
    let number = text.get(..5).filter(|head| head.eq_ignore_ascii_case("CLASS")).and(text.get(5..))?;
    number.parse().ok()
}

/// Names that are probably meant to be addresses.
fn warn_of_addresses(reader: &mut Reader<'_>, place: &Place, data: &RecordData, words: &[Word<'_>]) {
    let at = match data {
        RecordData::Ns(_) => 0,
        RecordData::Mx { .. } => 1,
        _ => return,
    };
    let Some(word) = words.get(at) else { return };
    let text = word.text.trim_end_matches('.');
    if text.parse::<std::net::IpAddr>().is_ok() {
        let cause = format!("{text} is an address, and {} names a host", data.record_type());
        reader.warnings.push(place.warning(cause));
    }
}
