//! `-F`: a form as multipart/form-data (RFC 7578), with curl's `@`, `<`, `;type=`, `;filename=`,
//! `;headers=` and `;encoder=`.

use super::body::Segment;
use super::data::ReadFile;
use crate::args::FormKind;
use crate::files::metadata;
use anyhow::Context;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One `-F` or `--form-string`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    name: String,
    contents: Vec<Content>,
    /// Whether several files may stand in it, as a multipart/mixed of its own (RFC 7578 4.3).
    is_list: bool,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    source: Source,
    media_type: Option<String>,
    file_name: Option<String>,
    headers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Text(Vec<u8>),
    /// `@FILE`: sent with its name.
    Attached(OsString),
    /// `<FILE`: sent as if it were written here.
    Read(OsString),
}

/// Not a part of a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("-F {text}: {why}")]
pub(crate) struct BadPart {
    text: String,
    why: &'static str,
}

/// Reads a part.
pub(crate) fn parse(kind: FormKind, text: &OsStr) -> Result<Part, BadPart> {
    let bad = |why| BadPart { text: text.to_string_lossy().into_owned(), why };
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=');
    let (name, rest) =
        at.and_then(|at| bytes.split_at_checked(at)).ok_or_else(|| bad("there is no `=` in it"))?;
    let name = String::from_utf8_lossy(name).into_owned();
    let content = rest.get(1..).unwrap_or_default();
    let mut part = Part { name, contents: Vec::new(), is_list: false };
    if kind == FormKind::Plain {
        part.contents.push(Content::text(content.to_vec()));
        return Ok(part);
    }
    match content.split_first() {
        Some((b'(', _)) => Err(bad("forms within forms (`=(`) are not offered")),
        Some((b'@', files)) => {
            let mut reader = Reader { rest: files, ends_at_comma: true };
            loop {
                let (file, mut content) = reader.content().map_err(bad)?;
                content.source = Source::Attached(OsStr::from_bytes(&file).to_owned());
                part.contents.push(content);
                if !reader.eat(b',') {
                    break;
                }
            }
            part.is_list = part.contents.len() > 1;
            Ok(part)
        }
        Some((b'<', file)) => {
            let (file, mut content) = Reader { rest: file, ends_at_comma: false }.content().map_err(bad)?;
            content.source = Source::Read(OsStr::from_bytes(&file).to_owned());
            part.contents.push(content);
            Ok(part)
        }
        _ => {
            let (text, mut own) = Reader { rest: content, ends_at_comma: false }.content().map_err(bad)?;
            own.source = Source::Text(text);
            part.contents.push(own);
            Ok(part)
        }
    }
}

impl Content {
    fn text(text: Vec<u8>) -> Self {
        Self { source: Source::Text(text), media_type: None, file_name: None, headers: Vec::new() }
    }
}

/// Reads what stands behind the `=`.
struct Reader<'a> {
    rest: &'a [u8],
    ends_at_comma: bool,
}

