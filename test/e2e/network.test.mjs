// SPDX-License-Identifier: Apache-2.0
// A bad network and worse clients: whatever they do, the device is free for the next update, answers, and
// holds no memory, no descriptor and no thread of theirs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { census, memory, memorySlack, returnsTo, withoutQuarantine } from './support/census.mjs';
import { upload } from './support/curl.mjs';
import { closeProxies, startProxy } from './support/proxy.mjs';
import {
    BINARY, closeConnections, Connection, exchange, formBody, formUpload, get, head, rawUpload,
    status, until, uploadHead,
} from './support/raw.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const path = name => `${samples.folder}/${name}`;
let small, other, large;
const elf = Buffer.concat([Buffer.from('\x7fELF\x01\x01\x01', 'latin1'), Buffer.alloc(4096)]);

before(async () => {
    const make = async (name, options) => fs.readFileSync(await samples.make(name, options));
    small = await make('small.bin', { version: '2.0.0', seed: 2, size: 40000 });
    other = await make('other.bin', { version: '3.0.0', seed: 3, size: 40000 });
    large = await make('large.bin', { version: '4.0.0', seed: 4, size: 6 << 20 });
});
after(async () => {
    samples.remove();
    closeConnections();
    await closeProxies();
});

// One rover for all tests of `body`, which must leave it as they found it: idle, and holding nothing.
function withRover(name, args, body, start = startRover) {
    describe(name, () => {
        const world = {};
        before(async () => {
            world.rover = await start({ args: ['--fast', '--restart', '50', ...args] });
            world.url = world.rover.url;
            world.pid = world.rover.child.pid;
            await idle(world);
            world.held = await returnsTo(world.pid, { descriptors: 1000, threads: 3 }); // main, the server's, and the one that announces it
        });
        after(async () => {
            try {
                await idle(world);
                await returnsTo(world.pid, world.held);
            } finally {
                await world.rover.stop(); // which fails when memory has leaked
            }
        });
        body(world);
    });
}

// An upload that asks before it sends its body.
const asking = () => uploadHead({ ...BINARY, 'Content-Length': small.length, Expect: '100-continue' });
const buildOf = image => image.toString('hex', 0xb0, 0xb4);

const idle = world => until(world.url, 'an idle device', s => s.state === 'idle' && !s.pending);
const receiving = world => until(world.url, 'an upload under way', s => s.state === 'receiving');
const refusedWith = (world, code, seq) => until(world.url, `a refusal: ${code}`,
    s => s.state === 'idle' && s.last?.code === code && s.last.seq > seq);
const newest = async world => (await idle(world)).last?.seq ?? 0;

// The update is accepted, boots and is confirmed.
async function updates(world, request) {
    const { boot } = await idle(world);
    const answer = await exchange(world.url, request);
    assert.equal(answer?.json?.success, true, answer?.body);
    return runs(world, answer.json.build, boot);
}

async function runs(world, build, boot) {
    const now = await until(world.url, 'the next boot',
        s => s.boot > boot && s.state === 'idle' && !s.pending);
    const running = now.slots.find(slot => slot.running);
    assert.equal(running.image.build, build);
    assert.equal(running.state, 'valid');
    assert.equal(now.boot, boot + 1);
    return now;
}

