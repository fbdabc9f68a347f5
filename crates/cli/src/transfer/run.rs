//! Transfers, one after the other or several at once; each with its attempts, and what is left when
//! it is over.

use super::meter::Meter;
use super::naming;
use super::output::Output;
use super::pace::{Pace, step};
use super::plan::{Destination, Plan, Transfer};
use super::report::{Report, fields, last_response};
use super::request::{Template, typed};
use super::verify_result::VerifyResults;
use super::writeout::{Goes, write_out};
use crate::args::GetOptions;
use crate::console::{Console, warn};
use crate::failure::{ExitWith, FAILED_INIT, HTTP_ERROR, WRITE_ERROR, code, coded, tell};
use crate::files::{create_folders, open, place, stdin, unbuffered_stdout};
use anyhow::{Context, anyhow};
use futures_util::stream::StreamExt;
use glasstack::journal::Instant;
use glasstack::stack::{Host, give_way};
use glasstack::tls::TlsError;
use glasstack::web::{
    Client, Facts, HeadKind, Outcome, PassedOver, ReceivedHead, Request, Response, RetryPolicy, Verdict,
    Watch, WebError, address_bar, date,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use url::Url;

/// A group of the command line, ready to run.
pub(crate) struct Operation {
    pub(crate) options: GetOptions,
    pub(crate) plan: Plan,
    pub(crate) template: Template,
    pub(crate) client: Client,
}

/// Runs the transfers of all operations.
pub(crate) struct Runner<'a> {
    host: Host,
    operations: &'a [Operation],
    meter: &'a Meter,
    /// Files of `-D` that this run has made: what comes next is added to them.
    dumped: Mutex<BTreeSet<PathBuf>>,
    stop: Cell<bool>,
}

/// What an attempt came to, beside its error.
#[derive(Default)]
struct Attempt {
    heads: Vec<ReceivedHead>,
    status: u16,
    headers: glasstack::http::HeaderMap,
}

