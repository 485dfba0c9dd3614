// SPDX-License-Identifier: Apache-2.0
// A rover and a hawkBit: what the operator of the server sees is what became of the robot. The server is the one of
// ddi.mjs, held to what real ones answered; HAWKBIT=real plays the same to a real 0.3.0M7 (tools/interop-hawkbit).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDdi } from './support/ddi.mjs';
import { BEHIND_TLS, startHawkbit } from './support/hawkbit.mjs';
import { makeTls } from './support/release.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const REAL = process.env.HAWKBIT === 'real';
const TOKEN = '0123456789abcdef0123456789abcdef';
const samples = new Samples();
let real = null, behind = null, robots = 0;
after(async () => {
    samples.remove();
    await real?.stop();
    await behind?.stop();
});

async function openServer(options) {
    if (!REAL)
        return startDdi(options);
    if (options.tls)
        return openFront(options.tls);
    real ??= await startHawkbit();
    if (options.gateway)
        await real.gateway(options.gateway);
    return { ...bound(real), url: real.url, stop: async () => {} };
}

// A server of its own: its settings say that all its addresses are https.
async function openFront(tls) {
    behind ??= await startHawkbit({ args: BEHIND_TLS });
    return { ...bound(behind), ...await behind.front(tls) };
}

// The calls of the one real server, for many tests.
function bound(server) {
    return Object.fromEntries(['target', 'set', 'assign', 'cancel', 'history', 'status', 'attributes']
        .map(name => [name, (...args) => server[name](...args)]));
}

async function firmware(version, options = {}) {
    const file = await samples.make(`${version}-${Object.values(options).join('-')}.bin`, { version, seed: 7, ...options });
    return { name: 'fw.bin', bytes: fs.readFileSync(file), path: file };
}

// A server and a rover that it knows. `policy`, `args`: of the rover; the rest: of the server.
async function withRover({ policy = 'urgent', args = [], token = TOKEN, env, ...options }, body) {
    const server = await openServer(options);
    const id = `rover-${process.pid}-${++robots}`;
    if (!options.gateway) // which makes robots known by their first question
        await server.target(id, TOKEN);
    process.env.OTAPULT_HAWKBIT_TOKEN = token;
    const rover = await startRover({ args: ['--fast', '--hawkbit', server.url, '--source-plain', '--name', id, '--id', id, '--source-policy', policy, '--source-ask', '1', ...args] });
    try {
        await body({ server, rover, id });
    } finally {
        await rover.stop();
        await server.stop();
    }
}

async function until(what, ask) {
    const deadline = Date.now() + 60000;
    for (;;) {
        const answer = await ask();
        if (answer)
            return answer;
        assert.ok(Date.now() < deadline, `no sign of ${what}`);
        await sleep(25);
    }
}

const offer = rover => fetch(`${rover.url}/api/ota/offer`).then(answer => answer.json(), () => ({ state: 'away' }));
const choose = async (rover, choice) => {
    const answer = await fetch(`${rover.url}/api/ota/offer`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ choice }) });
    assert.equal(answer.status, 200, await answer.text());
};
const types = history => history.map(entry => entry.type);
const ended = (server, id, action, type) => until(`"${type}" in the action's history`, async () => {
    const history = await server.history(id, action);
    return history.at(-1).type === type && history;
});
const offered = (rover, wait) => until(`an offer that waits: ${wait}`, async () => (await offer(rover)).offer?.wait === wait);
const runs = (rover, version) => rover.waitFor(version, s => s.slots.find(slot => slot.running)?.image?.version === version && !s.pending);

