// SPDX-License-Identifier: Apache-2.0
// What the upload page says in the corners: whose update it is, what stands in the way, how it ended. At an
// address that is not localhost, as users have it: there browsers give a page less. Where a robot is seldom in a
// state, its status is changed on the way to the page; everything else is the real rover's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './support/browser.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const ADDRESS = '192.0.2.7'; // of nobody (RFC 5737); the browser is told where it is
const samples = new Samples();
const tolerate = [/Failed to load resource/, /net::ERR_/];
let browser, rover, site, good;

before(async () => {
    browser = await openBrowser([`--host-resolver-rules=MAP ${ADDRESS} 127.0.0.1`]);
    rover = await startRover({ args: ['--fast', '--confirm', '3'] });
    site = `http://${ADDRESS}:${new URL(rover.url).port}`;
    good = await samples.make('good.bin', { version: '2.0.0', seed: 2 });
});
after(async () => {
    try {
        await browser.close();
    } finally {
        await rover.stop();
        samples.remove();
    }
});

// The page; `change(status)` alters what the robot says of itself before the page hears it.
async function open({ change, prepare, ...options } = {}) {
    const page = await browser.newPage({ locale: 'en-US', tolerate, ...options });
    page.setDefaultTimeout(15000);
    if (change)
        await browser.alterAnswers(page, '**/api/ota/status', `${rover.url}/api/ota/status`, change); // Node is not told where ADDRESS is
    if (prepare)
        await page.addInitScript(prepare);
    await page.goto(`${site}/api/ota`);
    await page.waitForFunction(() => document.querySelector('[data-build]')?.dataset.build);
    return page;
}

async function choose(page, file = good) {
    await page.setInputFiles('#file', file);
    await page.waitForFunction(name => {
        const facts = document.querySelector('#facts');
        return facts.children.length > 2 && facts.textContent.includes(name);
    }, file.split('/').pop());
}

// Requests that get nowhere, until they are let go of: what a browser holds when its page is closed may still go out.
async function hold(page, pattern) {
    const held = [];
    await page.route(pattern, route => held.push(route));
    return () => Promise.all(held.map(route => route.abort().catch(() => {})));
}

const text = (page, selector) => page.textContent(selector);
const idle = () => rover.waitFor('an idle, confirmed rover', s => s.state === 'idle' && !s.pending);

test('at http://ADDRESS there is no crypto.subtle, and a wrong SHA-256 is caught all the same', async () => {
    const page = await open();
    assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof crypto.subtle]), [false, 'undefined']);
    const bytes = fs.readFileSync(good);
    bytes[bytes.length - 1] ^= 1;
    await choose(page, samples.write('hash.bin', bytes));
    await page.waitForSelector('#error[data-code=image_hash]');
    await choose(page);
    assert.match(await text(page, '#facts'), /SHA-256[0-9a-f]{64}/);
    assert.equal(await text(page, '#phase'), 'An application that fits. It can be uploaded.');
    await page.close();
});

test('an opened page says nothing of a file', async () => {
    const page = await open();
    assert.equal(await text(page, '#phase'), '');
    assert.equal(await text(page, '#result'), '');
    await page.close();
});

test('while a file is being read, nothing of the one before can be sent', async () => {
    const page = await open();
    await choose(page);
    await page.waitForSelector('#upload:not([disabled])');
    await page.evaluate(() => Blob.prototype.arrayBuffer = () => new Promise(() => {})); // on a phone it takes seconds
    await page.setInputFiles('#file', await samples.make('next.bin', { version: '2.0.1', seed: 21 }));
    await page.waitForFunction(() => document.querySelector('#upload').disabled);
    assert.equal(await text(page, '#facts'), '');
    assert.equal(await text(page, '#phase'), '');
    await page.close();
});

test('of two files chosen quickly the last one counts, whichever is read first', async () => {
    const page = await open({ prepare: () => {
        const { arrayBuffer } = Blob.prototype;
        let n = 0;
        Blob.prototype.arrayBuffer = async function () {
            if (n++ === 0)
                await new Promise(resolve => { window.release = resolve; }); // on a phone it takes seconds
            return arrayBuffer.call(this);
        };
    } });
    await page.setInputFiles('#file', good);
    await choose(page, await samples.make('second.bin', { version: '2.0.1', seed: 21 }));
    await page.evaluate(() => window.release());
    await page.waitForTimeout(1500); // for the first one to be hashed
    assert.match(await text(page, '#facts'), /second\.bin.*rover 2\.0\.1/);
    assert.ok(await page.isEnabled('#upload'));
    await page.close();
});

