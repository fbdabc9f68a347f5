//! `glasstack get` for whoever knows curl: what the options do, in the lab. What curl itself does
//! beside it is in `differential.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");

/// A folder of a test's own, in which the program runs.
struct Folder {
    path: PathBuf,
}

/// How a run ended.
struct Ran {
    arguments: String,
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("curl_surface.{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    fn write(&self, name: &str, content: &str) -> &Self {
        fs::write(self.path.join(name), content).unwrap();
        self
    }

    #[track_caller]
    fn read(&self, name: &str) -> String {
        let read = fs::read_to_string(self.path.join(name));
        read.unwrap_or_else(|error| panic!("{name}: {error}; there are {:?}", self.names()))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn get(&self, arguments: &[&str]) -> Ran {
        self.get_fed(arguments, "")
    }

    /// With a text on stdin.
    fn get_fed(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(PROGRAM)
            .arg("get")
            .args(arguments)
            .current_dir(&self.path)
            .env_remove("SSLKEYLOGFILE")
            .env("HOME", &self.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever does not read it may be gone.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        Ran { arguments: arguments.join(" "), code: output.status.code(), out: output.stdout, err }
    }

    /// What it prints, if it succeeds.
    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        self.get(arguments).exits(0).text()
    }
}

impl Ran {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}: {}", self.arguments, self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{}: no `{text}` in:\n{}", self.arguments, self.err);
        self
    }

    #[track_caller]
    fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }
}

#[track_caller]
fn has_line(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no line `{line}` in:\n{text}");
}

// ---- several transfers

#[test]
fn several_urls_are_fetched_in_order_and_paired_with_their_outputs() {
    let folder = Folder::new("several");
    let text =
        folder.text(&["-s", "http://bytes.test/0", "http://redirects.test/0", "http://status.test/404"]);
    assert_eq!(text, "arrived\n404 Not Found\n");
    folder.get(&["-s", "-o", "a", "http://redirects.test/0", "http://status.test/404", "-O"]).exits(0);
    assert_eq!((folder.read("a"), folder.read("404")), ("arrived\n".into(), "404 Not Found\n".into()));
}

#[test]
fn the_last_transfer_decides_the_exit_code_unless_the_first_failure_ends_it() {
    let folder = Folder::new("exit");
    let (good, bad) = ("http://redirects.test/0", "http://refused.test/");
    assert_eq!(folder.get(&["-s", bad, good]).exits(0).text(), "arrived\n");
    folder.get(&["-s", good, bad]).exits(7);
    assert_eq!(folder.get(&["-s", "--fail-early", bad, good]).exits(7).text(), "");
    folder.get(&["-s", "-Z", bad, good]).exits(7);
}

#[test]
fn patterns_stand_for_several_urls_and_name_their_files() {
    let folder = Folder::new("patterns");
    folder.get(&["-s", "http://{redirects,status}.test/[200-201]", "-o", "#2-#1"]).exits(0);
    assert_eq!(folder.names(), ["200-redirects", "200-status", "201-redirects", "201-status"]);
    assert_eq!(folder.read("201-status"), "201 Created\n");
    folder.get(&["-s", "http://status.test/[2-1]"]).exits(3).says("position 20");
    let asked = folder.text(&["-s", "-g", "http://echo.test/[1-2]{a}"]);
    assert!(asked.starts_with("GET /[1-2]{a}") || asked.starts_with("GET /[1-2]%7Ba%7D"), "{asked}");
}

#[test]
fn next_begins_a_group_with_options_of_its_own() {
    let folder = Folder::new("next");
    let text =
        folder.text(&["-s", "-d", "x", "http://echo.test/a", "--next", "-A", "me", "http://echo.test/b"]);
    has_line(&text, "POST /a");
    has_line(&text, "GET /b");
    assert_eq!(text.lines().filter(|line| line.to_lowercase() == "user-agent: me").count(), 1, "{text}");
}