withRover('a connection that is cut', [], world => {
    const ends = [c => c.close(), c => c.abort(), c => { c.end(); return c.closed(); }];

    // Before the headers are complete nothing has begun.
    async function cutInHead(request, at, how) {
        const connection = await Connection.open(world.url);
        await connection.send(request.subarray(0, at));
        await how(connection);
        assert.equal((await status(world.url)).state, 'idle');
        connection.close();
    }

    async function cutInBody(request, at, how, seq) {
        const connection = await Connection.open(world.url);
        await connection.send(request.subarray(0, at));
        await receiving(world);
        await how(connection);
        const { last } = await refusedWith(world, 'connection_lost', seq);
        connection.close();
        return last.seq;
    }

    test('at every byte up to KB 1 of the file, at 100 further on, and in the closing boundary', async t => {
        const request = formUpload(small);
        const headEnd = request.indexOf('\r\n\r\n') + 4;
        const fileAt = request.indexOf(small.subarray(0, 64));
        const fileEnd = fileAt + small.length;
        const offsets = Array.from({ length: fileAt + 1024 }, (_, at) => at);
        for (let n = 1; n <= 100; n++)
            offsets.push(fileAt + 1024 + Math.floor((small.length - 1024) * n / 101));
        for (let at = fileEnd; at < request.length; at++)
            offsets.push(at);

        const { boot } = await idle(world);
        let seq = await newest(world);
        for (const [n, at] of offsets.entries()) {
            const how = ends[n % ends.length];
            if (at < headEnd)
                await cutInHead(request, at, how);
            else
                seq = await cutInBody(request, at, how, seq);
        }
        const now = await idle(world);
        assert.equal(now.boot, boot, 'no restart in between');
        assert.equal(now.last.seq, offsets.filter(at => at >= headEnd).length, 'one entry an upload');
        t.diagnostic(`${offsets.length} cuts`);
    });

    test('cut by a router on its way, with an end and with a reset', async () => {
        for (const reset of [false, true]) {
            const seq = await newest(world);
            const before = () => receiving(world);
            const proxy = await startProxy(world.url, { cutAfter: 30000, reset, before });
            const connection = await Connection.open(proxy.url);
            await connection.send(rawUpload(small));
            assert.equal(await connection.finalAnswer(), null);
            const { last } = await refusedWith(world, 'connection_lost', seq);
            assert.match(last.text, /^the connection ended after \d+ bytes of the file$/);
            connection.close();
            await proxy.close();
        }
    });

    test('gone after the headers, while it waits for 100 Continue', async () => {
        const seq = await newest(world);
        const connection = await Connection.open(world.url);
        await connection.send(asking());
        assert.equal((await connection.answer()).status, 100);
        connection.close();
        await refusedWith(world, 'connection_lost', seq);
    });

    test('gone while a refusal is on its way, and from an event stream', async () => {
        const proxy = await startProxy(world.url, { resetAnswerAfter: 30 });
        for (const request of [rawUpload(elf), head('GET', '/api/ota/events'), head('GET', '/api/ota')]) {
            const connection = await Connection.open(proxy.url);
            await connection.send(request);
            await connection.closed();
        }
        await proxy.close();
        await idle(world);
    });

    test('the update stands when the answer to it is lost', async () => {
        const { boot } = await idle(world);
        const proxy = await startProxy(world.url, { resetAnswerAfter: 10 });
        const connection = await Connection.open(proxy.url);
        await connection.send(formUpload(small));
        assert.equal(await connection.finalAnswer(), null);
        await proxy.close();
        await runs(world, buildOf(small), boot);
    });

    test('afterwards an update works', () => updates(world, formUpload(other)));
});

withRover('a client that is slow or silent', ['--stall', '3'], world => {
    test('one byte a second is slow, not stalled', async () => {
        const { boot } = await idle(world);
        const request = rawUpload(small);
        const from = request.length - small.length;
        const connection = await Connection.open(world.url);
        await connection.send(request.subarray(0, from));
        for (let n = 0; n < 5; n++) {
            await sleep(1000);
            await connection.send(request.subarray(from + n, from + n + 1));
        }
        await connection.send(request.subarray(from + 5));
        const answer = await connection.finalAnswer();
        assert.equal(answer.json?.success, true, answer.body);
        connection.close();
        await runs(world, answer.json.build, boot);
    });

    test('headers, or a body, that never end cost nobody else anything', async () => {
        const request = formUpload(other);
        const headEnd = request.indexOf('\r\n\r\n') + 4;
        const silent = [];
        for (const at of [0, 10, headEnd - 1]) {
            silent.push(await Connection.open(world.url));
            await silent.at(-1).send(request.subarray(0, at));
        }
        for (const at of [headEnd, headEnd + 500]) {
            const seq = await newest(world);
            silent.push(await Connection.open(world.url));
            await silent.at(-1).send(request.subarray(0, at));
            const { last } = await refusedWith(world, 'stalled', seq);
            assert.equal(last.text, 'no byte came for 3 s');
        }
        for (const connection of silent) // of those that listen, each is told or let go
            assert.ok([408, undefined].includes((await connection.finalAnswer())?.status));
        for (const connection of silent)
            connection.close();
    });

    test('who goes on too late hears that it was', async () => {
        const seq = await newest(world);
        const request = formUpload(other);
        const connection = await Connection.open(world.url);
        await connection.send(request.subarray(0, 20000));
        await refusedWith(world, 'stalled', seq);
        await connection.send(request.subarray(20000));
        const answer = await connection.finalAnswer();
        assert.equal(answer.status, 408);
        assert.equal(answer.json.code, 'stalled');
        connection.close();
    });

    test('a network that swallows everything: the update ends, the connection too', async () => {
        const seq = await newest(world);
        const held = census(world.pid);
        const proxies = [];
        for (const fault of [{ stallAfter: 20000 }, { stallAfter: 20000, deaf: true }]) {
            const proxy = await startProxy(world.url, fault);
            const connection = await Connection.open(proxy.url);
            await connection.send(rawUpload(other).subarray(0, 30000));
            await receiving(world);
            await refusedWith(world, 'stalled', seq + proxies.length);
            connection.close(); // the rover does not learn of it
            proxies.push(proxy);
        }
        await returnsTo(world.pid, held);
        for (const proxy of proxies)
            await proxy.close();
    });

    test('afterwards an update works', () => updates(world, formUpload(other)));
});