impl Reader<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn ends(&self, byte: u8) -> bool {
        byte == b';' || (self.ends_at_comma && byte == b',')
    }

    /// A word, and what is said of it behind semicolons.
    fn content(&mut self) -> Result<(Vec<u8>, Content), &'static str> {
        let word = self.word();
        let mut content = Content::text(Vec::new());
        while self.eat(b';') {
            self.rest = self.rest.trim_ascii_start();
            if self.keyword(b"type=") {
                self.rest = self.rest.trim_ascii_start();
                let media_type = self.plain_word();
                if !media_type.contains('/') {
                    return Err("`type=` is followed by no media type, as text/plain");
                }
                if media_type.contains(char::is_control) {
                    return Err("a media type has no line breaks");
                }
                content.media_type = Some(media_type);
            } else if self.keyword(b"filename=") {
                content.file_name = Some(String::from_utf8_lossy(&self.word()).into_owned());
            } else if self.keyword(b"headers=") {
                if self.rest.starts_with(b"@") || self.rest.starts_with(b"<") {
                    return Err("`headers=` of a file is not offered: write the field itself");
                }
                let field = String::from_utf8_lossy(&self.word()).into_owned();
                if field.contains(['\r', '\n']) {
                    return Err("a field of `headers=` has no line breaks");
                }
                content.headers.push(field);
            } else if self.keyword(b"encoder=") {
                if !matches!(self.word().as_slice(), b"binary" | b"8bit" | b"7bit") {
                    return Err("of the encoders, binary and 8bit are offered");
                }
            } else if let Some(media_type) = &mut content.media_type {
                // `;type=text/plain; charset=x`: curl takes it as part of the type.
                let parameter = self.plain_word();
                if parameter.contains(char::is_control) {
                    return Err("a media type has no line breaks");
                }
                if !parameter.is_empty() {
                    media_type.push_str("; ");
                    media_type.push_str(&parameter);
                }
            } else {
                // curl: "skip unknown form field".
                self.word();
            }
        }
        Ok((word, content))
    }

    fn keyword(&mut self, word: &[u8]) -> bool {
        let is_here = self.rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        if is_here {
            self.rest = self.rest.get(word.len()..).unwrap_or_default();
        }
        is_here
    }

    fn plain_word(&mut self) -> String {
        let end = self.rest.iter().position(|byte| self.ends(*byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        String::from_utf8_lossy(word.trim_ascii_end()).into_owned()
    }

    /// Up to the next separator; in quotes, which may be escaped, up to the closing one.
    fn word(&mut self) -> Vec<u8> {
        if let Some((word, rest)) = self.rest.strip_prefix(b"\"").and_then(quoted) {
            let end = rest.iter().position(|byte| self.ends(*byte)).unwrap_or(rest.len());
            self.rest = rest.get(end..).unwrap_or_default();
            return word;
        }
        let end = self.rest.iter().position(|byte| self.ends(*byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        // Blanks at the end go when something follows, as in curl.
        if rest.is_empty() { word.to_vec() } else { word.trim_ascii_end().to_vec() }
    }
}

/// What is in quotes, and what is behind them; none where they do not end.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((word, text.get(at + 1..)?)),
            b'\\' if matches!(text.get(at + 1), Some(b'\\' | b'"')) => {
                word.extend(bytes.next().map(|(_, escaped)| *escaped));
            }
            other => word.push(*other),
        }
    }
    None
}

/// How a form is written.
pub(crate) struct Style<'a> {
    /// What parts its parts; in none of them, since it is chance.
    pub(crate) boundary: &'a str,
    /// What parts the files of one part.
    pub(crate) inner_boundary: &'a str,
    /// `--form-escape`: quotes become `\"`, not `%22`.
    pub(crate) backslashes: bool,
}

/// The body, its files not yet read.
pub(crate) fn body(parts: &[Part], style: &Style<'_>, read: ReadFile<'_>) -> anyhow::Result<Vec<Segment>> {
    let mut segments = Segments::default();
    for part in parts {
        segments.text(&format!("--{}\r\n", style.boundary));
        let name = escaped(&part.name, style.backslashes);
        match part.contents.as_slice() {
            [content] if !part.is_list => {
                segments.text(&format!("Content-Disposition: form-data; name=\"{name}\""));
                segments.content(content, style, read)?;
            }
            contents => {
                let inner = style.inner_boundary;
                segments.text(&format!(
                    "Content-Disposition: form-data; name=\"{name}\"\r\nContent-Type: multipart/mixed; \
                     boundary={inner}\r\n\r\n"
                ));
                for content in contents {
                    segments.text(&format!("--{inner}\r\nContent-Disposition: attachment"));
                    segments.content(content, style, read)?;
                }
                segments.text(&format!("--{inner}--\r\n\r\n"));
            }
        }
    }
    segments.text(&format!("--{}--\r\n", style.boundary));
    Ok(segments.0)
}

