// SPDX-License-Identifier: Apache-2.0
// Patches from end to end: `otapult patch` makes one, curl sends it to a virtual rover, the rover boots what it
// makes; a wrong base and a damaged patch are refused, the first before anything is erased.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { realFirmware, Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';
import { makeKey, sign } from '../support/signer.mjs';

const SLOTS = { from: 0x10000, to: 0x10000 + 2 * 0x640000 }; // rover/partitions_16MB.csv

const samples = new Samples();
const at = name => path.join(samples.folder, name);
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
const buildId = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);
const otapult = (...args) => run(program('otapult', 'OTAPULT'), args);

async function ok(...args) {
    const result = await otapult(...args);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
}

// The same firmware with other words in it: what a rebuild looks like from far away.
async function builds() {
    const made = [];
    for (const [i, version] of ['1.0.0', '1.0.1', '1.0.2'].entries())
        made.push(await samples.make(`v${i}.bin`, { version, seed: 7 }));
    return made;
}

after(() => samples.remove());

describe('a patch', () => {
    let rover, v0, v1, v2;

    before(async () => {
        [v0, v1, v2] = await builds();
        rover = await startRover();
        await runs(v0);
        await ok('patch', v0, v1, '-o', at('v0-v1.patch'));
        await ok('patch', v1, v2, '-o', at('v1-v2.patch'));
    });
    after(() => rover.stop());

    const confirmed = build => rover.waitFor('the confirmation',
        s => !s.pending && s.last?.event === 'confirmed' && s.last.build === build);

    async function runs(file) {
        const answer = await upload(rover.url, file);
        assert.equal(answer.status, 200, answer.body);
        await confirmed(buildId(file));
    }

    test('is announced', async () => {
        assert.ok((await rover.status()).limits.accepts.includes('patch'));
    });

    test('is a small part of the image', () => {
        assert.ok(fs.statSync(at('v0-v1.patch')).size < 1000);
    });

    test('for another build is refused, by name, before anything is erased', async () => {
        const slots = () => sha256(fs.readFileSync(rover.flashPath).subarray(SLOTS.from, SLOTS.to));
        const before = slots();
        const answer = await upload(rover.url, at('v1-v2.patch'));
        assert.equal(answer.status, 409, answer.body);
        assert.equal(answer.json.code, 'patch_wrong_base');
        assert.equal(answer.json.error, 'Update.begin() failed');
        assert.ok(answer.json.detail.includes(`1.0.1 (${buildId(v1)}); 1.0.0 (${buildId(v0)})`), answer.json.detail);
        assert.equal(slots(), before);
    });

    test('one of whose bytes is another is refused, and activates nothing', async () => {
        const bytes = fs.readFileSync(at('v0-v1.patch'));
        bytes[bytes.length - 20] ^= 1;
        const { running } = await rover.status();
        const answer = await upload(rover.url, samples.write('damaged.patch', bytes));
        assert.equal(answer.status, 422, answer.body);
        assert.equal(answer.json.code, 'patch_damaged');
        const now = await rover.status();
        assert.equal(now.running, running);
        assert.equal(now.boot_slot ?? now.running, running);
    });

    test('goes in as a form, boots and is confirmed', async () => {
        const answer = await upload(rover.url, at('v0-v1.patch'));
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.build, buildId(v1));
        assert.equal(answer.json.size, fs.statSync(v1).size);
        assert.equal(answer.json.sha256, sha256(fs.readFileSync(v1)));
        await confirmed(buildId(v1));
    });

    test('may lie in a gzip file', async () => {
        const packed = samples.write('v1-v2.patch.gz', zlib.gzipSync(fs.readFileSync(at('v1-v2.patch'))));
        const answer = await upload(rover.url, packed);
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.sha256, sha256(fs.readFileSync(v2)));
        await confirmed(buildId(v2));
    });

    test('is made for the build that the robot runs, out of a folder', async () => {
        const folder = at('releases');
        fs.mkdirSync(folder);
        for (const file of [v0, v1, v2])
            fs.copyFileSync(file, path.join(folder, path.basename(file)));
        fs.writeFileSync(path.join(folder, 'notes.bin'), 'no image');
        const v3 = await samples.make('v3.bin', { version: '1.0.3', seed: 7 });
        const said = await ok('patch', folder, v3, '--for', rover.url, '-o', at('for.patch'));
        assert.ok(said.includes(`from 1.0.2 (${buildId(v2)}) to 1.0.3 (${buildId(v3)})`), said);
        const answer = await upload(rover.url, at('for.patch'));
        assert.equal(answer.status, 200, answer.body);
        await confirmed(buildId(v3));
        const other = await otapult('patch', folder, v0, '--for', rover.url, '-o', at('none.patch'));
        assert.equal(other.status, 1);
        assert.match(other.stderr, /which is not in/);
        assert.ok(!fs.existsSync(at('none.patch')));
    });

    test('of real firmware', { skip: realFirmware('s3-build-40.bin') === null && 'no real firmware here' }, async () => {
        const [old, now] = [realFirmware('s3-build-39.bin'), realFirmware('s3-build-40.bin')];
        await runs(old);
        await ok('patch', old, now, '-o', at('real.patch'));
        const answer = await upload(rover.url, at('real.patch'));
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.sha256, sha256(fs.readFileSync(now)));
    });
});

