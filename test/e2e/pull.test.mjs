// SPDX-License-Identifier: Apache-2.0
// Releases that a rover fetches by itself, from a real server over a real wire: https with a CA of its own, drops,
// resumptions, servers that lie. Policy and manifests in every variant are test/offer's.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { keyDigest, makeKey, sign } from '../support/signer.mjs';
import { openBrowser } from './support/browser.mjs';
import { buildOf, etagOf, makeRelease, makeTls, sendFile, serve, temporary } from './support/release.mjs';
import { startRover } from './support/rover.mjs';
import { program, root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const samples = new Samples(), folder = temporary('pull');
const key = makeKey('P-256'), digest = keyDigest(key).toString('hex');
let tls, image;

before(async () => {
    tls = makeTls(folder);
    image = fs.readFileSync(await samples.make('3.0.0.bin', { version: '3.0.0', seed: 3, size: 700000 }));
});
after(() => {
    samples.remove();
    fs.rmSync(folder, { recursive: true, force: true });
});

const release = (more = {}) => makeRelease(image, { key, version: '3.0.0', ...more });

// A rover and its server; `t.after` ends both.
async function pair(t, { files = release(), on, args = [], policy = 'auto', flash, secure = tls } = {}) {
    const site = await serve(files, { tls: secure, on });
    t.after(() => site.close());
    const rover = await startRover({ flash, args: ['--fast', '--restart', '50', '--source', site.url, '--source-key', digest,
        ...secure ? ['--source-ca', secure.ca] : [], '--source-ask', '1', '--source-policy', policy, ...args] });
    t.after(() => rover.stop());
    return { site, rover };
}

const offerOf = async rover => (await fetch(`${rover.url}/api/ota/offer`)).json();
const choose = async (rover, choice) => (await fetch(`${rover.url}/api/ota/offer`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ choice }) })).json();
const runs = (rover, version) => rover.waitFor(`${version} confirmed`, status => status.state === 'idle' && !status.pending &&
    status.slots.find(slot => slot.running).image.version === version);
const logOf = async rover => (await (await fetch(`${rover.url}/api/ota/log`)).json()).entries;

async function until(rover, what, condition) {
    for (let n = 0; n < 1200; n++) {
        const offer = await offerOf(rover).catch(() => null);
        if (offer && condition(offer))
            return offer;
        await sleep(25);
    }
    assert.fail(`no sign of ${what}: ${JSON.stringify(await offerOf(rover))}\n${rover.lines.join('\n')}`);
}

const isFile = ({ name }) => name.includes('.bin');
const failsWith = (rover, code) => until(rover, code, offer => offer.error?.code === code);