#[derive(Default)]
struct Segments(Vec<Segment>);

impl Segments {
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes().to_vec());
    }

    fn bytes(&mut self, bytes: Vec<u8>) {
        match self.0.last_mut() {
            Some(Segment::Bytes(last)) => last.extend(bytes),
            _ => self.0.push(Segment::Bytes(bytes)),
        }
    }

    /// The rest of a part's head, and its content.
    fn content(&mut self, content: &Content, style: &Style<'_>, read: ReadFile<'_>) -> anyhow::Result<()> {
        let attached = match &content.source {
            Source::Attached(file) => Some(file),
            Source::Text(_) | Source::Read(_) => None,
        };
        let base = attached.and_then(|file| PathBuf::from(file).file_name().map(OsStr::to_owned));
        let base = base.map(|name| name.to_string_lossy().into_owned());
        let file_name = content.file_name.clone().or(base);
        if let Some(name) = &file_name {
            self.text(&format!("; filename=\"{}\"", escaped(name, style.backslashes)));
        }
        let named = file_name.as_deref().and_then(media_type_of);
        let of_the_file = attached.filter(|file| *file != "-").map(|file| {
            // The name that is said may say less than the file's own.
            named.or_else(|| media_type_of(&file.to_string_lossy())).unwrap_or(OCTETS)
        });
        let media_type = content.media_type.as_deref().or(of_the_file).or(named);
        if let Some(media_type) = media_type {
            self.text(&format!("\r\nContent-Type: {media_type}"));
        }
        for field in &content.headers {
            self.text(&format!("\r\n{field}"));
        }
        self.text("\r\n\r\n");
        match &content.source {
            Source::Text(text) => self.bytes(text.clone()),
            Source::Attached(file) if file != "-" => {
                let length =
                    metadata(Path::new(file)).with_context(|| format!("cannot read {}", file.display()))?;
                if length.is_file() {
                    let (path, length) = (PathBuf::from(file), length.len());
                    self.0.push(Segment::File { path, offset: 0, length });
                } else {
                    self.bytes(read(file)?);
                }
            }
            Source::Attached(file) | Source::Read(file) => self.bytes(read(file)?),
        }
        self.text("\r\n");
        Ok(())
    }
}

/// What stands between quotes in a head: WHATWG's way ("multipart/form-data encoding algorithm"), or
/// with backslashes (RFC 9110 5.6.4).
fn escaped(text: &str, backslashes: bool) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match (letter, backslashes) {
            ('"' | '\\', true) => escaped.extend(['\\', letter]),
            ('"', false) => escaped.push_str("%22"),
            ('\r', _) => escaped.push_str("%0D"),
            ('\n', _) => escaped.push_str("%0A"),
            (other, _) => escaped.push(other),
        }
    }
    escaped
}

/// What nothing is known of.
const OCTETS: &str = "application/octet-stream";

