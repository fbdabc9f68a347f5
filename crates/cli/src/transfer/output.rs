//! Where a body goes: stdout, or a file that is made when the first byte comes.

use super::naming;
use super::plan::Destination;
use crate::args::OutputOptions;
use crate::failure::{ExitWith, WRITE_ERROR, coded};
use crate::files::{create_folders, metadata, place, unbuffered_stdout};
use anyhow::{Context, anyhow};
use glasstack::web::address_bar;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many numbers `--no-clobber` tries.
const NUMBERS: u32 = 100;

/// The body of one transfer, on its way out.
pub(crate) struct Output {
    target: Target,
    file: Option<File>,
    /// Bytes written by this attempt.
    pub(crate) written: u64,
    /// Where the file ended before, if it is added to.
    resumed_at: Option<u64>,
}

enum Target {
    /// `is_any`: whatever it is, even on a terminal.
    Stdout {
        is_any: bool,
    },
    File {
        path: PathBuf,
        how: How,
    },
}

/// How a file is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    pub(crate) create_dirs: bool,
    pub(crate) mode: Option<u32>,
    /// A file that is there already: overwritten, numbered, or an error.
    pub(crate) clobber: Clobber,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clobber {
    #[default]
    Overwrite,
    Number,
    /// The server chose the name (`-J`): it must not choose a file of ours.
    Refuse,
}

impl How {
    pub(crate) fn from_options(options: &OutputOptions) -> Self {
        let clobber = if options.no_clobber { Clobber::Number } else { Clobber::Overwrite };
        Self { create_dirs: options.create_dirs, mode: options.create_file_mode, clobber }
    }
}

impl Output {
    /// Where the options say; the URL, as it was typed, names the file of `-O`.
    pub(crate) fn new(destination: &Destination, url: &str, options: &OutputOptions) -> anyhow::Result<Self> {
        let folder = options.output_dir.as_deref();
        let file = |name: &OsStr| Target::File {
            path: naming::within(folder, name),
            how: How::from_options(options),
        };
        let target = match destination {
            Destination::Stdout => Target::Stdout { is_any: false },
            Destination::StdoutByName => Target::Stdout { is_any: true },
            Destination::File(name) => file(name),
            Destination::Remote => match naming::from_url(url) {
                Some(name) => file(&name),
                // With -J the server may still name it.
                None if options.remote_header_name => file(OsStr::new("")),
                None => {
                    let url = address_bar::hide_password(url);
                    let error = anyhow!("-O: {url} ends in no name for a file (-o FILE gives one)");
                    return Err(coded(WRITE_ERROR, error));
                }
            },
        };
        Ok(Self { target, file: None, written: 0, resumed_at: None })
    }

    /// The name of the file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.target {
            Target::Stdout { .. } => None,
            Target::File { path, .. } => Some(path),
        }
    }

    /// The server has named the file. What an earlier attempt has made keeps its name: a second one
    /// would be the name of a file that is not ours.
    pub(crate) fn rename(&mut self, folder: Option<&Path>, name: &OsStr, clobbers: bool) {
        if self.file.is_some() {
            return;
        }
        if let Target::File { path, how } = &mut self.target {
            *path = naming::within(folder, name);
            if !clobbers && how.clobber == Clobber::Overwrite {
                how.clobber = Clobber::Refuse;
            }
        }
    }

    /// How long the file is now; 0 if there is none.
    pub(crate) fn length(&self) -> u64 {
        let metadata = self.path().and_then(|path| metadata(path).ok());
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// What comes is added to the file, which ends there.
    pub(crate) fn resume_at(&mut self, offset: u64) {
        self.resumed_at = Some(offset);
    }

    /// Writes some of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.written == 0 {
            self.refuse_binary(bytes)?;
        }
        self.written += bytes.len() as u64;
        let file = self.opened()?;
        file.write_all(bytes).context("cannot write the body").exit_with(WRITE_ERROR)
    }

    /// The file is there, even if nothing was written to it.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.opened().map(|_| ())
    }

    /// Takes back what was written, for another attempt.
    pub(crate) fn rewind(&mut self) -> anyhow::Result<()> {
        if self.written == 0 {
            return Ok(());
        }
        // As in curl: what is on stdout stays there, and the next attempt follows it.
        let Target::File { path, .. } = &self.target else {
            self.written = 0;
            return Ok(());
        };
        let rewound = (|| {
            let mut file = OpenOptions::new().write(true).open(place(path))?;
            let start = self.resumed_at.unwrap_or(0);
            file.set_len(start)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(start))?;
            Ok::<_, io::Error>(file)
        })();
        let cannot = || format!("cannot write {} again", path.display());
        self.file = Some(rewound.with_context(cannot).exit_with(WRITE_ERROR)?);
        self.written = 0;
        Ok(())
    }

    /// The file that was made, if one was.
    pub(crate) fn made(&self) -> Option<(&Path, &File)> {
        self.path().zip(self.file.as_ref())
    }

    fn opened(&mut self) -> anyhow::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open().exit_with(WRITE_ERROR)?,
        };
        Ok(self.file.insert(file))
    }

    fn open(&mut self) -> anyhow::Result<File> {
        match &mut self.target {
            Target::Stdout { .. } => unbuffered_stdout().context("cannot write to stdout"),
            Target::File { path, how } => {
                let cannot = |path: &Path| format!("cannot write {}", path.display());
                if how.create_dirs {
                    create_folders(path).with_context(|| cannot(path))?;
                }
                let mut options = OpenOptions::new();
                options.write(true).mode(how.mode.unwrap_or(0o644));
                if self.resumed_at.is_some() {
                    let mut file = options.create(true).open(place(path)).with_context(|| cannot(path))?;
                    // curl: at the end of the file, wherever the part begins that is asked for.
                    let end =
                        io::Seek::seek(&mut file, io::SeekFrom::End(0)).with_context(|| cannot(path))?;
                    self.resumed_at = Some(end);
                    return Ok(file);
                }
                let (opened, name) = open_new(options, path, how.clobber).map_err(|error| match error.kind() {
                    ErrorKind::AlreadyExists => anyhow!(
                        "{} is there already, and the server must not choose what is overwritten (--clobber lets it)",
                        path.display()
                    ),
                    _ => anyhow::Error::new(error).context(cannot(path)),
                })?;
                *path = name;
                Ok(opened)
            }
        }
    }

    /// curl: binary output can mess up a terminal.
    fn refuse_binary(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let Target::Stdout { is_any: false } = self.target else { return Ok(()) };
        if bytes.contains(&0) && io::stdout().is_terminal() {
            let error = anyhow!(
                "what comes is no text and could disturb the terminal: -o FILE saves it, -o - shows it all the same"
            );
            return Err(coded(WRITE_ERROR, error));
        }
        Ok(())
    }
}