withRover('many at once', [], world => {
    test('of 60 uploads one gets in and 59 hear 409; 40 who ask for the status get it', async () => {
        const { boot } = await idle(world);
        const uploads = await Promise.all(Array.from({ length: 60 }, () => Connection.open(world.url)));
        const asks = Array.from({ length: 40 }, () => get(world.url, '/api/ota/status'));
        const answers = await Promise.all(uploads.map(async connection => {
            await connection.send(asking());
            return connection.answer();
        }));
        const winners = uploads.filter((_, n) => answers[n].status === 100);
        assert.equal(winners.length, 1);
        for (const answer of answers.filter(({ status }) => status !== 100)) {
            assert.equal(answer.status, 409);
            assert.equal(answer.json.code, 'busy');
        }
        for (const answer of await Promise.all(asks))
            assert.ok(['idle', 'receiving'].includes(answer.json.state));

        await winners[0].send(small);
        const answer = await winners[0].finalAnswer();
        assert.equal(answer.json?.success, true, answer.body);
        for (const connection of uploads)
            connection.close();
        await runs(world, answer.json.build, boot);
    });

    test('a second client hears 409, with its whole body or before it, and the first goes on', async () => {
        const { boot } = await idle(world);
        const request = formUpload(other);
        const first = await Connection.open(world.url);
        await first.send(request.subarray(0, 30000));
        const held = await until(world.url, 'some of the file', s => s.received > 29000);

        const waiting = await Connection.open(world.url);
        await waiting.send(asking());
        assert.equal((await waiting.answer()).json.code, 'busy', 'not a byte of its body was asked for');
        waiting.close();
        for (const more of [rawUpload(small), formUpload(small), rawUpload(elf)]) {
            const answer = await exchange(world.url, more);
            assert.equal(answer.status, 409);
            assert.equal(answer.json.detail,
                `another update is running, ${held.received} of ${held.total} bytes so far`);
        }
        for (const button of ['reboot', 'rollback'])
            assert.equal((await exchange(world.url, head('POST', `/api/ota/${button}`))).json.code, 'busy');
        const now = await status(world.url);
        assert.deepEqual([now.state, now.received, now.written], ['receiving', held.received, held.written]);

        await first.send(request.subarray(30000));
        const answer = await first.finalAnswer();
        assert.equal(answer.json?.success, true, answer.body);
        first.close();
        await runs(world, answer.json.build, boot);
    });

    test('100 event streams and silent connections leave room for an update', async () => {
        const open = await Promise.all(Array.from({ length: 100 }, () => Connection.open(world.url)));
        await Promise.all(open.slice(50).map(connection => connection.send(head('GET', '/api/ota/events'))));
        await updates(world, formUpload(small));
        for (const connection of open)
            connection.close();
    });
});

