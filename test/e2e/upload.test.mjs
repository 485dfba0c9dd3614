// SPDX-License-Identifier: Apache-2.0
// The main job with curl, as the brief has it: a file goes into the virtual rover and boots; every row of
// the brief's error table is produced for real; after any failure the next upload works.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { curl, upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { realFirmware, Samples } from './support/samples.mjs';

const samples = new Samples();
const sha256 = file => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const buildId = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);
const RAW = 'Content-Type: application/octet-stream';

after(() => samples.remove());

function refused(answer, status, caption, code) {
    assert.equal(answer.exit, 0, answer.stderr); // curl saw an answer, not a reset connection
    assert.equal(answer.status, status, answer.body);
    const { success, error, code: found, detail, hint } = answer.json;
    assert.deepEqual({ success, error, code: found }, { success: false, error: caption, code });
    assert.ok(detail.length > 3 && hint.length > 3);
}

describe('a good file', () => {
    let rover, second, third;

    before(async () => {
        rover = await startRover();
        second = await samples.make('second.bin', { version: '2.0.0', seed: 2 });
        third = await samples.make('third.bin', { version: '3.0.0', seed: 3, size: 700000 });
    });
    after(() => rover.stop());

    test('goes in as a form, boots and is confirmed', async () => {
        const before = await rover.status();
        assert.equal(before.running, 'app0');
        const answer = await upload(rover.url, second);
        assert.equal(answer.status, 200, answer.body);
        assert.match(answer.json.update, /^[0-9a-f]{8}$/);
        assert.deepEqual({ ...answer.json, update: undefined }, {
            update: undefined, success: true, message: 'Firmware uploaded successfully. Rebooting...', slot: 'app1', project: 'rover',
            version: '2.0.0', build: buildId(second), size: fs.statSync(second).size, sha256: sha256(second),
        });
        const now = await rover.waitFor('the confirmation', s => s.boot === before.boot + 1 && !s.pending);
        assert.equal(now.running, 'app1');
        assert.equal(now.slots[1].image.build, buildId(second));
        assert.equal(now.slots[1].state, 'valid');
        assert.equal(now.last.event, 'confirmed');
    });

    test('goes in as raw bytes, and back into the first slot', async () => {
        const boot = (await rover.status()).boot;
        const answer = await curl('-X', 'POST', '-H', RAW, '--data-binary', `@${third}`, `${rover.url}/api/ota/upload`);
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.slot, 'app0');
        const now = await rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
        assert.equal(now.running, 'app0');
        assert.equal(now.slots[0].image.version, '3.0.0');
    });

    // The board's server does not hand chunks over, so no device takes them.
    for (const expect of ['Expect: 100-continue', 'Expect:'])
        test(`is refused in words without a Content-Length, ${expect}`, async () => {
            const answer = await curl('-X', 'POST', '-H', RAW, '-H', 'Transfer-Encoding: chunked', '-H', expect,
                '--data-binary', `@${second}`, `${rover.url}/api/ota/upload`);
            assert.equal(answer.status, 400, answer.body);
            assert.equal(answer.json.code, 'content_length');
            assert.match(answer.json.detail, /takes no chunks/);
        });

    test('goes in beside other fields, in any order', async () => {
        const boot = (await rover.status()).boot;
        const answer = await curl('-F', 'note=hello', '-F', `firmware=@${second}`, '-F', 'after=1',
            `${rover.url}/api/ota/upload`);
        assert.equal(answer.status, 200, answer.body);
        await rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
    });

    test('boots again after the plug was pulled: the flash file is the robot', async () => {
        const running = (await rover.status()).running;
        const flash = rover.flashPath + '.kept';
        fs.copyFileSync(rover.flashPath, flash);
        const other = await startRover({ flash });
        const status = await other.status();
        await other.stop();
        fs.rmSync(flash);
        assert.equal(status.running, running);
        assert.equal(status.slots[0].image.version, '3.0.0');
    });
});