#[test]
fn several_at_once_all_arrive() {
    let folder = Folder::new("parallel");
    let ran =
        folder.get(&["-Z", "--parallel-max", "3", "http://bytes.test/[1000-1009]", "-o", "#1"]).exits(0);
    assert_eq!(folder.names().len(), 10);
    for length in 1_000..1_010 {
        assert_eq!(fs::read(folder.path.join(length.to_string())).unwrap().len(), length);
    }
    assert!(ran.err.contains("DL% UL%") && !ran.err.contains("ARP"), "{}", ran.err);
}

// ---- files

#[test]
fn a_server_may_name_the_file_but_neither_its_folder_nor_one_that_is_there() {
    let folder = Folder::new("names");
    let url = "http://headers.test/x?Content-Disposition=attachment;filename=%22../../evil%22";
    folder.get(&["-s", "-O", "-J", url]).exits(0);
    assert_eq!(folder.names(), ["evil"]);
    folder.get(&["-s", "-O", "-J", url]).exits(23).says("evil is there already");
    folder.get(&["-s", "-O", "-J", "--clobber", url]).exits(0);
    folder.get(&["-s", "-O", "-J", "http://headers.test/own?X-A=1"]).exits(0);
    assert_eq!(folder.names(), ["evil", "own"]);
    folder.get(&["-s", "-O", "http://headers.test/"]).exits(23).says("-o FILE");
}

#[test]
fn files_go_where_they_should_or_beside_what_is_there() {
    let folder = Folder::new("folders");
    let url = "http://redirects.test/0";
    folder.get(&["-s", "-o", "b/c", "--output-dir", "a", url]).exits(23);
    folder.get(&["-s", "-o", "b/c", "--output-dir", "a", "--create-dirs", url]).exits(0);
    assert_eq!(folder.read("a/b/c"), "arrived\n");
    for _ in 0..2 {
        folder.get(&["-s", "-o", "f", "--no-clobber", url]).exits(0);
    }
    assert_eq!(folder.names(), ["a", "f", "f.1"]);
    folder.get(&["-s", "-o", "cut", "--remove-on-error", "http://truncated.test/"]).exits(18);
    folder.get(&["-s", "-o", "kept", "http://truncated.test/"]).exits(18);
    assert_eq!(folder.names(), ["a", "f", "f.1", "kept"]);
}

#[test]
fn the_time_of_the_source_is_the_files() {
    let folder = Folder::new("time");
    let url = "http://headers.test/f?Last-Modified=Sun,%2006%20Nov%201994%2008:49:37%20GMT";
    folder.get(&["-s", "-R", "-O", url]).exits(0);
    let modified = fs::metadata(folder.path.join("f")).unwrap().modified().unwrap();
    assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 784_111_777);
}

#[test]
fn a_transfer_goes_on_where_the_file_ends() {
    let folder = Folder::new("resume");
    let url = "http://bytes.test/500";
    folder.get(&["-s", "-o", "whole", url]).exits(0);
    let whole = fs::read(folder.path.join("whole")).unwrap();
    fs::write(folder.path.join("part"), &whole[..200]).unwrap();
    folder.get(&["-s", "-C", "-", "-o", "part", url]).exits(0);
    assert!(fs::read(folder.path.join("part")).unwrap() == whole);
    // There is nothing left, and that is no error.
    folder.get(&["-s", "-C", "-", "-o", "part", url]).exits(0);
    assert!(fs::read(folder.path.join("part")).unwrap() == whole);
    assert_eq!(folder.get(&["-s", "-r", "10-19", url]).exits(0).out, whole[10..20]);
    assert_eq!(folder.get(&["-s", "-r", "-5", url]).exits(0).out, whole[495..]);
    folder.get(&["-s", "-C", "5", "http://redirects.test/0", "-o", "x"]).exits(33);
}

// ---- what is sent

