//! What is in force, for people: key, value without secrets, origin.
//!
//! Only what was written somewhere is listed. A secret is left out when the list is made, not when it is
//! shown.

use super::super::env::sessions::StoreName;
use super::super::text::{Located, Mark};
use super::Compiler;
use super::answers;
use super::bound::Bound;
use crate::snapshot::Setting;

/// Describes what was compiled.
pub(super) fn describe(compiler: &Compiler<'_>, bound: &Bound) -> Vec<Setting> {
    let mut entries = Entries { compiler, list: Vec::new() };
    entries.environment();
    entries.application();
    entries.tenants();
    for (key, server) in [("bindings.xsuaa", &bound.xsuaa), ("bindings.ias", &bound.ias)] {
        if let Some(server) = server {
            entries.add(key, server.issuer.url.as_str(), server.mark);
        }
    }
    for (kind, credential) in [("destination", "uri"), ("connectivity", "onpremise_proxy_host")] {
        let binding = compiler.model.settings.bindings.iter().find(|binding| binding.is(kind));
        if let Some((binding, text)) =
            binding.and_then(|binding| Some((binding, binding.credential(credential)?)))
        {
            entries.add(format!("bindings.{kind}"), text, binding.mark);
        }
    }
    entries.list
}

struct Entries<'c, 'm> {
    compiler: &'c Compiler<'m>,
    list: Vec<Setting>,
}

impl Entries<'_, '_> {
    fn add(&mut self, key: impl Into<String>, value: impl Into<serde_json::Value>, mark: Mark) {
        let (file, line, column) = self.compiler.findings.texts.place(mark);
        let key = key.into();
        let variable = || key.split('.').next().unwrap_or_default().to_owned();
        let origin = if file == "environment" { variable() } else { format!("{file}:{line}:{column}") };
        self.list.push(Setting { key, value: value.into().to_string(), origin });
    }

    fn add_text(&mut self, key: &str, text: Option<&Located<Box<str>>>) {
        if let Some(text) = text {
            self.add(key, &*text.value, text.mark);
        }
    }

    fn environment(&mut self) {
        let settings = &self.compiler.model.settings;
        self.add_text("TENANT_HOST_PATTERN", settings.tenant_host_pattern.as_ref());
        self.add_text("DESTINATION_HOST_PATTERN", settings.destination_host_pattern.as_ref());
        self.add_text("UAA_SERVICE_NAME", settings.uaa_service_name.as_ref());
        let timeouts = [
            ("INCOMING_CONNECTION_TIMEOUT", settings.incoming_connection_timeout),
            ("INCOMING_REQUEST_TIMEOUT", settings.incoming_request_timeout),
            ("SERVER_KEEP_ALIVE", settings.server_keep_alive),
        ];
        for (key, timeout) in timeouts {
            if let Some(timeout) = timeout {
                self.add(key, timeout.value, timeout.mark);
            }
        }
        if let Some(origins) = &settings.websocket_origins {
            let hosts: Vec<&str> = origins.value.iter().map(|origin| &*origin.host.value).collect();
            self.add("WS_ALLOWED_ORIGINS", hosts, origins.mark);
        }
        self.answers();
        if let Some(external) = settings.external_reverse_proxy {
            self.add("EXTERNAL_REVERSE_PROXY", external.value, external.mark);
        }
        if let Some(cors) = &settings.cors {
            self.add("CORS", cors.value.len(), cors.mark);
        }
        if let Some(origins) = &settings.framing_origins {
            self.add("CJ_PROTECT_WHITELIST", origins.value.len(), origins.mark);
        }
        self.sessions();
        for destination in &settings.destinations {
            self.add(
                format!("destinations.{}.url", destination.name),
                &*destination.url.value,
                destination.mark,
            );
            if let Some((host, port)) = &destination.proxy {
                let key = format!("destinations.{}.proxy", destination.name);
                self.add(key, format!("{}:{port}", host.value), host.mark);
            }
            if let Some(mark) = destination.on_premise {
                self.add(format!("destinations.{}.proxyType", destination.name), "OnPremise", mark);
            }
            if let Some(name) = &destination.ias_dependency {
                let key = format!("destinations.{}.IASDependencyName", destination.name);
                self.add(key, &*name.value, name.mark);
            }
            if !destination.strict_ssl {
                self.add(format!("destinations.{}.strictSSL", destination.name), false, destination.mark);
            }
        }
    }

    fn sessions(&mut self) {
        let written = &self.compiler.model.settings.sessions;
        self.add_text("SESSION_COOKIE_NAME", written.cookie.as_ref());
        let counts = [("SESSION_TIMEOUT", written.timeout), ("JWT_REFRESH", written.refresh)];
        for (key, count) in counts {
            if let Some(count) = count {
                self.add(key, count.value, count.mark);
            }
        }
        let flags =
            [("SECURE_SESSION_COOKIE", written.secure), ("PRESERVE_FRAGMENT", written.preserve_fragment)];
        for (key, flag) in flags {
            if let Some(flag) = flag {
                self.add(key, flag.value, flag.mark);
            }
        }
        if let Some(csrf) = written.service_csrf {
            self.add("SVC2AR_STORE_CSRF_IN_EXTERNAL_SESSION", csrf.value, csrf.mark);
        }
        if let Some(cookies) = &written.cookies {
            self.add("COOKIES.SameSite", if cookies.cross_site { "None" } else { "Lax" }, cookies.mark);
            self.add("COOKIES.Partitioned", cookies.partitioned, cookies.mark);
        }
        if let Some(store) = &written.store {
            let store_name = match store.value {
                StoreName::Memory => "memory",
                StoreName::Cookie => "cookie",
                StoreName::Redis => "redis",
                StoreName::RedisAt(_) => "[secret]",
            };
            self.add("SESSION_STORE", store_name, store.mark);
        }
        let secrets = written.secrets.as_ref().map(|secrets| secrets.mark);
        let external = written.external.as_ref().map(|external| external.mark);
        let backends = written.backend_cookies.as_ref().map(|secret| secret.mark);
        for (key, mark) in
            [("SESSION_SECRET", secrets), ("EXT_SESSION_MGT", external), ("BACKEND_COOKIES_SECRET", backends)]
        {
            if let Some(mark) = mark {
                self.add(key, "[secret]", mark);
            }
        }
    }

