//! Whether a failure may be a passing one, and when to ask again: curl's `--retry`, as data.

use crate::date;
use crate::error::WebError;
use glasstack_http::{HeaderMap, header};
use glasstack_journal::WallTime;
use std::time::Duration;

/// How often and when to ask again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often at most (`--retry`). 0.
    pub retries: u32,
    /// Whether a refused connection counts as a passing failure (`--retry-connrefused`).
    pub refused: bool,
    /// Whether any failure does (`--retry-all-errors`).
    pub all_errors: bool,
    /// How long to wait between two attempts (`--retry-delay`); none: 1 s, doubled each time, 10
    /// minutes at most.
    pub delay: Option<Duration>,
    /// After how long in all nothing is asked again (`--retry-max-time`); none: however long.
    pub max_time: Option<Duration>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// With a response.
    Response {
        /// Its status code.
        status: u16,
        /// Its header fields: `Retry-After` is among them, or not.
        headers: &'a HeaderMap,
    },
    /// With a response whose status makes it a failure all the same (`-f`, `--fail-with-body`).
    Refused {
        /// Its status code.
        status: u16,
        /// Its header fields.
        headers: &'a HeaderMap,
    },
    /// With an error.
    Failed(&'a WebError),
}

/// What to do after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask again.
    Again {
        /// After this.
        after: Duration,
        /// Why, in words.
        because: String,
    },
    /// Leave it at that.
    Enough {
        /// Why, in words.
        because: String,
    },
}

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(600);

impl RetryPolicy {
    /// What to do after attempt number `attempts` (from 1 on), `elapsed` after the beginning of the
    /// first.
    pub fn judge(&self, outcome: Outcome<'_>, attempts: u32, elapsed: Duration, now: WallTime) -> Verdict {
        let enough = |because: String| Verdict::Enough { because };
        let Some(passing) = self.passing(outcome) else {
            return enough(match outcome {
                Outcome::Response { status, .. } | Outcome::Refused { status, .. } => {
                    format!("{status} is an answer, and will be the same again")
                }
                Outcome::Failed(_) => "this failure will not pass by itself".to_owned(),
            });
        };
        if attempts > self.retries {
            return enough(format!(
                "{passing}, and this was retry number {} of {}",
                attempts - 1,
                self.retries
            ));
        }
        if let Some(max_time) = self.max_time
            && elapsed >= max_time
        {
            return enough(format!("{passing}, and the {} s for all retries are over", max_time.as_secs()));
        }
        let usual = self.usual_wait(attempts);
        let asked = retry_after(outcome, now);
        // What the server asks for counts, as in curl 7.88, be it shorter or longer.
        let after = asked.unwrap_or(usual);
        if let (Some(max_time), Some(asked)) = (self.max_time, asked)
            && elapsed.saturating_add(after) > max_time
        {
            return enough(format!(
                "the server asks for {} s of patience, which is more than is left of the {} s for all retries",
                asked.as_secs(),
                max_time.as_secs()
            ));
        }
        let because = match asked {
            Some(_) => format!("{passing}, and Retry-After says when"),
            None => passing,
        };
        Verdict::Again { after, because }
    }

    /// 1 s, 2 s, 4 s and so on, or always the same.
    fn usual_wait(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        self.delay.unwrap_or_else(|| FIRST.saturating_mul(doubled).min(LONGEST))
    }

    /// Why this may pass by itself; none: it will not.
    fn passing(&self, outcome: Outcome<'_>) -> Option<String> {
        match outcome {
            Outcome::Response { status, .. } | Outcome::Refused { status, .. } if is_transient(status) => {
                Some(format!("{status} may pass by itself"))
            }
            Outcome::Refused { status, .. } if self.all_errors => {
                Some(format!("{status} is a failure, and every failure counts"))
            }
            Outcome::Response { .. } | Outcome::Refused { .. } => None,
            Outcome::Failed(error) => match error.curl_exit_code() {
                28 => Some("it took too long, which may pass by itself".to_owned()),
                5 | 6 => Some("names may be known later".to_owned()),
                7 if self.refused && error.is_refused() => {
                    Some("the connection was refused, and somebody may listen later".to_owned())
                }
                _ if self.all_errors => Some("every failure counts".to_owned()),
                _ => None,
            },
        }
    }
}

