//! The request that the options describe.

use super::body::{Segment, upload};
use super::data;
use super::form::{self, Style};
use super::output::Output;
use super::plan::{Transfer, Upload};
use crate::args::{DataKind, GetOptions};
use crate::failure::{ExitWith, FAILED_INIT, READ_ERROR, coded, usage};
use crate::files::{metadata, open, read_bounded, stdin};
use anyhow::{Context, anyhow};
use glasstack::http::Method;
use glasstack::journal::WallTime;
use glasstack::stack::Host;
use glasstack::web::{
    Credentials, HeaderEdit, PasswordScheme, Request, TimeCondition, WebError, address_bar,
};
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use url::Url;

/// The largest file that is sent from memory, in bytes.
const LARGEST_IN_MEMORY: u64 = 1 << 30;

/// Larger bodies are announced by `Expect`, in bytes.
const EXPECTED: usize = 1 << 20;

/// What all requests of a group have in common, read once.
pub(crate) struct Template {
    headers: Vec<HeaderEdit>,
    body: Body,
    method: Method,
    method_by_name: bool,
    credentials: Option<Credentials>,
    cookie: Option<String>,
    referer: Option<String>,
    query: Option<String>,
    range: Option<String>,
    pub(crate) resume: Resume,
    time_condition: Option<TimeCondition>,
}

enum Body {
    None,
    Data(Vec<u8>),
    Form(Vec<form::Part>),
}

/// `-C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    No,
    At(u64),
    WhereTheFileEnds,
}

impl Template {
    /// Reads what the options say, and the files that they name.
    pub(crate) fn new(options: &GetOptions) -> anyhow::Result<Self> {
        let (request, identity) = (&options.request, &options.identity);
        one_way_to_ask(options)?;
        fields_hold(options)?;
        let is_json = options.body.data.iter().any(|(kind, _)| *kind == DataKind::Json);
        let mut query = data::query(&request.url_query, &mut read)?;
        let body = if !options.body.form.is_empty() {
            let parts = options.body.form.iter().map(|(kind, text)| form::parse(*kind, text));
            Body::Form(parts.collect::<Result<_, _>>().exit_with(FAILED_INIT)?)
        } else if options.body.data.is_empty() {
            Body::None
        } else {
            let bytes = data::body(&options.body.data, &mut read)?;
            if request.get {
                let added = String::from_utf8_lossy(&bytes).into_owned();
                query = Some(match query {
                    Some(query) => format!("{query}&{added}"),
                    None => added,
                });
                Body::None
            } else {
                Body::Data(bytes)
            }
        };
        let usual = match (request.head, &body) {
            (true, _) => Method::HEAD,
            (false, Body::None) => Method::GET,
            (false, _) => Method::POST,
        };
        let named = request.request.as_ref().map(|method| {
            Method::from_bytes(method.as_bytes())
                .map_err(|_| usage(format!("-X {method}: a method is one word of letters")))
        });
        let named = named.transpose()?;
        let referer = request.referer.as_ref().map(|referer| referer.replace(";auto", ""));
        let mut headers = edits(&request.header)?;
        if is_json {
            add_unless_said(&mut headers, "Content-Type: application/json")?;
            add_unless_said(&mut headers, "Accept: application/json")?;
        }
        if let Some(path) = &request.etag_compare {
            headers.push(etag_condition(path, request.etag_save.is_some())?);
        }
        Ok(Self {
            headers,
            body,
            method_by_name: named.is_some(),
            method: named.unwrap_or(usual),
            credentials: credentials(options)?,
            cookie: cookie(&identity.cookie),
            referer: referer.filter(|referer| !referer.is_empty()),
            query,
            range: request.range.as_ref().map(|range| range_of(range)),
            resume: resume(options)?,
            time_condition: request.time_cond.as_deref().and_then(time_condition),
        })
    }

