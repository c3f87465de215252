//! The people that can be chosen at the login page.
//!
//! Names beyond ASCII are among them, because they are where headers and pages go wrong.

/// A person.
pub(super) struct User {
    /// What they log in as.
    pub(super) name: &'static str,
    /// Their given name.
    pub(super) given: &'static str,
    /// Their family name.
    pub(super) family: &'static str,
}

/// Everyone there is.
pub(super) const USERS: [User; 4] = [
    User { name: "alice", given: "Alice", family: "Archer" },
    User { name: "bob", given: "Bob", family: "Baker" },
    User { name: "chloe", given: "Chloé", family: "Dubois" },
    User { name: "minh", given: "Minh", family: "Nguyễn" },
];

impl User {
    /// The person who logs in as `name`.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        USERS.iter().find(|user| user.name == name)
    }

    /// The address of `name` at a tenant.
    pub(super) fn email(name: &str, tenant: &str) -> String {
        format!("{name}@{tenant}.test")
    }
}
