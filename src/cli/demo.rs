//! `vestibule demo`: everything in one process, from nothing.
//!
//! Writes the built-in configuration to a folder, starts a sample application and a development issuer
//! beside the router, all on loopback, prints commands to copy, and serves. It knows the router only by
//! [`super::serve`]: what it shows is what a server does. Surprising: the process's own environment is
//! not read, so that a `destinations` or `VCAP_SERVICES` of the user's shell changes nothing here.

mod application;
mod events;
mod folder;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::issuer::{Issuer, Realms, Settings};
use super::loopback;
use super::serve::{self, Admin};

/// The tenants of the demo's `xs-tenants.json`.
const TENANTS: [&str; 2] = ["acme", "globex"];
/// The client of the demo's `xs-tenants.json`.
const CLIENT: &str = "demo";
/// A free port of this machine.
pub(super) const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Where the router listens when that port is free.
const PREFERRED_PORT: u16 = 5000;

/// What `demo` was asked for.
pub(super) struct Options {
    /// Where to write the configuration; `None` takes a fresh temporary directory.
    pub(super) directory: Option<PathBuf>,
    /// Where the router listens; `None` prefers one port and takes another where that is taken.
    pub(super) port: Option<u16>,
    /// Where the issuer listens; on loopback.
    pub(super) issuer: SocketAddr,
    /// How long a token lives where the login does not choose, in seconds.
    pub(super) token_lifetime: u64,
}

/// Where everything listens, and what is served.
struct Stage {
    directory: PathBuf,
    /// The router.
    port: u16,
    /// The development issuer.
    issuer: Arc<Issuer>,
    /// The sample application.
    application: SocketAddr,
}

/// Starts everything, says what to try, and serves until stopped.
pub(super) fn run(options: &Options, out: &mut dyn Write) -> io::Result<ExitCode> {
    let directory = folder::prepare(options.directory.as_deref())?;
    let issuer = Issuer::start(issuer_settings(options.issuer, options.token_lifetime))?;
    let application = start_application(&issuer)?;
    let port = router_port(options.port)?;
    let stage = Stage { directory, port, issuer, application };
    folder::write(&stage.directory, &stage.environment())?;
    if options.port.is_none() && port != PREFERRED_PORT {
        writeln!(out, "Port {PREFERRED_PORT} is taken; the demo takes {port}.\n")?;
    }
    stage.introduce(out)?;
    out.flush()?;
    Ok(serve::run_beside(&stage.served(), Some(stage.issuer)))
}

/// What the issuer is started with.
fn issuer_settings(address: SocketAddr, token_lifetime: u64) -> Settings {
    Settings { address, client_id: CLIENT, realms: Realms::Of(&TENANTS), token_lifetime }
}

/// Starts the sample application; says where it listens.
fn start_application(issuer: &Arc<Issuer>) -> io::Result<SocketAddr> {
    let (listener, address) = loopback::bind(ANYWHERE)?;
    let issuer = Arc::clone(issuer);
    loopback::spawn("application", listener, move |call| {
        let answer = application::respond(&call, &issuer);
        async move { answer }
    })?;
    Ok(address)
}

/// The router's port: the one that was asked for, which has to be free, or one that is.
fn router_port(asked: Option<u16>) -> io::Result<u16> {
    let free =
        |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr().map(|address| address.port());
    match asked {
        Some(port) => {
            free(port).map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))
        }
        None => free(PREFERRED_PORT).or_else(|_| free(0)),
    }
}

impl Stage {
    /// What goes to `default-env.json`: where things listen this time.
    fn environment(&self) -> serde_json::Value {
        serde_json::json!({
            "DEMO_ISSUER": format!("{}/{{tenant}}", self.issuer.url()),
            "destinations": [
                {"name": "backend", "url": format!("http://{}", self.application)},
                {"name": "account", "url": format!("http://{}", self.application), "forwardAuthToken": true},
            ],
        })
    }