describe('whose update it is', () => {
    const others = s => Object.assign(s, {
        state: 'receiving', received: 610000, written: 596 * 1024, total: 1075 * 1024, update: 'deadbeef',
        busy: { for: 'upload', by: 'token ci' },
    });

    test('another client\'s bytes are its own: a card with a bar, a name and a button to end it', async () => {
        const page = await open({ change: others });
        assert.equal(await text(page, '#others-text'), 'By token ci: 596 KB of 1,075 KB');
        assert.ok(await page.isVisible('#others-end'));
        await choose(page);
        assert.equal(await page.isVisible('#bars'), false);
        assert.equal(await page.isEnabled('#upload'), false);
        const [asked] = await Promise.all([
            page.waitForRequest(r => r.url().endsWith('/api/ota/cancel') && r.method() === 'POST'),
            page.click('#others-end'),
        ]);
        assert.ok(asked);
        await page.close();
    });

    test('what the robot fetches is called that', async () => {
        for (const [locale, words] of [['en-US', 'By the robot itself: '], ['ru-RU', 'Обновляет сам робот: ']]) {
            const page = await open({ locale, change: s => Object.assign(others(s), { busy: { for: 'upload', by: 'folder' } }) });
            assert.ok((await text(page, '#others-text')).startsWith(words), locale);
            await page.close();
        }
    });

    test('once it is cancelled nothing is left to wait for, and nothing can be ticked while it runs', async () => {
        const slow = await startRover({ args: [] });
        try {
            const page = await browser.newPage({ locale: 'en-US', tolerate });
            await page.goto(`${slow.url}/api/ota`);
            await choose(page, await samples.make('slow.bin', { version: '2.0.3', seed: 23, size: 900000 }));
            await page.click('#upload');
            await page.waitForFunction(() => /left/.test(document.querySelector('#pace').textContent));
            assert.equal(await page.isEnabled('#later'), false);
            await page.click('#cancel');
            await page.waitForSelector('#cancel', { state: 'hidden' });
            assert.equal(await text(page, '#pace'), '');
            await page.waitForFunction(() => /^Last: ended by hand rover 2\.0\.3|^Last: ended by hand:/.test(document.querySelector('#last').textContent));
            assert.doesNotMatch(await text(page, '#log'), /refused/);
            await page.close();
        } finally {
            await slow.stop();
        }
    });

    test('in Russian, and by nobody known', async () => {
        const page = await open({ locale: 'ru-RU', change: s => Object.assign(others(s), { busy: { for: 'upload', by: 'anyone' } }) });
        assert.match(await text(page, '#others-text'), /кто-то в этой сети: 596 КБ из 1.075 КБ/);
        await page.close();
    });

    test('Cancel of one\'s own upload tells the robot, too', async () => {
        const page = await open();
        const release = await hold(page, '**/api/ota/upload**');
        await choose(page);
        await page.click('#upload');
        await page.waitForSelector('#cancel:not([hidden])');
        const [told] = await Promise.all([
            page.waitForRequest(r => r.url().endsWith('/api/ota/cancel') && r.method() === 'POST'),
            page.click('#cancel'),
        ]);
        assert.ok(told);
        assert.equal(await page.isVisible('#error'), false);
        assert.equal(await page.isVisible('#others'), false);
        await release();
        await page.close();
    });

    test('a driver is told that an update runs, and not to bring the robot to a standstill', async () => {
        for (const locale of ['en-US', 'ru-RU']) {
            const page = await browser.newPage({ locale, tolerate });
            const slow = await startRover({ args: [] });
            try {
                await page.goto(`http://${ADDRESS}:${new URL(slow.url).port}/`);
                const long = new Blob([fs.readFileSync(await samples.make('h.bin', { version: '2.2.0', seed: 12, size: 3000000 }))]);
                const form = new FormData();
                form.append('firmware', long, 'h.bin');
                const stop = new AbortController();
                const upload = fetch(`${slow.url}/api/ota/upload`, { method: 'POST', body: form, signal: stop.signal }).catch(() => {});
                await page.waitForFunction(() => /update|обновление/.test(document.querySelector('#where').textContent));
                await page.locator('#pad button').first().click();
                await page.waitForSelector('#refusal:not([hidden])');
                const words = await text(page, '#refusal');
                assert.match(words, locale === 'en-US' ? /An update runs/ : /Идёт обновление/);
                assert.doesNotMatch(words, /standstill|Остановите/);
                const drive = await fetch(`${slow.url}/api/drive`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"left":40,"right":40}' });
                const answer = await drive.json();
                assert.deepEqual([drive.status, answer.code], [423, 'held']);
                assert.doesNotMatch(JSON.stringify(answer), /standstill/);
                stop.abort();
                await upload;
                await page.waitForSelector('#refusal', { state: 'hidden' }); // by itself
                await page.close();
            } finally {
                await slow.stop();
            }
        }
    });

    test('a rollback or a change of keys is called that, and no update', async () => {
        for (const [kind, words] of [['rollback', /Under way: a rollback\./], ['keys', /Under way: a change of keys\./]]) {
            const page = await open({ change: s => Object.assign(s, { state: 'verifying', busy: { for: kind, by: 'admin' } }) });
            assert.match(await text(page, '#conditions'), words);
            assert.equal(await page.isVisible('#others'), false);
            await page.close();
        }
    });
});

