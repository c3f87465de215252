//! Sends the request on, and streams both ways.