describe('a file that runs already', () => {
    let rover, second, packed;

    before(async () => {
        rover = await startRover();
        second = await samples.make('runs.bin', { version: '2.0.0', seed: 22 });
        packed = samples.write('runs.bin.gz', zlib.gzipSync(fs.readFileSync(second)));
        assert.equal((await upload(rover.url, second)).status, 200);
        await rover.waitForBoot(2);
        await rover.waitFor('the confirmation', s => !s.pending);
    });
    after(() => rover.stop());

    const raw = file => curl('-X', 'POST', '-H', RAW, '--data-binary', `@${file}`, `${rover.url}/api/ota/upload`);
    const ways = [
        ['as a form', () => upload(rover.url, second)],
        ['as raw bytes', () => raw(second)],
        ['packed', () => upload(rover.url, packed)],
    ];
    for (const [way, send] of ways)
        test(`${way}: is not written, and the way back stays`, async () => {
            const before = fs.readFileSync(rover.flashPath);
            const { status, json } = await send();
            assert.equal(status, 200);
            assert.deepEqual({ ...json, update: undefined }, {
                success: true, message: 'This firmware runs already. Nothing was written.', already: true, update: undefined,
                slot: 'app1', project: 'rover', version: '2.0.0', build: buildId(second), size: fs.statSync(second).size,
                sha256: sha256(second),
            });
            assert.ok(before.equals(fs.readFileSync(rover.flashPath)));
            const now = await rover.status();
            assert.deepEqual([now.boot, now.state, now.way_back.slot, now.last.event], [2, 'idle', 'app0', 'confirmed']);
        });

    test('one byte more, or another image that begins alike, is judged as ever', async () => {
        const longer = samples.write('longer.bin', Buffer.concat([fs.readFileSync(second), Buffer.from([0])]));
        const cheap = await upload(rover.url, longer);
        refused(cheap, 422, 'Update.end() failed', 'image_trailing');
        assert.equal(cheap.json.emptied, undefined);
        assert.equal((await rover.status()).way_back.slot, 'app0', 'nothing was erased for it');
        const other = fs.readFileSync(second);
        other[20000] ^= 1;
        const dear = await upload(rover.url, samples.write('other.bin', other));
        refused(dear, 422, 'Update.end() failed', 'image_checksum');
        assert.equal(dear.json.emptied, true);
        assert.match(dear.json.hint, /copy or build it again\. The other slot is empty now: the firmware before this one is gone; /);
        assert.equal((await rover.status()).way_back, null);
    });

    test('by force it is written', async () => {
        const answer = await curl('-F', `firmware=@${second}`, `${rover.url}/api/ota/upload?force=1`);
        assert.equal(answer.json.already, undefined);
        assert.equal(answer.json.slot, 'app0');
        await rover.waitForBoot(3);
    });
});

describe('a packed file', () => {
    let rover, plain, bytes;

    before(async () => {
        rover = await startRover();
        plain = await samples.make('packed.bin', { version: '2.0.0', seed: 2, size: 500000 });
        bytes = fs.readFileSync(plain);
    });
    after(() => rover.stop());

    async function goesIn(file, ...how) {
        const before = await rover.status();
        const answer = await curl('-F', `firmware=@${file}`, ...how, `${rover.url}/api/ota/upload?force=1`);
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.size, bytes.length);
        assert.equal(answer.json.sha256, sha256(plain));
        const done = await rover.status();
        if (done.boot === before.boot) { // else the restart was quicker
            assert.equal(done.received, fs.statSync(file).size);
            assert.equal(done.total, fs.statSync(file).size);
            assert.equal(done.written, bytes.length);
        }
        const now = await rover.waitFor('the confirmation', s => s.boot === before.boot + 1 && !s.pending);
        assert.equal(now.running, before.next);
        assert.equal(now.slots.find(slot => slot.running).image.build, buildId(plain));
    }

    test('the device says what it unpacks', async () => {
        const { limits } = await rover.status();
        assert.equal(limits.accepts[0], 'plain');
        assert.ok(limits.accepts.includes('gzip'));
    });

    for (const level of [1, 6, 9])
        test(`by gzip -${level}, firmware.bin.gz`, async () => {
            const packed = samples.write(`firmware-${level}.bin.gz`, execFileSync('gzip', [`-${level}`, '-c', plain]));
            assert.ok(fs.statSync(packed).size < bytes.length + 1000);
            await goesIn(packed);
        });

    test('by zlib, in a .bin', () => goesIn(samples.write('zlib.bin', zlib.deflateSync(bytes, { level: 9 }))));
    test('by gzip, in a .bin', () => goesIn(samples.write('gz.bin', zlib.gzipSync(bytes))));
});

