// SPDX-License-Identifier: Apache-2.0
// The otapult command over files of every kind: made ones, and real ones where they are there.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { realFirmware, Samples } from './support/samples.mjs';

const SLOT = 0x640000;
const otapult = (...args) => run(program('otapult', 'OTAPULT'), args);
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

// This file's own reader of app images: an oracle that shares nothing with the core.
function readImage(bytes) {
    const text = (from, most) => bytes.subarray(from, from + most).toString('latin1').replace(/\0.*$/s, '');
    const segments = [];
    let at = 24;
    for (let i = 0; i < bytes[1]; i++) {
        const size = bytes.readUInt32LE(at + 4);
        segments.push({ offset: at + 8, load_address: bytes.readUInt32LE(at), size });
        at += 8 + size;
    }
    const end = (at + 16) & ~15;
    return {
        segments, checksumAt: end - 1, size: end + 32,
        version: text(0x30, 32), project: text(0x50, 32), idf: text(0x90, 32),
        date: text(0x80, 16), time: text(0x70, 16), build: bytes.toString('hex', 0xb0, 0xb4),
    };
}

function changed(bytes, ...changes) {
    const copy = Buffer.from(bytes);
    for (const [at, mask] of changes)
        copy[at] ^= mask;
    return copy;
}

const samples = new Samples();
let app, merged;

before(async () => {
    app = fs.readFileSync(await samples.make('firmware.bin', { version: '2.0.0', seed: 7 }));
    merged = fs.readFileSync(await samples.make('merged.bin', { version: '2.0.0', seed: 7, merged: true }));
});
after(() => samples.remove());

// Where the second segment's code is, and its header.
const middle = () => readImage(app).segments[1].offset + 100;
const lengthTop = () => readImage(app).segments[1].offset - 1;
const beginsWith = (text, size) => {
    const bytes = Buffer.alloc(size);
    bytes.write(text, 'latin1');
    return bytes;
};

// What the command says of a file: error code (null: accepted), kind, and how the file is made.
const made = [
    ['an app image', null, 'app', () => app],
    ['one bit of its code changed', 'image_checksum', 'app', () => changed(app, [middle(), 4])],
    ['the same bit changed twice', 'image_hash', 'app', () => changed(app, [middle(), 4], [middle() + 8, 4])],
    ['its SHA-256 changed', 'image_hash', 'app', () => changed(app, [app.length - 1, 1])],
    ['its last byte missing', 'image_truncated', 'app', () => app.subarray(0, -1)],
    ['its second half missing', 'image_truncated', 'app', () => app.subarray(0, app.length / 2)],
    ['a byte too many', 'image_trailing', 'app', () => Buffer.concat([app, Buffer.from([0])])],
    ['built for an ESP32', 'image_wrong_chip', 'app', () => changed(app, [12, 9])],
    ['no app description', 'image_no_description', 'app', () => changed(app, [0x20, 1])],
    ['no SHA-256 announced', 'image_no_hash', 'app', () => changed(app, [23, 1])],
    ['a segment longer than any', 'image_segment', 'app', () => changed(app, [lengthTop(), 0x7f])],
    ['larger than the slot', 'image_too_large', 'app', () => Buffer.concat([app, Buffer.alloc(SLOT, 0xff)])],
    ['a merged image', 'image_merged', 'merged', () => merged],
    ['a bootloader', 'image_bootloader', 'bootloader', () => merged.subarray(0, readImage(merged).size)],
    ['a partition table', 'file_partition_table', 'partition_table', () => merged.subarray(0x8000, 0x8c00)],
    ['OTA data', 'file_ota_data', 'ota_data', () => merged.subarray(0xe000, 0x10000)],
    ['an empty file', 'file_empty', 'other', () => Buffer.alloc(0)],
    ['erased flash', 'file_blank', 'other', () => Buffer.alloc(0x20000, 0xff)],
    ['an ELF file', 'file_elf', 'other', () => beginsWith('\x7fELF\x01\x01\x01', 4096)],
    ['a UF2 file', 'file_uf2', 'other', () => beginsWith('UF2\n\x57\x51\x5d\x9e', 512)],
    ['Intel HEX', 'file_hex', 'other', () => Buffer.from(':020000040000FA\r\n'.repeat(100))],
    ['a gzip file in a gzip file', 'file_gzip', 'other', () => zlib.gzipSync(zlib.gzipSync(app))],
    ['a damaged gzip file', 'gzip_damaged', 'other', () => changed(zlib.gzipSync(app), [20, 4])],
    ['a ZIP archive', 'file_archive', 'other', () => beginsWith('PK\x03\x04\x14', 600)],
    ['a web page', 'file_text', 'other', () => Buffer.from('<!DOCTYPE html><title>404</title>'.repeat(40))],
    ['nothing that is known', 'file_unknown', 'other', () => beginsWith('\x01\x8e\xf3\x77', 4096)],
];