#[test]
fn data_is_sent_in_all_the_ways_that_curl_knows() {
    let folder = Folder::new("data");
    folder.write("file", "a=1\nb=2\n");
    let sent = |arguments: &[&str], length: usize| {
        let text = folder.text(&[&["-s", "http://echo.test/"], arguments].concat());
        has_line(&text, "POST /");
        has_line(&text, &format!("{length} bytes of body"));
        text.to_lowercase()
    };
    sent(&["-d", "@file"], 6);
    sent(&["--data-binary", "@file"], 8);
    sent(&["--data-raw", "@file"], 5);
    sent(&["-d", "a", "--data-urlencode", "n=b c"], "a&n=b+c".len());
    let json = sent(&["--json", "{\"a\":", "--json", "1}"], 7);
    has_line(&json, "content-type: application/json");
    has_line(&json, "accept: application/json");
    folder.get(&["-s", "-d", "@none", "http://echo.test/"]).exits(26).says("none");
    let fed = folder.get_fed(&["-s", "-d", "@-", "http://echo.test/"], "from stdin\n").exits(0).text();
    has_line(&fed, "10 bytes of body");
    let text = folder.text(&["-s", "-G", "-d", "a=1", "--data-urlencode", "b=x y", "http://echo.test/p?q"]);
    has_line(&text, "GET /p?q&a=1&b=x+y");
    has_line(&folder.text(&["-s", "--url-query", "a=b c", "http://echo.test/"]), "GET /?a=b+c");
}

#[test]
fn forms_are_sent_with_their_files() {
    let folder = Folder::new("form");
    folder.write("f.txt", "content");
    let text =
        folder.text(&["-s", "-F", "a=b", "-F", "f=@f.txt;type=x/y", "http://echo.test/"]).to_lowercase();
    has_line(&text, "post /");
    assert!(text.contains("content-type: multipart/form-data; boundary=------------------------"), "{text}");
    folder.get(&["-s", "-F", "f=@none", "http://echo.test/"]).exits(26).says("none");
    folder.get(&["-s", "-F", "nothing", "http://echo.test/"]).exits(2).says("nothing");
    folder.get(&["-s", "-F", "a=b", "-d", "c", "http://echo.test/"]).exits(2).says("choose one");
}

#[test]
fn files_are_put_and_stdin_streams() {
    let folder = Folder::new("upload");
    folder.write("f x", "content");
    let text = folder.text(&["-s", "-T", "f x", "http://echo.test/to/"]);
    has_line(&text, "PUT /to/f%20x");
    has_line(&text, "7 bytes of body");
    has_line(&folder.text(&["-s", "-T", "f x", "-X", "POST", "http://echo.test/a"]), "POST /a");
    let text = folder.get_fed(&["-s", "-T", "-", "http://echo.test/to/"], "0123456789").exits(0).text();
    has_line(&text, "PUT /to/");
    has_line(&text.to_lowercase(), "transfer-encoding: chunked");
    has_line(&text, "10 bytes of body");
    folder.get(&["-s", "-T", "none", "http://echo.test/"]).exits(26).says("none");
}

#[test]
fn the_request_says_what_the_options_say() {
    let folder = Folder::new("request");
    folder.write("fields", "X-A: 1\r\n\r\nX-B: 2\n");
    let text = folder.text(&[
        "-s",
        "-H",
        "@fields",
        "-e",
        "http://from.test/;auto",
        "-b",
        "a=1",
        "-b",
        "b=2",
        "-r",
        "5",
        "--path-as-is",
        "http://echo.test/a/../b",
    ]);
    has_line(&text, "GET /a/../b");
    let text = text.to_lowercase();
    for line in ["x-a: 1", "x-b: 2", "referer: http://from.test/", "cookie: a=1;b=2", "range: bytes=5-"] {
        has_line(&text, line);
    }
    has_line(
        &folder.text(&["-s", "--request-target", "*", "-X", "OPTIONS", "http://echo.test/x"]),
        "OPTIONS *",
    );
    let old = folder.text(&["-s", "-0", "-i", "http://echo.test/"]);
    assert!(old.contains("GET /"), "{old}");
}

// ---- who asks

