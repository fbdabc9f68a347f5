//! Which transfers the options describe: URLs with their outputs and uploads, paired as curl pairs
//! them, and expanded one by one.

use super::glob::{Expanded, Pattern, name_for};
use crate::args::{GetOptions, OutputName};
use crate::failure::{MALFORMED_URL, coded, usage};
use std::ffi::OsString;

/// Where a body goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To stdout, because nobody said otherwise.
    Stdout,
    /// To stdout, by `-o -`: whatever it is.
    StdoutByName,
    /// To this file.
    File(OsString),
    /// To a file that the URL, or the server, names.
    Remote,
}

/// What is uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    /// The standard input.
    Stdin,
    /// A file.
    File(OsString),
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// As it was typed, sets and ranges expanded.
    pub(crate) url: String,
    pub(crate) destination: Destination,
    pub(crate) upload: Option<Upload>,
    /// Which URL of the group it comes from (`%{urlnum}`).
    pub(crate) url_number: u64,
}

/// The transfers of a group.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    node: usize,
    next: u64,
}

/// A URL of the command line, and what belongs to it.
#[derive(Clone, Debug)]
struct Node {
    url: Pattern,
    output: Option<OutputName>,
    upload: Option<Pattern>,
}

impl Plan {
    /// What the options of a group describe, and what they say that makes no sense.
    pub(crate) fn new(options: &GetOptions) -> anyhow::Result<(Self, Vec<String>)> {
        if options.urls.is_empty() {
            return Err(usage("no URL: glasstack get URL"));
        }
        let (outputs, uploads) = (&options.naming.outputs, &options.body.uploads);
        if uploads.len() > options.urls.len() {
            return Err(usage("more files to send than URLs to send them to"));
        }
        if outputs.iter().any(|output| matches!(output, OutputName::File(name) if name.is_empty())) {
            return Err(usage("-o '': a file must have a name (-o - is stdout)"));
        }
        let mut warnings = Vec::new();
        if outputs.len() > options.urls.len() {
            warnings.push("more -o and -O than URLs: the last ones are for nothing".to_owned());
        }
        let pattern = |text: &str| {
            if options.globoff {
                return Ok(Pattern::literal(text));
            }
            Pattern::parse(text).map_err(|error| coded(MALFORMED_URL, error))
        };
        let mut nodes = Vec::new();
        for (index, url) in options.urls.iter().enumerate() {
            let usual = options.naming.remote_name_all.then_some(OutputName::Remote);
            let upload = uploads.get(index).filter(|file| !file.is_empty());
            // Names that are no text stand for themselves.
            let upload = upload.map(|file| match file.to_str() {
                Some(text) => pattern(text),
                None => Ok(Pattern::literal(&file.to_string_lossy())),
            });
            nodes.push(Node {
                url: pattern(url)?,
                output: outputs.get(index).cloned().or(usual),
                upload: upload.transpose()?,
            });
        }
        Ok((Self { nodes, node: 0, next: 0 }, warnings))
    }

    /// How many transfers there are.
    pub(crate) fn how_many(&self) -> u64 {
        self.nodes.iter().fold(0, |sum: u64, node| sum.saturating_add(node.count()))
    }

    /// The URLs as they were typed, each as its first expansion.
    pub(crate) fn typed(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| node.url.expand(0).text)
    }
}

impl Node {
    fn count(&self) -> u64 {
        let uploads = self.upload.as_ref().map_or(1, Pattern::count);
        self.url.count().saturating_mul(uploads)
    }

    /// The transfer of this number: for each file, all URLs.
    fn transfer(&self, number: u64, url_number: u64) -> Transfer {
        let urls = self.url.count().max(1);
        let Expanded { text, chosen } = self.url.expand(number % urls);
        let upload = self.upload.as_ref().map(|files| match files.expand(number / urls).text.as_str() {
            "-" | "." => Upload::Stdin,
            file => Upload::File(file.into()),
        });
        let destination = match &self.output {
            None => Destination::Stdout,
            Some(OutputName::Remote) => Destination::Remote,
            Some(OutputName::File(name)) if name == "-" => Destination::StdoutByName,
            Some(OutputName::File(name)) => Destination::File(name_for(name, &chosen)),
        };
        Transfer { url: text, destination, upload, url_number }
    }
}

impl Iterator for Plan {
    type Item = Transfer;

    fn next(&mut self) -> Option<Transfer> {
        loop {
            let node = self.nodes.get(self.node)?;
            if self.next < node.count() {
                let transfer = node.transfer(self.next, self.node as u64);
                self.next += 1;
                return Some(transfer);
            }
            self.node += 1;
            self.next = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, parse};

    fn options(words: &[&str]) -> GetOptions {
        let words = ["glasstack", "get"].iter().chain(words).map(OsString::from);
        match parse(words).unwrap() {
            Command::Get(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn planned(words: &[&str]) -> Vec<String> {
        let (plan, _) = Plan::new(&options(words)).unwrap();
        let shown = |transfer: Transfer| {
            let output = match transfer.destination {
                Destination::Stdout => String::new(),
                Destination::StdoutByName => " > -".to_owned(),
                Destination::File(name) => format!(" > {}", name.display()),
                Destination::Remote => " > its name".to_owned(),
            };
            let upload = match transfer.upload {
                None => String::new(),
                Some(Upload::Stdin) => " < stdin".to_owned(),
                Some(Upload::File(name)) => format!(" < {}", name.display()),
            };
            format!("{}{upload}{output}", transfer.url)
        };
        assert_eq!(plan.clone().count() as u64, plan.how_many());
        plan.map(shown).collect()
    }

    #[test]
    fn the_first_output_is_the_first_urls_wherever_they_stand() {
        assert_eq!(planned(&["-o", "x", "a", "b", "-O"]), ["a > x", "b > its name"]);
        assert_eq!(planned(&["a", "b", "-o", "x"]), ["a > x", "b"]);
        assert_eq!(planned(&["-O", "-o", "-", "a", "--url", "b", "c"]), ["a > its name", "b > -", "c"]);
        assert_eq!(planned(&["--remote-name-all", "a", "b", "-o", "x"]), ["a > x", "b > its name"]);
    }

    #[test]
    fn a_pattern_is_expanded_for_its_url_and_its_output() {
        assert_eq!(
            planned(&["h/[1-2]{a,b}", "-o", "#2#1"]),
            ["h/1a > a1", "h/1b > b1", "h/2a > a2", "h/2b > b2"]
        );
        assert_eq!(planned(&["-g", "h/[1-2]"]), ["h/[1-2]"]);
        assert!(Plan::new(&options(&["h/[2-1]"])).is_err());
    }

    #[test]
    fn files_to_send_are_for_one_url_each_or_all_for_one() {
        assert_eq!(planned(&["-T", "f", "-T", "-", "a", "b", "c"]), ["a < f", "b < stdin", "c"]);
        assert_eq!(planned(&["-T", "{f,g}", "a"]), ["a < f", "a < g"]);
        assert!(Plan::new(&options(&["-T", "f", "-T", "g", "a"])).is_err());
    }

    #[test]
    fn without_a_url_there_is_nothing_to_do() {
        assert!(Plan::new(&options(&["-s"])).is_err());
        assert_eq!(Plan::new(&options(&["-o", "x", "-o", "y", "a"])).unwrap().1.len(), 1);
    }
}
