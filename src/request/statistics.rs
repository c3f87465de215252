//! Whether a request asks how long it takes: SAP Statistics.
//!
//! It does by a header, or by a query parameter, which backends are told of as the header.

use http::{HeaderMap, HeaderName};

/// The header that asks, and that backends with statistics of their own answer with.
pub const SAP_STATISTICS: HeaderName = HeaderName::from_static("sap-statistics");

/// The header that we answer with.
pub const SAP_STATISTICS_APPROUTER: HeaderName = HeaderName::from_static("sap-statistics-approuter");

/// Whether `headers` or `query`, which may begin with `?`, ask.
#[must_use]
pub fn are_wanted(headers: &HeaderMap, query: &str) -> bool {
    headers.get(SAP_STATISTICS).is_some_and(|value| value == "true") || are_wanted_by(query)
}

/// Whether `query`, which may begin with `?`, asks.
#[must_use]
pub fn are_wanted_by(query: &str) -> bool {
    let asks = |pair: &str| pair == "sap-statistics=true";
    !query.is_empty() && query.trim_start_matches('?').split('&').any(asks)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_or_a_parameter_asks() {
        for (header, query, expected) in [
            (None, "", false),
            (Some("true"), "", true),
            (Some("false"), "", false),
            (None, "?sap-statistics=true", true),
            (None, "?a=1&sap-statistics=true", true),
            (None, "?xsap-statistics=true", false),
            (None, "?sap-statistics=truely", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|value| (SAP_STATISTICS, HeaderValue::from_static(value))));
            assert_eq!(are_wanted(&headers, query), expected, "{header:?} {query}");
        }
    }
}
