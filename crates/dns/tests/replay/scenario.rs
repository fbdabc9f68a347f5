//! unbound's scenario files (`.rpl`; unbound's `testcode/replay.h` and `testcode/testpkts.h`): a
//! resolver's configuration, what servers answer during which steps, and the steps.

use crate::packet::{Packet, Section};
use glasstack_dns::Message;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// A scenario, read.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    /// The lines of the configuration, without comments.
    pub(crate) config: Vec<String>,
    /// Files that the configuration names, by what it calls them.
    pub(crate) files: BTreeMap<String, String>,
    /// Which answers there are; the one that was written last comes first.
    pub(crate) ranges: Vec<Range>,
    pub(crate) steps: Vec<Step>,
}

/// What servers answer during some steps.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Which servers; none: all of them.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) entries: Vec<Entry>,
}

impl Range {
    /// Whether it counts for `server` during `step`.
    pub(crate) fn covers(&self, step: u32, server: IpAddr) -> bool {
        self.first <= step
            && step <= self.last
            && (self.addresses.is_empty() || self.addresses.contains(&server))
    }
}

/// Something that happens, or has to have happened.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) number: u32,
    pub(crate) line: usize,
    /// With which peer; none: with any.
    pub(crate) address: Option<IpAddr>,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Nothing,
    /// A client asks.
    Query(Entry),
    /// A client has this answer.
    CheckAnswer(Entry),
    /// The resolver has asked this.
    CheckOutQuery(Entry),
    /// The query that was sent last is answered.
    Reply(Entry),
    /// The query that was sent last is never answered.
    Timeout,
    /// The query that was sent last fails.
    Error,
    TimePasses(Duration),
    /// All that the ranges answer is answered first.
    Traffic,
}

/// A message, what of it counts, and how it is adjusted.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) matches: Matches,
    pub(crate) copy_id: bool,
    pub(crate) copy_query: bool,
    pub(crate) message: Message,
}

/// What has to be the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    pub(crate) opcode: bool,
    pub(crate) qtype: bool,
    pub(crate) qname: bool,
    pub(crate) subdomain: bool,
    pub(crate) rcode: bool,
    pub(crate) question: bool,
    pub(crate) answer: bool,
    pub(crate) all: bool,
    pub(crate) ttl: bool,
    pub(crate) dnssec_ok: bool,
    pub(crate) no_edns: bool,
    pub(crate) udp: bool,
    pub(crate) tcp: bool,
}

impl Scenario {
    /// Reads a file; an error names the line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Reader { lines: text.lines().zip(1..).collect(), at: 0 }.scenario()
    }
}