withRover('requests that are wrong', [], world => {
    const type = Object.entries(BINARY);
    const next = head('GET', '/api/ota/errors');
    const post = (headers, body = '') =>
        Buffer.concat([uploadHead([...type, ...headers]), Buffer.from(body), next]);
    const chunked = body => post([['Transfer-Encoding', 'chunked']], body);
    const lines = (...all) => Buffer.from(all.map(line => `${line}\r\n`).join(''), 'latin1');

    // What comes back: all answers, until the server ends the connection or waits for more.
    async function answersTo(bytes) {
        const connection = await Connection.open(world.url);
        await connection.send(bytes);
        connection.end();
        const answers = [];
        for (let answer = await connection.answer(); answer !== null; answer = await connection.answer())
            answers.push(answer);
        await connection.closed();
        return answers;
    }

    // Refused with one of `statuses`, and nothing of what came behind was taken for another request.
    function refused(what, statuses, bytes, code) {
        test(`${what}: ${code ?? statuses.join(' or ')}`, async () => {
            const { boot } = await idle(world);
            const answers = await answersTo(bytes());
            assert.ok(answers.length <= 1, `${answers.length} answers`);
            assert.ok(statuses.includes(answers[0]?.status ?? 0), `status ${answers[0]?.status}`);
            if (code && !LIBRARY_SAYS_SO.test(answers[0].body))
                assert.equal(answers[0].json.code, code);
            assert.equal((await idle(world)).boot, boot);
        });
    }

    const CLOSED = 0;
    // libmicrohttpd from 1.0 on looks at these itself, and answers in its own words.
    const LIBRARY_SAYS_SO = /Unsupported Transfer-Encoding|HTTP\/1.1 request without <b>&quot;Host:&quot;/;
    const length = (...values) => values.map(value => ['Content-Length', value]);

    refused('1,000 headers', [431], () =>
        head('GET', '/', Array.from({ length: 1000 }, (_, n) => [`X-${n}`, 'x'.repeat(60)])), 'headers_too_large');
    refused('100 KB of headers', [431], () => head('GET', '/', { X: 'x'.repeat(100000) }), 'headers_too_large');
    refused('an address of 9 KB', [414], () => head('GET', `/${'x'.repeat(9000)}`), 'address_too_long');
    refused('an address of 100 KB', [414], () => head('GET', `/${'x'.repeat(100000)}`), 'address_too_long');
    refused('HTTP/1.1 without a Host', [400], () => head('GET', '/', { Host: null }), 'bad_request');
    refused('an address that names another host than Host', [400], () =>
        lines('GET http://127.0.0.1/api/ota/status HTTP/1.1', 'Host: localhost', ''), 'bad_request');
    refused('a header of a megabyte', [431], () => head('GET', '/', { X: 'x'.repeat(1 << 20) }));
    refused('an address of a megabyte', [414], () => head('GET', `/${'x'.repeat(1 << 20)}`));
    refused('a method of a megabyte', [CLOSED, 414, 431], () => head('X'.repeat(1 << 20), '/'));
    refused('an upload with a flood of headers', [431], () => uploadHead(
        Array.from({ length: 5000 }, (_, n) => [`X-${n}`, 'x'.repeat(60)])));

    refused('a negative length', [400], () => post(length(-5), 'abcde'));
    refused('an empty length', [400], () => post(length(''), 'abcde'));
    refused('a length with a sign', [400], () => post(length('+5'), 'abcde'));
    refused('a length in hexadecimal', [400], () => post(length('0x5'), 'abcde'));
    refused('a list of lengths', [400], () => post(length('5, 5'), 'abcde'));
    refused('a length above 64 bits', [400, 413], () => post(length('18446744073709551621'), 'abcde'));
    refused('a length above the slot', [413], () => post(length(40000000), 'abcde'), 'image_too_large');
    refused('the same length twice', [400], () => post(length(5, 5), 'abcde'), 'content_length');
    refused('two lengths', [400], () => post(length(5, 300), 'abcde'), 'content_length');
    refused('none, then one', [400], () => post(length(0, 300), 'abcde'), 'content_length');
    refused('length and chunks', [400], () =>
        post([...length(5), ['Transfer-Encoding', 'chunked']], '0\r\n\r\n'), 'content_length');
    refused('chunks and length', [400], () =>
        post([['Transfer-Encoding', 'chunked'], ...length(300)], '0\r\n\r\n'), 'content_length');
    for (const coding of ['gzip, chunked', 'identity', 'xchunked', 'chunked, chunked'])
        refused(`the transfer coding ${coding}`, [400], () =>
            post([['Transfer-Encoding', coding]], '0\r\n\r\n'), 'content_length');
    refused('chunked twice', [400], () => post(
        [['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']], '0\r\n\r\n'), 'content_length');

    for (const [what, body] of [['whole chunks', '3\r\nabc\r\n0\r\n\r\n'], ['no number', 'zz\r\nabc\r\n0\r\n\r\n'],
        ['a negative size', '-1\r\nabc\r\n0\r\n\r\n'], ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
        ['a size above 64 bits', '10000000000000005\r\nabc\r\n0\r\n\r\n'],
        ['the largest size', 'FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n'],
        ['a chunk longer than its size', '3\r\nabcdef\r\n0\r\n\r\n'], ['no end', '3\r\nabc\r\n'],
        ['an extension of a megabyte', `3;x=${'x'.repeat(1 << 20)}\r\nabc\r\n0\r\n\r\n`]])
        refused(`chunks: ${what}`, [400], () => chunked(body), 'content_length');

    refused('an empty method', [CLOSED, 400], () => lines(' / HTTP/1.1', 'Host: localhost', ''));
    refused('no version', [400], () => lines('GET /', ''));
    refused('HTTP/2.0', [400, 505], () => lines('GET / HTTP/2.0', 'Host: localhost', ''));
    // libmicrohttpd refuses these before its caller sees the request, and has no hook for the words: the list in
    // docs/http-api.md. When one of them comes as JSON some day, that list is too long.
    const own = [['a header of 300 KB', 431, () => head('GET', '/', { X: 'x'.repeat(300000) })],
        ['an address of 300 KB', 414, () => head('GET', `/${'x'.repeat(300000)}`)],
        ['a length that is no number', 400, () => post(length('abc'))],
        ['a length above 64 bits', 413, () => post(length('18446744073709551621'))],
        ['a request line without a version', 400, () => lines('GET /', '')],
        ['a header line without a colon', 400, () => lines('GET / HTTP/1.1', 'Host: localhost', 'nothing', '')],
        ['HTTP/2.0', 505, () => lines('GET / HTTP/2.0', 'Host: localhost', '')]];
    for (const [what, status, bytes] of own)
        test(`the library's own refusal: ${what}`, async () => {
            const [answer] = await answersTo(bytes());
            assert.equal(answer.status, status);
            assert.equal(answer.json, undefined);
        });
    refused('a greeting of TLS', [CLOSED, 400], () => Buffer.from('16030100a5010000a1030300000000', 'hex'));
    refused('the method BREW', [405], () => head('BREW', '/api/ota/status'), 'method_not_allowed');
    refused('PUT to an address for POST', [405], () => head('PUT', '/api/ota/upload'), 'method_not_allowed');
    refused('an address that nobody has', [404], () => head('GET', '/api%2fota/status'), 'not_found');

    const boundary = n => formUpload(elf, 'b'.repeat(n));
    refused('a boundary of no character', [400], () => boundary(0), 'multipart_boundary');
    refused('a boundary of 71', [400], () => boundary(71), 'multipart_boundary');
    refused('a boundary of 64 K', [431], () => boundary(65536));
    refused('a form without its end', [400], () => {
        const body = formBody(small, 'b').subarray(0, -7);
        const form = [['Content-Type', 'multipart/form-data; boundary=b'], ['Content-Length', body.length]];
        return Buffer.concat([uploadHead(form), body]);
    }, 'multipart_malformed');

    const hosts = (...names) => Buffer.concat(
        [uploadHead([...type, ...names.map(name => ['Host', name]), ['Content-Length', elf.length]]), elf]);
    refused('an upload without a Host', [400, 415], () => hosts(null));
    refused('an upload for two hosts', [400, 421], () => hosts('localhost', 'else'));

    test('lines that end in LF alone are read as lines, or refused', async () => {
        const [answer] = await answersTo(Buffer.from('GET /api/ota/status HTTP/1.1\nHost: localhost\n\n'));
        assert.ok(answer.status === 400 || answer.json.state === 'idle');
    });

    test('an address may have the host in front, as of clients that take the robot for a proxy', async () => {
        const [answer] = await answersTo(lines('GET http://localhost/api/ota/status?x=1 HTTP/1.1', 'Host: localhost', ''));
        assert.equal(answer.status, 200);
        assert.ok(answer.json.state);
    });

    test('requests that come at once are answered in turn', async () => {
        const answers = await answersTo(Buffer.concat([next, rawUpload(elf), next]));
        assert.deepEqual(answers.map(({ status }) => status), [200, 415, 200]);
        assert.equal(answers[1].json.code, 'file_elf');
    });

    test('afterwards an update works', () => updates(world, formUpload(small)));
});

