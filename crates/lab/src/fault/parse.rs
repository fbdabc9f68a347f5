//! Reads sentences.

use super::bad_fault::BadFault;
use super::spec::FaultSpec;

pub(super) fn sentence(text: &str) -> Result<FaultSpec, BadFault> {
    Err(BadFault {
        sentence: text.to_owned(),
        at: 0..text.len(),
        why: "expected a fault".to_owned(),
        nearest: None,
    })
}
