//! The browser's part: the address bar, the connector, the fetch.