withRover('requests that are unusual, and right', [], world => {
    const old = bytes => uploadHead({ ...BINARY, 'Content-Length': bytes.length, Host: null }, 'HTTP/1.0');
    const right = [
        ['HTTP/1.0', () => Buffer.concat([old(small), small])],
        ['a boundary of 70 characters', () => formUpload(other, 'b'.repeat(70))],
        ['a boundary of one', () => formUpload(small, 'b')],
        ['30 KB of cookies', () => formUpload(other, 'b', { Cookie: 'x'.repeat(30000) })],
    ];
    for (const [what, request] of right)
        test(what, () => updates(world, request()));
});

withRover('while 6 MB arrive', [], world => {
    test('page, status and drive are answered, each between two bytes of the upload', async t => {
        const { boot } = await idle(world);
        const proxy = await startProxy(world.url, { bytesPerSecond: 2 << 20 });
        let over = false;
        const sent = upload(proxy.url, path('large.bin')).finally(() => { over = true; });
        await receiving(world);

        const seen = [], took = [];
        while (!over && seen.at(-1)?.state !== 'rebooting') {
            const from = performance.now();
            const now = await status(world.url);
            took.push(performance.now() - from);
            seen.push(now);
            if (now.state !== 'receiving')
                continue;
            assert.equal((await get(world.url, '/api/ota')).status, 200);
            assert.equal((await get(world.url, '/api/status')).json.held, true);
        }
        const answer = await sent;
        assert.equal(answer.json?.success, true, answer.body);
        await proxy.close();
        await runs(world, answer.json.build, boot);

        const counters = seen.filter(s => s?.state === 'receiving').map(s => s.received);
        assert.deepEqual(counters, [...counters].sort((a, b) => a - b), 'the counter never goes back');
        const different = new Set(counters).size;
        assert.ok(different >= 20, `${different} different answers while it went on`);
        took.sort((a, b) => a - b);
        const at = share => took[Math.floor((took.length - 1) * share)].toFixed(1);
        t.diagnostic(`status during an upload of 6 MB, ${took.length} times: median ${at(0.5)} ms, ` +
            `99 % below ${at(0.99)} ms, slowest ${at(1)} ms`);
    });
});

