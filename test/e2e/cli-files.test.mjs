// SPDX-License-Identifier: Apache-2.0
// What a name on the command line may stand for: a pipe nobody writes to, a device without an end, a socket, a folder
// and a full disk are told from files, and the command never waits for one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { program, root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const OTAPULT = program('otapult', 'OTAPULT');
const samples = new Samples();
const env = { ...process.env, XDG_CONFIG_HOME: path.join(samples.folder, 'config'), HOME: samples.folder, OTAPULT_TOKEN: '' };
// Whoever still waits after so long waits for ever.
const otapult = (args, options = {}) => run(OTAPULT, args, { env, timeout: 60000, ...options });
const NOBODY = '127.0.0.1:1'; // a robot that refuses the connection
const inside = name => path.join(samples.folder, name);

let app, next, merged, key, socket;
const odd = []; // [what it is, its path, what is said of it]
before(async () => {
    app = await samples.make('app.bin', { version: '2.0.0', seed: 2 });
    next = await samples.make('next.bin', { version: '2.0.1', seed: 2 });
    merged = await samples.make('merged.bin', { version: '2.0.0', seed: 2, merged: true });
    key = inside('key.pem');
    await otapult(['keygen', key, '--scheme', 'ecdsa256']);
    fs.mkdirSync(inside('builds'));
    assert.equal((await run('mkfifo', [inside('pipe'), inside('builds/old.bin')])).status, 0);
    socket = net.createServer().listen(inside('socket'));
    await new Promise(resolve => socket.on('listening', resolve));
    odd.push(['a pipe', inside('pipe'), /no regular file/], ['a device', '/dev/zero', /no regular file/],
        ['a socket', inside('socket'), /no regular file/], ['a folder', samples.folder, /Is a directory|no regular file/]);
});
after(() => { socket.close(); samples.remove(); });

// Each argument that a file is read from, and each option of options.def that names one.
const read = {
    'push FILE': f => ['push', f, NOBODY],
    'info FILE': f => ['info', f],
    'check FILE': f => ['check', f],
    'extract FILE': f => ['extract', f, '--out', inside('out')],
    'patch OLD': f => ['patch', f, next, '--out', inside('out')],
    'patch NEW': f => ['patch', app, f, '--out', inside('out')],
    'release FILE': f => ['release', f, inside('site'), '--key', key],
    'sign FILE': f => ['sign', f, '--key', key, '--out', inside('out')],
    'verify FILE': f => ['verify', f, '--key', key],
    'key-digest FILE': f => ['key-digest', f],
    '--inventory': f => ['status', '--inventory', f],
    '--key': f => ['verify', app, '--key', f],
    '--pub-key': f => ['sign', app, '--sign-command', 'true', '--pub-key', f, '--out', inside('out')],
    '--merged': f => ['release', app, inside('site'), '--key', key, '--merged', f],
    '--token': f => ['status', NOBODY, '--token', `@${f}`],
    'token_file of an inventory': f => ['status', '-i', samples.write('t.ini', `[robot r]\nhost = ${NOBODY}\ntoken_file = ${f}\n`)],
    '--resume': f => ['push', app, NOBODY, '--resume', f],
};
// And each that one is written to.
const written = {
    '--out of patch': f => ['patch', app, next, '--out', f],
    '--out of extract': f => ['extract', merged, '--out', f],
    '--out of sign': f => ['sign', app, '--key', key, '--out', f],
    '--junit': f => ['push', app, NOBODY, '--junit', f],
    'keygen FILE': f => ['keygen', f, '--scheme', 'ecdsa256'],
};

