// SPDX-License-Identifier: Apache-2.0
// port/platformio/otapult.py against a real virtual rover, by the command and by curl. PlatformIO itself is not
// here: a stand-in gives the script what SCons would, and calls what it leaves as the upload step.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRover } from './support/rover.mjs';
import { program, root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const STAND_IN = `
import sys
script, folder, firmware, port = sys.argv[1:]
class Board(dict):
    def update(self, key, value): self[key] = value
class Env:
    def __init__(self): self.board, self.defines, self.cmd = Board({"build.cmake_extra_args": "-DX=1"}), [], None
    def subst(self, text): return {"$PROJECT_DIR": folder, "$UPLOAD_PORT": port}[text]
    def StringifyMacro(self, text): return '\\\\"' + text + '\\\\"'
    def Append(self, CPPDEFINES): self.defines += CPPDEFINES
    def BoardConfig(self): return self.board
    def Replace(self, UPLOADCMD): self.cmd = UPLOADCMD
env = Env()
names = {}
names["Import"] = lambda name: names.update({name: env})
exec(compile(open(script).read(), script, "exec"), names)
print("defines", env.defines, env.board["build.cmake_extra_args"], flush=True)
sys.exit(env.cmd([firmware], [], env) if firmware else 0)
`;

const samples = new Samples();
const bin = path.join(samples.folder, 'bin');
let rover, good, bad, driver;

// `push`: is the command on the PATH?
function upload(firmware, { push, robot = new URL(rover.url).host, folder = samples.folder }) {
    return run('python3', [driver, path.join(root, 'port/platformio/otapult.py'), folder, firmware, robot], {
        env: { PATH: push ? `${bin}:${process.env.PATH}` : process.env.PATH, HOME: samples.folder,
            XDG_CONFIG_HOME: samples.folder, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '' },
    });
}

before(async () => {
    rover = await startRover();
    driver = samples.write('driver.py', Buffer.from(STAND_IN));
    good = await samples.make('good.bin', { version: '2.0.0', seed: 2 });
    bad = await samples.make('bad.bin', { version: '3.0.0', seed: 3, temper: 'no-network' });
    fs.mkdirSync(bin);
    fs.symlinkSync(program('otapult', 'OTAPULT'), path.join(bin, 'otapult'));
});
after(async () => {
    await rover.stop();
    samples.remove();
});

describe('the upload step', () => {
    test('by curl: ends well when the robot has confirmed it', async () => {
        const { status, stdout } = await upload(good, { push: false });
        assert.equal(status, 0, stdout);
        assert.match(stdout, /otapult: confirmed 2\.0\.0 \([0-9a-f]{8}\)/);
        const now = await rover.status();
        assert.deepEqual([now.pending, now.slots.find(s => s.running).image.version], [false, '2.0.0']);
    });

    test('by curl: fails when the robot went back, and says why', async () => {
        const { status, stdout } = await upload(bad, { push: false });
        assert.equal(status, 1, stdout);
        assert.match(stdout, /otapult: it went back: rejected: health check "network": no answer/);
    });

    test('by curl: fails with the robot\'s words when it refuses, and when nobody is there', async () => {
        const wrong = await upload(samples.write('text.bin', Buffer.from('<html>not found</html>'.repeat(40))), { push: false });
        assert.equal(wrong.status, 1);
        assert.match(wrong.stdout, /otapult: refused: .*file_text/);
        const nobody = await upload(good, { push: false, robot: '127.0.0.1:1' });
        assert.equal(nobody.status, 1);
        assert.match(nobody.stdout, /does not answer/);
        assert.equal((await upload(good, { push: false, robot: '' })).status, 1);
        assert.match((await upload(good, { push: false, robot: 'https://127.0.0.1:1' })).stdout, /needs the command/);
    });

    test('by the command, where it is there', async () => {
        const next = await samples.make('next.bin', { version: '2.1.0', seed: 21 });
        const { status, stdout, stderr } = await upload(next, { push: true });
        assert.equal(status, 0, stderr);
        assert.match(stdout, /confirmed 2\.1\.0/);
        const worse = await samples.make('worse.bin', { version: '3.1.0', seed: 31, temper: 'no-network' });
        const back = await upload(worse, { push: true });
        assert.equal(back.status, 5, back.stdout);
        assert.match(back.stdout, /rolled back/);
    });
});

describe('the script of docs/ci.md', () => {
    const [script] = fs.readFileSync(path.join(root, 'docs/ci.md'), 'utf8').match(/(?<=^```sh\n)sent=[^]*?(?=^```$)/m);
    const play = firmware => {
        const folder = fs.mkdtempSync(path.join(samples.folder, 'ci-'));
        fs.copyFileSync(firmware, path.join(folder, 'firmware.bin'));
        return run('sh', ['-c', script], { cwd: folder, env: { PATH: process.env.PATH, ROBOT: new URL(rover.url).host } });
    };

    test('ends with 0 when the robot has confirmed it, with 1 and the reason when it went back or refused', async () => {
        assert.equal((await play(await samples.make('ci.bin', { version: '2.2.0', seed: 22 }))).status, 0);
        const back = await play(await samples.make('ciback.bin', { version: '3.2.0', seed: 32, temper: 'no-network' }));
        assert.equal(back.status, 1);
        assert.match(back.stdout, /health check "network": no answer/);
        const refused = await play(samples.write('text.bin', Buffer.from('<html>not found</html>'.repeat(40))));
        assert.equal(refused.status, 1);
        assert.match(refused.stdout, /file_text/);
    });
});

describe('the version', () => {
    test('is what git describe says, for Arduino and for ESP-IDF', async () => {
        const folder = path.join(samples.folder, 'project');
        const git = (...args) => run('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args]);
        fs.mkdirSync(folder);
        await git('init', '-q');
        await git('commit', '-q', '--allow-empty', '-m', 'x');
        await git('tag', 'v1.4.2');
        const { stdout } = await upload('', { push: false, folder });
        assert.match(stdout, /defines \[\('OTAPULT_VERSION', '\\\\"v1\.4\.2\\\\"'\)\] -DX=1 -DPROJECT_VER=v1\.4\.2/);
    });

    test('stays as it is outside of git', async () => {
        const { stdout } = await upload('', { push: false });
        assert.match(stdout, /the version stays as it is\ndefines \[\] -DX=1\n/);
    });
});
