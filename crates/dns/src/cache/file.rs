//! The cache as a file of text, so that one process after another profits (RFC 1035 5's form, and what a zone file
//! has no words for in lines that begin with a dollar sign).
//!
//! ```text
//!   $GLASSTACK-DNS-CACHE 1
//!   $SOURCE name server 198.51.100.53:53         who was asked; what others say is not mixed with it
//!   $TRUST-ANCHORS none                          what the judgements below rest on
//!   $SAVED 2026-11-23T20:40:00Z
//!
//!   $SET answer-aa secure 2026-11-23T20:45:00Z   rank, security, end
//!   www.example.test. 300 IN A 192.0.2.80
//!   www.example.test. 300 IN RRSIG A 15 ...
//!
//!   $NXDOMAIN no.example.test. insecure 2026-11-23T20:41:00Z
//!   example.test. 60 IN SOA ...
//!
//!   $SERVER 192.0.2.53:53 rtt 20103 4020 edns 1232
//! ```

use super::known::{Denial, Known, Negative, Nothing, Rank, RrSet};
use super::store::{Entry, Kind, What};
use super::{Cache, Kept, date, negative_ttl, seconds};
use crate::dnssec::Security;
use crate::infrastructure::{Infrastructure, SavedServer};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use glasstack_journal::{Instant, WallTime};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const TITLE: &str = "$GLASSTACK-DNS-CACHE";
const VERSION: &str = "1";

/// Where what is known comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Whose word it is, on one line: the network, and the name servers or root servers that were asked. What
    /// others say is not mixed with it.
    pub source: String,
    /// What was trusted, on one line, by whoever has validated it.
    pub trust_anchors: String,
}

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The world's wall clock, which a file counts by.
    pub wall: WallTime,
    /// The host's own clock, which the cache counts by.
    pub now: Instant,
}

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Where it comes from.
    pub provenance: Provenance,
    /// When it was written.
    pub saved: WallTime,
    /// How many sets of records and negative answers are known from it.
    pub entries: usize,
    /// How many had expired, and were left out.
    pub expired: usize,
    /// How many servers are known from it.
    pub servers: usize,
}

/// A file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCacheFile {
    /// It holds something else.
    #[error("it is no DNS cache: its first line is not `{TITLE} {VERSION}`; name another file")]
    NotOne,
    /// It was written in another way.
    #[error(
        "it is a DNS cache of version {0}, and version {VERSION} is known here; delete it: it only saves time"
    )]
    Version(String),
    /// A line cannot be read.
    #[error("line {line}: {cause}; mend the line, or delete the file: it only saves time")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// It says what others say.
    #[error(
        "it was learnt from {theirs}, but now {ours} is asked: what one of them says must not be taken for the other's \
         word; name another file, or flush this one"
    )]
    AnotherSource {
        /// Whose word is in the file.
        theirs: String,
        /// Whose word is wanted.
        ours: String,
    },
}

/// What is known, as a file. What has expired is left out.
pub fn save(
    provenance: &Provenance,
    cache: &Cache,
    infrastructure: Option<&Infrastructure>,
    moment: Moment,
) -> String {
    let mut text = format!(
        "{TITLE} {VERSION}\n$SOURCE {}\n$TRUST-ANCHORS {}\n$SAVED {}\n",
        provenance.source,
        provenance.trust_anchors,
        date::to_text(moment.wall)
    );
    for entry in cache.entries(moment.now) {
        // Writing to a String cannot fail.
        let _ = write_entry(&mut text, &entry, moment);
    }
    if let Some(infrastructure) = infrastructure {
        text.push('\n');
        infrastructure.save(moment.now).for_each(|server| {
            let _ = writeln!(text, "$SERVER {server}");
        });
    }
    text
}

fn write_entry(text: &mut String, entry: &Kept, moment: Moment) -> std::fmt::Result {
    let until = |ttl: u32| date::to_text(moment.wall + Duration::from_secs(ttl.into()));
    text.push('\n');
    match entry {
        Kept::Records(Known { set, rank, ttl, .. }) => {
            writeln!(text, "$SET {rank} {} {}", set.security, until(*ttl))?;
            set.records.iter().chain(&set.signatures).try_for_each(|record| writeln!(text, "{record}"))
        }
        Kept::Nothing(Nothing { name, what, denial, security, ttl, .. }, record_type) => {
            let name = if name.is_root() { String::new() } else { name.to_string() };
            match what {
                Negative::NoName => write!(text, "$NXDOMAIN {name}.")?,
                Negative::NoData => write!(text, "$NODATA {name}. {record_type}")?,
            }
            writeln!(text, " {security} {}", until(*ttl))?;
            denial.proof.iter().try_for_each(|record| writeln!(text, "{record}"))
        }
    }
}