/// One transfer under way.
struct Running<'a> {
    operation: &'a Operation,
    transfer: &'a Transfer,
    id: u64,
    output: Output,
    begun: Instant,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(host: &Host, operations: &'a [Operation], meter: &'a Meter) -> Self {
        let dumped = Mutex::default();
        Self { host: host.clone(), operations, meter, dumped, stop: Cell::new(false) }
    }

    /// Runs them all; the exit code is that of the last transfer, or of the last that failed where
    /// several run at once, as in curl.
    pub(crate) async fn run(&self) -> u8 {
        let Some(options) = self.operations.first().map(|operation| &operation.options) else { return 0 };
        let transfers = self
            .operations
            .iter()
            .flat_map(|operation| operation.plan.clone().map(move |transfer| (operation, transfer)));
        let transfers = transfers.zip(0_u64..);
        let exit = if options.limits.parallel {
            let most = options.limits.parallel_max.unwrap_or(super::PARALLEL_MAX);
            self.parallel(transfers, most.into()).await
        } else {
            self.serial(transfers, options.limits.rate).await
        };
        self.meter.finish();
        exit
    }

    async fn serial(
        &self,
        transfers: impl Iterator<Item = ((&'a Operation, Transfer), u64)>,
        rate: Option<Duration>,
    ) -> u8 {
        let mut exit = 0;
        let mut begun: Option<Instant> = None;
        for ((operation, transfer), id) in transfers {
            if let (Some(begun), Some(pause)) = (begun, rate) {
                self.host.sleep(pause.saturating_sub(self.host.now() - begun)).await;
            }
            begun = Some(self.host.now());
            exit = self.transfer(operation, &transfer, id).await;
            if self.stop.get() {
                break;
            }
            // A transfer that fails before it has waited for anything leaves Ctrl-C its turn.
            give_way().await;
        }
        exit
    }

    async fn parallel(
        &self,
        transfers: impl Iterator<Item = ((&'a Operation, Transfer), u64)>,
        most: usize,
    ) -> u8 {
        let transfers = transfers.take_while(|_| !self.stop.get());
        let runs = futures_util::stream::iter(transfers).map(|((operation, transfer), id)| async move {
            let exit = self.transfer(operation, &transfer, id).await;
            give_way().await;
            exit
        });
        let mut runs = std::pin::pin!(runs.buffer_unordered(most.max(1)));
        let mut exit = 0;
        while let Some(code) = runs.next().await {
            if code != 0 {
                exit = code;
            }
            if self.stop.get() {
                break;
            }
        }
        exit
    }

    /// One transfer with all its attempts. Its failure is told here.
    async fn transfer(&self, operation: &Operation, transfer: &Transfer, id: u64) -> u8 {
        let options = &operation.options;
        let prepared = self.begin_dump(options).and_then(|()| self.prepare(operation, transfer, id));
        let exit = match prepared {
            Ok((mut running, url)) => Box::pin(self.attempts(&mut running, url)).await,
            Err(error) => unstarted(options, transfer, id, &error),
        };
        // curl: a transfer that cannot even begin is no reason to try the next one.
        self.stop.set(self.stop.get() || exit == FAILED_INIT || (exit != 0 && options.output.fail_early));
        exit
    }

    fn prepare<'b>(
        &self,
        operation: &'b Operation,
        transfer: &'b Transfer,
        id: u64,
    ) -> anyhow::Result<(Running<'b>, Url)> {
        let options = &operation.options;
        let text = typed(options, &transfer.url);
        address_bar::read(self.host.scope(), &text).map_err(WebError::from)?;
        let url = operation.template.url(options, transfer)?;
        let output = Output::new(&transfer.destination, &transfer.url, &options.output)?;
        Ok((Running { operation, transfer, id, output, begun: self.host.now() }, url))
    }

    async fn attempts(&self, running: &mut Running<'_>, url: Url) -> u8 {
        let options = &running.operation.options;
        let policy = retry_policy(options);
        let mut number = 1;
        loop {
            let watch = Watch::default();
            let (attempt, result) = self.attempt(running, url.clone(), &watch).await;
            self.meter.end(running.id);
            let outcome = match result.as_ref().err().and_then(web_error) {
                Some(error) => Some(Outcome::Failed(error)),
                None if is_answer(&result) => {
                    let (status, headers) = (attempt.status, &attempt.headers);
                    Some(match result {
                        Ok(()) => Outcome::Response { status, headers },
                        Err(_) => Outcome::Refused { status, headers },
                    })
                }
                None => None,
            };
            let elapsed = self.host.now() - running.begun;
            let verdict = outcome.map(|outcome| policy.judge(outcome, number, elapsed, self.host.wall()));
            if let Some(Verdict::Again { after, because }) = verdict {
                if let Err(error) = running.output.rewind() {
                    return self.finish(running, &watch, &attempt, Err(error), number - 1);
                }
                if !options.watch.silent {
                    let left = policy.retries.saturating_sub(number - 1);
                    warn(format_args!(
                        "{because}: trying again in {} s, {left} retries left",
                        after.as_secs_f64()
                    ));
                }
                self.host.sleep(after).await;
                number += 1;
                continue;
            }
            return self.finish(running, &watch, &attempt, result, number - 1);
        }
    }

    /// One attempt: what came of heads and status is known even where it failed.
    async fn attempt(
        &self,
        running: &mut Running<'_>,
        url: Url,
        watch: &Watch,
    ) -> (Attempt, anyhow::Result<()>) {
        let mut attempt = Attempt::default();
        let result = self.attempt_within(running, url, watch, &mut attempt).await;
        // What came before a failure is shown all the same.
        let shown = self.show_heads(running, watch, &mut attempt);
        (attempt, result.and(shown))
    }

    async fn attempt_within(
        &self,
        running: &mut Running<'_>,
        url: Url,
        watch: &Watch,
        attempt: &mut Attempt,
    ) -> anyhow::Result<()> {
        let (options, transfer) = (&running.operation.options, running.transfer);
        let template = &running.operation.template;
        let request = template.request(options, transfer, url, &mut running.output, &self.host)?;
        let request = Request { watch: watch.clone(), ..request };
        let resumed_at = request.resume;
        let to_stdout = running.output.path().is_none();
        self.meter.begin(
            running.id,
            watch,
            to_stdout && transfer.destination == Destination::Stdout,
            resumed_at,
        );
        let fetched = Box::pin(running.operation.client.fetch(request)).await;
        if let (Err(WebError::RangeIgnored { .. }), true) = (&fetched, options.output.fail) {
            // curl: to go on at the middle of an error page was not asked for.
            let facts = watch.facts();
            if facts.status >= 400 {
                return Err(anyhow!("the server answered {}", facts.status)).exit_with(HTTP_ERROR);
            }
        }
        let response = fetched?;
        attempt.status = response.head.status.as_u16();
        attempt.headers.clone_from(&response.head.headers);
        // 416 to a transfer that was to go on says that there is nothing left.
        let nothing_left = response.passed_over == Some(PassedOver::NothingLeft);
        let failed = attempt.status >= 400 && !nothing_left;
        self.name_by_server(running, &response);
        self.show_heads(running, watch, attempt)?;
        let asked = address_bar::hide_password(response.url.as_str());
        let refused = || Err(anyhow!("{asked} answered {}", response.head.status)).exit_with(HTTP_ERROR);
        if failed && options.output.fail && !options.output.fail_with_body {
            return refused();
        }
        save_etag(options, &response)?;
        let refused = if failed && options.output.fail_with_body { refused() } else { Ok(()) };
        if nothing_left {
            return Ok(());
        }
        self.deliver(running, response).await?;
        refused
    }

    async fn deliver(&self, running: &mut Running<'_>, mut response: Response) -> anyhow::Result<()> {
        let options = &running.operation.options;
        // curl: a body that comes although only the head was to come is left alone.
        if options.request.head {
            return Ok(());
        }
        let mut pace = options.limits.limit_rate.map(|limit| Pace::new(&self.host, limit));
        while let Some(chunk) = response.body.chunk().await? {
            for piece in chunk.chunks(step(options.limits.limit_rate, chunk.len().max(1))) {
                running.output.write(piece)?;
                self.meter.tick();
                if let Some(pause) = pace.as_mut().and_then(|pace| pace.after(piece.len() as u64)) {
                    pause.await;
                }
            }
        }
        let trailers = response.body.trailer_lines();
        if !trailers.is_empty() {
            self.show_head_lines(running, &trailers)?;
        }
        if response.passed_over.is_none() {
            running.output.finish()?;
        }
        Ok(())
    }

    /// `-J`: the server names the file.
    fn name_by_server(&self, running: &mut Running<'_>, response: &Response) {
        let options = &running.operation.options.output;
        if running.transfer.destination != Destination::Remote || !options.remote_header_name {
            return;
        }
        let field = response.head.headers.get("content-disposition");
        let name = field.map(|field| String::from_utf8_lossy(field.as_bytes()).into_owned());
        if let Some(name) = name.and_then(|field| naming::from_disposition(&field)) {
            running.output.rename(options.output_dir.as_deref(), &name, options.clobber);
        }
    }

    /// Writes the heads that have come: before the body with `-i` and `-I`, to a file with `-D`.
    fn show_heads(
        &self,
        running: &mut Running<'_>,
        watch: &Watch,
        attempt: &mut Attempt,
    ) -> anyhow::Result<()> {
        let options = &running.operation.options;
        for head in watch.take_heads() {
            let is_hidden = head.kind == HeadKind::Connect && options.output.suppress_connect_headers;
            if !is_hidden {
                self.show_head_lines(running, &head.raw)?;
            }
            attempt.heads.push(head);
        }
        Ok(())
    }

    /// What belongs to a head, or to the trailer section behind a body.
    fn show_head_lines(&self, running: &mut Running<'_>, raw: &[u8]) -> anyhow::Result<()> {
        let options = &running.operation.options;
        if let Some(name) = &options.output.dump_header {
            self.dump(Path::new(name), options, raw)?;
        }
        if options.output.include || options.request.head {
            running.output.write(raw)?;
        }
        Ok(())
    }

    /// curl: the file of `-D` is there from the beginning, whatever comes.
    fn begin_dump(&self, options: &GetOptions) -> anyhow::Result<()> {
        let file = options.output.dump_header.as_ref().filter(|name| name.as_os_str() != "-");
        file.map_or(Ok(()), |name| self.dump(Path::new(name), options, b""))
    }

    fn dump(&self, path: &Path, options: &GetOptions, raw: &[u8]) -> anyhow::Result<()> {
        let cannot = || format!("cannot write the heads to {}", path.display());
        let written = (|| {
            let mut file = if path.as_os_str() == "-" {
                unbuffered_stdout()?
            } else {
                let is_first = self.dumped.lock().is_ok_and(|mut dumped| dumped.insert(path.to_owned()));
                if is_first && options.output.create_dirs {
                    create_folders(path)?;
                }
                if is_first {
                    File::create(place(path))?
                } else {
                    OpenOptions::new().append(true).open(place(path))?
                }
            };
            file.write_all(raw)
        })();
        written.with_context(cannot).exit_with(WRITE_ERROR)
    }

    /// What is left to do when a transfer is over; its exit code.
    fn finish(
        &self,
        running: &mut Running<'_>,
        watch: &Watch,
        attempt: &Attempt,
        result: anyhow::Result<()>,
        retries: u32,
    ) -> u8 {
        let options = &running.operation.options;
        let result = result.and_then(|()| keep_time(running, attempt));
        let (exit_code, error) = match &result {
            Ok(()) => (0, None),
            // Whoever reads has seen enough: `glasstack get ... | head`.
            Err(error) if is_broken_pipe(error) => (WRITE_ERROR, Some(error.to_string())),
            Err(error) => {
                tell(error);
                (code(error), Some(error.to_string()))
            }
        };
        if exit_code != 0
            && options.output.remove_on_error
            && let Some((path, _)) = running.output.made()
        {
            let _ = std::fs::remove_file(place(path));
        }
        let problem = result.as_ref().err().and_then(certificate_problem);
        let facts = watch.facts();
        let failed = result.as_ref().err().and_then(web_error);
        let verify_results = VerifyResults::of(failed, &facts.certificates, options.tls.insecure);
        let report = Report {
            sent_with_head: running.operation.template.data_length().unwrap_or(0),
            has_proxy: facts.connect_status != 0,
            facts,
            head: last_response(&attempt.heads),
            elapsed: self.host.now() - running.begun,
            exit_code,
            error,
            problem,
            verify_results,
            path: running.output.path(),
            typed: &running.transfer.url,
            url_number: running.transfer.url_number,
            id: running.id,
            retries,
        };
        match write_report(options, &report) {
            Ok(()) => exit_code,
            Err(error) if is_broken_pipe(&error) => exit_code.max(WRITE_ERROR),
            Err(error) => {
                tell(&error);
                code(&error)
            }
        }
    }
}

/// A transfer that cannot begin: told, and reported as `-w` asks; its exit code.
pub(crate) fn unstarted(options: &GetOptions, transfer: &Transfer, id: u64, error: &anyhow::Error) -> u8 {
    tell(error);
    let report = Report {
        facts: Facts::default(),
        head: None,
        elapsed: Duration::ZERO,
        exit_code: code(error),
        error: Some(error.to_string()),
        problem: None,
        verify_results: VerifyResults::default(),
        path: None,
        typed: &transfer.url,
        url_number: transfer.url_number,
        id,
        retries: 0,
        has_proxy: false,
        sent_with_head: 0,
    };
    match write_report(options, &report) {
        Ok(()) => report.exit_code,
        Err(error) => {
            tell(&error);
            code(&error)
        }
    }
}

fn retry_policy(options: &GetOptions) -> RetryPolicy {
    let limits = &options.limits;
    RetryPolicy {
        retries: limits.retry,
        refused: limits.retry_connrefused,
        all_errors: limits.retry_all_errors,
        delay: super::client::limit(limits.retry_delay),
        max_time: super::client::limit(limits.retry_max_time),
    }
}

/// Whether there was a response that a retry may be judged by: all came, or `-f` refused it.
fn is_answer(result: &anyhow::Result<()>) -> bool {
    result.as_ref().err().is_none_or(|error| code(error) == HTTP_ERROR)
}

/// Why the server's certificate was refused.
fn certificate_problem(error: &anyhow::Error) -> Option<&'static str> {
    match web_error(error)? {
        WebError::Tls(TlsError::Certificate { problem, .. }) => Some(problem.code()),
        _ => None,
    }
}

fn web_error(error: &anyhow::Error) -> Option<&WebError> {
    error.chain().find_map(|cause| cause.downcast_ref::<WebError>())
}

/// `--etag-save`.
fn save_etag(options: &GetOptions, response: &Response) -> anyhow::Result<()> {
    let Some(path) = &options.request.etag_save else { return Ok(()) };
    let tag = response.head.headers.get("etag").map(|tag| tag.as_bytes());
    let cannot = || format!("--etag-save {}", path.display());
    let folders = if options.output.create_dirs { create_folders(path) } else { Ok(()) };
    let saved = folders.and_then(|()| match tag {
        Some(tag) => std::fs::write(place(path), [tag, b"\n"].concat()),
        // What has no tag leaves the last one alone.
        None => OpenOptions::new().create(true).append(true).open(place(path)).map(drop),
    });
    saved.with_context(cannot).exit_with(WRITE_ERROR)
}

/// `-R`: the file is as old as what it was made from.
fn keep_time(running: &Running<'_>, attempt: &Attempt) -> anyhow::Result<()> {
    if !running.operation.options.output.remote_time {
        return Ok(());
    }
    let (Some((path, file)), Some(head)) = (running.output.made(), last_response(&attempt.heads)) else {
        return Ok(());
    };
    let fields = fields(&head.raw);
    let changed = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("last-modified"));
    let Some(time) = changed.and_then(|(_, value)| date::parse(value)) else { return Ok(()) };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix_seconds());
    if let Err(error) = file.set_modified(time) {
        warn(format_args!("{} does not take the time of its source: {error}", path.display()));
    }
    Ok(())
}