describe('real builds of a product', () => {
    for (const n of [20, 29, 30, 38, 39, 40]) {
        test(`s3-build-${n}.bin, or an image of its size, is accepted and boots`, async () => {
            const file = realFirmware(`s3-build-${n}.bin`) ??
                await samples.make(`build-${n}.bin`, { version: `0.${n}`, seed: n, size: 900000 + n * 5000 });
            const rover = await startRover();
            try {
                const answer = await upload(rover.url, file);
                assert.equal(answer.status, 200, answer.body);
                const now = await rover.waitFor('the confirmation', s => s.boot === 2 && !s.pending);
                assert.equal(now.slots[1].image.build, buildId(file));
                assert.equal(now.running, 'app1');
            } finally {
                await rover.stop();
            }
        });
    }
});

describe('a wrong file is refused with words that help', () => {
    let rover, good, bytes, url;

    before(async () => {
        rover = await startRover();
        good = await samples.make('firmware.bin', { version: '2.0.0', seed: 2 });
        bytes = fs.readFileSync(good);
        url = `${rover.url}/api/ota/upload`;
    });
    after(() => rover.stop());

    const damaged = (file, at) => {
        const copy = Buffer.from(file);
        copy[at < 0 ? copy.length + at : at] ^= 1;
        return copy;
    };
    const flipped = at => damaged(bytes, at);
    const real = (name, make) => async () => realFirmware(name) ?? make();
    const write = (name, content) => async () => samples.write(name, content());
    const padded = head => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(4096, 0xaa)]);
    const END = 'Update.end() failed', UPLOAD = 'Upload failed', SPACE = 'Not enough space';

    const files = [
        ['a merged image', 422, END, 'image_merged',
            real('s3-merged-40.bin', () => samples.make('merged.bin', { merged: true }))],
        ['a wrong chip', 422, END, 'image_wrong_chip', real('s2-app.bin', () => samples.make('s2.bin', { chip: 2 }))],
        ['a truncated file', 422, END, 'image_truncated', write('cut.bin', () => bytes.subarray(0, -1000))],
        ['a wrong checksum', 422, END, 'image_checksum', write('sum.bin', () => flipped(-33))],
        ['a wrong SHA-256', 422, END, 'image_hash', write('sha.bin', () => flipped(-1))],
        ['bytes behind the image', 422, END, 'image_trailing',
            write('long.bin', () => Buffer.concat([bytes, Buffer.from('x')]))],
        ['an image larger than the slot', 413, SPACE, 'image_too_large',
            async () => samples.make('large.bin', { size: 7000000 })],
        ['an empty file', 400, UPLOAD, 'file_empty', write('empty.bin', () => Buffer.alloc(0))],
        ['ELF', 415, UPLOAD, 'file_elf', write('elf.bin', () => Buffer.from('\x7fELF' + '\x01'.repeat(900), 'latin1'))],
        ['UF2', 415, UPLOAD, 'file_uf2', write('uf2.bin', () => Buffer.concat(
            [Buffer.from('5546320a57515d9e', 'hex'), Buffer.alloc(504)]))],
        ['Intel HEX', 415, UPLOAD, 'file_hex', write('hex.bin', () => Buffer.from(':020000040800F2\n'.repeat(40)))],
        ['gzip, packed twice', 415, UPLOAD, 'file_gzip', write('gz.bin', () => zlib.gzipSync(zlib.gzipSync(bytes)))],
        ['gzip with a wrong sum', 422, END, 'gzip_damaged', write('sum.bin.gz', () => damaged(zlib.gzipSync(bytes), -5))],
        ['gzip with damaged data', 422, END, 'gzip_damaged',
            write('data.bin.gz', () => damaged(zlib.gzipSync(bytes), 30))],
        ['gzip, cut', 422, END, 'image_truncated', write('cut.bin.gz', () => zlib.gzipSync(bytes).subarray(0, -1))],
        ['gzip and more', 422, END, 'gzip_damaged',
            write('two.bin.gz', () => Buffer.concat([zlib.gzipSync(bytes), zlib.gzipSync(bytes)]))],
        ['gzip of a text', 415, UPLOAD, 'file_text', write('text.bin.gz', () => zlib.gzipSync('text\n'.repeat(200)))],
        ['gzip of nothing', 400, UPLOAD, 'file_empty', write('empty.bin.gz', () => zlib.gzipSync(''))],
        ['a bomb', 415, UPLOAD, 'file_blank', write('bomb.bin.gz', () => zlib.gzipSync(Buffer.alloc(200 << 20)))],
        ['a bomb behind an image', 422, END, 'image_trailing',
            write('long.bin.gz', () => zlib.gzipSync(Buffer.concat([bytes, Buffer.alloc(200 << 20)])))],
        ['text', 415, UPLOAD, 'file_text', write('text.bin', () => Buffer.from('<!doctype html>\n'.repeat(40)))],
        ['a name without .bin', 415, UPLOAD, 'file_name', write('firmware.elf', () => bytes)],
        ['a zip by its name', 415, UPLOAD, 'file_archive', write('firmware.zip', () => padded('PK\x03\x04'))],
        ['an ELF by its name', 415, UPLOAD, 'file_elf', write('firmware.elf', () => padded('\x7fELF\x01\x01\x01'))],
        ['UF2 by its name', 415, UPLOAD, 'file_uf2', write('firmware.uf2', () => padded('UF2\n\x57\x51\x5d\x9e'))],
        ['a zip in a gzip', 415, UPLOAD, 'file_archive', write('zip.bin.gz', () => zlib.gzipSync(padded('PK\x03\x04')))],
        ['a PDF', 415, UPLOAD, 'file_other', write('pdf.bin', () => padded('%PDF-1.7\n%\xe2\xe3'))],
        ['a login page in Windows-1251', 415, UPLOAD, 'file_text',
            write('login.bin', () => Buffer.from('<p>\xc2\xee\xe9\xf2\xe8</p>'.repeat(40), 'latin1'))],
        ['a partition table', 415, UPLOAD, 'file_partition_table', real('s3-partitions.bin',
            () => samples.write('table.bin', Buffer.alloc(3072, Buffer.from('aa500102', 'hex'))))],
        ['OTA data', 415, UPLOAD, 'file_ota_data', real('s3-otadata-ota0.bin',
            () => samples.write('otadata.bin', Buffer.alloc(8192, 0xff)))],
    ];
    if (realFirmware('s3-bootloader.bin')) {
        files.push(['a bootloader', 422, END, 'image_bootloader', real('s3-bootloader.bin')]);
        files.push(['another chip’s bootloader', 422, END, 'image_bootloader', real('esp32-bootloader.bin')]);
    }

    for (const [what, status, caption, code, file] of files) {
        test(`${what}: ${caption}, ${code}`, async () => {
            refused(await upload(rover.url, await file()), status, caption, code);
        });
    }

    test('a bootloader made from a merged image: image_bootloader', async () => {
        const merged = fs.readFileSync(await samples.make('m.bin', { merged: true }));
        let end = 0x8000;
        while (merged[end - 1] === 0xff)
            end--;
        const file = samples.write('bootloader.bin', merged.subarray(0, end));
        refused(await upload(rover.url, file), 422, END, 'image_bootloader');
    });

    test('a form without the field: no_firmware_field', async () => {
        refused(await curl('-F', `other=@${good}`, url), 400, UPLOAD, 'no_firmware_field');
    });

    test('another content type: content_type', async () => {
        refused(await curl('-H', 'Content-Type: text/plain', '--data-binary', `@${good}`, url), 415, UPLOAD, 'content_type');
    });

    test('a broken form: multipart_malformed', async () => {
        const body = samples.write('body', 'no boundary here');
        refused(await curl('-H', 'Content-Type: multipart/form-data; boundary=x', '--data-binary', `@${body}`, url),
            400, UPLOAD, 'multipart_malformed');
    });

    test('the hint is Russian for who reads Russian', async () => {
        const answer = await upload(rover.url, samples.write('t.bin', 'hello, world\n'.repeat(50)), '-H', 'Accept-Language: ru-RU,ru');
        assert.match(answer.json.hint, /[а-я]{4}/);
        assert.equal(answer.json.error, 'Upload failed');
    });

    test('too large, told by the headers: refused before the body is sent', async () => {
        const large = await samples.make('large2.bin', { size: 7000000 });
        const answer = await curl('-F', `firmware=@${large}`, '--write-out', ' sent %{size_upload}', url);
        assert.match(answer.body, /"image_too_large"/);
        assert.ok(Number(/sent (\d+)/.exec(answer.body)[1]) < 100000);
    });

    test('nothing of all this touched the other slot, and the next upload works', async () => {
        const before = await rover.status();
        assert.equal(before.boot, 1);
        assert.equal(before.running, 'app0');
        const answer = await upload(rover.url, good);
        assert.equal(answer.status, 200, answer.body);
        await rover.waitForBoot(2);
    });
});