/// Learns what a file holds that has not expired, in place of what was known. Where the file comes from is compared
/// with `expected`, if that is given; then nothing counts as validated yet, whatever it says. Of a file that cannot be used nothing is learnt.
pub fn load(
    text: &str,
    expected: Option<&Provenance>,
    cache: &mut Cache,
    infrastructure: Option<&mut Infrastructure>,
    moment: Moment,
) -> Result<Loaded, BadCacheFile> {
    let mut reader = Reader::begin(text, cache, moment)?;
    for (index, line) in text.lines().enumerate().skip(1) {
        if line.trim_start().starts_with('$') {
            reader.end_block()?;
        }
        let bad = |cause| BadCacheFile::Line { line: index + 1, cause };
        reader.line(index + 1, line.trim()).map_err(bad)?;
    }
    reader.end_block()?;
    let Reader { mut entries, servers, expired, provenance, saved, .. } = reader;
    if let Some(expected) = expected {
        if provenance.source != expected.source {
            let (theirs, ours) = (provenance.source, expected.source.clone());
            return Err(BadCacheFile::AnotherSource { theirs, ours });
        }
        // Anybody may have written "secure" there, and what was signed then may not be any more: who checks checks
        // anew, with the keys that are in the file, too.
        entries.iter_mut().for_each(|(_, entry)| forget_judgement(entry));
    }
    let count = entries.len();
    cache.clear();
    entries.into_iter().for_each(|(kind, entry)| cache.restore(kind, entry));
    let known = servers.len();
    if let Some(infrastructure) = infrastructure {
        infrastructure.clear();
        servers.iter().for_each(|server| infrastructure.restore(server, moment.now));
    }
    Ok(Loaded { provenance, saved, entries: count, expired, servers: known })
}

fn forget_judgement(entry: &mut Entry) {
    match &mut entry.what {
        What::Records(set, _) => Arc::make_mut(set).security = Security::Unchecked,
        What::Nothing(denial) => Arc::make_mut(denial).security = Security::Unchecked,
    }
}

struct Reader<'c> {
    cache: &'c Cache,
    moment: Moment,
    provenance: Provenance,
    saved: WallTime,
    block: Option<Block>,
    /// The line that the block begins at.
    block_at: usize,
    records: Vec<Record>,
    entries: Vec<(Kind, Entry)>,
    expired: usize,
    servers: Vec<SavedServer>,
}

/// What records are to follow.
struct Block {
    of: Of,
    security: Security,
    until: WallTime,
}

enum Of {
    Set(Rank),
    Nothing(DnsName, Negative, RecordType),
}

impl<'c> Reader<'c> {
    fn begin(text: &str, cache: &'c Cache, moment: Moment) -> Result<Self, BadCacheFile> {
        let first = text.lines().next().unwrap_or_default();
        match first.strip_prefix(TITLE).map(str::trim) {
            None => Err(BadCacheFile::NotOne),
            Some(VERSION) => Ok(Self {
                cache,
                moment,
                provenance: Provenance::default(),
                saved: WallTime::default(),
                block: None,
                block_at: 1,
                records: Vec::new(),
                entries: Vec::new(),
                expired: 0,
                servers: Vec::new(),
            }),
            Some(other) => Err(BadCacheFile::Version(other.to_owned())),
        }
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with(';') {
            return Ok(());
        }
        let Some(directive) = line.strip_prefix('$') else {
            if self.block.is_none() {
                return Err(
                    "a record, but no $SET, $NXDOMAIN or $NODATA above it says how far to believe it".into(),
                );
            }
            self.records.push(line.parse().map_err(|error| format!("{error}"))?);
            return Ok(());
        };
        let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        let mut words = Words(rest.split_whitespace());
        match word {
            "SOURCE" => rest.clone_into(&mut self.provenance.source),
            "TRUST-ANCHORS" => rest.clone_into(&mut self.provenance.trust_anchors),
            "SAVED" => self.saved = words.time()?,
            "SERVER" => self.servers.push(rest.parse()?),
            "SET" => {
                let rank = words.next("a rank")?.parse().map_err(|error| format!("{error}"))?;
                self.begin_block(number, Of::Set(rank), &mut words)?;
            }
            "NXDOMAIN" => {
                let name = words.name()?;
                self.begin_block(number, Of::Nothing(name, Negative::NoName, RecordType::Any), &mut words)?;
            }
            "NODATA" => {
                let name = words.name()?;
                let record_type = words.next("a record type")?.parse().map_err(|error| format!("{error}"))?;
                self.begin_block(number, Of::Nothing(name, Negative::NoData, record_type), &mut words)?;
            }
            other => return Err(format!("nothing is known of ${other}")),
        }
        Ok(())
    }

