//! A server's places: so many connections at once, and the next one waits for a free one.

use futures_channel::mpsc;
use futures_util::StreamExt;

/// So many connections at once. Whoever comes when all places are taken waits in the listener's
/// backlog.
#[derive(Debug)]
pub struct Places {
    free: mpsc::UnboundedReceiver<()>,
    giver: mpsc::UnboundedSender<()>,
}

/// One connection's place, free again when this is dropped.
#[derive(Debug)]
pub struct Place(mpsc::UnboundedSender<()>);

impl Places {
    /// So many places, all free. Without any nobody would ever be served: there is at least one.
    pub fn new(count: usize) -> Self {
        let (giver, free) = mpsc::unbounded();
        for _ in 0..count.max(1) {
            // This holds the other end.
            let _ = giver.unbounded_send(());
        }
        Self { free, giver }
    }

    /// Waits for a free place and takes it.
    pub async fn take(&mut self) -> Place {
        // The sender is held here too: the stream does not end.
        self.free.next().await;
        Place(self.giver.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // If the listener is gone, nobody needs the place.
        let _ = self.0.unbounded_send(());
    }
}