#[test]
fn credentials_come_from_options_urls_and_netrc() {
    let folder = Folder::new("auth");
    folder.write(".netrc", "machine auth.test login me password secret\n");
    folder.write("other", "machine auth.test login me password wrong\n");
    let url = "http://auth.test/";
    assert_eq!(folder.text(&["-s", url]), "who are you?\n");
    for arguments in [
        &["-u", "me:secret", url][..],
        &["http://me:secret@auth.test/"],
        &["-n", url],
        &["--netrc-optional", url],
        &["--anyauth", "-u", "me:secret", url],
    ] {
        assert_eq!(folder.text(&[&["-s"], arguments].concat()), "welcome\n", "{arguments:?}");
    }
    assert_eq!(folder.text(&["-s", "--netrc-file", "other", url]), "who are you?\n");
    assert_eq!(folder.text(&["-s", "--oauth2-bearer", "token", url]), "welcome, bearer\n");
    folder.get(&["-s", "-u", "me", url]).exits(2).says("USER:PASSWORD");
    folder.get(&["-s", "--disallow-username-in-url", "http://me@auth.test/"]).exits(67);
}

#[test]
fn cookies_are_kept_sent_and_saved() {
    let folder = Folder::new("cookies");
    let set = "http://headers.test/?Set-Cookie=a%3D1;%20Path%3D/";
    folder.get(&["-s", "-c", "jar", set]).exits(0);
    let jar = folder.read("jar");
    assert!(jar.starts_with("# Netscape HTTP Cookie File") && jar.contains("headers.test"), "{jar}");
    // They go to their own host alone.
    let other = folder.text(&["-s", "-b", "jar", "http://echo.test/"]).to_lowercase();
    assert!(!other.contains("cookie"), "{other}");
    folder.write("ours", "echo.test\tFALSE\t/\tFALSE\t0\tn\tv\n");
    has_line(&folder.text(&["-s", "-b", "ours", "http://echo.test/"]).to_lowercase(), "cookie: n=v");
    let junked = folder.text(&["-s", "-j", "-b", "ours", "http://echo.test/"]).to_lowercase();
    assert!(!junked.contains("cookie"), "{junked}");
    assert!(folder.text(&["-s", "-o", "x", "-c", "-", set]).contains("headers.test"));
}

// ---- what is shown