/// `-w`.
fn write_report(options: &GetOptions, report: &Report<'_>) -> anyhow::Result<()> {
    let Some(format) = &options.output.write_out else { return Ok(()) };
    let written = write_out(format, report);
    for name in &written.unknown {
        warn(format_args!("-w: there is no variable {name}"));
    }
    for (goes, text) in &written.pieces {
        let done = match goes {
            Goes::Stdout => unbuffered_stdout().and_then(|mut out| out.write_all(text.as_bytes())),
            Goes::Stderr => Console.write_all(text.as_bytes()),
            Goes::File { name, append } => OpenOptions::new()
                .create(true)
                .write(true)
                .append(*append)
                .truncate(!append)
                .open(place(Path::new(name)))
                .and_then(|mut file| file.write_all(text.as_bytes())),
        };
        done.context("cannot write what -w asks for").exit_with(WRITE_ERROR)?;
    }
    Ok(())
}

/// The text of `-w`, which a file may hold.
pub(crate) fn format_of(text: &str) -> anyhow::Result<String> {
    let Some(file) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let read = if file == "-" { stdin() } else { open(Path::new(file)) };
    let read = read.and_then(io::read_to_string);
    let text = read.with_context(|| format!("-w @{file}")).map_err(|error| coded(FAILED_INIT, error))?;
    // curl: the lines of a file are one.
    Ok(text.replace(['\r', '\n'], ""))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}