withRover('over and over', [], world => {
    // Everything of the above that needs no restart, many times.
    async function round() {
        const cut = formUpload(small);
        for (let n = 1; n <= 60; n++) {
            const seq = await newest(world);
            const connection = await Connection.open(world.url);
            await connection.send(cut.subarray(0, 1000 + n * 600));
            await receiving(world);
            n % 2 ? connection.close() : connection.abort();
            await refusedWith(world, 'connection_lost', seq);
        }
        await Promise.all(Array.from({ length: 100 }, async (_, n) => {
            const kinds = [rawUpload(elf), head('GET', '/api/ota'), head('GET', '/api/ota/log'),
                head('GET', '/', { X: 'x'.repeat(90000) })];
            await exchange(world.url, kinds[n % kinds.length]);
        }));
        await idle(world);
        await returnsTo(world.pid, world.held);
        return memory(world.pid);
    }

    test('the third round takes no more memory than the second', async t => {
        await round();
        const second = await round();
        const third = await round();
        t.diagnostic(`own memory ${second.own} kB, then ${third.own} kB (resident ${third.resident} kB)`);
        assert.ok(third.own <= second.own + memorySlack(world.pid), `${third.own - second.own} kB more`);
    });
}, options => withoutQuarantine(() => startRover(options)));
