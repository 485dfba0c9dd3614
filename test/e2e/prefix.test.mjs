// SPDX-License-Identifier: Apache-2.0
// Behind a reverse proxy, below a path: the pages find each other and the device, and an update goes through.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './support/browser.mjs';
import { startPrefix } from './support/prefix.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const samples = new Samples();
const tolerate = [/Failed to load resource/, /net::ERR_/];

describe('below a path of a reverse proxy', () => {
    let browser, rover, proxy, page;
    const outside = []; // what the pages asked for beside the path

    before(async () => {
        browser = await openBrowser();
        rover = await startRover({ args: ['--fast', '--confirm', '3'] });
        proxy = await startPrefix(rover.url, '/robots/rover');
        page = await browser.newPage({ locale: 'en-US', tolerate });
        page.on('request', asked => asked.url().startsWith(`${proxy.url}/`) || asked.url().startsWith('data:') ||
            outside.push(asked.url()));
    });
    after(async () => {
        try {
            await browser.close();
        } finally {
            await proxy.close();
            await rover.stop();
            samples.remove();
        }
    });

    const built = () => page.waitForFunction(() => document.querySelector('[data-build]')?.dataset.build);

    test('the home page shows the rover and leads to the upload page, and back', async () => {
        await page.goto(`${proxy.url}/`);
        await built();
        await page.click('#ota-link');
        await page.waitForSelector('#drop');
        await built();
        assert.equal(page.url(), `${proxy.url}/api/ota`);
        await page.click('#home');
        await page.waitForSelector('#ota-link');
        assert.equal(page.url(), `${proxy.url}/`);
    });

    test('an update goes through, events and all', async () => {
        const file = await samples.make('below.bin', { version: '2.0.0', seed: 31, size: 900000 });
        await page.goto(`${proxy.url}/api/ota`);
        await built();
        await page.setInputFiles('#file', file);
        await page.click('#upload:not([disabled])');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await page.textContent('#result'), /2\.0\.0/);
    });

    test('and nothing was asked for beside that path', () => assert.deepEqual(outside, []));
});

test('the account page of a secure robot leads back to the upload page', async () => {
    const browser = await openBrowser();
    const owner = await startSecureRover();
    const proxy = await startPrefix(owner.url, '/robots/rover');
    try {
        const page = await browser.newPage({ locale: 'en-US', tolerate });
        await page.goto(`${proxy.url}/api/ota/account`);
        await page.waitForSelector('#login:not([hidden])');
        await page.click('header a');
        await page.waitForURL(`${proxy.url}/api/ota`);
    } finally {
        await proxy.close();
        await owner.stop();
        await browser.close();
    }
});
