// A person with two tenants in a real browser: logs in at both, works, and logs out of one.
//
//   node tenants.mjs '{"acme": "http://acme.localhost:…", "globex": "http://globex.localhost:…", …}'
//
// acme's provider is `oidc-provider`, globex' the development issuer.

import assert from 'node:assert/strict';
import { call, tell, typeLogin } from './person.mjs';

const { acme, globex, lifetime, screenshots } = JSON.parse(process.argv[2]);

// ── what a person does ──

/** Chooses the second of the people at the development issuer, by keyboard alone. */
async function chooseAtGlobex(page) {
  await page.locator('input[name=user]').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
}

async function shows(page, tenant, path) {
  await page.waitForURL((url) => url.pathname === path);
  assert.equal(await page.locator('h1').textContent(), tenant);
}

const ours = (page) => new URL(page.url()).hostname;

// ── the story ──

await tell(screenshots, async ({ browser, page, step, picture }) => {
  await step('acme: a page asks for a login, and the address keeps its fragment', async () => {
    await page.goto(`${acme}/orders?open=1#/orders/7?tab=b`);
    await page.getByLabel('Password').waitFor();
    assert.notEqual(ours(page), 'acme.localhost');
    await picture(page, 'acme-provider');
    await typeLogin(page);
    await shows(page, 'acme', '/orders');
    assert.equal(new URL(page.url()).search + new URL(page.url()).hash, '?open=1#/orders/7?tab=b');
    assert.match(await page.textContent('body'), /ann\.other/);
    await picture(page, 'acme-after-login');
    const cookies = await browser.cookies(acme);
    assert.deepEqual(cookies.map((it) => [it.name, it.httpOnly, it.sameSite]), [['JSESSIONID', true, 'Lax']]);
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script reads the session');
  });

  await step('acme: the way around needs no further login', async () => {
    await page.click('text=Another page');
    await shows(page, 'acme', '/another');
    await page.goBack();
    await shows(page, 'acme', '/orders');
    await page.reload();
    await shows(page, 'acme', '/orders');
  });

  await step('acme: the API takes what the page may do', async () => {
    assert.equal((await call(page, '/api/read')).status, 200);
    const refused = await call(page, '/api/write', { method: 'POST', body: 'x' });
    assert.deepEqual([refused.status, refused.csrf], [403, 'Required'], refused.text);
    const fetched = await call(page, '/api/read', { headers: { 'x-csrf-token': 'fetch' } });
    assert.ok(fetched.csrf?.length >= 16, JSON.stringify(fetched));
    const headers = { 'x-csrf-token': fetched.csrf };
    assert.equal((await call(page, '/api/write', { method: 'POST', body: 'x', headers })).status, 200);
  });

  await step('globex: another provider, in the same browser', async () => {
    await page.goto(`${globex}/reports`);
    await page.locator('input[name=user]').first().waitFor();
    await picture(page, 'globex-issuer');
    await chooseAtGlobex(page);
    await shows(page, 'globex', '/reports');
    await picture(page, 'globex-after-login');
    assert.doesNotMatch(await page.textContent('body'), /ann\.other/);
    assert.equal((await call(page, '/api/read')).status, 200);
  });

  await step('globex: its pages cannot use what acme gave', async () => {
    const answers = [];
    const note = (response) => { if (response.url().startsWith(acme)) answers.push(response.status()); };
    page.on('response', note);
    await page.evaluate(async (acme) => {
      const options = { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x' };
      await fetch(`${acme}/api/write`, options).catch(() => {});
    }, acme);
    await page.evaluate((acme) => new Promise((done) => {
      const frame = document.createElement('iframe');
      frame.src = `${acme}/orders`;
      frame.onload = frame.onerror = done;
      document.body.append(frame);
    }), acme);
    const frame = page.frames().find((it) => it !== page.mainFrame());
    await picture(page, 'globex-embeds-acme-in-vain');
    page.off('response', note);
    assert.ok(answers.every((status) => status >= 400 || status === 302 || status === 200), answers.join());
    assert.ok(answers[0] === 401 || answers[0] === 403, `the post was let in: ${answers}`);
    const stands = await frame.evaluate(() => location.href);
    assert.match(stands, /^chrome-error:/, 'no page of acme stands in one of globex');
  });

  await step('acme: three tabs log in at once', async () => {
    await browser.clearCookies();
    const tabs = await Promise.all([1, 2, 3].map(() => browser.newPage()));
    await Promise.all(tabs.map((tab, place) => tab.goto(`${acme}/tab-${place}#part-${place}`)));
    await Promise.all(tabs.map((tab) => tab.getByLabel('Password').waitFor()));
    for (const [place, tab] of tabs.entries()) {
      await tab.bringToFront();
      if (place === 0) await picture(tab, 'acme-first-of-three-tabs');
      await typeLogin(tab);
      await shows(tab, 'acme', `/tab-${place}`);
      assert.equal(new URL(tab.url()).hash, `#part-${place}`);
    }
    await picture(tabs[2], 'acme-third-of-three-tabs');
    for (const tab of tabs) assert.equal((await call(tab, '/api/read')).status, 200);
    const names = (await browser.cookies(acme)).map((it) => it.name);
    assert.deepEqual(names, ['JSESSIONID'], 'what the logins needed is gone');
    await Promise.all(tabs.map((tab) => tab.close()));
  });

  await step('globex: logs in again beside it', async () => {
    await page.goto(`${globex}/reports`);
    await page.locator('input[name=user]').first().waitFor();
    await chooseAtGlobex(page);
    await shows(page, 'globex', '/reports');
  });

  await step('acme: the token ends, and nobody notices', async () => {
    await page.goto(`${acme}/orders`);
    await shows(page, 'acme', '/orders');
    // What ends by time can only be waited for.
    await page.waitForTimeout(lifetime * 1000 + 500);
    const visited = [];
    page.on('framenavigated', (frame) => visited.push(frame.url()));
    const calls = await Promise.all(Array.from({ length: 12 }, (_, n) => call(page, `/api/read?${n}`)));
    assert.deepEqual(calls.map((it) => it.status), Array(12).fill(200), calls.map((it) => it.text).join('\n'));
    await page.reload();
    await shows(page, 'acme', '/orders');
    assert.ok(visited.every((url) => url.startsWith(acme)), visited.join());
    await picture(page, 'acme-after-refresh');
  });

  await step('acme: logs out, at its provider too', async () => {
    await page.click('text=Log out');
    await page.waitForURL(`${acme}/logged-out.html`);
    await picture(page, 'acme-logged-out');
    assert.equal((await call(page, '/api/read', { headers: { accept: 'application/json' } })).status, 401);
    assert.deepEqual((await browser.cookies(acme)).map((it) => it.name), []);
  });

  await step('globex: is still logged in', async () => {
    await page.goto(`${globex}/reports`);
    await shows(page, 'globex', '/reports');
    assert.equal((await call(page, '/api/read')).status, 200);
    await picture(page, 'globex-still-logged-in');
  });

  await step('acme: who has logged out has to type again', async () => {
    await page.goto(`${acme}/orders`);
    await page.getByLabel('Password').waitFor();
    await typeLogin(page, 'bea.other');
    await shows(page, 'acme', '/orders');
    assert.match(await page.textContent('body'), /bea\.other/);
    await picture(page, 'acme-somebody-else');
  });

  await step('acme: a login that goes wrong says what to do, and its link does', async () => {
    await browser.clearCookies();
    await page.goto(`${acme}/login/callback?code=guessed&state=${'x'.repeat(43)}`);
    await picture(page, 'acme-refused-login');
    await page.getByRole('link').first().click();
    await page.getByLabel('Password').waitFor();
    await typeLogin(page);
    await page.waitForURL((url) => url.hostname === 'acme.localhost' && !url.pathname.startsWith('/login'));
    assert.equal(await page.locator('h1').textContent(), 'acme');
  });
});
