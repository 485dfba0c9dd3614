// SPDX-License-Identifier: Apache-2.0
// The page and a link that drops: it says how much is safe and goes on by itself, also in a tab that was loaded anew and
// past a robot that lost its power. It packs what it sends where both sides can, and takes packed files and patches.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { openBrowser } from './support/browser.mjs';
import { rework, segments } from './support/firmware.mjs';
import { closeProxies, startProxy } from './support/proxy.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const samples = new Samples();
const tolerate = [/Failed to load resource/, /net::ERR_/];
const buildId = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);
const WORDS = {
    'en-US': [/^Connection lost, ([\d,]+) of 1,172 KB are safe; going on as soon as the robot answers\.$/,
        /^Your upload broke off, ([\d,]+) of 1,172 KB are safe\. Upload the same file to go on\.$/],
    'ru-RU': [/^Связь потеряна, ([\d\s]+) из 1\s172 КБ сохранены; продолжим, как только робот ответит\.$/,
        /^Ваша загрузка прервалась, ([\d\s]+) из 1\s172 КБ сохранены\. Чтобы продолжить, загрузите тот же файл\.$/],
};
const AS_A_BOARD = { args: ['--soak', '300'] }; // its flash takes the time of a board's
let browser, noise, soft;

before(async () => {
    browser = await openBrowser();
    noise = await samples.make('noise.bin', { version: '2.0.0', seed: 2, size: 1200000 }); // which nothing packs
    const text = 'what a compiler makes of a program repeats itself. ';
    soft = samples.write('soft.bin', rework(fs.readFileSync(await samples.make('soft.bin', { version: '3.0.0', seed: 3, size: 1200000 })),
        bytes => segments(bytes).sort((a, b) => a.length - b.length).at(-1).subarray(0, 500000).fill(text)));
});
after(async () => {
    try {
        await browser.close();
    } finally {
        await closeProxies();
        samples.remove();
    }
});

// A link on which there is time for what happens on the way; once that has happened it need not be slow any more.
const slowProxy = url => startProxy(url, { bytesPerSecond: 50000 });
const up = proxy => {
    proxy.fault.bytesPerSecond = Infinity;
    proxy.up();
};

const text = (page, selector) => page.textContent(selector);
const phase = (page, name) => page.waitForSelector(`#phase[data-phase=${name}]`, { state: 'attached', timeout: 60000 });
const started = page => page.waitForFunction(() => document.querySelector('[data-build]')?.dataset.build);

// The page at `url`, with what it asked for: {method, offset, length}.
async function open(url, { prepare, ...options } = {}) {
    const page = await browser.newPage({ locale: 'en-US', tolerate, ...options });
    page.asked = [];
    page.on('request', request => request.url().includes('/api/ota/upload') && page.asked.push({
        method: request.method(), offset: request.headers()['upload-offset'], length: request.headers()['upload-length'],
    }));
    await page.addInitScript(() => {
        const { send } = XMLHttpRequest.prototype;
        window.bodies = [];
        XMLHttpRequest.prototype.send = function (body) {
            if (body)
                window.bodies.push(body);
            return send.call(this, body);
        };
    });
    page.on('dialog', dialog => dialog.accept().catch(() => {}));
    if (prepare)
        await page.addInitScript(prepare);
    await page.goto(`${url}/api/ota`);
    await started(page);
    return page;
}

// What the page gave to be sent; no protocol of Chromium's shows it.
const bodies = async page => (await page.evaluate(() => Promise.all(window.bodies.splice(0).map(body => new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1]);
    reader.readAsDataURL(body);
}))))).map(base64 => Buffer.from(base64, 'base64'));

async function choose(page, file) {
    await page.setInputFiles('#file', file);
    await page.waitForSelector('#upload:not([disabled])');
}

async function begin(page, file) {
    await choose(page, file);
    await page.click('#upload');
}

const writes = page => page.waitForFunction(() => document.querySelector('#progress-written').value > 0.15, undefined, { timeout: 60000 });