    /// The request for one transfer.
    pub(crate) fn request(
        &self,
        options: &GetOptions,
        transfer: &Transfer,
        url: Url,
        output: &mut Output,
        host: &Host,
    ) -> anyhow::Result<Request> {
        let mut request = Request::get(url);
        request.method = self.method.clone();
        request.method_by_name = self.method_by_name;
        request.headers.clone_from(&self.headers);
        request.credentials.clone_from(&self.credentials);
        request.password_scheme = password_scheme(options);
        request.cookie.clone_from(&self.cookie);
        request.referer.clone_from(&self.referer);
        request.range.clone_from(&self.range);
        request.time_condition = self.time_condition;
        request.target = match &options.request.request_target {
            Some(target) => Some(target.clone()),
            None if options.request.path_as_is => path_as_typed(&transfer.url),
            None => None,
        };
        let limit_rate = options.limits.limit_rate;
        let offset = self.offset(transfer, output)?;
        request.resume = offset.filter(|offset| *offset > 0);
        if let (Some(offset), None) = (request.resume, &transfer.upload) {
            output.resume_at(offset);
        }
        match (&self.body, &transfer.upload) {
            (_, Some(file)) => {
                let segment = upload_segment(file, request.resume.unwrap_or(0))?;
                request.body = Some(upload(vec![segment], host, limit_rate));
                request.body_type = None;
                if !self.method_by_name {
                    request.method = Method::PUT;
                }
            }
            (Body::None, None) => {}
            (Body::Data(bytes), None) => {
                request.body = Some(upload(vec![Segment::Bytes(bytes.clone())], host, limit_rate));
            }
            (Body::Form(parts), None) => {
                let (boundary, inner_boundary) = (boundary(host), boundary(host));
                let style = Style {
                    boundary: &boundary,
                    inner_boundary: &inner_boundary,
                    backslashes: options.body.form_escape,
                };
                let segments = form::body(parts, &style, &mut read).exit_with(READ_ERROR)?;
                request.body = Some(upload(segments, host, limit_rate));
                request.body_type = Some(format!("multipart/form-data; boundary={boundary}"));
            }
        }
        Ok(request)
    }

    /// How long the body of `-d` is, in bytes, if it goes out with the head: larger ones wait for 100.
    pub(crate) fn data_length(&self) -> Option<u64> {
        match &self.body {
            Body::Data(bytes) if bytes.len() <= EXPECTED && !self.says_expect() => Some(bytes.len() as u64),
            _ => None,
        }
    }

    fn says_expect(&self) -> bool {
        self.headers.iter().any(|edit| edit.name().as_str().eq_ignore_ascii_case("expect"))
    }

    fn offset(&self, transfer: &Transfer, output: &Output) -> anyhow::Result<Option<u64>> {
        match (self.resume, &transfer.upload) {
            (Resume::No, _) => Ok(None),
            (Resume::At(offset), _) => Ok(Some(offset)),
            (Resume::WhereTheFileEnds, None) => Ok(Some(output.length())),
            (Resume::WhereTheFileEnds, Some(_)) => Err(usage(
                "-C - with -T: HTTP has no way to ask how much a server has already; say the offset",
            )),
        }
    }

