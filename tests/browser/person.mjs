// What every story has: a browser with a fresh profile, steps, and a picture of each.
//
// A story is a script that calls `tell` with what a person does. It prints a line a step, leaves its
// pictures in `screenshots`, and fails with the pages' texts when a step does not go as it should.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** How long anything may take that has been asked for, in milliseconds. */
const PATIENCE = 15_000;
const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

function launch(profile) {
  const executable = process.env.PATH.split(':').map((folder) => join(folder, 'chromium')).find(existsSync);
  assert(executable, 'there is no chromium; tests/run installs what is missing');
  return chromium.launchPersistentContext(profile, {
    executablePath: executable, headless: true, chromiumSandbox: false, args: FLAGS, acceptDownloads: true,
    viewport: { width: 900, height: 640 },
  });
}

/** Tells `story({ browser, page, step, picture })`; the process' exit code says how it went. */
export async function tell(screenshots, story) {
  rmSync(screenshots, { recursive: true, force: true });
  mkdirSync(screenshots, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), 'vestibule-browser-'));
  const browser = await launch(profile);
  browser.setDefaultTimeout(PATIENCE);
  let [current, pictures] = ['start', 0];
  async function step(name, work) {
    current = name;
    const begun = Date.now();
    await work();
    console.log(`${name}: ${Date.now() - begun} ms`);
  }
  async function picture(page, name) {
    pictures += 1;
    await page.screenshot({ path: join(screenshots, `${String(pictures).padStart(2, '0')}-${name}.png`) });
  }
  try {
    await story({ browser, page: browser.pages()[0] ?? (await browser.newPage()), step, picture });
  } catch (error) {
    for (const [place, page] of browser.pages().entries()) {
      await page.screenshot({ path: join(screenshots, `failed-${place}.png`) }).catch(() => {});
      console.error(`page ${place}: ${page.url()}\n${await page.textContent('body').catch(() => '')}`);
    }
    console.error(`failed in "${current}": ${error.stack}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Types name and password at an `oidc-provider`. */
export async function typeLogin(page, user = 'ann.other') {
  await page.getByLabel('User').pressSequentially(user);
  await page.getByLabel('Password').pressSequentially('correct');
  await page.keyboard.press('Enter');
}

/** A call of the page's own script; relative addresses are the tenant's. */
export function call(page, path, options = {}) {
  return page.evaluate(async ([path, options]) => {
    const response = await fetch(path, options);
    return { status: response.status, csrf: response.headers.get('x-csrf-token'), text: await response.text() };
  }, [path, options]);
}
