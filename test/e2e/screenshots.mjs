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

// The flow at a glance: four moments of one update on a phone, side by side.
async function filmStrip(name, locale) {
    const page = await browser.newPage({ locale, viewport: { width: 375, height: 760 }, tolerate: [/./] });
    const frames = [];
    const frame = async () => frames.push((await page.screenshot()).toString('base64'));
    const top = selector => page.evaluate(s => document.querySelector(s)?.closest('section')?.scrollIntoView(), selector);
    await page.goto(`${slow.url}/api/ota`);
    await seesFirmware(page);
    await frame();
    await choose(long)(page);
    await top('#drop');
    await frame();
    await page.click('#upload');
    await page.waitForFunction(() => document.querySelector('#progress-written').value > 0.4, undefined, { timeout: 120000 });
    await top('#drop');
    await frame();
    await page.waitForSelector('#phase[data-phase=done]', { state: 'attached', timeout: 120000 });
    await top('#drop');
    await frame();
    await page.close();
    const strip = await browser.newPage({ viewport: { width: 1000, height: 500 } }); // without the page's own policy
    await strip.setContent(`<body style="margin:0;display:flex;gap:16px;padding:16px;background:#8884">${frames.map(data =>
        `<img src="data:image/png;base64,${data}" style="width:230px;border-radius:8px;box-shadow:0 1px 6px #0006">`).join('')}`);
    await strip.waitForFunction(() => [...document.images].every(image => image.complete));
    await save(strip, name);
}
const slow = await startRover({ args: ['--name', 'left-leg', '--soak', '300'] });
const long = await samples.make('robot-2.0.0.bin', { version: '2.0.0', seed: 5, size: 1100000 });
await filmStrip('flow', 'en-US');
await slow.stop();

await shoot('home', '/', { locale: 'en-US' });
await shoot('upload', '/api/ota', { locale: 'en-US' }, choose(good));
await shoot('upload-ru', '/api/ota', { locale: 'ru-RU' }, choose(good));
await shoot('merged-dark', '/api/ota', { locale: 'en-US', colorScheme: 'dark' }, choose(merged));
await shoot('done', '/api/ota', { locale: 'en-US' }, send('done'));
await shoot('came-back', '/api/ota', { locale: 'en-US' }, send('failed'));
await shoot('phone', '/api/ota', { locale: 'ru-RU', viewport: { width: 375, height: 740 } });

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
