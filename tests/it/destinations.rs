//! Every property of a destination, at a real proxy, a real TLS backend and stand-ins of the services.

mod certificates;
mod proxied;