describe('a standing condition is drawn from each status and enables the button', () => {
    const without = { error: 'No OTA partition', code: 'no_ota_partition', detail: '0 of 1', hint: 'Choose a table with OTA.' };

    test('no OTA slot: choosing a file does not wipe it', async () => {
        let broken = true;
        const page = await open({ change: s => broken ? Object.assign(s, { error: without }) : s });
        await choose(page);
        await page.waitForTimeout(1200); // a status later
        assert.match(await text(page, '#conditions'), /No OTA partition/);
        assert.equal(await page.isEnabled('#upload'), false);
        assert.equal(await text(page, '#phase'), 'Cannot be uploaded now: see above.');
        broken = false;
        await page.waitForSelector('#upload:not([disabled])');
        assert.equal(await text(page, '#conditions'), '');
        await page.close();
    });

    test('an unconfirmed firmware blocks, safe mode does not', async () => {
        const page = await open({ change: s => Object.assign(s, { safe_mode: true }) });
        assert.match(await text(page, '#conditions'), /Safe mode/);
        await choose(page);
        await page.waitForSelector('#upload:not([disabled])');
        await page.close();
        const other = await open({ change: s => Object.assign(s, { pending: true, confirm_left_ms: 9000, soak_left_ms: 4000, waiting_for: null }) });
        await choose(other);
        assert.equal(await other.isEnabled('#upload'), false);
        assert.equal(await text(other, '#pending'), 'all checks pass; confirmed in 4 s');
        assert.match(await text(other, '#conditions'), /wait, confirm the firmware that runs, or roll back/);
        await other.close();
    });
});

describe('how the last update ended', () => {
    const entry = { seq: 900, boot: 9, uptime_s: 9, slot: 'app1', size: 1, code: null, tries: 1, text: '', by: null, project: null, version: null, build: null };
    const told = { ...entry, event: 'rejected', project: 'rover', version: '3.0.0', build: '0badf00d', text: 'health check "network"' };
    const account = { ...entry, seq: 901, event: 'account', text: 'token revoked: ci', by: 'admin' };

    test('is said also when somebody has changed a token since', async () => {
        const page = await open({ change: s => Object.assign(s, { last: account }) });
        await page.route('**/api/ota/log', route => route.fulfill({ json: { entries: [account, told] } }));
        await page.reload();
        await page.waitForFunction(() => /3\.0\.0/.test(document.querySelector('#last').textContent));
        assert.equal(await text(page, '#last'), 'Last: rejected by its checks rover 3.0.0 0badf00d: health check "network"');
        await page.close();
    });

    test('and so is a refusal, in the reader\'s language', async () => {
        const form = new FormData();
        form.append('firmware', new Blob(['only some words, and no firmware '.repeat(9)]), 'notes.bin');
        assert.equal((await fetch(`${rover.url}/api/ota/upload`, { method: 'POST', body: form })).status, 415);
        for (const [locale, words] of [['en-US', 'refused: text or a web page'], ['ru-RU', 'отклонена: текст или веб-страница']]) {
            const page = await open({ locale });
            await page.waitForFunction(() => document.querySelector('#log td'));
            assert.ok((await text(page, '#last')).endsWith(words), await text(page, '#last'));
            assert.match(await text(page, '#log'), new RegExp(`file_text: ${words.split(': ')[1]}`));
            await page.close();
        }
    });

    test('without a firmware in it, too', async () => {
        const page = await open({ change: s => Object.assign(s, { last: { ...entry, event: 'refused', code: 'file_text', text: 'text or a web page' } }) });
        assert.equal(await text(page, '#last'), 'Last: refused: text or a web page');
        await page.close();
    });

    test('firmware that was rejected is not offered like any other', async () => {
        for (const [locale, words] of [['en-US', 'Try rover 3.0.0 (0badf00d) again'], ['ru-RU', 'Ещё раз попробовать rover 3.0.0 (0badf00d)']]) {
            const page = await open({ locale, change: s => {
                const other = s.slots.find(slot => !slot.running);
                Object.assign(other, { state: 'invalid', image: { project: 'rover', version: '3.0.0', build: '0badf00d', idf: 'v5', date: 'd', time: 't' } });
                s.way_back = { slot: other.label, needs_force: true, why: 'it was rejected' };
            } });
            assert.equal(await text(page, '#rollback'), words);
            await page.close();
        }
    });

    test('what was there already was not written', async () => {
        const page = await open();
        await page.route('**/api/ota/upload**', route => route.fulfill({ json: { success: true, already: true, project: 'rover', version: '2.0.0', build: 'ea668930' } }));
        await choose(page);
        await page.click('#upload');
        await page.waitForFunction(() => /nothing was written/.test(document.querySelector('#result').textContent));
        assert.equal(await page.isVisible('#bars'), false);
        await page.close();
    });
});