const real = [
    ...[20, 29, 30, 38, 39, 40].map(n => [`s3-build-${n}.bin`, null, 'app']),
    ['s3-merged-40.bin', 'image_merged', 'merged'],
    ['s3-bootloader.bin', 'image_bootloader', 'bootloader'],
    ['esp32-bootloader.bin', 'image_bootloader', 'bootloader'],
    ['s2-app.bin', 'image_wrong_chip', 'app'],
    ['s3-partitions.bin', 'file_partition_table', 'partition_table'],
    ['s3-otadata-ota0.bin', 'file_ota_data', 'ota_data'],
];

test('a packed file is told by what is in it', async () => {
    for (const [name, packed] of [['app.bin.gz', zlib.gzipSync(app)], ['zlib.bin', zlib.deflateSync(app)]]) {
        const file = samples.write(name, packed);
        const check = await otapult('check', file);
        assert.match(check.stdout, /^ok .*, sent as gzip, .*\n$/);
        const checked = JSON.parse((await otapult('check', '--json', file)).stdout);
        assert.deepEqual([checked.packed, checked.file_size, checked.size], ['gzip', packed.length, app.length]);
        assert.equal(checked.sha256, sha256(app));
        const told = JSON.parse((await otapult('info', '--json', file)).stdout);
        assert.deepEqual([told.kind, told.fit, told.packed, told.file_size], ['app', true, 'gzip', packed.length]);
        assert.match((await otapult('info', file)).stdout, /unpacked .*\n.*packed as +gzip/);
    }
});

// Both verbs, for people and for programs, over one file.
async function agrees(file, code, kind) {
    const bytes = fs.readFileSync(file);
    const check = await otapult('check', file);
    const checked = JSON.parse((await otapult('check', '--json', file)).stdout);
    const info = await otapult('info', file);
    const told = JSON.parse((await otapult('info', '--json', file)).stdout);

    assert.equal(checked.success, code === null);
    assert.equal(checked.code ?? null, code);
    assert.equal(check.status, code === null ? 0 : 1);
    if (code === null) {
        assert.match(check.stdout, /^ok .*\n$/);
        assert.equal(check.stderr, '');
        assert.equal(checked.sha256, sha256(bytes));
        assert.equal(checked.build, readImage(bytes).build);
    } else {
        assert.deepEqual(Object.keys(checked), ['success', 'file', 'error', 'code', 'detail', 'hint']);
        for (const part of [checked.error, `(${code})`, checked.detail, checked.hint])
            assert.ok(check.stderr.includes(part), `${part} in ${check.stderr}`);
        assert.equal(check.stdout, '');
    }
    assert.equal(told.kind, kind);
    assert.equal(told.fit, code === null);
    assert.equal(told.file_size, bytes.length);
    assert.equal(info.stderr, '');
    assert.equal(info.status, code === 'file_unknown' || (kind === 'partition_table' && !told.table.fit) ? 1 : 0);
    return { told, text: info.stdout };
}

function describesApp(image, bytes) {
    const want = readImage(bytes);
    for (const key of ['version', 'project', 'idf', 'date', 'time', 'build', 'size'])
        assert.equal(image[key], want[key], key);
    const segments = image.segments.map(({ kind, ...segment }) => segment);
    assert.deepEqual(segments, want.segments.map(s => ({ ...s, offset: s.offset + image.at })));
    assert.equal(image.sha256, sha256(bytes.subarray(0, want.size)));
}