describe('nobody is waited for', () => {
    test('every option that names a file is here', () => {
        const rows = fs.readFileSync(`${root}/cli/options.def`, 'utf8');
        const options = [...rows.matchAll(/^OPTION\(\w+, "([\w-]+)", [^,]+, [^,]+, (?:FILE|FOLDER),/gm)].map(([, name]) => `--${name}`);
        assert.ok(options.length > 5);
        const here = [...Object.keys(read), ...Object.keys(written), '--builds'].join(' ');
        assert.deepEqual(options.filter(option => !here.includes(option)), []);
    });

    for (const [what, args] of [...Object.entries(read), ...Object.entries(written)]) {
        test(`${what}: a pipe, a device, a socket, a folder`, async () => {
            for (const [kind, file, words] of odd) {
                if (kind === 'a folder' && /^patch OLD|^--out of patch/.test(what))
                    continue; // a folder of builds
                const { status, stderr, stdout } = await otapult([...args(file), '--json']);
                assert.ok(status === 1 || status === 2, `${kind}: ${status}`);
                assert.match(stderr, what === 'keygen FILE' ? /is there already/ : words, kind);
                assert.equal(JSON.parse(stdout).success, false, kind);
            }
        });
    }

    test('a folder of builds: what is no file is passed over, what is no folder is refused', async () => {
        fs.copyFileSync(app, inside('builds/fine.bin'));
        const made = await otapult(['patch', inside('builds'), next, '--out', inside('patches')]);
        assert.equal(made.status, 1);
        assert.match(made.stderr, /old\.bin: cannot be read: it is no regular file/);
        assert.deepEqual(fs.readdirSync(inside('patches')), ['fine.patch']);
        const released = await otapult(['release', next, inside('released'), '--key', key, '--builds', inside('builds')]);
        assert.equal(released.status, 0, released.stderr);
        for (const [kind, file] of odd.filter(([kind]) => kind !== 'a folder')) {
            for (const verb of [['push', next, NOBODY], ['release', next, inside('site'), '--key', key]]) {
                const { status, stderr } = await otapult([...verb, '--builds', file]);
                assert.equal(status, 1, kind);
                assert.match(stderr, /Not a directory/, kind);
            }
        }
    });
});

describe('what is read and written all the same', () => {
    test('a pipe of the shell', async () => {
        const shell = line => run('bash', ['-c', line], { env: { ...env, OTAPULT }, timeout: 60000 });
        const digest = (await otapult(['key-digest', key])).stdout.slice(0, 64);
        assert.ok((await shell(`"$OTAPULT" key-digest <(cat ${key})`)).stdout.startsWith(digest));
        assert.match((await shell(`"$OTAPULT" info <(cat ${app})`)).stdout, /2\.0\.0/);
        assert.match((await shell(`"$OTAPULT" info /dev/stdin <${app}`)).stdout, /2\.0\.0/);
    });

    test('--out - is standard output, and nothing else goes there', async () => {
        const made = {
            extract: ['extract', merged, '--out', '-'], sign: ['sign', app, '--key', key, '--out', '-'],
            patch: ['patch', app, next, '--out', '-'],
        };
        for (const [verb, args] of Object.entries(made)) {
            const file = inside(`${verb}.out`);
            assert.equal((await otapult([...args.slice(0, -1), file])).status, 0);
            const { status } = await run('bash', ['-c', '"$@" >"$0"', inside('stdout'), OTAPULT, ...args], { env });
            assert.equal(status, 0);
            if (verb === 'sign') // a signature is another each time
                assert.equal(fs.statSync(inside('stdout')).size, fs.statSync(file).size);
            else
                assert.deepEqual(fs.readFileSync(inside('stdout')), fs.readFileSync(file), verb);
            assert.equal((await run('bash', ['-c', '"$@" >/dev/full', '-', OTAPULT, ...args], { env })).status, 1, verb);
            const both = await otapult([...args, '--json']);
            assert.equal(both.status, 2, verb);
            assert.match(JSON.parse(both.stdout).detail, /both want standard output/);
        }
        assert.equal((await otapult(['patch', inside('builds'), next, '--out', '-'])).status, 2);
    });

    test('a disk that is full hides no outcome', async () => {
        const { stdout } = await run('bash', ['-c', '"$0" push "$1" "$2" --json >/dev/full; echo $?', OTAPULT, app, NOBODY], { env });
        assert.equal(stdout, '3\n');
    });

    test('what cannot be written in the end is not begun', async () => {
        for (const option of ['--junit', '--resume']) {
            const { status, stderr, stdout } = await otapult(['push', app, NOBODY, option, inside('no/such/folder')]);
            assert.equal(status, 1);
            assert.match(stderr, /cannot be written: No such file/);
            assert.equal(stdout, '', 'no robot was asked');
        }
    });
});