describe('what is worth knowing before', () => {
    test('another project\'s firmware wants a tick', async () => {
        const page = await open();
        await choose(page, await samples.make('toaster.bin', { version: '2.0.0', seed: 7, project: 'toaster' }));
        assert.match(await text(page, '#warnings'), /“toaster”, and on the robot runs “rover”/);
        assert.doesNotMatch(await text(page, '#warnings'), /Newer|Older/);
        assert.equal(await page.isEnabled('#upload'), false);
        assert.equal(await text(page, '#phase'), 'An application that fits. Tick the box to upload it.');
        await page.check('#other-project');
        assert.equal(await text(page, '#phase'), 'An application that fits. It can be uploaded.');
        await page.waitForSelector('#upload:not([disabled])');
        await page.close();
    });

    test('older, same and unknown look like warnings, newer does not', async () => {
        for (const [version, words, warns] of [['0.9.0', 'Older than what runs.', true],
            ['767c0152', 'Newer than what runs.', false], ['1.0.0-rc1', 'Older than what runs.', true]]) {
            const page = await open({ change: s => { s.slots[0].image.date = 'Jan  1 2020'; } });
            await choose(page, await samples.make('v.bin', { version, seed: 8 }));
            assert.equal(await text(page, '#warnings'), words, version);
            assert.equal(await page.locator('#warnings .note').count(), warns ? 1 : 0, version);
            await page.close();
        }
    });

    test('a merged file shows what is inside before it is sent', async () => {
        const page = await open();
        await choose(page, await samples.make('m.bin', { version: '6.0.0', seed: 60, merged: true }));
        assert.match(await text(page, '#facts'), /Insiderover 6\.0\.0/);
        await page.close();
    });

    test('several dropped files are named', async () => {
        const page = await open();
        const data = await page.evaluateHandle(() => {
            const transfer = new DataTransfer();
            for (const name of ['a.bin', 'b.bin'])
                transfer.items.add(new File(['x'], name));
            return transfer;
        });
        await page.dispatchEvent('#drop', 'drop', { dataTransfer: data });
        assert.match(await text(page, '#error'), /a\.bin, b\.bin/);
        await page.close();
    });

    test('an Arduino build without a version of its own says so, and not the library\'s', async () => {
        const stub = s => { Object.assign(s.slots[0].image, { project: 'arduino-lib-builder', version: 'esp-idf: v4.4.7' }); };
        const page = await open({ change: stub });
        const words = 'Arduino build, no version of its own; add OTAPULT_FIRMWARE';
        assert.ok((await text(page, '#running')).startsWith(words));
        assert.ok((await text(page, '#slots')).includes(words));
        await choose(page, await samples.make('stub.bin', { version: 'esp-idf: v4.4.7', project: 'arduino-lib-builder', seed: 77 }));
        assert.ok((await text(page, '#facts')).includes(words));
        assert.doesNotMatch(await text(page, 'main'), /arduino-lib-builder|v4\.4\.7/);
        await page.close();
    });

    test('which robot it is stands in the page and in its tab', async () => {
        const page = await open({ change: s => Object.assign(s, { name: 'left <b>leg</b>' }) });
        assert.match(await text(page, 'h1'), /left <b>leg<\/b>/);
        assert.equal(await page.title(), 'left <b>leg</b>: Firmware update');
        await page.close();
        for (const locale of ['en-US', 'ru-RU']) { // the longest name, on a phone
            const phone = await open({ locale, viewport: { width: 375, height: 700 }, change: s => Object.assign(s, { name: 'W'.repeat(40) }) });
            assert.match(await text(phone, 'h1'), /W{40}/);
            assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), locale);
            await phone.close();
        }
        const home = await browser.newPage({ locale: 'en-US', tolerate });
        await home.goto(`${site}/`);
        await home.waitForFunction(() => document.title === 'rover: Rover');
        assert.match(await text(home, 'h1'), /Rover · rover/);
        await home.close();
    });
});

