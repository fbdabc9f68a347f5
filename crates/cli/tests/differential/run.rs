//! One request, by one of the two clients, and everything that came of it.

use super::folder::Folder;
use super::peers::{Certificates, Peers};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Far beyond what any of them takes, in seconds.
const LONGEST_RUN: &str = "60";
/// What `-w` tells, but for times and the client's own address.
const TOLD: [&str; 21] = [
    "http_code",
    "http_connect",
    "http_version",
    "content_type",
    "exitcode",
    "filename_effective",
    "method",
    "num_connects",
    "num_headers",
    "num_redirects",
    "proxy_ssl_verify_result",
    "redirect_url",
    "referer",
    "remote_ip",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "ssl_verify_result",
    "url_effective",
];
/// What is longer is no head, no form and no file of cookies, in bytes.
const LARGEST_CLEANED: usize = 20_000;

/// Who makes the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Curl,
    Glasstack,
}

/// A request, and what the table calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Options and URLs, as a shell takes them; places in braces are the servers'.
    pub(crate) words: &'static str,
}

impl Case {
    /// Transfers that go on at the same time end in any order.
    fn is_parallel(&self) -> bool {
        self.words.split(' ').any(|word| word == "-Z" || word == "--parallel")
    }
}

/// What came of a request: the name of each thing that can be compared, and it.
pub(crate) type Outcome = BTreeMap<String, Vec<u8>>;

/// Runs `case`; the servers are as if nothing had been asked of them before.
pub(crate) fn run(
    client: Client,
    case: &Case,
    peers: &mut Peers,
    served: &Folder,
    certificates: &Certificates,
) -> Outcome {
    let folder = Folder::new();
    fixtures(&folder, certificates);
    folder.write(
        "config",
        peers.fill("# a comment\nurl = {http}/echo/1\nheader: \"X-Y: a\\tb\"\n-e a\nurl={http}/echo/2\n"),
    );
    let mut command = Command::new("timeout");
    command.args(["-k", "5", LONGEST_RUN]);
    match client {
        // For a look at the harness itself: nothing may differ.
        _ if std::env::var_os("DIFFER_TWIN").is_some() => command.arg("curl"),
        Client::Curl => command.arg("curl"),
        Client::Glasstack => command.args([env!("CARGO_BIN_EXE_glasstack"), "get", "--net", "user"]),
    };
    command.args(words(case, peers));
    command.env_clear().env("HOME", folder.as_path()).env("LC_ALL", "C.UTF-8");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(folder.as_path()).stdin(File::open(folder.path("stdin")).unwrap());
    let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let output = command.output().unwrap();
    let mut outcome = Outcome::new();
    outcome.insert("exit code".into(), format!("{:?}", output.status.code()).into_bytes());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    outcome.insert("(stderr)".into(), text.into_bytes());
    take_apart(&output.stdout, case, begun, &mut outcome);
    for (name, content) in folder.tree("") {
        if let Some(time) = folder.written(&name).filter(|time| time + 1_000_000 < begun) {
            outcome.insert(format!("time of {name}"), time.to_string().into_bytes());
        }
        let mut content = clean(&content, begun);
        if case.is_parallel() && name == "head" {
            let mut heads = parts(&content);
            heads.sort();
            content = heads.concat();
        }
        outcome.insert(format!("file {name}"), content);
    }
    for (number, bytes) in sent(case, peers, begun).into_iter().enumerate() {
        outcome.insert(format!("sent {}", number + 1), bytes);
    }
    for (name, content) in served.tree("www/dav") {
        outcome.insert(format!("uploaded {name}"), content);
    }
    let _ = std::fs::remove_dir_all(served.path("www/dav"));
    std::fs::create_dir_all(served.path("www/dav")).unwrap();
    outcome
}

/// What both are told on top of what the case says.
fn words(case: &Case, peers: &Peers) -> Vec<String> {
    let own = split(case.words);
    let has = |names: [&str; 2]| own.iter().any(|word| names.contains(&word.as_str()));
    let mut words: Vec<String> = ["-s", "--cacert", "ca.pem"].map(str::to_owned).into();
    if !has(["-A", "--user-agent"]) {
        words.extend(["-A", "differ/1"].map(str::to_owned));
    }
    if !has(["-D", "--dump-header"]) {
        words.extend(["-D", "head"].map(str::to_owned));
    }
    if !has(["-w", "--write-out"]) {
        let lines: String = TOLD.iter().map(|name| format!("{name}=%{{{name}}}\n")).collect();
        words.extend(["-w".to_owned(), format!("\n--told--\n{lines}--end--\n")]);
    }
    words.extend(own.iter().map(|word| peers.fill(word)));
    words
}

/// As a shell would, with single quotes.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What lies in the folder in which a client runs.
fn fixtures(folder: &Folder, certificates: &Certificates) {
    folder.write("ca.pem", &certificates.authority);
    folder.write("stdin", "from standard input\n");
    folder.write("small.txt", "hello from a file\n");
    folder.date("small.txt", 1_000_000_000);
    folder.write("lines.txt", "a=1\nb=2\r\nc=ü 3\n");
    folder.write("empty.txt", "");
    folder.write("big.bin", (0..2_000_000_u32).map(|i| (i % 241).to_le_bytes()[0]).collect::<Vec<_>>());
    folder.write("headers.txt", "X-From: a file\nX-Second: as well\n");
    folder.write("netrc", "machine 127.0.0.1\nlogin user\npassword pass\n");
    folder.write("partial.txt", "line 0 of what was asked for\nline 1 of what");
    folder.write("write-out", "%{http_code} and %{size_download}\n");
    folder.write("etag", "\"v1\"\n");
    folder.write(
        "cookies.txt",
        "# Netscape HTTP Cookie File\n\n127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tkept\t1\n\
         #HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t2\n\
         127.0.0.1\tFALSE\t/echo\tFALSE\t4102444800\tdeep\t3\n\
         127.0.0.1\tFALSE\t/\tTRUE\t4102444800\tsafe\t4\n\
         127.0.0.1\tFALSE\t/\tFALSE\t1000\tlong-gone\t5\n\
         .strange.example\tTRUE\t/\tFALSE\t4102444800\tdomain\t6\n\
         a line that is none\n",
    );
}

