//! Arguments become a command, the command an exit code.
//!
//! Everything else is in the library, where tests and fuzz targets reach it; see [`vestibule::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule::cli::run(std::env::args_os())
}
