//! The command line: one file a command.
//!
//! This file only chooses: [`arguments`] says what can be typed, each command's module does it. Answers
//! go to the writer that the command is given, complaints to standard error. Exit codes are the same
//! everywhere: 0 clean, 1 problems, 2 wrong usage. Surprising: a command that the documentation names
//! but that does not exist yet is known here, and says so, instead of being taken for a misspelling.

mod arguments;
mod check;
mod compat;
pub mod demo;
pub mod explain;
mod issuer;
mod loopback;
mod schema;
pub mod serve;
mod test;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ArgMatches;

/// Found nothing wrong.
const CLEAN: u8 = 0;
/// Found problems.
const PROBLEMS: u8 = 1;
/// Was not asked properly.
const USAGE: u8 = 2;

/// Runs the command that `arguments` name; the first of them is the program's own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match arguments::parse(arguments) {
        Ok(matches) => finish(dispatch(&matches, &mut io::stdout())),
        Err(error) => refuse_usage(&error),
    }
}

/// Calls the command.
fn dispatch(matches: &ArgMatches, out: &mut dyn Write) -> io::Result<ExitCode> {
    let directory = arguments::working_directory(matches);
    match matches.subcommand() {
        None => Ok(serve::run(&arguments::serve(matches, directory))),
        Some(("serve", serve)) => Ok(serve::run(&arguments::serve(serve, directory))),
        Some(("demo", demo)) => demo::run(&arguments::demo(demo), out),
        Some(("check", check)) => check::run(&directory, arguments::check_format(check), out),
        Some(("compat", compat)) => compat::run(&directory, arguments::compat_format(compat), out),
        Some(("explain", explain)) => {
            explain::run(&directory, &arguments::explain(explain), arguments::explain_json(explain), out)
        }
        Some(("test", test)) => test::run(&directory, arguments::test_file(test).as_deref(), out),
        Some(("schema", schema)) => schema::run(arguments::schema_name(schema), out),
        Some((later, _)) => Ok(not_yet(later)),
    }
}

/// Answers for a command of SPEC section 10 that does not exist yet.
fn not_yet(command: &str) -> ExitCode {
    complain(&format!("vestibule {command}: not supported yet"));
    ExitCode::from(USAGE)
}

/// A reader that went away (`vestibule check | head`) is no failure of the command.
fn finish(result: io::Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(CLEAN),
        Err(error) => {
            complain(&format!("vestibule: {error}"));
            ExitCode::from(PROBLEMS)
        }
    }
}

/// Prints clap's message: help to standard output with exit code 0, mistakes to standard error with 2.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { CLEAN })
}

/// Whether standard output takes colours (<https://no-color.org>).
fn in_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes one line to standard error.
fn complain(message: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "{message}");
}