describe('the update cannot begin', () => {
    let rover, good;

    before(async () => {
        rover = await startRover({ args: ['--fast', '--stall', '2'] });
        good = await samples.make('good.bin', { version: '2.0.0', seed: 2 });
    });
    after(() => rover.stop());

    // Also where it runs already.
    const again = () => curl('-F', `firmware=@${good}`, `${rover.url}/api/ota/upload?force=1`);

    // An upload that has begun and goes on when told.
    async function slowUpload() {
        const { hostname, port } = new URL(rover.url);
        const bytes = fs.readFileSync(good);
        const socket = net.connect(Number(port), hostname);
        let answer = '';
        socket.on('data', data => { answer += data; });
        const ended = new Promise(resolve => socket.on('close', resolve));
        socket.on('error', () => {});
        socket.write(`POST /api/ota/upload?force=1 HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n` +
            `Content-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`);
        socket.write(bytes.subarray(0, 100000));
        await rover.waitFor('the upload', s => s.received >= 90000 && s.state === 'receiving');
        return {
            finish: async () => { socket.write(bytes.subarray(100000)); await ended; return answer; },
            drop: async () => { socket.destroy(); await ended; },
            ended: async () => { await ended; return answer; },
        };
    }

    const drive = (left, right) => curl('-X', 'POST', '-H', 'Content-Type: application/json', '-d',
        JSON.stringify({ left, right }), `${rover.url}/api/drive`);

    test('while the rover drives: 423 with the reason', async () => {
        const halt = await rover.drive();
        const answer = await upload(rover.url, good);
        await halt();
        refused(answer, 423, 'Update.begin() failed', 'not_ready');
        assert.match(answer.json.detail, /driving/);
    });

    test('while another update runs: 409 at once, the first one is not disturbed, the rover stands still', async () => {
        const first = await slowUpload();
        refused(await upload(rover.url, good), 409, 'Update.begin() failed', 'busy');
        refused(await drive(50, 50), 423, 'Request failed', 'held');
        assert.equal((await (await fetch(`${rover.url}/api/status`)).json()).held, true);
        const boot = (await rover.status()).boot;
        assert.match(await first.finish(), /"success":true/);
        await rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
    });

    test('somebody else may end an update: its client hears it, and the next one gets in', async () => {
        const first = await slowUpload();
        const ended = await curl('-X', 'POST', `${rover.url}/api/ota/cancel`);
        assert.deepEqual([ended.status, ended.json], [200, { success: true, message: 'Ended.' }]);
        const { boot } = await rover.status();
        assert.equal((await again()).status, 200);
        assert.match(await first.ended(), /^HTTP\/1.1 409 .*"code":"upload_ended".*ended by anyone/s);
        const { last } = await rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
        assert.equal(last.event, 'confirmed');
        refused(await curl('-X', 'POST', `${rover.url}/api/ota/cancel`), 409, 'Request failed', 'no_update');
    });

    test('a connection lost in the middle leaves nothing behind', async () => {
        const lost = await slowUpload();
        await lost.drop();
        const status = await rover.waitFor('the end', s => s.state === 'idle');
        assert.equal(status.last.code, 'connection_lost');
        const boot = status.boot;
        assert.equal((await again()).status, 200);
        await rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
    });

    test('a board that loses its power says nothing', async () => {
        const { boot } = await rover.status();
        const cut = await slowUpload();
        rover.child.kill('SIGUSR1');
        assert.equal(await cut.finish(), '');
        await rover.waitForBoot(boot + 1);
        assert.equal((await again()).status, 200);
        await rover.waitFor('the confirmation', s => s.boot === boot + 2 && !s.pending);
    });

    test('a client that stalls loses its session, and the next one gets in', async () => {
        const silent = await slowUpload();
        assert.match(await silent.ended(), /^HTTP\/1.1 408 .*"code":"stalled"/s, 'in words');
        const status = await rover.waitFor('the stall', s => s.state === 'idle');
        assert.equal(status.last.code, 'stalled');
        assert.equal((await again()).status, 200);
        await rover.waitForBoot(status.boot + 1);
    });
});