async function broken(page, words, most = 1172) {
    await page.waitForFunction(() => document.querySelector('#phase').dataset.word === 'broke_off');
    const said = words.exec(await text(page, '#phase'));
    assert.ok(said, await text(page, '#phase'));
    const safe = Number(said[1].replace(/\D/g, ''));
    assert.ok(safe > 100 && safe < most, said[0]);
    return safe;
}

const offsets = page => page.asked.filter(r => r.method === 'PATCH').map(r => Number(r.offset));
const log = async rover => (await (await fetch(`${rover.url}/api/ota/log`)).json()).entries.map(e => e.event);
const runs = (rover, file) => rover.waitFor('the new firmware', s =>
    s.slots.some(slot => slot.running && slot.image.build === buildId(file)) && !s.pending && s.state === 'idle');

describe('a link that drops', () => {
    for (const locale of ['en-US', 'ru-RU']) {
        test(`is said with what is safe, and the page goes on there (${locale})`, async () => {
            const rover = await startRover(AS_A_BOARD);
            const proxy = await slowProxy(rover.url);
            const page = await open(proxy.url, { locale });
            await begin(page, noise);
            await writes(page);
            proxy.down();
            const safe = await broken(page, WORDS[locale][0]);
            assert.ok(await page.isVisible('#cancel'));
            assert.equal(await page.isVisible('#error'), false);
            assert.equal(await page.isEnabled('#choose'), false);
            assert.ok((await text(page, '#figure-sent')).startsWith(`${safe} `), 'nothing that is in no robot counts as sent');
            assert.equal(await text(page, '#pace'), '');
            await page.click('#lang'); // the words follow
            assert.match(await text(page, '#phase'), locale === 'en-US' ? WORDS['ru-RU'][0] : WORDS['en-US'][0]);
            up(proxy);
            await phase(page, 'done');
            assert.ok(offsets(page)[0] === 0 && offsets(page).at(-1) >= (safe - 1) * 1024, String(offsets(page)));
            await runs(rover, noise);
            assert.deepEqual(await log(rover), ['confirmed', 'activated']); // no refusal on the way
            await page.close();
            await rover.stop();
        });
    }

    test('or freezes, without a word of any connection', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url);
        await begin(page, noise);
        await writes(page);
        proxy.freeze();
        await broken(page, WORDS['en-US'][0]);
        up(proxy);
        await phase(page, 'done');
        assert.ok(offsets(page).at(-1) > 100 * 1024, String(offsets(page)));
        await runs(rover, noise);
        await page.close();
        await rover.stop();
    });

    test('and once the robot waits no more the failure stays, until somebody goes on', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url, { prepare: () => { // minutes pass at a word
            const { now } = performance;
            window.later = 0;
            performance.now = () => now.call(performance) + window.later;
        } });
        await begin(page, noise);
        await writes(page);
        proxy.down();
        await broken(page, WORDS['en-US'][0]);
        await page.evaluate(() => { window.later = 100000; });
        await page.waitForTimeout(1500);
        assert.equal(await page.isVisible('#error'), false);
        await page.evaluate(() => { window.later = 125000; });
        await page.waitForSelector('#error[data-code=connection_lost]');
        const asked = page.asked.length;
        up(proxy);
        await page.waitForSelector('#upload:not([disabled])');
        assert.ok(await page.isVisible('#error'));
        assert.equal(page.asked.length, asked); // by itself it does nothing any more
        await page.click('#upload');
        await page.waitForFunction(() => /2\.0\.0 .*confirmed/.test(document.querySelector('#result').textContent), undefined, { timeout: 60000 });
        assert.ok(offsets(page).at(-1) > 100 * 1024, String(offsets(page)));
        await page.close();
        await rover.stop();
    });

    test('Cancel ends it all the same, and it does not begin again', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url);
        await begin(page, noise);
        await writes(page);
        proxy.down();
        await broken(page, WORDS['en-US'][0]);
        await page.click('#cancel');
        assert.equal(await text(page, '#phase'), 'Cancelled.');
        const asked = page.asked.length;
        up(proxy);
        await rover.waitFor('a robot that heard of it', s => s.state === 'idle');
        assert.deepEqual(await log(rover), ['refused']);
        assert.equal(page.asked.length, asked);
        assert.equal((await rover.status()).slots.find(s => s.running).image.version, '1.0.0');
        await page.close();
        await rover.stop();
    });

    test('Cancel ends one that the robot begins after that', async () => {
        const rover = await startRover();
        const page = await open(rover.url);
        const held = new Promise(resolve => page.route('**/api/ota/uploads?*', resolve));
        await begin(page, noise);
        const request = (await held).request();
        await page.click('#cancel');
        await fetch(request.url(), { method: 'POST', headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '1200000' } });
        await rover.waitFor('a robot that heard of it', s => s.state === 'idle' && s.last?.code === 'upload_ended');
        await page.close();
        await rover.stop();
    });

    test('after all was sent, and the answer never came: one click was one update', async () => {
        const rover = await startRover();
        const page = await open(rover.url);
        let lost = 0;
        await page.route('**/api/ota/uploads?upload=*', async route => {
            if (route.request().method() !== 'PATCH' || lost++)
                return route.continue();
            await fetch(route.request().url(), { method: 'PATCH', headers: {
                'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' }, body: fs.readFileSync(noise) });
            return route.abort();
        });
        await begin(page, noise);
        await phase(page, 'done');
        assert.match(await text(page, '#result'), /rover 2\.0\.0 .*confirmed/);
        assert.equal(lost, 1);
        assert.deepEqual(await log(rover), ['confirmed', 'activated']);
        await page.close();
        await rover.stop();
    });

    test('and while the robot is still busy with all of it, the page waits', async () => {
        const rover = await startRover();
        const page = await open(rover.url);
        const tus = { 'Tus-Resumable': '1.0.0' };
        const seen = { PATCH: 0, HEAD: 0, POST: 0 };
        await page.route('**/api/ota/uploads?*', async route => {
            const method = route.request().method(), n = ++seen[method];
            if (method === 'PATCH' && n === 1) {
                await fetch(route.request().url(), { method, body: fs.readFileSync(noise), headers: {
                    ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' } });
                return route.abort();
            }
            if (method === 'HEAD' && n === 1)
                return route.fulfill({ headers: { ...tus, 'Upload-Offset': String(fs.statSync(noise).size) } });
            if (method === 'POST' && (n === 2 || n === 3)) // as while it verifies
                return route.fulfill({ status: 409, headers: tus, json: { success: false, error: 'Update.begin() failed', code: 'busy', detail: 'an update is running', hint: 'Wait.' } });
            return route.continue();
        });
        await begin(page, noise);
        await phase(page, 'done');
        assert.match(await text(page, '#result'), /rover 2\.0\.0 .*confirmed/);
        assert.ok(seen.POST >= 3, JSON.stringify(seen));
        await page.close();
        await rover.stop();
    });

    for (const [how, refuse] of [['answers 504', route => route.fulfill({ status: 504, contentType: 'text/html', body: 'Gateway Timeout' })],
        ['resets', route => route.abort('connectionreset')]]) {
        test(`and where it ${how} to all that is sent the page gives up, with a remedy, and keeps what is safe`, async () => {
            const rover = await startRover(AS_A_BOARD);
            const proxy = await slowProxy(rover.url);
            const page = await open(proxy.url);
            await begin(page, noise);
            await writes(page);
            await page.route('**/api/ota/uploads?upload=*', route => route.request().method() === 'PATCH' ? refuse(route) : route.continue());
            proxy.down();
            await broken(page, WORDS['en-US'][0]);
            page.asked.length = 0;
            up(proxy);
            await page.waitForSelector('#error:not([hidden])', { timeout: 120000 });
            assert.match(await text(page, '#error'), /does not get to it: look at the proxy or WiFi in between\. \d+ of 1,172 KB are safe; upload it again/);
            await page.click('#lang');
            assert.match(await text(page, '#error'), /проверьте прокси или WiFi.*чтобы продолжить, загрузите снова/);
            const tries = offsets(page);
            assert.ok(tries.length >= 3 && tries.length <= 9 && new Set(tries).size === 1, String(tries));
            assert.ok(!page.asked.some(r => r.method === 'DELETE'));
            assert.equal((await rover.status()).state, 'receiving');
            await page.unroute('**/api/ota/uploads?upload=*');
            await page.click('#upload');
            await phase(page, 'done');
            assert.ok(offsets(page).at(-1) >= tries[0], String(offsets(page)));
            await runs(rover, noise);
            await page.close();
            await rover.stop();
        });
    }

    test('what little gets through keeps it going', async () => {
        const rover = await startRover();
        const small = await samples.make('small.bin', { version: '2.0.0', seed: 4, size: 200000 });
        const bytes = fs.readFileSync(small);
        const page = await open(rover.url, { prepare: () => delete window.CompressionStream });
        let tries = 0;
        await page.route('**/api/ota/uploads?upload=*', async route => {
            if (route.request().method() !== 'PATCH')
                return route.continue();
            const headers = route.request().headers();
            if (++tries % 5 === 0) { // as much as gets through before the link breaks
                const from = Number(headers['upload-offset']);
                await fetch(route.request().url(), { method: 'PATCH', body: bytes.subarray(from, from + 100000), headers: {
                    'Tus-Resumable': '1.0.0', 'Upload-Offset': String(from), 'Content-Type': 'application/offset+octet-stream' } });
            }
            return route.abort('connectionreset');
        });
        await begin(page, small);
        await phase(page, 'done');
        assert.equal(tries, 5 * Math.ceil(bytes.length / 100000));
        await runs(rover, small);
        await page.close();
        await rover.stop();
    });

    test('behind a proxy that says of itself that nobody is there', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url);
        await begin(page, noise);
        await writes(page);
        const said = [429, 502, 503, 504];
        let n = 0;
        await page.route('**/api/ota/**', route => route.fulfill({ status: said[n++ % said.length], contentType: 'text/html', body: 'not the robot' }));
        proxy.down();
        await broken(page, WORDS['en-US'][0]);
        up(proxy);
        await page.waitForTimeout(3500); // so that the upload has heard each of them
        await broken(page, WORDS['en-US'][0]);
        await page.unroute('**/api/ota/**');
        await phase(page, 'done');
        await runs(rover, noise);
        await page.close();
        await rover.stop();
    });
});

