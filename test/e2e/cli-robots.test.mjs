// SPDX-License-Identifier: Apache-2.0
// The otapult command towards robots: real virtual rovers, open and secure, and strangers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';
import { created, hostile, json, safeAt, startNoise, startStranger, statusOf, tusRobot } from './support/stranger.mjs';

const OTAPULT = program('otapult', 'OTAPULT');
const samples = new Samples();
const config = path.join(samples.folder, 'config');
const otapult = (args, env = {}, options = {}) => run(OTAPULT, args, {
    env: { PATH: process.env.PATH, HOME: samples.folder, XDG_CONFIG_HOME: config, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', ...env },
    ...options,
});
const lines = text => text.trim().split('\n').map(line => JSON.parse(line));
const address = rover => new URL(rover.url).host;
const readBuild = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);

const signals = (child, set) => parseInt(new RegExp(`^${set}:.*(\\w)$`, 'm').exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1], 16);

let v2, v3;
before(async () => {
    v2 = await samples.make('v2.bin', { version: '2.0.0', seed: 2 });
    v3 = await samples.make('v3.bin', { version: '3.0.0', seed: 3 });
});
after(() => samples.remove());

describe('an open rover', () => {
    let rover;
    before(async () => { rover = await startRover(); });
    after(() => rover.stop());

    test('an address, with and without a scheme; a name; JSON', async () => {
        const { port } = new URL(rover.url);
        for (const name of [address(rover), rover.url, `${rover.url}/`, `localhost:${port}`]) {
            const { status, stdout, stderr } = await otapult(['status', name]);
            assert.equal(status, 0, stderr);
            assert.match(stdout, /^ {2}runs +rover 1\.0\.0, build [0-9a-f]{8}, in app0 \(valid\)$/m);
        }
        const [answer] = lines((await otapult(['status', address(rover), '--json'])).stdout);
        assert.equal(answer.robot, address(rover));
        assert.equal(answer.state, 'idle');
    });

    test('without a port: also at 8080, where a board serves', async () => {
        const host = '127.0.0.77'; // of this test alone
        for (const start of [args => startRover({ args: ['--fast', ...args] }),
            async args => (await startSecureRover({ args })).rover]) {
            const board = await start(['--bind', host, '--port', '8080']);
            try {
                const { status, stdout, stderr } = await otapult(['status', host, '--insecure-first-use'], { XDG_CONFIG_HOME: path.join(samples.folder, 'apart') });
                assert.ok(status === 0 || board.url.startsWith('https') && /login/.test(stderr + stdout), stderr);
                assert.match(stdout + stderr, new RegExp(`${host}:8080`));
            } finally {
                await board.stop();
            }
        }
        const nobody = await otapult(['status', 'http://127.0.0.78']); // a URL says its port
        assert.equal(nobody.status, 3);
        assert.match(nobody.stderr, /refuses the connection/);
    });

    test('push, while it goes back to another firmware: what runs now is not what counts', async () => {
        const board = await startRover({ args: ['--soak', '500'] }); // with the delays of a board
        try {
            assert.equal((await otapult(['push', v2, address(board)])).status, 0);
            for (const [file, version] of [[v2, '2.0.0'], [v3, '3.0.0']]) {
                await fetch(`${board.url}/api/ota/rollback`, { method: 'POST' });
                const { status, stdout, stderr } = await otapult(['push', file, address(board)]);
                assert.equal(status, 0, stderr);
                assert.match(stdout, new RegExp(`confirmed ${version}`));
                await board.waitFor(version, s => s.state === 'idle' && s.slots.find(x => x.running).image.version === version);
            }
        } finally {
            await board.stop();
        }
    });

    test('push: confirmed, already running, rolled back with its reason', async () => {
        const first = await otapult(['push', v2, address(rover)]);
        assert.equal(first.status, 0, first.stderr);
        assert.match(first.stdout, new RegExp(`^${address(rover)} \\(rover\\) +confirmed 2\\.0\\.0 \\([0-9a-f]{8}\\)\n$`));
        const again = await otapult(['push', v2, address(rover)]);
        assert.equal(again.status, 0);
        assert.match(again.stdout, /already running it, 2\.0\.0/);
        const bad = await samples.make('bad.bin', { version: '3.1.0', seed: 31, temper: 'no-network' });
        const back = await otapult(['push', bad, address(rover)]);
        assert.equal(back.status, 5);
        assert.match((await otapult(['status', address(rover)])).stdout, /^ {2}last +rejected 3\.1\.0: health check/m);
        assert.match(back.stdout, /rolled back: rejected: health check "network": no answer/);
        assert.equal((await rover.status()).slots.find(slot => slot.running).image.version, '2.0.0');
    });

    test('it says which robot it is: status, log, watch and push, beside the name that was asked for', async () => {
        const left = await startRover({ args: ['--fast', '--name', 'left-leg'] });
        const called = `${address(left)} (left-leg)`;
        try {
            assert.match((await otapult(['status', address(left)])).stdout, /^ {2}name +left-leg$/m);
            assert.equal((await left.status()).name, 'left-leg');
            const watched = spawn(OTAPULT, ['watch', address(left)], { env: { ...process.env, XDG_CONFIG_HOME: config } });
            const line = await new Promise(resolve => watched.stdout.once('data', data => resolve(String(data))));
            watched.kill('SIGINT');
            assert.ok(line.startsWith(`${called}: idle`), line);
            const several = await otapult(['push', v2, address(left), address(rover)]);
            assert.equal(several.status, 0, several.stderr);
            assert.ok(several.stdout.includes(`${called}  confirmed`), several.stdout);
            assert.ok(several.stderr.includes(`${called}: confirmed`), several.stderr);
            const logs = (await otapult(['log', address(left), address(rover)])).stdout;
            assert.ok(logs.includes(`${called}\n`) && logs.includes(`${address(rover)} (rover)\n`), logs);
            assert.equal(lines((await otapult(['push', v2, address(left), '--json'])).stdout)[0].name, 'left-leg');
            assert.equal(lines((await otapult(['log', address(left), '--json'])).stdout)[0].name, 'left-leg');
        } finally {
            await left.stop();
        }
    });

    test('push and the robot\'s log say of an Arduino build that it has no version of its own', async () => {
        const stub = await startRover();
        try {
            const file = await samples.make('stub.bin', { version: 'esp-idf: v4.4.7', project: 'arduino-lib-builder', seed: 77 });
            const pushed = await otapult(['push', file, address(stub)]);
            assert.equal(pushed.status, 0, pushed.stderr);
            assert.match(pushed.stderr, /warning: .*Arduino build, no version of its own; add OTAPULT_FIRMWARE/);
            assert.ok(stub.lines.some(l => /confirmed Arduino build, no version of its own; add OTAPULT_FIRMWARE build/.test(l)), stub.lines.join('\n'));
            assert.match((await otapult(['status', address(stub)])).stdout, /runs +Arduino build, no version of its own/);
        } finally {
            await stub.stop();
        }
    });

    test('a name that says it already is not said twice', async () => {
        const { port } = new URL(rover.url);
        const { stdout } = await otapult(['push', v2, `rover.local:${port}`, '--timeout', '20']);
        assert.doesNotMatch(stdout, /\(rover\)/);
    });

    test('push --json: one line a robot and a summary', async () => {
        const crash = await samples.make('crash.bin', { version: '3.2.0', seed: 32, temper: 'crash-at-boot' });
        const { status, stdout } = await otapult(['push', crash, address(rover), '--json']);
        assert.equal(status, 5);
        const [robot, all] = lines(stdout);
        assert.deepEqual([robot.outcome, robot.proved, robot.before], ['rolled_back', false, '2.0.0']);
        assert.match(robot.detail, /^crashed/);
        assert.deepEqual(all, { success: false, robots: 1, proved: 0, stopped: null });
    });

    test('a firmware nobody confirms: on trial; confirm; log; rollback; reboot', async () => {
        const never = await samples.make('never.bin', { version: '4.0.0', seed: 4, temper: 'never-confirms' });
        const pushing = otapult(['push', never, address(rover)]);
        await rover.waitFor('its trial', status => status.pending);
        assert.match((await otapult(['status', address(rover)])).stdout, /^ {2}on trial +waits for /m);
        assert.match((await otapult(['confirm', address(rover)])).stdout, /: confirmed; this firmware stays/);
        const pushed = await pushing;
        assert.equal(pushed.status, 0, pushed.stdout);
        assert.match((await otapult(['log', address(rover)])).stdout, /^ {2}boot .* confirmed .*4\.0\.0/m);
        const [log] = lines((await otapult(['log', address(rover), '--json'])).stdout);
        assert.equal(log.entries[0].event, 'confirmed');
        const { boot } = await rover.status();
        assert.equal((await otapult(['rollback', address(rover)])).status, 0);
        await rover.waitFor('the old firmware to stay', status => status.boot > boot && !status.pending);
        const refused = await otapult(['confirm', address(rover), '--json']);
        assert.equal(refused.status, 1);
        assert.equal(lines(refused.stdout)[0].code, 'not_pending');
        assert.equal((await otapult(['reboot', address(rover)])).status, 0);
        await rover.waitForBoot(boot + 2);
    });

    test('push stops at its own check before anything is sent', async () => {
        const chip = await samples.make('chip.bin', { chip: 0 });
        const before = await rover.status();
        for (const [file, words] of [[chip, /built for ESP32, this device is ESP32-S3/],
            [await samples.make('merged.bin', { merged: true }), /a merged image/],
            [samples.write('cut.bin', fs.readFileSync(v2).subarray(0, 9999)), /not complete|missing/]]) {
            const { status, stdout, stderr } = await otapult(['push', file, address(rover)]);
            assert.equal(status, 1);
            assert.match(stdout + stderr, words);
        }
        const now = await rover.status();
        assert.deepEqual([now.boot, now.received, now.last], [before.boot, before.received, before.last]);
    });

    test('check --device: chip, slot and running version are the robot\'s', async () => {
        const device = ['--device', address(rover)];
        const newer = await otapult(['check', await samples.make('newer.bin', { version: '9.0.0' }), ...device, '--json']);
        assert.equal(newer.status, 0, newer.stderr);
        assert.equal(lines(newer.stdout)[0].age, 'newer');
        const older = await otapult(['check', await samples.make('older.bin', { version: '0.1.0' }), ...device, '--json']);
        assert.equal(lines(older.stdout)[0].age, 'older');
        assert.match(older.stderr, /is older than what the robot runs/);
        const chip = await otapult(['check', await samples.make('c3.bin', { chip: 5 }), ...device, '--json']);
        assert.deepEqual([chip.status, lines(chip.stdout)[0].code], [1, 'image_wrong_chip']);
        assert.equal((await otapult(['check', v2, '--device', 'no-such-robot.invalid'])).status, 3);
    });

    test('cancel ends the update that somebody else sends, and says what there is not to be ended', async () => {
        const { host, hostname, port } = new URL(rover.url);
        const image = fs.readFileSync(v2);
        const upload = http.request({ hostname, port, method: 'POST', path: '/api/ota/upload',
            headers: { host, 'Content-Type': 'application/octet-stream', 'Content-Length': image.length } });
        const answer = new Promise((resolve, reject) => upload.on('response', response => {
            let text = '';
            response.on('data', data => { text += data; }).on('end', () => resolve(JSON.parse(text)));
        }).on('error', reject));
        upload.write(image.subarray(0, 100000));
        await rover.waitFor('the update', status => status.state === 'receiving' && status.received > 50000);
        const { status, stdout } = await otapult(['cancel', address(rover)]);
        assert.deepEqual([status, stdout], [0, `${address(rover)}: the running update is ended\n`]);
        assert.equal((await answer).code, 'upload_ended');
        assert.equal((await rover.waitFor('its end', now => now.state === 'idle')).last.code, 'upload_ended');
        const again = await otapult(['cancel', address(rover), '--json']);
        assert.deepEqual([again.status, lines(again.stdout)[0].code], [1, 'no_update']);
        upload.destroy();
    });

    test('watch says what is new, and ends by Ctrl-C', async () => {
        const child = spawn(OTAPULT, ['watch', address(rover)], { env: { ...process.env, XDG_CONFIG_HOME: config } });
        const file = await samples.make('watched.bin', { version: '7.1.0', seed: 71 });
        const before = (await rover.status()).slots.find(slot => slot.running).image.version;
        after(() => child.kill());
        let said = '';
        child.stdout.on('data', data => { said += data; });
        const shows = async words => {
            for (let i = 0; i < 400 && !words.test(said); i++)
                await sleep(50);
            assert.match(said, words);
        };
        await shows(new RegExp(`^\\S+ \\(rover\\): idle, runs ${before.replaceAll('.', '\\.')} \\(`));
        await sleep(2500); // nothing is new: nothing is said
        assert.equal(said.trim().split('\n').length, 1);
        assert.equal((await otapult(['push', file, address(rover)])).status, 0);
        await shows(/: idle, runs 7\.1\.0 \([0-9a-f]{8}\) in app[01]\n/);
        child.kill('SIGINT');
        assert.equal(await new Promise(resolve => child.on('close', resolve)), 130);
        const { boot } = await rover.status();
        await otapult(['rollback', address(rover), '--force']);
        await rover.waitFor('what it went back to, confirmed', s => s.boot > boot && s.state === 'idle' && !s.pending);
    });

    for (const signal of ['SIGINT', 'SIGHUP'])
        test(`Ctrl-C while it is sent to: the robot is free again, and what it was told is said (${signal})`, async () => {
            const slow = await startRover({ args: [] }); // with the flash delays of a board
            const file = await samples.make('noise.bin', { version: '6.1.0', seed: 61, size: 1200000 });
            try {
                const child = spawn(OTAPULT, ['push', file, address(slow)], { env: { ...process.env, XDG_CONFIG_HOME: config } });
                const ended = new Promise(resolve => child.on('close', (status, by) => resolve(status ?? by)));
                let said = '';
                child.stdout.on('data', data => { said += data; });
                await slow.waitFor('the middle of the file', status => status.received > 200000);
                child.kill(signal);
                assert.equal(await ended, 130);
                assert.match(said, /interrupted: while sending; it knows that nothing more comes, and keeps what it runs/);
                const { boot } = await slow.waitFor('its freedom', status => status.state === 'idle' && !status.busy);
                assert.equal(boot, 1);
                assert.equal((await otapult(['push', v2, address(slow)])).status, 0);
            } finally {
                await slow.stop();
            }
        });

    test('a terminal that is closed ends nothing that nohup began', async () => {
        const child = spawn('nohup', [OTAPULT, 'watch', address(rover)], { env: { ...process.env, XDG_CONFIG_HOME: config }, stdio: ['ignore', 'pipe', 'ignore'] });
        await new Promise(resolve => child.stdout.once('data', resolve));
        assert.equal(signals(child, 'SigIgn') & 1, 1);
        child.kill('SIGKILL');
    });

    test('Ctrl-C before anything is sent has its line, too', async () => {
        const child = spawn(OTAPULT, ['push', '-', address(rover), '--json'], { env: { ...process.env, XDG_CONFIG_HOME: config } });
        const ended = new Promise(resolve => child.on('close', (status, by) => resolve(status ?? by)));
        let said = '';
        child.stdout.on('data', data => { said += data; });
        await rover.waitFor('the handler', () => signals(child, 'SigCgt') & 2); // it reads its file, and that does not end
        child.kill('SIGINT');
        assert.equal(await ended, 130);
        assert.equal(lines(said)[0].code, 'file_unreadable');
    });

    test('nobody reads what is said: the robot is not left in the middle', async () => {
        const one = await startRover();
        const file = await samples.make('pipe.bin', { version: '6.2.0', seed: 62, size: 1200000 });
        try {
            const { stdout } = await run('bash', ['-c', '"$0" push "$1" "$2" "$2" 2>&1 | true; echo "${PIPESTATUS[0]}"', OTAPULT, file, address(one)],
                { env: { ...process.env, XDG_CONFIG_HOME: config } });
            assert.equal(stdout, '1\n'); // words could not be written; it did not die of that
            assert.equal((await one.status()).slots.find(slot => slot.running).image.version, '6.2.0');
        } finally {
            await one.stop();
        }
    });

    test('what the caller has closed does not become a connection', async () => {
        const child = spawn('bash', ['-c', 'exec "$0" watch "$1" <&- >&- 2>&-', OTAPULT, address(rover)], { env: { ...process.env, XDG_CONFIG_HOME: config } });
        try {
            await rover.waitFor('itself, which takes the command some time, too', () => fs.readlinkSync(`/proc/${child.pid}/exe`) === fs.realpathSync(OTAPULT));
            await sleep(1000); // it is connected by now
            for (const fd of [0, 1, 2])
                assert.equal(fs.readlinkSync(`/proc/${child.pid}/fd/${fd}`), '/dev/null');
        } finally {
            child.kill('SIGKILL');
        }
    });

    test('Ctrl-C ends in words', async () => {
        const { boot } = await rover.status();
        const child = spawn(OTAPULT, ['push', await samples.make('stay.bin', { version: '6.0.0', seed: 6, temper: 'never-confirms' }),
            address(rover)], { env: { ...process.env, XDG_CONFIG_HOME: config } });
        const ended = new Promise(resolve => child.on('close', resolve));
        let said = '';
        child.stdout.on('data', data => { said += data; });
        await rover.waitFor('its trial', status => status.boot > boot && status.pending);
        await sleep(1500); // the command sees the trial too
        child.kill('SIGINT');
        assert.equal(await ended, 130);
        assert.match(said, /interrupted: it runs the new firmware, on trial; nothing is proved/);
        await otapult(['rollback', address(rover)]);
    });
});

