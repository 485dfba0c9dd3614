// SPDX-License-Identifier: Apache-2.0
// The secure profile over real TLS: HTTPS, login, tokens, and the attacks on them, each test named after
// what it tries. Requests from other sites are in crosssite.test.mjs.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { openBrowser } from './support/browser.mjs';
import { curl } from './support/curl.mjs';
import { Connection, head } from './support/raw.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { firstPassword, startSecureRover } from './support/secure.mjs';

const samples = new Samples();
const JSON_TYPE = ['-H', 'Content-Type: application/json'];
const bearer = token => ['-H', `Authorization: Bearer ${token}`];
const cookieOf = cookie => ['-H', `Cookie: ${cookie}`];

after(() => samples.remove());

function refused(answer, status, code) {
    assert.equal(answer.exit, 0, answer.stderr);
    assert.equal(answer.json?.code, code, answer.body);
    assert.equal(answer.status, status);
}

describe('HTTPS', () => {
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(() => owner.stop());

    test('the console tells password, fingerprint and pin, and they are the ones', async () => {
        assert.match(owner.password, /^[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}$/);
        assert.equal((await owner.admin('/api/ota/status')).status, 200);
        const socket = await owner.connect();
        const certificate = socket.getPeerX509Certificate();
        socket.destroy();
        assert.equal(certificate.fingerprint256, owner.fingerprint);
        const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
        assert.equal(`sha256//${crypto.createHash('sha256').update(spki).digest('base64')}`, owner.pin);
        assert.equal(certificate.publicKey.asymmetricKeyDetails.namedCurve, 'prime256v1');
        for (const name of ['DNS:rover.local', 'DNS:localhost', 'IP Address:127.0.0.1'])
            assert.ok(certificate.subjectAltName.includes(name), certificate.subjectAltName);
        assert.ok(certificate.verify(certificate.publicKey));
    });

    test('a client that trusts the certificate needs no exception', async () => {
        const socket = await owner.connect();
        const pem = socket.getPeerX509Certificate().toString();
        socket.destroy();
        const file = samples.write('device.pem', pem);
        const { port } = new URL(owner.url);
        const answer = await curl('--cacert', file, `https://localhost:${port}/api/ota`, '--compressed');
        assert.equal(answer.status, 200, answer.stderr);
    });

    test('OpenSSL reads the certificate as it is meant, and verifies it', async () => {
        const socket = await owner.connect();
        const file = samples.write('read.pem', socket.getPeerX509Certificate().toString());
        socket.destroy();
        const text = (await run('openssl', ['x509', '-in', file, '-noout', '-text', '-nameopt', 'RFC2253'])).stdout;
        for (const part of [/Version: 3 /, /Signature Algorithm: ecdsa-with-SHA256/, /Issuer: CN=rover\.local\n/,
            /Subject: CN=rover\.local\n/, /Not Before: Jan +1 00:00:00 2025 GMT/, /Not After : Dec 31 23:59:59 9999 GMT/,
            /Key Usage: critical\s+Digital Signature\n/, /Extended Key Usage: \s+TLS Web Server Authentication\n/,
            /Alternative Name: \s+DNS:localhost, DNS:rover\.local, DNS:rover, IP Address:127\.0\.0\.1/])
            assert.match(text, part);
        assert.match(text.match(/Serial Number:\s+(\S+)/)[1], /^[4-7][0-9a-f](:[0-9a-f]{2}){15}$/);
        const verdict = await run('openssl',
            ['verify', '-CAfile', file, '-purpose', 'sslserver', '-verify_hostname', 'rover.local', file]);
        assert.match(verdict.stdout, /OK\n$/, verdict.stderr);
    });

    for (const [name, min, max, works] of [['1.0', 'TLSv1', 'TLSv1', false], ['1.1', 'TLSv1.1', 'TLSv1.1', false],
        ['1.2', 'TLSv1.2', 'TLSv1.2', true], ['1.3', 'TLSv1.3', 'TLSv1.3', true]]) {
        test(`TLS ${name} is ${works ? 'spoken' : 'refused'}`, async () => {
            const options = { minVersion: min, maxVersion: max, ciphers: 'DEFAULT@SECLEVEL=0' };
            if (!works) {
                await assert.rejects(owner.connect(options), /alert|closed|disconnected|reset/i);
                return;
            }
            const socket = await owner.connect(options);
            assert.equal(socket.getProtocol(), max);
            socket.destroy();
        });
    }

    // Every suite of TLS 1.2 that this OpenSSL knows, one at a time: the server takes authenticated encryption alone.
    test('of TLS 1.2 no suite with CBC is spoken', async () => {
        const suites = tls.getCiphers().map(name => name.toUpperCase()).filter(name => !name.startsWith('TLS_'));
        const spoken = [];
        for (const suite of suites) {
            const options = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: `${suite}:@SECLEVEL=0` };
            const socket = await owner.connect(options).catch(() => null);
            socket?.destroy();
            if (socket)
                spoken.push(suite);
        }
        assert.ok(spoken.length > 0);
        assert.ok(spoken.every(suite => /GCM|CHACHA20|CCM/.test(suite)), spoken.join(' '));
    });

    test('plain HTTP on the TLS port gets no answer', async () => {
        const plain = owner.url.replace('https:', 'http:');
        const answer = await curl('--max-time', '10', `${plain}/api/ota/status`);
        assert.equal(answer.status, 0);
        assert.doesNotMatch(answer.body, /HTTP|success|state/);
    });

    test('plain HTTP beside it redirects pages', async () => {
        const { port } = new URL(owner.url);
        for (const page of ['/', '/api/ota', '/api/ota/account']) {
            const answer = await curl('-i', owner.plainUrl + page);
            assert.equal(answer.status, 307);
            assert.match(answer.body, new RegExp(`^Location: https://127\\.0\\.0\\.1:${port}${page}\\r$`, 'm'));
        }
        refused(await curl('-H', 'Host: evil.example', owner.plainUrl + '/'), 421, 'foreign_host');
    });

    test('plain HTTP beside it refuses uploads and everything else, with words', async () => {
        const file = owner.signFile(await samples.make('plain.bin', { version: '2.0.0', seed: 2 }));
        const login = ['-u', `admin:${owner.password}`];
        refused(await curl('-F', `firmware=@${file}`, ...login, `${owner.plainUrl}/api/ota/upload`), 403, 'https_required');
        for (const address of ['/api/ota/status', '/api/ota/log', '/api/status'])
            refused(await curl(...login, owner.plainUrl + address), 403, 'https_required');
        refused(await curl(...JSON_TYPE, '-d', '{"password":"x"}', `${owner.plainUrl}/api/ota/login`), 403, 'https_required');
    });

    test('key, certificate and password stay over restarts', async () => {
        const boot = (await owner.status()).boot;
        const answer = await owner.admin('/api/ota/reboot', '-X', 'POST');
        assert.equal(answer.status, 200, answer.body);
        await owner.rover.waitForBoot(boot + 1);
        assert.equal((await owner.admin('/api/ota/status')).status, 200); // curl compares the pin
        const prints = owner.rover.lines.filter(line => line.includes('certificate SHA-256'));
        assert.equal(new Set(prints).size, 1);
        assert.equal(owner.rover.lines.filter(line => line.includes('password of admin')).length, 1);
    });
});