/// curl's guess, by the end of the name.
fn media_type_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let known = [
        (".gif", "image/gif"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".png", "image/png"),
        (".svg", "image/svg+xml"),
        (".txt", "text/plain"),
        (".htm", "text/html"),
        (".html", "text/html"),
        (".pdf", "application/pdf"),
        (".xml", "application/xml"),
    ];
    known.iter().find(|(end, _)| name.ends_with(end)).map(|(_, known)| *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style<'_> = Style { boundary: "B", inner_boundary: "I", backslashes: false };

    fn read(name: &OsStr) -> anyhow::Result<Vec<u8>> {
        anyhow::ensure!(name == "f" || name == "-", "no such file");
        Ok(b"content".to_vec())
    }

    fn written(texts: &[&str]) -> String {
        let parts: Vec<Part> =
            texts.iter().map(|text| parse(FormKind::Rich, OsStr::new(text)).unwrap()).collect();
        let segments = body(&parts, &STYLE, &mut read).unwrap();
        let shown = segments.iter().map(|segment| match segment {
            Segment::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Segment::File { length, .. } => format!("<{length} bytes>"),
            Segment::Pipe { .. } | Segment::Stdin => "<unknown>".to_owned(),
        });
        shown.collect::<String>().replace("\r\n", "\n")
    }

    #[test]
    fn a_text_is_a_part() {
        assert_eq!(
            written(&["a=b c", "d="]),
            "--B\nContent-Disposition: form-data; name=\"a\"\n\nb c\n--B\nContent-Disposition: form-data; \
             name=\"d\"\n\n\n--B--\n"
        );
    }

    #[test]
    fn what_is_said_of_a_part_is_in_its_head() {
        for (text, head, content) in [
            ("a=b c ;type=text/x;foo=1", "; name=\"a\"\nContent-Type: text/x; foo=1", "b c"),
            (
                "h=\"q\\\"x;y\"; type=a/b; charset=c ;filename=\"n;1\"",
                "; name=\"h\"; filename=\"n;1\"\nContent-Type: a/b; charset=c",
                "q\"x;y",
            ),
            ("l=x;headers=\"X-Y: z\"", "; name=\"l\"\nX-Y: z", "x"),
            ("m=<f", "; name=\"m\"", "content"),
            ("m=x;filename=a.png", "; name=\"m\"; filename=\"a.png\"\nContent-Type: image/png", "x"),
            ("m=@-", "; name=\"m\"; filename=\"-\"", "content"),
            (
                "m=@-;filename=a.png;type=x/y",
                "; name=\"m\"; filename=\"a.png\"\nContent-Type: x/y",
                "content",
            ),
            ("j\"=1;bogus=2", "; name=\"j%22\"", "1"),
        ] {
            assert_eq!(
                written(&[text]),
                format!("--B\nContent-Disposition: form-data{head}\n\n{content}\n--B--\n"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_is_read_when_it_is_sent_and_its_type_guessed_by_its_name() {
        let path = crate::transfer::testing::path("form.PNG");
        std::fs::write(&path, [0; 9]).unwrap();
        let text = format!("x=@{0},{0};type=a/b", path.display());
        let written = written(&[&text]);
        std::fs::remove_file(&path).unwrap();
        let name = path.file_name().unwrap().display();
        let attachment = format!("Content-Disposition: attachment; filename=\"{name}\"\nContent-Type:");
        assert_eq!(
            written,
            format!(
                "--B\nContent-Disposition: form-data; name=\"x\"\nContent-Type: multipart/mixed; \
                 boundary=I\n\n--I\n{attachment} image/png\n\n<9 bytes>\n--I\n{attachment} a/b\n\n<9 \
                 bytes>\n--I--\n\n--B--\n"
            )
        );
        let missing = parse(FormKind::Rich, OsStr::new("x=@/no/such/file")).unwrap();
        assert!(body(&[missing], &STYLE, &mut read).is_err());
    }

    #[test]
    fn a_form_string_is_taken_as_it_is() {
        let part = parse(FormKind::Plain, OsStr::new("a=@b;type=c")).unwrap();
        assert_eq!(part.contents.first().unwrap().source, Source::Text(b"@b;type=c".to_vec()));
    }

    #[test]
    fn quotes_in_names_cannot_end_the_name() {
        assert_eq!(escaped("a\"b\\\r\n", false), "a%22b\\%0D%0A");
        assert_eq!(escaped("a\"b\\", true), "a\\\"b\\\\");
    }

    #[test]
    fn what_is_no_part_is_refused() {
        let injected = ["a=b;type=x/y\r\nX: y", "a=b;type=x/y; z=\r\nX: y", "a=b;headers=\"A: b\r\nX: y\""];
        let nonsense = ["name", "a=(;type=x/y", "a=b;type=nonsense", "a=b;encoder=base64", "a=b;headers=@f"];
        for text in nonsense.into_iter().chain(injected) {
            assert!(parse(FormKind::Rich, OsStr::new(text)).is_err(), "{text}");
        }
    }
}