describe('a tab that is loaded anew', () => {
    let rover, proxy, page;
    const reload = async () => {
        await page.reload();
        await started(page);
        page.asked.length = 0;
    };
    const halfSent = async (locale = 'en-US') => {
        rover = await startRover(AS_A_BOARD);
        proxy = await slowProxy(rover.url);
        page = await open(proxy.url, { locale });
        await begin(page, noise);
        await writes(page);
        proxy.fault.bytesPerSecond = Infinity;
        await reload();
    };
    const stop = async () => {
        await page.close();
        await rover.stop();
    };

    for (const locale of ['en-US', 'ru-RU']) {
        test(`goes on with the same file (${locale})`, async () => {
            await halfSent(locale);
            await page.waitForFunction(() => document.querySelector('#conditions .note'));
            assert.match(await text(page, '#conditions'), WORDS[locale][1]);
            assert.equal(await page.isVisible('#others'), false);
            assert.ok(await page.isVisible('#cancel'));
            await begin(page, noise);
            await phase(page, 'done');
            assert.match(page.asked.map(r => r.method).join(' '), /^(HEAD PATCH )+POST$/); // the first may find its old self still inside
            assert.ok(offsets(page)[0] > 100 * 1024, String(offsets(page)));
            assert.equal(await text(page, '#conditions'), '');
            await runs(rover, noise);
            assert.deepEqual(await log(rover), ['confirmed', 'activated']);
            await stop();
        });
    }

    test('waits for a link that is dead just then', async () => {
        await halfSent();
        await choose(page, noise);
        proxy.down();
        await page.click('#upload');
        await broken(page, WORDS['en-US'][0]);
        up(proxy);
        await phase(page, 'done');
        assert.match(page.asked.map(r => r.method).join(' '), /^HEAD (HEAD )+(PATCH |HEAD )*POST$/);
        await runs(rover, noise);
        assert.deepEqual(await log(rover), ['confirmed', 'activated']);
        await stop();
    });

    for (const [what, method] of [['the same file', 'HEAD'], ['another one', 'DELETE']]) {
        test(`Cancel ends it also while it is looked for, with ${what}`, async () => {
            await halfSent();
            await choose(page, what === 'another one' ? soft : noise);
            let release;
            const held = new Promise(resolve => page.route('**/api/ota/uploads?upload=*', route => {
                if (release || route.request().method() !== method)
                    return route.continue();
                release = () => route.abort().catch(() => {});
                return resolve();
            }));
            await page.click('#upload');
            await held;
            await page.click('#cancel');
            await rover.waitFor('a free robot', s => s.state === 'idle' && s.last?.code === 'upload_ended');
            assert.ok(page.asked.some(r => r.method === 'DELETE'));
            assert.equal(await text(page, '#phase'), 'Cancelled.');
            assert.ok(!page.asked.some(r => r.method === 'POST'));
            await release();
            await stop();
        });
    }

    test('gives it up for another file', async () => {
        await halfSent();
        await begin(page, soft);
        await phase(page, 'done');
        assert.match(page.asked.map(r => r.method).join(' '), /^DELETE (POST )+PATCH POST$/);
        await runs(rover, soft);
        await stop();
    });

    test('and a choice of starting it later is another upload', async () => {
        await halfSent();
        await choose(page, noise);
        await page.check('#later');
        await page.click('#upload');
        await phase(page, 'done');
        assert.match(page.asked.map(r => r.method).join(' '), /^DELETE (POST )+PATCH POST$/);
        assert.match(await text(page, '#result'), /waits to be started/);
        assert.equal((await rover.status()).staged.image.build, buildId(noise));
        await stop();
    });

    test('ends it by Cancel', async () => {
        await halfSent();
        await page.waitForSelector('#cancel:not([hidden])');
        await page.click('#cancel');
        await rover.waitFor('a free robot', s => s.state === 'idle');
        assert.equal(await text(page, '#phase'), 'Cancelled.');
        await page.waitForFunction(() => document.querySelector('#conditions').textContent === '');
        await stop();
    });

    test('another tab of the same browser sees somebody else\'s update', async () => {
        await halfSent();
        const other = await page.context().newPage();
        await other.goto(`${proxy.url}/api/ota`);
        await other.waitForSelector('#others:not([hidden])');
        assert.equal(await text(other, '#conditions'), '');
        await other.setInputFiles('#file', noise);
        await other.waitForFunction(() => document.querySelector('#phase').textContent.startsWith('Cannot be uploaded now'));
        assert.equal(await other.isEnabled('#upload'), false);
        await other.close();
        await stop();
    });
});

