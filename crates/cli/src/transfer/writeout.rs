//! `-w`: what is printed when a transfer is over, curl's variables in it.

use std::time::Duration;

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text; none is `null` in JSON, and nothing elsewhere.
    Text(Option<String>),
    /// A number.
    Number(u64),
    /// A time, printed as seconds with six decimals.
    Time(Duration),
    /// A status code, printed with three digits.
    Code(u16),
}

/// All that is known of a transfer.
pub(crate) trait Known {
    /// The value of one of [`VARIABLES`].
    fn value(&self, variable: &str) -> Value;
    /// The header fields of the last response, in order.
    fn fields(&self) -> Vec<(String, String)>;
    /// Whether the transfer failed.
    fn has_failed(&self) -> bool;
}

/// The one that curl has not: why the server's certificate was refused, by its code.
pub(crate) const CERTIFICATE_PROBLEM: &str = "certificate_problem";

/// The variables that have values of their own, in the order of JSON.
pub(crate) const VARIABLES: [&str; 44] = [
    "certs",
    "conn_id",
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "ftp_entry_path",
    "http_code",
    "http_connect",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_certs",
    "num_connects",
    "num_headers",
    "num_redirects",
    "num_retries",
    "proxy_ssl_verify_result",
    "proxy_used",
    "redirect_url",
    "referer",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "ssl_verify_result",
    "time_appconnect",
    "time_connect",
    "time_namelookup",
    "time_pretransfer",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "url",
    "url_effective",
    "urlnum",
    "xfer_id",
];

/// Where a piece of the text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    Stdout,
    Stderr,
    /// `%output{FILE}`; with `>>` in front it is added to.
    File {
        name: String,
        append: bool,
    },
}

/// What is printed, piece by piece.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) pieces: Vec<(Goes, String)>,
    /// Variables that do not exist.
    pub(crate) unknown: Vec<String>,
}

/// The text that a format makes of what is known.
pub(crate) fn write_out(format: &str, known: &impl Known) -> Written {
    let mut writer = Writer { written: Written::default(), goes: Goes::Stdout };
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        rest = match letter {
            '%' => match writer.percent(rest, known) {
                Some(behind) => behind,
                // `%{onerror}` of a transfer that succeeded ends it.
                None => break,
            },
            '\\' => writer.backslash(rest),
            other => {
                writer.push(other.encode_utf8(&mut [0; 4]));
                rest.get(other.len_utf8()..).unwrap_or_default()
            }
        };
    }
    writer.written
}

struct Writer {
    written: Written,
    goes: Goes,
}

impl Writer {
    fn push(&mut self, text: &str) {
        match self.written.pieces.last_mut() {
            Some((goes, last)) if *goes == self.goes => last.push_str(text),
            _ => self.written.pieces.push((self.goes.clone(), text.to_owned())),
        }
    }

    fn backslash<'a>(&mut self, rest: &'a str) -> &'a str {
        let escaped = rest.chars().nth(1);
        match escaped {
            Some('r') => self.push("\r"),
            Some('n') => self.push("\n"),
            Some('t') => self.push("\t"),
            Some(other) => {
                self.push("\\");
                self.push(other.encode_utf8(&mut [0; 4]));
            }
            None => self.push("\\"),
        }
        rest.get(1 + escaped.map_or(0, char::len_utf8)..).unwrap_or_default()
    }

    /// What follows a percent sign; none where the text ends.
    fn percent<'a>(&mut self, rest: &'a str, known: &impl Known) -> Option<&'a str> {
        if let Some(behind) = rest.strip_prefix("%%") {
            self.push("%");
            return Some(behind);
        }
        if let Some((name, behind)) = braced(rest, "%{") {
            return self.variable(name, known).then_some(behind);
        }
        if let Some((name, behind)) = braced(rest, "%header{") {
            let fields = known.fields();
            let field = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
            self.push(field.map_or("", |(_, value)| value));
            return Some(behind);
        }
        if let Some((name, behind)) = braced(rest, "%output{") {
            let (name, append) = match name.strip_prefix(">>") {
                Some(name) => (name, true),
                None => (name, false),
            };
            self.goes = Goes::File { name: name.to_owned(), append };
            return Some(behind);
        }
        self.push("%");
        rest.get(1..)
    }

    /// Whether it goes on behind it.
    fn variable(&mut self, name: &str, known: &impl Known) -> bool {
        match name {
            "stdout" => self.goes = Goes::Stdout,
            "stderr" => self.goes = Goes::Stderr,
            "onerror" => return known.has_failed(),
            "json" => {
                let json = json(known);
                self.push(&json);
            }
            "header_json" => {
                let json = header_json(&known.fields());
                self.push(&json);
            }
            // So they were called once.
            "response_code" | "http_code" => self.push_value(&known.value("response_code")),
            name if VARIABLES.contains(&name) || name == CERTIFICATE_PROBLEM => {
                self.push_value(&known.value(name))
            }
            name => self.written.unknown.push(name.to_owned()),
        }
        true
    }

    fn push_value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.push(text.as_deref().unwrap_or_default()),
            Value::Number(number) => self.push(&number.to_string()),
            Value::Time(time) => self.push(&seconds(*time)),
            Value::Code(code) => self.push(&format!("{code:03}")),
        }
    }
}

