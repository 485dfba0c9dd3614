// SPDX-License-Identifier: Apache-2.0
// otapult push to many robots: fifty virtual rovers of which three fail in three ways, canaries, failures, a tool
// that is killed, links that break, robots that hold what is to be booted.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { closeProxies, startProxy } from './support/proxy.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { created, json, safeAt, startStranger, statusOf, tusRobot } from './support/stranger.mjs';

const OTAPULT = program('otapult', 'OTAPULT');
const samples = new Samples();
const env = { ...process.env, XDG_CONFIG_HOME: path.join(samples.folder, 'config'), HOME: samples.folder };
const otapult = (...args) => run(OTAPULT, args, { env });
const lines = text => text.trim().split('\n').filter(Boolean).map(line => JSON.parse(line));
const outcomes = text => Object.fromEntries(lines(text).filter(l => l.robot).map(l => [l.robot, l.outcome]));

let v2, bad, never;
before(async () => {
    v2 = await samples.make('v2.bin', { version: '2.0.0', seed: 2 });
    bad = await samples.make('bad.bin', { version: '3.0.0', seed: 3, temper: 'no-network' });
    never = await samples.make('never.bin', { version: '4.0.0', seed: 4, temper: 'never-confirms' });
});
after(async () => {
    await closeProxies();
    samples.remove();
});

const host = rover => new URL(rover.url).host;
const fleet = (n, args = () => []) =>
    Promise.all(Array.from({ length: n }, (_, i) => startRover({ args: ['--fast', ...args(i)] })));
const stopAll = rovers => Promise.all(rovers.map(rover => rover.stop()));

// An inventory of them: r0, r1, …; `groups(i)` puts each into groups.
function inventory(rovers, groups = () => 'all') {
    return samples.write('robots.ini', rovers.map((rover, i) =>
        `[robot r${i}]\nhost = ${rover.url}\ngroups = ${groups(i)}\n`).join('\n'));
}

test('fifty rovers, of which one drives, one goes back and one never returns', async () => {
    const rovers = await fleet(50, i => i === 1 ? ['--confirm', '1'] : []);
    const [driver, , lost] = rovers;
    for (const other of rovers.slice(1))
        os.setPriority(other.child.pid, 10); // one of fifty on a few cores is asked within its second all the same
    const halt = await driver.drive();
    let over = false;
    // The third is cut off for ever as soon as it restarts; the others are confirmed by their owner.
    const cut = (async () => {
        while (!over && !lost.lines.some(line => /restarting/.test(line)))
            await sleep(20);
        lost.child.kill('SIGKILL');
    })();
    const confirm = Promise.all(rovers.slice(3).map(async rover => {
        while (!over && !(await rover.status())?.pending)
            await sleep(150);
        await fetch(`${rover.url}/api/ota/confirm`, { method: 'POST', signal: AbortSignal.timeout(5000),
            headers: { 'Content-Type': 'application/json' } }).catch(() => null);
    }));
    const junit = path.join(samples.folder, 'report.xml');
    try {
        const { status, stdout, stderr } = await otapult('push', never, '--inventory', inventory(rovers), '-j', '50',
            '--wait', '20', '--json', '--junit', junit);
        const came = outcomes(stdout);
        assert.deepEqual([came.r0, came.r1, came.r2], ['refused', 'rolled_back', 'not_back'], stderr);
        for (let i = 3; i < 50; i++)
            assert.equal(came[`r${i}`], 'confirmed', `r${i}`);
        assert.equal(status, 5);
        assert.equal(lines(stdout).find(l => l.robot === 'r0').code, 'not_ready');
        assert.match(lines(stdout).find(l => l.robot === 'r1').detail, /^rejected: /);
        assert.deepEqual(lines(stdout).at(-1), { success: false, robots: 50, proved: 47, stopped: null });
        const xml = fs.readFileSync(junit, 'utf8');
        assert.match(xml, /tests="50" failures="3" skipped="0"/);
        assert.equal(xml.match(/<testcase /g).length, 50);
    } finally {
        over = true;
        await Promise.all([halt(), cut, confirm]);
        lost.ended.then(() => fs.rmSync(lost.folder, { recursive: true, force: true }));
        await stopAll(rovers.filter(rover => rover !== lost));
    }
});

