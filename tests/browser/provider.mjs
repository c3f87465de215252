// Real identity providers for the tests: `oidc-provider`, one a tenant, each with its own keys.
//
//   node provider.mjs 2
//
// binds that many free loopback ports (127.0.0.1, 127.0.0.2, …: a browser's cookies know no ports) and
// prints them as one JSON line. Then it reads one JSON line, for the clients' addresses are known only
// when the router listens, which has to know the issuers' first:
//
//   [{"issuer": "http://…", "clients": [{"client_id": …}], "ttl": {"AccessToken": 5}, "title": "Acme"}]
//
// prints `ready`, and serves until its standard input ends. Whoever types a name and the password
// `correct` is let in, and is called what was typed. What the provider does is written to standard error.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

/** Names of `*.localhost` are this machine, whatever the resolver thinks. */
function lookup(host, options, done) {
  assert(host.endsWith('.localhost'), host);
  const address = { address: '127.0.0.1', family: 4 };
  if (options.all) done(null, [address]);
  else done(null, address.address, address.family);
}

function key(kind, options, more) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', ...more };
}

function keys() {
  return {
    keys: [
      key('rsa', { modulusLength: 2048 }, { alg: 'RS256', kid: 'rsa' }),
      key('ec', { namedCurve: 'P-256' }, { alg: 'ES256', kid: 'curve' }),
    ],
  };
}

/** What is known of a person: nothing but the name that was typed. */
function account(name) {
  const [given, family] = name.split('@')[0].split('.');
  const capital = (word) => word && word[0].toUpperCase() + word.slice(1);
  return {
    accountId: name,
    claims: async () => ({
      sub: name,
      email: name.includes('@') ? name : `${name}@example.test`,
      preferred_username: name,
      given_name: capital(given),
      family_name: capital(family) ?? 'Example',
    }),
  };
}

/** Everyone has agreed to everything: consent is not what the tests are about. */
async function grant(ctx) {
  const { client, session, provider, params } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const found = known && (await provider.Grant.find(known));
  if (found) return found;
  const made = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  made.addOIDCScope(params.scope);
  await made.save();
  return made;
}

function configuration(number, { clients, ttl = {}, title = '' }) {
  return {
    clients,
    jwks: keys(),
    claims: {
      openid: ['sub', 'sid'],
      email: ['email'],
      profile: ['preferred_username', 'given_name', 'family_name'],
    },
    // The ID token says it all; a client that asked for userinfo besides would be seen in the log.
    conformIdTokenClaims: false,
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    pkce: { required: () => true, methods: ['S256'] },
    findAccount: (ctx, id) => account(id),
    loadExistingGrant: grant,
    issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600, ...ttl },
    cookies: {
      names: { session: `_session_${number}`, interaction: `_ask_${number}`, resume: `_resume_${number}` },
      keys: ['only for tests'],
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => void (ctx.body = page(title, logoutForm(form))),
        postLogoutSuccessSource: (ctx) => void (ctx.body = page(title, '<p>Logged out.</p>')),
      },
    },
    httpOptions: () => ({ dnsLookup: lookup }),
    renderError: (ctx, out) => void (ctx.body = page(title, `<p>${escape(JSON.stringify(out))}</p>`)),
  };
}

// ── the pages ──

function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function page(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log in to ${escape(title)}</title>
<style>body{font:16px system-ui,sans-serif;max-width:22rem;margin:4rem auto}label,input,button{display:block;
width:100%;margin:.5rem 0;padding:.4rem;box-sizing:border-box}</style></head>
<body><h1>${escape(title)}</h1>${body}</body></html>`;
}

function loginForm(wrong) {
  return `${wrong ? '<p role="alert">That is not the password.</p>' : ''}
<form method="post"><label>User <input name="user" autocomplete="username" autofocus required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button></form>`;
}

function logoutForm(form) {
  return `${form}<p>Log out here as well?</p><button form="op.logoutForm" name="logout" value="yes">Yes</button>
<script>document.forms[0].requestSubmit(document.querySelector('button'))</script>`;
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

/** The page where one logs in: shown, and taken. */
async function interact(provider, title, request, response) {
  await provider.interactionDetails(request, response);
  const form = request.method === 'POST' ? await body(request) : null;
  if (form?.get('password') === 'correct' && form.get('user')) {
    const result = { login: { accountId: form.get('user'), remember: true } };
    await provider.interactionFinished(request, response, result);
    return;
  }
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(page(title, loginForm(form !== null)));
}

// ── the process ──

/** Answers at `server`; what was asked before the provider was known waits for it. */
function serve(server, number) {
  const provided = new Promise((resolve) => { server.provide = (settings) => resolve(provide(number, settings)); });
  server.on('request', async (request, response) => (await provided)(request, response));
}

function provide(number, settings) {
  const provider = new Provider(settings.issuer, configuration(number, settings));
  const answer = provider.callback();
  provider.on('server_error', (ctx, error) => console.error(number, error));
  for (const event of ['authorization.error', 'grant.error', 'backchannel.error']) {
    provider.on(event, (ctx, error) => console.error(number, event, error?.error, error?.error_description ?? error));
  }
  provider.on('grant.success', (ctx) => console.error(number, 'granted', ctx.oidc.params.grant_type));
  return (request, response) => {
    console.error(number, request.method, request.url.split('?')[0]);
    if (!request.url.startsWith('/interaction/')) return void answer(request, response);
    interact(provider, settings.title ?? '', request, response).catch((error) => {
      response.statusCode = 400;
      response.end(String(error));
    });
  };
}

async function listen(number) {
  const server = createServer();
  serve(server, number);
  await new Promise((resolve) => server.listen(0, `127.0.0.${number + 1}`, resolve));
  return server;
}

const count = Number(process.argv[2] ?? 1);
const servers = await Promise.all(Array.from({ length: count }, (_, number) => listen(number)));
console.log(JSON.stringify(servers.map((server) => `${server.address().address}:${server.address().port}`)));
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  JSON.parse(line).forEach((settings, number) => servers[number].provide(settings));
  console.log('ready');
});
lines.once('close', () => process.exit(0));
