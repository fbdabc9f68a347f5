//! docs/tls-errors.md: what is said of each bad certificate of the lab. Our own column is what the program says;
//! the others' are what curl, openssl and Chromium say of the same server, which reach it through `glasstack lab
//! bridge` when the table is made anew (`scripts/tls-errors`, which sets `WRITE_TLS_ERRORS`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_methods,
    reason = "whether to write is said from outside, and other programs are run"
)]

#[path = "support/ran.rs"]
mod ran;

use ran::{Folder, PROGRAM};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A site below badssl.test, what is wrong there, and what `get` and the others have to be told to find it out.
struct Row {
    site: &'static str,
    ours: &'static str,
    curl: &'static str,
    openssl: &'static str,
}

const fn row(site: &'static str) -> Row {
    Row { site, ours: "", curl: "", openssl: "" }
}

/// curl takes lists from files, openssl fetches them itself.
const fn by_list(site: &'static str) -> Row {
    let openssl = "-crl_check -crl_download";
    Row { site, ours: "--crl-check require", curl: "--crlfile LISTS", openssl }
}

/// Neither asks a responder.
const fn by_responder(site: &'static str) -> Row {
    Row { site, ours: "--ocsp-check require", curl: "", openssl: "" }
}

const fn stapled(site: &'static str) -> Row {
    Row { site, ours: "", curl: "--cert-status", openssl: "-status" }
}

const ROWS: &[Row] = &[
    row("expired"),
    row("not-yet-valid"),
    row("wrong.host"),
    row("no-san"),
    row("untrusted-root"),
    row("self-signed"),
    row("incomplete-chain"),
    row("bad-signature"),
    row("sha1-intermediate"),
    row("rsa1024"),
    row("not-a-ca"),
    row("path-too-long"),
    row("ca-key-usage"),
    row("name-constrained"),
    row("name-excluded"),
    row("wrong-purpose"),
    row("unknown-extension"),
    by_list("revoked"),
    by_list("crl-stale"),
    by_list("crl-down"),
    by_list("crl-forged"),
    by_responder("revoked-ocsp"),
    by_responder("ocsp-unknown"),
    by_responder("ocsp-try-later"),
    by_responder("ocsp-stale"),
    by_responder("ocsp-down"),
    by_responder("ocsp-forged"),
    stapled("staple-revoked"),
    stapled("staple-stale"),
    stapled("staple-of-another"),
    stapled("must-staple-missing"),
];

/// What our program says: the code, the exit code and the text.
struct Own {
    code: String,
    exit: i32,
    text: String,
}

fn own(folder: &Folder, row: &Row) -> Own {
    let (site, options) = (row.site, row.ours);
    let line =
        format!("get -s --net lab -o body -w %{{certificate_problem}} https://{site}.badssl.test/ {options}");
    let ran = folder.line(line.trim_end());
    let text = ran.err.trim().strip_prefix("glasstack: ").unwrap_or(&ran.err);
    let refused = format!("the certificate of {site}.badssl.test is refused: ");
    let text = text.strip_prefix(&refused).unwrap_or_else(|| panic!("{site}: {}", ran.err));
    Own { code: ran.out, exit: ran.code.unwrap(), text: text.to_owned() }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tls-errors.md")
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}

fn own_cells(row: &Row, own: &Own) -> String {
    let options = if row.ours.is_empty() { String::new() } else { format!("<br>`{}`", row.ours) };
    format!("| `{}`{options} | `{}` ({}) | {} |", row.site, own.code, own.exit, cell(&own.text))
}

#[test]
fn the_page_of_errors_says_what_the_program_says() {
    let folder = Folder::new("tls-errors");
    let owns: Vec<Own> = ROWS.iter().map(|row| own(&folder, row)).collect();
    for (index, one) in owns.iter().enumerate() {
        let twin = owns.iter().take(index).position(|other| other.text == one.text);
        assert_eq!(twin, None, "{}: the same text as another", ROWS[index].site);
    }
    if std::env::var_os("WRITE_TLS_ERRORS").is_some() {
        return write(&folder, &owns);
    }
    let page = std::fs::read_to_string(page()).unwrap();
    let mut wrong = String::new();
    for (row, own) in ROWS.iter().zip(&owns) {
        let cells = own_cells(row, own);
        if !page.lines().any(|line| line.starts_with(&cells)) {
            writeln!(wrong, "{cells}").unwrap();
        }
    }
    assert_eq!(wrong, "", "docs/tls-errors.md lacks these (scripts/tls-errors makes it anew)");
}