describe('a secure rover', () => {
    let owner;
    before(async () => { owner = await startSecureRover(); });
    after(() => owner.stop());
    const tokens = path.join(config, 'otapult/tokens');

    test('an unknown one is shown, asked for a login, let in, and updated', async () => {
        const name = address(owner);
        const unknown = await otapult(['status', name]);
        assert.equal(unknown.status, 4);
        assert.ok(unknown.stderr.includes(owner.fingerprint));
        const nobody = await otapult(['status', name, '--insecure-first-use', '--json']);
        assert.equal(nobody.status, 4);
        assert.equal(lines(nobody.stdout)[0].code, 'login_required');
        const wrong = await otapult(['login', name], { OTAPULT_PASSWORD: 'wrong-wrong-wrong' });
        assert.equal(wrong.status, 4, wrong.stderr);
        assert.ok(!fs.existsSync(tokens));
        const login = await otapult(['login', name], {}, { input: `${owner.password}\n` });
        assert.equal(login.status, 0, login.stderr);
        assert.equal(fs.statSync(tokens).mode & 0o777, 0o600);
        const status = await otapult(['status', name]);
        assert.equal(status.status, 0, status.stderr);
        assert.match(status.stdout, /^ {2}signature {4}enforced, keys [0-9a-f]{8}$/m);
        const unsigned = await otapult(['push', v2, name, '--json']);
        assert.equal(unsigned.status, 1);
        assert.equal(lines(unsigned.stdout)[0].code, 'signature_missing');
        const signed = owner.signFile(await samples.make('signed.bin', { version: '2.0.0', seed: 2 }));
        const pushed = await otapult(['push', signed, name]);
        assert.equal(pushed.status, 0, pushed.stdout + pushed.stderr);
        assert.match(pushed.stdout, /confirmed 2\.0\.0/);
    });

    test('secrets: not in --verbose, not in the process list, not from a file of everybody', async () => {
        const token = fs.readFileSync(tokens, 'utf8').trim().split(' ')[1];
        const { stderr } = await otapult(['status', address(owner), '--verbose']);
        assert.match(stderr, /Authorization: \(not shown\)/);
        assert.ok(!stderr.includes(token));
        const held = await startStranger(() => null);
        try {
            const child = spawn(OTAPULT, ['status', held.url, '--token', token, '--timeout', '1']);
            while (held.requests.length === 0)
                await sleep(20);
            const line = fs.readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
            assert.ok(line.includes('--token') && !line.includes(token), line);
            assert.equal(held.requests[0].headers.authorization, undefined, 'a token goes through TLS only');
            await new Promise(resolve => child.on('close', resolve));
        } finally {
            await held.stop();
        }
        fs.chmodSync(tokens, 0o644);
        const open = await otapult(['status', address(owner)]);
        assert.equal(open.status, 4);
        assert.match(open.stderr, /may be read by others/);
        fs.chmodSync(tokens, 0o600);
        const kept = samples.write('kept', `${token}\n`);
        const robots = samples.write('kept.ini', `[robot r]\nhost = ${address(owner)}\ntoken_file = ${kept}\n`);
        for (const [mode, status] of [[0o600, 0], [0o640, 4], [0o604, 4]]) {
            fs.chmodSync(kept, mode);
            const { status: ended, stderr } = await otapult(['status', '--inventory', robots, 'r']);
            assert.equal(ended, status, stderr);
            assert.equal(stderr.includes(kept) && /may be read by others/.test(stderr), status !== 0, stderr);
        }
        for (const given of [`@${samples.write('token', `${token}\n`)}`, token])
            assert.equal((await otapult(['status', address(owner), '--token', given])).status, 0);
        assert.equal((await otapult(['status', address(owner), '--token', '-'], {}, { input: `${token}\n` })).status, 0);
    });

    test('another key at the same address: every verb refuses, nothing is sent', async () => {
        const known = path.join(config, 'otapult/known_devices');
        const right = fs.readFileSync(known, 'utf8');
        fs.writeFileSync(known, right.replace(/sha256\/\/..../, 'sha256//AAAA'));
        for (const args of [['status'], ['push', v2], ['confirm'], ['log']]) {
            const result = await otapult([...args, address(owner), '--insecure-first-use']);
            assert.equal(result.status, 4, args[0]);
            assert.match(result.stdout + result.stderr, /THIS IS NOT THE DEVICE OF LAST TIME/);
        }
        fs.writeFileSync(known, right);
    });
});

