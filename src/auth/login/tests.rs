//! Tests of `auth::login`: tables, each row with what it shows.
