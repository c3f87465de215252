//! What is documented for the SAP application router, and what becomes of it here: the one table.
//!
//! `vestibule compat` prints from it, the notes about variables without effect take their words from it,
//! `docs/sap-approuter.md` mirrors it, and a test runs every row's sample through the program. It knows
//! names and words; what a key does is decided where it is compiled. Surprising: a name with `: ` in it
//! (`routes[].service: html5-apps-repo-rt`) is a key with a certain value, and goes before the key alone.

mod app;
mod bindings;
mod destinations;
mod extensions;
mod variables;

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It keeps the program from starting, or would be missed if it did.
    Refused,
    /// It does something else in a way that can be noticed.
    Differs,
    /// It has no effect, and needs none.
    Ignored,
    /// It does what is documented.
    Works,
}

/// Where something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A key of `xs-app.json`: dotted, `[]` for the elements of a list, `*` for any name.
    App,
    /// A variable of the environment, or a key of its value.
    Variable,
    /// A key of an entry of the variable `destinations`.
    Destination,
    /// A property of a destination of the Destination service.
    DestinationService,
    /// A kind of bound service.
    Binding,
    /// A credential of a bound business service.
    Credential,
    /// How the application router is started.
    Start,
    /// What a start file of one's own calls or hands over.
    Extension,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Documented {
    /// The name, in the notation of its [`Place`].
    pub name: &'static str,
    /// How it is written, for example.
    pub sample: &'static str,
    /// What happens to it.
    pub verdict: Verdict,
    /// How it differs, or why it is ignored or refused; empty where there is nothing to say.
    pub words: &'static str,
    /// What to do instead; empty where nothing has to be done.
    pub instead: &'static str,
    /// Whether `check` notes that it has no effect; not where it is everybody's variable.
    pub noted: bool,
}

/// The table, by place.
pub const TABLE: [(Place, &[Documented]); 8] = [
    (Place::App, app::ROWS),
    (Place::Variable, variables::ROWS),
    (Place::Destination, destinations::ROWS),
    (Place::DestinationService, destinations::SERVICE_ROWS),
    (Place::Binding, bindings::ROWS),
    (Place::Credential, bindings::CREDENTIAL_ROWS),
    (Place::Start, extensions::START_ROWS),
    (Place::Extension, extensions::ROWS),
];

impl Documented {
    /// The name without a value.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.name.split_once(": ").map_or(self.name, |(key, _)| key)
    }

    /// The value that the row is about; `None` for all values.
    #[must_use]
    pub fn value(&self) -> Option<&'static str> {
        self.name.split_once(": ").map(|(_, value)| value)
    }

    const fn works(name: &'static str, sample: &'static str) -> Self {
        Self { name, sample, verdict: Verdict::Works, words: "", instead: "", noted: true }
    }

    const fn differs(name: &'static str, sample: &'static str, words: &'static str) -> Self {
        Self { verdict: Verdict::Differs, words, ..Self::works(name, sample) }
    }

    const fn ignored(name: &'static str, sample: &'static str, words: &'static str) -> Self {
        Self { verdict: Verdict::Ignored, words, ..Self::works(name, sample) }
    }

    const fn refused(name: &'static str, sample: &'static str, words: &'static str) -> Self {
        Self { verdict: Verdict::Refused, words, ..Self::works(name, sample) }
    }

    const fn instead(self, instead: &'static str) -> Self {
        Self { instead, ..self }
    }

    const fn unnoted(self) -> Self {
        Self { noted: false, ..self }
    }
}

/// The rows of a place.
#[must_use]
pub fn rows(place: Place) -> &'static [Documented] {
    TABLE.iter().find(|(known, _)| *known == place).map_or(&[], |(_, rows)| rows)
}

/// The row of a name, for this value where there is one of its own.
#[must_use]
pub fn find(place: Place, name: &str, value: Option<&str>) -> Option<&'static Documented> {
    let of = |wanted: Option<&str>| rows(place).iter().find(|row| row.key() == name && row.value() == wanted);
    value.and_then(|value| of(Some(value))).or_else(|| of(None))
}

/// The variables that have no effect and are noted where they are set, with the reason.
pub(crate) fn ignored_variables() -> impl Iterator<Item = &'static Documented> {
    rows(Place::Variable)
        .iter()
        .filter(|row| row.verdict == Verdict::Ignored && row.noted && !row.name.contains(['.', '[']))
}

#[cfg(test)]
mod tests;