describe('what the operator sees is what was proved', () => {
    test('a new firmware: success comes with its confirmation, not before', () => withRover({ args: ['--soak', '2500'] }, async ({ server, rover, id }) => {
        const set = await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] });
        const action = await server.assign(id, set);
        const seen = await until('the trial, and the server while it lasts', async () => {
            const before = await rover.status();
            const history = before?.pending && await server.history(id, action);
            return history && (await rover.status())?.pending && history;
        });
        assert.ok(!types(seen).includes('finished'), types(seen));
        assert.equal(await server.status(id), 'pending');
        await runs(rover, '2.0.0');
        const history = await ended(server, id, action, 'finished');
        assert.equal(await server.status(id), 'in_sync');
        assert.ok(history.length < 20, `${history.length} entries`);
        const attributes = await until('the attributes of the new firmware', async () => {
            const known = await server.attributes(id);
            return known.version === '2.0.0' && known;
        });
        assert.deepEqual([attributes.name, attributes.chip, attributes.project, attributes.slot, attributes.profile], [id, 'ESP32-S3', 'rover', 'app1', 'open']);
        assert.equal(attributes.build, (await rover.status()).slots.find(slot => slot.running).image.build);
    }));

    const tempers = [['crash-at-boot', /crashed/], ['never-confirms', /deadline passed/]];
    for (const [temper, words] of tempers)
        test(`${temper}: it goes back, and the journal's words come with the failure`, () => withRover({ args: ['--confirm', '1'] }, async ({ server, rover, id }) => {
            const set = await server.set({ version: '2.0.0', files: [await firmware('2.0.0', { temper })] });
            const action = await server.assign(id, set);
            const history = await ended(server, id, action, 'error');
            assert.match(history.at(-1).messages.join(), words);
            assert.ok(!types(history).includes('finished'), types(history));
            assert.equal(await server.status(id), 'error');
            const { boot } = await runs(rover, '1.0.0');
            const again = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0', { temper })] }));
            await ended(server, id, again, 'error'); // the same build once more: refused, and not tried
            assert.equal((await rover.status()).boot, boot);
            const good = await server.assign(id, await server.set({ version: '3.0.0', files: [await firmware('3.0.0')] }));
            await ended(server, id, good, 'finished');
            await runs(rover, '3.0.0');
        }));

    test('what runs already is not written again, and is told as what it is', () => withRover({}, async ({ server, rover, id }) => {
        const files = [await firmware('2.0.0')];
        await ended(server, id, await server.assign(id, await server.set({ version: '2.0.0', files })), 'finished');
        const { boot } = await runs(rover, '2.0.0');
        await ended(server, id, await server.assign(id, await server.set({ version: 'again', files })), 'finished');
        assert.equal((await rover.status()).boot, boot);
    }));

    test('a firmware for another chip is refused, with the words of the device', () => withRover({}, async ({ server, rover, id }) => {
        const set = await server.set({ version: '2.0.0', files: [await firmware('2.0.0', { chip: '0x0005' })] });
        const action = await server.assign(id, set);
        assert.match((await ended(server, id, action, 'error')).at(-1).messages.join(), /ESP32-C3/);
        assert.equal((await rover.status()).boot, 1);
    }));

    test('an older firmware is refused at once, unless the robot may go back', async () => {
        const go = (args, type, version) => withRover({ args }, async ({ server, rover, id }) => {
            const action = await server.assign(id, await server.set({ version: '0.9.0', files: [await firmware('0.9.0')] }));
            await ended(server, id, action, type);
            await runs(rover, version);
        });
        await go([], 'error', '1.0.0');
        await go(['--source-downgrade'], 'finished', '0.9.0');
    });

    test('two modules, and no file at all: the operator is told', () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [] }));
        assert.match((await ended(server, id, action, 'error')).at(-1).messages.join(), /no file/);
        if (!REAL) {
            const two = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')], modules: 2 }));
            assert.match((await ended(server, id, two, 'error')).at(-1).messages.join(), /more than one module/);
        }
        assert.equal((await rover.status()).boot, 1);
    }));
});