describe('a tab that is duplicated while it sends', () => {
    test('has a copy that sees somebody else\'s update, and breaks nothing', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url);
        await begin(page, noise);
        await writes(page);
        const copy = await page.context().newPage();
        await copy.addInitScript(kept => Object.assign(sessionStorage, kept), await page.evaluate(() => ({ ...sessionStorage })));
        await copy.goto(`${proxy.url}/api/ota`);
        await started(copy);
        await copy.waitForSelector('#others:not([hidden])');
        assert.equal(await text(copy, '#conditions'), '');
        assert.equal(await copy.isVisible('#cancel'), false);
        await copy.setInputFiles('#file', noise);
        await copy.waitForFunction(() => document.querySelector('#phase').textContent.startsWith('Cannot be uploaded now'));
        assert.equal(await copy.isEnabled('#upload'), false);
        await phase(page, 'done');
        assert.deepEqual(offsets(page), [0]);
        await copy.waitForSelector(`#running[data-build="${buildId(noise)}"]`);
        await page.context().close();
        await rover.stop();
    });
});

describe('a robot that loses its power', () => {
    const plain = () => delete window.CompressionStream;
    test('goes on with a plain file, at most 64 KB before', async () => {
        const rover = await startRover(AS_A_BOARD);
        const page = await open(rover.url, { prepare: plain });
        await begin(page, noise);
        await page.waitForFunction(() => document.querySelector('#progress-written').value > 0.3);
        const { received } = await rover.status();
        rover.child.kill('SIGUSR1');
        await phase(page, 'done');
        const at = offsets(page).at(-1);
        assert.ok(at % 4096 === 0 && at > received - 65536 - 4096, `${at} of ${received}`);
        assert.equal(await page.isVisible('#error'), false);
        await runs(rover, noise);
        assert.equal((await rover.status()).boot, 3);
        await page.close();
        await rover.stop();
    });

    test('goes on with a packed one', async () => {
        const rover = await startRover(AS_A_BOARD);
        const page = await open(rover.url);
        await begin(page, soft);
        await page.waitForFunction(() => document.querySelector('#progress-written').value > 0.5);
        rover.child.kill('SIGUSR1');
        await phase(page, 'done');
        assert.deepEqual(offsets(page).map(at => at === 0), [true, false]);
        const [all, rest] = await bodies(page); // and no more than the rest went a second time
        assert.ok(rest.equals(all.subarray(offsets(page)[1])) && rest.length < all.length * 0.8, `${rest.length} of ${all.length}`);
        await runs(rover, soft);
        await page.close();
        await rover.stop();
    });

    test('wants a login where its sessions went with the power, and goes on after that', async () => {
        const owner = await startSecureRover({ args: ['--min-rate', '1'] });
        const proxy = await slowProxy(owner.url); // TLS goes through it
        const page = await browser.newPage({ locale: 'en-US', tolerate, ignoreHTTPSErrors: true });
        await page.addInitScript(plain);
        const asked = [];
        page.on('request', r => r.method() === 'PATCH' && asked.push(Number(r.headers()['upload-offset'])));
        const url = proxy.url.replace('http:', 'https:');
        const logIn = async tab => {
            await tab.waitForSelector('#login:not([hidden])');
            await tab.fill('#password', owner.password);
            await tab.keyboard.press('Enter');
        };
        await page.goto(`${url}/api/ota`);
        await logIn(page);
        await started(page);
        await choose(page, owner.signFile(await samples.make('signed.bin', { version: '2.0.0', seed: 9, size: 1200000 })));
        await page.click('#upload');
        await writes(page);
        owner.rover.child.kill('SIGUSR1');
        proxy.fault.bytesPerSecond = Infinity;
        await page.waitForSelector('#error[data-code=login_required]');
        const other = await page.context().newPage();
        await other.goto(`${url}/api/ota/account`);
        await logIn(other);
        await other.waitForSelector('#inside:not([hidden])');
        await page.click('#upload:not([disabled])');
        await page.waitForFunction(() => /2\.0\.0 .*confirmed/.test(document.querySelector('#result').textContent));
        assert.ok(asked.at(-1) > 64 * 1024, String(asked));
        await page.close();
        await owner.stop();
    });
});