describe('how it ended', () => {
    test('power lost in the middle, of a robot without resumable uploads: the failure stays, and the page says what runs', async () => {
        const slow = await startRover({ args: [] }); // with the flash delays of a board
        try {
            const page = await browser.newPage({ locale: 'en-US', tolerate });
            await browser.alterAnswers(page, '**/api/ota/status', `${slow.url}/api/ota/status`, s => { s.limits.resume_ms = null; });
            await page.goto(`http://${ADDRESS}:${new URL(slow.url).port}/api/ota`);
            await choose(page, await samples.make('long.bin', { version: '2.3.0', seed: 24, size: 3000000 }));
            await page.click('#upload');
            await page.waitForFunction(() => document.querySelector('#progress-written').value > 0.02);
            slow.child.kill('SIGUSR1');
            await page.waitForSelector('#error:not([hidden])');
            await page.waitForFunction(() => /The robot restarted/.test(document.querySelector('#result').textContent));
            await page.waitForTimeout(1500);
            assert.match(await text(page, '#result'), /^The robot restarted\. rover 1\.0\.0 \(\w{8}\) runs; your file is not installed\.$/);
            assert.ok(await page.isVisible('#error'));
            await choose(page); // now the user does something
            assert.equal(await text(page, '#result'), '');
            await page.close();
        } finally {
            await slow.stop();
        }
    });

    test('a proxy that did not wait for the answer is no answer: the page says what runs', async () => {
        const page = await open({ change: s => { s.limits.resume_ms = null; } });
        await page.route('**/api/ota/upload?*', async route => {
            const form = new FormData();
            form.append('firmware', new Blob([fs.readFileSync(file)]), 'proxied.bin');
            await fetch(route.request().url().replace(site, rover.url), { method: 'POST', body: form });
            await route.fulfill({ status: 504, contentType: 'text/html', body: 'Gateway Timeout' });
        });
        const file = await samples.make('proxied.bin', { version: '2.0.5', seed: 26 });
        await choose(page, file);
        await page.click('#upload');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await text(page, '#result'), /^rover 2\.0\.5 .* runs: confirmed$/);
        assert.doesNotMatch(await text(page, '#error'), /504/);
        await idle();
        await page.close();
    });

    test('what a proxy says of its own is not called the robot\'s', async () => {
        for (const [locale, words] of [['en-US', [/Upload failed.*Not the robot answers, but a proxy: HTTP 413/, 'The robot does not answer.']],
            ['ru-RU', [/Upload failed.*Отвечает не робот, а прокси: HTTP 413/, 'Робот не отвечает.']]]) {
            const page = await open({ locale });
            await page.route('**/api/ota/uploads?*', route => route.fulfill({ status: 413, contentType: 'text/html', body: 'Too Large' }));
            await page.route('**/api/ota/reboot', route => route.fulfill({ status: 502, json: { message: 'no upstream' } }));
            await choose(page);
            await page.click('#upload');
            await page.waitForSelector('#error:not([hidden])');
            assert.match(await text(page, '#error'), words[0]);
            await page.click('#reboot');
            await page.click('#ask-yes');
            await page.waitForFunction(said => document.querySelector('#error').textContent === said, words[1]);
            await page.close();
        }
    });

    test('a firmware that went back and the one that runs again are both named', async () => {
        const page = await open();
        await choose(page, await samples.make('lost.bin', { version: '7.0.0', seed: 70, temper: 'no-network' }));
        await page.click('#upload');
        await page.waitForSelector('#phase[data-phase=failed]', { state: 'attached' });
        assert.match(await text(page, '#result'),
            /^rover 7\.0\.0 \(\w{8}\) rejected by its checks: .*network.*no answer.*\. rover 2\.0\.5 \(\w{8}\) runs again\.$/);
        await page.close();
        const later = await open(); // somebody who opens the page afterwards
        await later.waitForFunction(() => /rover 7\.0\.0/.test(document.querySelector('#last').textContent));
        assert.match(await text(later, '#last'), /rejected by its checks/);
        await later.close();
        const russian = await open({ locale: 'ru-RU' });
        await russian.waitForFunction(() => /rover 7\.0\.0/.test(document.querySelector('#last').textContent));
        assert.match(await text(russian, '#last'), /проверка "network": точка доступа не отвечает/);
        await russian.close();
        await idle();
    });
});