describe('the operator changes his mind', () => {
    test('before anything was fetched', () => withRover({ policy: 'ask' }, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        await offered(rover, 'somebody has to say yes');
        await server.cancel(id, action);
        await ended(server, id, action, 'canceled');
        assert.equal((await until('no offer', async () => (await offer(rover)).state === 'idle' && offer(rover))).offer, null);
    }));

    test('in the middle of the download', { skip: REAL && 'it is over too soon' }, () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        let parts = 0;
        server.spoil = request => {
            if (request.path.includes('/artifacts/') && ++parts === 2)
                server.cancel(id, action);
            return false;
        };
        const history = await ended(server, id, action, 'canceled');
        assert.ok(types(history).includes('download'), types(history));
        await until('no offer', async () => (await offer(rover)).state === 'idle');
        assert.deepEqual([(await rover.status()).boot, (await rover.status()).state], [1, 'idle']);
    }));

    test('too late: it runs by then, and that is what the operator sees', { skip: REAL && 'needs a server that is away' }, () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        let refused = 0;
        server.spoil = (request, answer) => {
            const last = request.path.endsWith('/feedback') && /"closed"/.test(request.body) && request.path.includes('deploymentBase');
            if (last && refused++ < 2) {
                server.cancel(id, action);
                answer.writeHead(503).end();
                return true;
            }
            return false;
        };
        await ended(server, id, action, 'finished');
        assert.ok(refused >= 2);
        await runs(rover, '2.0.0');
    }));
});

describe('who says yes', () => {
    test('soft: a person', () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }), { type: 'soft' });
        await offered(rover, 'somebody has to say yes');
        await choose(rover, 'install');
        await ended(server, id, action, 'finished');
    }));

    test('skipped: the operator sees that, and no failure', () => withRover({ policy: 'ask' }, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        await offered(rover, 'somebody has to say yes');
        await choose(rover, 'skip');
        assert.match((await ended(server, id, action, 'warning')).at(-1).messages.join(), /skipped/);
        assert.equal(await server.status(id), 'pending');
    }));

    test('confirmation: the files come only with a yes', { skip: REAL && '0.3.0M7 has none' }, () => withRover({ policy: 'auto' }, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }), { confirm: true });
        await offered(rover, 'somebody has to say yes');
        assert.equal(server.requests.filter(request => request.path.includes('/artifacts/')).length, 0);
        await choose(rover, 'install');
        const history = await ended(server, id, action, 'finished');
        assert.ok(history.some(entry => entry.messages[0] === 'confirmed'), JSON.stringify(history));
    }));

    test('a confirmation that the server does not take is not said in a loop', { skip: REAL && '0.3.0M7 has none' }, () => withRover({ sleep: '00:00:05' }, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }), { confirm: true });
        server.spoil = (request, answer) => request.path.includes('confirmationBase') && request.method === 'POST' && Boolean(answer.writeHead(200).end());
        await offered(rover, 'somebody has to say yes');
        await choose(rover, 'install');
        const yes = () => server.requests.filter(request => request.path.includes('confirmationBase') && request.method === 'POST').length;
        await until('the second yes', () => yes() >= 2);
        const polls = server.requests.filter(request => request.path.endsWith(id)).length;
        assert.ok(yes() <= polls, `${yes()} for ${polls} polls`);
        server.spoil = null;
        await ended(server, id, action, 'finished');
    }));

    test('outside the maintenance window it waits', () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }), { window: false });
        await offered(rover, 'the source says: not now');
        if (!REAL) // there time does it
            await server.change(id, action, { window: true });
        await ended(server, id, action, 'finished');
    }));

    test('time-forced: soft until then', () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }), { type: 'timeforced' });
        await offered(rover, 'somebody has to say yes');
        if (!REAL)
            await server.change(id, action, { type: 'forced' });
        await ended(server, id, action, 'finished');
    }));

    test('download only: it waits in its slot, and is started without a second download', () => withRover({}, async ({ server, rover, id }) => {
        const files = [await firmware('2.0.0')];
        const action = await server.assign(id, await server.set({ version: '2.0.0', files }), { type: 'downloadonly' });
        await ended(server, id, action, 'downloaded');
        const status = await rover.waitFor('the staged firmware', s => s.staged?.image.version === '2.0.0');
        assert.equal(status.boot, 1);
        const fetched = () => REAL ? 0 : server.requests.filter(request => request.path.includes('/artifacts/')).length;
        const before = fetched();
        const start = await server.assign(id, await server.set({ version: '2.0.0', files }));
        await ended(server, id, start, 'finished');
        await runs(rover, '2.0.0');
        assert.equal(fetched(), before);
    }));
});

