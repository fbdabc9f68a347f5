//! What a file is called that has its name from the server: the end of the URL's path (`-O`), or
//! what `Content-Disposition` says (`-J`, RFC 6266).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The longest name that is taken from a server, in bytes: file systems know no longer one.
const LONGEST: usize = 255;

/// The last piece of the path of a URL as it was typed; none if the path ends in a slash. As in curl
/// nothing is decoded, so nothing in it leads to another folder.
pub(crate) fn from_url(typed: &str) -> Option<OsString> {
    let behind = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    let (_, path) = behind.split(['?', '#']).next()?.split_once('/')?;
    let last = path.trim_end().rsplit('/').next().unwrap_or_default();
    is_a_name(last).then(|| last.into())
}

/// The name in a `Content-Disposition`, without any folder in front of it. `filename*` (RFC 8187) is
/// passed over, as curl does.
pub(crate) fn from_disposition(field: &str) -> Option<OsString> {
    let mut rest = field;
    // What stands first is `attachment` or the like, unless it is a parameter already.
    loop {
        rest = rest.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        if let Some(value) = strip_prefix_ignoring_case(rest, "filename=") {
            return sanitized(value_of(value));
        }
        rest = rest.get(end_of_parameter(rest)..)?.strip_prefix(';')?;
    }
}

/// The text up to its end, which is a quote if it begins with one.
fn value_of(text: &str) -> String {
    let Some(quote) = text.chars().next().filter(|letter| matches!(letter, '"' | '\'')) else {
        return text.split(';').next().unwrap_or_default().trim_end().to_owned();
    };
    let mut value = String::new();
    let mut letters = text.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            // RFC 9110 5.6.4: a quoted pair is the letter behind the backslash.
            '\\' => match letters.clone().next() {
                Some(escaped) if escaped == quote || escaped == '\\' => {
                    value.push(escaped);
                    letters.next();
                }
                _ => value.push('\\'),
            },
            letter if letter == quote => break,
            letter => value.push(letter),
        }
    }
    value
}

/// Where a parameter ends: at the next semicolon outside quotes.
fn end_of_parameter(text: &str) -> usize {
    let mut is_quoted = false;
    let ends = |letter: char| {
        is_quoted ^= letter == '"';
        letter == ';' && !is_quoted
    };
    text.find(ends).unwrap_or(text.len())
}

/// A server names a file, never a folder; what does not name one names nothing.
fn sanitized(name: String) -> Option<OsString> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let clean = clean.trim();
    is_a_name(clean).then(|| clean.into())
}

fn is_a_name(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && text.len() <= LONGEST
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The file in its folder.
pub(crate) fn within(folder: Option<&Path>, name: &OsStr) -> PathBuf {
    match folder {
        // Not `join`: -o /x with --output-dir d is d//x in curl, below d.
        Some(folder) => {
            let mut path = folder.as_os_str().to_owned();
            path.push("/");
            path.push(name);
            path.into()
        }
        None => name.into(),
    }
}

/// `name.1`, `name.2` and so on (`--no-clobber`).
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disposition(field: &str) -> Option<String> {
        from_disposition(field).map(|name| name.into_string().unwrap())
    }

    #[test]
    fn the_end_of_the_path_names_the_file() {
        for (url, name) in [
            ("http://h/a/b%2Fc.tar.gz", "b%2Fc.tar.gz"),
            ("h:80/\u{fc}?q=/x", "\u{fc}"),
            ("http://h/a/%2e%2e#f/g", "%2e%2e"),
        ] {
            assert_eq!(from_url(url), Some(name.into()), "{url}");
        }
        for url in ["http://h/", "http://h/a/", "h", "http://h/a/..", "http://h?a/b"] {
            assert_eq!(from_url(url), None, "{url}");
        }
    }

    #[test]
    fn the_disposition_names_the_file_in_all_the_ways_that_servers_write() {
        for field in [
            "attachment; filename=\"a b.txt\"",
            "attachment; filename='a b.txt'; size=3",
            "attachment;FileName=a b.txt",
            "filename=a b.txt;x=y",
            "inline; x=\"; filename=no\"; filename=\"a b.txt\"; filename*=UTF-8''%e2%82%ac",
        ] {
            assert_eq!(disposition(field).as_deref(), Some("a b.txt"), "{field}");
        }
        assert_eq!(disposition(r#"attachment; filename="a\"b\\""#).as_deref(), None);
        assert_eq!(disposition(r#"attachment; filename="a\"b""#).as_deref(), Some("a\"b"));
        assert_eq!(disposition("attachment; filename=\"open").as_deref(), Some("open"));
    }

    #[test]
    fn no_server_chooses_the_folder() {
        for (field, name) in [
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"/etc/passwd\"", Some("passwd")),
            (r"attachment; filename=C:\windows\x.exe", Some("x.exe")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"a/\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename=\"a\u{1b}[2Jb\u{0}\"", Some("a[2Jb")),
            ("attachment", None),
            ("attachment; filename*=UTF-8''x", None),
            ("", None),
        ] {
            assert_eq!(disposition(field).as_deref(), name, "{field}");
        }
        assert_eq!(disposition(&format!("attachment; filename={}", "x".repeat(300))), None);
    }

    #[test]
    fn names_are_put_into_folders_and_numbered() {
        assert_eq!(within(Some(Path::new("d")), OsStr::new("/x")), Path::new("d//x"));
        assert_eq!(within(None, OsStr::new("x")), Path::new("x"));
        assert_eq!(numbered(Path::new("d/x"), 2), Path::new("d/x.2"));
    }
}
