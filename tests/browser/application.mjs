// A person with an application in a real browser: static files, an API, a large upload and a download,
// events, a WebSocket, and scripts of other sites.
//
//   node application.mjs '{"acme": "http://acme.localhost:…", "partner": …, "stranger": …, …}'
//
// The application is in `application/`, what is behind it in `backend.mjs`.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { tell, typeLogin } from './person.mjs';

const { acme, partner, stranger, screenshots } = JSON.parse(process.argv[2]);
const MEBIBYTE = 1024 * 1024;

async function sha256(pieces) {
  const hash = createHash('sha256');
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** What the page sends, by its own rule. */
function* uploaded() {
  const piece = Uint8Array.from({ length: MEBIBYTE }, (_, place) => place % 251);
  for (let n = 0; n < 200; n += 1) yield piece;
}

/** Waits until the text of `id` is as it should be, and returns it. */
async function text(page, id, pattern) {
  const place = page.locator(`#${id}`).filter({ hasText: pattern });
  await place.waitFor({ timeout: 60_000 });
  return place.textContent();
}

/** What a script of another site gets of `path`; an error where the browser keeps it. */
function ask(page, path, options = {}) {
  return page.evaluate(async ([url, options]) => {
    try {
      const response = await fetch(url, options);
      return { status: response.status, total: response.headers.get('x-total'), text: await response.text() };
    } catch (error) {
      return { kept: String(error) };
    }
  }, [acme + path, options]);
}

await tell(screenshots, async ({ browser, page, step, picture }) => {
  const problems = [];
  page.on('console', (message) => {
    const ours = message.location().url.startsWith(acme);
    if (ours && message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));

  await step('the welcome file asks for a login, and is there afterwards', async () => {
    await page.goto(`${acme}/`);
    await page.getByLabel('Password').waitFor();
    await typeLogin(page);
    await page.waitForURL(`${acme}/index.html`);
    assert.equal(await text(page, 'tenant', /acme/), 'acme');
    assert.match(await text(page, 'user', /ann/), /ann\.other/);
  });

  await step('static files come compressed, with their types, and once', async () => {
    const files = await page.evaluate(() => performance.getEntriesByType('resource')
      .filter((it) => /\.(css|js)$/.test(it.name))
      .map((it) => ({ name: it.name, sent: it.encodedBodySize, is: it.decodedBodySize })));
    assert.equal(files.length, 2, JSON.stringify(files));
    for (const file of files) assert.ok(file.sent > 0 && file.sent < file.is, JSON.stringify(file));
    const [first, again] = await page.evaluate(async () => {
      const first = await fetch('/application.css', { cache: 'reload' });
      // Without a Cache-Control of its own the browser would say no-cache, which asks for the whole file.
      const headers = { 'if-none-match': first.headers.get('etag'), 'cache-control': 'max-age=0' };
      const again = await fetch('/application.css', { headers });
      return [first, again].map((it) => [it.status, it.headers.get('content-type'), it.headers.get('x-answered-by')]);
    });
    assert.equal(first[0], 200);
    assert.match(first[1], /^text\/css/);
    assert.equal(first[2], 'vestibule', 'responseHeaders are on every answer');
    assert.equal(again[0], 304);
  });

  await step('events arrive when they are sent', async () => {
    const seen = await text(page, 'events', /^5: /);
    const delays = seen.match(/(\d+)(?=,| ms)/g).map(Number);
    assert.equal(delays.length, 5, seen);
    // Held back until the fifth, the first would have been under way for 400 ms.
    assert.ok(Math.min(...delays) < 100, seen);
    assert.ok(delays[0] < 350, seen);
  });

  await step('the API takes a token, and nothing without it', async () => {
    const bare = await page.evaluate(async () => {
      const response = await fetch('/api/orders', { method: 'POST', body: '{}' });
      return [response.status, response.headers.get('x-csrf-token')];
    });
    assert.deepEqual(bare, [403, 'Required']);
    await page.click('#save');
    assert.match(await text(page, 'saved', /^\d/), /^200 \{"saved":true\}$/);
  });

  await step('a WebSocket: text, a mebibyte, and what the backend says by itself', async () => {
    assert.equal(await text(page, 'socket', /open/), 'open, orders');
    assert.match(await text(page, 'heard', /hello/), /hello acme/);
    await page.click('#greet');
    assert.match(await text(page, 'heard', /bytes/), /hello 1048576 bytes$/);
  });

  await step('an upload of 200 MB', async () => {
    await page.click('#upload');
    const answer = await text(page, 'uploaded', /^\d/);
    assert.ok(answer.startsWith('200 '), answer);
    const { bytes, sha256: seen } = JSON.parse(answer.slice(4));
    assert.equal(bytes, 200 * MEBIBYTE);
    assert.equal(seen, await sha256(uploaded()));
    await picture(page, 'application-after-upload');
  });

  await step('a download of 64 MB', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    assert.equal(download.suggestedFilename(), 'orders.bin');
    const path = await download.path();
    const piece = Buffer.alloc(MEBIBYTE, Uint8Array.from({ length: 251 }, (_, place) => place));
    assert.equal(await sha256(createReadStream(path)), await sha256(Array(64).fill(piece)));
  });

  assert.deepEqual(problems.filter((it) => !/403/.test(it)), [], 'the browser complains of nothing');

  await step('a partner may read what is open to it, and no more', async () => {
    const other = await browser.newPage();
    await other.goto(`${partner}/`);
    assert.deepEqual(await ask(other, '/open/prices', { headers: { 'x-partner': '1' } }),
      { status: 200, total: '7', text: '{"tenant":"acme"}' });
    assert.equal((await ask(other, '/api/orders', { headers: { accept: 'application/json' } })).status, 401,
      'a script can read that it is nobody');
    assert.ok((await ask(other, '/open/prices', { method: 'DELETE' })).kept, 'a method that is not allowed');
    assert.ok((await ask(other, '/open/prices', { headers: { 'x-secret': '1' } })).kept, 'a header that is not');
    await picture(other, 'partner');
    await other.goto(`${stranger}/`);
    assert.ok((await ask(other, '/open/prices')).kept, 'a site that nobody named');
    await other.close();
  });

  await step('no other site opens a WebSocket', async () => {
    const other = await browser.newPage();
    await other.goto(`${partner}/`);
    const ended = await other.evaluate((url) => new Promise((done) => {
      const socket = new WebSocket(url, 'orders');
      socket.onopen = () => done('opened');
      socket.onclose = (event) => done(event.code);
    }), `${acme.replace('http', 'ws')}/socket`);
    assert.equal(ended, 1006, 'the handshake is refused');
    await other.close();
  });

  await step('who logs out in another tab has no WebSocket left', async () => {
    const other = await browser.newPage();
    await other.goto(`${acme}/index.html`);
    await other.click('text=Log out');
    await other.waitForURL(`${acme}/logged-out.html`);
    const begun = Date.now();
    assert.equal(await text(page, 'socket', /closed/), 'closed, 1008');
    assert.ok(Date.now() - begun < 1_500, `${Date.now() - begun} ms`);
    await picture(page, 'application-after-logout');
    await picture(other, 'logged-out');
  });
});