describe('a release', () => {
    test('is offered, installed by a word, and confirmed', async t => {
        const { rover, site } = await pair(t, { policy: 'ask', files: release({ notes: { en: 'Straighter.', ru: 'Ровнее.' } }) });
        const { offer } = await until(rover, 'an offer', ({ offer }) => offer?.wait);
        assert.equal(offer.version, '3.0.0');
        assert.equal(offer.build, buildOf(image));
        assert.equal(offer.notes, 'Straighter.');
        assert.equal(offer.wait, 'somebody has to say yes');
        const russian = await (await fetch(`${rover.url}/api/ota/offer`, { headers: { 'Accept-Language': 'ru' } })).json();
        assert.equal(russian.offer.notes, 'Ровнее.');
        assert.equal((await rover.status()).offer.version, '3.0.0');
        assert.equal(site.asked.some(({ name }) => name.includes('.bin')), false);
        assert.equal((await choose(rover, 'install')).success, true);
        await runs(rover, '3.0.0');
        assert.equal((await logOf(rover)).find(entry => entry.event === 'activated').by, 'folder');
        await until(rover, 'nothing more', ({ state, offer }) => state === 'idle' && offer === null);
        assert.equal(site.asked.filter(isFile).length, 1);
    });

    test('comes by itself where the policy says so, as the smallest file', async t => {
        const files = release();
        const { rover, site } = await pair(t, { files });
        await runs(rover, '3.0.0');
        const sizes = ['rover-3.0.0.bin', 'rover-3.0.0.bin.gz'].map(name => [files.get(name).length, name]);
        assert.deepEqual(site.asked.filter(isFile).map(({ name }) => name), [sizes.sort((a, b) => a[0] - b[0])[0][1]]);
    });

    test('comes as a patch to the build that it fits', async t => {
        const old = await samples.make('1.bin', { version: '1.0.0', seed: 4 });
        const next = await samples.make('4.bin', { version: '3.0.0', seed: 4 });
        const out = `${samples.folder}/p.patch`, base = buildOf(fs.readFileSync(old));
        const made = await run(program('otapult', 'OTAPULT'), ['patch', old, next, '--out', out]);
        assert.equal(made.status, 0, made.stderr);
        const { rover, site } = await pair(t, { args: ['--factory', old],
            files: makeRelease(fs.readFileSync(next), { key, version: '3.0.0', patches: [{ base, bytes: fs.readFileSync(out) }] }) });
        await runs(rover, '3.0.0');
        assert.deepEqual(site.asked.filter(isFile).map(({ name }) => name), [`rover-3.0.0.bin.from-${base}.patch`]);
    });

    test('is left to others by its percentage', async t => {
        const version = '3.0.0', share = 50;
        const turn = id => crypto.createHash('sha256').update(`${id}:${version}`).digest().readUInt32LE(0) % 100 < share;
        const ids = Array.from({ length: 40 }, (_, n) => `robot-${n}`);
        for (const id of [ids.find(turn), ids.find(id => !turn(id))]) {
            const { rover } = await pair(t, { policy: 'ask', files: release({ percentage: share }), args: ['--id', id] });
            await until(rover, 'an answer', ({ asked_s }) => asked_s !== null);
            await sleep(300);
            assert.equal((await offerOf(rover)).offer !== null, turn(id), id);
        }
    });

    test('that goes back is not taken again', async t => {
        const bad = fs.readFileSync(await samples.make('bad.bin', { version: '3.0.0', seed: 9, temper: 'crash-at-boot' }));
        const { rover, site } = await pair(t, { files: makeRelease(bad, { key, version: '3.0.0' }) });
        await rover.waitFor('the way back', status => status.last?.event === 'crashed');
        await until(rover, 'a refusal', ({ offer }) => /failed on this robot|refused on this robot/.test(offer?.wait ?? ''));
        await sleep(2500);
        assert.equal(site.asked.filter(isFile).length, 1);
    });
});