describe('what goes over the wire', () => {
    test('is packed where both sides can, and goes on in the same bytes', async () => {
        const rover = await startRover(AS_A_BOARD);
        const proxy = await slowProxy(rover.url);
        const page = await open(proxy.url);
        const whole = fs.readFileSync(soft);
        await begin(page, soft);
        await writes(page);
        proxy.down();
        await page.waitForFunction(() => document.querySelector('#phase').dataset.word === 'broke_off');
        up(proxy);
        await phase(page, 'done');
        const [created] = page.asked.filter(r => r.length);
        assert.ok(Number(created.length) < whole.length * 0.7, created.length);
        const pieces = page.asked.filter(r => r.method === 'PATCH');
        assert.ok(pieces.length >= 2 && Number(pieces.at(-1).offset) > 0);
        const sent = await bodies(page);
        assert.ok(zlib.gunzipSync(sent[0]).equals(whole));
        assert.ok(sent.at(-1).equals(sent[0].subarray(Number(pieces.at(-1).offset))));
        await runs(rover, soft);
        await page.close();
        await rover.stop();
    });

    test('is the file itself where the robot does not unpack, or it would not be smaller', async () => {
        for (const [file, accepts] of [[soft, ['plain']], [noise, ['plain', 'gzip']]]) {
            const rover = await startRover();
            const page = await browser.newPage({ locale: 'en-US', tolerate });
            const lengths = [];
            page.on('request', r => r.headers()['upload-length'] && lengths.push(Number(r.headers()['upload-length'])));
            await browser.alterAnswers(page, '**/api/ota/status', `${rover.url}/api/ota/status`, s => { s.limits.accepts = accepts; });
            await page.goto(`${rover.url}/api/ota`);
            await started(page);
            await begin(page, file);
            await runs(rover, file);
            assert.equal(lengths[0], fs.statSync(file).size);
            await page.close();
            await rover.stop();
        }
    });
});

