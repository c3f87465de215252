//! What can be typed, and what it means.
//!
//! The whole command tree in one place, so that `--help` is read here and nowhere else. Values leave as
//! the commands' own types. It opens no file and reads no environment. Surprising: `serve` is the default
//! command, so its flags exist twice, before and after the word `serve`; before any other command they
//! are an error rather than silently without effect.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::check::Format;
use super::compat;
use super::explain::Question;
use super::issuer::TOKEN_LIFETIME;
use super::schema::Schema;
use super::serve::{Admin, Development, Options};
use super::{demo, explain};

/// The flags of `serve`.
const SERVE_FLAGS: [&str; 6] = ["port", "admin", "workers", "dev", "issuer", "token-lifetime"];

/// Reads the arguments; the error is clap's, help included.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    let mut tree = tree();
    let matches = tree.try_get_matches_from_mut(arguments)?;
    match misplaced(&matches) {
        None => Ok(matches),
        Some(flag) => Err(tree.error(
            ErrorKind::ArgumentConflict,
            format!("--{flag} belongs to serve and has no meaning before another command"),
        )),
    }
}

/// A flag of `serve` that stands before a command.
fn misplaced(matches: &ArgMatches) -> Option<&'static str> {
    matches.subcommand()?;
    let typed = |flag: &&str| matches.value_source(flag) == Some(ValueSource::CommandLine);
    SERVE_FLAGS.into_iter().find(typed)
}

/// The program.
fn tree() -> Command {
    Command::new("vestibule")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A multi-tenant application router: your xs-app.json, any identity provider per tenant.")
        .after_help("Without a command, vestibule serves. Exit codes: 0 clean, 1 problems, 2 wrong usage.")
        .arg(working_directory_flag())
        .args(serve_flags())
        .args(development_flags())
        .subcommands([serve_command(), demo_command(), check_command(), explain_command()])
        .subcommands([test_command(), schema_command(), compat_command()])
        .subcommands(["tenants", "doctor"].map(later_command))
}

fn working_directory_flag() -> Arg {
    Arg::new("working-dir")
        .short('w')
        .long("working-dir")
        .value_name("DIR")
        .help("The directory of xs-app.json and the files beside it")
        .default_value(".")
        .value_parser(value_parser!(PathBuf))
        .global(true)
}

fn serve_flags() -> [Arg; 3] {
    [
        Arg::new("port")
            .long("port")
            .value_name("PORT")
            .help("The port to listen on; 0 takes a free one [default: PORT of the environment, else 5000]")
            .value_parser(value_parser!(u16)),
        Arg::new("admin")
            .long("admin")
            .value_name("ADDR|off")
            .help("Where the admin port listens, or off; any address but loopback requires ADMIN_TOKEN [default: 127.0.0.1:9900]")
            .value_parser(admin_address),
        Arg::new("workers")
            .long("workers")
            .value_name("N")
            .help("How many threads serve requests [default: one a core]")
            .value_parser(value_parser!(NonZeroUsize)),
    ]
}

/// The flags of `serve --dev`.
fn development_flags() -> [Arg; 3] {
    let dev = Arg::new("dev")
        .long("dev")
        .help("Put the development issuer in the place of every issuer and XSUAA or IAS binding: everyone may log in as anyone; loopback only")
        .action(ArgAction::SetTrue);
    let [issuer, lifetime] = issuer_flags();
    [dev, issuer.requires("dev"), lifetime.requires("dev")]
}

/// What can be said of the development issuer.
fn issuer_flags() -> [Arg; 2] {
    let address = Arg::new("issuer")
        .long("issuer")
        .value_name("ADDR")
        .help("Where the development issuer listens, on loopback; port 0 takes a free one")
        .default_value("127.0.0.1:0")
        .value_parser(loopback_address);
    let lifetime = Arg::new("token-lifetime")
        .long("token-lifetime")
        .value_name("SECONDS")
        .help("How long its tokens live where the login page does not choose")
        .default_value("3600")
        .value_parser(value_parser!(u64).range(1..=86_400));
    [address, lifetime]
}

fn serve_command() -> Command {
    Command::new("serve")
        .about("Serve requests (the default command)")
        .after_help(
            "Listens on all interfaces, or on XS_BIND_ADDRESS of the environment; with --dev on loopback.",
        )
        .args(serve_flags())
        .args(development_flags())
}

