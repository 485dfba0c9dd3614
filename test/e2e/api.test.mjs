// SPDX-License-Identifier: Apache-2.0
// Every curl line of docs/http-api.md is run as it stands there, against a rover; every shape it shows is
// compared with what the rover answers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { curl } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const text = fs.readFileSync(path.join(root, 'docs/http-api.md'), 'utf8');
const BUDGETS = JSON.parse(fs.readFileSync(path.join(root, 'test/cross/budgets.json'), 'utf8'));
const samples = new Samples();
let rover;

before(async () => {
    rover = await startRover();
    await anotherFirmware();
});

let seed = 1;
const anotherFirmware = () => samples.make('firmware.bin', { version: '2.0.0', seed: ++seed });

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
    commands: [...section.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(m => m[1].trim().split('\n')),
    shown: [...section.matchAll(/```json\n([^]*?)```/g)].map(m => JSON.parse(m[1])),
}));

// The lines of an upload in two pieces, in their order: most of them answer with nothing.
async function resumes(command, stdout, boot) {
    if (command.includes('OPTIONS'))
        assert.match(stdout, /^HTTP\/1.1 204/);
    else if (command.includes('-I'))
        assert.match(stdout, /^upload-offset: 100000\r$/mi);
    else
        assert.equal(stdout, '');
    if (command.startsWith('tail'))
        await rover.waitForBoot(boot + 1);
}

describe('the curl lines of docs/http-api.md', () => {
    const lines = sections.flatMap(s => s.commands.map(command => ({ ...s, command })))
        .filter(({ command }) => command.includes('http://localhost:8080'));
    assert.ok(lines.length >= 15);

    for (const { command, shown } of lines) {
        test(command, async () => {
            if (/\/upload\b/.test(command) || command.includes('-X POST -H "Tus'))
                await anotherFirmware(); // one that does not run already
            const { boot } = await rover.waitFor('a confirmed firmware', s => !s.pending && (s.state === 'idle' || command.includes('upload)')));
            const result = await run('sh', ['-c', command.replaceAll('curl ', 'curl -sS ').replace('http://localhost:8080', rover.url)],
                { cwd: samples.folder });
            if (command.includes('/events')) {
                assert.equal(result.status, 28); // its time is up
                const events = [...result.stdout.matchAll(/^data: (.*)$/gm)].map(m => JSON.parse(m[1]));
                assert.ok(events.length >= 1);
                assert.equal(events[0].running.length, 4);
                return;
            }
            const refused = result.stdout.startsWith('{"success":false');
            assert.equal(result.status, refused ? 22 : 0, result.stderr); // a script learns of a refusal
            if (command.includes('--compressed')) {
                assert.match(result.stdout, /<!doctype html>/i);
                return;
            }
            if (command.includes('/uploads') || command.includes('cat upload')) {
                await resumes(command, result.stdout, boot);
                return;
            }
            const answer = JSON.parse(result.stdout);
            assert.notEqual(answer.code, 'not_found');
            if (shown.length && answer.success !== false)
                assertFits(answer, shown[0], command);
            if (/Rebooting/.test(answer.message ?? ''))
                await rover.waitForBoot(boot + 1);
        });
    }
});

// In the order in which they make sense: what a line needs, one before it has left.
describe('the curl lines of the secure profile', () => {
    const lines = sections.flatMap(s => s.commands).filter(command => command.includes('https://rover.local:8443'));
    const order = ['status', 'tokens/create', 'tokens', 'tokens/revoke', 'login', 'status', 'upload', 'logout', 'password'];
    let owner, token;

    before(async () => {
        owner = await startSecureRover({ args: ['--restart', '50'] });
        token = await owner.token('there-already');
        await owner.status(); // whose token is made while the rover answers
        owner.signFile(await samples.make('signed.bin', { version: '2.0.0', seed: 2 }));
    });
    after(() => owner.stop());

    const whoAsks = command => /-u admin|Bearer|-b jar/.exec(command)?.[0] ?? '';
    const todo = order.flatMap((name, n) => lines.filter(command => command.endsWith(`/api/ota/${name}`) &&
        (name !== 'status' || (whoAsks(command) === '-b jar') === n > 0)));

    test('each of them is here', () => assert.deepEqual([...todo].sort(), [...lines].sort()));

    for (const command of todo) {
        test(command, async () => {
            const words = { 'https://rover.local:8443': owner.url, 'sha256//PIN': owner.pin, PASSWORD: owner.password, TOKEN: token };
            const line = command.replace(new RegExp(Object.keys(words).join('|'), 'g'), word => words[word]);
            const { stdout, stderr, status } = await run('sh', ['-c', `${line} -sS`], { cwd: samples.folder });
            assert.equal(status, 0, stderr);
            const answer = JSON.parse(stdout);
            assert.ok(answer.success ?? answer.state ?? answer.tokens, stdout);
            if (/Rebooting/.test(answer.message ?? ''))
                await owner.rover.waitForBoot(2);
        });
    }
});

describe('the routes of the sources', () => {
    const sources = [...fs.readdirSync(path.join(root, 'src/web')).map(name => `src/web/${name}`), 'rover/routes.c'];
    const code = sources.map(name => fs.readFileSync(path.join(root, name), 'utf8')).join('\n');
    const found = [
        ...[...code.matchAll(/"(GET|POST)",\s*(?:\.path = )?"(\/[^"]*)",/g)].map(([, method, address]) => ({ method, address })),
        ...[...code.matchAll(/\bPOST\("([^"]+)"/g)].map(([, name]) => ({ method: 'POST', address: `/api/ota/${name}` })),
    ];
    const methodOf = command => / -(X POST|F|d) |--data/.test(command) ? 'POST' : 'GET';
    const told = sections.flatMap(s => s.commands).map(command =>
        `${methodOf(command)} ${/https?:\/\/[^/]+(\/\S*)/.exec(command)[1]}`);

    assert.ok(found.length >= 19, `${found.length} routes`);
    for (const { method, address } of found) {
        test(`${method} ${address} stands in the table, with a curl line`, () => {
            assert.ok(text.includes(`| ${method} | \`${address}\` |`));
            assert.ok(told.includes(`${method} ${address}`), told.join('\n'));
        });
    }
});

describe('the address table', () => {
    const rows = [...text.matchAll(/^\| (GET|POST) \| `([^`]+)` \|/gm)].map(m => ({ method: m[1], address: m[2] }));
    assert.ok(rows.length >= 12);

    const takesBoth = address => rows.filter(row => row.address === address).length > 1;

    for (const { method, address } of rows) {
        test(`${address} takes ${method} and nothing else`, async () => {
            const wrong = takesBoth(address) ? 'DELETE' : method === 'GET' ? 'POST' : 'GET';
            const answer = await curl('-X', wrong, '-i', `${rover.url}${address}`);
            assert.equal(answer.status, 405);
            assert.match(answer.body, new RegExp(`^Allow: .*${method}`, 'mi'));
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
            const sent = Number(answer.headers.get('content-length')); // as it goes over the air
            assert.ok(sent > 1000 && sent <= BUDGETS.page, String(sent));
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