#[test]
fn a_jar_is_replaced_and_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("jar");
    folder.write("jar", "").write("real", "");
    fs::set_permissions(folder.path.join("jar"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("real", folder.path.join("link")).unwrap();
    folder.get(&["-s", "-c", "jar", "http://headers.test/own?Set-Cookie=a%3Db"]).exits(0);
    assert!(folder.read("jar").ends_with("\ta\tb\n"), "{}", folder.read("jar"));
    assert_eq!(fs::metadata(folder.path.join("jar")).unwrap().permissions().mode() & 0o777, 0o600);
    folder.get(&["-s", "-c", "link", "http://headers.test/own?Set-Cookie=a%3Db"]).exits(0);
    assert!(folder.read("real").ends_with("\ta\tb\n"));
    assert_eq!(folder.names(), ["jar", "link", "real"]);
}

#[test]
fn what_fits_into_no_field_is_refused_and_no_secret_told() {
    let folder = Folder::new("fields");
    for option in ["-A", "-e", "-r", "-b", "--oauth2-bearer"] {
        let ran = folder.get(&["-s", option, "a=1\r\nInjected: 1", "http://echo.test/"]);
        ran.exits(2).says(&format!("{option}: a field's value has no line breaks"));
    }
    folder.get(&["-s", "-C", "18446744073709551615", "-d", "x", "http://echo.test/"]).exits(2).says("-C");
    for (code, arguments) in [
        (2, &["-u", "secret", "http://echo.test/"][..]),
        (3, &["http://me:secret@/"]),
        (3, &["http://me:secret@echo.test/{a"]),
        (22, &["-f", "http://me:secret@status.test/404"]),
        (23, &["-O", "http://me:secret@echo.test/"]),
        (47, &["-L", "--max-redirs", "1", "http://me:secret@redirects.test/9"]),
        (47, &["-L", "http://me:secret@loop.test/"]),
    ] {
        let ran = folder.get(&[arguments, &["-s", "--events", "events"]].concat());
        assert!(!ran.err.contains("secret"), "{}", ran.err);
        ran.exits(code);
        if code != 2 && code != 3 {
            // The field `Authorization` is there, what failed is told without it.
            let events = folder.read("events");
            let mut failed = events.lines().filter(|line| line.contains("\"failed\""));
            assert_eq!(failed.find(|line| line.contains("secret")), None);
        }
    }
}

#[test]
fn heads_are_shown_and_saved() {
    let folder = Folder::new("heads");
    let text = folder.text(&["-s", "-i", "-L", "-D", "dump", "http://redirects.test/1"]);
    assert!(text.starts_with("HTTP/1.1 302 Found\r\n") && text.ends_with("\r\n\r\narrived\n"), "{text}");
    assert_eq!(text.matches("HTTP/1.1 ").count(), 2);
    assert_eq!(folder.read("dump"), text.strip_suffix("arrived\n").unwrap());
    assert!(
        folder.text(&["-s", "-D", "-", "-o", "x", "http://redirects.test/0"]).starts_with("HTTP/1.1 200")
    );
}

#[test]
fn write_out_tells_what_is_known() {
    let folder = Folder::new("writeout");
    let format = "%{http_code} %{num_redirects} %{url_effective} %{size_download} %{method} %{scheme}\\n";
    let text = folder.text(&["-s", "-L", "-o", "x", "-w", format, "http://redirects.test/2"]);
    assert_eq!(text, "200 2 http://redirects.test/0 8 GET HTTP\n");
    folder.write("format", "%{exitcode}|%{remote_ip}|%{content_type}|%header{server}\n");
    let text = folder.get(&["-s", "-f", "-w", "@format", "http://status.test/404"]).exits(22).text();
    assert_eq!(text, "22|198.51.100.80|text/plain; charset=utf-8|glasstack-lab");
    let json = folder.text(&["-s", "-o", "x", "-w", "%{json}", "http://bytes.test/1000"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["size_download"], &json["http_code"]), (&1_000.into(), &200.into()));
    assert!(json["time_connect"].as_f64().unwrap() > 0.0);
    assert!(json["time_total"].as_f64() >= json["time_starttransfer"].as_f64());
    let ran = folder.get(&["-s", "-o", "x", "-w", "a%{stderr}b%{bogus}", "http://bytes.test/0"]).exits(0);
    assert_eq!((ran.text().as_str(), ran.err.ends_with('b')), ("a", true), "{}", ran.err);
}

#[test]
fn one_transfer_is_told_several_are_counted() {
    let folder = Folder::new("shown");
    let url = "http://bytes.test/1000";
    let told = |arguments: &[&str]| folder.get(arguments).exits(0).err;
    let one = told(&[url, "-o", "x"]);
    assert!(one.contains("ARP") && !one.contains("% Total"), "{one}");
    for arguments in [&[url, url, "-o", "x", "-o", "y"][..], &["--progress-meter", url, "-o", "x"]] {
        let meter = told(arguments);
        assert!(
            meter.contains("% Total    % Received") && meter.contains("\r100  1000  100  1000"),
            "{meter}"
        );
        assert!(!meter.contains("ARP"), "{meter}");
    }
    let bar = told(&["-#", url, "-o", "x"]);
    assert!(bar.ends_with("# 100.0%\n") && !bar.contains("ARP"), "{bar}");
    assert_eq!(told(&["-s", url, url, "-o", "x", "-o", "y"]), "");
    assert_eq!(told(&["--no-progress-meter", url, url, "-o", "x", "-o", "y"]), "");
    assert!(told(&["-v", url, url, "-o", "x", "-o", "y"]).contains("ARP"));
    let ran = folder.get(&["--stderr", "told", url, "-o", "x"]).exits(0);
    assert!(ran.err.is_empty() && folder.read("told").contains("ARP"));
}

#[test]
fn a_capture_may_go_to_stdout_if_nothing_else_does() {
    let folder = Folder::new("capture");
    let ran = folder.get(&["-s", "--capture", "-", "-o", "x", "http://bytes.test/10"]).exits(0);
    assert_eq!(ran.out.get(..4), Some(&[0x0a, 0x0d, 0x0d, 0x0a][..]));
    folder.get(&["-s", "--capture", "-", "http://bytes.test/10"]).exits(2).says("--capture");
    folder.get(&["-s", "--capture", "x", "-o", "x", "http://bytes.test/10"]).exits(2).says("-o");
}

// ---- limits and retries

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let folder = Folder::new("retry");
    let count = |arguments: &[&str], code: i32| {
        let ran = folder.get(&[&["-o", "x", "-w", "%{num_retries}"], arguments].concat()).exits(code);
        (ran.text(), ran.err)
    };
    let (retries, told) = count(&["--retry", "2", "-f", "http://status.test/503"], 22);
    assert_eq!((retries.as_str(), told.matches("trying again").count()), ("2", 2), "{told}");
    assert!(told.contains("trying again in 1 s") && told.contains("trying again in 2 s"), "{told}");
    assert_eq!(count(&["--retry", "2", "-f", "http://status.test/404"], 22).0, "0");
    let all = ["--retry", "2", "--retry-delay", "1", "--retry-all-errors", "-f", "http://status.test/404"];
    assert_eq!(count(&all, 22).0, "2");
    assert_eq!(count(&["--retry", "2", "http://refused.test/"], 7).0, "0");
    assert_eq!(count(&["--retry", "2", "--retry-connrefused", "http://refused.test/"], 7).0, "2");
    assert_eq!(count(&["--retry", "1", "--retry-delay", "5", "-m", "3", "http://hang.test/"], 28).0, "1");
    // What was written is taken back.
    folder
        .get(&["-s", "--retry", "2", "--retry-all-errors", "-o", "cut", "http://truncated.test/"])
        .exits(18);
    assert_eq!(folder.read("cut").len(), 100);
}