struct Reader<'a> {
    lines: Vec<(&'a str, usize)>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next line, whatever it holds.
    fn raw(&mut self) -> Result<(&'a str, usize), String> {
        let line = self.lines.get(self.at).copied().ok_or("the file ends too early")?;
        self.at += 1;
        Ok(line)
    }

    /// The next line that says something.
    fn next(&mut self) -> Result<(&'a str, usize), String> {
        loop {
            let (line, number) = self.raw()?;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with([';', '#']) {
                return Ok((line, number));
            }
        }
    }

    fn scenario(&mut self) -> Result<Scenario, String> {
        let (config, files) = self.config()?;
        let (mut title, mut ranges, mut steps) = (None, Vec::new(), Vec::new());
        loop {
            let (line, number) = self.next()?;
            let (word, rest) = first_word(line);
            match word {
                "SCENARIO_BEGIN" => title = Some(rest.to_owned()),
                "RANGE_BEGIN" => ranges.insert(0, self.range(rest, number)?),
                "STEP" => steps.push(self.step(rest, number)?),
                "SCENARIO_END" => break,
                _ => return Err(format!("line {number}: {word:?} is not expected here")),
            }
        }
        let title = title.ok_or("there is no SCENARIO_BEGIN")?;
        Ok(Scenario { title, config, files, ranges, steps })
    }

    fn config(&mut self) -> Result<(Vec<String>, BTreeMap<String, String>), String> {
        let (mut config, mut files) = (Vec::new(), BTreeMap::new());
        loop {
            let (line, _) = self.next()?;
            let (word, rest) = first_word(line);
            match word {
                "CONFIG_END" => return Ok((config, files)),
                "TEMPFILE_NAME" => config.push(rest.to_owned()),
                "TEMPFILE_CONTENTS" => {
                    let mut text = String::new();
                    loop {
                        let (line, _) = self.raw()?;
                        if line.trim() == "TEMPFILE_END" {
                            break;
                        }
                        text.push_str(line);
                        text.push('\n');
                    }
                    files.insert(rest.to_owned(), text);
                }
                _ => config.push(without_comment(line).to_owned()),
            }
        }
    }

    fn range(&mut self, rest: &str, number: usize) -> Result<Range, String> {
        let steps: Vec<u32> = rest.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [first, last] = steps[..] else { return Err(format!("line {number}: a range has two numbers")) };
        let mut range = Range { first, last, addresses: Vec::new(), entries: Vec::new() };
        loop {
            let (line, number) = self.next()?;
            let (word, rest) = first_word(line);
            match word {
                "ADDRESS" => range.addresses.push(address(rest, number)?),
                "ENTRY_BEGIN" => range.entries.push(self.entry(number)?),
                "RANGE_END" => return Ok(range),
                _ => return Err(format!("line {number}: {word:?} is not expected in a range")),
            }
        }
    }

    fn step(&mut self, rest: &str, line: usize) -> Result<Step, String> {
        let (number, rest) = first_word(rest);
        let number = number.parse().map_err(|_| format!("line {line}: {number:?} is no number of a step"))?;
        let (what, rest) = first_word(without_comment(rest));
        let address = match rest.strip_prefix("ADDRESS") {
            Some(text) => Some(address(text.trim(), line)?),
            None => None,
        };
        let action = match what {
            "NOTHING" => Action::Nothing,
            "TRAFFIC" => Action::Traffic,
            "TIMEOUT" => Action::Timeout,
            "ERROR" => Action::Error,
            "TIME_PASSES" => Action::TimePasses(elapse(rest, line)?),
            "QUERY" => Action::Query(self.entry_begin()?),
            "CHECK_ANSWER" => Action::CheckAnswer(self.entry_begin()?),
            "CHECK_OUT_QUERY" => Action::CheckOutQuery(self.entry_begin()?),
            "REPLY" => Action::Reply(self.entry_begin()?),
            _ => return Err(format!("line {line}: the step {what:?} is not known")),
        };
        Ok(Step { number, line, address, action })
    }

    fn entry_begin(&mut self) -> Result<Entry, String> {
        let (line, number) = self.next()?;
        match line {
            "ENTRY_BEGIN" => self.entry(number),
            _ => Err(format!("line {number}: ENTRY_BEGIN is expected")),
        }
    }

    fn entry(&mut self, begin: usize) -> Result<Entry, String> {
        let (mut packet, mut section) = (Packet::default(), Section::Question);
        let (mut matches, mut copy_id, mut copy_query) = (Matches::default(), false, false);
        loop {
            let (line, number) = self.next()?;
            let at = |why: String| format!("line {number}: {why}");
            let (word, rest) = first_word(line);
            match word {
                "MATCH" => matches.add(without_comment(rest)).map_err(at)?,
                "REPLY" => packet.set_flags(without_comment(rest)).map_err(at)?,
                "ADJUST" => {
                    for word in without_comment(rest).split_whitespace() {
                        match word {
                            "copy_id" => copy_id = true,
                            "copy_query" => copy_query = true,
                            _ => return Err(at(format!("ADJUST does not know {word:?}"))),
                        }
                    }
                }
                "SECTION" => section = section_of(without_comment(rest)).map_err(at)?,
                "ENTRY_END" => break,
                "EXTRA_PACKET" | "HEX_ANSWER_BEGIN" | "HEX_EDNSDATA_BEGIN" | "$ORIGIN" | "$TTL" => {
                    return Err(at(format!("{word} is not read here")));
                }
                _ => packet.add(section, line).map_err(at)?,
            }
        }
        let message = packet.message().map_err(|why| format!("line {begin}: {why}"))?;
        Ok(Entry { line: begin, matches, copy_id, copy_query, message })
    }
}

impl Matches {
    fn add(&mut self, words: &str) -> Result<(), String> {
        for word in words.split_whitespace() {
            *match word {
                "opcode" => &mut self.opcode,
                "qtype" => &mut self.qtype,
                "qname" => &mut self.qname,
                "subdomain" => &mut self.subdomain,
                "rcode" => &mut self.rcode,
                "question" => &mut self.question,
                "answer" => &mut self.answer,
                "all" => &mut self.all,
                "ttl" => &mut self.ttl,
                "DO" => &mut self.dnssec_ok,
                "noedns" => &mut self.no_edns,
                "UDP" => &mut self.udp,
                "TCP" => &mut self.tcp,
                _ => return Err(format!("MATCH does not know {word:?}")),
            } = true;
        }
        Ok(())
    }
}

