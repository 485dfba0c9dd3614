// SPDX-License-Identifier: Apache-2.0
// The encoder's patches read by a decoder that was written from docs/patch-format.md and shares no code with ours.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { applyPatch, Refused } from './patch_oracle.mjs';
import { program, root, run } from '../e2e/support/run.mjs';

const PAIRS = 50;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-pairs-'));
const read = name => fs.readFileSync(path.join(folder, name));

after(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('a second decoder', () => {
    test(`makes the result of ${PAIRS} pairs`, async () => {
        const made = await run(program('test/make_pairs', 'MAKE_PAIRS'), [folder, String(PAIRS)]);
        assert.equal(made.status, 0, made.stderr);
        for (let i = 0; i < PAIRS; i++)
            assert.ok(applyPatch(read(`${i}.patch`), read(`${i}.old`)).equals(read(`${i}.new`)), `pair ${i}`);
    });

    test('refuses the wrong base and a damaged body', () => {
        const patch = read('7.patch');
        assert.throws(() => applyPatch(patch, read('8.old')), Refused);
        patch[patch.length - 10] ^= 4;
        assert.throws(() => applyPatch(patch, read('7.old')), Refused);
    });

    const shared = path.join(root, '../shared/firmware');
    const real = ['s3-build-29.bin s3-build-30.bin', 'series-s3/16.bin series-s3/17.bin', 'series-c3/02.bin series-c3/03.bin',
        's3-build-40.bin series-c3/01.bin', 's2-app.bin s2-app.bin'];
    test('makes real firmware', { skip: !fs.existsSync(shared) && 'no real firmware here' }, async () => {
        for (const pair of real) {
            const [old, now] = pair.split(' ').map(name => path.join(shared, name));
            const patch = path.join(folder, 'real.patch');
            const result = await run(program('test/make_pairs', 'MAKE_PAIRS'), [old, now, patch]);
            assert.equal(result.status, 0, result.stderr);
            assert.ok(applyPatch(fs.readFileSync(patch), fs.readFileSync(old)).equals(fs.readFileSync(now)), pair);
        }
    });
});
