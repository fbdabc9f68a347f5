//! The tree of spans, as far as it has been told: what a thing was done for.

use glasstack_journal::event::{Event, Span};
use glasstack_journal::{Record, SpanId, SpanKind};
use std::collections::BTreeMap;

/// How many spans are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 16_384;
/// The deepest nesting that is followed upwards.
const DEEPEST: usize = 32;

/// The spans told so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    opened: BTreeMap<SpanId, (Option<SpanId>, SpanKind)>,
}

impl Spans {
    pub(crate) fn observe(&mut self, record: &Record) {
        if let (Some(id), Event::Span(Span::Opened { parent, kind })) = (record.span, &record.event) {
            if self.opened.len() >= REMEMBERED {
                self.opened.pop_first();
            }
            self.opened.insert(id, (*parent, kind.clone()));
        }
    }

    /// A span and those it is a part of, from the inside out.
    pub(crate) fn path(&self, from: Option<SpanId>) -> impl Iterator<Item = (SpanId, &SpanKind)> {
        let mut next = from;
        std::iter::from_fn(move || {
            let id = next?;
            let (parent, kind) = self.opened.get(&id)?;
            next = *parent;
            Some((id, kind))
        })
        .take(DEEPEST)
    }

    /// `connection to 10.0.0.2:80, fetch http://www.example.test/`: what something in this span was
    /// done for. The journey itself is named only when nothing closer is known.
    pub(crate) fn purpose(&self, span: Option<SpanId>) -> Option<String> {
        let kinds: Vec<&SpanKind> = self.path(span).map(|(_, kind)| kind).collect();
        let near = kinds.iter().filter(|kind| !matches!(kind, SpanKind::Journey { .. }));
        let words: Vec<String> = near.map(ToString::to_string).collect();
        match (words.is_empty(), kinds.first()) {
            (false, _) => Some(words.join(", ")),
            (true, Some(journey)) => Some(journey.to_string()),
            (true, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Story;

    #[test]
    fn a_purpose_is_told_from_the_inside_out() {
        let mut story = Story::new();
        let client = story.host("client", 1);
        let journey = story.open(&client, None, SpanKind::Journey { typed: "www.example.test".into() });
        let url = "http://www.example.test/".to_owned();
        let fetch = story.open(&client, Some(journey), SpanKind::Fetch { url });
        let remote = "10.0.0.2:80".parse().unwrap();
        let connection = story.open(&client, Some(fetch), SpanKind::Connection { remote });
        let mut spans = Spans::default();
        story.records().iter().for_each(|record| spans.observe(record));
        let purpose = spans.purpose(Some(connection)).unwrap();
        assert_eq!(purpose, "connection to 10.0.0.2:80, fetch http://www.example.test/");
        assert_eq!(spans.purpose(Some(journey)).unwrap(), "journey to www.example.test");
        assert_eq!(spans.purpose(None), None);
    }
}