test('an Arduino build without a version of its own says so in info and check', async () => {
    const file = await samples.make('stub.bin', { version: 'esp-idf: v4.4.7', project: 'arduino-lib-builder', seed: 77 });
    for (const verb of ['info', 'check']) {
        const { status, stdout } = await otapult(verb, file);
        assert.equal(status, 0);
        assert.match(stdout, /Arduino build, no version of its own; add OTAPULT_FIRMWARE/);
        assert.doesNotMatch(stdout, /arduino-lib-builder|version +esp-idf/);
    }
});

describe('every kind of file', () => {
    for (const [what, code, kind, bytes] of made) {
        test(`${what}: ${code ?? 'ok'}`, async () => {
            const name = `${what.replaceAll(' ', '-')}.bin`;
            await agrees(samples.write(name, bytes()), code, kind);
            fs.rmSync(`${samples.folder}/${name}`);
        });
    }
});

describe('real files', () => {
    for (const [name, code, kind] of real.filter(([name]) => realFirmware(name))) {
        test(`${name}: ${code ?? 'ok'}`, async () => {
            const file = realFirmware(name);
            const { told } = await agrees(file, code, kind);
            if (kind === 'app')
                describesApp(told.images[0], fs.readFileSync(file));
        });
    }
});

describe('info', () => {
    test('an app image: all that the file says', async () => {
        const { told, text } = await agrees(`${samples.folder}/firmware.bin`, null, 'app');
        const [image] = told.images;
        describesApp(image, app);
        assert.equal(image.chip, 'ESP32-S3');
        assert.deepEqual([image.checksum, image.hash, image.broken], ['right', 'right', null]);
        assert.ok(image.segments.some(s => s.kind === 'DROM') && image.segments.some(s => s.kind === 'IROM'));
        for (const part of ['2.0.0', image.build, image.idf, image.sha256, 'DROM', 'IROM', '256.0 KiB'])
            assert.ok(text.includes(part), `${part} in ${text}`);
        assert.match(text, /update: an ESP32-S3 with slots of 6,553,600 bytes \(6\.25 MiB\) takes it/);
    });

    test('a broken image: what is right and what is wrong', async () => {
        const cases = [
            [changed(app, [middle(), 4]), 'wrong', 'wrong'],
            [changed(app, [readImage(app).checksumAt, 1]), 'wrong', 'wrong'],
            [changed(app, [app.length - 1, 1]), 'right', 'wrong'],
            [changed(app, [23, 1]), 'right', 'absent'],
            [app.subarray(0, -1), 'right', 'unreached'],
            [app.subarray(0, 9000), 'unreached', 'unreached'],
        ];
        for (const [bytes, checksum, hash] of cases) {
            const file = samples.write('broken.bin', bytes);
            const [image] = JSON.parse((await otapult('info', '--json', file)).stdout).images;
            assert.deepEqual([image.checksum, image.hash, image.version], [checksum, hash, '2.0.0']);
        }
        const text = (await otapult('info', samples.write('broken.bin', app.subarray(0, 9000)))).stdout;
        assert.match(text, /the file ends inside a segment, at 0x/);
        assert.match(text, /update: an ESP32-S3 .* refuses it\n.*\(image_truncated\)/);
    });

    test('a merged image: what stands where', async () => {
        const { told, text } = await agrees(`${samples.folder}/merged.bin`, 'image_merged', 'merged');
        assert.deepEqual(told.images.map(i => [i.at, i.kind]), [[0, 'bootloader'], [0x10000, 'app']]);
        describesApp(told.images[1], merged.subarray(0x10000));
        assert.equal(told.table.at, 0x8000);
        assert.equal(told.table.fit, true);
        assert.deepEqual(told.table.partitions.map(p => `${p.label}:${p.type}:${p.subtype}`),
            ['nvs:data:nvs', 'otadata:data:ota', 'app0:app:ota_0', 'app1:app:ota_1', 'spiffs:data:spiffs',
                'coredump:data:coredump']);
        assert.equal(told.ota_data.at, 0xe000);
        assert.equal(told.ota_data.slot, 0);
        const parts = ['0x0: a bootloader', '0x8000: a partition table', '0x10000: an app image',
            'chooses      ota_0'];
        for (const part of parts)
            assert.ok(text.includes(part), `${part} in ${text}`);
    });

    test('a partition table: is it fit for updates?', async () => {
        const table = merged.subarray(0x8000, 0x8c00);
        const fit = await otapult('info', samples.write('table.bin', table));
        assert.match(fit.stdout, /\n {2}fit for updates over the air\n$/);
        assert.equal(fit.status, 0);
        assert.doesNotMatch(fit.stdout + fit.stderr, /Upload failed/);

        const oneSlot = Buffer.from(table); // the second slot becomes a data partition; without its MD5 entry
        oneSlot.set([1, 0x40], 3 * 32 + 2);
        oneSlot.fill(0xff, 6 * 32, 7 * 32);
        const unfit = await otapult('info', samples.write('table.bin', oneSlot));
        assert.match(unfit.stdout, /not fit for updates over the air: it has one OTA slot, two are needed/);
        assert.equal(unfit.status, 1);
        assert.equal((await otapult('info', '--json', samples.write('table.bin', oneSlot))).status, 1);

        const recovery = Buffer.from(oneSlot); // a factory app beside the one slot, in the place of coredump
        recovery.set([0, 0], 5 * 32 + 2);
        const led = await otapult('info', samples.write('table.bin', recovery));
        assert.match(led.stdout, /\n {2}fit for updates over the air\n$/);
        assert.equal(led.status, 0);

        for (const size of [0, 0x800]) {
            const small = Buffer.from(table);
            small.writeUInt32LE(size, 3 * 32 + 8);
            small.fill(0xff, 6 * 32, 7 * 32);
            const { stdout, status } = await otapult('info', samples.write('table.bin', small));
            assert.match(stdout, new RegExp(`not fit for updates over the air: the app slot app1 has ${size} bytes, less than a sector of 4096`));
            assert.equal(status, 1);
        }
    });

    test('a real table without OTA slots', { skip: !realFirmware('s3-partitions.bin') }, async () => {
        const { stdout } = await otapult('info', realFirmware('s3-partitions.bin'));
        assert.match(stdout, /not fit for updates over the air: it has no OTA slots, two are needed/);
    });

    test('another chip', async () => {
        const file = await samples.make('esp32.bin', { chip: 0 });
        const forS3 = `${samples.folder}/firmware.bin`;
        assert.match((await otapult('info', file)).stdout, /an app image for ESP32\n/);
        assert.equal((await otapult('check', file)).status, 1);
        assert.equal((await otapult('check', '--chip', 'esp32', file)).status, 0);
        assert.equal((await otapult('check', '--chip=esp32_s3', forS3)).status, 0);
        assert.equal((await otapult('check', '--chip', 'ESP32-C3', forS3)).status, 1);
    });

    test('text out of a file cannot talk to the terminal', async () => {
        const file = await samples.make('escape.bin', { version: '\x1b[31m2.0\x07', project: '<b>' });
        for (const args of [['info', file], ['check', file], ['info', '--json', file]]) {
            const { stdout } = await otapult(...args);
            assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f]/);
            assert.match(stdout, /\?\[31m2\.0\?/);
        }
        const named = samples.write('\x1b[31m.bin', app);
        assert.doesNotMatch((await otapult('info', named)).stdout, /\x1b/);
    });
});