/// The body, and each of the things that `-w` told behind it.
fn take_apart(stdout: &[u8], case: &Case, begun: u64, outcome: &mut Outcome) {
    let mut body = Vec::new();
    let mut transfers = Vec::new();
    let mut told: Option<Vec<String>> = None;
    for line in lines(stdout) {
        match (&mut told, line) {
            (None, b"--told--\n") => {
                // The line's end before it is not the body's.
                body.pop();
                told = Some(Vec::new());
            }
            (Some(_), b"--end--\n") => transfers.extend(told.take()),
            (Some(told), line) => told.push(String::from_utf8_lossy(line).trim_end().to_owned()),
            (None, line) => body.extend_from_slice(line),
        }
    }
    outcome.insert("stdout".into(), clean(&body, begun));
    if case.is_parallel() {
        transfers.sort();
    }
    for (number, told) in transfers.iter().enumerate() {
        for line in told {
            let Some((name, value)) = line.split_once('=') else { continue };
            let name = if number == 0 { name.to_owned() } else { format!("{name} of {}", number + 1) };
            if case.is_parallel() && name.starts_with("num_connects") {
                continue;
            }
            outcome.insert(format!("-w {name}"), clean(value.as_bytes(), begun));
        }
    }
}

/// What each connection carried.
fn sent(case: &Case, peers: &mut Peers, begun: u64) -> Vec<Vec<u8>> {
    let received = peers.strange.received().into_iter();
    let received: Vec<Vec<u8>> = received
        .map(|bytes| match bytes.first() {
            // Two libraries never say the same hello.
            Some(0x16) => b"TLS".to_vec(),
            _ => clean(&bytes, begun),
        })
        .collect();
    if case.is_parallel() {
        // Which request goes over which connection is chance, too.
        let mut requests = parts(&received.concat());
        requests.sort();
        return vec![requests.concat()];
    }
    received
}

/// Without what is left to chance or to the clock: a line `Date:`, a client nonce and what follows from
/// it, boundaries, and the moment at which a cookie ends if that was said in seconds from now.
fn clean(bytes: &[u8], begun: u64) -> Vec<u8> {
    if bytes.len() > LARGEST_CLEANED {
        // A form has its boundary at both ends.
        let (first, rest) = bytes.split_at(LARGEST_CLEANED / 2);
        let (middle, last) = rest.split_at(rest.len() - 1000);
        return [clean(first, begun), middle.to_vec(), clean(last, begun)].concat();
    }
    let mut cleaned = Vec::with_capacity(bytes.len());
    for line in lines(bytes) {
        if line.starts_with(b"# ") || line == b"#\n" {
            // Each client says that it wrote the file of cookies.
            continue;
        }
        let at = cleaned.len();
        cleaned.extend_from_slice(line);
        let line = &mut cleaned[at..];
        if line.starts_with(b"Date: ") {
            let end = line.len().saturating_sub(2);
            line[6..end.max(6)].fill(b'?');
        }
        mask(line, b"cnonce=\"", |byte| byte != b'"');
        mask(line, b"response=\"", |byte| byte != b'"');
        mask(line, b"boundary=", |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        mask(line, b"--------------------------", |byte| byte.is_ascii_alphanumeric());
        if let Some(line) = cookie(line, begun) {
            cleaned.truncate(at);
            cleaned.extend(line);
        }
    }
    cleaned
}

/// Hides what stands behind `before` for as long as it is `of_it`.
fn mask(line: &mut [u8], before: &[u8], of_it: impl Fn(u8) -> bool) {
    let mut from = 0;
    while let Some(at) = line[from..].windows(before.len()).position(|window| window == before) {
        let start = from + at + before.len();
        let length = line[start..].iter().take_while(|byte| of_it(**byte)).count();
        line[start..start + length].fill(b'?');
        from = start + length;
    }
}

/// A line of a file of cookies, its end rounded: the clients did not begin in the same second.
fn cookie(line: &[u8], begun: u64) -> Option<Vec<u8>> {
    let columns: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    let ends: u64 = std::str::from_utf8(columns.get(4)?).ok()?.parse().ok()?;
    if columns.len() < 7 || ends.abs_diff(begun) > 1_000_000 {
        return None;
    }
    let about = format!("in about {} s", (ends.saturating_sub(begun) + 500) / 1000 * 1000);
    let mut columns = columns;
    columns[4] = about.as_bytes();
    Some(columns.join(&b'\t'))
}

/// Heads, each up to its empty line.
fn parts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    for line in lines(bytes) {
        parts.iter_mut().next_back().unwrap().extend_from_slice(line);
        if line == b"\r\n" {
            parts.push(Vec::new());
        }
    }
    parts
}

/// Lines with their ends, the last perhaps without.
fn lines(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let mut line = bytes;
        let length = line.skip_until(b'\n').unwrap_or(0);
        let (line, rest) = bytes.split_at(length);
        bytes = rest;
        (length > 0).then_some(line)
    })
}
