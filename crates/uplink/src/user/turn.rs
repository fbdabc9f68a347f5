//! A turn for everybody.
//!
//! The world is one thread. A task that waits only when there is nothing for it to do would keep
//! everybody else from going on for as long as somebody outside sends; and what it hands to the
//! stack would pile up, since the stack has no turn either.

use std::future::poll_fn;
use std::task::Poll;

/// Lets everybody else who can go on do so first.
pub(super) async fn give_way() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
