//! Picks the route of a request and rewrites its path.