describe('a signed image', () => {
    let owner;

    before(async () => { owner = await startSecureRover(); });
    after(() => owner.rover.stop());

    async function taken(name) {
        const answer = await owner.upload(at(name), '-u', `admin:${owner.password}`);
        assert.equal(answer.status, 200, answer.body);
        await owner.rover.waitFor('the confirmation', s => !s.pending && s.last?.event === 'confirmed' &&
            s.last.build === buildId(at(name.replace('.patch', '.bin'))));
    }

    test('is patched with its signature, and the result is judged as an uploaded one', async () => {
        const [v0, v1, v2] = await builds();
        for (const [name, file, key] of [['s0', v0, owner.key], ['s1', v1, owner.key], ['x2', v2, makeKey('P-256')]])
            fs.writeFileSync(at(`${name}.bin`), sign(fs.readFileSync(file), key));
        const made = JSON.parse(await ok('patch', '--json', at('s0.bin'), at('s1.bin'), '-o', at('s1.patch')));
        assert.equal(made.result.sha256, sha256(fs.readFileSync(at('s1.bin'))));
        await ok('patch', at('s1.bin'), at('x2.bin'), '-o', at('stranger.patch'));
        await ok('patch', at('s1.bin'), v2, '-o', at('unsigned.patch'));
        await taken('s0.bin');
        await taken('s1.patch');
        for (const [name, code] of [['stranger.patch', 'signature_wrong'], ['unsigned.patch', 'signature_missing']]) {
            const answer = await owner.upload(at(name), '-u', `admin:${owner.password}`);
            assert.equal(answer.json.code, code, answer.body);
        }
    });
});

describe('the command', () => {
    test('info tells base, result and size, for people and for programs', async () => {
        const [v0, v1] = await builds();
        await ok('patch', v0, v1, '-o', at('i.patch'));
        const words = await ok('info', at('i.patch'));
        assert.ok(words.includes(`1.0.0 (${buildId(v0)})`) && words.includes(sha256(fs.readFileSync(v1))), words);
        const json = JSON.parse(await ok('info', '--json', at('i.patch')));
        assert.equal(json.type, 'patch');
        assert.equal(json.base.sha256, sha256(fs.readFileSync(v0)));
        assert.equal(json.size, fs.statSync(at('i.patch')).size);
    });

    test('check says what a patch fits, as far as that can be told without the robot', async () => {
        const [v0, v1] = await builds();
        await ok('patch', v0, v1, '-o', at('c.patch'));
        samples.write('c.patch.gz', zlib.gzipSync(fs.readFileSync(at('c.patch'))));
        for (const name of ['c.patch', 'c.patch.gz']) {
            assert.match(await ok('check', at(name)), /^ok c\.patch(\.gz)?: a patch for robots that run 1\.0\.0 \(\w{8}\), makes 1\.0\.1 \(\w{8}\), for ESP32-S3, /);
            await ok('check', at(name), '--running', '1.0.0');
        }
        const json = JSON.parse(await ok('check', '--json', at('c.patch')));
        assert.deepEqual([json.success, json.type, json.base.version, json.result.sha256], [true, 'patch', '1.0.0', sha256(fs.readFileSync(v1))]);
        for (const [code, ...args] of [['image_wrong_chip', '--chip', 'ESP32-C3'], ['image_too_large', '--slot-size', '100000'],
            ['patch_wrong_base', '--running', '1.0.7']]) {
            const result = await otapult('check', '--json', at('c.patch'), ...args);
            assert.deepEqual([result.status, JSON.parse(result.stdout).code], [1, code], result.stdout);
        }
        const bytes = fs.readFileSync(at('c.patch'));
        bytes[50] ^= 1;
        assert.equal((await otapult('check', samples.write('c.damaged.patch', bytes))).status, 1);
    });

    test('makes the same patch every time', async () => {
        const [v0, v1] = await builds();
        await ok('patch', v0, v1, '-o', at('1.patch'));
        await ok('patch', v0, v1, '-o', at('2.patch'));
        assert.equal(sha256(fs.readFileSync(at('1.patch'))), sha256(fs.readFileSync(at('2.patch'))));
    });

    test('writes gzip where a patch would be longer, and says so', async () => {
        const [v0] = await builds();
        const other = await samples.make('other.bin', { version: '9.0.0', seed: 99 });
        const result = await otapult('patch', v0, other, '-o', at('gz.patch'));
        assert.equal(result.status, 0, result.stderr);
        assert.match(result.stderr, /too little in common/);
        assert.deepEqual(zlib.gunzipSync(fs.readFileSync(at('gz.patch'))), fs.readFileSync(other));
    });

    test('makes one patch a build of a folder', async () => {
        const [v0, v1, v2] = await builds();
        fs.mkdirSync(at('old'));
        for (const file of [v0, v1, v2])
            fs.copyFileSync(file, path.join(at('old'), path.basename(file)));
        await ok('patch', at('old'), v2, '-o', at('patches'));
        assert.deepEqual(fs.readdirSync(at('patches')).sort(), ['v0.patch', 'v1.patch']);
    });

    test('refuses what no robot takes, another chip, and a wrong command line', async () => {
        const [v0, v1] = await builds();
        const c3 = await samples.make('c3.bin', { chip: '0x0005' });
        const text = samples.write('text.bin', 'no image');
        for (const [status, ...args] of [[1, text, v1, '-o', at('n')], [1, v0, text, '-o', at('n')], [1, c3, v1, '-o', at('n')],
            [1, at('nowhere.bin'), v1, '-o', at('n')], [2, v0, v1], [2, v0, v1, '--for', 'x.local', '-o', at('n')]])
            assert.equal((await otapult('patch', ...args)).status, status, args.join(' '));
        assert.ok(!fs.existsSync(at('n')));
    });
});