    /// The URL of a transfer, with the query of `-G` and `--url-query`, and the name of the file that
    /// is sent where the URL names a folder.
    pub(crate) fn url(&self, options: &GetOptions, transfer: &Transfer) -> anyhow::Result<Url> {
        let typed = typed(options, &transfer.url);
        let mut url = address_bar::parse(&typed).map_err(WebError::from)?.url;
        if let Some(Upload::File(file)) = &transfer.upload
            && url.path().ends_with('/')
            && let Some(name) = Path::new(file).file_name()
        {
            let name = data::percent(name.as_encoded_bytes());
            url.set_path(&format!("{}{}", url.path(), String::from_utf8_lossy(&name)));
        }
        if let Some(query) = &self.query {
            let joined = match url.query().filter(|query| !query.is_empty()) {
                Some(old) => format!("{old}&{query}"),
                None => query.clone(),
            };
            url.set_query(Some(&joined));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if options.request.disallow_username_in_url && has_user {
            let error =
                anyhow!("there is a user in the URL, which --disallow-username-in-url does not allow");
            return Err(coded(super::LOGIN_DENIED, error));
        }
        Ok(url)
    }
}

/// What is typed into the address bar: with a scheme, if one is to be taken for granted.
pub(crate) fn typed(options: &GetOptions, url: &str) -> String {
    match &options.request.proto_default {
        Some(scheme) if !url.contains("://") => format!("{scheme}://{url}"),
        _ => url.to_owned(),
    }
}

/// curl: "You can only select one HTTP request method!"
fn one_way_to_ask(options: &GetOptions) -> anyhow::Result<()> {
    let (body, request) = (&options.body, &options.request);
    let ways = [
        ("-I asks for a head only", request.head),
        ("-d sends a body by POST", !body.data.is_empty() && !request.get),
        ("-F sends a form by POST", !body.form.is_empty()),
        ("-T sends a file by PUT", !body.uploads.is_empty()),
    ];
    let chosen: Vec<&str> = ways.iter().filter(|(_, is_chosen)| *is_chosen).map(|(way, _)| *way).collect();
    match chosen.as_slice() {
        [first, second, ..] => Err(usage(format!("{first} and {second}: choose one"))),
        _ if options.output.include && options.output.remote_header_name => {
            Err(usage("-i and -J do not go together: heads would come before there is a name for the file"))
        }
        _ if request.continue_at.is_some() && options.output.remote_header_name => {
            Err(usage("-C and -J do not go together: where the file ends is not known before it has a name"))
        }
        _ if request.continue_at.is_some() && request.range.is_some() => {
            Err(usage("-C and -r do not go together: each says where the transfer begins"))
        }
        _ => Ok(()),
    }
}

/// What goes into a header field must fit into one (RFC 9110 5.5): left out, it would be missed, and
/// sent as it is, it would be another field.
fn fields_hold(options: &GetOptions) -> anyhow::Result<()> {
    let (request, identity) = (&options.request, &options.identity);
    let said = [
        ("-A", &request.user_agent),
        ("-e", &request.referer),
        ("-r", &request.range),
        ("--oauth2-bearer", &identity.oauth2_bearer),
    ];
    let said = said.iter().filter_map(|(option, text)| Some((*option, text.as_ref()?)));
    let cookies = identity.cookie.iter().filter(|said| said.contains('=')).map(|said| ("-b", said));
    let breaks = |letter: char| letter.is_ascii_control() && letter != '\t';
    match said.chain(cookies).find(|(_, text)| text.contains(breaks)) {
        Some((option, _)) => {
            Err(usage(format!("{option}: a field's value has no line breaks or other control characters")))
        }
        None => Ok(()),
    }
}

/// Header fields of `-H`, those of `@FILE` included.
pub(crate) fn edits(lines: &[String]) -> anyhow::Result<Vec<HeaderEdit>> {
    let mut edits = Vec::new();
    for line in lines {
        match line.strip_prefix('@') {
            None => edits.push(line.parse::<HeaderEdit>().map_err(WebError::from)?),
            Some(file) => {
                let text = read(OsStr::new(file)).with_context(|| format!("-H @{file}"))?;
                let text = String::from_utf8_lossy(&text).into_owned();
                for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                    edits.push(line.parse::<HeaderEdit>().map_err(WebError::from)?);
                }
            }
        }
    }
    Ok(edits)
}

fn add_unless_said(edits: &mut Vec<HeaderEdit>, line: &str) -> anyhow::Result<()> {
    let edit: HeaderEdit = line.parse().map_err(WebError::from)?;
    if edits.iter().all(|said| said.name() != edit.name()) {
        edits.push(edit);
    }
    Ok(())
}

fn credentials(options: &GetOptions) -> anyhow::Result<Option<Credentials>> {
    let identity = &options.identity;
    if let Some(token) = &identity.oauth2_bearer {
        return Ok(Some(Credentials::Bearer(token.clone())));
    }
    let Some(pair) = &identity.user else { return Ok(None) };
    let Some((user, password)) = pair.split_once(':') else {
        return Err(usage("-u: write USER:PASSWORD, glasstack does not ask for a password"));
    };
    let scheme = password_scheme(options);
    Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned(), scheme }))
}

/// How a password is said, whoever gave it.
fn password_scheme(options: &GetOptions) -> PasswordScheme {
    match (options.identity.anyauth, options.identity.digest) {
        (true, _) => PasswordScheme::Any,
        (false, true) => PasswordScheme::Digest,
        (false, false) => PasswordScheme::Basic,
    }
}

/// `-b` with an equals sign is cookies; without one it is a file of them.
fn cookie(said: &[String]) -> Option<String> {
    let cookies: Vec<&str> = said.iter().map(String::as_str).filter(|said| said.contains('=')).collect();
    (!cookies.is_empty()).then(|| cookies.join(";"))
}

/// curl: a number alone is where it begins; what is no range is the server's to judge.
fn range_of(text: &str) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("{text}-") } else { text.to_owned() }
}

fn resume(options: &GetOptions) -> anyhow::Result<Resume> {
    match options.request.continue_at.as_deref() {
        None => Ok(Resume::No),
        Some("-") => Ok(Resume::WhereTheFileEnds),
        // No file is longer than off_t says.
        Some(text) => match text.parse() {
            Ok(offset) if offset <= i64::MAX as u64 => Ok(Resume::At(offset)),
            _ => Err(usage(format!("-C {text}: an offset in bytes, or - for where the file ends"))),
        },
    }
}

