// SPDX-License-Identifier: Apache-2.0
// Requests that no honest client sends, each test named after what it tries, on plain and on TLS: against the
// open rover, and against the secure one by somebody who has stolen a login, so that the login is not what
// stops him. After all of them the owner still updates, while 200 connections hold on to the rover.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { sign } from '../support/signer.mjs';
import { openBrowser } from './support/browser.mjs';
import { curl } from './support/curl.mjs';
import { BINARY, Connection, exchange, formBody, head, uploadHead } from './support/raw.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const samples = new Samples();
after(() => samples.remove());

// `login`: headers; `signed`: an image as this rover takes it; `enter`: a page of the browser gets in.
const profiles = {
    async plain() {
        const rover = await startRover();
        return { rover, url: rover.url, login: {}, signed: image => image, enter: async () => {} };
    },
    async TLS() {
        const owner = await startSecureRover();
        const enter = async page => {
            await page.fill('#password', owner.password);
            await page.click('#login button');
        };
        const login = { Authorization: `Bearer ${await owner.token('stolen')}` };
        return { rover: owner.rover, url: owner.url, login, signed: image => sign(image, owner.key), enter };
    },
};

for (const [name, start] of Object.entries(profiles)) {
    describe(name, () => {
        let target, image, before_;

        before(async () => {
            target = await start();
            image = target.signed(fs.readFileSync(await samples.make(`${name}.bin`, { version: '2.0.0', seed: 2, size: 40000 })));
            before_ = await target.rover.status();
        });
        after(() => target.rover.stop());

        const typed = type => ({ 'Content-Type': type, ...target.login });
        const request = (headers, body) => Buffer.concat([uploadHead([...Object.entries(headers), ['Connection', 'close']]), body]);
        const post = (headers, body) => exchange(target.url, request({ ...headers, 'Content-Length': body.length }, body));

        async function unchanged() {
            const now = await target.rover.waitFor('an idle rover', s => s.state === 'idle');
            for (const key of ['boot', 'running', 'boot_slot'])
                assert.deepEqual(now[key], before_[key], key);
        }

        // As bytes, because what follows the head is not what it says.
        async function refused(bytes, ...codes) {
            const answer = await exchange(target.url, bytes);
            assert.ok(codes.includes(answer?.json?.code ?? answer?.status ?? 'closed'), `${answer?.status} ${answer?.body}`);
            await unchanged();
        }

        test('boundary of 0, 70, 71 and 64 K characters', async () => {
            const form = (length, data) => {
                const boundary = 'b'.repeat(length);
                return post(typed(`multipart/form-data; boundary=${boundary}`), formBody(data, boundary));
            };
            for (const length of [0, 71])
                assert.equal((await form(length, image)).json.code, 'multipart_boundary');
            assert.equal((await form(65536, image)).status, 431);
            assert.equal((await form(70, Buffer.from('\x7fELF\x01\x01\x01\0'.repeat(50), 'latin1'))).json.code, 'file_elf');
            await unchanged();
        });

        test('raw body to the multipart URL', async () => {
            const multipart = 'multipart/form-data; boundary=b';
            assert.equal((await post(typed(multipart), image)).json.code, 'multipart_malformed');
            assert.equal((await post(typed(BINARY['Content-Type']), formBody(image, 'b'))).json.code, 'file_unknown');
            for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json'])
                assert.equal((await post(typed(type), image)).json.code, 'content_type');
            await unchanged();
        });

        const raw = () => Object.entries(typed(BINARY['Content-Type']));
        const lengths = (...pairs) => Buffer.concat([uploadHead([...raw(), ...pairs, ['Connection', 'close']]), image]);

        test('Content-Length negative, or no number', async () => {
            for (const length of ['-1', '-40000', '+5', '0x10', '1e4', ''])
                await refused(lengths(['Content-Length', length]), 400, 'content_length');
        });

        test('Content-Length doubled', async () => {
            for (const second of [image.length, 0, 5])
                await refused(lengths(['Content-Length', image.length], ['Content-Length', second]), 400, 'content_length');
        });

        test('Content-Length with Transfer-Encoding', async () => {
            for (const coding of ['chunked', 'identity', 'gzip, chunked', 'xchunked'])
                await refused(lengths(['Content-Length', image.length], ['Transfer-Encoding', coding]), 400, 'content_length');
            await refused(lengths(['Transfer-Encoding', 'chunked'], ['Content-Length', '3']), 400, 'content_length');
        });

        test('path tricks', async () => {
            const { hostname, port, protocol } = new URL(target.url);
            const tricks = ['/api/ota/../ota/status', '//api/ota/status', '/api/ota/status/', '/api/ota/%73tatus', '/API/OTA/STATUS',
                '/api/ota/status;x=1', '/api/ota/status%00', '/api/./ota/status', '/api\\ota\\status', '/api/ota/account/../status',
                '/api/ota#/../status', `${protocol}//${hostname}:${port}/api/ota/status`, '*', '/api/ota/status%2f', '/api/ota/status\t'];
            for (const trick of tricks) { // by somebody without a login, and with one
                for (const login of [{}, target.login]) {
                    const answer = await exchange(target.url, head('GET', trick, { ...login, Connection: 'close' }));
                    assert.doesNotMatch(answer?.body ?? '', /"state"/, trick);
                    // libmicrohttpd 1.0 sends a blank inside an address to its escaped form
                    const blank = trick.endsWith('\t') ? [301] : [];
                    assert.ok([undefined, 400, 401, 404, 405, 505, ...blank].includes(answer?.status), `${trick}: ${answer?.status}`);
                }
            }
            await unchanged();
        });

        test('names with quotes, newlines, HTML and NULs in the file\'s name', async () => {
            for (const evil of ['a"b.bin', 'a\\"b.bin', '<b>.bin', 'a\r\nX-Evil: 1\r\n.bin', 'a\0b.bin', 'x.bin\0.html', '../../x.bin', 'ü.bin']) {
                const body = formBody(Buffer.from('not an image'), 'b', evil.replace(/(["\\])/g, '\\$1'));
                const answer = await post(typed('multipart/form-data; boundary=b'), body);
                assert.ok(answer.status >= 400 && answer.status < 500, `${evil}: ${answer.body}`);
                assert.ok(answer.json, evil);
                assert.doesNotMatch(answer.body, /[<>\0]|X-Evil/);
            }
            await unchanged();
        });

        test('names with quotes, newlines, HTML and NULs in version and project', async () => {
            const version = '<img src=x onerror=alert(1)>"\'&'.slice(0, 31);
            const file = await samples.make('evil.bin', { version, project: 'a\n\x1b[31mb"</script>', seed: 3 });
            fs.writeFileSync(file, target.signed(fs.readFileSync(file)));
            const answer = await post(typed(BINARY['Content-Type']), fs.readFileSync(file));
            assert.equal(answer.status, 200, answer.body);
            assert.doesNotMatch(answer.body, /[<>\x1b]/);
            assert.equal(answer.json.version, version);
            const status = await target.rover.waitFor('the confirmation', s => s.boot === before_.boot + 1 && !s.pending);
            assert.equal(status.slots.find(s => s.running).image.project, 'a??[31mb"</script>');

            const info = await run(program('otapult', 'OTAPULT'), ['info', file]);
            assert.doesNotMatch(info.stdout, /\x1b|a\n\S?\[31m/); // not a\n alone: a digest may end so
            const console_ = target.rover.lines.join('\n');
            assert.doesNotMatch(console_.replace(/\x1b\[(97;40|0)m/g, ''), /\x1b/); // but for the QR code's colours

            const browser = await openBrowser();
            try {
                const page = await browser.newPage({ locale: 'en-US', ignoreHTTPSErrors: true, tolerate: [/Failed to load/] });
                await page.goto(`${target.url}/api/ota`);
                await target.enter(page);
                await page.waitForSelector('#running[data-build]', { state: 'attached' });
                await page.waitForFunction(() => document.querySelector('#running').dataset.build);
                assert.ok((await page.textContent('#running')).includes(version));
                assert.ok((await page.textContent('#log')).includes(version));
                assert.equal(await page.locator('img').count(), 0);
            } finally {
                await browser.close();
            }
        });

        test('slowloris with 200 connections while the owner updates', async () => {
            const greeting = name === 'TLS' ? '\x16\x03\x01\x02\x00\x01\x00' : 'POS';
            const mute = await Promise.all(Array.from({ length: 100 }, () => // that say nothing, or half a word
                Connection.open(target.url.replace('https:', 'http:'))));
            await Promise.all(mute.slice(50).map(connection => connection.send(Buffer.from(greeting, 'latin1'))));
            const slow = [];
            for (let n = 0; n < 100; n++) { // and a request that never ends, a byte at a time
                slow.push(await Connection.open(target.url));
                await slow[n].send(Buffer.from('POST /api/ota/upload HTTP/1.1\r\nHost: localhost\r\nX-Slow: '));
            }
            const drip = setInterval(() => slow.forEach(connection => connection.send(Buffer.from('x'))), 500);
            try {
                const { boot } = await target.rover.status();
                const headers = Object.entries(target.login).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
                const answer = await curl('-k', ...headers, '-F', `firmware=@${samples.write('owner.bin', image)}`, `${target.url}/api/ota/upload`);
                assert.equal(answer.status, 200, answer.body);
                const now = await target.rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
                assert.equal(now.slots.find(s => s.running).image.version, '2.0.0');
            } finally {
                clearInterval(drip);
                [...mute, ...slow].forEach(connection => connection.close());
            }
        });
    });
}