describe('what is missing means refuse', () => {
    const rover = (...args) => run(program('rover', 'ROVER'),
        ['--fast', '--port', '0', '--flash', path.join(samples.folder, 'missing.bin'), '--secure', ...args]);
    const openssl = (...args) => run('openssl', args, { cwd: samples.folder });

    test('a certificate that is not there, no certificate, or another key\'s', async () => {
        await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=a',
            '-keyout', 'a.key', '-out', 'a.pem', '-days', '9');
        await openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'b.key');
        const at = name => path.join(samples.folder, name);
        for (const [cert, key, why] of [['none.pem', 'a.key', /certificate's file cannot be read/],
            ['a.pem', 'none.key', /key's file cannot be read/], ['a.key', 'a.key', /holds none in PEM/],
            ['a.pem', 'a.pem', /holds none in PEM/], ['a.pem', 'b.key', /not this key's/]]) {
            const result = await rover('--cert', at(cert), '--key', at(key));
            assert.equal(result.status, 1);
            assert.match(result.stderr, why);
            assert.doesNotMatch(result.stdout, /listening/);
        }
        const half = await rover('--cert', at('a.pem'));
        assert.equal(half.status, 2);
        assert.match(half.stderr, /--cert without --key: they go together/);
    });

    test('the user\'s own certificate and key are used', async () => {
        const owner = await startSecureRover({
            args: ['--cert', path.join(samples.folder, 'a.pem'), '--key', path.join(samples.folder, 'a.key')],
        });
        try {
            const socket = await owner.connect();
            const certificate = socket.getPeerX509Certificate();
            socket.destroy();
            assert.equal(certificate.subject, 'CN=a');
            assert.equal(certificate.fingerprint256, owner.fingerprint);
        } finally {
            await owner.stop();
        }
    });

    test('a flipped bit in the store shuts the rover, and a new password opens it again', async () => {
        const flash = path.join(samples.folder, 'flipped.bin');
        const args = ['--fast', '--secure'];
        await (await startRover({ flash, args })).stop();
        const bytes = fs.readFileSync(flash);
        const log = bytes.subarray(0x9000, 0xE000);
        bytes[0x9000 + log.indexOf('tls.key') + 20] ^= 1;
        fs.writeFileSync(flash, bytes);
        await assert.rejects(startRover({ flash, args }), /nothing is served/);
        const opened = await startRover({ flash, args: [...args, '--new-password'] });
        try {
            const answer = await curl('-k', '-u', `admin:${firstPassword(opened)}`, `${opened.url}/api/ota/status`);
            assert.equal(answer.status, 200, answer.body);
        } finally {
            await opened.stop();
        }
        await (await startRover({ flash, args })).stop(); // and stays open
    });

    test('without a trusted key every upload is refused, and the status says so', async () => {
        const bare = await startRover({ args: ['--fast', '--secure', '--new-password'] });
        const password = firstPassword(bare);
        try {
            const status = await curl('-k', '-u', `admin:${password}`, `${bare.url}/api/ota/status`);
            assert.deepEqual(status.json.signature, { enforced: true, keys: [] });
            const file = await samples.make('unsigned.bin', { version: '2.0.0', seed: 2 });
            const answer = await curl('-k', '-u', `admin:${password}`, '-F', `firmware=@${file}`, `${bare.url}/api/ota/upload`);
            assert.equal(answer.json.code, 'signature_no_keys', answer.body);
        } finally {
            await bare.stop();
        }
    });
});

describe('login', () => {
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(() => owner.stop());

    test('curl -u admin, a token and a session all get in; nobody else does', async () => {
        refused(await owner.curl('/api/ota/status'), 401, 'login_required');
        assert.equal((await owner.admin('/api/ota/status')).status, 200);
        assert.equal((await owner.curl('/api/ota/status', ...bearer(await owner.token('one')))).status, 200);
        const { cookie } = await owner.login();
        assert.equal((await owner.curl('/api/ota/status', ...cookieOf(cookie))).status, 200);
        refused(await owner.curl('/api/status'), 401, 'login_required'); // the robot's own API
        refused(await owner.curl('/api/drive', ...JSON_TYPE, '-d', '{"left":9,"right":9}'), 401, 'login_required');
    });

    test('empty, prefix, superset and absent password', async () => {
        for (const wrong of ['', owner.password.slice(0, -1), `${owner.password}x`, owner.password.toUpperCase()]) {
            refused(await owner.curl('/api/ota/status', '-u', `admin:${wrong}`), 401, 'login_failed');
            refused(await owner.json('/api/ota/login', { password: wrong }), 401, 'login_failed');
            assert.equal((await owner.admin('/api/ota/status')).status, 200); // and the next attempt counts at once
        }
        refused(await owner.json('/api/ota/login', {}), 400, 'bad_request');
        refused(await owner.curl('/api/ota/login', ...JSON_TYPE, '-d', ''), 400, 'bad_request');
        refused(await owner.curl('/api/ota/login', '-d', `password=${owner.password}`), 400, 'bad_request');
    });

    test('a refused upload costs no upload: the answer comes before the body', async () => {
        const socket = await owner.connect();
        let text = '';
        socket.on('data', data => { text += data; });
        socket.write('POST /api/ota/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n' +
            'Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n');
        for (let n = 0; n < 400 && !text.includes('}'); n++)
            await sleep(25);
        socket.destroy();
        assert.match(text, /^HTTP\/1\.1 401 /);
        assert.doesNotMatch(text, /100 Continue/);
        assert.equal((await owner.status()).received, 0);
    });

    test('cookie flags', async () => {
        const { body } = await owner.login();
        const line = /^Set-Cookie: (.*)\r$/mi.exec(body)[1];
        assert.match(line, /^__Host-otapult=[0-9a-f]{32}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    });

    test('session fixation', async () => {
        const planted = `__Host-otapult=${'ab'.repeat(16)}`;
        const { cookie } = await owner.login(owner.password, ...cookieOf(planted));
        assert.notEqual(cookie, planted);
        refused(await owner.curl('/api/ota/status', ...cookieOf(planted)), 401, 'login_required');
    });

    test('token replay after revocation, also after a restart', async () => {
        const token = await owner.token('short-lived');
        assert.equal((await owner.curl('/api/ota/status', ...bearer(token))).status, 200);
        const gone = await owner.json('/api/ota/tokens/revoke', { name: 'short-lived' }, '-u', `admin:${owner.password}`);
        assert.equal(gone.status, 200, gone.body);
        refused(await owner.curl('/api/ota/status', ...bearer(token)), 401, 'login_failed');
        const boot = (await owner.status()).boot;
        await owner.admin('/api/ota/reboot', '-X', 'POST');
        await owner.rover.waitForBoot(boot + 1);
        refused(await owner.curl('/api/ota/status', ...bearer(token)), 401, 'login_failed');
    });

    test('wrong-length tokens', async () => {
        const token = await owner.token('lengths');
        for (const wrong of ['', token.slice(1), token.slice(0, 31), `${token}0`, token + token, 'a'.repeat(5000)])
            refused(await owner.curl('/api/ota/status', ...bearer(wrong)), 401, 'login_failed');
    });
});

// What is refused here is the way, not who comes on it: the right secret fares no better, and nothing counts.
describe('login over plain HTTP', () => {
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(() => owner.stop());

    const plain = (address, ...args) => curl('-i', ...args, owner.plainUrl + address);
    async function refusedPlain(...args) {
        const answer = await plain(...args);
        assert.equal(answer.status, 403);
        assert.match(answer.body, /"code":"https_required"/);
        assert.doesNotMatch(answer.body, /^Set-Cookie/mi);
    }

    test('empty, prefix, superset and absent password, plain', async () => {
        const { password } = owner;
        for (const tried of ['', password.slice(0, -1), `${password}x`, password]) {
            await refusedPlain('/api/ota/status', '-u', `admin:${tried}`);
            await refusedPlain('/api/ota/login', ...JSON_TYPE, '-d', JSON.stringify({ password: tried }));
        }
        await refusedPlain('/api/ota/status');
        await refusedPlain('/api/ota/login', ...JSON_TYPE, '-d', '{}');
    });

    test('token replay after revocation, plain', async () => {
        const token = await owner.token('plain');
        await refusedPlain('/api/ota/status', ...bearer(token));
        await owner.json('/api/ota/tokens/revoke', { name: 'plain' }, '-u', `admin:${owner.password}`);
        await refusedPlain('/api/ota/status', ...bearer(token));
    });

    test('session fixation, plain', async () => {
        const planted = `__Host-otapult=${'ab'.repeat(16)}`, { cookie } = await owner.login();
        for (const tried of [planted, cookie]) {
            await refusedPlain('/api/ota/login', ...JSON_TYPE, ...cookieOf(tried), '-d', JSON.stringify({ password: owner.password }));
            await refusedPlain('/api/ota/status', ...cookieOf(tried));
        }
        refused(await owner.curl('/api/ota/status', ...cookieOf(planted)), 401, 'login_required');
    });

    test('login brute force, plain: nothing is looked at, and nobody waits for it', async () => {
        const body = '{"password":"a guess"}', connection = await Connection.open(owner.plainUrl);
        const guess = head('POST', '/api/ota/login', { 'Content-Type': 'application/json', 'Content-Length': body.length });
        for (let n = 0; n < 1000; n++) {
            await connection.send(Buffer.concat([guess, Buffer.from(body)]));
            const answer = await connection.answer();
            assert.equal(answer.json.code, 'https_required');
        }
        connection.close();
        assert.equal((await owner.login()).status, 200);
    });
});

describe('login brute force', () => {
    const TRIES = 10000;
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(() => owner.stop());

    test('10,000 tries from one address: few are looked at, the owner gets in from another', async () => {
        const agent = await owner.connect();
        let text = '';
        agent.on('data', data => { text += data; });
        const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(match => Number(match[1]));
        const started = Date.now();
        for (let n = 0; n < TRIES; n++) {
            const body = JSON.stringify({ password: `guess-${n}` });
            agent.write('POST /api/ota/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
                `Content-Length: ${body.length}\r\n\r\n${body}`);
        }
        for (let n = 0; n < 1200 && statuses().length < TRIES; n++)
            await sleep(50);
        agent.destroy();
        const answers = statuses();
        const seconds = (Date.now() - started) / 1000;
        const looked = answers.filter(status => status === 401).length;
        assert.equal(answers.length, TRIES);
        assert.equal(answers.filter(status => status === 429).length, TRIES - looked);
        assert.ok(looked >= 5 && looked <= 5 + Math.log2(seconds + 2) + 1, `${looked} in ${seconds} s`);

        const elsewhere = await owner.curl('/api/ota/status', '--interface', '127.0.0.2', '-u', `admin:${owner.password}`);
        assert.equal(elsewhere.status, 200, elsewhere.body);
    });

    test('at the attacked address it is a delay with a number, not a lock', async () => {
        const looked = async () => (await owner.login('a guess')).status === 401;
        for (let n = 0; n < 300 && !await looked(); n++)
            await sleep(200); // one that is looked at begins a delay anew
        const early = await owner.login();
        refused({ ...early, json: JSON.parse(early.body.split('\r\n\r\n').at(-1)) }, 429, 'login_delayed');
        const wait = Number(/^Retry-After: (\d+)\r$/mi.exec(early.body)[1]);
        assert.ok(wait >= 1 && wait <= 60, String(wait));
        await sleep(wait * 1000);
        assert.equal((await owner.login()).status, 200);
    });
});

describe('an upload', () => {
    let owner, file, bytes;

    before(async () => {
        owner = await startSecureRover();
        file = owner.signFile(await samples.make('signed.bin', { version: '2.0.0', seed: 2, size: 700000 }));
        bytes = fs.readFileSync(file);
    });
    after(() => owner.stop());

    // Sends half of the file, does `meanwhile`, sends the rest; the answer's text.
    async function interrupted(headers, meanwhile) {
        const socket = await owner.connect();
        let text = '';
        socket.on('data', data => { text += data; });
        socket.on('error', () => {});
        const half = bytes.length >> 1;
        socket.write('POST /api/ota/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n' +
            `Content-Length: ${bytes.length}\r\n${headers}\r\nConnection: close\r\n\r\n`);
        socket.write(bytes.subarray(0, half));
        await owner.rover.waitFor('half of the file', s => s.received >= half - 100000);
        await meanwhile();
        socket.write(bytes.subarray(half));
        for (let n = 0; n < 400 && !text.includes('}'); n++)
            await sleep(25);
        socket.destroy();
        return text;
    }

    async function assertEnded(text, by) {
        assert.match(text, /^HTTP\/1\.1 401 /);
        assert.match(text, /"code":"login_ended"/);
        const status = await owner.status();
        assert.equal(status.state, 'idle');
        assert.equal(status.boot_slot, status.running);
        const { json } = await owner.admin('/api/ota/log');
        const entry = json.entries.find(e => e.event === 'refused');
        assert.equal(entry.code, 'login_ended');
        assert.equal(entry.by, by);
    }

    test('upload started before a logout', async () => {
        const { cookie } = await owner.login();
        const text = await interrupted(`Cookie: ${cookie}`, () =>
            owner.curl('/api/ota/logout', '-X', 'POST', ...cookieOf(cookie)));
        await assertEnded(text, 'admin');
    });

    test('upload started before its token was revoked', async () => {
        const token = await owner.token('ci');
        const text = await interrupted(`Authorization: Bearer ${token}`, () =>
            owner.json('/api/ota/tokens/revoke', { name: 'ci' }, '-u', `admin:${owner.password}`));
        await assertEnded(text, 'token ci');
    });

    test('upload started before a password change', async () => {
        const basic = Buffer.from(`admin:${owner.password}`).toString('base64');
        const next = 'correct horse battery';
        const text = await interrupted(`Authorization: Basic ${basic}`, async () => {
            const answer = await owner.json('/api/ota/password', { password: owner.password, new: next },
                '-u', `admin:${owner.password}`);
            assert.equal(answer.status, 200, answer.body);
            owner.password = next;
        });
        await assertEnded(text, 'admin');
    });

    test('the owner\'s own goes through, in his token\'s name', async () => {
        const boot = (await owner.status()).boot;
        const answer = await owner.upload(file, ...bearer(await owner.token('owner')));
        assert.equal(answer.status, 200, answer.body);
        const now = await owner.rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
        assert.equal(now.slots.find(s => s.running).image.version, '2.0.0');
    });

    test('the journal names who did it, and never the secret', async () => {
        const { json, body } = await owner.admin('/api/ota/log');
        assert.equal(json.entries.find(e => e.event === 'activated').by, 'token owner');
        assert.equal(json.entries.find(e => e.text === 'password changed').by, 'admin');
        assert.equal(json.entries.find(e => e.event === 'confirmed').by, null);
        const russian = (await owner.admin('/api/ota/log', '-H', 'Accept-Language: ru')).json.entries.map(e => e.text);
        assert.ok(russian.includes('пароль изменён') && russian.includes('создан токен: owner'), String(russian));
        const flash = fs.readFileSync(owner.rover.flashPath);
        for (const secret of [owner.password, owner.watcher]) {
            assert.ok(!body.includes(secret));
            assert.ok(!flash.includes(secret));
            assert.ok(!owner.rover.lines.some(line => line.includes(secret)));
        }
    });
});

describe('otapult status', () => {
    const config = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-known-'));
    const known = path.join(config, 'otapult/known_devices');
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(async () => {
        await owner.stop();
        fs.rmSync(config, { recursive: true });
    });

    const status = (env, ...args) => run(program('otapult', 'OTAPULT'), ['status', ...args],
        { env: { ...process.env, XDG_CONFIG_HOME: config, ...env } });

    test('an unknown device is shown, not trusted', async () => {
        const result = await status({ OTAPULT_PASSWORD: owner.password }, owner.url);
        assert.equal(result.status, 4);
        assert.ok(result.stderr.includes(owner.fingerprint));
        assert.ok(!fs.existsSync(known));
    });

    test('on first use it is noted, and asked with a login afterwards', async () => {
        const first = await status({}, owner.url, '--insecure-first-use');
        assert.equal(first.status, 4);
        assert.match(first.stderr, /nobody is logged in/);
        assert.equal(fs.statSync(known).mode & 0o777, 0o600);
        const result = await status({ OTAPULT_PASSWORD: owner.password }, owner.url);
        assert.equal(result.status, 0, result.stderr);
        assert.match(result.stdout, /^ {2}signature {4}enforced, keys [0-9a-f]{8}$/m);
        assert.match(result.stdout, /^ {2}access {7}login required$/m);
        assert.ok(result.stdout.includes(owner.fingerprint));
        const token = await status({ OTAPULT_TOKEN: await owner.token('cli') }, owner.url, '--json');
        assert.equal(JSON.parse(token.stdout).state, 'idle');
    });

    test('another key at the same address: a loud refusal, and no password is sent', async () => {
        const { port } = new URL(owner.url);
        fs.writeFileSync(known, fs.readFileSync(known, 'utf8').replace(/sha256\/\/..../, 'sha256//AAAA'));
        const result = await status({ OTAPULT_PASSWORD: owner.password }, owner.url, '--insecure-first-use');
        assert.equal(result.status, 4);
        assert.match(result.stderr, /THIS IS NOT THE DEVICE OF LAST TIME/);
        assert.equal(result.stdout, '');
        assert.ok(result.stderr.includes(`127.0.0.1:${port}`));
        fs.writeFileSync(known, `127.0.0.1:${port}\n`);
        assert.match((await status({}, owner.url, '--insecure-first-use')).stderr, /is damaged/);
    });

    test('an open device without TLS', async () => {
        const rover = await startRover();
        try {
            const result = await status({}, rover.url);
            assert.equal(result.status, 0, result.stderr);
            assert.match(result.stdout, /access {7}open: anyone on this network can upload/);
        } finally {
            await rover.stop();
        }
    });
});

describe('the page', () => {
    const tolerate = [/Failed to load resource/, /net::ERR_/];
    let owner, browser, page;

    before(async () => {
        owner = await startSecureRover({ args: ['--confirm', '5'] });
        browser = await openBrowser();
        page = await browser.newPage({ locale: 'en-US', ignoreHTTPSErrors: true, tolerate });
    });
    after(async () => {
        try {
            await browser.close();
        } finally {
            await owner.stop();
        }
    });

    test('asks for the password, and comes back', async () => {
        await page.goto(`${owner.url}/api/ota`);
        await page.waitForSelector('#login:not([hidden])');
        await page.fill('#password', 'wrong password');
        await page.click('#login button');
        await page.waitForSelector('#error[data-code=login_failed]');
        await page.fill('#password', owner.password);
        await page.keyboard.press('Enter');
        await page.waitForURL(`${owner.url}/api/ota`);
        await page.waitForFunction(() => document.querySelector('#running').dataset.build);
        assert.equal(await page.isVisible('#open'), false);
        assert.equal(await page.isVisible('#account'), true);
        const { keys } = (await owner.status()).signature;
        assert.equal(keys.length, 1);
        assert.ok((await page.textContent('#running')).includes(`signature: enforced, keys ${keys[0]}`));
    });

    test('its cookie is for the browser alone', async () => {
        const [cookie] = await page.context().cookies();
        assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path],
            ['__Host-otapult', true, true, 'Strict', '/']);
        assert.equal(await page.evaluate(() => document.cookie), '');
    });

    test('refuses an unsigned file before it is sent', async () => {
        await page.setInputFiles('#file', await samples.make('bare.bin', { version: '2.0.0', seed: 4 }));
        await page.waitForSelector('#error:not([hidden])');
        assert.match(await page.textContent('#error'), /not signed/);
        assert.equal(await page.isDisabled('#upload'), true);
        assert.equal((await owner.admin('/api/ota/status')).json.received, 0);
    });

    test('uploads, and sees the restart through', async () => {
        const file = owner.signFile(await samples.make('page.bin', { version: '2.0.0', seed: 5 }));
        await page.setInputFiles('#file', file);
        await page.click('#upload:not([disabled])');
        await page.waitForSelector('#phase[data-phase=done]', { state: 'attached', timeout: 60000 });
        assert.match(await page.textContent('#running'), /2\.0\.0/);
        assert.match(await page.textContent('#log'), /admin/);
    });

    test('makes a token that works, shows its use, and revokes it', async () => {
        await page.click('#account');
        await page.waitForSelector('#inside:not([hidden])');
        await page.fill('#name', 'build.server');
        await page.click('#create button');
        await page.waitForSelector('#fresh:not([hidden])');
        const token = await page.textContent('#token');
        assert.match(await page.textContent('#tokens'), /build\.server.*never/);
        assert.equal((await owner.curl('/api/ota/status', ...bearer(token))).status, 200);
        await page.reload();
        await page.waitForFunction(() => /boot \d+/.test(document.querySelector('#tokens').textContent));
        assert.doesNotMatch(await page.textContent('body'), new RegExp(token));
        await page.click('#tokens button[aria-label$=" build.server"]');
        await page.waitForFunction(() => !document.querySelector('#tokens').textContent.includes('build.server'));
        refused(await owner.curl('/api/ota/status', ...bearer(token)), 401, 'login_failed');
    });

    test('changes the password', async () => {
        const other = await owner.login();
        await page.fill('#old', owner.password);
        await page.fill('#new', 'eine neue Losung ü');
        await page.fill('#repeat', 'something else');
        await page.click('#change button');
        await page.waitForSelector('#error:not([hidden])');
        await page.fill('#repeat', 'eine neue Losung ü');
        await page.click('#change button');
        await page.waitForFunction(() => /changed/.test(document.querySelector('#result').textContent));
        refused(await owner.admin('/api/ota/status'), 401, 'login_failed');
        owner.password = 'eine neue Losung ü';
        assert.equal((await owner.admin('/api/ota/status')).status, 200);
        refused(await owner.curl('/api/ota/status', ...cookieOf(other.cookie)), 401, 'login_required');
        await page.reload(); // this browser is still in
        await page.waitForSelector('#inside:not([hidden])');
    });

    test('on a phone, in Russian: what is wrong stands beside the button, and every button can be pressed', async () => {
        const viewport = { width: 360, height: 640 };
        const phone = await browser.newPage({ locale: 'ru-RU', viewport, ignoreHTTPSErrors: true, tolerate });
        const inView = () => phone.waitForFunction(() => {
            const { top, bottom, height } = document.querySelector('#error').getBoundingClientRect();
            return height > 0 && top >= 0 && bottom <= innerHeight;
        });
        await phone.goto(`${owner.url}/api/ota/account`);
        await phone.waitForSelector('#login:not([hidden])');
        assert.ok(await phone.evaluate(() => document.querySelector('h1').clientHeight < 40)); // one line
        await phone.fill('#password', 'wrong password');
        await phone.keyboard.press('Enter');
        await phone.waitForSelector('#error[data-code=login_failed]');
        assert.match(await phone.textContent('#error'), /не подходит пароль/);
        await phone.fill('#password', owner.password);
        await phone.keyboard.press('Enter');
        await phone.waitForSelector('#inside:not([hidden])');

        await phone.fill('#name', 'phone');
        await phone.click('#create button');
        await phone.waitForSelector('#fresh:not([hidden])');
        assert.equal(await phone.evaluate(() => document.activeElement.parentElement.id), 'create');
        await phone.fill('#name', 'phone');
        await phone.click('#create button');
        await phone.waitForSelector('#error[data-code=token_name]');
        await inView();
        await phone.click('#tokens button[aria-label$=" phone"]');
        await phone.waitForFunction(() => !document.querySelector('#tokens').textContent.includes('phone'));
        assert.equal(await phone.isVisible('#fresh'), false); // the token that was revoked
        assert.equal(await phone.evaluate(() => document.activeElement.id), 'name');

        await phone.fill('#old', owner.password);
        await phone.fill('#new', 'ы'.repeat(33)); // 66 bytes
        await phone.fill('#repeat', 'ы'.repeat(33));
        await phone.click('#change button');
        await phone.waitForSelector('#error[data-code=password_length]');
        assert.match(await phone.textContent('#error'), /66 байт, можно от 12 до 64/);
        await inView();
        assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), viewport.width);
        await phone.close();
    });

    test('logs out', async () => {
        await page.click('#logout');
        await page.waitForSelector('#login:not([hidden])');
        assert.deepEqual(await page.context().cookies(), []);
        await page.goto(`${owner.url}/`);
        await page.waitForSelector('#login:not([hidden])');
    });
});