describe('check', () => {
    test('the size of the slot', async () => {
        const file = `${samples.folder}/firmware.bin`;
        const cases = { [app.length]: 0, [app.length - 1]: 1, '256K': 0, '255K': 1, '4M': 0, [SLOT]: 0 };
        for (const [size, status] of Object.entries({ ...cases, [`0x${app.length.toString(16)}`]: 0 }))
            assert.equal((await otapult('check', '--slot-size', size, file)).status, status, size);
        const refused = JSON.parse((await otapult('check', '--slot-size=4096', '--json', file)).stdout);
        assert.equal(refused.code, 'image_too_large');
        assert.equal(refused.error, 'Not enough space');
        for (const verb of ['check', 'info']) {
            const { stdout, stderr } = await otapult(verb, '--slot-size=4096', file);
            assert.match(stdout + stderr, new RegExp(`the file needs ${app.length} bytes, the slot has 4096`));
        }
    });

    test('the name of the file', async () => {
        const file = samples.write('firmware.img', app);
        const refused = await otapult('check', file);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /Upload failed \(file_name\)/);
        assert.equal((await otapult('check', samples.write('FIRMWARE.BIN', app))).status, 0);
    });
});

describe('extract', () => {
    const out = () => `${samples.folder}/out.bin`;
    const extracted = async (...args) => {
        fs.rmSync(out(), { force: true });
        const result = await otapult('extract', ...args, '--out', out(), '--json');
        return { ...result, json: JSON.parse(result.stdout), bytes: fs.existsSync(out()) ? fs.readFileSync(out()) : null };
    };

    test('the application out of a merged image is the application', async () => {
        const { status, json, bytes } = await extracted(samples.write('merged.bin', merged));
        assert.equal(status, 0);
        assert.deepEqual(bytes, merged.subarray(json.at, json.at + json.size));
        assert.equal(json.at, 0x10000);
        assert.equal((await otapult('check', out())).status, 0);
    });

    test('out of a dump of a slot, and of itself', async () => {
        const dump = Buffer.concat([app, Buffer.alloc(SLOT - app.length, 0xff)]);
        for (const file of [samples.write('slot.bin', dump), samples.write('app.bin', app)])
            assert.deepEqual((await extracted(file)).bytes, app);
    });

    test('out of a dump of a chip: the slot that boots, or the one that is named', async () => {
        const rover = await startRover();
        const second = await samples.make('second.bin', { version: '2.0.0', seed: 77 });
        await fetch(`${rover.url}/api/ota/upload`, { method: 'POST', body: fs.readFileSync(second),
            headers: { 'Content-Type': 'application/octet-stream' } });
        await rover.waitFor('the second firmware', status => status.running === 'app1' && !status.pending);
        const dump = samples.write('chip.bin', fs.readFileSync(rover.flashPath));
        await rover.stop();
        const boots = await extracted(dump);
        assert.equal(boots.json.version, '2.0.0');
        assert.deepEqual(boots.bytes, fs.readFileSync(second));
        for (const name of ['app0', 'ota_0'])
            assert.equal((await extracted(dump, '--slot', name)).json.version, '1.0.0');
        assert.deepEqual([(await extracted(dump, '--slot', 'app7')).json.code], ['no_app']);
    });

    test('nothing broken is let out', async () => {
        const bent = Buffer.from(merged);
        bent[0x10000 + 30000] ^= 1;
        const { status, bytes } = await extracted(samples.write('bent.bin', bent));
        assert.equal(status, 1);
        assert.equal(bytes, null);
        assert.equal((await extracted(samples.write('none.bin', 'no firmware'))).json.code, 'no_app');
    });
});

