//! Options whose order among each other matters.

use clap::parser::ValuesRef;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use std::ffi::OsString;

/// The ways to give a piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataKind {
    /// `-d`: as it is; of a file, without its line breaks.
    Plain,
    /// `--data-raw`: as it is, an `@` included.
    Raw,
    /// `--data-binary`: as it is; of a file, every byte.
    Binary,
    /// `--data-urlencode`.
    UrlEncoded,
    /// `--json`.
    Json,
}

/// The ways to give a part of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormKind {
    /// `-F`: with curl's `@`, `<` and `;type=`.
    Rich,
    /// `--form-string`: as it is.
    Plain,
}

/// What is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyOptions {
    /// In the order of the command line.
    pub(crate) data: Vec<(DataKind, OsString)>,
    /// In the order of the command line.
    pub(crate) form: Vec<(FormKind, OsString)>,
    /// Whether quotes in the names of a form are escaped by a backslash instead of a percent sign.
    pub(crate) form_escape: bool,
    /// One for each URL, in order.
    pub(crate) uploads: Vec<OsString>,
}

/// Where one URL's body goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputName {
    /// `-o`.
    File(OsString),
    /// `-O`.
    Remote,
}

/// Where bodies go, one for each URL, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamingOptions {
    pub(crate) outputs: Vec<OutputName>,
    /// `-O` for those that nothing is said of.
    pub(crate) remote_name_all: bool,
}

const DATA: [(&str, Option<char>, DataKind, &str); 6] = [
    (
        "data",
        Some('d'),
        DataKind::Plain,
        "Send a body, by POST; @FILE reads it; repeated ones are joined by &",
    ),
    ("data-ascii", None, DataKind::Plain, "The same as --data"),
    ("data-raw", None, DataKind::Raw, "Send a body; an @ is sent as it is"),
    ("data-binary", None, DataKind::Binary, "Send a body; a file is sent with its line breaks"),
    (
        "data-urlencode",
        None,
        DataKind::UrlEncoded,
        "Send a body, encoded for a form: CONTENT, NAME=CONTENT, @FILE or NAME@FILE",
    ),
    ("json", None, DataKind::Json, "Send JSON, and ask for JSON"),
];

const FORM: [(&str, Option<char>, FormKind, &str); 2] = [
    (
        "form",
        Some('F'),
        FormKind::Rich,
        "Send a part of a form (multipart/form-data): NAME=TEXT, NAME=@FILE or NAME=<FILE",
    ),
    ("form-string", None, FormKind::Plain, "Send a part of a form, as it is"),
];

fn with_value(name: &'static str, short: Option<char>, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(help).action(ArgAction::Append);
    let arg = arg.value_parser(value_parser!(OsString));
    match short {
        Some(short) => arg.short(short),
        None => arg,
    }
}

/// A flag whose places on the command line are remembered.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

impl Args for BodyOptions {
    fn augment_args(command: Command) -> Command {
        let mut command = command.next_help_heading("The body that is sent");
        for (name, short, _, help) in DATA {
            command = command.arg(with_value(name, short, help).value_name("DATA"));
        }
        for (name, short, _, help) in FORM {
            command = command.arg(with_value(name, short, help).value_name("NAME=CONTENT"));
        }
        command.arg(flag("form-escape", "Escape quotes in a form's names by \\ instead of %22")).arg(
            with_value(
                "upload-file",
                Some('T'),
                "Send FILE, by PUT; stdin with `-`; repeated ones go to one URL each",
            )
            .value_name("FILE"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for BodyOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self {
            data: in_order(matches, DATA.map(|(name, _, kind, _)| (name, kind))),
            form: in_order(matches, FORM.map(|(name, _, kind, _)| (name, kind))),
            form_escape: matches.get_flag("form-escape"),
            uploads: values(matches, "upload-file").cloned().collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for NamingOptions {
    fn augment_args(command: Command) -> Command {
        command
            .next_help_heading("Output")
            .arg(
                with_value("output", Some('o'), "Write the body to FILE instead of stdout; repeated ones are for one URL each; #1 stands for what {} or [] chose")
                    .value_name("FILE"),
            )
            .arg(
                Arg::new("remote-name")
                    .short('O')
                    .long("remote-name")
                    .help("Write the body to a file named as the URL's path ends")
                    .action(ArgAction::Append)
                    .num_args(0)
                    .default_missing_value("yes")
                    .value_parser(value_parser!(OsString)),
            )
            .arg(flag("remote-name-all", "-O for all URLs that have no -o"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for NamingOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let outputs = in_order(matches, [("output", false), ("remote-name", true)]).into_iter();
        let name = |(is_remote, name)| if is_remote { OutputName::Remote } else { OutputName::File(name) };
        Ok(Self {
            outputs: outputs.map(name).collect(),
            remote_name_all: matches.get_flag("remote-name-all"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of several options, in the order of the command line.
fn in_order<K: Copy, const N: usize>(matches: &ArgMatches, names: [(&str, K); N]) -> Vec<(K, OsString)> {
    let mut found = Vec::new();
    for (name, kind) in names {
        let places = matches.indices_of(name).into_iter().flatten();
        found.extend(places.zip(values(matches, name)).map(|(place, value)| (place, kind, value.clone())));
    }
    found.sort_by_key(|(place, _, _)| *place);
    found.into_iter().map(|(_, kind, value)| (kind, value)).collect()
}

fn values<'a>(matches: &'a ArgMatches, name: &str) -> ValuesRef<'a, OsString> {
    matches.get_many(name).unwrap_or_default()
}
