// SPDX-License-Identifier: Apache-2.0
// What the programs do to the computer they run on: which files they write and which never, on which addresses
// they listen, where a password goes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeKey, toPem } from '../support/signer.mjs';
import { curl, upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const at = name => path.join(samples.folder, name);
const read = name => fs.readFileSync(at(name));
const mode = file => fs.statSync(file).mode & 0o7777;
const rover = (...args) => run(program('rover', 'ROVER'), ['--fast', '--port', '0', ...args], { timeout: 30000 });

let listener;
after(() => {
    listener?.close();
    samples.remove();
});

// A pipe, a socket, a folder. No device of /dev: run by root, a program that fails here would replace it.
async function noRegularFiles() {
    const files = [at('pipe'), at('socket'), samples.folder];
    if (!listener) {
        await run('mkfifo', [files[0]]);
        listener = net.createServer().listen(files[1]);
        await once(listener, 'listening');
    }
    assert.ok(fs.statSync(files[0]).isFIFO() && fs.statSync(files[1]).isSocket());
    return files;
}

describe('the flash file', () => {
    const letter = Buffer.from('Dear reader,\n');

    async function refused(args, why) {
        const result = await rover(...args);
        assert.equal(result.status, 2, result.stderr);
        assert.match(result.stderr, why);
        assert.equal(result.stdout, '');
    }

    test('is a regular file, or the rover does not start', async () => {
        for (const file of await noRegularFiles())
            for (const more of [[], ['--reset']])
                await refused(['--flash', file, ...more], /no regular file, so it is left alone/);
    });

    test('--reset throws nothing away but a flash file', async () => {
        const disk = Buffer.alloc(16 << 20, 0x11); // as long as one
        for (const [name, bytes] of [['letter.txt', letter], ['disk.img', disk]]) {
            fs.writeFileSync(at(name), bytes);
            await refused(['--flash', at(name), '--reset'], /no flash file of 16 MB, so --reset leaves it alone/);
            assert.ok(read(name).equals(bytes));
        }
    });

    test('of a rover that runs is not taken from under it', async () => {
        const running = await startRover();
        try {
            for (const more of [[], ['--reset']])
                await refused(['--flash', running.flashPath, ...more], /another rover has it open/);
            assert.equal((await running.status()).boot, 1);
            assert.equal((await rover('--flash', running.flashPath)).status, 2);
        } finally {
            await running.stop();
        }
    });

    test('is not there before it is whole, and a kill leaves nothing', async () => {
        const folder = fs.mkdtempSync(at('kill-'));
        await run('mkfifo', [at('factory')]);
        const child = spawn(program('rover', 'ROVER'),
            ['--port', '0', '--flash', path.join(folder, 'flash.bin'), '--factory', at('factory')]);
        const ended = new Promise(resolve => { child.on('close', (_, signal) => resolve(signal)); });
        const pipe = fs.openSync(at('factory'), 'w'); // waits until the rover, half-way, reads its firmware
        child.kill('SIGKILL');
        assert.equal(await ended, 'SIGKILL');
        fs.closeSync(pipe);
        assert.deepEqual(fs.readdirSync(folder), []);
    });

    test('a factory firmware that does not fit leaves none', async () => {
        const folder = fs.mkdtempSync(at('unfit-'));
        fs.writeFileSync(at('huge.bin'), Buffer.alloc(7 << 20));
        const result = await rover('--flash', path.join(folder, 'flash.bin'), '--factory', at('huge.bin'));
        assert.equal(result.status, 2);
        assert.deepEqual(fs.readdirSync(folder), []);
        fs.writeFileSync(at('letter'), letter);
        await refused(['--flash', path.join(folder, 'flash.bin'), '--factory', at('letter')], /the factory firmware does not boot: /);
        assert.deepEqual(fs.readdirSync(folder), []);
    });

    test('of a secure rover is for its owner alone, also when it was not', async () => {
        const flash = at('secure.bin');
        await (await startRover({ flash })).stop();
        assert.equal(mode(flash) & 0o077, 0o044 & ~process.umask());
        await (await startRover({ flash, args: ['--fast', '--secure'] })).stop();
        assert.equal(mode(flash), 0o600);
        const fresh = await startRover({ args: ['--fast', '--secure'] });
        try {
            assert.equal(mode(fresh.flashPath), 0o600);
        } finally {
            await fresh.stop();
        }
    });
});

describe('the first password', () => {
    const told = /password of admin is in (\S+); read it, then remove the file/;

    test('goes into a file of its owner where nobody looks, and it is the one', async () => {
        const secure = await startRover({ args: ['--fast', '--secure'] });
        try {
            const file = told.exec(secure.lines.join('\n'))[1];
            assert.equal(file, `${secure.flashPath}.password`);
            assert.equal(mode(file), 0o600);
            const password = fs.readFileSync(file, 'utf8');
            assert.match(password, /^[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}\n$/);
            assert.ok(!secure.lines.join('\n').includes(password.trim()));
            const answer = await curl('-k', '-u', `admin:${password.trim()}`, `${secure.url}/api/ota/status`);
            assert.equal(answer.status, 200);
        } finally {
            await secure.stop();
        }
    });

    test('is not kept where it cannot be written, and the next start makes another', async () => {
        const flash = at('mute.bin');
        fs.mkdirSync(`${flash}.password`);
        const mute = await startRover({ flash, args: ['--fast', '--secure'] });
        assert.match(mute.lines.join('\n'), /password of admin cannot be written to/);
        assert.equal((await curl('-k', '-u', 'admin:x', `${mute.url}/api/ota/status`)).json.code, 'not_secured');
        await mute.stop();
        fs.rmdirSync(`${flash}.password`);
        const heard = await startRover({ flash, args: ['--fast', '--secure'] });
        assert.match(heard.lines.join('\n'), told);
        await heard.stop();
    });

    test('stands on a terminal, and in no file', async () => {
        const flash = at('terminal.bin');
        const words = [program('rover', 'ROVER'), '--fast', '--port', '0', '--secure', '--flash', flash];
        const child = spawn('script', ['-qec', `exec ${words.join(' ')}`, '/dev/null']);
        const ended = new Promise(resolve => { child.on('close', resolve); });
        let text = '';
        for await (const piece of child.stdout) {
            text += piece;
            if (/listening on/.test(text))
                break;
        }
        child.kill('SIGTERM');
        await ended;
        assert.match(text, /rover: password of admin: [a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}\r?\n/);
        assert.ok(!fs.existsSync(`${flash}.password`));
    });
});

describe('addresses', () => {
    let image;
    before(async () => { image = await samples.make('v2.bin', { version: '2.0.0', seed: 2, size: 40000 }); });

    const cases = [['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/], ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
        ['localhost', /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/], ['::1', /^http:\/\/\[::1\]:\d+$/], ['::', /^http:\/\/\[::1\]:\d+$/]];
    for (const [address, url] of cases) {
        for (const profile of [[], ['--secure']]) {
            test(`--bind ${address} ${profile}`, async () => {
                const bound = await startRover({ args: ['--fast', '--restart', '50', '--bind', address, ...profile] });
                try {
                    assert.match(bound.url.replace('https', 'http'), url);
                    assert.equal((await curl('-k', `${bound.url}/api/ota`, '--compressed')).status, 200);
                } finally {
                    await bound.stop();
                }
            });
        }

        test(`an update is confirmed with --bind ${address}`, async () => {
            const bound = await startRover({ args: ['--fast', '--restart', '50', '--bind', address] });
            try {
                assert.equal((await upload(bound.url, image)).json?.success, true);
                const status = await bound.waitFor('a confirmation', s => s.boot >= 2 && !s.pending);
                assert.equal(status.slots.find(slot => slot.running).image.version, '2.0.0');
            } finally {
                await bound.stop();
            }
        });
    }

    test('--bind :: answers over IPv4, too, and names the addresses others reach', async () => {
        const bound = await startRover({ args: ['--fast', '--bind', '::'] });
        try {
            const { port } = new URL(bound.url);
            assert.equal((await curl(`http://127.0.0.1:${port}/api/ota/status`)).status, 200);
            for (const line of bound.lines.filter(text => /also at/.test(text))) {
                const other = /also at (http:\/\/\S+\/)$/.exec(line)[1];
                assert.equal((await curl(`${other}api/ota/status`)).status, 200, other);
            }
        } finally {
            await bound.stop();
        }
    });

    test('an address that is none of this machine is refused in words', async () => {
        const result = await rover('--flash', at('nowhere.bin'), '--bind', '2001:db8::1');
        assert.equal(result.status, 1);
        assert.match(result.stderr, /cannot listen on 2001:db8::1, port 0: /);
    });
});

describe('otapult sign', () => {
    const otapult = (...args) => run(program('otapult', 'OTAPULT'), ['sign', ...args], { encoding: 'latin1' });
    const key = at('key.pem');
    let image, signed;

    before(async () => {
        fs.writeFileSync(key, toPem(makeKey('rsa')));
        image = await samples.make('unsigned.bin', { version: '2.0.0', seed: 2, size: 40000 });
        assert.equal((await otapult(image, '--key', key, '--out', at('signed.bin'))).status, 0);
        signed = read('signed.bin');
        assert.equal(signed.length % 4096, 0);
    });
    // What is signed is the same; the signature has a salt.
    const isSigned = bytes => assert.ok(bytes.length === signed.length && bytes.subarray(0, -4096).equals(signed.subarray(0, -4096)));

    test('--out leaves pipes, sockets and folders alone', async () => {
        for (const out of await noRegularFiles()) {
            const result = await otapult(image, '--key', key, '--out', out);
            assert.equal(result.status, 1, out);
            assert.match(result.stderr, /is no regular file, so it is left alone; --out - writes to standard output/);
        }
    });

    test('--out - is standard output, and nothing else goes there', async () => {
        const child = spawn(program('otapult', 'OTAPULT'), ['sign', image, '--key', key, '--out', '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
        const pieces = [];
        for await (const piece of child.stdout)
            pieces.push(piece);
        isSigned(Buffer.concat(pieces));
    });

    test('a link is followed, and stays', async () => {
        fs.writeFileSync(at('target.bin'), 'old', { mode: 0o640 });
        fs.chmodSync(at('target.bin'), 0o640);
        fs.symlinkSync('target.bin', at('link.bin'));
        assert.equal((await otapult(image, '--key', key, '--out', at('link.bin'))).status, 0);
        assert.ok(fs.lstatSync(at('link.bin')).isSymbolicLink());
        isSigned(read('target.bin'));
        assert.equal(mode(at('target.bin')), 0o640);
    });

    test('--in-place keeps mode, link and the file\'s other names', async () => {
        fs.copyFileSync(image, at('here.bin'));
        fs.chmodSync(at('here.bin'), 0o751);
        fs.symlinkSync('here.bin', at('soft.bin'));
        assert.equal((await otapult(at('soft.bin'), '--key', key, '--in-place')).status, 0);
        assert.ok(fs.lstatSync(at('soft.bin')).isSymbolicLink());
        assert.equal(mode(at('here.bin')), 0o751);
        isSigned(read('here.bin'));

        fs.copyFileSync(image, at('one.bin'));
        fs.linkSync(at('one.bin'), at('two.bin'));
        assert.equal((await otapult(at('one.bin'), '--key', key, '--in-place')).status, 0);
        isSigned(read('two.bin'));
        assert.equal(fs.statSync(at('one.bin')).ino, fs.statSync(at('two.bin')).ino);
    });
});

test('sample-image leaves what is no regular file alone', async () => {
    for (const file of await noRegularFiles()) {
        const result = await run(program('sample-image', 'SAMPLE_IMAGE'), [file]);
        assert.equal(result.status, 1);
        assert.match(result.stderr, /is no regular file/);
    }
});