describe('the command line', () => {
    test('standard input', async () => {
        const piped = (input, ...args) => run(program('otapult', 'OTAPULT'), args, { input });
        const fine = await piped(app, 'check', '-');
        assert.equal(fine.status, 0);
        assert.match(fine.stdout, /^ok standard input: rover 2\.0\.0, build [0-9a-f]{8}, /);
        assert.equal((await piped(merged, 'check', '-')).status, 1);
        assert.equal((await piped('', 'check', '-')).status, 1);
        assert.equal(JSON.parse((await piped(merged, 'info', '-', '--json')).stdout).kind, 'merged');
    });

    test('a file that cannot be read', async () => {
        for (const file of [`${samples.folder}/absent.bin`, samples.folder]) {
            for (const verb of ['info', 'check']) {
                const result = await otapult(verb, file);
                assert.equal(result.status, 1);
                assert.match(result.stderr, /No such file|Is a directory/);
                assert.equal(result.stdout, '');
                const json = await otapult(verb, file, '--json');
                assert.equal(json.status, 1);
                assert.equal(JSON.parse(json.stdout).code, 'file_unreadable');
            }
        }
    });

    test('no file is written over what it is made of', async () => {
        const one = samples.write('one.bin', app), all = samples.write('all.bin', merged);
        const next = await samples.make('next.bin', { version: '2.0.1', seed: 7 }), was = fs.readFileSync(next);
        fs.symlinkSync(all, `${samples.folder}/link.bin`);
        for (const args of [['patch', one, next, '--out', one], ['patch', one, next, '--out', next],
            ['extract', all, '--out', all], ['extract', all, '--out', `${samples.folder}/link.bin`]]) {
            const result = await otapult(...args);
            assert.equal(result.status, 2, args.join(' '));
            assert.match(result.stderr, /would write over its input/);
        }
        assert.deepEqual([one, next, all].map(file => fs.readFileSync(file)), [app, was, merged]);
    });

    test('every FILE has its JSON line, and the line names it', async () => {
        const bad = samples.write('text.bin', 'hello'), key = `${samples.folder}/line.pem`;
        await otapult('keygen', key, '--scheme', 'ecdsa256');
        for (const [verb, ...files] of [['check', bad, samples.write('fine.bin', app)], ['key-digest', bad, key, `${samples.folder}/absent`]]) {
            const { status, stdout } = await otapult(verb, '--json', ...files);
            assert.equal(status, 1);
            const said = stdout.trim().split('\n').map(line => JSON.parse(line));
            assert.deepEqual(said.map(line => line.file.replace(/.*\//, '')), files.map(file => file.replace(/.*\//, '')), verb);
            assert.deepEqual(said.map(line => line.success), verb === 'check' ? [false, true] : [false, true, false]);
        }
    });

    test('no release is written that robots would refuse', async () => {
        const key = `${samples.folder}/release.pem`, file = samples.write('fw.bin', app);
        await otapult('keygen', key, '--scheme', 'ecdsa256');
        for (const more of [['--channel', ''], ['--channel', 'a'.repeat(24)], ['--minimum', 'new'], ['--minimum', '1'.repeat(40)]]) {
            const { status, stderr } = await otapult('release', file, `${samples.folder}/site`, '--key', key, ...more);
            assert.equal(status, 2, more.join(' '));
            assert.match(stderr, /--(channel|minimum) wants/);
        }
        assert.equal(fs.existsSync(`${samples.folder}/site`), false);
    });

    test('wrong usage says why in JSON, too', async () => {
        const kind = JSON.parse((await otapult('push', samples.write('k.bin', app), 'b', '--as', 'toaster', '--json')).stdout);
        assert.match(kind.detail, /toaster: no such kind of device; known are brief/);
        const token = JSON.parse((await otapult('log', 'b', '--token', `@${samples.folder}/absent`, '--json')).stdout);
        assert.match(token.detail, /--token: .*absent: No such file/);
        for (const args of [['puhs', 'a', '--json'], ['--json', 'info', 'a']]) {
            const { status, stdout } = await otapult(...args);
            assert.deepEqual([status, JSON.parse(stdout).code], [2, 'usage'], args.join(' '));
        }
    });

    test('wrong usage: status 2, and words on standard error', async () => {
        const wrong = ['', 'frobnicate', 'help frobnicate', 'info', 'check', 'keygen a b', 'check --nonsense a',
            'check --running banana a', 'check --running nightly a', 'check --json=1 a', 'check -z a',
            'check --chip esp9000 a', 'check --slot-size', 'check --slot-size 0 a', 'check --slot-size -1 a',
            'check --slot-size 12Q a', 'check --slot-size 99999999999M a', 'check --slot-size 5000M a'];
        for (const line of wrong) {
            const result = await otapult(...line.split(' ').filter(Boolean));
            assert.equal(result.status, 2, line);
            assert.notEqual(result.stderr, '');
            assert.equal(result.stdout, '');
        }
    });

    test('what is missing is called by its name', async () => {
        assert.match((await otapult('check')).stderr, /wants FILE…, got 0/);
        assert.match((await otapult('status')).stderr, /which robot\? Name one/);
        assert.match((await otapult('status', '')).stderr, /^otapult: '': is no robot: is empty$/m);
        assert.match((await otapult('info', '')).stderr, /^otapult: '': cannot be read: /);
        assert.match((await otapult('--quiet', 'info', 'a')).stderr, /--quiet: options stand behind the verb/);
    });

    test('help and version', async () => {
        for (const args of [['--help'], ['-h'], ['help']])
            assert.match((await otapult(...args)).stdout, /^ info .*^ check /ms);
        for (const args of [['help', 'check'], ['check', '--help']])
            assert.match((await otapult(...args)).stdout, /^usage: otapult check FILE… [^]*--slot-size/);
        assert.match((await otapult('--version')).stdout, /^otapult \d+\.\d+\.\d+\n$/);
    });
});
