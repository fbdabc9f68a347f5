//! The differences between curl and `glasstack get` that are meant, or not worth mending, each with
//! its reason. `differential.rs` fails when one of them no longer shows.

/// Why two outcomes differ, and where: the request, and which of its outcomes (`exit code`, `stdout`,
/// `file NAME`, `-w NAME`, `sent N`, `uploaded NAME`; a star at the end stands for anything).
struct Known {
    reason: &'static str,
    shows: &'static [(&'static str, &'static str)],
}

/// Whose habits these are: Debian 12's curl. Others have others.
pub(crate) const CURL: &str = "curl 7.88.";

const KNOWN: &[Known] = &[
    Known { reason: "curl speaks FTP as well.", shows: &[("redirect: ftp", "exit code, -w *")] },
    Known {
        reason: "What -b says as text stays with its origin, as -u does.",
        shows: &[(
            "redirect: cookie of the line to another port",
            "file head, sent 2, stdout, -w size_download, -w size_request",
        )],
    },
    Known {
        reason: "A Host that the user gave is that of the origin he typed; curl keeps it while the name stays.",
        shows: &[(
            "redirect: own Host to another port",
            "file head, sent 2, stdout, -w size_download, -w size_request",
        )],
    },
    Known {
        reason: "Nothing is opened for what is no URL, not even the file of -D.",
        shows: &[
            ("URL: a number too large", "file head"),
            ("URL: bad port", "file head"),
            ("URL: blank", "file head"),
            ("URL: bracket", "file head"),
            ("URL: no host", "file head"),
            ("URL: none", "file head"),
            ("URL: port 0", "file head"),
            ("URL: unknown scheme", "file head"),
            ("request: path with a blank", "file head"),
            ("request: query with a blank", "file head"),
        ],
    },
    Known {
        reason: "A file of --cacert that holds no certificate is an error, with -k as well.",
        shows: &[("TLS: insecure", "exit code, file head, sent 1, stdout, -w *")],
    },
    Known {
        reason: "With --raw size_download counts what is delivered; curl leaves the framing out.",
        shows: &[
            ("chunked: raw", "-w size_download"),
            ("chunked: raw with trailers", "-w size_download"),
            ("nginx: chunked of gzip, raw", "-w size_download"),
        ],
    },
    Known {
        reason: "A transfer that could not begin is told with the URL that was typed.",
        shows: &[("output: -O of a folder", "-w url_effective")],
    },
    Known {
        reason: "Which part of a body goes out with the head, and so counts in size_request, is each client's \
                 own affair.",
        shows: &[
            ("basic: any with a post", "-w size_request"),
            ("request: chunked by field", "-w size_request"),
        ],
    },
    Known {
        reason: "Each group of --next has connections of its own.",
        shows: &[("request: two URLs of two requests", "sent *")],
    },
    Known {
        reason: "curl takes `http/1.1` for HTTP/1.0.",
        shows: &[("head: lower case", "-w http_version")],
    },
    Known {
        reason: "Compressed data that end too early are an error here: what is missing may be the point. curl \
                 takes what came.",
        shows: &[
            ("coding: deflate truncated", "-w exitcode, exit code"),
            ("coding: gzip no trailer", "-w exitcode, exit code"),
            ("coding: gzip truncated", "-w exitcode, exit code"),
            ("coding: zstd truncated", "-w exitcode, exit code"),
        ],
    },
    Known {
        reason: "RFC 1952 2.2: members follow one another. curl fails to write behind the first.",
        shows: &[("coding: gzip two members", "-w exitcode, exit code, stdout")],
    },
    Known {
        reason: "curl applies at most five codings and counts `identity`, which is none.",
        shows: &[(
            "coding: six",
            "-w exitcode, -w num_headers, -w size_download, -w size_header, exit code, file head, stdout",
        )],
    },
    Known {
        reason: "curl gives up within the head, when it reads Content-Length; here the head is read to its \
                 end.",
        shows: &[
            ("coding: limited", "-w size_header, file head"),
            ("length: larger than allowed", "-w size_header, file head"),
        ],
    },
    Known {
        reason: "Nothing of a body in an unknown coding is taken; curl counts what happened to come with the \
                 head.",
        shows: &[("coding: unknown", "-w size_download"), ("transfer: unknown", "-w size_download")],
    },
    Known {
        reason: "A limit is a limit, also where the length was not told; curl since 8.4 agrees.",
        shows: &[("length: unknown and larger than allowed", "-w exitcode, exit code, stdout")],
    },
    Known {
        reason: "Options and their files are judged before any connection is made.",
        shows: &[
            ("TLS: a foreign authority file", "file head, sent 1, -w *"),
            ("TLS: no trust", "file head, sent 1, -w *"),
        ],
    },
    Known {
        reason: "TLS that ends without close_notify may have been cut by anybody: 56. curl with OpenSSL 3 \
                 takes it for an end.",
        shows: &[
            ("cut: TLS body", "-w exitcode, exit code"),
            ("cut: TLS head", "-w exitcode, exit code"),
            ("cut: TLS heads-end", "-w exitcode, exit code"),
            ("cut: TLS line", "-w exitcode, exit code"),
            ("cut: TLS nothing", "-w exitcode, exit code"),
            ("cut: TLS status", "-w exitcode, exit code"),
        ],
    },
    Known {
        reason: "A head that ends behind its status line is cut short: 18. curl takes it for whole.",
        shows: &[("cut: head", "-w exitcode, exit code"), ("cut: line", "-w exitcode, exit code")],
    },
    Known {
        reason: "Refused by name: --proxy1.0 and --tr-encoding are not offered.",
        shows: &[
            ("proxy: HTTP/1.0 tunnel", "exit code, file head, stdout, -w *, sent *"),
            ("transfer: gzip asked for", "exit code, file head, sent 1, stdout, -w *"),
            ("request: transfer coding asked for", "exit code, file head, sent 1, stdout, -w *"),
        ],
    },
    Known {
        reason: "A proxy of an unknown scheme is one that cannot be found (5); curl tries to connect to it \
                 (7).",
        shows: &[("proxy: unknown scheme", "exit code, file head, -w *")],
    },
    Known {
        reason: "Hosts and ports are read as browsers read them (WHATWG URL): port 0 and 256.256.256.256 are \
                 none, a second @ belongs to the user.",
        shows: &[
            ("URL: a number too large", "-w exitcode, exit code"),
            ("URL: port 0", "-w exitcode, exit code"),
            ("URL: two @", "exit code, file head, sent 1, stdout, -w *"),
        ],
    },
    Known {
        reason: "A server that answered with HTTP/1.0 is asked with HTTP/1.1 again (RFC 9110 6.2: the version \
                 is the sender's own); curl goes down with it.",
        shows: &[("close: 1.0 kept alive", "sent 1")],
    },
    Known {
        reason: "Cookies of interim responses are not kept.",
        shows: &[("cookies: with a 103", "file jar")],
    },
    Known {
        reason: "Cookies are read by RFC 6265bis and sent the oldest first (5.8.3): 400 days at most, names \
                 may be missing, a Path without a leading slash is none, Max-Age has no quotes. Values that \
                 are no UTF-8 become so.",
        shows: &[
            ("cookies: of a file", "sent 1, stdout"),
            ("cookies: of a file and back", "file jar, sent 1"),
            ("cookies: of a file over TLS", "sent 1, stdout"),
            ("cookies: of a file without sessions", "sent 1, stdout"),
            ("cookies: of a name", "file jar"),
            (
                "cookies: of an empty name",
                "-w size_download of 2, -w size_request of 2, file head, sent 1, stdout",
            ),
            ("cookies: of no file", "file jar"),
            ("cookies: of the line and a file", "sent 1, stdout"),
            ("cookies: on stdout", "stdout"),
            ("cookies: own field beside", "sent 1, stdout"),
            ("cookies: zoo", "file jar"),
            (
                "cookies: zoo from TLS to plain",
                "-w size_download of 2, -w size_request of 2, file head, file jar, sent 2, stdout",
            ),
            ("cookies: zoo over TLS", "file jar"),
            (
                "cookies: zoo sent again",
                "-w size_download of 2, -w size_request of 2, file head, file jar, sent 1, stdout",
            ),
            (
                "cookies: zoo sent again to a deeper path",
                "-w size_download of 3, -w size_request of 2, -w size_request of 3, file head, file jar, sent 1, stdout",
            ),
        ],
    },
    Known {
        reason: "Chunk sizes are read strictly: where two readers disagree about them, one request hides in \
                 another.",
        shows: &[
            ("chunked: bare lf", "-w exitcode, -w size_download, exit code, stdout"),
            ("chunked: junk behind", "-w exitcode, -w size_download, exit code, stdout"),
            ("chunked: long extension", "-w exitcode, -w size_download, exit code, stdout"),
        ],
    },
    Known {
        reason: "curl reads at most sixteen digits of a chunk size, leading zeros included.",
        shows: &[("chunked: many zeros", "-w exitcode, -w size_download, exit code, stdout")],
    },
    Known {
        reason: "43 is curl's word for its own mistakes: a chunk that breaks the rules is 56 here, a head 8.",
        shows: &[
            ("chunked: bad trailer", "-w exitcode, exit code"),
            ("chunked: prefix 0x", "-w exitcode, exit code"),
            ("head: folded first", "-w exitcode, exit code"),
        ],
    },
    Known {
        reason: "curl 7.88 does not count what it delivered of a body that breaks the rules afterwards.",
        shows: &[("chunked: bad trailer", "-w size_download"), ("chunked: without crlf", "-w size_download")],
    },
    Known {
        reason: "Not more than 10,000 fields are taken; curl goes on up to 300 KiB.",
        shows: &[
            ("bomb: endless fields", "-w num_headers, -w size_header, file head"),
            ("bomb: fields 12000", "-w num_headers, -w size_header, file head, stdout"),
        ],
    },
    Known {
        reason: "An answer of HTTP/0.9 is taken as 200 and told as version 0.9; curl tells nothing.",
        shows: &[
            ("head: 0.9 allowed", "-w http_code, -w http_version"),
            ("head: 0.9 allowed and short", "-w http_code, -w http_version"),
        ],
    },
    Known {
        reason: "curl 7.88 leaves fields out of header_json.",
        shows: &[("head: all fields as JSON", "stdout")],
    },
    Known {
        reason: "The body of a 416 to a download that was complete is left alone.",
        shows: &[("continue: 416", "-w size_download"), ("continue: whole already", "-w size_download")],
    },
    Known {
        reason: "Parameter names have no case (RFC 9110 5.6.6).",
        shows: &[("named: case", "-w filename_effective, file Case.txt, file case")],
    },
    Known {
        reason: "A name that is none leaves the one of the URL; curl fails.",
        shows: &[
            ("named: dots", "exit code, file dots, file head, -w *"),
            ("named: empty", "exit code, file empty, file head, -w *"),
        ],
    },
    Known {
        reason: "A quoted string may contain escaped quotes (RFC 9110 5.6.4).",
        shows: &[("named: escaped", "-w filename_effective, file a\"b.txt, file escaped")],
    },
    Known {
        reason: "The head is read to its end before the file is refused.",
        shows: &[(
            "named: there already",
            "-w num_headers of 2, -w size_download of 2, -w size_header of 2, file head",
        )],
    },
    Known {
        reason: "%2e%2e means .. (WHATWG URL 4.4), so another path is asked for.",
        shows: &[(
            "output: -O with dots",
            "-w size_download, -w size_request, -w url_effective, file %2e%2e, file head, sent 1",
        )],
    },
    Known {
        reason: "A POST or PUT without a body says Content-Length: 0 (RFC 9110 8.6); curl says nothing.",
        shows: &[
            (
                "redirect: 302 with -X POST",
                "-w size_download, -w size_header, -w size_request, file head, sent 1, stdout",
            ),
            ("redirect: 303 with -X", "-w size_download, -w size_request, file head, sent 1, stdout"),
        ],
    },
    Known {
        reason: "301, 302, 303, 307 and 308 are redirects (Fetch, \"redirect status\"); curl follows Location \
                 with any 3xx.",
        shows: &[
            ("redirect: 399 after POST", "file head, sent 1, stdout, -w *"),
            ("redirect: Location with 304", "file head, sent 1, stdout, -w *"),
            ("redirect: Location with 305", "file head, sent 1, stdout, -w *"),
        ],
    },
    Known {
        reason: "A file that cannot be read is an error (26), as in curl since 8.12.",
        shows: &[("request: data of no file", "exit code, file head, sent 1, stdout, -w *")],
    },
    Known {
        reason: "An answer to a challenge is no redirect; curl counts it as one.",
        shows: &[
            ("basic: any", "-w num_redirects"),
            ("basic: any with a post", "-w num_redirects"),
            ("digest: SHA-256", "-w num_redirects"),
            ("digest: any of both", "-w num_redirects"),
            ("digest: no qop", "-w num_redirects"),
            ("digest: post", "-w num_redirects"),
            ("digest: query", "-w num_redirects"),
            ("digest: right", "-w num_redirects"),
            ("digest: stale", "-w num_redirects"),
            ("digest: twice", "-w num_redirects, -w num_redirects of 2"),
            ("digest: upload", "-w num_redirects"),
            ("digest: wrong", "-w num_redirects"),
            ("nginx: auth any", "-w num_redirects"),
        ],
    },
    Known {
        reason: "A client nonce of 32 hexadecimal digits is as good as one of 44 characters.",
        shows: &[
            ("digest: SHA-256", "-w size_request, sent 1"),
            ("digest: any of both", "-w size_request, sent 1"),
            ("digest: post", "-w size_request, sent 1"),
            ("digest: query", "-w size_request, sent 1"),
            ("digest: right", "-w size_request, sent 1"),
            ("digest: stale", "-w size_request, sent 1"),
            ("digest: twice", "-w size_request, -w size_request of 2, sent 1"),
            ("digest: upload", "-w size_request, sent 1"),
            ("digest: wrong", "-w size_request, sent 1"),
        ],
    },
    Known {
        reason: "The connection that brought the redirect is used again; curl leaves it, since it had not \
                 sent the body when the redirect came.",
        shows: &[("redirect: 307 of stdin", "-w num_connects, sent *")],
    },
    Known {
        reason: "Escapes are written in capitals (RFC 3986 6.2.2.1); -w shows URLs as they are sent.",
        shows: &[
            ("redirect: 8-bit", "-w url_effective, sent 1, stdout"),
            ("redirect: UTF-8", "-w url_effective, sent 1, stdout"),
            ("request: 8-bit path", "-w url_effective, sent 1, stdout"),
        ],
    },
    Known {
        reason: "URLs are read as browsers read them (WHATWG URL).",
        shows: &[
            ("redirect: backslash", "file head, sent 1, stdout, -w *"),
            (
                "redirect: blank in the query",
                "-w size_download, -w size_request, -w url_effective, file head, sent 1, stdout",
            ),
            (
                "redirect: empty query",
                "-w size_download, -w size_request, -w url_effective, file head, sent 1, stdout",
            ),
            ("redirect: one slash", "file head, sent 1, stdout, -w *"),
            ("redirect: tab", "exit code, file head, sent 1, stdout, -w *"),
            (
                "redirect: three slashes",
                "-w exitcode, -w num_redirects, -w size_download, -w url_effective, exit code",
            ),
            ("request: international name", "-w url_effective"),
            ("request: name in upper case", "-w url_effective, sent 1, stdout"),
            (
                "request: odd letters",
                "-w size_download, -w size_header, -w size_request, -w url_effective, file head, sent 1, stdout",
            ),
            ("request: path as it is", "-w url_effective"),
        ],
    },
    Known {
        reason: "The fragment stays if the new URL has none (RFC 9110 10.2.2).",
        shows: &[("redirect: fragment kept", "-w url_effective")],
    },
    Known {
        reason: "Credentials are not shown in url_effective.",
        shows: &[("redirect: given credentials stay", "-w url_effective")],
    },
    Known {
        reason: "A loop is noticed at once (47), docs/cli.md says so.",
        shows: &[
            (
                "redirect: loop",
                "-w num_redirects, -w redirect_url, -w size_header, -w size_request, file head, sent 1",
            ),
            ("redirect: only fragment", "exit code, file head, sent 1, stdout, -w *"),
        ],
    },
    Known {
        reason: "A redirect that is not followed is not counted.",
        shows: &[
            ("redirect: bad port", "-w num_redirects"),
            ("redirect: file", "-w num_redirects, -w url_effective"),
            ("redirect: odd host", "-w num_redirects"),
            ("redirect: unknown scheme", "-w num_redirects"),
            ("redirect: https only", "-w num_redirects, -w url_effective"),
            ("redirect: javascript", "-w num_redirects"),
        ],
    },
    Known {
        reason: "A field is written as `Name: value`, however it was typed.",
        shows: &[
            ("request: field with blanks", "-w size_download, -w size_request, file head, sent 1, stdout"),
            (
                "request: field without a blank",
                "-w size_download, -w size_request, file head, sent 1, stdout",
            ),
        ],
    },
    Known {
        reason: "What is no field is an error; curl leaves it out silently.",
        shows: &[("request: field without a colon", "exit code, file head, sent 1, stdout, -w *")],
    },
    Known {
        reason: "After 417 a new connection is used: who knows where the server reads on.",
        shows: &[
            ("request: expect 417", "-w num_connects, -w num_redirects, sent *"),
            ("request: expect 417 of a post", "-w num_connects, -w num_redirects, sent *"),
        ],
    },
];

/// The requests and outcomes of all.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().flat_map(|known| known.shows.iter().copied())
}

/// The outcomes of a request that are known to differ, each with its reason.
pub(crate) fn of(case: &str) -> Vec<(&'static str, &'static str)> {
    let rows = KNOWN
        .iter()
        .flat_map(|known| known.shows.iter().map(|(name, things)| (*name, *things, known.reason)));
    rows.filter(|(name, _, _)| *name == case).map(|(_, things, reason)| (things, reason)).collect()
}