fn demo_command() -> Command {
    let directory = Arg::new("dir")
        .long("dir")
        .value_name("DIR")
        .help("Where to write the configuration; files that are there already are kept [default: a fresh temporary directory]")
        .value_parser(value_parser!(PathBuf));
    let port = Arg::new("port")
        .long("port")
        .value_name("PORT")
        .help("The port to listen on; 0 takes a free one [default: 5000, or a free one where that is taken]")
        .value_parser(value_parser!(u16));
    Command::new("demo")
        .about("Everything in one process: sample application, two tenants, development identity provider")
        .after_help("Loopback only. Prints commands to copy that show what it does.")
        .args([directory, port])
        .args(issuer_flags())
}

fn check_command() -> Command {
    Command::new("check")
        .about("Compile the configuration and print every problem")
        .after_help("Exit code 1 when there is an error; warnings and notes leave it 0.")
        .arg(format_flag(&["human", "json", "sarif"]))
}

fn compat_command() -> Command {
    Command::new("compat")
        .about("Say what of a project of the SAP application router works here, and what does not")
        .after_help("Reads xs-app.json, default-env.json, default-services.json, manifest.yml, mta.yaml, package.json, the start file and the environment. Exit code 1 when something is refused.")
        .arg(format_flag(&["human", "json"]))
}

fn explain_command() -> Command {
    let request = Arg::new("request")
        .value_name("[METHOD] URL")
        .help(
            "What to ask about, e.g. http://acme.localhost:5000/api/orders; the method is GET when left out",
        )
        .num_args(1..=2)
        .required(true);
    let header = Arg::new("header")
        .short('H')
        .long("header")
        .value_name("NAME: VALUE")
        .help("A header of the request; repeatable")
        .action(ArgAction::Append)
        .value_parser(explain::header);
    let token = Arg::new("token")
        .long("token")
        .value_name("FILE")
        .help("A file with a bearer token to send along; - is standard input")
        .value_parser(value_parser!(PathBuf));
    Command::new("explain")
        .about("Say which tenant, route, authentication and upstream request a request gets, and why")
        .after_help("Runs the server's own code. Sends nothing to a destination; asks the tenant's issuer for its keys where a token is given.")
        .args([request, header, token, format_flag(&["human", "json"])])
}

fn test_command() -> Command {
    let file = Arg::new("file")
        .value_name("FILE")
        .help("The requests and expectations [default: xs-app.test.json in the working directory]")
        .value_parser(value_parser!(PathBuf));
    Command::new("test")
        .about("Run the requests and expectations of xs-app.test.json through the server's own code")
        .arg(file)
}

fn schema_command() -> Command {
    let name = Arg::new("name")
        .value_name("FILE")
        .help("Which file's schema")
        .required(true)
        .value_parser(PossibleValuesParser::new(["xs-app", "xs-tenants"]));
    Command::new("schema").about("Print the JSON Schema of a configuration file, for editors").arg(name)
}

/// A command of a later version: known, hidden, and answered for by the caller.
fn later_command(name: &'static str) -> Command {
    Command::new(name)
        .hide(true)
        .disable_help_flag(true)
        .arg(Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true))
}

fn format_flag(values: &'static [&'static str]) -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .help("How to print")
        .default_value("human")
        .value_parser(PossibleValuesParser::new(values))
}

/// `--admin`'s value.
fn admin_address(text: &str) -> Result<Admin, String> {
    match text {
        "off" => Ok(Admin::Off),
        _ => text
            .parse::<SocketAddr>()
            .map(Admin::At)
            .map_err(|_| "an address like 127.0.0.1:9900, or off".to_owned()),
    }
}

/// `--issuer`'s value.
fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "an address like 127.0.0.1:5001".to_owned())?;
    let why = "everyone may log in as anyone, so this listens on loopback alone";
    if address.ip().is_loopback() { Ok(address) } else { Err(why.to_owned()) }
}

/// `--issuer` and `--token-lifetime`.
fn issuer(matches: &ArgMatches) -> Development {
    Development {
        issuer: matches.get_one("issuer").copied().unwrap_or(demo::ANYWHERE),
        token_lifetime: matches.get_one("token-lifetime").copied().unwrap_or(TOKEN_LIFETIME),
    }
}

/// `--working-dir`.
pub(super) fn working_directory(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<PathBuf>("working-dir").cloned().unwrap_or_else(|| PathBuf::from("."))
}

