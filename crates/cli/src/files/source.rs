//! Whose files they are: this machine's; this machine's, and what is read of them is kept, since a run
//! of the lab is to be saved; or, when a run is done again, those that it holds.
//!
//! ```text
//!   a command                        Machine   the path as it is
//!      |  open, stdin, place ...     Keeping   the path as it is; what is read is copied
//!      v                             Sandbox   the path below a folder of the run's own
//!   Source
//! ```
//!
//! So a run that somebody else has made neither reads nor changes anything of this machine.

use super::folders_above;
use anyhow::Context;
use glasstack::lab::run::KeptFile;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The largest file that a saved run can hold, in bytes.
const LARGEST_KEPT: u64 = 16 << 20;
/// How a run calls the standard input.
const STDIN: &str = "-";

/// The one file that an option means without naming it; a run knows it by this name, whoever is at home.
pub(crate) const NETRC: &str = "~/.netrc";

type Files = BTreeMap<String, KeptFile>;

enum Source {
    Machine,
    Keeping(Files),
    Sandbox(Sandbox),
}

static SOURCE: Mutex<Source> = Mutex::new(Source::Machine);

fn source() -> MutexGuard<'static, Source> {
    SOURCE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on whatever is read is kept.
pub(crate) fn keep() {
    *source() = Source::Keeping(Files::new());
}

/// What has been read since [`keep`].
pub(crate) fn kept() -> Files {
    match &*source() {
        Source::Keeping(files) => files.clone(),
        Source::Machine | Source::Sandbox(_) => Files::new(),
    }
}

/// Opens a file to read it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    match &mut *source() {
        Source::Machine => File::open(at_home(path)),
        Source::Keeping(kept) => {
            keep_file(kept, path)?;
            File::open(at_home(path))
        }
        Source::Sandbox(sandbox) => sandbox.find(path, File::open),
    }
}

/// What is known of a file that is to be read.
pub(crate) fn metadata(path: &Path) -> io::Result<Metadata> {
    match &mut *source() {
        Source::Machine => fs::metadata(path),
        Source::Keeping(kept) => {
            let metadata = fs::metadata(path)?;
            if !metadata.is_dir() {
                keep_file(kept, path)?;
            }
            Ok(metadata)
        }
        Source::Sandbox(sandbox) => sandbox.find(path, fs::metadata),
    }
}

/// The paths of what lies in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match &*source() {
        Source::Machine | Source::Keeping(_) => fs::read_dir(folder)?,
        Source::Sandbox(sandbox) => sandbox.find(folder, fs::read_dir)?,
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| folder.join(entry.file_name())).collect();
    paths.sort();
    Ok(paths)
}

/// The standard input, without a buffer: what is read ahead would be missing a second time.
pub(crate) fn stdin() -> io::Result<File> {
    let own = || Ok::<_, io::Error>(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    match &mut *source() {
        Source::Machine => own(),
        Source::Keeping(kept) => {
            if !kept.contains_key(STDIN) {
                let bytes = read_kept(own()?)?;
                kept.insert(STDIN.to_owned(), KeptFile { bytes, modified: None });
            }
            spool(kept.get(STDIN).map_or(&[], |file| &file.bytes))
        }
        Source::Sandbox(sandbox) => sandbox.find(Path::new(STDIN), File::open),
    }
}

/// Where a file is that is to be written. In a run its folders are made: it has none of its own.
pub(crate) fn place(path: &Path) -> PathBuf {
    match &*source() {
        Source::Machine | Source::Keeping(_) => path.to_owned(),
        Source::Sandbox(sandbox) => {
            let place = sandbox.place(path);
            // If they cannot be made, whoever writes the file will say so.
            let _ = folders_above(&place);
            place
        }
    }
}

fn at_home(path: &Path) -> Cow<'_, Path> {
    match std::env::var_os("HOME") {
        Some(home) if path == Path::new(NETRC) => Path::new(&home).join(".netrc").into(),
        _ => path.into(),
    }
}