fn section_of(word: &str) -> Result<Section, String> {
    Ok(match word {
        "QUESTION" => Section::Question,
        "ANSWER" => Section::Answer,
        "AUTHORITY" => Section::Authority,
        "ADDITIONAL" => Section::Additional,
        _ => return Err(format!("there is no section {word:?}")),
    })
}

fn elapse(rest: &str, line: usize) -> Result<Duration, String> {
    let seconds = rest.strip_prefix("ELAPSE").and_then(|seconds| seconds.trim().parse().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("line {line}: TIME_PASSES ELAPSE needs a number of seconds"))
}

fn address(text: &str, line: usize) -> Result<IpAddr, String> {
    let text = without_comment(text);
    text.parse().map_err(|_| format!("line {line}: {text:?} is no address"))
}

fn first_word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim())
}

fn without_comment(text: &str) -> &str {
    text.split([';', '#']).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = "
; a comment
server:
	qname-minimisation: no # as before
	root-hints:
TEMPFILE_NAME my.hints
TEMPFILE_CONTENTS my.hints
. 3600 NS a.root.test. ; kept
TEMPFILE_END
CONFIG_END
SCENARIO_BEGIN Two ranges and some steps

RANGE_BEGIN 0 10
	ADDRESS 192.0.2.1
	ADDRESS 2001:db8::1 ; over IPv6
ENTRY_BEGIN
MATCH opcode qtype qname ; not more
ADJUST copy_id copy_query
REPLY QR AA NOERROR
SECTION QUESTION
www.example.test. IN A
SECTION ANSWER
www.example.test. 5 IN A 192.0.2.80
ENTRY_END
RANGE_END
RANGE_BEGIN 11 100
RANGE_END

STEP 1 QUERY
ENTRY_BEGIN
	REPLY RD
	SECTION QUESTION
	www.example.test. IN A
ENTRY_END
STEP 5 TIME_PASSES ELAPSE 5.5 ; a while
STEP 10 CHECK_OUT_QUERY ADDRESS 192.0.2.1
ENTRY_BEGIN
ENTRY_END
SCENARIO_END
";

    #[test]
    fn a_scenario_is_read_whole() {
        let scenario = Scenario::parse(SCENARIO).unwrap();
        assert_eq!(scenario.title, "Two ranges and some steps");
        assert_eq!(scenario.config, ["server:", "qname-minimisation: no", "root-hints:", "my.hints"]);
        assert_eq!(scenario.files["my.hints"], ". 3600 NS a.root.test. ; kept\n");
        assert_eq!(scenario.ranges.iter().map(|range| range.first).collect::<Vec<_>>(), [11, 0]);
        let range = &scenario.ranges[1];
        assert!(range.covers(10, "2001:db8::1".parse().unwrap()));
        assert!(!range.covers(11, "192.0.2.1".parse().unwrap()));
        assert!(!range.covers(10, "192.0.2.2".parse().unwrap()));
        assert!(scenario.ranges[0].covers(11, "192.0.2.2".parse().unwrap()), "all servers");
        let entry = &range.entries[0];
        assert!(entry.copy_id && entry.copy_query && entry.message.authoritative);
        assert_eq!(entry.matches, Matches { opcode: true, qtype: true, qname: true, ..Matches::default() });
        assert!(matches!(&scenario.steps[0].action, Action::Query(entry) if entry.message.recursion_desired));
        assert!(
            matches!(scenario.steps[1].action, Action::TimePasses(time) if time == Duration::from_millis(5500))
        );
        assert_eq!(scenario.steps[2].address, Some("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let wrong = |from: &str, to: &str| Scenario::parse(&SCENARIO.replacen(from, to, 1)).unwrap_err();
        assert_eq!(
            wrong("192.0.2.80", "192.0.2"),
            concat!("line 23: \"192.0.2\" is no address in ", r#""www.example.test. 5 IN A 192.0.2""#)
        );
        assert_eq!(wrong("opcode qtype", "everything"), "line 17: MATCH does not know \"everything\"");
        assert_eq!(wrong("STEP 1 QUERY", "STEP 1 DANCE"), "line 29: the step \"DANCE\" is not known");
        assert_eq!(wrong("SCENARIO_END", ""), "the file ends too early");
    }
}
