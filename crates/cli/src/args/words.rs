//! The words behind `glasstack get`, read as curl reads its own: groups parted by `--next`, files of
//! options by `-K`, `--no-OPTION`, letters together, the next word as a value whatever it is, and
//! the last of two that say the same thing. What comes out are words in one spelling, for clap.

use super::config_file::{self, Line};
use super::refused;
use clap::{Arg, Command};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Options that are of the whole command, whichever group they stand in.
pub(crate) const GLOBAL: &[&str] = &[
    "net",
    "addr",
    "gateway",
    "dns",
    "dnssec",
    "trust-anchor",
    "dns-cache",
    "hosts",
    "dhcp",
    "seed",
    "topology",
    "fault",
    "client",
    "capture-at",
    "save",
    "silent",
    "verbose",
    "capture",
    "events",
    "ladder",
    "show-keys",
    "linger",
    "fail-early",
    "show-error",
    "stderr",
    "progress-bar",
    "progress-meter",
    "no-progress-meter",
    "rate",
    "parallel",
    "parallel-max",
    "parallel-immediate",
    "disable",
];

/// How deep files of options may name files of options.
const DEEPEST: usize = 8;

/// The words make no command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WordsError {
    /// Help or the version is asked for: clap has them.
    #[error("help was asked for")]
    Help(OsString),
    /// It is none of ours and none of curl's.
    #[error("{shown}{place}: there is no such option{suggestion}")]
    Unknown { shown: String, place: Place, suggestion: String },
    /// curl has it.
    #[error("{told}{place}")]
    Refused { told: String, place: Place },
    /// The beginning of several.
    #[error("{shown}{place} is the beginning of several options: {candidates}")]
    Ambiguous { shown: String, place: Place, candidates: String },
    /// Its value is not there.
    #[error("{shown}{place}: its value is missing")]
    NoValue { shown: String, place: Place },
    /// It has one and takes none.
    #[error("{shown}{place} takes no value")]
    UnwantedValue { shown: String, place: Place },
    /// Only what is switched on can be switched off.
    #[error("{shown}{place}: only an option without a value can be switched off")]
    NotSwitchable { shown: String, place: Place },
    /// A file of options names itself, or as good as.
    #[error("-K {file}: files of options within files of options, deeper than {DEEPEST}")]
    TooDeep { file: String },
    /// A value that is no text.
    #[error("{option}{place}: this is not UTF-8: convert the file")]
    NotUtf8 { option: String, place: Place },
    /// A file of options cannot be read.
    #[error("-K {file}")]
    File { file: String, source: anyhow::Error },
}

/// Where a word stands: the command line, or a line of a file.
#[derive(Clone, Debug)]
pub(crate) struct Place(Option<(String, usize)>);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some((file, line)) => write!(f, " ({file}, line {line})"),
        }
    }
}

/// Reads a file of options; `-` is stdin.
pub(crate) type ReadFile<'a> = &'a mut dyn FnMut(&OsStr) -> anyhow::Result<Vec<u8>>;

/// The groups of a command line, each in clap's spelling; `get` is clap's command of the name.
pub(crate) fn groups(
    get: &Command,
    words: impl IntoIterator<Item = OsString>,
    read: ReadFile<'_>,
) -> Result<Vec<Vec<OsString>>, WordsError> {
    let mut reader =
        Reader { spellings: spellings(get), global: Vec::new(), groups: vec![Group::default()], read };
    reader.read_words(&mut words.into_iter(), &Place(None), 0)?;
    let Reader { global, groups, .. } = reader;
    Ok(groups.into_iter().map(|group| group.into_words(&global)).collect())
}

/// An option that clap knows.
struct Spelling {
    long: String,
    aliases: Vec<String>,
    letter: Option<char>,
    takes_value: bool,
    /// A value may stand behind an equals sign, and `off` switches it off.
    may_take_value: bool,
}

fn spellings(get: &Command) -> Vec<Spelling> {
    let spelling = |arg: &Arg| {
        let takes_nothing = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
        let may_take_value = takes_nothing && arg.get_num_args().is_some_and(|count| count.max_values() > 0);
        Some(Spelling {
            long: arg.get_long()?.to_owned(),
            aliases: arg.get_all_aliases().unwrap_or_default().into_iter().map(str::to_owned).collect(),
            letter: arg.get_short(),
            takes_value: arg.get_action().takes_values() && !takes_nothing,
            may_take_value,
        })
    };
    get.get_arguments().filter_map(spelling).collect()
}