    fn begin_block(&mut self, number: usize, of: Of, words: &mut Words<'_>) -> Result<(), String> {
        let security = words.security()?;
        let until = words.time()?;
        words.end()?;
        self.block = Some(Block { of, security, until });
        self.block_at = number;
        Ok(())
    }

    /// All records of the block are there.
    fn end_block(&mut self) -> Result<(), BadCacheFile> {
        let Some(block) = self.block.take() else { return Ok(()) };
        let records = std::mem::take(&mut self.records);
        let line = self.block_at;
        self.take(block, records).map_err(|cause| BadCacheFile::Line { line, cause })
    }

    fn take(&mut self, block: Block, records: Vec<Record>) -> Result<(), String> {
        let (kind, what, most) = match block.of {
            Of::Set(rank) => {
                let set = one_set(records, block.security)?;
                let most = self.cache.lifetime(&set);
                (Kind::Records(set.record_type), What::Records(Arc::new(set), rank), most)
            }
            Of::Nothing(name, what, record_type) => {
                if !records.iter().any(|record| record.record_type() == RecordType::Soa) {
                    return Err(format!("nothing says that {name} is not there: its SOA record is missing"));
                }
                let said = records.iter().find_map(negative_ttl).map_or(Duration::ZERO, seconds);
                let most = said.min(self.cache.config().max_negative_ttl);
                let denial = Denial { name, what, proof: records, security: block.security };
                (Kind::from((what, record_type)), What::Nothing(Arc::new(denial)), most)
            }
        };
        // A clock that was set back must not lengthen a life.
        let left = seconds_between(self.moment.wall, block.until).min(most);
        if left.is_zero() {
            self.expired += 1;
            return Ok(());
        }
        // What is learnt from a file has not come in at this moment.
        let learnt = Instant::ZERO;
        self.entries.push((kind, Entry { what, learnt, expires: self.moment.now + left }));
        Ok(())
    }
}

fn seconds_between(earlier: WallTime, later: WallTime) -> Duration {
    Duration::from_nanos(later.unix_nanos().saturating_sub(earlier.unix_nanos()))
}

/// Records of one name and type, and the signatures over them.
fn one_set(records: Vec<Record>, security: Security) -> Result<RrSet, String> {
    let first = records.first().ok_or("there is no record in this set")?;
    let (name, record_type) = (first.owner.clone(), first.record_type());
    let mut set = RrSet { security, ..RrSet::new(name.clone(), record_type, Vec::new()) };
    for record in records {
        let covers = |data: &RecordData| match data {
            RecordData::Rrsig(signature) => signature.type_covered == record_type,
            _ => false,
        };
        if record.owner == name && record.record_type() == record_type {
            set.records.push(record);
        } else if record.owner == name && covers(&record.data) {
            set.signatures.push(record);
        } else {
            return Err(format!("a set of {name} {record_type} has no place for {record}"));
        }
    }
    Ok(set)
}

/// The rest of a line, word by word.
struct Words<'t>(std::str::SplitWhitespace<'t>);

impl<'t> Words<'t> {
    fn next(&mut self, what: &str) -> Result<&'t str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn name(&mut self) -> Result<DnsName, String> {
        let word = self.next("a name")?;
        DnsName::parse(word).map_err(|error| format!("{word:?} is not a name: {error}"))
    }

    fn security(&mut self) -> Result<Security, String> {
        let word = self.next("what validation has found")?;
        let all = [
            Security::Secure,
            Security::Insecure,
            Security::Indeterminate,
            Security::Unchecked,
            Security::Bogus,
        ];
        let found = all.into_iter().find(|security| security.to_string() == word);
        found.ok_or_else(|| {
            format!("{word:?} is none of secure, insecure, indeterminate, unchecked and bogus")
        })
    }

    fn time(&mut self) -> Result<WallTime, String> {
        let word = self.next("a time")?;
        date::from_text(word).ok_or_else(|| format!("{word:?} is not a time like 2026-11-23T20:40:00Z"))
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("{word:?} is too much")))
    }
}

/// A time as a file has it, as `2026-11-23T20:40:00Z`.
pub fn date_of(time: WallTime) -> String {
    date::to_text(time)
}
