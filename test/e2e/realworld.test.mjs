// SPDX-License-Identifier: Apache-2.0
// Files as other people's tools make them: device and command line say the same of each, and it is right. What the
// page says of the same kinds stands in judge.test.mjs.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { program, root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const otapult = (...args) => run(program('otapult', 'OTAPULT'), args);
const checked = async (...args) => JSON.parse((await otapult('check', '--json', ...args)).stdout.split('\n')[0]);

// Checksum and SHA-256 made right again, after a change to the data of a segment.
function mend(image, changed) {
    image[image.length - 33] ^= changed;
    crypto.createHash('sha256').update(image.subarray(0, -32)).digest().copy(image, image.length - 32);
    return image;
}

// As espflash leaves an application of Rust: no ELF digest in its description.
function withoutElfDigest(image) {
    const copy = Buffer.from(image);
    const changed = copy.subarray(0xB0, 0xD0).reduce((a, b) => a ^ b, 0);
    copy.fill(0, 0xB0, 0xD0);
    return mend(copy, changed);
}

after(() => samples.remove());

describe('an image without an ELF digest', () => {
    let rover;
    before(async () => { rover = await startRover({ args: ['--fast', '--restart', '50'] }); });
    after(() => rover.stop());

    test('has the first bytes of its own SHA-256 as build id, on the device and in the command line', async () => {
        for (const seed of [2, 3]) {
            const plain = fs.readFileSync(await samples.make('plain.bin', { version: `${seed}.0.0`, seed, size: 60000 }));
            const file = samples.write('rust.bin', withoutElfDigest(plain));
            const image = fs.readFileSync(file);
            const build = image.toString('hex', image.length - 32, image.length - 28);
            const { boot } = await rover.status();

            assert.equal((await checked(file)).build, build);
            assert.equal(JSON.parse((await otapult('info', '--json', file)).stdout).images[0].build, build);
            const answer = await upload(rover.url, file);
            assert.equal(answer.json.build, build, answer.body);
            const status = await rover.waitFor('its confirmation', s => s.boot > boot && !s.pending);
            assert.equal(status.slots.find(slot => slot.running).image.build, build);
        }
        const { slots } = await rover.status();
        assert.equal(new Set(slots.map(slot => slot.image.build)).size, 2); // not the same code, not the same id
    });
});

describe('each known chip', () => {
    const source = fs.readFileSync(`${root}/src/base/chip.c`, 'utf8');
    const chips = [...source.matchAll(/\{(0x[0-9A-F]{4}|OTAPULT_CHIP_ESP32S3), "([^"]+)"\}/g)]
        .map(([, id, name]) => [id === 'OTAPULT_CHIP_ESP32S3' ? '0x0009' : id, name]);

    test('there are enough of them, and no two of one name', () => {
        assert.ok(chips.length >= 15, source);
        assert.equal(new Set(chips.map(([, name]) => name)).size, chips.length);
    });
    for (const [id, name] of chips) {
        test(`${name}: its file, by its own name`, async () => {
            const file = await samples.make('chip.bin', { chip: id, size: 4096 });
            assert.equal((await checked(file, '--chip', name)).code ?? null, null);
            const other = name === 'ESP32-S3' ? 'ESP32' : 'ESP32-S3';
            assert.equal((await checked(file, '--chip', other)).code, 'image_wrong_chip');
        });
    }
});

describe('what the device asks, check asks', () => {
    let file;
    before(async () => {
        const image = fs.readFileSync(await samples.make('rev.bin', { version: '2.0.0', seed: 2, size: 4096 }));
        const before = image.subarray(0xD0, 0xD4).reduce((a, b) => a ^ b, 0);
        image.writeUInt16LE(2, 15);
        image.writeUInt16LE(99, 17);
        image.writeUInt16LE(102, 0xD0);
        image.writeUInt16LE(199, 0xD2);
        file = samples.write('rev.bin', mend(image, before ^ image.subarray(0xD0, 0xD4).reduce((a, b) => a ^ b, 0)));
    });

    test('the chip\'s revision and that of its eFuse block', async () => {
        const asked = async (...args) => (await checked(file, ...args)).code ?? null;
        assert.equal(await asked(), null);
        assert.equal(await asked('--chip-revision', '0.1'), 'image_chip_revision');
        assert.equal(await asked('--chip-revision', '1.0'), 'image_chip_revision');
        assert.equal(await asked('--chip-revision', '0.2', '--efuse-revision', '1.1'), 'image_efuse_revision');
        assert.equal(await asked('--chip-revision', '0.2', '--efuse-revision', '2.0'), 'image_efuse_revision');
        assert.equal(await asked('--chip-revision', '0.2', '--efuse-revision', '1.3'), null);
        for (const wrong of ['2', '0.', 'v0.2', '0.2x', ''])
            assert.equal((await otapult('check', file, '--chip-revision', wrong)).status, 2, wrong);
    });

    test('the device says which it has', async () => {
        const rover = await startRover();
        try {
            const { limits } = await rover.status();
            assert.equal(typeof limits.chip_revision, 'number');
            assert.ok(limits.efuse_block_revision === null || limits.efuse_block_revision > 0);
        } finally {
            await rover.stop();
        }
    });
});

// Where the files that are never committed are at hand: what issue 10 wants of each.
describe('real files', () => {
    const folder = [`${root}/../shared/cases`, `${root}/../../shared/cases`].find(path => fs.existsSync(path));
    const at = name => `${folder}/${name}`;

    test('espflash, a padded bootloader, Zephyr', { skip: !folder && 'they are not here' }, async () => {
        const s3 = fs.readFileSync(at('espflash-s3.bin'));
        assert.equal((await checked(at('espflash-s3.bin'))).build, s3.toString('hex', s3.length - 32, s3.length - 28));
        assert.equal((await checked(at('espflash-h2.bin'), '--chip', 'ESP32-H2')).code ?? null, null);
        assert.equal((await checked(at('espflash-h2.bin'))).code, 'image_wrong_chip');
        assert.equal((await checked(at('bootloader-padded.bin'))).code, 'image_bootloader');
        assert.equal((await checked(at('zephyr.bin'))).code, 'file_mcuboot');
    });
});