describe('a bad network is not a bad firmware', { skip: REAL && 'the server would have to be broken' }, () => {
    for (const dialect of ['1.1.0', 'M7'])
        test(`${dialect}: a download that breaks off goes on where it was`, () => withRover({ dialect }, async ({ server, rover, id }) => {
            const file = await firmware('2.0.0');
            const action = await server.assign(id, await server.set({ version: '2.0.0', files: [file] }));
            let cuts = 0;
            server.spoil = (request, answer) => {
                if (!request.path.includes('/artifacts/') || request.headers.range === undefined || cuts >= 3)
                    return false;
                const from = Number(/\d+/.exec(request.headers.range)[0]);
                const ifRange = request.headers['if-range'];
                answer.writeHead(206, { ETag: ifRange, 'Content-Length': file.bytes.length - from, 'Content-Range': `bytes ${from}-${file.bytes.length - 1}/${file.bytes.length}` });
                answer.write(file.bytes.subarray(from, from + 20000), () => answer.destroy());
                cuts++;
                return true;
            };
            await ended(server, id, action, 'finished');
            await runs(rover, '2.0.0');
            assert.equal(cuts, 3);
            const ranges = server.requests.filter(request => request.headers.range);
            const quoted = ranges.map(request => request.headers['if-range'].startsWith('"'));
            assert.ok(ranges.length >= 3 && quoted.every(q => q === (dialect === '1.1.0')), JSON.stringify(quoted));
        }));

    for (const dialect of ['1.1.0', 'M7']) { // whose ETag has no quotes
        test(`power goes in the middle: the robot asks for the rest, ${dialect}`, { skip: REAL && 'it is over too soon' },
            () => withRover({ dialect }, async ({ server, rover, id }) => {
                const file = await firmware('2.0.0', { size: 400000 });
                const sha1 = crypto.createHash('sha1').update(file.bytes).digest('hex');
                const etag = dialect === 'M7' ? sha1 : `"${sha1}"`;
                const asked = () => server.requests.filter(request => request.path.includes('/artifacts/'));
                server.spoil = (request, response) => {
                    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
                    if (!request.path.includes('/artifacts/') || from === 0)
                        return false;
                    response.writeHead(206, { ETag: etag, 'Content-Length': file.bytes.length - from,
                        'Content-Range': `bytes ${from}-${file.bytes.length - 1}/${file.bytes.length}` });
                    response.write(file.bytes.subarray(from, from + 50000)); // and nothing more
                    return true;
                };
                const action = await server.assign(id, await server.set({ version: '2.0.0', files: [file] }));
                await rover.waitFor('bytes', status => status.state === 'receiving' && status.received >= 140000);
                server.spoil = null;
                const before = asked().length;
                rover.child.kill('SIGUSR1');
                await ended(server, id, action, 'finished');
                const { headers } = asked()[before];
                const from = Number(/^bytes=(\d+)-$/.exec(headers.range)[1]);
                assert.ok(from % 4096 === 0 && from >= 65536 && from < 150000, headers.range);
                assert.equal(headers['if-range'], etag);
            }));
    }

    test('a poll that has not changed is not sent again, and what comes then is seen', { skip: REAL && '0.3.0M7 sends it all the same' },
        () => withRover({ etags: true }, async ({ server, rover, id }) => {
            const polls = () => server.requests.filter(one => one.method === 'GET' && one.path.endsWith(id)).map(({ status }) => status);
            await until('three that were known', () => polls().filter(status => status === 304).length >= 3);
            const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
            await ended(server, id, action, 'finished');
            await runs(rover, '2.0.0');
        }));

    test('the server is away for a while: no failure is told', () => withRover({}, async ({ server, rover, id }) => {
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        let away = 0;
        server.spoil = (request, answer) => request.path.includes('/artifacts/') && away++ < 2 && Boolean(answer.writeHead(503).end());
        const history = await ended(server, id, action, 'finished');
        assert.ok(!types(history).includes('error'), types(history));
        await runs(rover, '2.0.0');
    }));

    test('another file than announced: told as a failure when it stays so', () => withRover({}, async ({ server, rover, id }) => {
        const file = await firmware('2.0.0');
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [{ ...file, sha256: 'ab'.repeat(32) }] }));
        assert.match((await ended(server, id, action, 'error')).at(-1).messages.join(), /not what was offered/);
        assert.equal((await rover.status()).boot, 1);
    }));

    test('an action whose history is full: the robot goes on', () => withRover({}, async ({ server, rover, id }) => {
        const file = await firmware('2.0.0');
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [file] }));
        const history = await server.history(id, action);
        while (history.length < 998)
            history.push({ type: 'running', messages: [] });
        await runs(rover, '2.0.0');
        await until('the answer 403', () => server.requests.some(request => request.status === 403 && /"success"/.test(request.body)));
        const { boot } = await rover.status();
        const polls = () => server.requests.filter(request => request.path.endsWith(id)).length;
        const from = polls();
        await until('more polls', () => polls() > from + 3); // the action is still offered: it is not done again
        assert.equal((await rover.status()).boot, boot);
        assert.equal((await offer(rover)).error, null); // nothing is owed
        await server.change(id, action, { open: false });
        const next = await server.assign(id, await server.set({ version: '3.0.0', files: [await firmware('3.0.0')] }));
        await ended(server, id, next, 'finished');
    }));
});

