//! Which content coding a client would rather have (RFC 9110 §12.5.3).
//!
//! It knows weights and names, nothing of how anything is coded. Of codings that weigh the same ours is the
//! order of [`Coding::ALL`]. What cannot be read weighs nothing: a client that is not understood gets what
//! every client understands.

use http::{HeaderMap, HeaderValue, header};

/// A content coding that is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
    /// The format of zlib, RFC 1950, whatever the name says (RFC 9110 §8.4.1.2).
    Deflate,
}

impl Coding {
    /// All of them, the one that we prefer first.
    pub const ALL: [Self; 4] = [Self::Zstd, Self::Brotli, Self::Gzip, Self::Deflate];

    /// The name, as it stands in `Content-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// The value of `Content-Encoding`.
    #[must_use]
    pub fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    fn named(name: &str) -> Option<Self> {
        // The RFC wants the old name taken for the new one.
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        Self::ALL.into_iter().find(|coding| coding.name().eq_ignore_ascii_case(name))
    }
}

/// What a client takes: the weight of each coding in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    codings: [u16; Coding::ALL.len()],
    /// What it gives an answer that is not coded; it need not say.
    identity: Option<u16>,
}

impl Accepted {
    /// What a request with these headers takes; without `Accept-Encoding` no coding is taken.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut named = [None; Coding::ALL.len()];
        let (mut identity, mut other) = (None, None);
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for entry in lines.flat_map(|line| line.split(',')) {
            let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let (name, weight) = (name.trim(), quality(parameters));
            if name == "*" {
                other = Some(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                identity = Some(weight);
            } else if let Some(coding) = Coding::named(name) {
                named[coding as usize] = Some(weight);
            }
        }
        Self { codings: named.map(|weight| weight.or(other).unwrap_or(0)), identity }
    }

    /// Whether an answer in this coding is understood.
    #[must_use]
    pub fn takes(&self, coding: Coding) -> bool {
        self.codings[coding as usize] > 0
    }

    /// The coding that is preferred to all others and to none at all; ours of several that weigh the same.
    #[must_use]
    pub fn preferred(&self) -> Option<Coding> {
        let least = self.identity.unwrap_or(0).max(1);
        // Of equal ones the last is found, so ours come backwards.
        let best = Coding::ALL.into_iter().rev().max_by_key(|coding| self.codings[*coding as usize])?;
        (self.codings[best as usize] >= least).then_some(best)
    }
}

/// The `q` among parameters in thousandths; what cannot be read weighs nothing.
fn quality(parameters: &str) -> u16 {
    let values = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut qualities = values.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    qualities.next().map_or(1000, |(_, value)| thousandths(value.trim()).unwrap_or(0))
}

/// `1`, `0.5`, `0.333` in thousandths (RFC 9110 §12.4.2).
fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(3));
    if whole.len() != 1 || fraction.len() > 3 || !digits.clone().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(lines: &[&'static str]) -> Accepted {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        Accepted::of(&headers)
    }

    #[test]
    fn the_coding_that_weighs_most_is_preferred() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (lines, expected, shows) in [
            (&[][..], None, "nothing said, nothing coded"),
            (&[""], None, "nothing taken but what is not coded"),
            (&["gzip"], Some(Gzip), "one"),
            (&["GZip"], Some(Gzip), "in any case"),
            (&["x-gzip"], Some(Gzip), "by its old name"),
            (&["deflate"], Some(Deflate), "the oldest"),
            (&["gzip, deflate, br, zstd"], Some(Zstd), "a browser leaves it to us"),
            (&["gzip, deflate, br"], Some(Brotli), "an older browser"),
            (&["gzip, deflate"], Some(Gzip), "a program"),
            (&["gzip;q=1.0, br;q=0.9"], Some(Gzip), "it weighs more, though we would prefer the other"),
            (&["gzip;q=0.5, br;q=0.501"], Some(Brotli), "by a thousandth"),
            (&["gzip", "br;q=0.1"], Some(Gzip), "two lines are one list"),
            (&["*"], Some(Zstd), "anything"),
            (&["*;q=0.1"], Some(Zstd), "anything, if it must be"),
            (&["zstd;q=0, *"], Some(Brotli), "anything but one"),
            (&["br;q=0, zstd;q=0, *;q=0.5"], Some(Gzip), "anything but two"),
            (&["*;q=0"], None, "nothing at all: what is not coded is still better than no answer"),
            (&["identity;q=0, *;q=0"], None, "the same in more words"),
            (&["gzip;q=0"], None, "not this"),
            (&["gzip;q=0.0"], None, "not this"),
            (&["identity"], None, "none, please"),
            (&["identity, gzip"], Some(Gzip), "both alike: the shorter one"),
            (&["identity;q=0.5, gzip;q=0.4"], None, "rather none"),
            (&["identity;q=0.5, *"], Some(Zstd), "rather any"),
            (&["identity;q=0, gzip;q=0.001"], Some(Gzip), "by no means none"),
            (&["gzip;q=x"], None, "a weight that is none"),
            (&["gzip;q=2"], None, "too heavy"),
            (&["gzip;q=1.001"], None, "too heavy by a thousandth"),
            (&["gzip;q=0.1234"], None, "too exact"),
            (&["gzip;q=-1"], None, "a sign"),
            (&["gzip;q="], None, "no weight"),
            (&["gzip;level=9"], Some(Gzip), "a parameter that nobody knows"),
            (&["gzip ; q = 0.5 , br;Q=0.4"], Some(Gzip), "space and case do not matter"),
            (&["compress, lzma"], None, "codings that are not made here"),
            (&["gzip br"], None, "no list"),
            (&[",, gzip,,"], Some(Gzip), "empty entries name nothing"),
        ] {
            assert_eq!(accepted(lines).preferred(), expected, "{lines:?}: {shows}");
        }
    }

    #[test]
    fn a_coding_is_taken_where_it_weighs_anything() {
        let some = accepted(&["br;q=0.001, gzip;q=0, identity"]);
        let taken: Vec<_> = Coding::ALL.into_iter().filter(|coding| some.takes(*coding)).collect();
        assert_eq!(taken, [Coding::Brotli]);
        let mut odd = HeaderMap::new();
        odd.append(header::ACCEPT_ENCODING, HeaderValue::from_bytes(b"gzip\xff").expect("a value"));
        assert_eq!(Accepted::of(&odd), Accepted::default(), "what is no text is not understood");
    }
}