describe('what an owner may ask for', () => {
    test('--same-project, --min-rate, --upload-time', async () => {
        const rover = await startRover({ args: ['--fast', '--same-project', '--upload-time', '1', '--min-rate', '0'] });
        try {
            const other = await samples.make('other-project.bin', { project: 'lamp', version: '2.0.0', seed: 6 });
            refused(await upload(rover.url, other), 422, 'Update.end() failed', 'other_project');
            const { hostname, port } = new URL(rover.url);
            const socket = net.connect(Number(port), hostname);
            let answer = '';
            socket.on('data', data => { answer += data; }).on('error', () => {});
            const ended = new Promise(resolve => socket.on('close', resolve));
            socket.write(`POST /api/ota/upload HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/octet-stream\r\n` +
                'Content-Length: 500000\r\n\r\n');
            socket.write(fs.readFileSync(other).subarray(0, 100));
            await ended;
            assert.match(answer, /"code":"upload_too_slow"/);
        } finally {
            await rover.stop();
        }
    });
});

/* A partition table as gen_esp32part.py writes it; `rows`: [type, subtype, offset, size, label]. */
function partitionTable(rows) {
    const entry = ([type, subtype, offset, size, label]) => {
        const e = Buffer.alloc(32);
        e.writeUInt16LE(0x50aa, 0);
        e[2] = type;
        e[3] = subtype;
        e.writeUInt32LE(offset, 4);
        e.writeUInt32LE(size, 8);
        e.write(label, 12);
        return e;
    };
    const entries = Buffer.concat(rows.map(entry));
    const md5 = Buffer.concat([Buffer.from('ebeb' + 'ff'.repeat(14), 'hex'), createHash('md5').update(entries).digest()]);
    return Buffer.concat([entries, md5, Buffer.alloc(3072 - entries.length - 32, 0xff)]);
}