describe('hands', () => {
    test('a restart asks first', async () => {
        const page = await open();
        const { boot } = await rover.status();
        await page.click('#reboot');
        assert.equal(await text(page, '#ask-text'), 'Restart the robot now?');
        await page.click('#ask-no');
        assert.equal((await rover.status()).boot, boot);
        assert.equal(await page.evaluate(() => document.activeElement.id), 'reboot');
        await page.close();
    });

    test('closing the tab while sending asks, and else does not', async () => {
        const page = await open();
        const asks = () => page.evaluate(() => {
            const event = new Event('beforeunload', { cancelable: true });
            window.dispatchEvent(event);
            return event.defaultPrevented;
        });
        assert.equal(await asks(), false);
        const release = await hold(page, '**/api/ota/upload**');
        await choose(page);
        await page.click('#upload');
        await page.waitForSelector('#cancel:not([hidden])');
        assert.equal(await asks(), true);
        await page.click('#cancel');
        assert.equal(await asks(), false);
        await release();
        await page.close();
    });

    test('the focus never falls to the body', async () => {
        const page = await open();
        await choose(page);
        const release = await hold(page, '**/api/ota/upload**');
        await page.waitForSelector('#upload:not([disabled])'); // focus() does not wait for that
        await page.focus('#upload');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#cancel:not([hidden])');
        const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
        assert.equal(await focus(), 'phase');
        await page.focus('#cancel');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#cancel', { state: 'hidden' });
        assert.equal(await focus(), 'phase');
        await release();
        await page.close();
    });

    test('after an update the focus is on what it says', async () => {
        const page = await open();
        await choose(page, await samples.make('focus.bin', { version: '2.0.4', seed: 25 }));
        await page.waitForSelector('#upload:not([disabled])');
        await page.focus('#upload');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await page.evaluate(() => document.activeElement.textContent), /^rover 2\.0\.4 .* runs: confirmed$/);
        await idle();
        await page.close();
    });

    test('Tab goes to all that can be pressed, from the top to the bottom', async () => {
        const page = await open();
        await choose(page);
        await page.waitForSelector('#upload:not([disabled])');
        const all = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input')]
            .filter(e => e.offsetParent && !e.disabled).map(e => e.id));
        assert.ok(['lang', 'choose', 'later', 'upload', 'rollback', 'reboot'].every(id => all.includes(id)), String(all));
        const reached = [];
        for (const _ of all) {
            await page.keyboard.press('Tab');
            reached.push(await page.evaluate(() => [document.activeElement.id, document.activeElement.getBoundingClientRect().bottom + scrollY]));
        }
        assert.deepEqual(reached.map(([id]) => id), all);
        const bottoms = reached.map(([, bottom]) => bottom);
        assert.deepEqual(bottoms, [...bottoms].sort((a, b) => a - b));
        await page.close();
    });

    test('Escape takes a question back', async () => {
        const page = await open();
        await page.click('#reboot');
        await page.keyboard.press('Escape');
        assert.equal(await page.isVisible('#ask'), false);
        assert.equal(await page.evaluate(() => document.activeElement.id), 'reboot');
        await page.close();
    });

    test('a frozen network is said after three seconds, and unsaid', async () => {
        let frozen = false;
        const page = await open();
        await page.route('**/api/ota/status', route => frozen ? undefined : route.continue());
        frozen = true;
        await page.waitForSelector('#offline:not([hidden])', { timeout: 8000 });
        frozen = false;
        await page.waitForSelector('#offline', { state: 'hidden', timeout: 8000 });
        await page.close();
    });

    test('progress is announced at quarters', async () => {
        const page = await open();
        await page.evaluate(() => {
            window.spoken = [];
            new MutationObserver(() => window.spoken.push(document.querySelector('#quarter').textContent))
                .observe(document.querySelector('#quarter'), { childList: true });
        });
        await choose(page, await samples.make('q.bin', { version: '2.1.0', seed: 9, size: 2000000 }));
        await page.click('#upload');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        const spoken = await page.evaluate(() => window.spoken);
        assert.ok(spoken.length <= 4 && spoken.length >= 1, String(spoken));
        assert.equal(spoken.pop(), '100 %');
        await idle();
        await page.close();
    });
});

