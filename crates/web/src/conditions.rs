//! Parts and conditions: which bytes are asked for, and whether the answer is what was meant.

use crate::date;
use crate::error::WebError;
use crate::request::{Request, TimeCondition};
use glasstack_http::header::{CONTENT_RANGE, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE};
use glasstack_http::{HeaderName, Method, ResponseHead};
use glasstack_journal::WallTime;
use glasstack_journal::event::Framing;

/// Why a body is passed over, and that without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// It has not changed since the time of `If-Modified-Since`, or has since that of
    /// `If-Unmodified-Since`, whatever the server thinks.
    TimeCondition,
    /// The transfer was to go on at the very end: there is nothing left.
    NothingLeft,
}

impl PassedOver {
    /// In words.
    pub fn because(self) -> &'static str {
        match self {
            Self::TimeCondition => "its Last-Modified does not meet the time condition",
            Self::NothingLeft => "there is nothing left of it: all had been received before",
        }
    }
}

/// The field that asks for a part: `Range` (RFC 9110 14.2), or `Content-Range` (14.4, 14.5) if there is
/// a body, of which `length` bytes are sent.
pub(crate) fn range_field(request: &Request, length: Option<u64>) -> Option<(HeaderName, String)> {
    let resume = request.resume.filter(|offset| *offset > 0);
    if request.body.is_none() {
        let wanted = match (resume, &request.range) {
            (Some(offset), _) => format!("{offset}-"),
            (None, Some(range)) => range.clone(),
            (None, None) => return None,
        };
        return Some((RANGE, format!("bytes={wanted}")));
    }
    let shown = |bytes: Option<u64>| bytes.map_or_else(|| "*".to_owned(), |bytes| bytes.to_string());
    let value = match (resume, &request.range) {
        (Some(offset), _) => {
            let total = length.map(|length| offset.saturating_add(length));
            let last = total.map(|total| total.saturating_sub(1)).unwrap_or(offset);
            format!("bytes {offset}-{last}/{}", shown(total))
        }
        (None, Some(range)) => format!("bytes {range}/{}", shown(length)),
        (None, None) => return None,
    };
    Some((CONTENT_RANGE, value))
}

/// The field that asks for the condition (RFC 9110 13.1.3, 13.1.4).
pub(crate) fn condition_field(condition: Option<TimeCondition>) -> Option<(HeaderName, String)> {
    match condition? {
        TimeCondition::IfModifiedSince(at) => Some((IF_MODIFIED_SINCE, date::http(at))),
        TimeCondition::IfUnmodifiedSince(at) => Some((IF_UNMODIFIED_SINCE, date::http(at))),
    }
}

/// Whether the body is what was asked for, as curl judges it: passed over, refused, or taken.
pub(crate) fn judge(
    request: &Request,
    head: &ResponseHead,
    framing: Framing,
) -> Result<Option<PassedOver>, WebError> {
    let resume = request.resume.filter(|offset| *offset > 0);
    if let (Some(offset), true, None) = (resume, request.method == Method::GET, &request.body) {
        // RFC 9110 15.5.17: nothing there, nothing left. A server that sends no part, but a whole that
        // is as long as what is there, has said so as well.
        let is_the_part = range_start(head) == Some(offset);
        if head.status.as_u16() == 416 || !is_the_part && framing == Framing::Length(offset) {
            return Ok(Some(PassedOver::NothingLeft));
        }
        if !is_the_part {
            return Err(WebError::RangeIgnored { offset });
        }
    }
    let has_range = request.range.is_some() || resume.is_some();
    match request.time_condition {
        Some(condition) if !has_range && framing != Framing::None && !is_met(condition, head) => {
            Ok(Some(PassedOver::TimeCondition))
        }
        _ => Ok(None),
    }
}

/// Where the part begins that came (RFC 9110 14.4).
fn range_start(head: &ResponseHead) -> Option<u64> {
    let value = head.headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let digits = value.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.split('-').next()?.trim().parse().ok()
}