describe('who may talk to it', () => {
    test('a gateway makes a robot known', () => withRover({ gateway: 'secret', token: 'secret', args: ['--hawkbit-gateway'] }, async ({ server, id }) => {
        await until('a target that nobody has made', () => server.status(id).catch(() => false));
        const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
        await ended(server, id, action, 'finished');
    }));

    test('a wrong token: said so, once, and asked again', () => withRover({ token: 'wrong' }, async ({ server, rover }) => {
        const { error } = await until('the error', async () => (await offer(rover)).error && offer(rover));
        assert.equal(error.code, 'source_status');
        assert.match(error.detail, /401/);
        if (!REAL)
            await until('three questions', () => server.requests.length >= 3);
    }));

    test('TLS: the CA that was named, and no other', async () => {
        const folder = path.join(samples.folder, 'tls');
        fs.mkdirSync(folder);
        const good = makeTls(folder, 'good'), bad = makeTls(folder, 'bad');
        const tls = { key: good.key, cert: good.cert };
        await withRover({ tls, args: ['--source-ca', good.ca] }, async ({ server, id }) => {
            const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
            await ended(server, id, action, 'finished');
        });
        await withRover({ tls, args: ['--source-ca', bad.ca] }, async ({ server, rover }) => {
            const { error } = await until('the error', async () => (await offer(rover)).error && offer(rover));
            assert.equal(error.code, 'source_certificate');
            assert.equal(server.requests.length, 0);
        });
    });

    test('a token file that others may read is refused', async () => {
        const file = samples.write('token', `${TOKEN}\n`);
        fs.chmodSync(file, 0o644);
        await assert.rejects(startRover({ args: ['--fast', '--hawkbit', 'https://127.0.0.1:1', '--hawkbit-token', file] }), /chmod 600/);
        fs.chmodSync(file, 0o600);
        delete process.env.OTAPULT_HAWKBIT_TOKEN;
        const rover = await startRover({ args: ['--fast', '--hawkbit', 'https://127.0.0.1:1', '--hawkbit-token', file] });
        assert.ok(!fs.readFileSync(`/proc/${rover.child.pid}/cmdline`, 'latin1').includes(TOKEN));
        await rover.stop();
    });
});