/// One occurrence of an option.
#[derive(Clone)]
struct Given {
    long: String,
    value: Option<OsString>,
}

#[derive(Default)]
struct Group {
    given: Vec<Given>,
    urls: Vec<OsString>,
}

impl Group {
    fn into_words(self, global: &[Given]) -> Vec<OsString> {
        let mut words: Vec<OsString> = global.iter().chain(&self.given).map(Given::word).collect();
        words.push("--".into());
        words.extend(self.urls);
        words
    }
}

impl Given {
    fn word(&self) -> OsString {
        let mut word = OsString::from(format!("--{}", self.long));
        if let Some(value) = &self.value {
            word.push("=");
            word.push(value);
        }
        word
    }
}

struct Reader<'a> {
    spellings: Vec<Spelling>,
    global: Vec<Given>,
    groups: Vec<Group>,
    read: ReadFile<'a>,
}

type Words<'a> = &'a mut dyn Iterator<Item = OsString>;

impl Reader<'_> {
    fn read_words(&mut self, words: Words<'_>, place: &Place, depth: usize) -> Result<(), WordsError> {
        let mut only_urls = false;
        while let Some(word) = words.next() {
            let bytes = word.as_bytes();
            if only_urls || !bytes.starts_with(b"-") || bytes == b"-" {
                self.url(word);
            } else if bytes == b"--" {
                only_urls = true;
            } else if bytes.starts_with(b"--") {
                self.long(&word, words, place, depth)?;
            } else {
                self.letters(&word, words, place, depth)?;
            }
        }
        Ok(())
    }

    /// `--name`, `--name value`, `--name=value`, `--no-name`.
    fn long(
        &mut self,
        word: &OsStr,
        words: Words<'_>,
        place: &Place,
        depth: usize,
    ) -> Result<(), WordsError> {
        let bytes = word.as_bytes().get(2..).unwrap_or_default();
        let (name, inline) = match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) => (bytes.get(..at), bytes.get(at + 1..).map(<[u8]>::to_vec).map(OsString::from_vec)),
            None => (Some(bytes), None),
        };
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let shown = format!("--{name}");
        let known = match self.find(&name) {
            Found::One(known) => known,
            Found::Refused(refusal) => {
                return Err(WordsError::Refused { told: refusal.told(&shown), place: place.clone() });
            }
            Found::SwitchedOff(long) => return self.switch_off(&long, &shown, place),
            Found::Several(candidates) => {
                return Err(WordsError::Ambiguous { shown, place: place.clone(), candidates });
            }
            Found::None => {
                let suggestion = self.suggestion(&name);
                return Err(WordsError::Unknown { shown, place: place.clone(), suggestion });
            }
        };
        let (long, takes_value) = known;
        match (takes_value, inline) {
            (false, value @ Some(_)) if self.may_take_value(&long) => self.given(long, value, depth),
            (false, Some(_)) => Err(WordsError::UnwantedValue { shown, place: place.clone() }),
            (false, None) => self.given(long, None, depth),
            (true, Some(value)) => self.given(long, Some(value), depth),
            (true, None) => {
                let value = words.next().ok_or(WordsError::NoValue { shown, place: place.clone() })?;
                self.given(long, Some(value), depth)
            }
        }
    }

    /// `-sSo file`, `-ofile`.
    fn letters(
        &mut self,
        word: &OsStr,
        words: Words<'_>,
        place: &Place,
        depth: usize,
    ) -> Result<(), WordsError> {
        let mut rest = word.as_bytes().get(1..).unwrap_or_default();
        while let Some((letter, behind)) = rest.split_first() {
            let letter = char::from(*letter);
            let shown = format!("-{letter}");
            let place = || place.clone();
            if matches!(letter, 'h' | 'V') {
                return Err(WordsError::Help(shown.into()));
            }
            let known = self.spellings.iter().find(|spelling| spelling.letter == Some(letter));
            let Some(known) = known else {
                return Err(match refused::why(&letter.to_string()) {
                    Some(refusal) => WordsError::Refused { told: refusal.told(&shown), place: place() },
                    None => WordsError::Unknown { shown, place: place(), suggestion: String::new() },
                });
            };
            let long = known.long.clone();
            if known.takes_value {
                let value = if behind.is_empty() {
                    words.next().ok_or(WordsError::NoValue { shown, place: place() })?
                } else {
                    OsString::from_vec(behind.to_vec())
                };
                return self.given(long, Some(value), depth);
            }
            self.given(long, None, depth)?;
            rest = behind;
        }
        Ok(())
    }

    fn given(&mut self, long: String, value: Option<OsString>, depth: usize) -> Result<(), WordsError> {
        match (long.as_str(), value) {
            ("help" | "version", _) => return Err(WordsError::Help(format!("--{long}").into())),
            // curl: what is said before the first URL of a group is said about that group.
            ("next", _) if self.groups.last().is_some_and(|group| group.urls.is_empty()) => {}
            ("next", _) => self.groups.push(Group::default()),
            ("url", Some(url)) => self.url(url),
            ("config", Some(file)) => self.file(&file, depth + 1)?,
            (_, value) => {
                let opposite = long.strip_prefix("no-").map_or_else(|| format!("no-{long}"), str::to_owned);
                let list = self.list(&long);
                list.retain(|given| {
                    given.long != opposite && (value.is_some() || given.long != long || long == "remote-name")
                });
                list.push(Given { long, value });
            }
        }
        Ok(())
    }

    fn list(&mut self, long: &str) -> &mut Vec<Given> {
        match self.groups.last_mut() {
            Some(group) if !GLOBAL.contains(&long) => &mut group.given,
            _ => &mut self.global,
        }
    }

    fn url(&mut self, url: OsString) {
        if let Some(group) = self.groups.last_mut() {
            group.urls.push(url);
        }
    }

    fn switch_off(&mut self, long: &str, shown: &str, place: &Place) -> Result<(), WordsError> {
        let takes_value = self.spellings.iter().any(|known| known.long == long && known.takes_value);
        if takes_value {
            return Err(WordsError::NotSwitchable { shown: shown.to_owned(), place: place.clone() });
        }
        let off =
            self.may_take_value(long).then(|| Given { long: long.to_owned(), value: Some("off".into()) });
        let list = self.list(long);
        list.retain(|given| given.long != long);
        list.extend(off);
        Ok(())
    }

    fn may_take_value(&self, long: &str) -> bool {
        self.spellings.iter().any(|known| known.long == long && known.may_take_value)
    }

    fn file(&mut self, file: &OsStr, depth: usize) -> Result<(), WordsError> {
        let name = file.to_string_lossy().into_owned();
        if depth > DEEPEST {
            return Err(WordsError::TooDeep { file: name });
        }
        let bytes = (self.read)(file).map_err(|source| WordsError::File { file: name.clone(), source })?;
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        for line in config_file::parse(&String::from_utf8_lossy(&bytes)) {
            let place = Place(Some((name.clone(), line.number)));
            // Comments may be in any alphabet.
            if !is_utf8 && line.value.iter().chain([&line.option]).any(|text| text.contains('\u{fffd}')) {
                return Err(WordsError::NotUtf8 { option: line.option, place });
            }
            let mut words = self.words_of(line).into_iter();
            self.read_words(&mut words, &place, depth)?;
        }
        Ok(())
    }

    /// A line's words: an option without dashes is a long one, and what takes no value has none.
    fn words_of(&self, line: Line) -> Vec<OsString> {
        let option = if line.option.starts_with('-') { line.option } else { format!("--{}", line.option) };
        let takes_value = match (option.strip_prefix("--"), option.strip_prefix('-')) {
            (Some(name), _) => matches!(self.find(name), Found::One((_, true))),
            (None, Some(letters)) => self.ends_in_value(letters),
            (None, None) => false,
        };
        if let (Some(Found::One((long, false))), Some(value)) =
            (option.strip_prefix("--").map(|name| self.find(name)), &line.value)
            && self.may_take_value(&long)
        {
            return vec![format!("--{long}={value}").into()];
        }
        let value = line.value.filter(|_| takes_value).map(OsString::from);
        // A value that is not there is an empty one, as in `user-agent = ` of curl's.
        [Some(OsString::from(option)), value].into_iter().flatten().collect()
    }

    /// Whether the last of these letters takes the next word.
    fn ends_in_value(&self, letters: &str) -> bool {
        let takes =
            |letter| self.spellings.iter().any(|known| known.letter == Some(letter) && known.takes_value);
        letters.chars().position(takes).is_some_and(|at| at + 1 == letters.chars().count())
    }

    /// The option of this name, or of the only name that begins like this.
    fn find(&self, name: &str) -> Found {
        if matches!(name, "help" | "version") {
            return Found::One((name.to_owned(), false));
        }
        let one = |known: &Spelling| Found::One((known.long.clone(), known.takes_value));
        let is_named =
            |known: &&Spelling| known.long == name || known.aliases.iter().any(|alias| alias == name);
        if let Some(known) = self.spellings.iter().find(is_named) {
            return one(known);
        }
        if let Some(refusal) = refused::why(name).filter(|_| name.len() > 1) {
            return Found::Refused(refusal);
        }
        let opposite = name.strip_prefix("no-").map_or_else(|| format!("no-{name}"), str::to_owned);
        if let Some(known) = self.spellings.iter().find(|known| known.long == opposite) {
            return Found::SwitchedOff(known.long.clone());
        }
        // What is never on need not be switched off.
        if let Some(refused) =
            name.strip_prefix("no-").filter(|rest| rest.len() > 1 && refused::why(rest).is_some())
        {
            return Found::SwitchedOff(refused.to_owned());
        }
        self.find_abbreviated(name)
    }

    fn find_abbreviated(&self, name: &str) -> Found {
        let ours = self.spellings.iter().filter(|known| known.long.starts_with(name));
        let ours: Vec<&Spelling> = ours.collect();
        let refused: Vec<&str> = refused::long_names().filter(|long| long.starts_with(name)).collect();
        match (ours.as_slice(), refused.as_slice()) {
            ([], []) => Found::None,
            ([known], []) => Found::One((known.long.clone(), known.takes_value)),
            ([], [long]) => refused::why(long).map_or(Found::None, Found::Refused),
            _ => {
                let names = ours.iter().map(|known| known.long.as_str()).chain(refused);
                Found::Several(names.map(|name| format!("--{name}")).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The option that is spelt most like this.
    fn suggestion(&self, name: &str) -> String {
        let names = self.spellings.iter().map(|known| known.long.as_str());
        let nearest = names.map(|long| (distance(name, long), long)).min();
        match nearest {
            Some((changes, long)) if changes <= 1 + name.len() / 4 => format!(" (--{long}?)"),
            _ => String::new(),
        }
    }
}

/// What a name leads to.
enum Found {
    One((String, bool)),
    SwitchedOff(String),
    Refused(&'static refused::Refusal),
    Several(String),
    None,
}

/// How many letters have to change (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    // What it costs to make the beginning of `left` into each beginning of `right`.
    let mut costs: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((pair, other), left_of_it) in costs.windows(2).zip(&right).zip(1..) {
            let [corner, above] = pair else { continue };
            let beside = next.get(left_of_it - 1).copied().unwrap_or_default();
            next.push((corner + usize::from(letter != *other)).min(above + 1).min(beside + 1));
        }
        costs = next;
    }
    costs.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::GetOptions;
    use clap::Args;

    fn read_nothing(_: &OsStr) -> anyhow::Result<Vec<u8>> {
        anyhow::bail!("no such file")
    }

    fn with_file(content: &'static str, words: &[&str]) -> Result<Vec<String>, String> {
        let get = GetOptions::augment_args(Command::new("get"));
        let mut read = |_: &OsStr| Ok(content.as_bytes().to_vec());
        spelled(groups(&get, words.iter().map(OsString::from), &mut read))
    }

    fn of(words: &[&str]) -> Result<Vec<String>, String> {
        let get = GetOptions::augment_args(Command::new("get"));
        spelled(groups(&get, words.iter().map(OsString::from), &mut read_nothing))
    }

    fn spelled(groups: Result<Vec<Vec<OsString>>, WordsError>) -> Result<Vec<String>, String> {
        let spelled = |group: Vec<OsString>| {
            group.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        groups.map(|groups| groups.into_iter().map(spelled).collect()).map_err(|error| error.to_string())
    }

    fn one(words: &[&str]) -> String {
        of(words).unwrap().pop().unwrap()
    }

    #[test]
    fn letters_may_stand_together_and_their_value_behind_them() {
        assert_eq!(one(&["-sSLo", "f", "u"]), "--silent --show-error --location --output=f -- u");
        assert_eq!(one(&["-of", "-d=x", "-XPUT", "u"]), "--output=f --data==x --request=PUT -- u");
        assert_eq!(one(&["-H", "-x", "-d", "--next", "u"]), "--header=-x --data=--next -- u");
    }

    #[test]
    fn a_long_name_may_be_cut_short_and_its_value_stand_behind_an_equals_sign() {
        assert_eq!(one(&["--output=f", "--data", "a=b", "u"]), "--output=f --data=a=b -- u");
        assert_eq!(one(&["--insec", "u"]), "--insecure -- u");
        assert!(of(&["--out", "f"]).unwrap_err().contains("several"));
        assert!(of(&["--head=x"]).unwrap_err().contains("no value"));
        assert!(of(&["--output"]).unwrap_err().contains("missing"));
    }

    #[test]
    fn what_is_said_last_is_what_counts() {
        assert_eq!(one(&["--location", "--no-location", "u"]), "-- u");
        assert_eq!(one(&["--no-location", "-L", "-L", "u"]), "--location -- u");
        assert_eq!(one(&["--clobber", "--no-clobber", "u"]), "--no-clobber -- u");
        assert_eq!(one(&["-N", "--buffer", "u"]), "-- u");
        assert_eq!(one(&["--dnssec=on", "--no-dnssec", "u"]), "--dnssec=off -- u");
        assert_eq!(one(&["--no-dnssec", "--dnssec", "u"]), "--dnssec -- u");
        assert_eq!(one(&["-O", "-O", "u"]), "--remote-name --remote-name -- u");
        assert!(of(&["--no-output", "u"]).unwrap_err().contains("switched off"));
    }

    #[test]
    fn next_begins_another_group_and_shares_what_is_of_the_whole_command() {
        assert_eq!(
            of(&["-d", "x", "a", "--next", "-sL", "b", "-:", "--url", "c"]).unwrap(),
            ["--silent --data=x -- a", "--silent --location -- b", "--silent -- c"]
        );
        assert_eq!(of(&["-d", "x", "-:", "a", "-:", "-:", "b"]).unwrap(), ["--data=x -- a", "-- b"]);
    }

    #[test]
    fn behind_two_dashes_all_is_urls() {
        assert_eq!(one(&["-s", "--", "-u", "--next"]), "--silent -- -u --next");
    }

    #[test]
    fn a_file_of_options_stands_where_it_is_named() {
        let words = with_file("url = b\n-o f\nsilent = yes\n-d=x\nnext\n", &["a", "-K", "file", "c"]);
        assert_eq!(words.unwrap(), ["--silent --output=f --data==x -- a b", "--silent -- c"]);
        let words = with_file("dnssec = off\n", &["-K", "file", "u"]);
        assert_eq!(words.unwrap(), ["--dnssec=off -- u"]);
        assert_eq!(with_file("dnssec\n", &["-K", "file", "u"]).unwrap(), ["--dnssec -- u"]);
        assert!(with_file("K = file", &["-K", "x"]).is_err());
        assert!(with_file("config = file", &["-K", "x"]).unwrap_err().contains("deeper"));
        assert!(with_file("\n\nbogus", &["-K", "x"]).unwrap_err().contains("x, line 3"));
        assert!(of(&["-K", "x"]).unwrap_err().contains("-K x"));
    }

    #[test]
    fn what_curl_has_and_we_have_not_is_refused_by_name() {
        for words in [&["--http2"][..], &["--tlsv1.0"], &["-Q", "x"], &["-sl"], &["--ftp-pas"], &["--ntlm"]] {
            assert!(of(words).unwrap_err().contains("is not offered"), "{words:?}");
        }
        assert_eq!(one(&["--no-http2", "--no-xattr", "u"]), "-- u");
    }

    #[test]
    fn what_nobody_has_is_unknown_with_a_suggestion() {
        assert!(of(&["--bogus"]).unwrap_err().contains("--bogus: there is no such option"));
        assert!(of(&["--ouptut"]).unwrap_err().contains("(--output?)"));
        assert!(of(&["-?"]).unwrap_err().contains("-?"));
    }

    #[test]
    fn the_distance_of_words_is_what_has_to_change() {
        for (left, right, expected) in
            [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn every_global_option_exists() {
        let get = GetOptions::augment_args(Command::new("get"));
        let known = spellings(&get);
        for name in GLOBAL {
            assert!(known.iter().any(|spelling| spelling.long == *name), "{name}");
        }
        for name in refused::long_names() {
            assert!(known.iter().all(|spelling| spelling.long != name), "{name} is refused and offered");
        }
    }
}