#[test]
fn what_is_too_large_or_too_slow_is_given_up() {
    let folder = Folder::new("limits");
    folder.get(&["-s", "--max-filesize", "999", "http://bytes.test/1000"]).exits(63);
    assert_eq!(
        folder.get(&["-s", "--max-filesize", "1k", "http://bytes.test/1000"]).exits(0).out.len(),
        1_000
    );
    folder.get(&["-s", "-Y", "1000", "-y", "3", "http://slow.test/"]).exits(28);
    folder.get(&["-s", "-Y", "2", "-y", "3", "http://slow.test/"]).exits(0);
}

#[test]
fn a_rate_is_kept() {
    let folder = Folder::new("rate");
    let seconds = |arguments: &[&str]| {
        let text = folder.text(&[&["-s", "-o", "x", "-w", "%{time_total}"], arguments].concat());
        text.parse::<f64>().unwrap()
    };
    let url = "http://bytes.test/100000";
    assert!(seconds(&[url]) < 2.0);
    let limited = seconds(&["--limit-rate", "20k", url]);
    assert!((4.0..7.0).contains(&limited), "{limited}");
}

#[test]
fn etags_and_times_spare_what_is_known() {
    let folder = Folder::new("conditions");
    let url = "http://headers.test/?ETag=%22one%22";
    let code =
        |arguments: &[&str]| folder.text(&[&["-s", "-o", "x", "-w", "%{http_code}"], arguments].concat());
    let both = ["--etag-save", "tag", "--etag-compare", "tag", url];
    assert_eq!(code(&both), "200");
    assert_eq!(folder.read("tag"), "\"one\"\n");
    assert_eq!(code(&both), "304");
    folder.get(&["-s", "--etag-compare", "none", url]).exits(26);
    let text =
        folder.text(&["-s", "-z", "Sun, 06 Nov 1994 08:49:37 GMT", "http://echo.test/"]).to_lowercase();
    has_line(&text, "if-modified-since: sun, 06 nov 1994 08:49:37 gmt");
}