fn open_new(mut options: OpenOptions, path: &Path, clobber: Clobber) -> io::Result<(File, PathBuf)> {
    if clobber == Clobber::Overwrite {
        return Ok((options.create(true).truncate(true).open(place(path))?, path.to_owned()));
    }
    options.create_new(true);
    let names =
        std::iter::once(path.to_owned()).chain((1..=NUMBERS).map(|number| naming::numbered(path, number)));
    let mut last = None;
    for name in names {
        match options.open(place(&name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && clobber == Clobber::Number => {
                last = Some(error);
            }
            opened => return opened.map(|file| (file, name)),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AlreadyExists.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = crate::transfer::testing::path(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn output(path: &Path, how: How) -> Output {
        let target = Target::File { path: path.to_owned(), how };
        Output { target, file: None, written: 0, resumed_at: None }
    }

    #[test]
    fn a_file_is_made_by_the_first_byte_or_at_the_end() {
        let folder = folder("made");
        let path = folder.join("a");
        let mut out = output(&path, How::default());
        assert!(!path.exists());
        out.write(b"12").unwrap();
        out.write(b"3").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"123");
        output(&path, How::default()).finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert!(output(&folder.join("no/such"), How::default()).finish().is_err());
        output(&folder.join("no/such"), How { create_dirs: true, ..How::default() }).finish().unwrap();
    }

    #[test]
    fn what_is_there_is_numbered_or_refused_as_is_said() {
        let folder = folder("clobber");
        let path = folder.join("a");
        for expected in ["a", "a.1", "a.2"] {
            let mut out = output(&path, How { clobber: Clobber::Number, ..How::default() });
            out.finish().unwrap();
            assert_eq!(out.path().unwrap(), folder.join(expected));
        }
        let mut out = output(&path, How { clobber: Clobber::Refuse, ..How::default() });
        assert!(out.finish().unwrap_err().to_string().contains("--clobber"));
    }

    #[test]
    fn what_is_made_keeps_its_name_whatever_a_later_attempt_is_called() {
        let folder = folder("renamed");
        let mut out = output(&folder.join("url"), How::default());
        out.rename(Some(&folder), OsStr::new("first"), false);
        out.write(b"1").unwrap();
        out.rewind().unwrap();
        out.rename(Some(&folder), OsStr::new("second"), false);
        assert_eq!(out.made().map(|(path, _)| path.to_owned()), Some(folder.join("first")));
    }

    #[test]
    fn another_attempt_begins_where_the_first_did() {
        let folder = folder("again");
        let path = folder.join("a");
        std::fs::write(&path, b"old").unwrap();
        let mut out = output(&path, How::default());
        out.resume_at(3);
        out.write(b"wrong").unwrap();
        out.rewind().unwrap();
        out.write(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"oldnew");
    }
}