/// The statuses that curl takes for passing ones.
fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// RFC 9110 10.2.3: seconds, or a date. curl looks at it after an answer that may pass by itself.
fn retry_after(outcome: Outcome<'_>, now: WallTime) -> Option<Duration> {
    let headers = match outcome {
        Outcome::Response { status, headers } | Outcome::Refused { status, headers }
            if is_transient(status) =>
        {
            headers
        }
        _ => return None,
    };
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = date::parse(text)?;
            Duration::from_secs(then.unix_seconds().saturating_sub(now.unix_seconds()))
        }
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectFailure;
    use glasstack_stack::ConnectError;

    const NOW: WallTime = WallTime::from_unix_seconds(784_111_777);

    fn policy(retries: u32) -> RetryPolicy {
        RetryPolicy { retries, ..RetryPolicy::default() }
    }

    fn answer(policy: &RetryPolicy, status: u16, attempts: u32, after: Option<&str>) -> Option<u64> {
        let headers: HeaderMap =
            after.into_iter().map(|text| (header::RETRY_AFTER, text.parse().unwrap())).collect();
        let headers = &headers;
        let outcome = match status {
            400.. => Outcome::Refused { status, headers },
            _ => Outcome::Response { status, headers },
        };
        seconds(policy.judge(outcome, attempts, Duration::from_secs(10), NOW))
    }

    fn failure(policy: &RetryPolicy, error: &WebError) -> Option<u64> {
        seconds(policy.judge(Outcome::Failed(error), 1, Duration::ZERO, NOW))
    }

    fn seconds(verdict: Verdict) -> Option<u64> {
        match verdict {
            Verdict::Again { after, .. } => Some(after.as_secs()),
            Verdict::Enough { .. } => None,
        }
    }

    #[test]
    fn the_wait_is_doubled_until_it_is_ten_minutes_unless_it_is_given() {
        let waits: Vec<Option<u64>> = (1..13).map(|n| answer(&policy(11), 503, n, None)).collect();
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600].map(Some);
        assert_eq!(waits[..11], expected);
        assert_eq!(waits[11], None, "eleven retries are twelve attempts");
        let fixed = RetryPolicy { delay: Some(Duration::from_secs(3)), ..policy(5) };
        assert_eq!(answer(&fixed, 503, 4, None), Some(3));
        assert_eq!(answer(&policy(u32::MAX), 503, u32::MAX, None), Some(600));
    }

    #[test]
    fn some_statuses_may_pass_and_others_do_not() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(answer(&policy(1), status, 1, None), Some(1), "{status}");
        }
        for status in [200, 301, 404, 501, 505] {
            assert_eq!(answer(&policy(1), status, 1, None), None, "{status}");
        }
        let all = RetryPolicy { all_errors: true, ..policy(1) };
        assert_eq!(answer(&all, 404, 1, None), Some(1));
        assert_eq!(answer(&all, 200, 1, None), None);
        let taken = Outcome::Response { status: 404, headers: &HeaderMap::new() };
        assert!(matches!(all.judge(taken, 1, Duration::ZERO, NOW), Verdict::Enough { .. }));
    }

    #[test]
    fn retry_after_is_honoured_in_seconds_and_as_a_date() {
        assert_eq!(answer(&policy(1), 503, 1, Some("7")), Some(7));
        assert_eq!(answer(&policy(1), 429, 1, Some("Sun, 06 Nov 1994 08:50:00 GMT")), Some(23));
        assert_eq!(answer(&policy(9), 503, 5, Some("7")), Some(7), "sooner than usual, if it says so");
        for nonsense in ["soon", "-1", "Sun, 06 Nov 1990 08:50:00 GMT", "0"] {
            assert_eq!(answer(&policy(1), 503, 1, Some(nonsense)), Some(1), "{nonsense}");
        }
    }

    #[test]
    fn the_time_for_all_retries_ends_them() {
        let short = |seconds| RetryPolicy { max_time: Some(Duration::from_secs(seconds)), ..policy(9) };
        assert_eq!(answer(&short(10), 503, 1, None), None);
        assert_eq!(answer(&short(11), 503, 1, None), Some(1));
        assert_eq!(answer(&short(11), 503, 1, Some("2")), None);
        assert_eq!(answer(&short(11), 503, 1, Some("18446744073709551615")), None);
    }

    #[test]
    fn timeouts_and_names_may_pass_and_a_refusal_only_if_it_counts() {
        let late = WebError::TimedOut { limit: Duration::from_secs(1), received: 0 };
        assert_eq!(failure(&policy(1), &late), Some(1));
        let peer = "10.0.0.2:80".parse().unwrap();
        let attempts = vec![(peer, ConnectError::Refused { peer })];
        let refused = WebError::Connect(ConnectFailure { host: "h.test".to_owned(), attempts });
        assert_eq!(failure(&policy(1), &refused), None);
        assert_eq!(failure(&RetryPolicy { refused: true, ..policy(1) }, &refused), Some(1));
        let empty = WebError::Http(glasstack_http::HttpError::EmptyReply);
        assert_eq!(failure(&policy(1), &empty), None);
        assert_eq!(failure(&RetryPolicy { all_errors: true, ..policy(1) }, &empty), Some(1));
    }
}
