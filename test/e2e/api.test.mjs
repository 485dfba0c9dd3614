// SPDX-License-Identifier: Apache-2.0
// Every curl line of docs/http-api.md is run as it stands there, against a rover; every shape it shows is
// compared with what the rover answers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { curl } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const text = fs.readFileSync(path.join(root, 'docs/http-api.md'), 'utf8');
const samples = new Samples();
let rover;

before(async () => {
    rover = await startRover();
    await samples.make('firmware.bin', { version: '2.0.0', seed: 2 });
});
after(async () => {
    await rover.stop();
    samples.remove();
});

// The keys of an object and of what is in it, with the types of its values; null fits anything.
function shape(value) {
    if (Array.isArray(value))
        return value.length ? [shape(value[0])] : [];
    if (value === null || typeof value !== 'object')
        return typeof value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]));
}

function assertFits(found, shown, where) {
    if (shown === null || found === null)
        return;
    assert.equal(typeof found, typeof shown, where);
    if (Array.isArray(shown)) {
        assert.ok(Array.isArray(found), where);
        found.forEach((item, i) => assertFits(item, shown[0], `${where}[${i}]`));
    } else if (typeof shown === 'object') {
        assert.deepEqual(Object.keys(found), Object.keys(shown), where);
        for (const key of Object.keys(shown))
            assertFits(found[key], shown[key], `${where}.${key}`);
    }
}

const sections = text.split(/^## /m).slice(1).map(section => ({
    title: section.slice(0, section.indexOf('\n')),
    commands: [...section.matchAll(/```sh\n([^]*?)```/g)].flatMap(m => m[1].trim().split('\n')),
    shown: [...section.matchAll(/```json\n([^]*?)```/g)].map(m => JSON.parse(m[1])),
}));

describe('the curl lines of docs/http-api.md', () => {
    const lines = sections.flatMap(s => s.commands.map(command => ({ ...s, command })));
    assert.ok(lines.length >= 9);

    for (const { command, shown } of lines) {
        test(command, async () => {
            const boot = (await rover.waitFor('a confirmed firmware', s => !s.pending && s.state === 'idle')).boot;
            const result = await run('sh', ['-c', `${command.replace('http://localhost:8080', rover.url)} -sS`],
                { cwd: samples.folder });
            if (command.includes('/events')) {
                assert.equal(result.status, 28); // its time is up
                const events = [...result.stdout.matchAll(/^data: (.*)$/gm)].map(m => JSON.parse(m[1]));
                assert.ok(events.length >= 1);
                assert.equal(events[0].running.length, 4);
                return;
            }
            assert.equal(result.status, 0, result.stderr);
            const answer = JSON.parse(result.stdout);
            assert.notEqual(answer.code, 'not_found');
            if (shown.length && answer.success !== false)
                assertFits(answer, shown[0], command);
            if (/Rebooting/.test(answer.message ?? ''))
                await rover.waitForBoot(boot + 1);
        });
    }
});

describe('the address table', () => {
    const rows = [...text.matchAll(/^\| (GET|POST) \| `([^`]+)` \|/gm)].map(m => ({ method: m[1], address: m[2] }));
    assert.ok(rows.length >= 12);

    for (const { method, address } of rows) {
        test(`${address} takes ${method} and nothing else`, async () => {
            const wrong = method === 'GET' ? 'POST' : 'GET';
            const answer = await curl('-X', wrong, '-i', `${rover.url}${address}`);
            assert.equal(answer.status, 405);
            assert.match(answer.body, new RegExp(`^Allow: ${method}`, 'mi'));
            assert.match(answer.body, /"method_not_allowed"/);
        });
    }

    test('anything else is not found', async () => {
        assert.equal((await curl(`${rover.url}/etc/passwd`)).json.code, 'not_found');
        assert.equal((await curl('--path-as-is', `${rover.url}/api/ota/../ota`)).json.code, 'not_found');
    });

    for (const page of ['/', '/api/ota']) {
        test(`${page} is one compressed page with a strict policy`, async () => {
            const answer = await fetch(rover.url + page);
            assert.equal(answer.headers.get('content-encoding'), 'gzip');
            assert.match(answer.headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/);
            assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
            assert.equal(answer.headers.get('access-control-allow-origin'), null);
            const html = await answer.text();
            assert.match(html, /<!doctype html>/i);
            assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
            assert.ok(zlib.gzipSync(html, { level: 9 }).length <= 12288);
        });
    }
});

describe('a page of another site', () => {
    for (const address of ['/api/ota/upload', '/api/ota/reboot', '/api/ota/confirm', '/api/ota/rollback', '/api/drive']) {
        test(`cannot use ${address}`, async () => {
            const answer = await curl('-X', 'POST', '-H', 'Origin: http://evil.example', '-d', '', rover.url + address);
            assert.equal(answer.status, 403);
            assert.equal(answer.json.code, 'foreign_origin');
        });
    }
});
