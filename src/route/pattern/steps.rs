//! Patterns that only backtracking can match, with every step counted.
//!
//! Look-around, back-references, and repetitions of something that may be empty or leave out a group, all
//! exactly as ECMA-262 says: groups are forgotten when a repetition begins anew, an empty repetition is
//! given up, a group that took no part refers to nothing, a look-behind is read from right to left.
//! Surprising: it is not the `fancy-regex` crate, which differs in the first two, and bounds its
//! backtracks but not the work between them.

mod program;
mod run;

pub(super) use program::Program;