describe('nobody, and strangers', () => {
    test('each network error has its code and its remedy', async () => {
        const closed = await startNoise('');
        await closed.stop();
        for (const [name, code] of [[closed.address, 'connection_refused'], ['no-such-robot.invalid', 'name_unknown']]) {
            const result = await otapult(['status', name, '--json', '--timeout', '2']);
            assert.equal(result.status, 3, name);
            const [said] = lines(result.stdout);
            assert.deepEqual([said.success, said.code], [false, code]);
            assert.ok(said.hint.length > 10);
        }
        const silent = await startStranger(() => null);
        const result = await otapult(['status', silent.url, '--json', '--timeout', '1']);
        await silent.stop();
        assert.equal(lines(result.stdout)[0].code, 'no_answer');
    });

    test('what is no address is wrong usage', async () => {
        for (const name of ['ftp://robot', 'http://', 'a b', 'http://robot/path', 'robot:99999', 'https://admin:pw@robot'])
            assert.equal((await otapult(['status', name])).status, 2, name);
        assert.doesNotMatch((await otapult(['status', 'https://admin:secretword@robot'])).stdout, /secretword/);
    });

    const nonsense = {
        'a web page': { body: '<html>hello</html>' },
        'an empty object': json({}),
        'a list': json([]),
        'a number': json(7),
        'half of JSON': { body: '{"state":"idle"' },
        'nested deep': { body: '['.repeat(5000) },
        'a status without its fields': json({ state: 'idle', open: true }),
        'fields of other types': json(statusOf({ slots: 'none', boot: 'x' })),
        'not found': { status: 404, body: 'no' },
        'an error of its own': { status: 500, body: 'oops' },
        'a megabyte': { body: 'x'.repeat(1 << 20) },
        'NULs': { body: '\0'.repeat(100) },
    };
    for (const [name, answer] of Object.entries(nonsense))
        test(`not an Otapult device: ${name}`, async () => {
            const stranger = await startStranger(() => answer);
            try {
                for (const args of [['status'], ['push', v2], ['confirm']]) {
                    const result = await otapult([...args, stranger.address, '--json']);
                    assert.equal(result.status, 4, result.stdout + result.stderr);
                    assert.equal(lines(result.stdout)[0].code, 'not_otapult');
                }
                assert.ok(stranger.requests.every(request => request.method === 'GET'), 'nothing was sent to it');
            } finally {
                await stranger.stop();
            }
        });

    for (const status of [413, 429, 502, 503, 504])
        test(`a proxy in front that answers ${status} itself is not taken for the robot`, async () => {
            const page = { status, body: '<html>nginx</html>' };
            const proxy = await startStranger(request => request.method === 'GET' && status === 413 ? json(statusOf()) : page);
            try {
                const { status: exit, stdout } = await otapult(['push', v2, proxy.address, '--json']);
                const [line] = lines(stdout);
                assert.equal(line.code, 'proxy_answers', stdout);
                assert.equal(exit, status === 413 ? 1 : 3); // the robot was there, the upload was refused
                assert.match(line.detail, new RegExp(String(status)));
                assert.match(line.hint, /client_max_body_size/);
            } finally {
                await proxy.stop();
            }
        });

    test('what a proxy says once while it does not get through ends no upload', async () => {
        const firmware = fs.readFileSync(v2);
        for (const status of [429, 502, 503, 504]) {
            const failed = new Set();
            let safe = 0;
            const robot = await startStranger(tusRobot((request, body) => {
                const what = request.method + (request.method === 'PATCH' ? request.headers['upload-offset'] : '');
                if (!failed.has(what)) {
                    failed.add(what);
                    return { status, body: '<html>nobody there</html>' };
                }
                if (request.method === 'POST')
                    return created;
                if (request.method === 'HEAD')
                    return safeAt(200, safe);
                safe += body.length;
                return safe < firmware.length ? safeAt(204, safe) : json({ success: true, already: true });
            }));
            try {
                const { stdout, stderr } = await otapult(['push', v2, robot.address, '--json']);
                assert.ok(failed.has('POST') && failed.has('PATCH0'), [...failed].join() + stderr);
                assert.equal(safe, firmware.length, stdout + stderr);
                assert.equal(lines(stdout)[0].outcome, 'already', stdout);
            } finally {
                await robot.stop();
            }
        }
    });

    test('a link that breaks while the robot verifies: it is asked until it has done so', async () => {
        const firmware = fs.readFileSync(v2);
        let busy = 0;
        const robot = await startStranger(tusRobot((request, body) => {
            if (request.method === 'POST')
                return created;
            if (request.method === 'HEAD')
                return safeAt(200, firmware.length);
            if (body.length > 0)
                return { cut: true };
            return ++busy < 3 ? json({ success: false, code: 'busy', error: 'Update.begin() failed', detail: 'an update is verified', hint: 'Wait.' }, 409)
                : json({ success: true, already: true });
        }));
        try {
            const { status, stdout, stderr } = await otapult(['push', v2, robot.address, '--json']);
            assert.equal(lines(stdout)[0].outcome, 'already', stdout + stderr);
            assert.equal(status, 0);
            assert.equal(busy, 3);
        } finally {
            await robot.stop();
        }
    });

    test('an answer that ends within its head is a broken connection', async () => {
        for (const cut of ['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\n', 'HTTP/1.1 100 Continue\r\n\r\n']) {
            const robot = await startStranger(() => ({ cut }));
            try {
                const { status, stdout } = await otapult(['status', robot.url, '--json']);
                assert.equal(lines(stdout)[0].code, 'connection_lost', cut + stdout);
                assert.equal(status, 3, cut);
            } finally {
                await robot.stop();
            }
        }
    });

    test('an order whose answer is lost goes out once, and is said to be what it is', async () => {
        for (const cut of [true, 'HTTP/1.1 200 OK\r\n'])
            for (const [args, doing] of [[['rollback'], 'rollback'], [['rollback'], 'restart'], [['reboot'], 'restart'],
                [['confirm']], [['cancel']], [['offer', '--skip']]]) {
                let told = 0;
                const robot = await startStranger(request => {
                    told += request.method === 'POST';
                    return request.method === 'POST' ? { cut } : json(statusOf(told && doing ? { state: 'rebooting', busy: { for: doing } } : {}));
                });
                try {
                    const { status, stdout, stderr } = await otapult([...args, robot.url, '--json']);
                    const [said] = lines(stdout);
                    assert.equal(told, 1, args[0] + stdout);
                    const done = ['rollback rollback', 'reboot restart'].includes(`${args[0]} ${doing}`);
                    assert.equal(done ? said.success : said.code, done || 'answer_lost', args[0] + stdout + stderr);
                    assert.equal(status, done ? 0 : 3, args[0]);
                } finally {
                    await robot.stop();
                }
            }
    });

    const refusal = { success: false, code: 'build_rejected_before', error: 'Update refused', detail: 'd', hint: 'h' };
    const gone = json({ success: false, code: 'no_such_upload', error: 'e', detail: 'd', hint: 'h' }, 404);
    for (const [what, first] of [['lost', { cut: true }], ['lost within its head', { cut: 'HTTP/1.1 409 Conflict\r\n' }], ['lost on the way, and a proxy asks again', gone]])
        test(`push: a refusal whose answer is ${what}: its reason is said`, async () => {
            let patches = 0, creations = 0;
            const robot = await startStranger(tusRobot(request => {
                if (request.method === 'POST')
                    return ++creations === 1 ? created : json(refusal, 409);
                return request.method === 'PATCH' && ++patches === 1 ? first : gone;
            }));
            try {
                const { status, stdout } = await otapult(['push', v2, robot.address, '--json']);
                assert.deepEqual([lines(stdout)[0].outcome, lines(stdout)[0].code], ['refused', 'build_rejected_before'], stdout);
                assert.equal(status, 1);
                const ids = robot.requests.filter(request => request.method === 'POST').map(request => request.url);
                assert.equal(ids[0], ids[1]);
            } finally {
                await robot.stop();
            }
        });

    const empty = { 'a web page': { body: '<html>ok</html>' }, 'its status once more': json(statusOf()),
        'an object': json({}), 'a no': json({ success: false }), 'nothing': { status: 204 } };
    for (const [name, answer] of Object.entries(empty))
        test(`${name} is no answer to an order or a question`, async () => {
            const stranger = await startStranger(request => request.url === '/api/ota/status' ? json(statusOf()) : answer);
            try {
                for (const args of [['confirm'], ['rollback'], ['reboot'], ['cancel'], ['log'], ['offer', '--skip'],
                    ...name === 'its status once more' ? [] : [['offer']]]) {
                    const { status, stdout, stderr } = await otapult([...args, stranger.address, '--json']);
                    assert.equal(status, 4, args[0] + stdout + stderr);
                    assert.deepEqual(lines(stdout).map(line => line.code), ['not_otapult'], args[0]);
                }
            } finally {
                await stranger.stop();
            }
        });

    // The network may give the robot's address to another one while it restarts.
    for (const [what, other] of [['name', { name: 'kitchen', boot: 70 }], ['chip', { limits: { chip: 'ESP32-C3', slot_size: 6553600 } }]])
        test(`another robot answers in its place, with another ${what}: it is no proof`, async () => {
            const build = readBuild(v2);
            let sent = false;
            const after = statusOf({ name: 'hall', boot: 2, running: 'app1', slots: [{ label: 'app1', size: 6553600,
                state: 'valid', running: true, image: { project: 'rover', version: '2.0.0', build } }], ...other });
            const robot = await startStranger(request => {
                if (request.url === '/api/ota/status')
                    return json(sent ? after : statusOf({ name: 'hall' }));
                sent ||= request.method === 'POST';
                return request.method === 'POST' ? json({ success: true }) : { status: 404 };
            });
            try {
                const { status, stdout } = await otapult(['push', v2, robot.address, '--json', '--wait', '2']);
                assert.equal(status, 4, stdout);
                assert.equal(lines(stdout)[0].outcome, 'stranger');
                assert.equal(lines(stdout)[0].code, 'other_robot');
                after.name = 'parlour'; // as its new firmware calls it: the boots go on
                Object.assign(after, { boot: 2, limits: statusOf().limits });
                sent = false;
                assert.equal((await otapult(['push', v2, robot.address, '--wait', '2'])).status, 0);
            } finally {
                await robot.stop();
            }
        });

    test('a robot that keeps nothing of what it is sent is given up', async () => {
        const robot = await startStranger(tusRobot(({ method }) => ({ POST: created, HEAD: safeAt(200, 0), PATCH: safeAt(204, 0) })[method]));
        try {
            const { status, stdout } = await otapult(['push', v2, robot.address, '--json', '--wait', '2'], {}, { timeout: 40000 });
            assert.equal(status, 3);
            assert.equal(lines(stdout)[0].outcome, 'lost');
            assert.ok(robot.requests.filter(request => request.method === 'PATCH').length < 20);
        } finally {
            await robot.stop();
        }
    });

    test('not even HTTP', async () => {
        for (const bytes of ['SSH-2.0-x\r\n', 'HTTP/9.9 999 x\r\n\r\n', '\x15\x03\x01', '']) {
            const noise = await startNoise(bytes);
            const result = await otapult(['status', noise.address, '--json', '--timeout', '2']);
            assert.ok([3, 4].includes(result.status), result.stdout);
            assert.equal(lines(result.stdout)[0].success, false);
            await noise.stop();
        }
    });

    test('what a robot leaves out leaves no blanks behind', async () => {
        const last = { event: 'staged', text: '', version: '3.0.0', build: 'b', slot: 's', seq: 1, boot: 1 };
        for (const [more, line] of [[{}, 'staged 3.0.0'], [{ version: '' }, 'staged'], [{ code: 'busy' }, 'staged 3.0.0 busy'],
            [{ text: 'why' }, 'staged 3.0.0: why']]) {
            const robot = await startStranger(() => json(statusOf({ last: { ...last, ...more } })));
            const { stdout } = await otapult(['status', robot.address]);
            await robot.stop();
            assert.match(stdout, new RegExp(`^ {2}last {9}${line}$`, 'm'));
            assert.doesNotMatch(stdout, / $/m);
        }
    });

    test('a robot cannot talk to the terminal, whatever string it fills', async () => {
        const status = hostile(statusOf({
            name: 'n', waiting_for: 'w', pending: true, busy: { for: 'upload', by: 'b' },
            last: { event: 'rejected', text: 't', code: 'c', version: 'v', build: 'b', slot: 's', seq: 1, boot: 1 },
            signature: { enforced: true, keys: ['aa'] }, staged: { slot: 's', image: { version: 'v', build: 'b' } },
        }));
        const entries = hostile([{ seq: 1, boot: 1, event: 'rejected', text: 't', by: 'b', slot: 's', version: 'v', code: 'c' }]);
        const refusal = hostile({ success: false, error: 'e', code: 'c', detail: 'd', hint: 'h' });
        const robot = await startStranger(request => request.method === 'POST' ? json(refusal, 409)
            : request.url === '/api/ota/log' ? json({ entries }) : json(status));
        try {
            for (const args of [['status'], ['log'], ['confirm'], ['rollback'], ['push', v2], ['activate', '--wait', '1']]) {
                for (const more of [[], ['--json'], ['--verbose']]) {
                    const { stdout, stderr } = await otapult([args[0], ...args.slice(1), robot.address, ...more]);
                    assert.doesNotMatch(stdout + stderr, /[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/, `${args[0]} ${more}`);
                    assert.ok((stdout + stderr).length > 0);
                }
            }
        } finally {
            await robot.stop();
        }
    });
});

describe('Ctrl-C and the small verbs', () => {
    for (const [verb, until, words] of [
        ['status', '/api/ota/status', /was left when Ctrl-C came: nothing was changed/],
        ['log', '/api/ota/log', /was left when Ctrl-C came: nothing was changed/],
        ['reboot', '/api/ota/reboot', /was left when Ctrl-C came: it was told, and has not answered/],
        ['cancel', '/api/ota/cancel', /was left when Ctrl-C came: it was told, and has not answered/],
    ])
        test(`${verb} says what is known of a robot that has not answered`, async () => {
            let came;
            const arrived = new Promise(resolve => { came = resolve; });
            const robot = await startStranger(request => request.url === until ? void came()
                : request.url === '/api/ota/status' ? json(statusOf()) : { status: 404 });
            const child = spawn(OTAPULT, [verb, robot.url], { env: { ...process.env, XDG_CONFIG_HOME: config } });
            let said = '';
            child.stderr.on('data', data => { said += data; });
            await arrived;
            child.kill('SIGINT');
            assert.equal(await new Promise(resolve => child.on('close', resolve)), 130);
            assert.match(said, words);
            await robot.stop();
        });
});

describe('devices of other kinds', () => {
    const kinds = {
        brief: { '/api/ota': { body: '<form action="/api/ota/upload">' }, 'POST /api/ota/upload': json({ success: true }) },
        wled: { '/json/info': json({ ver: '0.14.0', brand: 'WLED' }), 'POST /update': { body: 'Update successful! Rebooting...' } },
        // of a build in German; as its server does, nothing is answered without a Referer that names it
        tasmota: { '/cm?cmnd=Status%202': json({ StatusFWR: { Version: '13.1.0' } }), 'POST /u2': {
            body: "<script>setTimeout(function(){location.href='.';},24000);</script><b>Upload <font>erfolgreich</font></b>" } },
        // its server compresses whatever the client accepts
        elegantota: { '/update': { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync('<title>ElegantOTA Lite</title>') }, '/ota/start': { body: 'OK' }, 'POST /ota/upload': { body: 'OK' } },
    };
    const named = (request, device) => request.headers.referer?.startsWith(`http://${device.address}/`);
    const fields = { brief: 'firmware', wled: 'update', tasmota: 'u2', elegantota: 'file' };
    for (const [kind, answers] of Object.entries(kinds))
        test(`${kind}: sent as its form wants it, and not called proved`, async () => {
            const device = await startStranger(request => kind === 'tasmota' && !named(request, device) ? { status: 200 } : answers[request.method === 'POST' ? `POST ${request.url}` : request.url]
                ?? answers[request.url.split('?')[0]] ?? { status: 404 });
            try {
                const { status, stdout } = await otapult(['push', v2, device.address, '--json']);
                assert.equal(status, 5, stdout);
                assert.equal(lines(stdout)[0].outcome, 'unproved');
                const sent = device.requests.find(request => request.method === 'POST').body;
                assert.ok(sent.includes(`name="${fields[kind]}"; filename="firmware.bin"`));
                assert.ok(sent.includes(fs.readFileSync(v2)));
                if (kind === 'elegantota')
                    assert.match(device.requests.find(request => request.url.startsWith('/ota/start')).url, /^\/ota\/start\?mode=fr&hash=[0-9a-f]{32}$/);
                const taken = await otapult(['push', v2, device.address, '--as', kind, '--accept-unproved', '--json']);
                assert.equal(taken.status, 0);
                const [robot, summary] = lines(taken.stdout);
                assert.equal(robot.proved, false);
                assert.deepEqual([summary.success, summary.proved], [true, 0]);
            } finally {
                await device.stop();
            }
        });

    test('one that refuses', async () => {
        const device = await startStranger(request => request.method === 'POST' ? { status: 500, body: 'no \x1b[31mroom' }
            : request.url === '/json/info' ? json({ brand: 'WLED' }) : { status: 404 });
        const { status, stdout } = await otapult(['push', v2, device.address]);
        assert.equal(status, 1);
        assert.match(stdout, /it answers 500: no \?\[31mroom/);
        await device.stop();
    });
});
