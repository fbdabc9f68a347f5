//! The commands about the program itself: doctor, completions, manual pages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "folders have to be named by something")]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::skip;

const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");

fn glasstack(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder that vanishes with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("glasstack-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

// ---- doctor

#[test]
fn the_doctor_finds_that_lab_and_user_work_and_says_it_by_its_exit_status() {
    let run = glasstack(&["doctor", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let works = |way: &str| {
        let ways = told["ways"].as_array().unwrap();
        ways.iter().find(|one| one["way"] == way).unwrap()["works"].as_bool().unwrap()
    };
    assert!(works("--net lab") && works("--net user"), "{told:#}");
    assert_eq!(told["works_every_day"], true);
    assert_eq!(run.status.code(), Some(0));
    for finding in told["findings"].as_array().unwrap() {
        assert_eq!(finding["state"] == "todo", finding["cure"].is_string(), "{finding}");
    }
}

#[test]
fn the_doctor_tells_people_the_same_in_lines() {
    let run = glasstack(&["doctor"]);
    let told = text(&run.stdout);
    for topic in ["built-in lab", "/dev/net/tun", "CAP_NET_ADMIN", "ping sockets", "trust store", "Wireshark"]
    {
        assert!(told.contains(topic), "{told}");
    }
    assert!(told.lines().any(|line| line.starts_with("--net lab") && line.contains("works")), "{told}");
    assert_eq!(text(&run.stderr), "");
}

// ---- completions

#[test]
fn bash_completes_commands_and_options() {
    let script = text(&glasstack(&["completions", "bash"]).stdout);
    let words_for = |words: &str, last: &str| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _glasstack glasstack '{last}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"; \
             complete -p glasstack"
        );
        let run = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert_eq!(text(&run.stderr), "");
        text(&run.stdout)
    };
    let commands = words_for("glasstack d", "d");
    assert!(commands.lines().any(|word| word == "doctor"), "{commands}");
    assert!(commands.contains("-F _glasstack"), "{commands}");
    let options = words_for("glasstack get --cace", "--cace");
    assert!(options.lines().any(|word| word == "--cacert"), "{options}");
    let shells = words_for("glasstack completions z", "z");
    assert!(shells.lines().any(|word| word == "zsh"), "{shells}");
}

#[test]
fn zsh_and_fish_take_their_scripts_without_complaint_where_they_are_installed() {
    let zsh = "autoload -U compinit; compinit -D -u; source FILE; print $_comps[glasstack]";
    let fish = "source FILE; complete -C 'glasstack get --cac'";
    for (shell, arguments, ask, answer) in
        [("zsh", &["-f", "-c"][..], zsh, "_glasstack"), ("fish", &["-N", "-c"], fish, "--cacert")]
    {
        let script = glasstack(&["completions", shell]).stdout;
        let folder = Folder::new(shell);
        let file = folder.0.join("script");
        std::fs::write(&file, script).unwrap();
        let ask = ask.replace("FILE", file.to_str().unwrap());
        let Ok(run) = Command::new(shell).args(arguments).arg(ask).env("HOME", &folder.0).output() else {
            skip("zsh_and_fish_take_their_scripts_without_complaint", &format!("needs {shell}"));
            continue;
        };
        assert!(run.status.success() && run.stderr.is_empty(), "{shell}: {}", text(&run.stderr));
        assert!(text(&run.stdout).contains(answer), "{shell}: {}", text(&run.stdout));
    }
}

#[test]
fn a_shell_that_nobody_knows_is_refused_with_those_that_are_known() {
    let run = glasstack(&["completions", "tcsh"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("bash"), "{}", text(&run.stderr));
}

// ---- manual pages

#[test]
fn every_command_has_a_manual_page_that_names_all_its_options() {
    let folder = Folder::new("man");
    let run = glasstack(&["man", folder.0.to_str().unwrap()]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let page = |name: &str| std::fs::read_to_string(folder.0.join(format!("{name}.1"))).unwrap();
    let main = page("glasstack");
    for command in ["get", "resolve", "ping", "route", "url", "doctor", "completions", "man"] {
        assert!(main.contains(&format!("glasstack\\-{command}(1)")), "{command} in {main}");
        let below = page(&format!("glasstack-{command}"));
        assert!(below.contains(".SH SYNOPSIS") && below.contains("EXIT STATUS"), "{below}");
    }
    assert!(main.contains("SSLKEYLOGFILE"));
    assert!(!page("glasstack-route-get").is_empty());
    let get = page("glasstack-get");
    for line in text(&glasstack(&["get", "--help"]).stdout).lines() {
        let words = line.trim_start().split([' ', ',', '[']);
        for option in
            words.take_while(|word| word.is_empty() || word.starts_with('-')).filter(|word| word.len() > 1)
        {
            assert!(get.contains(&option.replace('-', "\\-")), "{option} is not in glasstack-get.1");
        }
    }
    // The page of the program is also what is printed without a folder.
    assert_eq!(text(&glasstack(&["man"]).stdout).trim_end(), main.trim_end());
}

#[test]
fn manual_pages_make_one_folder_and_not_those_above_it() {
    let folder = Folder::new("man-folders");
    let run = |below: &str| {
        let run = glasstack(&["man", folder.0.join(below).to_str().unwrap()]);
        (run.status.code(), text(&run.stderr))
    };
    assert_eq!(run("one").0, Some(0));
    let (code, told) = run("two/man1");
    assert!(code == Some(23) && told.contains("mkdir -p"), "{told}");
    assert!(!folder.0.join("two").exists());
}

#[test]
fn man_formats_the_pages_without_a_warning_where_it_is_installed() {
    let folder = Folder::new("groff");
    assert!(glasstack(&["man", folder.0.to_str().unwrap()]).status.success());
    for page in std::fs::read_dir(&folder.0).unwrap() {
        let page = page.unwrap().path();
        let mut man = Command::new("man");
        man.args(["--warnings=all", "-l"]).arg(&page).env("MANWIDTH", "80").env("MANPAGER", "cat");
        let Ok(run) = man.output() else {
            return skip("man_formats_the_pages_without_a_warning", "needs man");
        };
        assert!(run.status.success() && run.stderr.is_empty(), "{}: {}", page.display(), text(&run.stderr));
        assert!(text(&run.stdout).contains("SYNOPSIS"));
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_its_name() {
    let run = glasstack(&["man", "/proc/nonexistent"]);
    assert_eq!(run.status.code(), Some(23));
    assert!(text(&run.stderr).contains("/proc/nonexistent"), "{}", text(&run.stderr));
}

// ---- packages

#[test]
fn the_script_that_makes_packages_tells_its_options_and_is_clean_to_shellcheck() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/dist");
    let help = Command::new(script).arg("--help").output().unwrap();
    assert!(help.status.success() && text(&help.stdout).contains("--deb"));
    let refused = Command::new(script).arg("--rpm").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let Ok(run) = Command::new("shellcheck").arg(script).output() else {
        return skip("the_script_that_makes_packages_is_clean", "needs shellcheck");
    };
    assert!(run.status.success(), "{}", text(&run.stdout));
}