describe('browsers', () => {
    // What Safari 14 and Chrome 90 lack of what a page might use.
    const older = () => {
        delete AbortSignal.timeout;
        delete AbortSignal.any;
        delete String.prototype.at;
        for (const kind of [Array, Object.getPrototypeOf(Uint8Array)])
            for (const name of ['findLast', 'findLastIndex', 'at', 'toReversed', 'toSorted', 'with'])
                delete kind.prototype[name];
        delete Object.hasOwn;
        delete String.prototype.replaceAll;
        delete window.structuredClone;
        delete window.CompressionStream;
        delete window.BroadcastChannel;
        delete crypto.randomUUID;
    };

    test('the page works without what Safari 14 and Chrome 90 lack', async () => {
        const page = await open({ prepare: older });
        assert.equal(await page.evaluate(() => typeof AbortSignal.timeout), 'undefined');
        const file = await samples.make('old.bin', { version: '2.2.0', seed: 11 });
        await choose(page, file);
        await page.click('#upload');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await text(page, '#running'), /2\.2\.0/);
        await idle();
        const boot = Buffer.alloc(20000, 0x5A); // of a bootloader what tells it
        boot.set([0xE9, 3, 2, 0x4F]);
        boot.writeUInt16LE(9, 12);
        await choose(page, samples.write('boot.bin', boot));
        await page.waitForSelector('#error[data-code=image_bootloader]');
        await page.close();
    });

    test('without JavaScript there is a form that works', async () => {
        const page = await browser.newPage({ javaScriptEnabled: false, tolerate });
        await page.goto(`${site}/`);
        assert.match(await page.innerText('body'), /Without JavaScript/);
        await page.goto(`${site}/api/ota`);
        assert.equal(await page.isVisible('#lang'), false); // it would be empty, and do nothing
        await page.setInputFiles('form input[type=file]', await samples.make('form.bin', { version: '2.4.0', seed: 12 }));
        await page.click('form button');
        assert.match(await page.textContent('body'), /"success":true/);
        await page.close();
        await rover.waitFor('the form\'s firmware', s => s.slots.some(x => x.running && x.image.version === '2.4.0') && !s.pending);
    });

    // The colour of a picture's pixel: [red, green, blue].
    async function pixels(png, points) {
        const page = await browser.newPage({ tolerate });
        const colours = await page.evaluate(async ([data, at]) => {
            const picture = await createImageBitmap(await (await fetch(data)).blob());
            const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
            canvas.drawImage(picture, 0, 0);
            return at.map(([x, y]) => [...canvas.getImageData(x * picture.width, y * picture.height, 1, 1).data.slice(0, 3)]);
        }, [`data:image/png;base64,${png.toString('base64')}`, points]);
        await page.close();
        return colours;
    }

    test('in forced colours a bar shows how far it is', async () => {
        for (const colorScheme of ['light', 'dark']) {
            const page = await open({ forcedColors: 'active', colorScheme });
            assert.ok(await page.evaluate(() => matchMedia('(forced-colors: active)').matches));
            await page.evaluate(() => {
                document.querySelector('#bars').hidden = false;
                document.querySelector('#progress-written').value = 0.5;
            });
            const bar = await page.locator('#progress-written').screenshot();
            const [done, left] = await pixels(bar, [[0.25, 0.5], [0.75, 0.5]]);
            const far = done.reduce((sum, value, n) => sum + Math.abs(value - left[n]), 0);
            assert.ok(far > 150, `${colorScheme}: ${done} beside ${left}`);
            await page.close();
        }
    });

    test('no figure is torn from its unit', async () => {
        const page = await open({ viewport: { width: 900, height: 800 } });
        await page.waitForFunction(() => document.querySelector('#log td'));
        const loose = await page.evaluate(() => [...document.querySelectorAll('#log td')].map(td => td.textContent).filter(text => /\d s$/.test(text)));
        assert.deepEqual(loose.filter(text => !text.endsWith('\u00a0s')), []);
        assert.match(await text(page, '#log'), /boot \d+, \d+\u00a0s/);
        await page.close();
    });

    test('no badge is torn in two', async () => {
        for (const width of [375, 1280]) {
            const page = await open({ locale: 'ru-RU', viewport: { width, height: 800 }, change: s => {
                s.slots.find(slot => slot.running).state = 'pending_verify';
            } });
            const pieces = await page.locator('.badge').evaluateAll(all => all.map(badge => badge.getClientRects().length));
            assert.ok(pieces.length >= 2 && pieces.every(n => n === 1), `${width}: ${pieces}`);
            await page.close();
        }
    });

    test('nothing moves under the reader: layout shift under 0.05', async () => {
        for (const width of [375, 1280]) {
            const page = await open({ viewport: { width, height: 800 }, prepare: () => {
                window.shift = 0;
                new PerformanceObserver(list => list.getEntries().forEach(e => window.shift += e.value))
                    .observe({ type: 'layout-shift', buffered: true });
            } });
            await page.waitForTimeout(1500);
            const shift = await page.evaluate(() => window.shift);
            assert.ok(shift < 0.05, `${width}: ${shift}`);
            await page.close();
        }
    });

    test('every event, slot state and claim of the sources has its words on the page, in both languages', async () => {
        const source = file => fs.readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
        const names = (file, prefix) => [...source(file).matchAll(new RegExp(`\\[${prefix}\\w+\\] = "(\\w+)"`, 'g'))].map(([, name]) => name);
        const events = names('src/update/status.c', 'OTAPULT_EV_');
        const states = [...names('src/web/status_json.c', 'OTAPULT_STATE_'), 'undefined', 'empty'];
        assert.ok(events.length >= 12 && states.length >= 8, `${events} ${states}`);
        for (const [locale, letters] of [['en-US', /[a-z]{2}/], ['ru-RU', /[а-я]{2}/]]) {
            const page = await open({ locale });
            const missing = await page.evaluate(([known, pattern]) => known.filter(name =>
                !WORDS[name] || !new RegExp(pattern, 'i').test(t(name)) || /_/.test(t(name))),
            [[...events, ...states], letters.source]);
            assert.deepEqual(missing, [], locale);
            await page.close();
        }
    });

    test('locked keys and a table without otadata block as a table without slots does', async () => {
        for (const [code, error] of [['locked', 'Update.begin() failed'], ['no_ota_data', 'No OTA partition'], ['signature_no_keys', 'Update.begin() failed']]) {
            const page = await open({ change: s => Object.assign(s, { error: { error, code, detail: 'x', hint: 'y' } }) });
            await choose(page);
            await page.waitForTimeout(1200); // a status later
            assert.ok((await text(page, '#conditions')).includes(error), code);
            assert.equal(await page.isEnabled('#upload'), false, code);
            await page.close();
        }
    });

    test('no word of the machine on the page', async () => {
        for (const locale of ['en-US', 'ru-RU']) {
            const page = await open({ locale });
            await page.waitForTimeout(500);
            assert.doesNotMatch(await page.innerText('body'), /\b(null|undefined|aborted|NaN)\b|\[object/);
            await page.close();
        }
    });
});

