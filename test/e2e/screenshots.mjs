// SPDX-License-Identifier: Apache-2.0
// Pictures of the real page for the README, into docs/screenshots/: make screenshots.
import fs from 'node:fs';
import path from 'node:path';
import { openBrowser } from './support/browser.mjs';
import { startRover } from './support/rover.mjs';
import { root } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const folder = path.join(root, 'docs/screenshots');
const samples = new Samples();
const good = await samples.make('firmware.bin', { version: '2.0.0', seed: 2, size: 1100000 });
const bad = await samples.make('bad.bin', { version: '3.0.0', seed: 3, temper: 'no-network' });
const merged = await samples.make('merged.bin', { version: '2.0.0', seed: 2, merged: true });
fs.mkdirSync(folder, { recursive: true });

const rover = await startRover();
const browser = await openBrowser();
const wide = { viewport: { width: 900, height: 900 } };

async function save(page, name) {
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
    await page.close();
    process.stdout.write(`docs/screenshots/${name}.png\n`);
}

const seesFirmware = page => page.waitForFunction(() => document.querySelector('[data-build]')?.dataset.build);

async function shoot(name, address, options, act = async () => {}) {
    const page = await browser.newPage({ ...wide, ...options, tolerate: [/./] });
    await page.goto(rover.url + address);
    await page.waitForLoadState('load');
    await seesFirmware(page);
    await act(page);
    await save(page, name);
}

const choose = file => async page => {
    await page.setInputFiles('#file', file);
    await page.waitForSelector('#upload:not([disabled]), #cure:not([hidden])');
};
const send = phase => async page => {
    await choose(phase === 'done' ? good : bad)(page);
    await page.click('#upload');
    await page.waitForSelector(`#phase[data-phase=${phase}]`, { state: 'attached', timeout: 60000 });
};

await shoot('home', '/', { locale: 'en-US' });
await shoot('upload', '/api/ota', { locale: 'en-US' }, choose(good));
await shoot('upload-ru', '/api/ota', { locale: 'ru-RU' }, choose(good));
await shoot('merged-dark', '/api/ota', { locale: 'en-US', colorScheme: 'dark' }, choose(merged));
await shoot('done', '/api/ota', { locale: 'en-US' }, send('done'));
await shoot('came-back', '/api/ota', { locale: 'en-US' }, send('failed'));
await shoot('phone', '/api/ota', { locale: 'ru-RU', viewport: { width: 360, height: 740 } });

// The secure profile: who comes to `address` is asked for the password first.
const owner = await startSecureRover();

async function shootSecure(name, address, options, act) {
    const page = await browser.newPage({ ...wide, ...options, ignoreHTTPSErrors: true, tolerate: [/./] });
    await page.goto(owner.url + address);
    await page.waitForSelector('#login:not([hidden])');
    await act(page);
    await save(page, name);
}

const logIn = async (page, password = owner.password) => {
    await page.fill('#password', password);
    await page.keyboard.press('Enter');
};

await shootSecure('login-ru', '/api/ota', { locale: 'ru-RU', viewport: { width: 360, height: 400 } }, async page => {
    await logIn(page, 'not the password');
    await page.waitForSelector('#error:not([hidden])');
});
await shootSecure('unsigned', '/api/ota', { locale: 'en-US' }, async page => {
    await logIn(page);
    await seesFirmware(page);
    await page.setInputFiles('#file', good);
    await page.waitForSelector('#error[data-code=signature_missing]');
});
await shootSecure('account', '/api/ota/account', { locale: 'en-US', colorScheme: 'dark' }, async page => {
    await logIn(page);
    await page.waitForSelector('#inside:not([hidden])');
    await page.fill('#name', 'build-server');
    await page.click('#create button');
    await page.waitForSelector('#fresh:not([hidden])');
});

await browser.close();
await rover.stop();
await owner.stop();
samples.remove();