    /// How the router is started.
    fn served(&self) -> serve::Options {
        let variables = [
            ("XS_BIND_ADDRESS", Ipv4Addr::LOCALHOST.to_string()),
            // Its events never end, and nobody should have to wait for that.
            ("DRAIN_TIMEOUT", "1".to_owned()),
            // The issuer forgets with the process, and so may the sessions.
            ("SESSION_STORE", "memory".to_owned()),
        ];
        serve::Options {
            directory: self.directory.clone(),
            port: Some(self.port),
            admin: Some(Admin::At((Ipv4Addr::LOCALHOST, 0).into())),
            workers: None,
            environment: Some(variables.map(|(name, value)| (name.to_owned(), value)).into()),
            development: None,
        }
    }

    /// Prints what there is and what to try.
    fn introduce(&self, out: &mut dyn Write) -> io::Result<()> {
        self.name_addresses(out)?;
        self.suggest_commands(out)
    }

    /// Prints what to open in a browser.
    fn name_addresses(&self, out: &mut dyn Write) -> io::Result<()> {
        let (port, issuer, folder) = (self.port, self.issuer.url(), Quoted(&self.directory));
        let home = format!("http://acme.localhost:{port}/");
        let [acme, globex] = TENANTS.map(|tenant| format!("http://{tenant}.localhost:{port}/account"));
        let [at_acme, at_globex] = TENANTS.map(|tenant| format!("{issuer}/{tenant}/sessions"));
        write!(
            out,
            "Vestibule demo: one application, two tenants, an issuer for each, nothing from the network.

Open in a browser:

  {home:<42}  the page for everyone
  {acme:<42}  log in: choose a user, see who you are, log out
  {globex:<42}  the other tenant: its own issuer, its own login
  {at_acme:<42}  who is logged in to acme; log them out from there
  {at_globex:<42}  the same of globex

The configuration is in {folder}

"
        )
    }

    /// Prints commands that show what happens.
    fn suggest_commands(&self, out: &mut dyn Write) -> io::Result<()> {
        let (port, issuer, folder) = (self.port, self.issuer.url(), Quoted(&self.directory));
        write!(
            out,
            r#"Copy into another terminal; each comment ends with the status to expect:

  TOKEN=$(curl -s -X POST '{issuer}/acme/mint?user=alice')
  SCOPED=$(curl -s -X POST '{issuer}/acme/mint?user=alice&scope=reports.read')

  # the page, and what the backend received: 200
  curl -i http://acme.localhost:{port}/

  # a token of acme's issuer opens acme: 200
  curl -i -H "Authorization: Bearer $TOKEN" http://acme.localhost:{port}/api/echo

  # it is refused at globex: 401
  curl -i -H "Authorization: Bearer $TOKEN" http://globex.localhost:{port}/api/echo

  # a forged x-tenant does not arrive, the backend sees acme: 200
  curl -i -H "Authorization: Bearer $TOKEN" -H 'X-Tenant: globex' http://acme.localhost:{port}/api/echo

  # reports need a scope: 403
  curl -i -H "Authorization: Bearer $TOKEN" http://acme.localhost:{port}/api/reports

  # and open with it: 200
  curl -i -H "Authorization: Bearer $SCOPED" http://acme.localhost:{port}/api/reports

  # host and path name different tenants: 400
  curl -i http://acme.localhost:{port}/t/globex/

  # nobody knows this tenant: 404
  curl -i http://initech.localhost:{port}/

Then edit the files; the next request follows:

  # /api moves to /service: 200
  sed -i.bak 's|/api/(|/service/(|' {folder}/xs-app.json
  curl -i -H "Authorization: Bearer $TOKEN" http://acme.localhost:{port}/service/echo

  # a misspelt key is reported below, with line and column, and changes nothing: 200
  sed -i.bak 's|"scope"|"scpoe"|' {folder}/xs-app.json
  curl -i -H "Authorization: Bearer $TOKEN" http://acme.localhost:{port}/service/echo

"#
        )
    }
}

/// A path as a shell takes it.
struct Quoted<'a>(&'a Path);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.display().to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
        if text.chars().all(plain) {
            f.write_str(&text)
        } else {
            write!(f, "'{}'", text.replace('\'', r"'\''"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_quoted_where_a_shell_needs_it() {
        for (path, quoted) in [("/srv/demo-1", "/srv/demo-1"), ("/a b", "'/a b'"), ("/it's", r"'/it'\''s'")] {
            assert_eq!(Quoted(Path::new(path)).to_string(), quoted);
        }
    }
}
