//! What people look at: narration, ladder, pcapng, JSON lines, summary.