    fn answers(&mut self) {
        let model = self.compiler.model;
        let variables = &model.settings.answers;
        let flags = [
            ("SEND_XFRAMEOPTIONS", variables.frame_options),
            ("MERGE_CSP_HEADERS", variables.merge_policies),
        ];
        for (key, flag) in flags {
            if let Some(flag) = flag {
                self.add(key, flag.value, flag.mark);
            }
        }
        let compression = answers::written_compression(self.compiler);
        let codings =
            [("enabled", compression.enabled), ("compressResponseMixedTypeContent", compression.mixed)];
        for (key, flag) in codings {
            if let Some(flag) = flag {
                self.add(self.compression_key(key, flag.mark), flag.value, flag.mark);
            }
        }
        if let Some(size) = compression.min_size {
            self.add(self.compression_key("minSize", size.mark), size.value, size.mark);
        }
        for header in &variables.headers {
            self.add(format!("httpHeaders.{}", header.name.value), &*header.value.value, header.name.mark);
        }
        for header in model.app.iter().flat_map(|app| &app.answers.headers) {
            let key = format!("responseHeaders.{}", header.name.value);
            self.add(key, &*header.value.value, header.name.mark);
        }
        for (place, page) in model.app.iter().flat_map(|app| &app.answers.error_pages).enumerate() {
            let file = page.file.as_ref().map(|file| &file.name);
            let leads = file.or(page.path.as_ref()).map_or("", |written| &*written.value);
            self.add(format!("errorPage[{place}]"), leads, page.mark);
        }
    }

    /// The variable and the section have names of their own.
    fn compression_key(&self, key: &str, mark: Mark) -> String {
        let from_variable = self.compiler.findings.texts.place(mark).0 == "environment";
        format!("{}.{key}", if from_variable { "COMPRESSION" } else { "compression" })
    }

    fn application(&mut self) {
        let Some(app) = &self.compiler.model.app else { return };
        self.add("authenticationMethod", if app.open { "none" } else { "route" }, app.mark);
        self.add_text("welcomeFile", app.welcome.as_ref());
        self.add("routes", app.routes.len(), app.mark);
        if let Some(timeout) = app.session_timeout {
            self.add("sessionTimeout", timeout.value, timeout.mark);
        }
        if let Some(mark) = app.websockets {
            self.add("websockets.enabled", true, mark);
        }
        if let Some(cors) = &app.cors {
            self.add("cors", cors.value.len(), cors.mark);
        }
        self.add_text("pluginMetadataEndpoint", app.plugin_metadata.as_ref());
        self.add_text("whitelistService.endpoint", app.allowlist.as_ref());
        self.add_text("login.callbackEndpoint", app.callback.as_ref());
        self.add_text("logout.logoutEndpoint", app.logout.endpoint.as_ref());
        self.add_text("logout.logoutPage", app.logout.page.as_ref());
        self.add_text("logout.backChannelLogoutEndpoint", app.logout.back_channel.as_ref());
        for section in &app.services {
            let name = &section.name.value;
            self.add_text(&format!("services.{name}.endpoint"), section.endpoint.as_ref());
            self.add_text(&format!("services.{name}.logoutPath"), section.logout_path.as_ref());
        }
    }

    fn tenants(&mut self) {
        let file = self.compiler.tenants;
        for (place, rule) in file.hosts.iter().enumerate() {
            self.add(format!("hosts[{place}]"), &*rule.host.value, rule.host.mark);
        }
        if let Some(path) = &file.path {
            self.add("path.prefix", &*path.prefix.value, path.prefix.mark);
        }
        for (place, network) in file.trusted_proxies.iter().enumerate() {
            self.add(format!("trustedProxies[{place}]"), &*network.value, network.mark);
        }
        if let Some(accept) = file.accept_unknown {
            self.add("unknownTenants", if accept.value { "accept" } else { "refuse" }, accept.mark);
        }
        if let Some(issuer) = &file.defaults.issuer {
            self.add_text("defaults.issuer.url", issuer.url.as_ref());
            self.add_text("defaults.issuer.clientId", issuer.client_id.as_ref());
            for (key, secret) in [("clientSecret", &issuer.client_secret), ("clientKey", &issuer.client_key)]
            {
                if secret.is_some() {
                    self.add(format!("defaults.issuer.{key}"), "[secret]", issuer.mark);
                }
            }
        }
        for (key, name) in &file.headers {
            self.add(format!("headers.{key}"), &*name.value, name.mark);
        }
        let limits = [("idleSeconds", file.websockets.idle), ("ageSeconds", file.websockets.age)];
        for (key, limit) in limits {
            if let Some(limit) = limit {
                self.add(format!("websockets.{key}"), limit.value, limit.mark);
            }
        }
        if let Some(mark) = file.assertion {
            self.add("assertion", true, mark);
        }
        if let Some(first) = file.tenants.as_deref().and_then(<[_]>::first) {
            let count = file.tenants.as_deref().map_or(0, <[_]>::len);
            self.add("tenants", count, first.key.mark);
        }
    }
}