fn keep_file(kept: &mut Files, path: &Path) -> io::Result<()> {
    let Some(name) = path.to_str() else {
        let why = "--save: the name of a file that a run holds must be UTF-8";
        return Err(io::Error::other(why));
    };
    if kept.contains_key(name) {
        return Ok(());
    }
    let file = File::open(at_home(path))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        let why = "--save: a run can hold plain files and the standard input, and this is neither";
        return Err(io::Error::other(why));
    }
    let since = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH);
    let file = KeptFile { bytes: read_kept(file)?, modified: since.ok().map(|since| since.as_secs()) };
    kept.insert(name.to_owned(), file);
    Ok(())
}

fn read_kept(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST_KEPT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_KEPT {
        let why = format!("--save: a run can hold files of up to {LARGEST_KEPT} bytes, and this is larger");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

/// A file of these bytes that nobody else sees.
fn spool(bytes: &[u8]) -> io::Result<File> {
    let folder = new_folder()?;
    let path = folder.join("stdin");
    let file = fs::write(&path, bytes).and_then(|()| File::open(&path));
    let _ = fs::remove_dir_all(&folder);
    file
}

/// A folder that nobody else has, which only this user may enter.
pub(crate) fn new_folder() -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let folder = std::env::temp_dir().join(format!("glasstack-run-{}-{number}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1_000 => number += 1,
            made => return made.map(|()| folder),
        }
    }
}

/// A run's own files, in a folder: all that its commands can see.
struct Sandbox {
    folder: PathBuf,
    vanishes: bool,
}

/// For as long as it lives, files are the run's.
#[must_use]
pub(crate) struct InSandbox(());

/// Lays a run's files out in `folder`, which is kept, or else in one that vanishes with the run; and
/// leads every command there.
pub(crate) fn enter_sandbox(files: &Files, folder: Option<&Path>) -> anyhow::Result<InSandbox> {
    let sandbox = match folder {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            Sandbox { folder: folder.to_owned(), vanishes: false }
        }
        None => Sandbox { folder: new_folder().context("no folder for the run's files")?, vanishes: true },
    };
    for (name, kept) in files {
        sandbox.lay_out(name, kept).with_context(|| format!("cannot lay out the run's file {name}"))?;
    }
    *source() = Source::Sandbox(sandbox);
    Ok(InSandbox(()))
}

/// Whether files are a run's.
pub(crate) fn is_sandbox() -> bool {
    matches!(&*source(), Source::Sandbox(_))
}

impl Drop for InSandbox {
    fn drop(&mut self) {
        *source() = Source::Machine;
    }
}

impl Sandbox {
    fn lay_out(&self, name: &str, kept: &KeptFile) -> io::Result<()> {
        let path = self.place(Path::new(name));
        folders_above(&path)?;
        let mut file = File::create(&path)?;
        file.write_all(&kept.bytes)?;
        match kept.modified {
            Some(seconds) => file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            None => Ok(()),
        }
    }

    /// Where the file of this name is: below the folder, whatever the name is.
    fn place(&self, path: &Path) -> PathBuf {
        let mut place = self.folder.clone();
        for component in path.components() {
            match component {
                Component::Normal(name) => place.push(name),
                Component::ParentDir => place.push("__"),
                Component::RootDir => place.push("_root"),
                Component::CurDir | Component::Prefix(_) => {}
            }
        }
        place
    }

    fn find<T>(&self, path: &Path, find: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
        find(self.place(path)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let name = path.display();
                let why = format!(
                    "a run sees no files but its own, and holds none called {name} ([files.\"{name}\"] would be it)"
                );
                io::Error::new(ErrorKind::NotFound, why)
            }
            _ => error,
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.vanishes {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_sandbox() {
        let sandbox = Sandbox { folder: "/box".into(), vanishes: false };
        for (name, place) in [
            ("a/b", "/box/a/b"),
            ("./a", "/box/a"),
            ("/etc/passwd", "/box/_root/etc/passwd"),
            ("../../a", "/box/__/__/a"),
            ("-", "/box/-"),
        ] {
            assert_eq!(sandbox.place(Path::new(name)), Path::new(place), "{name}");
        }
    }
}