describe('the wire', () => {
    test('a certificate of another CA is a refusal with words', async t => {
        const other = makeTls(folder, 'other');
        const { rover, site } = await pair(t, { args: ['--source-ca', other.ca] });
        const { error } = await failsWith(rover, 'source_certificate');
        assert.match(error.detail, /certificate/i);
        assert.equal(site.asked.length, 0);
    });

    test('a pinned key is asked for beside the CA', async t => {
        const good = await pair(t, { policy: 'ask', args: ['--source-pin', tls.pin] });
        await until(good.rover, 'an offer', ({ offer }) => offer);
        const wrong = `sha256//${crypto.createHash('sha256').update('x').digest('base64')}`;
        const bad = await pair(t, { policy: 'ask', args: ['--source-pin', wrong] });
        await failsWith(bad.rover, 'source_certificate');
    });

    test('http is refused at the start, and works where releases are signed and it is said', async t => {
        const site = await serve(release());
        t.after(() => site.close());
        const words = ['--fast', '--port', '0', '--flash', `${folder}/plain.bin`, '--source', site.url];
        const refused = await run(program('rover', 'ROVER'), [...words, '--source-key', digest]);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr + refused.stdout, /a folder whose address is none/);
        const unsigned = await run(program('rover', 'ROVER'), [...words, '--source-plain', '--source-unsigned']);
        assert.match(unsigned.stderr + unsigned.stdout, /plain_http without signatures/);
        const { rover } = await pair(t, { secure: null, args: ['--source-plain'] });
        await runs(rover, '3.0.0');
    });

    test('what breaks off is resumed with Range and If-Range, and not sent twice', async t => {
        let cuts = 4;
        const { rover, site } = await pair(t, { on: (request, response, name) => {
            if (!name.includes('.bin') || cuts-- <= 0)
                return false;
            const bytes = release().get(name), from = Number(/bytes=(\d+)/.exec(request.headers.range ?? '')?.[1] ?? 0);
            response.writeHead(from ? 206 : 200, { 'Content-Length': bytes.length - from, ETag: etagOf(bytes),
                ...from ? { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {} });
            response.write(bytes.subarray(from, from + 100000), () => response.destroy());
            return true;
        } });
        await runs(rover, '3.0.0');
        const asked = site.asked.filter(isFile);
        assert.equal(asked.length, 5);
        assert.deepEqual(asked.map(({ range }) => range === undefined), [true, false, false, false, false]);
        assert.equal(asked[4].ifRange, etagOf(release().get(asked[4].name)));
        const starts = asked.slice(1).map(({ range }) => Number(/\d+/.exec(range)[0]));
        assert.deepEqual(starts, [...starts].sort((a, b) => a - b));
        assert.ok(starts[3] > 100000);
    });

    test('a manifest that has not changed is not sent again, nor its signature', async t => {
        const { rover, site } = await pair(t, { policy: 'ask' });
        const answers = name => site.asked.filter(one => one.name === name).map(({ status }) => status);
        await until(rover, 'three questions', () => answers('otapult.json').filter(status => status === 304).length >= 2);
        assert.equal((await offerOf(rover)).offer.version, '3.0.0');
        assert.deepEqual(answers('otapult.json').filter(status => status !== 304), [200]);
        assert.deepEqual(answers('otapult.json.sig'), [200]);
        site.files = release({ sequence: 2, notes: { en: 'New.' } });
        await until(rover, 'the new one', ({ offer }) => offer.notes === 'New.');
    });

    test('a server that knows no parts is compared with what is there', async t => {
        let cuts = 2;
        const { rover, site } = await pair(t, { on: (request, response, name) => {
            if (!name.includes('.bin'))
                return false;
            const bytes = release().get(name);
            if (cuts-- > 0) {
                response.writeHead(200, { 'Content-Length': bytes.length });
                response.write(bytes.subarray(0, 200000), () => response.destroy());
            } else {
                sendFile(request, response, bytes, { part: false });
            }
            return true;
        } });
        await runs(rover, '3.0.0');
        assert.equal(site.asked.filter(isFile).length, 3);
    });

    test('a redirect goes to the hosts that the configuration names, and nowhere else', async t => {
        const cdn = await serve(release(), { tls });
        t.after(() => cdn.close());
        const elsewhere = cdn.url.replace('localhost', '127.0.0.1');
        const lead = (request, response, name) => {
            response.writeHead(302, { Location: elsewhere.replace('otapult.json', name) }).end();
            return true;
        };
        const { rover } = await pair(t, { policy: 'ask', on: lead });
        assert.match((await failsWith(rover, 'source_redirect')).error.detail, /another host/);
        assert.equal(cdn.asked.length, 0);
        const named = await pair(t, { on: lead, args: ['--source-host', '127.0.0.1'] });
        await runs(named.rover, '3.0.0');
    });

    for (const [what, location] of [['a file', 'file:///etc/passwd'], ['itself', '/otapult.json'], ['http', 'http://localhost/x']]) {
        test(`a redirect to ${what} ends in words`, async t => {
            const { rover } = await pair(t, { policy: 'ask', on: (request, response) => {
                response.writeHead(302, { Location: location }).end();
                return true;
            } });
            await failsWith(rover, 'source_redirect');
        });
    }
});

