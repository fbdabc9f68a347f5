//! What a server has done so far, in numbers.

use crate::message::ResponseCode;
use glasstack_journal::event::{Instead, Transport, Withheld};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What a server has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages that came over UDP.
    pub udp: u64,
    /// Messages that came over TCP.
    pub tcp: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Responses by code.
    pub responses: BTreeMap<ResponseCode, u64>,
    /// Those of them that were too long for a datagram.
    pub truncated: u64,
    /// Answers that were known at once.
    pub at_once: u64,
    /// Answers that had to be found out.
    pub found_out: u64,
    /// Questions that wait for their answers now.
    pub under_way: u64,
    /// Zones that were transferred.
    pub transfers: u64,
    /// What was withheld, by what the client got instead and why.
    pub withheld: BTreeMap<(Instead, &'static str), u64>,
    /// How long the answers took that had to be found out.
    pub latency: Latency,
}

/// How long answers took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// All of them together.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
    /// How many took less than each power of two, in milliseconds: the first less than 1 ms, the
    /// second less than 2 ms, and so on.
    pub buckets: [u64; 16],
}

impl Latency {
    fn add(&mut self, took: Duration) {
        self.total += took;
        self.longest = self.longest.max(took);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let power = usize::try_from(u64::BITS - millis.leading_zeros()).unwrap_or(usize::MAX);
        let last = self.buckets.len() - 1;
        if let Some(bucket) = self.buckets.get_mut(power.min(last)) {
            *bucket += 1;
        }
    }

    /// No more than this were `percent` of them, in whole powers of two of a millisecond.
    pub fn percentile(&self, percent: u64) -> Duration {
        let all: u64 = self.buckets.iter().sum();
        let mut seen = 0;
        for (power, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen.saturating_mul(100) >= all.saturating_mul(percent) {
                return Duration::from_millis(1 << power).min(self.longest);
            }
        }
        self.longest
    }
}

impl Statistics {
    /// Messages that came.
    pub fn queries(&self) -> u64 {
        self.udp + self.tcp
    }

    pub(super) fn received(&mut self, transport: Transport) {
        match transport {
            Transport::Udp => self.udp += 1,
            Transport::Tcp => self.tcp += 1,
        }
    }

    /// `took` is none for what was known at once.
    pub(super) fn answered(&mut self, code: ResponseCode, took: Option<Duration>) {
        *self.responses.entry(code).or_default() += 1;
        match took {
            None => self.at_once += 1,
            Some(took) => {
                self.found_out += 1;
                self.latency.add(took);
            }
        }
    }

    pub(super) fn withheld(&mut self, instead: Instead, why: &Withheld) {
        *self.withheld.entry((instead, why.kind())).or_default() += 1;
    }
}

impl fmt::Display for Statistics {
    /// A few lines, as they are printed when a server ends.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "queries    {} ({} over UDP, {} over TCP on {} connections)",
            self.queries(),
            self.udp,
            self.tcp,
            self.connections
        )?;
        let codes = |(code, count): (&ResponseCode, &u64)| format!("{count} {code}");
        let responses: u64 = self.responses.values().sum();
        write!(f, "responses  {responses}")?;
        if responses > 0 {
            write!(f, " ({})", self.responses.iter().map(codes).collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f)?;
        if self.truncated > 0 {
            writeln!(f, "truncated  {}", self.truncated)?;
        }
        if self.transfers > 0 {
            writeln!(f, "transfers  {}", self.transfers)?;
        }
        for ((instead, kind), count) in &self.withheld {
            writeln!(f, "withheld   {count} {instead} ({kind})")?;
        }
        write!(f, "known      {} at once, {} had to be found out", self.at_once, self.found_out)?;
        if self.found_out > 0 {
            let mean = self.latency.total / u32::try_from(self.found_out).unwrap_or(u32::MAX);
            write!(
                f,
                ": {} ms on average, half within {} ms, 95 % within {} ms, the longest {} ms",
                mean.as_millis(),
                self.latency.percentile(50).as_millis(),
                self.latency.percentile(95).as_millis(),
                self.latency.longest.as_millis()
            )?;
        }
        if self.under_way > 0 {
            write!(f, "\nunder way  {}", self.under_way)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_print_as_a_few_lines() {
        let mut statistics = Statistics::default();
        (0..3).for_each(|_| statistics.received(Transport::Udp));
        statistics.received(Transport::Tcp);
        statistics.connections = 1;
        statistics.answered(ResponseCode::NoError, None);
        statistics.answered(ResponseCode::NoError, Some(Duration::from_millis(30)));
        statistics.answered(ResponseCode::NxDomain, Some(Duration::from_millis(50)));
        statistics.withheld(Instead::Silence, &Withheld::Response);
        assert_eq!(
            statistics.to_string(),
            "queries    4 (3 over UDP, 1 over TCP on 1 connections)\n\
             responses  3 (2 NOERROR, 1 NXDOMAIN)\n\
             withheld   1 not answered (a response)\n\
             known      1 at once, 2 had to be found out: 40 ms on average, half within 32 ms, \
             95 % within 50 ms, the longest 50 ms"
        );
    }

    #[test]
    fn a_latency_falls_into_the_bucket_of_its_power_of_two() {
        let mut latency = Latency::default();
        for micros in [100, 1_500, 3_999, 4_000, u64::MAX / 1_000] {
            latency.add(Duration::from_micros(micros));
        }
        assert_eq!(latency.buckets[..5], [1, 1, 1, 1, 0]);
        assert_eq!(latency.buckets[15], 1);
        assert_eq!(latency.percentile(50), Duration::from_millis(4));
    }
}