#[test]
fn failures_by_status_are_curls() {
    let folder = Folder::new("fail");
    let url = "http://status.test/404";
    assert_eq!(folder.get(&["-s", "-f", url]).exits(22).text(), "");
    assert_eq!(folder.get(&["-s", "--fail-with-body", url]).exits(22).text(), "404 Not Found\n");
    folder.get(&["-s", "-f", "-o", "x", url]).exits(22);
    assert!(folder.names().is_empty());
    folder.write("old", "12345");
    folder.get(&["-s", "-f", "-C", "-", "-o", "old", "http://status.test/404"]).exits(22);
    folder.get(&["-s", "-C", "-", "-o", "old", "http://status.test/404"]).exits(33);
    assert_eq!(folder.read("old"), "12345");
}

#[test]
fn a_connection_is_led_where_the_options_say() {
    let folder = Folder::new("connect");
    let text = folder.text(&["-s", "--connect-to", "nobody.test:80:echo.test:80", "http://nobody.test/"]);
    assert!(text.contains("no site is called nobody.test"), "{text}");
    let ports = ["-s", "-o", "x", "-w", "%{local_port}", "--local-port", "5000-5003", "http://echo.test/"];
    assert!((5_000..=5_003).contains(&folder.text(&ports).parse::<u16>().unwrap()));
    for own in ["192.168.1.10", "eth0", "if!eth0", "host!192.168.1.10"] {
        folder.get(&["-s", "--interface", own, "http://echo.test/"]).exits(0);
    }
    folder.get(&["-s", "--resolve", "+a.test:80:198.51.100.80", "http://a.test/"]).exits(0);
    folder.get(&["-s", "--interface", "192.0.2.77", "http://echo.test/"]).exits(45).says("192.168.1.10");
    folder.get(&["-s", "--proto", "=https", "http://echo.test/"]).exits(1);
    folder.get(&["-s", "-L", "--proto-redir", "=http", "http://www.example.test/"]).exits(1);
    assert!(folder.text(&["-s", "--proto-default", "https", "echo.test"]).starts_with("GET /"));
}

// ---- what cannot be told

#[test]
fn a_journey_that_cannot_be_told_does_not_fail_the_download() {
    let folder = Folder::new("untold");
    let run = |arguments: &[&str], stderr: Stdio| {
        let mut command = Command::new(PROGRAM);
        command.arg("get").args(arguments).current_dir(&folder.path).stdin(Stdio::null()).stderr(stderr);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let left = || Stdio::from(std::io::pipe().unwrap().1);
    for told in [&[][..], &["-v"], &["--ladder"], &["-#"]] {
        let fetch = [told, &["http://redirects.test/0"]].concat();
        assert_eq!(run(&fetch, full()), (Some(0), "arrived\n".into()), "{told:?}");
        assert_eq!(run(&fetch, left()), (Some(0), "arrived\n".into()), "{told:?}");
    }
    assert_eq!(run(&["http://refused.test/"], full()).0, Some(7));
    let url = "http://redirects.test/0";
    assert_eq!(run(&["--stderr", "/dev/full", url], Stdio::null()), (Some(0), "arrived\n".into()));
    // What was to be saved is another matter.
    for saved in ["--capture", "--events"] {
        assert_eq!(run(&["-s", saved, "/dev/full", url], Stdio::null()).0, Some(2), "{saved}");
    }
}

// ---- how options are read

#[test]
fn what_is_not_utf8_is_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("utf8");
    let run = |arguments: &[&[u8]]| {
        let words = arguments.iter().map(|word| OsStr::from_bytes(word));
        let mut command = Command::new(PROGRAM);
        let output = command.arg("get").args(words).current_dir(&folder.path).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&[b"-o", b"\xe9", b"-H", b"X: \xe9", b"http://echo.test/"]);
    assert!(code == Some(2) && told.starts_with("glasstack: --header: "), "{told}");
    let (code, told) = run(&[b"http://me:secret@echo.test/\xe9"]);
    assert!(code == Some(2) && told.contains("echo.test/\u{fffd}") && !told.contains("secret"), "{told}");
    // A file may have any name.
    assert_eq!(run(&[b"-s", b"-o", b"\xe9", b"http://echo.test/"]).0, Some(0));
    fs::write(folder.path.join("options"), b"# \xe9\nsilent\nheader = \"X: \xe9\"\n").unwrap();
    folder.get(&["-K", "options", "http://echo.test/"]).exits(2).says("header (options, line 3)");
}

