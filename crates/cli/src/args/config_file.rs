//! The language of `-K FILE`, which is curl's: an option a line, its value behind `=`, `:` or
//! blanks, quotes with escapes around a value that has blanks in it, comments behind `#`.

/// An option as a line of the file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Which line of the file, from 1 on.
    pub(crate) number: usize,
    /// The option: `-x`, `--long` or `long`.
    pub(crate) option: String,
    /// Its value, if there is one.
    pub(crate) value: Option<String>,
}

/// The options of a file, in order.
pub(crate) fn parse(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().filter_map(|(index, line)| parse_line(index + 1, line)).collect()
}

fn parse_line(number: usize, line: &str) -> Option<Line> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let is_dashed = line.starts_with('-');
    // A word without dashes may be followed by `:` or `=` at once; an option with dashes may have
    // one of them as its letter (`-:`).
    let ends = |letter: char| letter.is_whitespace() || (!is_dashed && matches!(letter, '=' | ':'));
    let (option, rest) = line.split_at(line.find(ends).unwrap_or(line.len()));
    let rest = rest.trim_start_matches(|letter: char| {
        letter.is_whitespace() || (!is_dashed && matches!(letter, '=' | ':'))
    });
    let value = if rest.starts_with('"') { quoted(rest) } else { plain(rest) };
    Some(Line { number, option: option.to_owned(), value })
}

/// `"a value with \"quotes\" and \n"`; what follows the closing quote is a comment.
fn quoted(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut letters = text.chars().skip(1);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('t') => value.push('\t'),
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('v') => value.push('\u{b}'),
                Some(other) => value.push(other),
                None => {}
            },
            other => value.push(other),
        }
    }
    Some(value)
}

/// Up to the first blank; what follows it is a comment.
fn plain(text: &str) -> Option<String> {
    text.split_whitespace().next().filter(|value| !value.starts_with('#')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Vec<(String, Option<String>)> {
        parse(text).into_iter().map(|line| (line.option, line.value)).collect()
    }

    fn option(name: &str, value: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), value.map(str::to_owned))
    }

    #[test]
    fn the_example_of_curls_manual_is_understood() {
        let text = "# --- Example file ---\n# this is a comment\nurl = \"example.com\"\noutput = \
                    \"curlhere.html\"\nuser-agent = \"superagent/1.0\"\n\n# and fetch another\nurl = \
                    \"example.com/docs/manpage.html\"\n-O\nreferer = \"http://nowhereatall.example.com/\"\n";
        assert_eq!(
            options(text),
            [
                option("url", Some("example.com")),
                option("output", Some("curlhere.html")),
                option("user-agent", Some("superagent/1.0")),
                option("url", Some("example.com/docs/manpage.html")),
                option("-O", None),
                option("referer", Some("http://nowhereatall.example.com/")),
            ]
        );
    }

    #[test]
    fn a_value_is_behind_a_blank_a_colon_or_an_equals_sign() {
        for text in ["user me:x", "user = me:x", "user: me:x", "user=me:x", "  user\t me:x  # who\r\n"] {
            assert_eq!(options(text), [option("user", Some("me:x"))], "{text}");
        }
        assert_eq!(options("--user me"), [option("--user", Some("me"))]);
        assert_eq!(options("-H \"A: b\""), [option("-H", Some("A: b"))]);
    }

    #[test]
    fn quotes_keep_blanks_and_escapes() {
        assert_eq!(
            options(r#"data = "a \"b\"\t\\ c\n" and a comment"#),
            [option("data", Some("a \"b\"\t\\ c\n"))]
        );
        assert_eq!(options("data = \"\""), [option("data", Some(""))]);
        assert_eq!(options("data = \"open"), [option("data", Some("open"))]);
    }

    #[test]
    fn next_and_comments_have_no_value() {
        assert_eq!(
            options("next\n-:\n\n#x\nsilent # be quiet\n"),
            [option("next", None), option("-:", None), option("silent", None)]
        );
        assert_eq!(parse("\n\n-s").first().map(|line| line.number), Some(3));
    }
}