describe('a flash whose table has a factory app only', () => {
    test('No OTA partition', async () => {
        const table = realFirmware('s3-partitions.bin') ?? samples.write('factory-only.bin',
            partitionTable([[1, 2, 0x9000, 0x5000, 'nvs'], [0, 0, 0x10000, 0xa00000, 'factory']]));
        const rover = await startRover({ args: ['--fast', '--table', table] });
        try {
            const good = await samples.make('g.bin', { seed: 9 });
            refused(await upload(rover.url, good), 501, 'No OTA partition', 'no_ota_partition');
            const status = await rover.status();
            assert.equal(status.error.code, 'no_ota_partition');
            assert.equal(status.next, null);
        } finally {
            await rover.stop();
        }
    });
});

describe('a flash whose table nobody has checked', () => {
    const start = [[1, 2, 0x9000, 0x5000, 'nvs'], [1, 0, 0xe000, 0x2000, 'otadata'], [0, 0x10, 0x10000, 0x100000, 'app0']];
    const cases = [
        ['slots_overlap', /app0, app1, at 0x100000$/, [0, 0x11, 0x100000, 0x100000, 'app1']],
        ['slots_overlap', /bootloader, app1, at 0x0$/, [0, 0x11, 0x0, 0x8000, 'app1']],
        ['slot_too_small', /app1 has 0 bytes/, [0, 0x11, 0x110000, 0, 'app1']],
        ['slot_alignment', /app1 begins at 0x111000/, [0, 0x11, 0x111000, 0x100000, 'app1']],
        ['slot_twice', /again, app1, at 0x210000$/, [0, 0x11, 0x110000, 0x100000, 'again'], [0, 0x11, 0x210000, 0x100000, 'app1']],
    ];

    for (const [code, detail, ...rows] of cases)
        test(`${code}, ${detail.source}: takes no update, and what runs goes on`, async () => {
            const table = samples.write('unchecked.bin', partitionTable([...start, ...rows]));
            const rover = await startRover({ args: ['--fast', '--table', table] });
            try {
                const before = fs.readFileSync(rover.flashPath);
                refused(await upload(rover.url, await samples.make('g.bin', { seed: 9 })), 501, 'No OTA partition', code);
                const { error } = await rover.status();
                assert.equal(error.code, code);
                assert.match(error.detail, detail);
                assert.ok(before.subarray(0xe000).equals(fs.readFileSync(rover.flashPath).subarray(0xe000)), 'nothing was written');
                const told = await run(program('otapult', 'OTAPULT'), ['info', table]);
                assert.match(told.stdout, new RegExp(`not fit for updates over the air: .*${detail.source}`, 'm'));
            } finally {
                await rover.stop();
            }
        });

    test('a slot that is too small for the factory firmware: both sizes', async () => {
        const small = [...start.slice(0, 2), [0, 0x10, 0x10000, 0x80000, 'app0'], [0, 0x11, 0x90000, 0x80000, 'app1']];
        const table = samples.write('small.bin', partitionTable(small));
        const { status, stderr } = await run(program('rover', 'ROVER'), ['--flash', `${table}.flash`, '--table', table]);
        assert.equal(status, 2);
        assert.match(stderr, /the factory firmware has \d{6} bytes, the slot app0 only 524288/);
    });
});