describe('hostile answers', { skip: REAL && 'it is not' }, () => {
    const deep = '['.repeat(100000);
    const cases = [
        ['no JSON', 'nothing', 'source_answer'],
        ['no end', '{"config":', 'source_answer'],
        ['too deep', deep, 'source_answer'],
        ['too long', `{"config":"${'x'.repeat(100000)}"}`, 'source_answer'],
        ['another host', '{"_links":{"deploymentBase":{"href":"http://127.0.0.2:1/x"}}}', 'source_redirect'],
        ['a file of the computer', '{"_links":{"deploymentBase":{"href":"file:///etc/passwd"}}}', 'source_redirect'],
        ['an address with a line end', '{"_links":{"deploymentBase":{"href":"http://127.0.0.1/\\r\\nX: y"}}}', 'source_redirect'],
    ];
    for (const [name, body, code] of cases)
        test(name, () => withRover({}, async ({ server, rover, id }) => {
            server.spoil = (request, answer) => request.method === 'GET' && Boolean(answer.writeHead(200).end(body));
            const { error } = await until('the error', async () => (await offer(rover)).error && offer(rover));
            assert.equal(error.code, code);
            await until('the next question', () => server.requests.length >= 3);
            server.spoil = null;
            const action = await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
            await ended(server, id, action, 'finished'); // and then all is well
        }));

    test('an answer without end', () => withRover({}, async ({ server, rover }) => {
        server.spoil = (request, answer) => {
            answer.writeHead(200);
            const more = () => answer.destroyed || answer.write(' '.repeat(16384), () => setImmediate(more));
            more();
            return true;
        };
        const { error } = await until('the error', async () => (await offer(rover)).error && offer(rover));
        assert.equal(error.code, 'source_answer');
    }));

    test('a file elsewhere: refused, or fetched without the token where the configuration names the host', async () => {
        const other = await startDdi();
        const file = await firmware('2.0.0');
        const url = `${other.url.replace('127.0.0.1', 'localhost')}/fw.bin`;
        other.spoil = (request, answer) => Boolean(answer.writeHead(200, { 'Content-Length': file.bytes.length }).end(file.bytes));
        try {
            await withRover({}, async ({ server, id }) => {
                const action = await server.assign(id, await server.set({ version: '2.0.0', files: [{ ...file, url }] }));
                assert.match((await ended(server, id, action, 'error')).at(-1).messages.join(), /another host/);
                assert.equal(other.requests.length, 0);
            });
            await withRover({ args: ['--source-host', 'localhost'] }, async ({ server, id }) => {
                const action = await server.assign(id, await server.set({ version: '2.0.0', files: [{ ...file, url }] }));
                await ended(server, id, action, 'finished');
                assert.ok(other.requests.length > 0 && other.requests.every(request => request.headers.authorization === undefined));
            });
        } finally {
            await other.stop();
        }
    });

    test('a file that leads to another host gets no token, and none of it is fetched', async () => {
        const other = await startDdi();
        try {
            await withRover({}, async ({ server, id }) => {
                server.spoil = (request, answer) => request.path.includes('/artifacts/') && Boolean(answer.writeHead(302, { Location: `${other.url.replace('127.0.0.1', 'localhost')}/x.bin` }).end());
                await server.assign(id, await server.set({ version: '2.0.0', files: [await firmware('2.0.0')] }));
                await until('the download', () => server.requests.some(request => request.path.includes('/artifacts/')));
                const asked = server.requests.length;
                await until('more questions', () => server.requests.length > asked + 3);
                assert.equal(other.requests.length, 0);
            });
        } finally {
            await other.stop();
        }
    });
});
