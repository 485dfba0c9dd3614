// SPDX-License-Identifier: Apache-2.0
// Written now, started later: by curl and by the page, with the power going in between.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser } from './support/browser.mjs';
import { curl } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const buildId = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);
let v2, v3;
before(async () => {
    v2 = await samples.make('v2.bin', { version: '2.0.0', seed: 2 });
    v3 = await samples.make('v3.bin', { version: '3.0.0', seed: 3 });
});
after(() => samples.remove());

const post = (rover, what, ...more) => curl('-X', 'POST', ...more, `${rover.url}/api/ota/${what}`);
const upload = (rover, file) => post(rover, 'upload?activate=later', '-F', `firmware=@${file}`);

test('it waits through a power cut, gives way to another, and starts when it is told to', async () => {
    const flash = path.join(samples.folder, 'flash.bin');
    let rover = await startRover({ flash });
    const nothing = await post(rover, 'activate');
    assert.deepEqual([nothing.status, nothing.json.code], [409, 'nothing_staged']);
    const { status, json } = await upload(rover, v2);
    assert.deepEqual([status, json.success, json.staged, json.slot, json.build], [200, true, true, 'app1', buildId(v2)]);
    assert.equal((await post(rover, 'rollback')).json.code, 'no_rollback');
    rover.child.kill('SIGKILL');
    await rover.ended;

    rover = await startRover({ flash });
    const now = await rover.status();
    assert.deepEqual([now.boot, now.running, now.staged.image.build], [2, 'app0', buildId(v2)]);
    assert.equal(now.slots[1].state, 'staged');
    assert.match(now.no_way_back, /waits to be started/);
    await upload(rover, v3);
    assert.equal((await rover.status()).staged.image.build, buildId(v3));
    assert.equal((await post(rover, 'activate')).json.success, true);
    const runs = await rover.waitFor('version 3', s => s.boot === 3 && !s.pending);
    assert.deepEqual([runs.running, runs.staged, runs.slots[1].image.build], ['app1', null, buildId(v3)]);
    const { json: log } = await curl(`${rover.url}/api/ota/log`);
    assert.deepEqual(log.entries.map(e => e.event), ['confirmed', 'activated', 'staged', 'staged']);
    await rover.stop();
});

test('the page writes now and starts later', async () => {
    const rover = await startRover();
    const browser = await openBrowser();
    const tolerate = [/Failed to load resource/, /net::ERR_/];
    try {
        const page = await browser.newPage({ locale: 'en-US', tolerate });
        await page.goto(`${rover.url}/api/ota`);
        await page.setInputFiles('#file', v2);
        await page.waitForSelector('#upload:not([disabled])');
        await page.check('#later');
        await page.click('#upload');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await page.textContent('#result'), /2\.0\.0 .*waits to be started/);
        await page.waitForSelector('#staged:not([hidden])');
        assert.match(await page.textContent('#slots'), /written, waits to be started/);
        assert.match(await page.textContent('#no-way-back'), /waits to be started/);
        const other = await browser.newPage({ locale: 'ru-RU', tolerate });
        await other.goto(`${rover.url}/api/ota`);
        await other.waitForSelector('#staged:not([hidden])');
        assert.match(await other.textContent('#staged-text'), /2\.0\.0 .*ждёт запуска/);
        await other.click('#activate');
        await other.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        await other.waitForSelector(`#running[data-build="${buildId(v2)}"]`);
        assert.equal(await other.isVisible('#staged'), false);
    } finally {
        await browser.close();
        await rover.stop();
    }
});
