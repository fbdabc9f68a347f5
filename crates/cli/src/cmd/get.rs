//! `glasstack get`: the main job.

use crate::args::GetOptions;
use crate::failure::{BAD_CA_FILE, ExitWith, HTTP_ERROR, WRITE_ERROR, usage};
use crate::net::{Net, read_bounded};
use crate::watch::key_log;
use anyhow::{Context, anyhow};
use glasstack::http::Method;
use glasstack::journal::SpanKind;
use glasstack::stack::Host;
use glasstack::tls::{TlsClient, TlsClientConfig, TrustStore};
use glasstack::web::{Client, ClientConfig, HeaderEdit, Request, Response, WebError, address_bar};
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

/// How long connections may take to close once everything has arrived.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long when the user, or a limit of his, has ended the journey.
const SHORT_GOODBYE: Duration = Duration::from_secs(1);
/// The largest file of certificates, in bytes.
const LARGEST_CA_FILE: u64 = 16 << 20;

pub(crate) fn run(options: GetOptions) -> anyhow::Result<ExitCode> {
    // Before anything is opened: nothing is sent for what is no URL.
    let Some(typed) = options.urls.first() else { return Err(usage("no URL: glasstack get URL")) };
    let address = address_bar::parse(typed).map_err(WebError::from)?;
    let request = request(&options, address.url.clone())?;
    let cacert = options.tls.cacert.as_ref().map(|path| {
        read_bounded(path, LARGEST_CA_FILE)
            .and_then(|pem| {
                TrustStore::from_pem(&pem).with_context(|| format!("--cacert {}", path.display()))
            })
            .exit_with(BAD_CA_FILE)
    });
    let cacert = cacert.transpose()?;
    outputs_differ(&options)?;
    let mut net = Net::open(&options.net, &options.watch, address.url.host_str(), true)?;
    // All that follows is part of one journey.
    let host = net.host.span(SpanKind::Journey { typed: address_bar::hide_password(typed) });
    let client = client(&options, &net, &host, cacert)?;
    let result = net.run(async {
        address_bar::read(host.scope(), typed).map_err(WebError::from)?;
        let result = fetch(&client, request, &options).await;
        client.close().await;
        result
    });
    host.scope().close();
    let in_order = matches!(&result, Ok(Ok(_)));
    let ended = net.end(if in_order { GOODBYE } else { SHORT_GOODBYE }, options.connection.linger);
    let code = result??;
    ended?;
    Ok(code)
}

/// The request that the options describe.
fn request(options: &GetOptions, url: url::Url) -> anyhow::Result<Request> {
    if options.request.head && !data(options).is_empty() {
        return Err(usage("-I asks for a head only and -d sends a body: choose one"));
    }
    let mut request = match (options.request.head, data(options).is_empty()) {
        (true, _) => Request::head(url),
        (false, true) => Request::get(url),
        (false, false) => Request::post(url, data(options)),
    };
    if let Some(method) = &options.request.request {
        request.method = Method::from_bytes(method.as_bytes())
            .map_err(|_| usage(format!("-X {method}: a method is one word of letters")))?;
        request.method_by_name = true;
    }
    if options.request.user_agent.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
        return Err(usage("-A: a field's value has no line breaks or other control characters"));
    }
    if options.request.max_redirs < -1 {
        return Err(usage("--max-redirs: a number from 0 on, or -1 for any number"));
    }
    let edits = options.request.header.iter().map(|line| line.parse::<HeaderEdit>());
    request.headers = edits.collect::<Result<_, _>>().map_err(WebError::from)?;
    Ok(request)
}

fn client(
    options: &GetOptions,
    net: &Net,
    host: &Host,
    cacert: Option<TrustStore>,
) -> anyhow::Result<Client> {
    let trust = match cacert {
        Some(trust) => trust,
        None => net.trust()?,
    };
    let tls = TlsClientConfig {
        alpn: vec!["http/1.1".to_owned()],
        insecure: options.tls.insecure,
        key_log: key_log()?,
        ..TlsClientConfig::new(trust)
    };
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls)?;
    let defaults = ClientConfig::new(net.resolver(&options.connection.resolve)?, tls);
    let config = ClientConfig {
        // Said to be nothing, it is left out, as curl does.
        user_agent: options
            .request
            .user_agent
            .clone()
            .or(defaults.user_agent.clone())
            .filter(|name| !name.is_empty()),
        compressed: options.request.compressed,
        follow: options.request.location,
        max_redirects: u32::try_from(options.request.max_redirs).unwrap_or(u32::MAX),
        connect_timeout: limit(options.limits.connect_timeout).unwrap_or(defaults.connect_timeout),
        max_time: limit(options.limits.max_time),
        ..defaults
    };
    Ok(Client::new(host, config))
}

/// A limit of 0 is none, as in curl.
fn limit(seconds: Option<Duration>) -> Option<Duration> {
    seconds.filter(|limit| !limit.is_zero())
}

fn data(options: &GetOptions) -> String {
    let parts: Vec<_> = options.body.data.iter().map(|(_, part)| part.to_string_lossy()).collect();
    parts.join("&")
}

fn output(options: &GetOptions) -> Option<std::path::PathBuf> {
    match options.naming.outputs.first() {
        Some(crate::args::OutputName::File(name)) => Some(name.into()),
        _ => None,
    }
}

/// Two outputs in one file would destroy each other.
fn outputs_differ(options: &GetOptions) -> anyhow::Result<()> {
    let outputs = [
        ("-o", &output(options)),
        ("--capture", &options.watch.capture),
        ("--events", &options.watch.events),
    ];
    for (index, (name, path)) in outputs.iter().enumerate() {
        let twin = outputs.iter().skip(index + 1).find(|(_, other)| path.is_some() && other == path);
        if let (Some((other, _)), Some(path)) = (twin, path) {
            return Err(usage(format!("{name} and {other} name the same file, {}", path.display())));
        }
    }
    Ok(())
}

async fn fetch(client: &Client, request: Request, options: &GetOptions) -> anyhow::Result<ExitCode> {
    let response = client.fetch(request).await?;
    let status = response.head.status;
    if options.output.fail && (status.is_client_error() || status.is_server_error()) {
        return Err(anyhow!("{} answered {status}", response.url)).exit_with(HTTP_ERROR);
    }
    let mut output: Box<dyn Write> = match &output(options) {
        Some(path) if path.as_os_str() != "-" => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()));
            Box::new(file.exit_with(WRITE_ERROR)?)
        }
        _ => Box::new(io::stdout().lock()),
    };
    let written = deliver(response, options.request.head, &mut *output).await;
    match written {
        // Whoever reads has seen enough: `glasstack get ... | head`.
        Err(error) if is_broken_pipe(&error) => Ok(WRITE_ERROR.into()),
        Err(error) => Err(error),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

async fn deliver(mut response: Response, heads: bool, output: &mut dyn Write) -> anyhow::Result<()> {
    let write = |output: &mut dyn Write, bytes: &[u8]| {
        output.write_all(bytes).context("cannot write the body").exit_with(WRITE_ERROR)
    };
    if heads {
        for hop in &response.hops {
            write(output, &hop.head.raw)?;
        }
        write(output, &response.head.raw)?;
    }
    while let Some(chunk) = response.body.chunk().await? {
        write(output, &chunk)?;
    }
    output.flush().context("cannot write the body").exit_with(WRITE_ERROR)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}