describe('four rovers', () => {
    let rovers, ini;
    before(async () => { rovers = await fleet(4); ini = inventory(rovers, i => i < 2 ? 'hall, first' : 'hall'); });
    after(() => stopAll(rovers));
    const boots = async () => (await Promise.all(rovers.map(rover => rover.status()))).map(status => status.boot);

    test('a canary that goes back stops the roll-out before the others are touched', async () => {
        const before = await boots();
        const { status, stdout } = await otapult('push', bad, '-i', ini, '--canary', '1', '--json');
        assert.equal(status, 5);
        assert.deepEqual(Object.values(outcomes(stdout)), ['rolled_back', 'not_started', 'not_started', 'not_started']);
        assert.match(lines(stdout).at(-1).stopped, /^a canary failed: r0$/);
        assert.deepEqual((await boots()).slice(1), before.slice(1));
        const table = await otapult('push', bad, '-i', ini, '--canary', '1');
        assert.match(table.stdout, /^r0 \(rover\) +refused: .*was tried on this device before.*\n(r\d[ ()a-z]* +not begun: a canary failed: r0\n){3}0 of 4 proved; stopped: /);
    });

    test('failures stop it, too; running ones finish', async () => {
        const { stdout } = await otapult('push', bad, '-i', ini, '-j', '2', '--max-failures', '1', '--json');
        const came = Object.values(outcomes(stdout));
        assert.ok(came.filter(word => word === 'rolled_back').length <= 2);
        assert.ok(came.filter(word => word === 'not_started').length >= 2);
    });

    test('an offline robot is skipped and named, and no canary', async () => {
        const gone = await startRover();
        const address = host(gone);
        await gone.stop();
        const { status, stdout } = await otapult('push', v2, address, '@first', '-i', ini, '--canary', '1', '--json');
        const came = outcomes(stdout);
        assert.equal(came[address], 'offline');
        assert.deepEqual([came.r0, came.r1, came.r2], ['confirmed', 'confirmed', undefined]);
        assert.equal(status, 3);
    });

    test('all of an inventory: named, or as @all of the usual one; a verb alone asks which robot', async () => {
        const everybody = ['r0', 'r1', 'r2', 'r3'], usual = path.join(env.XDG_CONFIG_HOME, 'otapult/robots.ini');
        const asked = async (...args) => lines((await otapult('status', '--json', ...args)).stdout).map(line => line.robot);
        assert.deepEqual(await asked('-i', ini), everybody);
        fs.mkdirSync(path.dirname(usual), { recursive: true });
        fs.copyFileSync(ini, usual);
        try {
            assert.deepEqual(await asked('@all'), everybody);
            assert.deepEqual(await asked('@first'), ['r0', 'r1']);
            const alone = await otapult('status');
            assert.equal(alone.status, 2);
            assert.match(alone.stderr, /which robot\? Name one, or @all of the inventory, or use --inventory FILE or --discover/);
        } finally {
            fs.rmSync(usual);
        }
    });

    test('a group that nobody is in, a file that is no inventory', async () => {
        assert.equal((await otapult('status', '@nobody', '-i', ini)).status, 2);
        for (const text of ['[robot x]\nfoo = bar\n', '[thing]\nhost = a\n', 'no ini', '[robot x]\ntimeout = never\n'])
            assert.equal((await otapult('status', '-i', samples.write('wrong.ini', text))).status, 2, text);
        assert.equal((await otapult('status', '-i', `${samples.folder}/absent.ini`)).status, 1);
    });

    test('killed in the middle, it goes on with those that are not done', async () => {
        const state = path.join(samples.folder, 'state.json');
        const before = await boots();
        const child = spawn(OTAPULT, ['push', never, '-i', ini, '-j', '1', '--resume', state], { env, stdio: 'ignore' });
        await rovers[0].waitFor('its trial', status => status.boot > before[0] && status.pending);
        await otapult('confirm', rovers[0].url);
        await rovers[1].waitFor('its trial', status => status.boot > before[1] && status.pending);
        child.kill('SIGKILL');
        assert.equal(JSON.parse(fs.readFileSync(state, 'utf8')).robots.r0, 'confirmed');
        for (const rover of rovers.slice(1))
            rover.waitFor('its trial', status => status.pending)
                .then(() => otapult('confirm', rover.url), () => {});
        const done = await boots();
        const again = await otapult('push', never, '-i', ini, '--resume', state, '--json');
        assert.equal(again.status, 0, again.stdout);
        assert.equal(outcomes(again.stdout).r0, undefined, 'it was done');
        assert.deepEqual(lines(again.stdout).at(-1).proved, 4);
        assert.equal((await boots())[0], done[0]);
        const other = await otapult('push', v2, '-i', ini, '--resume', state);
        assert.equal(other.status, 2);
        assert.match(other.stderr, /of another firmware file/);
    });

    test('on a terminal: a line a robot that moves, colours, unless NO_COLOR', async () => {
        const tty = extra => run('script', ['-qec', `${OTAPULT} push ${v2} -i ${ini}`, '/dev/null'],
            { env: { ...env, TERM: 'xterm', ...extra } });
        const { stdout, status } = await tty({});
        assert.equal(status, 0, stdout);
        assert.match(stdout, /\x1b\[\d+A\x1b\[J/);
        assert.match(stdout, /r0 \(rover\) +\x1b\[32mconfirmed 2\.0\.0 \([0-9a-f]{8}\)\x1b\[0m/);
        const plain = await tty({ NO_COLOR: '1' });
        assert.doesNotMatch(plain.stdout, /\x1b\[3\dm/);
        const piped = await otapult('push', v2, '-i', ini);
        assert.doesNotMatch(piped.stdout + piped.stderr, /\x1b/);
        assert.equal((await otapult('push', v2, '-i', ini, '--quiet')).stderr, '');
    });
});

// A robot whose link and whose form of upload are this test's.
async function startDevice({ accepts, forgets = [] }) {
    const device = { boot: 1, build: '0a1b2c3d', version: '1.0.0', body: Buffer.alloc(0), offers: 0 };
    const image = () => ({ project: 'rover', version: device.version, build: device.build });
    const status = () => statusOf({
        boot: device.boot, slots: [{ label: 'app0', size: 6553600, state: 'valid', running: true, image: image() }],
        limits: { chip: 'ESP32-S3', slot_size: 6553600, stall_ms: 1, ...(accepts ? { accepts } : {}) },
    });
    const take = body => {
        device.body = body;
        const plain = body[0] === 0x1f ? zlib.gunzipSync(body) : body;
        const text = at => plain.subarray(at, at + 32).toString('latin1').replace(/\0.*$/s, '');
        const image = { project: text(0x50), version: text(0x30), build: plain.toString('hex', 0xb0, 0xb4) };
        return image;
    };
    const boot = image => Object.assign(device, { boot: device.boot + 1, version: image.version, build: image.build });
    const server = await startStranger((request, body) => {
        const { method, url } = request;
        if (url === '/api/ota/status')
            return json(status());
        if (url.startsWith('/api/ota/uploads'))
            return { status: 404 };
        if (url.startsWith('/api/ota/upload') && method === 'POST') {
            const image = take(body);
            const fault = forgets[device.offers++]; // 'answer': it takes the file, 'file': it does not
            if (fault === 'file')
                return { cut: true };
            boot(image);
            return fault === 'answer' ? { cut: true } : json({ success: true, message: 'ok' });
        }
        return { status: 404 };
    });
    return Object.assign(device, { server, address: server.url, stop: server.stop });
}

describe('forms and links', () => {
    test('gzip where the robot takes it, plain where it does not', async () => {
        const file = await samples.make('flat.bin', { version: '2.5.0', seed: 25 });
        for (const [accepts, gzip] of [[['plain', 'gzip'], true], [['plain'], false], [undefined, false]]) {
            const device = await startDevice({ accepts });
            const { status, stdout } = await otapult('push', file, device.address, '--json');
            assert.equal(status, 0, stdout);
            assert.equal(lines(stdout)[0].form, gzip ? 'gzip' : 'plain');
            const sent = device.body[0] === 0x1f ? zlib.gunzipSync(device.body) : device.body;
            assert.deepEqual(sent, fs.readFileSync(file));
            await device.stop();
        }
    });

    // The same firmware a day later: another build id and version, a few bytes of code.
    function revise(file, name, version, build) {
        const bytes = Buffer.from(fs.readFileSync(file));
        bytes.fill(0, 0x30, 0x50).write(version, 0x30, 'latin1');
        bytes.write(build, 0xb0, 'hex');
        bytes.fill(0x5a, 40000, 40016);
        let at = 24, sum = 0xef;
        for (let i = 0; i < bytes[1]; i++) {
            const size = bytes.readUInt32LE(at + 4);
            for (const byte of bytes.subarray(at + 8, at + 8 + size))
                sum ^= byte;
            at += 8 + size;
        }
        const end = (at + 16) & ~15;
        bytes[end - 1] = sum;
        createHash('sha256').update(bytes.subarray(0, end)).digest().copy(bytes, end);
        return samples.write(name, bytes);
    }

    test('a patch from the build that runs, found among the builds; the whole file for who runs another', async () => {
        const builds = path.join(samples.folder, 'builds');
        fs.mkdirSync(builds);
        const old = await samples.make('builds/old.bin', { version: '5.0.0', seed: 50 });
        await samples.make('builds/older.bin', { version: '4.9.0', seed: 49 });
        const next = revise(old, 'next.bin', '5.1.0', 'cafe0051');
        const [one, other] = await fleet(2);
        try {
            assert.equal((await otapult('push', old, one.url)).status, 0);
            const { status, stdout } = await otapult('push', next, one.url, other.url, '--builds', builds, '--json');
            assert.equal(status, 0, stdout);
            const form = url => lines(stdout).find(line => line.robot === url);
            assert.equal(form(one.url).form, 'patch');
            assert.ok(form(one.url).sent < 2000, `${form(one.url).sent} bytes`);
            assert.notEqual(form(other.url).form, 'patch');
            assert.deepEqual([form(one.url).outcome, form(other.url).outcome], ['confirmed', 'confirmed']);
        } finally {
            await stopAll([one, other]);
        }
    });

    // The build is a pipe of the shell, so the patch is made when the test wants it.
    test('while a patch is made the other robots are served', async () => {
        const builds = path.join(samples.folder, 'slow-builds'), pipe = path.join(samples.folder, 'slow');
        fs.mkdirSync(builds);
        fs.symlinkSync('/dev/fd/3', path.join(builds, 'old.bin'));
        assert.equal((await run('mkfifo', [pipe])).status, 0);
        const old = await samples.make('slow.bin', { version: '5.0.0', seed: 50 });
        const next = revise(old, 'next-slow.bin', '5.1.0', 'cafe0051');
        const image = fs.readFileSync(old);
        const patched = await startStranger(request => request.url !== '/api/ota/status' ? { status: 404 } : json(statusOf({
            limits: { chip: 'ESP32-S3', slot_size: 6553600, accepts: ['gzip', 'patch'] }, slots: [{ label: 'app0', size: 6553600, state: 'valid', running: true, image:
                { project: 'rover', version: '5.0.0', build: image.subarray(0xb0, 0xb4).toString('hex') } }] })));
        const other = await startStranger(request => request.method === 'POST' ? { body: 'Update successful!' }
            : request.url === '/json/info' ? json({ brand: 'WLED' }) : { status: 404 });
        const child = spawn('bash', ['-c', 'exec "$@" 3< <(cat "$0")', pipe, OTAPULT, 'push', next, patched.url, other.url,
            '--builds', builds, '--json'], { env });
        let out = '';
        child.stdout.on('data', data => { out += data; });
        const ended = new Promise(resolve => child.on('close', resolve));
        try {
            for (let i = 0; i < 600 && !out.includes('unproved'); i++)
                await sleep(50);
            assert.equal(lines(out)[0]?.robot, other.url, out);
            assert.equal(lines(out)[0].outcome, 'unproved');
            assert.ok(!patched.requests.some(request => request.method === 'POST'));
            fs.writeFileSync(pipe, image);
            await ended;
            assert.equal(lines(out).find(line => line.robot === patched.url).form, 'patch', out);
        } finally {
            child.kill();
            await ended;
            await Promise.all([patched.stop(), other.stop()]);
        }
    });

    test('a patch itself: for its base alone, refused here for all others', async () => {
        const old = await samples.make('old.bin', { version: '5.0.0', seed: 50 });
        const next = revise(old, 'later.bin', '5.2.0', 'cafe0052');
        const patch = path.join(samples.folder, 'later.patch');
        assert.equal((await otapult('patch', old, next, '--out', patch)).status, 0);
        const rover = await startRover();
        try {
            const before = await rover.status();
            const refused = await otapult('push', patch, rover.url, '--json');
            assert.equal(refused.status, 1);
            assert.deepEqual([lines(refused.stdout)[0].outcome, lines(refused.stdout)[0].code], ['unfit', 'patch_wrong_base']);
            assert.deepEqual((await rover.status()).last, before.last);
            const wrong = await otapult('check', patch, '--device', rover.url, '--json');
            assert.deepEqual([wrong.status, lines(wrong.stdout)[0].code], [1, 'patch_wrong_base']);
            assert.equal((await otapult('push', old, rover.url)).status, 0);
            const right = await otapult('check', patch, '--device', rover.url);
            assert.deepEqual([right.status, right.stdout.includes('for robots that run 5.0.0 (')], [0, true], right.stderr);
            const { status, stdout } = await otapult('push', patch, rover.url);
            assert.equal(status, 0, stdout);
            assert.match(stdout, /confirmed 5\.2\.0 \(cafe0052\)/);
        } finally {
            await rover.stop();
        }
    });

    test('a link that breaks once costs a second try', async () => {
        const rover = await startRover();
        const proxy = await startProxy(rover.url, { cutAfter: 100000 });
        const mend = setInterval(() => { if (proxy.fired) proxy.fault = {}; }, 20);
        const { status, stdout } = await otapult('push', v2, proxy.url);
        clearInterval(mend);
        assert.ok(proxy.fired);
        assert.equal(status, 0, stdout);
        assert.match(stdout, /confirmed 2\.0\.0/);
        await rover.stop();
    });

    test('one that breaks each time is given up, and what the robot runs is said', async () => {
        const device = await startDevice({}); // which keeps nothing of a broken upload
        const proxy = await startProxy(device.address, { cutAfter: 100000 });
        const large = await samples.make('large.bin', { version: '2.0.0', seed: 2, size: 6000000 }); // no buffer holds it
        const { status, stdout } = await otapult('push', large, proxy.url, '--json');
        assert.equal(status, 3);
        const [robot] = lines(stdout);
        assert.deepEqual([robot.outcome, robot.code], ['lost', 'connection_lost']);
        assert.match(robot.detail, /\d+ of 6000000 bytes were sent; it keeps what it runs/);
        assert.deepEqual([device.version, device.offers], ['1.0.0', 0]);
        await device.stop();
    });

    // A robot whose link ends in each piece, and what it says that it has then: from where it was sent the rest, how
    // often it was asked, and the outcome. (libcurl by itself begins once more on a connection that was kept.)
    async function cutEachTime(has) {
        const began = new Set();
        let asked = 0;
        const robot = await startStranger(tusRobot(request => {
            if (request.method === 'POST')
                return created;
            if (request.method === 'HEAD')
                return safeAt(200, has[Math.min(asked++, has.length - 1)]);
            began.add(Number(request.headers['upload-offset']));
            return asked < has.length ? { cut: true } : json({ code: 'upload_ended', error: 'Upload failed' }, 400);
        }));
        const { stdout } = await otapult('push', v2, robot.url, '--json');
        await robot.stop();
        return { began: [...began], asked, robot: lines(stdout)[0] };
    }

    test('one that breaks after each piece is not given up while pieces arrive', async () => {
        const has = [4096, 8192, 12288, 16384, 20480, 24576];
        const { began, robot } = await cutEachTime(has);
        assert.deepEqual(began, [0, ...has]);
        assert.equal(robot.code, 'upload_ended'); // the end of this robot's part
    });

    test('it is given up where nothing arrives, or the robot loses it again', async () => {
        for (const has of [Array(20).fill(4096), Array.from({ length: 20 }, (_, i) => i % 2 ? 0 : 4096)]) {
            const { asked, robot } = await cutEachTime(has);
            assert.equal(asked, 4);
            assert.deepEqual([robot.outcome, robot.code], ['lost', 'connection_lost']);
        }
    });

    test('the answer is lost: the robot is asked, and nothing is sent twice for nothing', async () => {
        for (const [forgets, offers] of [[['answer'], 1], [['file'], 2], [['file', 'answer'], 2]]) {
            const device = await startDevice({ forgets });
            const { status, stdout } = await otapult('push', v2, device.address);
            assert.equal(status, 0, stdout);
            assert.equal(device.offers, offers);
            await device.stop();
        }
        const never = await startDevice({ forgets: Array(9).fill('file') });
        const { status, stdout } = await otapult('push', v2, never.address, '--json');
        assert.deepEqual([status, lines(stdout)[0].outcome], [3, 'lost']);
        assert.ok(never.offers < 6);
        await never.stop();
    });

    test('resumable where the robot has it, and only what is missing after a cut', async () => {
        const rover = await startRover();
        const proxy = await startProxy(rover.url, { cutAfter: 100000, reset: true });
        const file = await samples.make('long.bin', { version: '2.7.0', seed: 27, size: 400000 });
        setTimeout(() => { proxy.fault.cutAfter = Infinity; }, 500);
        const { status, stdout } = await otapult('push', file, proxy.url, '--json');
        assert.equal(status, 0, stdout);
        assert.equal(outcomes(stdout)[proxy.url], 'confirmed');
        const { entries } = await (await fetch(`${rover.url}/api/ota/log`)).json();
        assert.deepEqual(entries.map(e => e.event), ['confirmed', 'activated']); // one update
        await rover.stop();
    });

    test('a robot that loses its power in the middle is updated all the same, and not said to have gone back', async () => {
        const file = await samples.make('noise.bin', { version: '2.8.0', seed: 28, size: 1200000 }); // which nothing packs
        const rover = await startRover({ args: [] }); // with the flash delays of a board
        try {
            const pushed = otapult('push', file, rover.url, '--json');
            await rover.waitFor('the middle of the file', s => s.received > 400000);
            rover.child.kill('SIGUSR1');
            const { status, stdout } = await pushed;
            assert.equal(status, 0, stdout);
            assert.equal(outcomes(stdout)[rover.url], 'confirmed');
            const { entries } = await (await fetch(`${rover.url}/api/ota/log`)).json();
            assert.deepEqual(entries.map(e => e.event), ['confirmed', 'activated']);
            assert.equal((await rover.status()).boot, 3);
        } finally {
            await rover.stop();
        }
    });

    test('a robot by several names is one robot, beside itself and after itself', async () => {
        const file = await samples.make('slow-noise.bin', { version: '2.9.0', seed: 29, size: 900000 });
        for (const [jobs, args] of [['4', []], ['1', ['--fast']]]) {
            const rover = await startRover({ args });
            const { port } = new URL(rover.url);
            const names = [rover.url, `127.0.0.1:${port}`, `localhost:${port}`];
            try {
                const { status, stdout, stderr } = await otapult('push', file, ...names, '-j', jobs, '--json');
                assert.equal(status, 0, stdout + stderr);
                const came = outcomes(stdout);
                assert.deepEqual(Object.values(came).sort(), ['confirmed', 'same', 'same']);
                const sent = names.find(name => came[name] === 'confirmed');
                for (const line of lines(stdout).filter(line => line.outcome === 'same'))
                    assert.deepEqual([line.detail, line.sent, line.proved], [sent, 0, false]);
                assert.deepEqual(lines(stdout).at(-1), { success: true, robots: 1, proved: 1, stopped: null });
                assert.equal((await rover.status()).boot, 2);
            } finally {
                await rover.stop();
            }
        }
    });

    test('staged everywhere, then booted together', async () => {
        const rovers = await fleet(3);
        const robots = rovers.map(host);
        const states = () => Promise.all(rovers.map(rover => rover.status()));
        try {
            const early = await otapult('activate', ...robots, '--json');
            assert.equal(early.status, 1);
            assert.equal(lines(early.stdout)[0].code, 'nothing_staged');
            const staged = await otapult('push', v2, ...robots, '--stage', '--json');
            assert.equal(staged.status, 0, staged.stdout);
            assert.deepEqual(Object.values(outcomes(staged.stdout)), ['staged', 'staged', 'staged']);
            for (const status of await states()) {
                assert.deepEqual([status.boot, status.staged.slot, status.staged.image.version], [1, 'app1', '2.0.0']);
                assert.equal(status.staged.sha256, createHash('sha256').update(fs.readFileSync(v2)).digest('hex'));
            }
            const { status, stdout } = await otapult('activate', ...robots, '--json');
            assert.equal(status, 0, stdout);
            assert.deepEqual(Object.values(outcomes(stdout)), ['confirmed', 'confirmed', 'confirmed']);
            for (const status of await states())
                assert.deepEqual([status.boot, status.staged, status.running], [2, null, 'app1']);
        } finally {
            await stopAll(rovers);
        }
        const old = await startDevice({});
        const refused = await otapult('push', v2, old.address, '--stage', '--json');
        assert.deepEqual([refused.status, lines(refused.stdout)[0].code], [1, 'cannot_stage']);
        assert.equal(old.offers, 0);
        await old.stop();
    });
});