/// Whether the document is as new, or as old, as was asked for; a server may not have looked.
fn is_met(condition: TimeCondition, head: &ResponseHead) -> bool {
    let changed = head.headers.get(LAST_MODIFIED).and_then(|value| date::parse(value.to_str().ok()?));
    let Some(changed) = changed.filter(|changed| *changed > WallTime::default()) else { return true };
    match condition {
        TimeCondition::IfModifiedSince(since) => changed > since,
        TimeCondition::IfUnmodifiedSince(since) => changed < since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_http::{HeaderMap, StatusCode, Version};
    use url::Url;

    fn get() -> Request {
        Request::get(Url::parse("http://h.test/").unwrap())
    }

    fn head(status: u16, fields: &[(HeaderName, &str)]) -> ResponseHead {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        ResponseHead { version: Version::HTTP_11, status, reason: String::new(), headers, raw: Vec::new() }
    }

    #[test]
    fn a_part_of_a_download_is_asked_for_and_a_part_of_an_upload_is_told() {
        let field = |request: &Request, length| {
            range_field(request, length).map(|(name, value)| format!("{name}: {value}")).unwrap_or_default()
        };
        assert_eq!(field(&get(), None), "");
        assert_eq!(field(&Request { range: Some("0-4".to_owned()), ..get() }, None), "range: bytes=0-4");
        assert_eq!(field(&Request { resume: Some(7), ..get() }, None), "range: bytes=7-");
        assert_eq!(field(&Request { resume: Some(0), ..get() }, None), "");
        let put = Request { resume: Some(1), ..Request::post(get().url, "xy") };
        // As curl says it of the last two bytes of three.
        assert_eq!(field(&put, Some(2)), "content-range: bytes 1-2/3");
        let part = Request { range: Some("0-4".to_owned()), ..Request::post(get().url, "xyz") };
        assert_eq!(field(&part, Some(3)), "content-range: bytes 0-4/3");
        let beyond = Request { resume: Some(u64::MAX), ..put };
        assert!(field(&beyond, Some(2)).starts_with("content-range: bytes 18446744073709551615-"));
    }

    #[test]
    fn a_transfer_goes_on_only_where_it_stopped() {
        let request = Request { resume: Some(5), ..get() };
        let judged = |status, fields: &[(HeaderName, &str)], framing| {
            judge(&request, &head(status, fields), framing).map_err(|error| error.curl_exit_code())
        };
        let length = Framing::Length(95);
        assert_eq!(judged(206, &[(CONTENT_RANGE, "bytes 5-99/100")], length), Ok(None));
        assert_eq!(judged(206, &[(CONTENT_RANGE, "bytes 4-99/100")], length), Err(33));
        assert_eq!(judged(200, &[], length), Err(33));
        assert_eq!(judged(404, &[], length), Err(33));
        assert_eq!(judged(416, &[(CONTENT_RANGE, "bytes */5")], length), Ok(Some(PassedOver::NothingLeft)));
        assert_eq!(judged(200, &[], Framing::Length(5)), Ok(Some(PassedOver::NothingLeft)));
        // The other half of ten bytes is as long as the first.
        assert_eq!(judged(206, &[(CONTENT_RANGE, "bytes 5-9/10")], Framing::Length(5)), Ok(None));
    }

    #[test]
    fn a_time_condition_is_judged_here_too() {
        let day = 86_400;
        let judged = |condition, modified: &str| {
            let request = Request { time_condition: Some(condition), ..get() };
            judge(&request, &head(200, &[(LAST_MODIFIED, modified)]), Framing::Chunked).unwrap().is_none()
        };
        let modified = date::http(WallTime::from_unix_seconds(10 * day));
        let at = |days| WallTime::from_unix_seconds(days * day);
        assert!(judged(TimeCondition::IfModifiedSince(at(9)), &modified));
        assert!(!judged(TimeCondition::IfModifiedSince(at(10)), &modified));
        assert!(judged(TimeCondition::IfUnmodifiedSince(at(11)), &modified));
        assert!(!judged(TimeCondition::IfUnmodifiedSince(at(10)), &modified));
        assert!(judged(TimeCondition::IfModifiedSince(at(11)), "whenever"), "who does not know, sends it");
    }
}