/// What `serve` was asked for.
pub(super) fn serve(matches: &ArgMatches, directory: PathBuf) -> Options {
    Options {
        directory,
        port: matches.get_one("port").copied(),
        admin: matches.get_one("admin").copied(),
        workers: matches.get_one("workers").copied(),
        environment: None,
        development: matches.get_flag("dev").then(|| issuer(matches)),
    }
}

/// What `demo` was asked for.
pub(super) fn demo(matches: &ArgMatches) -> demo::Options {
    let Development { issuer, token_lifetime } = issuer(matches);
    demo::Options {
        directory: matches.get_one("dir").cloned(),
        port: matches.get_one("port").copied(),
        issuer,
        token_lifetime,
    }
}

/// How `check` prints.
pub(super) fn check_format(matches: &ArgMatches) -> Format {
    match format(matches) {
        "json" => Format::Json,
        "sarif" => Format::Sarif,
        _ => Format::Human,
    }
}

/// How `compat` prints.
pub(super) fn compat_format(matches: &ArgMatches) -> compat::Format {
    match format(matches) {
        "json" => compat::Format::Json,
        _ => compat::Format::Human,
    }
}

/// What `explain` was asked.
pub(super) fn explain(matches: &ArgMatches) -> Question {
    let words: Vec<&String> = matches.get_many("request").unwrap_or_default().collect();
    let (method, url) = match words.as_slice() {
        [method, url] => (method.as_str(), url.as_str()),
        [url] => ("GET", url.as_str()),
        _ => ("GET", ""),
    };
    Question {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: matches.get_many("header").unwrap_or_default().cloned().collect(),
        token: matches.get_one("token").cloned(),
    }
}

/// Whether `explain` prints JSON.
pub(super) fn explain_json(matches: &ArgMatches) -> bool {
    format(matches) == "json"
}

/// The file that `test` reads.
pub(super) fn test_file(matches: &ArgMatches) -> Option<PathBuf> {
    matches.get_one("file").cloned()
}

/// Whose schema `schema` prints.
pub(super) fn schema_name(matches: &ArgMatches) -> Schema {
    match matches.get_one::<String>("name").map(String::as_str) {
        Some("xs-tenants") => Schema::Tenants,
        _ => Schema::Application,
    }
}

fn format(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("format").map_or("human", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<ArgMatches, clap::Error> {
        parse(std::iter::once("vestibule").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_tree_is_consistent() {
        tree().debug_assert();
    }

    #[test]
    fn accepted_lines() {
        for line in [
            "",
            "--port 0 --admin off --workers 2",
            "-w /x serve --port 80",
            "serve -w /x --admin 127.0.0.1:0",
            "check -w /x --format sarif",
            "compat -w /x --format json",
            "explain GET http://acme.localhost/ -H a:b -H c:d --token t --format json",
            "explain /path",
            "test",
            "schema xs-app",
            "demo --dir /x --port 0",
            "demo --issuer [::1]:0 --token-lifetime 60",
            "--dev",
            "serve --dev --issuer 127.0.0.1:5001 --token-lifetime 10",
            "tenants list --all",
            "doctor",
        ] {
            assert!(typed(line).is_ok(), "{line}: {:?}", typed(line).err());
        }
    }

    #[test]
    fn refused_lines_say_why() {
        for (line, why) in [
            ("--port 5000 check", "belongs to serve"),
            ("serve --port 70000", "not in 0..=65535"),
            ("serve --admin everywhere", "an address like"),
            ("serve --workers 0", "number would be zero"),
            ("--dev check", "belongs to serve"),
            ("serve --issuer 127.0.0.1:5001", "--dev"),
            ("serve --dev --issuer 0.0.0.0:0", "loopback alone"),
            ("demo --issuer 192.0.2.1:80", "loopback alone"),
            ("serve --dev --token-lifetime 0", "not in 1..=86400"),
            ("check --format xml", "[possible values: human, json, sarif]"),
            ("schema other", "[possible values: xs-app, xs-tenants]"),
            ("explain", "required"),
            ("explain / -H nocolon", "NAME: VALUE"),
            ("chekc", "similar"),
        ] {
            let error = typed(line).expect_err(line).to_string();
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn serve_is_the_default_and_its_flags_arrive() {
        let matches = typed("--port 8080 --admin off --workers 3 -w /x").expect("accepted");
        let options = serve(&matches, working_directory(&matches));
        assert_eq!(options.port, Some(8080));
        assert_eq!(options.admin, Some(Admin::Off));
        assert_eq!(options.workers.map(NonZeroUsize::get), Some(3));
        assert_eq!(options.directory, PathBuf::from("/x"));
    }
}