describe('a hostile server', () => {
    const answers = {
        'an endless manifest': [response => {
            response.writeHead(200);
            const more = () => response.destroyed || response.write(' '.repeat(16384), more);
            more();
        }, 'source_answer'],
        'a page instead of a manifest': [response => response.writeHead(200).end('<html>moved</html>'), 'source_answer'],
        'an error page': [response => response.writeHead(500).end('x'.repeat(100000)), 'source_status'],
        'half a manifest': [response => {
            response.writeHead(200, { 'Content-Length': 1000 });
            response.write('{"otapult":1', () => response.destroy());
        }, 'source_lost'],
        'no HTTP at all': [response => response.socket.end('SSH-2.0-OpenSSH_9\r\n'), 'source_unreachable|source_lost'],
        'an endless header': [response => response.socket.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(600000)}`,
            () => response.socket.destroy()), 'source_unreachable|source_lost'],
    };
    for (const [what, [answer, code]] of Object.entries(answers)) {
        test(`${what} is one line in the journal, and a later attempt`, async t => {
            let bad = true;
            const { rover } = await pair(t, { policy: 'ask', on: (request, response) => {
                if (bad)
                    answer(response);
                return bad;
            } });
            await until(rover, code, offer => new RegExp(code).test(offer.error?.code ?? ''));
            await sleep(2500);
            assert.equal((await logOf(rover)).filter(entry => entry.event === 'source').length, 1);
            bad = false;
            await until(rover, 'an offer', ({ offer, error }) => offer?.version === '3.0.0' && error === null);
        });
    }

    test('a manifest that somebody else signed, or nobody, offers nothing', async t => {
        const { rover, site } = await pair(t, { policy: 'ask', files: makeRelease(image, { key: makeKey('P-256'), version: '3.0.0' }) });
        await failsWith(rover, 'source_signature');
        site.files.delete('otapult.json.sig');
        await failsWith(rover, 'source_status');
        assert.equal((await offerOf(rover)).offer, null);
    });

    test('an old folder is noticed, after a restart too', async t => {
        const { rover, site } = await pair(t, { policy: 'ask', files: release({ sequence: 9 }) });
        await until(rover, 'an offer', ({ offer }) => offer);
        site.files = release({ sequence: 8 });
        await failsWith(rover, 'source_old');
        rover.child.kill('SIGUSR1');
        await rover.waitForBoot(2);
        await failsWith(rover, 'source_old');
        assert.equal((await offerOf(rover)).offer, null);
        site.files = release({ sequence: 10 });
        await until(rover, 'an offer', ({ offer, error }) => offer && !error);
    });

    test('a file that is not the one of the manifest is not activated', async t => {
        const files = release();
        for (const name of [...files.keys()].filter(name => name.includes('.bin')))
            files.set(name, Buffer.from(files.get(name)).fill(0x55, 60000, 60016));
        const { rover } = await pair(t, { files });
        await until(rover, 'a refusal', ({ error }) => /offer_other_file|gzip|image|hash|checksum/.test(error?.code ?? ''));
        assert.equal((await rover.status()).slots.find(slot => slot.running).image.version, '1.0.0');
    });
});

describe('a robot', () => {
    test('that loses power while it fetches asks for the rest', async t => {
        let slow = true;
        const { rover, site } = await pair(t, { files: release({ change: manifest => {
            manifest.files = manifest.files.filter(({ form }) => form === 'plain');
        } }), on: (request, response, name) => {
            if (!slow || !name.includes('.bin'))
                return false;
            response.writeHead(200, { 'Content-Length': image.length, ETag: etagOf(image) });
            response.write(image.subarray(0, 300000)); // and nothing more
            return true;
        } });
        await rover.waitFor('bytes', status => status.state === 'receiving' && status.received >= 299000);
        slow = false;
        rover.child.kill('SIGUSR1');
        await runs(rover, '3.0.0');
        const asked = site.asked.filter(isFile);
        assert.equal(asked.length, 2);
        const from = Number(/^bytes=(\d+)-$/.exec(asked[1].range)[1]);
        assert.ok(from % 4096 === 0 && from > 300000 - 2 * 65536 && from < 300000, `from ${from}`);
        assert.equal(asked[1].ifRange, etagOf(image));
    });

    test('that loses power while it fetches a packed file goes on, and keeps the word that was given', async t => {
        let slow = true;
        const { rover, site } = await pair(t, { policy: 'ask', on: (request, response, name) => {
            if (!slow || !name.includes('.bin'))
                return false;
            const bytes = release().get(name);
            response.writeHead(200, { 'Content-Length': bytes.length });
            response.write(bytes.subarray(0, 300000)); // and nothing more
            return true;
        } });
        await until(rover, 'an offer', ({ offer }) => offer);
        await choose(rover, 'install');
        await rover.waitFor('bytes', status => status.state === 'receiving' && status.received >= 200000);
        slow = false;
        rover.child.kill('SIGUSR1');
        await runs(rover, '3.0.0');
        const asked = site.asked.filter(isFile);
        assert.equal(asked.length, 2);
        const from = Number(/^bytes=(\d+)-$/.exec(asked[1].range)[1]);
        assert.ok(from > 0 && from < 300000, `from ${from}`);
    });

    test('is told later and skip, and remembers', async t => {
        const { rover } = await pair(t, { policy: 'ask' });
        await until(rover, 'an offer', ({ offer }) => offer);
        await choose(rover, 'skip');
        await until(rover, 'its word', ({ offer }) => offer?.wait === 'somebody has skipped it');
        rover.child.kill('SIGUSR1');
        await rover.waitForBoot(2);
        await until(rover, 'its word', ({ offer }) => offer?.wait === 'somebody has skipped it');
        assert.equal((await choose(rover, 'perhaps')).code, 'bad_request');
        await choose(rover, 'install');
        await runs(rover, '3.0.0');
    });

    test('of the secure profile trusts releases and firmware by its own keys', async t => {
        const ours = sign(image, key);
        const site = await serve(makeRelease(ours, { key, version: '3.0.0' }), { tls });
        t.after(() => site.close());
        const owner = await startSecureRover({ key, args: ['--restart', '50', '--source', site.url, '--source-ca', tls.ca,
            '--source-ask', '1', '--source-policy', 'auto'] });
        t.after(() => owner.stop());
        await owner.rover.waitFor('the release', status => status.state === 'idle' && !status.pending &&
            status.slots.find(slot => slot.running).image.version === '3.0.0');
        assert.equal((await owner.curl('/api/ota/offer')).status, 401);
        assert.equal((await owner.admin('/api/ota/offer')).json.state, 'idle');
    });
});

describe('the page', () => {
    test('shows what is available, in both languages, and installs it by a button', async t => {
        const { rover } = await pair(t, { policy: 'ask', files: release({ notes: { en: 'Straighter.', ru: 'Ровнее.' } }) });
        const browser = await openBrowser();
        const page = await browser.newPage({ locale: 'en-US', tolerate: [/Failed to load resource/, /net::ERR_/] });
        try {
            await page.goto(`${rover.url}/api/ota`);
            await page.waitForFunction(() => document.querySelector('#offer-notes').textContent.includes('Straighter'));
            assert.match(await page.textContent('#offer-title'), /^3\.0\.0 is available, \d+ KB$/);
            assert.match(await page.textContent('#offer-wait'), /somebody has to say yes/);
            await page.click('#lang');
            await page.waitForFunction(() => document.querySelector('#offer-notes').textContent === 'Что нового: Ровнее.');
            await page.click('#offer-later');
            await page.waitForFunction(() => document.querySelector('#offer-wait').textContent === 'человек ответил: позже');
            await page.click('#offer-install');
            await runs(rover, '3.0.0');
            await page.waitForFunction(() => document.querySelector('#offer').hidden);
        } finally {
            await browser.close();
        }
    });
});

describe('a release', () => {
    test('that wants a newer version first is shown, and says why', async t => {
        const { rover, site } = await pair(t, { files: release({ minimum: '2.9.9' }) });
        const { state } = await until(rover, 'the release', ({ offer }) => offer?.version === '3.0.0');
        assert.equal(state, 'idle');
        assert.deepEqual((await rover.status()).offer, { state: 'idle', version: '3.0.0' });
        assert.equal((await choose(rover, 'install')).code, 'no_offer');
        const { stdout } = await run(program('otapult', 'OTAPULT'), ['offer', rover.url]);
        assert.match(stdout, /: 3\.0\.0 is there, not for this robot\n(.*\n)*  why: it wants a newer version here first\n/);
        const browser = await openBrowser();
        const page = await browser.newPage({ locale: 'en-US' });
        try {
            await page.goto(`${rover.url}/api/ota`);
            await page.waitForFunction(() => /newer version/.test(document.querySelector('#offer-wait').textContent));
            assert.equal(await page.textContent('#offer-title'), '3.0.0 is there, not for this robot');
            assert.equal(await page.isVisible('#offer-install'), false);
            await page.click('#lang');
            await page.waitForFunction(() => document.querySelector('#offer-wait').textContent === 'сначала здесь нужна более новая версия');
        } finally {
            await browser.close();
        }
        assert.equal(rover.lines.filter(line => /release 3\.0\.0 is not taken: it wants a newer version here first/.test(line)).length, 1);
        assert.equal(site.asked.some(isFile), false);
    });
});

describe('docs/pull.md', () => {
    test('leads from nothing to the first update, as written', async () => {
        const text = fs.readFileSync(`${root}/docs/pull.md`, 'utf8');
        const lines = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(match => match[1]).join('');
        const ports = await Promise.all([0, 0].map(() => serve(new Map())));
        const [web, rover] = ports.map(({ port }) => String(port));
        await Promise.all(ports.map(port => port.close()));
        const script = lines.replace('$PWD/build', path.dirname(program('rover', 'ROVER'))).replaceAll('8099', web).replaceAll('8098', rover);
        const { stdout, stderr } = await run('bash', ['-c', `set -e\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n${script}`],
            { cwd: temporary('docs') });
        assert.match(stdout, /1\.1\.0 is available[^]*Drives straighter\.[^]*It will be installed\./, stdout + stderr);
        assert.match(stdout, /runs +rover 1\.1\.0/, stdout + stderr);
    });
});

describe('the command line', () => {
    test('otapult release writes what a rover takes, and otapult offer says yes', async t => {
        const out = `${folder}/site`, pem = `${folder}/release.pem`, otapult = program('otapult', 'OTAPULT');
        const word = async (...words) => {
            const result = await run(otapult, words);
            assert.equal(result.status, 0, result.stderr);
            return result.stdout;
        };
        await word('keygen', pem, '--scheme', 'ecdsa256');
        const mine = (await word('key-digest', pem)).trim();
        await word('release', `${samples.folder}/3.0.0.bin`, out, '--key', pem, '--notes', 'Straighter.');
        const files = new Map(fs.readdirSync(out).map(name => [name, fs.readFileSync(`${out}/${name}`)]));
        const manifest = JSON.parse(files.get('otapult.json'));
        for (const row of [...manifest.files, ...manifest.others]) {
            const bytes = files.get(row.name);
            assert.equal(bytes.length, row.size);
            assert.equal(crypto.createHash('sha256').update(bytes).digest('hex'), row.sha256);
        }
        assert.ok(zlib.gunzipSync(files.get(manifest.files.find(({ form }) => form === 'gzip').name)).equals(image));
        assert.equal(JSON.parse(files.get('sbom.spdx.json')).spdxVersion, 'SPDX-2.3');
        const { rover } = await pair(t, { policy: 'ask', files, args: ['--source-key', mine] });
        await until(rover, 'an offer', ({ offer }) => offer?.wait);
        assert.match(await word('offer', rover.url), /3\.0\.0 is available[^]*Straighter/);
        await word('offer', rover.url, '--install');
        await runs(rover, '3.0.0');
        assert.match(await word('offer', rover.url), /nothing is offered/);
        const first = manifest.sequence;
        await word('release', `${samples.folder}/3.0.0.bin`, out, '--key', pem);
        assert.ok(JSON.parse(fs.readFileSync(`${out}/otapult.json`)).sequence > first);
    });

    test('otapult offer says it where a robot has no source', async t => {
        const rover = await startRover();
        t.after(() => rover.stop());
        const result = await run(program('otapult', 'OTAPULT'), ['offer', rover.url]);
        assert.equal(result.status, 1);
        assert.match(result.stderr, /fetches no updates by itself/);
    });
});
