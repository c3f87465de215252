//! Dresses the answer.

pub mod refusal;