/// What stands in the braces behind `opening`, and what follows them.
fn braced<'a>(text: &'a str, opening: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(opening)?.split_once('}')
}

fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

/// Every variable, and whose program this is.
fn json(known: &impl Known) -> String {
    let mut text = String::from("{");
    for name in VARIABLES {
        let value = match known.value(name) {
            Value::Text(None) => "null".to_owned(),
            Value::Text(Some(value)) => quoted(&value),
            Value::Number(number) => number.to_string(),
            Value::Time(time) => seconds(time),
            Value::Code(code) => code.to_string(),
        };
        text.push_str(&format!("\"{name}\":{value},"));
    }
    // curl's name, so that whoever reads curl's finds it.
    text.push_str(&format!("\"curl_version\":\"glasstack/{}\"}}", env!("CARGO_PKG_VERSION")));
    text
}

/// The header fields, each once with all of its values.
fn header_json(fields: &[(String, String)]) -> String {
    let mut names: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in fields {
        let name = name.to_ascii_lowercase();
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => names.push((name, vec![value])),
        }
    }
    let lines = names.iter().map(|(name, values)| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        format!("{}:[{}]", quoted(name), values.join(","))
    });
    format!("{{{}\n}}", lines.collect::<Vec<_>>().join(",\n"))
}

/// RFC 8259 7.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Transfer {
        failed: bool,
    }

    impl Known for Transfer {
        fn value(&self, variable: &str) -> Value {
            match variable {
                "response_code" | "http_code" => Value::Code(7),
                "size_download" => Value::Number(5_000),
                "time_total" => Value::Time(Duration::from_nanos(1_514_999)),
                "url" => Value::Text(Some("http://h/\"\\\n\u{1}".to_owned())),
                _ => Value::Text(None),
            }
        }

        fn fields(&self) -> Vec<(String, String)> {
            let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            vec![field("Server", "x"), field("X-A", "1"), field("x-a", "2\"")]
        }

        fn has_failed(&self) -> bool {
            self.failed
        }
    }

    fn out(format: &str) -> String {
        let written = write_out(format, &Transfer { failed: false });
        written.pieces.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn variables_stand_for_what_is_known() {
        assert_eq!(out(r"%{http_code} %{time_total}\t%{size_download}\n"), "007 0.001514\t5000\n");
        assert_eq!(out("%header{x-A}|%header{none}|%{content_type}|"), "1|||");
        assert_eq!(out(r"%x|%%|\q|%{open|\"), r"%x|%|\q|%{open|\");
    }

    #[test]
    fn json_is_json_with_every_variable() {
        let value: serde_json::Value = serde_json::from_str(&out("%{json}")).unwrap();
        for name in VARIABLES {
            assert!(value.get(name).is_some(), "{name}");
        }
        assert_eq!(value["url"], "http://h/\"\\\n\u{1}");
        assert_eq!((&value["http_code"], &value["method"]), (&7.into(), &serde_json::Value::Null));
        assert!(VARIABLES.is_sorted());
    }

    #[test]
    fn header_json_is_curls_to_the_line() {
        assert_eq!(out("%{header_json}"), "{\"server\":[\"x\"],\n\"x-a\":[\"1\",\"2\\\"\"]\n}");
    }

    #[test]
    fn what_follows_goes_where_it_is_said() {
        let written = write_out("a%{stderr}b%{stdout}c%output{f}d%output{>>f}e", &Transfer { failed: false });
        let file = |append| Goes::File { name: "f".to_owned(), append };
        let expected = [
            (Goes::Stdout, "a"),
            (Goes::Stderr, "b"),
            (Goes::Stdout, "c"),
            (file(false), "d"),
            (file(true), "e"),
        ];
        assert_eq!(written.pieces, expected.map(|(goes, text)| (goes, text.to_owned())));
    }

    #[test]
    fn what_is_for_failures_is_left_out_of_successes() {
        assert_eq!(out("a%{onerror}b"), "a");
        assert_eq!(
            write_out("a%{onerror}b", &Transfer { failed: true }).pieces,
            [(Goes::Stdout, "ab".to_owned())]
        );
    }

    #[test]
    fn unknown_variables_are_named() {
        let written = write_out("a%{nope}b", &Transfer { failed: false });
        assert_eq!(written.unknown, ["nope"]);
        assert_eq!(written.pieces, [(Goes::Stdout, "ab".to_owned())]);
    }
}