#[test]
fn what_curl_corrects_is_corrected() {
    let folder = Folder::new("corrected");
    let url = "http://redirects.test/0";
    assert_eq!(folder.text(&["-s", "-:", url]), "arrived\n");
    assert_eq!(folder.text(&["-s", url, "-:", "-:", url]), "arrived\narrived\n");
    for most in ["0", "301", "65536"] {
        assert_eq!(folder.text(&["-s", "-Z", "--parallel-max", most, url]), "arrived\n");
    }
    folder.get(&["-s", "--parallel-max", "many", url]).exits(2);
}

#[test]
fn what_makes_no_sense_has_curls_exit_code_and_is_named() {
    let folder = Folder::new("senseless");
    let url = "https://www.example.test/";
    folder.get(&["-s", "-o", "", url]).exits(2).says("-o");
    folder.get(&["-s", "--pinnedpubkey", "sha256//AAAA", url]).exits(90).says("sha256//AAAA");
    folder.get(&["-s", "--tlsv1.3", "--tls-max", "1.2", url]).exits(35).says("--tls-max");
}

#[test]
fn help_and_version_are_where_curl_has_them() {
    let folder = Folder::new("help");
    assert_eq!(folder.text(&["-V"]), concat!("glasstack ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(folder.text(&["-s", "--version"]), folder.text(&["-V"]));
    for asked in ["-h", "--help"] {
        assert!(folder.text(&[asked]).contains("--data-urlencode"), "{asked}");
    }
}

#[test]
fn a_file_of_options_is_read_as_curl_reads_it() {
    let folder = Folder::new("config");
    folder.write("options", "# ours\nsilent\nurl = \"http://echo.test/a\"\nuser-agent: \"me too\"\nnext\nurl=http://echo.test/b\n");
    let text = folder.text(&["-K", "options"]);
    has_line(&text, "GET /a");
    has_line(&text, "GET /b");
    assert_eq!(text.to_lowercase().lines().filter(|line| *line == "user-agent: me too").count(), 1);
    let fed = folder.get_fed(&["-K", "-"], "-s\nurl http://redirects.test/0\n").exits(0).text();
    assert_eq!(fed, "arrived\n");
    folder.get(&["-K", "none"]).exits(26).says("none");
    folder.write("wrong", "silent\nbogus\n");
    folder.get(&["-K", "wrong", "http://echo.test/"]).exits(2).says("wrong, line 2");
    // Nothing is read unasked.
    folder.write(".curlrc", "bogus\n");
    folder.get(&["-s", "http://echo.test/"]).exits(0);
}

#[test]
fn what_is_not_offered_is_refused_by_name() {
    let folder = Folder::new("refused");
    for (arguments, said) in [
        (&["--http2"][..], "--http2 is not offered"),
        (&["--tlsv1.0"], "--tlsv1.0 is not offered"),
        (&["-6"], "-6 is not offered"),
        (&["--ntlm"], "--ntlm is not offered"),
        (&["--silnet"], "--silent?"),
        (&["-o"], "-o: its value is missing"),
    ] {
        let arguments = [&["http://echo.test/"], arguments].concat();
        folder.get(&arguments).exits(2).says(said);
    }
}

#[test]
fn every_option_that_the_page_refuses_is_refused() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| not: "));
    let options = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let folder = Folder::new("page");
    let mut count = 0;
    for option in options {
        folder.get(&[option, "http://echo.test/"]).exits(2).says(&format!("{option} is not offered"));
        count += 1;
    }
    assert!(count > 100, "the table was not found");
}