describe('a login that ends', () => {
    const refusal = { success: false, error: 'Request failed', code: 'login_required', detail: 'nobody is logged in', hint: 'Log in.' };
    // `is.out`: the robot answers nobody but a user.
    async function openSecure(is) {
        const page = await open();
        await page.route(/api\/ota\/(status|log|events)/, route => is.out ? route.fulfill({ status: 401, json: refusal }) : route.continue());
        return page;
    }

    test('keeps the file; the robot does answer; a new login ends it', async () => {
        const is = { out: false };
        const page = await openSecure(is);
        await choose(page);
        is.out = true;
        await page.waitForSelector('#error[data-code=login_required] a');
        await page.focus('#error a');
        await page.waitForTimeout(4500); // longer than the silence after which a robot does not answer
        assert.equal(await page.isVisible('#offline'), false);
        assert.equal(await page.evaluate(() => document.activeElement.tagName), 'A');
        assert.equal(await page.isEnabled('#upload'), false);
        assert.equal(await text(page, '#phase'), 'Cannot be uploaded now: see above.');
        is.out = false;
        await page.waitForSelector('#error', { state: 'hidden' });
        assert.equal(await text(page, '#phase'), 'An application that fits. It can be uploaded.');
        assert.match(await text(page, '#facts'), /good\.bin/);
        assert.ok(await page.isEnabled('#upload'));
        await page.close();
    });

    test('during an upload: the page says so, and afterwards what runs', async () => {
        const is = { out: false };
        const page = await openSecure(is);
        await choose(page, await samples.make('login.bin', { version: '2.0.2', seed: 22, size: 900000 }));
        const { boot } = await rover.status();
        await page.click('#upload');
        is.out = true;
        await rover.waitFor('the new firmware', s => s.boot > boot && s.state === 'idle' && !s.pending);
        await page.waitForSelector('#error[data-code=login_required]');
        assert.equal(await text(page, '#result'), '');
        assert.match(await text(page, '#facts'), /login\.bin/);
        is.out = false;
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached' });
        assert.match(await text(page, '#result'), /^rover 2\.0\.2 .* runs: confirmed$/);
        assert.equal(await page.isVisible('#error'), false);
        assert.equal(await page.isVisible('#warnings'), false); // “the same build as runs now” is no news by then
        await page.close();
    });
});
