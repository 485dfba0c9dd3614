// SPDX-License-Identifier: Apache-2.0
// The browser's judge of firmware files, fed with images built here byte by byte and, where they are at
// hand, with real ones.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {test} from 'node:test';
import vm from 'node:vm';

const ROOT = new URL('../../', import.meta.url);
const FIRMWARE = new URL('../shared/firmware/', ROOT);
const S3 = {chip: 'ESP32-S3', slot_size: 0x640000};

// ---- the judge, with the error table as ui-pack puts it in ----

function errorTable() {
    const source = readFileSync(new URL('include/otapult/errors.def', ROOT), 'utf8');
    const macros = [...source.matchAll(/#define (CAP_\w+)\s+"(.*)"/g)];
    const captions = Object.fromEntries(macros.map(m => [m[1], m[2]]));
    const rows = source.matchAll(/OTAPULT_ERROR\(\w+, \w+, "(\w+)", (CAP_\w+), \d+,\s*"(.*)",/g);
    const pairs = [...rows].map(([, code, caption, detail]) => [code, [captions[caption], detail]]);
    return Object.fromEntries(pairs);
}

const TABLE = errorTable();
const SOURCE = ['version', 'sha256', 'judge'].map(name =>
    readFileSync(new URL(`ui/${name}.js`, ROOT), 'utf8')).join('\n');

/* As on a page at http://ADDRESS: without crypto.subtle, which browsers keep for https and localhost. */
function load() {
    const source = SOURCE.replace('/*ERRORS*/', JSON.stringify(TABLE));
    return vm.runInNewContext(`${source};({judge, judgeHash, sha256, compareVersions})`,
        {TextDecoder, Uint8Array, setTimeout});
}

const {judge, judgeHash, sha256, compareVersions} = load();

function verdict(bytes, limits = S3, name = 'firmware.bin') {
    const got = judge(Uint8Array.from(bytes), name, limits);
    assert.ok(got.code === null || got.code in TABLE, `${got.code} is not in the table`);
    assert.doesNotMatch(got.detail, /[{}]|undefined|NaN/, `${got.code}: ${got.detail}`);
    return got;
}

const code = (...args) => verdict(...args).code;

// ---- images ----

const bytesOf = text => Buffer.from(text, 'latin1');

function description(spec) {
    const d = Buffer.alloc(256);
    d.writeUInt32LE(0xABCD5432, 0);
    d.write(spec.version ?? '1.0.0', 16, 32);
    d.write(spec.project ?? 'demo', 48, 32);
    d.write(spec.time ?? '12:00:00', 80, 16);
    d.write(spec.date ?? 'Jan  1 2026', 96, 16);
    d.write(spec.idf ?? 'v5.3.2', 112, 32);
    d.writeUInt32BE(spec.build ?? 0x1f2e3d4c, 144);
    return d;
}

function header(segments, spec) {
    const h = Buffer.from('e900024f00003740ee00000000000000' + '00ffff0000000001', 'hex');
    h[1] = spec.count ?? segments.length;
    h.writeUInt16LE(spec.chip ?? 9, 12);
    h[23] = spec.hash ?? 1;
    return h;
}

// The second segment lies where its place in a 64 KB page of the file demands.
function appSegments(spec) {
    const first = Buffer.concat([description(spec), Buffer.alloc(spec.data ?? 64, 0x5A)]);
    return [[0x3C000020, first], [0x42000000 + 40 + first.length, Buffer.alloc(128, 0xA5)]];
}

function image(spec = {}) {
    const segments = spec.segments ?? appSegments(spec);
    const parts = [header(segments, spec)];
    let sum = 0xEF;
    for (const [load, data] of segments) {
        const head = Buffer.alloc(8);
        head.writeUInt32LE(load, 0);
        head.writeUInt32LE(data.length, 4);
        parts.push(head, data);
        sum = data.reduce((a, b) => a ^ b, sum);
    }
    const size = Buffer.concat(parts).length;
    const padding = Buffer.alloc(16 - size % 16);
    padding[padding.length - 1] = sum;
    parts.push(padding);
    return Buffer.concat([...parts, createHash('sha256').update(Buffer.concat(parts)).digest()]);
}

const ram = [[0x3FCE2820, Buffer.alloc(512, 1)], [0x403C8700, Buffer.alloc(4096, 2)]];
const bootloader = spec => image({segments: ram, ...spec});

function table(offset, subtype = 0x10) {
    const t = Buffer.alloc(0xC00, 0xFF);
    t.write('aa500102009000000050000', 'hex');
    t.fill(0, 12, 32);
    Buffer.from([0xAA, 0x50, 0, subtype]).copy(t, 32);
    t.writeUInt32LE(offset, 36);
    t.writeUInt32LE(0x640000, 40);
    t.fill(0, 44, 64);
    return t;
}

function merged(app, {at = 0x10000, tableAt = 0x8000, boot = bootloader()} = {}) {
    const flash = Buffer.alloc(at + app.length, 0xFF);
    boot.copy(flash, 0);
    table(at).copy(flash, tableAt);
    app.copy(flash, at);
    return flash;
}

// ---- an app image ----

test('a built image is accepted, and says what it is', () => {
    const app = image({version: '2.0.0', project: 'rover'});
    const {code, info, detail} = verdict(app);
    assert.equal(code, null);
    assert.equal(detail, '');
    assert.deepEqual(
        [info.chip, info.project, info.version, info.build, info.idf, info.date, info.time, info.size],
        ['ESP32-S3', 'rover', '2.0.0', '1f2e3d4c', 'v5.3.2', 'Jan  1 2026', '12:00:00', app.length]);
});

test('the hand-made test vector of the facts: checksum 0xDD, 336 bytes', async () => {
    const segment = Buffer.alloc(256);
    segment.writeUInt32LE(0xABCD5432, 0);
    segment.write('1.0.0', 16);
    segment.write('demo', 48);
    const app = image({segments: [[0x3C000020, segment]]});
    assert.equal(createHash('sha256').update(app).digest('hex'),
        'a26495082d1b68d371b1b31d3cbb95d66c5c1556f5004d6af11cfe3ada9bb2d7');
    const {code, info} = verdict(app);
    assert.equal(code, null);
    assert.equal(await judgeHash(Uint8Array.from(app), info), null);
    app[0x12F] = 0xDC;
    assert.equal(verdict(app).detail, 'checksum at 0x12f is 0xdc, the data gives 0xdd');
});

test('all lengths of padding', () => {
    for (let data = 0; data < 64; data += 4)
        assert.equal(code(image({data})), null, `${data} bytes`);
});

test('a cut file is refused at every length', () => {
    const app = image();
    for (let size = 2; size < app.length; size++) {
        const got = verdict(app.subarray(0, size));
        assert.equal(got.code, 'image_truncated', `${size} bytes`);
        assert.match(got.detail, new RegExp(`^the file ends at 0x${size.toString(16)}, .*[1-9]`));
    }
    assert.match(verdict(app.subarray(0, app.length - 5)).detail, / 5 bytes are missing/);
});

test('a device that wants a signature gets none that is missing', () => {
    const app = image();
    const signed = {...S3, signed: true};
    const fill = Buffer.alloc(-app.length & 4095, 0xFF);
    const sector = Buffer.alloc(4096, 0xFF);
    sector[0] = 0xE7;
    const got = verdict(app, signed);

    assert.equal(got.code, 'signature_missing');
    assert.match(got.detail, new RegExp(`ends at 0x${app.length.toString(16)}$`));
    assert.equal(code(Buffer.concat([app, fill, sector]), signed), null); // what it holds the device sees
    assert.equal(code(Buffer.concat([app, fill, sector]), S3), null);
});

test('what is wrong with an image', () => {
    const app = image();
    const damaged = Buffer.from(app);
    damaged[0x150] ^= 4;
    const odd = Buffer.from(app);
    odd.writeUInt32LE(257, 28);
    const huge = Buffer.from(app);
    huge.writeUInt32LE(0x1000000, 28);

    assert.equal(code(damaged), 'image_checksum');
    assert.equal(code(Buffer.concat([app, Buffer.alloc(1)])), 'image_trailing');
    assert.equal(code(odd), 'image_segment');
    assert.match(verdict(odd).detail, /no multiple of 4 \(0x101\).*0x18/);
    assert.match(verdict(huge).detail, /16 MB or more \(0x1000000\).*0x18/);
    assert.equal(code(image({count: 0})), 'image_segment');
    assert.equal(code(image({count: 17})), 'image_segment');
    assert.equal(code(image({hash: 0})), 'image_no_hash');
    assert.equal(verdict(image({chip: 2})).detail, 'built for ESP32-S2, this device is ESP32-S3');
    assert.equal(verdict(image({chip: 0x77})).detail, 'built for an unknown chip, this device is ESP32-S3');
    assert.equal(code(image({chip: 2}), {chip: 'ESP32-S2'}), null);
    assert.equal(code(image({segments: [[0x3C000020, Buffer.alloc(512)]]})), 'image_no_description');
    assert.equal(code(image({segments: [[0x3F400020, Buffer.alloc(512)]], chip: 0})), 'image_wrong_chip');
});

test('the slot has room, or not', () => {
    const app = image();
    assert.equal(code(app, {...S3, slot_size: app.length}), null);
    assert.equal(verdict(app, {...S3, slot_size: app.length - 1}).detail,
        `the file needs ${app.length} bytes, the slot has ${app.length - 1}`);
    assert.equal(code(app, {...S3, size: 0x4000000}), 'image_too_large', 'more in the file than was read');
});

test('the appended SHA-256, where the browser can compute one', async () => {
    const app = Uint8Array.from(image());
    const {info} = verdict(app);
    assert.equal(await judgeHash(app, info), null);
    app[app.length - 1] ^= 1;
    assert.equal(verdict(app).code, null, 'not the checksum\'s business');
    assert.equal((await judgeHash(app, info)).code, 'image_hash');
});

test('texts of a hostile description', () => {
    const {info} = verdict(image({project: 'a\x01\x7f<b>\xff', version: 'x'.repeat(32)}));
    assert.match(info.project, /^a\?\?<b>/);
    assert.equal(info.version, 'x'.repeat(31));
});

// ---- what is not one ----

const padded = (text, size = 600, fill = 0x91) => Buffer.concat([bytesOf(text), Buffer.alloc(size, fill)]);
const at = (offset, text, fill = 0x91) => Buffer.concat([Buffer.alloc(offset, fill), padded(text)]);
const otaRecord = Buffer.from(`01000000${'ff'.repeat(24)}9a984347`, 'hex');
const otaData = Buffer.concat([otaRecord, Buffer.alloc(8160, 0xFF)]);
const fat = (begin, offset = 0) => {
    const b = Buffer.alloc(offset + 4096, offset ? 0xFF : 0);
    bytesOf(`${begin}MSDOS5.0\0\x02\x08\x01\0\x02\0\x02\0\0\xF8`).copy(b, offset);
    b.writeUInt16BE(0x55AA, offset + 510);
    return b;
};

const nvs = Buffer.concat([bytesOf('\xFE\xFF\xFF\xFF\0\0\0\0\xFE'), Buffer.alloc(4087, 0xFF)]);
const emptySpiffs = Buffer.alloc(4096, 0xFF);
bytesOf('\x09\x04\0\0').copy(emptySpiffs, 0xFC);
const spiffs = Buffer.alloc(4096);
bytesOf('\x01\x80').copy(spiffs, 0);
bytesOf('\x01\x80').copy(spiffs, 0x100);

const KINDS = [
    ['file_elf', padded('\x7FELF\x01\x01')],
    ['file_uf2', padded('UF2\n\x57\x51\x5D\x9E')],
    ['file_hex', padded(':020000040800F2\n')],
    ['file_hex', padded('S0030000FC\n')],
    ['file_gzip', padded('\x1F\x8B\x08\0')],
    ['file_gzip', padded('\x78\x9C', 600, 0)],
    ['file_archive', padded('PK\x03\x04')],
    ['file_archive', padded('\xFD7zXZ\0')],
    ['file_archive', padded('\x28\xB5\x2F\xFD')],
    ['file_archive', padded('BZh9')],
    ['file_archive', padded('7z\xBC\xAF\x27\x1C')],
    ['file_archive', at(257, 'ustar\0', 0x00)],
    ['file_archive', padded('PK\x05\x06')],
    ['file_other', padded('%PDF-1.7\n%\xE2\xE3')],
    ['file_text', bytesOf('<p>\xC2\xEE\xE9\xF2\xE8</p>'.repeat(40))],
    ['file_text', Buffer.from('\uFEFF<html>'.repeat(60), 'utf16le')],
    ['file_unknown', bytesOf('<p>\xC2\xEE\xE9\x1F</p>'.repeat(40))],
    ['file_text', bytesOf('<!DOCTYPE html><title>404</title>')],
    ['file_text', bytesOf('{"error":"no"}\r\n\t')],
    ['file_text', Buffer.from('ошибка')],
    ['file_partition_table', table(0x10000)],
    ['file_ota_data', otaData],
    ['file_ota_data', Buffer.alloc(8192, 0xFF)],
    ['file_ota_data', Buffer.concat([Buffer.alloc(4096, 0xFF), otaRecord, Buffer.alloc(4064, 0xFF)])],
    ['file_filesystem', at(8, 'littlefs')],
    ['file_filesystem', fat('\xEB\x3C\x90')],
    ['file_filesystem', fat('\xE9\x3C\x90')],
    ['file_filesystem', fat('\xEB\x3C\x90', 4096)],
    ['file_filesystem', nvs],
    ['file_filesystem', emptySpiffs],
    ['file_filesystem', spiffs],
    ['file_blank', Buffer.alloc(5000, 0xFF)],
    ['file_blank', Buffer.alloc(5000, 0)],
    ['file_sealed', padded('\xCF\xB6\x88\x07')],
    ['file_sealed', padded('\x10\xDE\xCD\xFC')],
    ['image_esp8266', padded('\xE9\x01\x02\x40\x00\x00\x10\x40\x00\x00\x10\x40\x10\x00\x00\x00')],
    ['image_esp8266', padded('\xEA\x04\x02\x40\x10\x00\x10\x40\x00\x00\x00\x00')],
    ['file_unknown', padded('\x91\x02\xFE\x33')],
    ['image_bootloader', bootloader()],
    ['image_bootloader', bootloader({chip: 0})]
];

test('every other kind is named', () => {
    for (const [want, bytes] of KINDS)
        assert.equal(code(bytes), want, bytes.subarray(0, 16).toString('hex'));
});

test('what the bytes are comes before what they are called', () => {
    for (const name of ['firmware.elf', 'firmware', '.bin', ''])
        assert.equal(code(image(), S3, name), 'file_name', name);
    assert.equal(code(KINDS.find(([kind]) => kind === 'file_elf')[1], S3, 'firmware.elf'), 'file_elf');
    assert.equal(code(image({chip: 5}), S3, 'firmware'), 'image_wrong_chip');
    for (const name of ['firmware.bin', 'FIRMWARE.BIN', 'прошивка.bin'])
        assert.equal(code(image(), S3, name), null, name);
    assert.equal(code([]), 'file_empty');
});

// ---- files of the real world ----

test('without an ELF digest the SHA-256 at the end names the build', () => {
    const app = image({build: 0});
    assert.equal(verdict(app).info.build, app.toString('hex', app.length - 32, app.length - 28));
    assert.equal(verdict(image()).info.build, '1f2e3d4c');
});

test('what was read back with 0xFF behind it is offered without that', () => {
    const app = image();
    const slot = Buffer.alloc(0x10000, 0xFF);
    app.copy(slot);
    const {code, cure} = verdict(slot);
    assert.equal(code, 'image_trailing');
    assert.deepEqual(slot.subarray(cure.at, cure.at + cure.size), app);
    assert.equal(verdict(slot, {...S3, slot_size: 0x8000}).cure.size, app.length, 'the slot is smaller than what was read');
    slot[0xFFFF] = 0;
    assert.equal(verdict(slot).cure, undefined);
    slot[0xFFFF] = 0xFF;
    slot[0x150] ^= 1;
    assert.equal(verdict(slot).cure, undefined);
});

test('a padded bootloader, Zephyr, MCUboot', () => {
    const loader = bootloader();
    const padded = Buffer.alloc(0x8000, 0xFF);
    loader.copy(padded);
    assert.equal(code(padded), 'image_bootloader');
    const zephyr = Buffer.alloc(0x3000);
    zephyr.write('008e0020713d0100', 512, 'hex');
    assert.equal(code(zephyr), 'file_mcuboot');
    assert.equal(code(Buffer.concat([Buffer.from('3db8f39600000000', 'hex'), zephyr])), 'file_mcuboot');
});

test('the chip and its revisions are asked for as the device does', () => {
    const app = image();
    app.writeUInt16LE(2, 15);
    app.writeUInt16LE(99, 17);
    app.writeUInt16LE(103, 0xD0);
    app.writeUInt16LE(199, 0xD2);
    const asked = (chip, block) => code(app, {...S3, chip_revision: chip, efuse_block_revision: block});
    assert.equal(asked(1, null), 'image_chip_revision');
    assert.equal(asked(100, null), 'image_chip_revision');
    assert.equal(asked(2, 102), 'image_efuse_revision');
    assert.equal(asked(2, 200), 'image_efuse_revision');
    assert.notEqual(asked(2, 103), 'image_efuse_revision');
    assert.match(verdict(app, {...S3, chip_revision: 100}).detail, /needs chip revision v0\.99, this chip is v1\.0/);
});

// ---- merged images ----

test('a merged image, and the application cut out of it', () => {
    const app = image({version: '3.0.0'});
    for (const place of [{}, {at: 0x20000}, {tableAt: 0x9000}, {at: 0x20000, tableAt: 0x12000}]) {
        const flash = merged(app, place);
        const {code, detail, cure} = verdict(flash);
        assert.equal(code, 'image_merged');
        assert.match(detail, new RegExp(`partition table, at 0x${(place.tableAt ?? 0x8000).toString(16)}$`));
        assert.equal(cure.info.version, '3.0.0');
        assert.deepEqual(flash.subarray(cure.at, cure.at + cure.size), app);
    }
});

test('padded to the size of the flash, the application is still found', () => {
    const app = image();
    const flash = Buffer.alloc(0x1000000, 0xFF);
    merged(app).copy(flash);
    const {code, cure} = verdict(flash);
    assert.equal(code, 'image_merged');
    assert.equal(cure.size, app.length);
});

test('no table: the application at 0x10000 is taken', () => {
    const flash = merged(image());
    flash.fill(0xFF, 0x8000, 0x8C00);
    const {code, detail, cure} = verdict(flash);
    assert.equal(code, 'image_merged');
    assert.match(detail, /app image, at 0x10000$/);
    assert.equal(cure.at, 0x10000);
});

test('no cure where the application would be refused', () => {
    const damaged = image();
    damaged[0x150] ^= 1;
    assert.equal(verdict(merged(image({chip: 5}))).cure, undefined);
    assert.equal(verdict(merged(damaged)).cure, undefined);
    assert.equal(verdict(merged(image()), {...S3, slot_size: 100}).cure, undefined);
    assert.equal(verdict(merged(bootloader())).cure, undefined);
    const cut = merged(image());
    assert.equal(verdict(cut.subarray(0, cut.length - 1)).cure, undefined);
});

test('a merged image of a chip that boots from 0x1000', () => {
    const flash = merged(image({chip: 0}), {boot: Buffer.alloc(0)});
    bootloader({chip: 0}).copy(flash, 0x1000);
    const {code, detail, cure} = verdict(flash);
    assert.equal(code, 'image_merged_chip');
    assert.match(detail, /for ESP32, not ESP32-S3: bootloader, at 0x1000$/);
    assert.equal(cure, undefined);
});

// ---- anything ----

test('no input makes the judge fail, and no flipped bit passes', () => {
    let seed = 12345;
    const random = n => (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) % n;
    const app = image();
    const {segments} = verdict(app).info;
    const sources = [app, merged(app).subarray(0, 0x9000), ...KINDS.map(([, bytes]) => bytes)];

    for (let i = 0; i < 3000; i++) {
        const bytes = Buffer.from(sources[random(sources.length)].subarray(0, random(0x9000)));
        for (let n = random(8); n > 0 && bytes.length > 0; n--)
            bytes[random(Math.min(bytes.length, 700))] = random(256);
        verdict(bytes);
    }
    for (let bit = 0; bit < app.length * 8; bit++) {
        const bytes = Buffer.from(app);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        const isData = segments.some(([from, size]) => bit >= 8 * from && bit < 8 * (from + size));
        if (isData && code(bytes) === null)
            assert.fail(`bit ${bit} passes`);
    }
});

test('the page names only codes of the table', () => {
    const literals = [...SOURCE.matchAll(/'((?:image|file)_\w+)'/g)].map(m => m[1]);
    assert.ok(literals.length > 25);
    for (const literal of literals)
        assert.ok(literal in TABLE, literal);
});

// ---- real files ----

const REAL = {
    's3-build-20.bin': null, 's3-build-29.bin': null, 's3-build-30.bin': null, 's3-build-38.bin': null,
    's3-build-39.bin': null, 's3-build-40.bin': null,
    's3-merged-40.bin': 'image_merged', 's3-bootloader.bin': 'image_bootloader',
    'esp32-bootloader.bin': 'image_bootloader', 's2-app.bin': 'image_wrong_chip',
    's3-partitions.bin': 'file_partition_table', 's3-otadata-ota0.bin': 'file_ota_data'
};

const skip = !existsSync(FIRMWARE) && 'no ../shared/firmware here; the images above say the same';

test('real files', {skip}, async () => {
    for (const [name, want] of Object.entries(REAL)) {
        const bytes = Uint8Array.from(readFileSync(new URL(name, FIRMWARE)));
        const got = verdict(bytes, S3, name);
        assert.equal(got.code, want, name);
        if (want === null)
            assert.equal(await judgeHash(bytes, got.info), null, name);
    }
    const {cure} = verdict(readFileSync(new URL('s3-merged-40.bin', FIRMWARE)));
    assert.equal(cure.size, readFileSync(new URL('s3-build-40.bin', FIRMWARE)).length);
});

test('SHA-256 without the browser\'s own, at every length around a block', async () => {
    const lengths = [...Array(130).keys(), 1000, 65536, 600001];
    for (const length of lengths) {
        const bytes = Uint8Array.from({length}, (_, i) => i * 7 + (i >> 8));
        assert.equal(await sha256(bytes), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
    }
});

test('page and core decide alike which firmware is newer', () => {
    const firmware = text => {
        const [version, date = '', time = ''] = text.split('|');
        return {version, date, time};
    };
    const lines = readFileSync(new URL('test/image/versions.txt', ROOT), 'utf8').split('\n')
        .filter(line => line && line[0] !== '#');
    assert.ok(lines.length > 40);
    for (const line of lines) {
        const [word, a, b] = line.split('\t');
        const want = {older: -1, same: 0, newer: 1, unknown: null}[word];
        assert.equal(compareVersions(firmware(a), firmware(b)), want, line);
        assert.equal(compareVersions(firmware(b), firmware(a)), want && -want, `${line}, the other way round`);
    }
});
