//! What is asked, and how redirects are taken.

use clap::Args;
use std::path::PathBuf;

/// The request line, the header fields, and redirects.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The request")]
pub(crate) struct RequestOptions {
    /// The method
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,
    /// Ask for the head only, and show it
    #[arg(short = 'I', long)]
    pub(crate) head: bool,
    /// Put what -d gives into the URL, and GET it
    #[arg(short = 'G', long)]
    pub(crate) get: bool,
    /// Add to the URL's query, encoded as by --data-urlencode; +DATA is not encoded
    #[arg(long, value_name = "DATA")]
    pub(crate) url_query: Vec<String>,
    /// A header field, as "Name: value"; "Name:" takes one away, "Name;" sends it empty; @FILE reads
    /// them from a file
    #[arg(short = 'H', long, value_name = "LINE|@FILE")]
    pub(crate) header: Vec<String>,
    /// The User-Agent field
    #[arg(short = 'A', long, value_name = "NAME")]
    pub(crate) user_agent: Option<String>,
    /// The Referer field; with ";auto" redirects say where they come from
    #[arg(short = 'e', long, value_name = "URL")]
    pub(crate) referer: Option<String>,
    /// Ask for a part: 0-499, 500-, -500, or several with commas
    #[arg(short = 'r', long, value_name = "RANGE")]
    pub(crate) range: Option<String>,
    /// Go on at OFFSET; with `-` where the output file ends
    #[arg(short = 'C', long, value_name = "OFFSET|-")]
    pub(crate) continue_at: Option<String>,
    /// Ask only for what is newer than a date, or than FILE; -DATE for what is older
    #[arg(short = 'z', long, value_name = "DATE|FILE")]
    pub(crate) time_cond: Option<String>,
    /// Ask only for what has another ETag than the one in FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) etag_compare: Option<PathBuf>,
    /// Write the ETag to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) etag_save: Option<PathBuf>,
    /// Ask for a compressed body, and decompress it
    #[arg(long)]
    pub(crate) compressed: bool,
    /// Leave chunks and codings as they come
    #[arg(long)]
    pub(crate) raw: bool,
    /// Pass over what Content-Length says
    #[arg(long)]
    pub(crate) ignore_content_length: bool,
    /// Speak HTTP/1.0
    #[arg(short = '0', long = "http1.0")]
    pub(crate) http10: bool,
    /// Speak HTTP/1.1, as is done anyway
    #[arg(long = "http1.1")]
    pub(crate) http11: bool,
    /// Accept an answer without a head
    #[arg(long = "http0.9")]
    pub(crate) http09: bool,
    /// Leave /../ and /./ in the URL's path
    #[arg(long)]
    pub(crate) path_as_is: bool,
    /// Ask for PATH, whatever the URL's path is
    #[arg(long, value_name = "PATH")]
    pub(crate) request_target: Option<String>,
    /// How long to wait for "100 Continue" before a large body, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = crate::args::values::seconds)]
    pub(crate) expect100_timeout: Option<std::time::Duration>,
    /// Which schemes may be used, as =https or -http
    #[arg(long, value_name = "SCHEMES")]
    pub(crate) proto: Option<String>,
    /// Which schemes redirects may lead to
    #[arg(long, value_name = "SCHEMES")]
    pub(crate) proto_redir: Option<String>,
    /// The scheme of a URL that has none
    #[arg(long, value_name = "SCHEME")]
    pub(crate) proto_default: Option<String>,
    /// Refuse a URL with a user in it
    #[arg(long)]
    pub(crate) disallow_username_in_url: bool,
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// Follow redirects, and send credentials wherever they lead
    #[arg(long)]
    pub(crate) location_trusted: bool,
    /// How many redirects to follow; -1 for any number
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
    pub(crate) max_redirs: i64,
    /// A redirect by 301 does not turn POST into GET
    #[arg(long)]
    pub(crate) post301: bool,
    /// A redirect by 302 does not turn POST into GET
    #[arg(long)]
    pub(crate) post302: bool,
    /// A redirect by 303 does not turn POST into GET
    #[arg(long)]
    pub(crate) post303: bool,
}