/// A date, or the date of a file; `-` in front turns the question around.
fn time_condition(text: &str) -> Option<TimeCondition> {
    let (is_older, text) = match text.split_at_checked(1) {
        Some(("-", rest)) => (true, rest),
        Some(("+" | "=", rest)) => (false, rest),
        _ => (false, text),
    };
    let time = glasstack::web::date::parse(text).or_else(|| changed(Path::new(text)));
    let Some(time) = time else {
        crate::console::warn(format_args!("-z {text}: neither a date nor a file; the condition is left out"));
        return None;
    };
    let condition = if is_older { TimeCondition::IfUnmodifiedSince } else { TimeCondition::IfModifiedSince };
    Some(condition(time))
}

fn changed(path: &Path) -> Option<WallTime> {
    let modified = metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(WallTime::from_unix_seconds(since.as_secs()))
}

/// `If-None-Match`, with the tag that a file holds. A file that is to be made by this very transfer
/// need not be there.
fn etag_condition(path: &Path, is_saved: bool) -> anyhow::Result<HeaderEdit> {
    let tag = match open(path).and_then(std::io::read_to_string) {
        Ok(text) => text.lines().next().unwrap_or_default().trim().to_owned(),
        Err(_) if is_saved => String::new(),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("--etag-compare {}", path.display()));
            return Err(coded(READ_ERROR, error));
        }
    };
    let tag = if tag.is_empty() { "\"\"".to_owned() } else { tag };
    Ok(format!("If-None-Match: {tag}").parse::<HeaderEdit>().map_err(WebError::from)?)
}

fn upload_segment(file: &Upload, offset: u64) -> anyhow::Result<Segment> {
    let Upload::File(name) = file else { return Ok(Segment::Stdin) };
    let path = PathBuf::from(name);
    let cannot = || format!("cannot read {}", path.display());
    let metadata = metadata(&path).with_context(cannot).exit_with(READ_ERROR)?;
    if metadata.is_dir() {
        return Err(coded(READ_ERROR, anyhow!("{} is a folder: a file can be sent", path.display())));
    }
    if !metadata.is_file() {
        return Ok(Segment::Pipe { path });
    }
    open(&path).with_context(cannot).exit_with(READ_ERROR)?;
    Ok(Segment::File { length: metadata.len().saturating_sub(offset), path, offset })
}

/// Path and query as they were typed, with all their dots.
fn path_as_typed(url: &str) -> Option<String> {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = behind.get(behind.find(['/', '?', '#'])?..)?.split('#').next()?;
    Some(if target.starts_with('/') { target.to_owned() } else { format!("/{target}") })
}

/// As curl's: dashes, and what nobody can have put into the content.
fn boundary(host: &Host) -> String {
    let mut bytes = [0; 8];
    host.entropy().fill(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}{digits}", "-".repeat(24))
}

/// A file that is sent from memory; `-` is stdin, which nothing waits for yet.
fn read(name: &OsStr) -> anyhow::Result<Vec<u8>> {
    if name != "-" {
        return read_bounded(Path::new(name), LARGEST_IN_MEMORY).exit_with(READ_ERROR);
    }
    let mut bytes = Vec::new();
    stdin()
        .and_then(|input| input.take(LARGEST_IN_MEMORY).read_to_end(&mut bytes))
        .context("cannot read stdin")
        .exit_with(READ_ERROR)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_as_it_was_typed() {
        for (url, target) in [
            ("http://h/a/../b?c#d", Some("/a/../b?c")),
            ("h/./", Some("/./")),
            ("http://h?x", Some("/?x")),
            ("http://h", None),
        ] {
            assert_eq!(path_as_typed(url).as_deref(), target, "{url}");
        }
    }

    #[test]
    fn ranges_and_cookies_are_as_curl_takes_them() {
        assert_eq!(range_of("5"), "5-");
        assert_eq!(range_of("-5"), "-5");
        assert_eq!(range_of("x"), "x");
        let said = ["a=1".to_owned(), "file".to_owned(), "b=2; c=3".to_owned()];
        assert_eq!(cookie(&said).as_deref(), Some("a=1;b=2; c=3"));
        assert_eq!(cookie(&["file".to_owned()]), None);
    }

    #[test]
    fn a_time_may_be_a_files() {
        let path = crate::transfer::testing::path("time");
        std::fs::write(&path, "x").unwrap();
        let name = path.to_str().unwrap();
        let newer = time_condition(name);
        let older = time_condition(&format!("-{name}"));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(newer, Some(TimeCondition::IfModifiedSince(_))), "{newer:?}");
        assert!(matches!(older, Some(TimeCondition::IfUnmodifiedSince(_))), "{older:?}");
        assert_eq!(time_condition("no such file nor date"), None);
    }
}
