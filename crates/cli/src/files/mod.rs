//! Files, as every command reads and writes them; whose they are is `source`'s business.

mod source;

pub(crate) use source::{
    NETRC, enter_sandbox, entries, is_sandbox, keep, kept, metadata, new_folder, open, place, stdin,
};

use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// What a file holds, unless that is more than `limit` bytes: a device has no end.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = open(path).with_context(cannot)?;
    file.take(limit + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() as u64 > limit {
        bail!("{} is larger than {limit} bytes", path.display());
    }
    Ok(bytes)
}

/// Writes a file so that at no time there is half of it, whoever else reads or writes it. What is no
/// plain file, as a link or a device, is written as it is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_outside(&place(path), bytes)
}

/// The same on this machine, even from within a run.
pub(crate) fn replace_outside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let old = match fs::symlink_metadata(path) {
        Ok(old) if !old.is_file() => return fs::write(path, bytes),
        old => old.ok(),
    };
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&name)?;
        if let Some(old) = &old {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        fs::rename(&name, path)
    })();
    match written {
        // A folder in which no file can be made may hold one that can be written.
        Err(_) if old.is_some() => {
            let _ = fs::remove_file(&name);
            fs::write(path, bytes)
        }
        written => written,
    }
}

/// Makes the folders above a file, with curl's permissions.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    folders_above(&place(path))
}

fn folders_above(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::DirBuilder::new().recursive(true).mode(0o750).create(folder)
        }
        _ => Ok(()),
    }
}

/// Stdout without the buffer that waits for the end of a line.
pub(crate) fn unbuffered_stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