/// What the others say, in a network that is nothing but the lab. Each answer ends with a line of its own.
const PEERS: &str = r#"
cd "$1"; export HOME=$PWD/home; mkdir -p $HOME/.pki/nssdb
certutil -d sql:$HOME/.pki/nssdb -N --empty-password
certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n lab -i $SSL_CERT_FILE
curl -sS http://crl.test/root.crl | openssl crl -inform DER > root.crl
while IFS='|' read -r site curl openssl; do
    host=$site.badssl.test
    rm -f LISTS own.crl
    timeout 20 openssl s_client -connect $host:443 -servername $host </dev/null 2>/dev/null | openssl x509 > leaf.pem 2>/dev/null
    url=$(openssl x509 -in leaf.pem -noout -ext crlDistributionPoints 2>/dev/null | sed -n 's/.*URI:\(http[^ ]*\).*/\1/p' | head -1)
    case $curl in *LISTS*) curl -sS -m 10 "$url" 2>/dev/null | openssl crl -inform DER > own.crl 2>/dev/null; cat root.crl own.crl > LISTS;; esac
    echo "@$site|curl"
    if curl -sS -m 20 -o /dev/null $curl https://$host/ 2>&1; then echo accepted; fi
    echo "@$site|openssl"
    timeout 20 openssl s_client -connect $host:443 -servername $host -verify_hostname $host -CAfile $SSL_CERT_FILE \
        -verify_return_error $openssl </dev/null 2>&1
    echo "ended with $?"
    echo "@$site|chromium"
    timeout -k 5 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
        --disable-background-networking --user-data-dir=$HOME/profile --dump-dom https://$host/ 2>&1
done < rows
"#;

fn write(folder: &Folder, owns: &[Own]) {
    let rows: String =
        ROWS.iter().map(|row| format!("{}|{}|{}\n", row.site, row.curl, row.openssl)).collect();
    folder.write("rows", rows);
    let inside = ["-s", "--", "bash", "-c", PEERS, "peers", folder.path().to_str().unwrap()];
    let ran = Command::new(PROGRAM).args(["lab", "bridge"]).args(inside).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    folder.write("said", &said);
    let mut answers: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut about = None;
    for line in said.lines() {
        if let Some((site, who)) = line.strip_prefix('@').and_then(|line| line.split_once('|')) {
            about = Some((site.to_owned(), who.to_owned()));
        } else if let Some(about) = &about {
            let answer = answers.entry(about.clone()).or_default();
            answer.push_str(line);
            answer.push('\n');
        }
    }
    let answer =
        |site: &str, who: &str| answers.get(&(site.to_owned(), who.to_owned())).cloned().unwrap_or_default();
    let version = |program: &str, option: &str| {
        let told = Command::new(program).arg(option).output().unwrap().stdout;
        let told = String::from_utf8_lossy(&told).into_owned();
        told.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    };
    let chromium = Command::new("chromium").args(["--version", "--no-sandbox"]).output().unwrap();
    let chromium = String::from_utf8_lossy(&chromium.stdout).into_owned();
    let chromium = chromium.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut text = include_str!("tls_errors/head.md").to_owned();
    text = text
        .replace("CURL", &version("curl", "--version"))
        .replace("OPENSSL", &version("openssl", "version"))
        .replace("CHROMIUM", &chromium);
    text.push_str("| site | code (exit) | glasstack | curl | openssl s_client | Chromium |\n|---|---|---|---|---|---|\n");
    for (row, own) in ROWS.iter().zip(owns) {
        let (curl, openssl, chromium) =
            (answer(row.site, "curl"), answer(row.site, "openssl"), answer(row.site, "chromium"));
        let cells = [
            with_options(row.curl, &of_curl(&curl)),
            with_options(row.openssl, &of_openssl(&openssl)),
            of_chromium(&chromium),
        ];
        writeln!(text, "{} {} |", own_cells(row, own), cells.map(|one| cell_of(&one)).join(" | ")).unwrap();
    }
    std::fs::write(page(), text).unwrap();
}

fn cell_of(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn with_options(options: &str, said: &str) -> String {
    if options.is_empty() { said.to_owned() } else { format!("{said}<br>`{options}`") }
}

fn of_curl(said: &str) -> String {
    said.lines().find(|line| !line.trim().is_empty()).unwrap_or("(nothing)").trim().to_owned()
}

/// The errors of its verification, or else how it ended; and what it tells of a stapled answer.
fn of_openssl(said: &str) -> String {
    let (mut errors, mut notes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in said.lines() {
        if let Some(error) = line.split("verify error:").nth(1)
            && !errors.iter().any(|other| other == error)
        {
            errors.push(error.to_owned());
        }
        notes.extend(
            line.trim().strip_prefix("Cert Status: ").map(|status| format!("prints the answer: {status}")),
        );
        if line.contains("no response sent") {
            notes.push("prints: no response sent".to_owned());
        }
    }
    let outcome = match (errors.is_empty(), said.lines().last()) {
        (false, _) => errors.join("; "),
        (true, Some("ended with 139" | "ended with 134")) => "crashes".to_owned(),
        (true, Some("ended with 124")) => "no answer within 20 s".to_owned(),
        (true, _) if said.contains("Verify return code: 0 (ok)") => "accepted".to_owned(),
        (true, _) => said.lines().next().unwrap_or("(nothing)").to_owned(),
    };
    if notes.is_empty() { outcome } else { format!("{outcome} ({})", notes.join("; ")) }
}

/// Its error's name, from the page that it shows or from what it logs.
fn of_chromium(said: &str) -> String {
    let at = said.find("ERR_");
    match at {
        Some(at) => {
            let name: String = said[at..]
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            format!("net::{name}")
        }
        None if said.contains("net_error -") => {
            let at = said.find("net_error -").unwrap();
            format!("net error {}", said[at + 10..].split_whitespace().next().unwrap_or_default())
        }
        None if said.contains("<html") => "accepted".to_owned(),
        None => "(nothing)".to_owned(),
    }
}