describe('a chosen file', () => {
    let rover, page;
    before(async () => {
        rover = await startRover();
        page = await open(rover.url);
    });
    after(async () => {
        await page.close();
        await rover.stop();
    });

    test('that is packed is judged by what is in it, and sent as it is', async () => {
        for (const [name, pack] of [['p.bin.gz', zlib.gzipSync], ['p.bin', zlib.deflateSync]]) {
            const bytes = pack(fs.readFileSync(soft));
            const file = samples.write(name, bytes);
            const bad = samples.write('c3.bin.gz', pack(fs.readFileSync(await samples.make('c3.bin', { chip: '0x0005' }))));
            await page.setInputFiles('#file', bad);
            await page.waitForSelector('#error[data-code=image_wrong_chip]');
            await choose(page, file);
            assert.match(await text(page, '#facts'), new RegExp(`3\\.0\\.0 .*SHA-256${createHash('sha256').update(fs.readFileSync(soft)).digest('hex')}`));
            await page.click('#upload');
            await phase(page, 'done');
            assert.ok((await bodies(page))[0].equals(bytes));
            await runs(rover, soft);
        }
    });

    test('that is a patch for what runs is taken, and another\'s refused with both names', async () => {
        const revised = (version, build) => samples.write(`${version}.bin`, rework(fs.readFileSync(soft), bytes => {
            bytes.fill(0, 0x30, 0x50).write(version, 0x30, 'latin1');
            bytes.write(build, 0xb0, 'hex');
        }));
        const [next, other] = [revised('3.0.1', 'cafe0301'), revised('2.9.0', 'beef0290')];
        const patch = path.join(samples.folder, 'next.patch');
        for (const [base, name] of [[soft, patch], [other, `${patch}.gz`]]) {
            const made = await run(program('otapult', 'OTAPULT'), ['patch', base, next, '-o', path.join(samples.folder, 'x.patch')]);
            assert.equal(made.status, 0, made.stderr);
            const bytes = fs.readFileSync(path.join(samples.folder, 'x.patch'));
            fs.writeFileSync(name, name.endsWith('gz') ? zlib.gzipSync(bytes) : bytes);
        }
        await page.setInputFiles('#file', `${patch}.gz`);
        await page.waitForSelector('#error[data-code=patch_wrong_base]');
        assert.ok((await text(page, '#error')).includes(`2.9.0 (beef0290); 3.0.0 (${buildId(soft)})`), await text(page, '#error'));
        assert.equal(await page.isEnabled('#upload'), false);
        await choose(page, patch);
        assert.equal(await text(page, '#phase'), 'A patch for what runs. It can be uploaded.');
        assert.match(await text(page, '#facts'), /3\.0\.1 cafe0301/);
        await page.click('#upload');
        await phase(page, 'done');
        await runs(rover, next);
    });
});
