// SPDX-License-Identifier: Apache-2.0
// Uploads that break off and go on, by tus 1.0: with an unmodified tus-js-client, with curl by hand, over links that
// are cut, and past a device that loses its power in the middle.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import * as tus from 'tus-js-client';
import { curl } from './support/curl.mjs';
import { closeProxies, startProxy } from './support/proxy.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';
import { startSecureRover } from './support/secure.mjs';

const samples = new Samples();
const buildId = bytes => bytes.toString('hex', 0xb0, 0xb4);
const TUS = ['-H', 'Tus-Resumable: 1.0.0'];
const read = file => fs.readFileSync(file);
let v2, v3;

before(async () => {
    v2 = await samples.make('v2.bin', { version: '2.0.0', seed: 2, size: 900000 });
    v3 = await samples.make('v3.bin', { version: '3.0.0', seed: 3, size: 300000 });
});
after(async () => {
    await closeProxies();
    samples.remove();
});

// The whole of it, by the library alone. What it says of the way: offsets that were acknowledged, tries.
function send(url, bytes, options = {}) {
    const way = { tries: 0, offsets: [] };
    return new Promise((resolve, reject) => {
        const upload = new tus.Upload(bytes, {
            endpoint: `${url}/api/ota/uploads`, retryDelays: [50, 100, 200, 400, 400, 400], metadata: { filename: 'firmware.bin' },
            onShouldRetry: () => { way.tries++; return true; },
            onChunkComplete: (size, accepted) => way.offsets.push(accepted),
            onError: error => reject(error), onSuccess: () => resolve(Object.assign(way, { url: upload.url })), ...options,
        });
        way.upload = upload;
        upload.start();
        options.started?.(upload, way);
    });
}

const runs = (rover, bytes) => rover.waitFor('the new firmware', s =>
    s.slots.find(slot => slot.running).image.build === buildId(bytes) && !s.pending && s.state === 'idle');

describe('tus-js-client', () => {
    test('sends a file whole, and in pieces', async () => {
        const rover = await startRover();
        assert.equal((await send(rover.url, read(v2))).tries, 0);
        await runs(rover, read(v2));
        const way = await send(rover.url, read(v3), { chunkSize: 70000 });
        assert.deepEqual(way.offsets, [70000, 140000, 210000, 280000, read(v3).length]);
        await runs(rover, read(v3));
        await rover.stop();
    });

    test('a packed file is unpacked on its way', async () => {
        const rover = await startRover();
        await send(rover.url, zlib.gzipSync(read(v2)), { chunkSize: 100000 });
        await runs(rover, read(v2));
        await rover.stop();
    });

    test('goes on over links that are cut, three times', async () => {
        const rover = await startRover();
        const bytes = read(v2);
        let cuts = 0, sent = 0;
        const proxy = await startProxy(rover.url, { cutAfter: 250000, reset: true });
        const way = await send(proxy.url, bytes, {
            onShouldRetry: () => { cuts++; return true; },
            onBeforeRequest: async request => {
                if (request.getMethod() === 'PATCH')
                    sent = Math.max(sent, Number(request.getHeader('Upload-Offset')));
                if (cuts >= 3)
                    proxy.fault.cutAfter = Infinity;
            },
        });
        assert.ok(cuts >= 3 && sent > 400000, `${cuts} cuts, ${sent}`); // it did not begin again
        await runs(rover, bytes);
        const { json } = await curl(`${rover.url}/api/ota/log`);
        assert.deepEqual(json.entries.map(e => e.event), ['confirmed', 'activated']); // no refusal on the way
        assert.equal(way.tries, 0);
        await rover.stop();
    });

    test('a refusal comes through with its words', async () => {
        const rover = await startRover();
        const bytes = Buffer.from(read(v2));
        bytes[12] ^= 1;
        await assert.rejects(send(rover.url, bytes, { onShouldRetry: () => false }), error => {
            assert.match(error.originalResponse.getBody(), /"image_wrong_chip"/);
            return true;
        });
        assert.equal((await rover.status()).state, 'idle');
        await rover.stop();
    });

    test('ends an upload that it gives up', async () => {
        const rover = await startRover({ args: ['--fast'] });
        const proxy = await startProxy(rover.url, { bytesPerSecond: 200000 });
        await new Promise((resolve, reject) => {
            const upload = new tus.Upload(read(v2), {
                endpoint: `${proxy.url}/api/ota/uploads`, onError: reject, onSuccess: reject,
                onProgress: sent => sent > 0 && upload.abort(true).then(resolve, reject),
            });
            upload.start();
        });
        await rover.waitFor('a free device', s => s.busy === null);
        await send(rover.url, read(v3));
        await runs(rover, read(v3));
        await rover.stop();
    });
});

// What the docs say one does by hand.
class Hand {
    constructor(rover, ...more) {
        this.url = `${rover.url}/api/ota/uploads`;
        this.more = more;
    }

    async create(length, query = '') {
        const { body } = await curl('-i', '-X', 'POST', ...TUS, ...this.more, '-H', `Upload-Length: ${length}`, this.url + query);
        this.address = new URL(/^location: (.*)\r$/mi.exec(body)?.[1] ?? assert.fail(body), this.url).href;
    }

    async offset() {
        const { body, status } = await curl('-I', ...TUS, ...this.more, this.address);
        return status === 200 ? Number(/^upload-offset: (\d+)\r$/mi.exec(body)[1]) : status;
    }

    append(bytes, offset) {
        const piece = samples.write('piece', bytes.subarray(offset));
        return curl('-i', '-X', 'PATCH', ...TUS, ...this.more, '-H', `Upload-Offset: ${offset}`,
            '-H', 'Content-Type: application/offset+octet-stream', '--data-binary', `@${piece}`, this.address);
    }
}

describe('curl by hand', () => {
    test('a power cut costs at most 64 KB of a plain file, and nothing of what is safe', async () => {
        const flash = path.join(samples.folder, 'flash.bin');
        const bytes = read(v2);
        let rover = await startRover({ flash });
        let hand = new Hand(rover);
        await hand.create(bytes.length);
        assert.equal((await hand.append(bytes.subarray(0, 500000), 0)).status, 204);
        assert.equal(await hand.offset(), 500000);
        const ours = hand.address;
        rover.child.kill('SIGKILL');
        await rover.ended;

        rover = await startRover({ flash });
        assert.equal((await rover.status()).busy, null);
        hand = Object.assign(new Hand(rover), { address: rover.url + new URL(ours).pathname + new URL(ours).search });
        const safe = await hand.offset();
        assert.ok(safe > 500000 - 65536 - 4096 && safe <= 500000 && safe % 4096 === 0, safe);
        const wrong = await hand.append(bytes, 500000);
        assert.equal(wrong.status, 409);
        assert.match(wrong.body, new RegExp(`^upload-offset: ${safe}\r$`, 'mi'));
        assert.equal((await hand.append(bytes, safe)).status, 204);
        assert.equal(await hand.offset(), bytes.length);
        await runs(rover, bytes);
        assert.equal(await hand.offset(), 404); // it is done, and forgotten with the restart
        await rover.stop();
    });

    test('a power cut at three quarters of a packed file has about one quarter sent again', async () => {
        const flash = path.join(samples.folder, 'flash3.bin');
        const bytes = zlib.gzipSync(read(v2));
        let rover = await startRover({ flash });
        let hand = new Hand(rover);
        await hand.create(bytes.length);
        const came = Math.round(bytes.length * 3 / 4);
        assert.equal((await hand.append(bytes.subarray(0, came), 0)).status, 204);
        const ours = new URL(hand.address);
        rover.child.kill('SIGKILL');
        await rover.ended;

        rover = await startRover({ flash });
        hand = Object.assign(new Hand(rover), { address: rover.url + ours.pathname + ours.search });
        const safe = await hand.offset();
        assert.ok(safe <= came && bytes.length - safe < 0.4 * bytes.length, `${safe} of ${bytes.length}`);
        assert.equal((await hand.append(bytes, safe)).status, 204);
        await runs(rover, read(v2));
        await rover.stop();
    });

    test('what another wrote in between is not mixed in', async () => {
        const flash = path.join(samples.folder, 'flash2.bin');
        const bytes = read(v2);
        let rover = await startRover({ flash });
        const hand = new Hand(rover);
        await hand.create(bytes.length, '?activate=later');
        await hand.append(bytes.subarray(0, 300000), 0);
        rover.child.kill('SIGKILL');
        await rover.ended;
        rover = await startRover({ flash });
        await curl('-F', `firmware=@${v3}`, `${rover.url}/api/ota/upload?activate=later`);
        const old = new URL(hand.address);
        hand.address = rover.url + old.pathname + old.search;
        assert.equal(await hand.offset(), 404);
        assert.equal((await rover.status()).staged.image.build, buildId(read(v3)));
        await rover.stop();
    });

    test('OPTIONS tells limits; a method it does not know is refused with what there is', async () => {
        const rover = await startRover();
        const { body, status } = await curl('-i', '-X', 'OPTIONS', `${rover.url}/api/ota/uploads`);
        assert.equal(status, 204);
        assert.match(body, /^Tus-Version: 1\.0\.0\r$/mi);
        assert.match(body, /^Tus-Max-Size: 6553600\r$/mi);
        const put = await curl('-i', '-X', 'PUT', `${rover.url}/api/ota/uploads`);
        assert.equal(put.status, 405);
        assert.match(put.body, /^Allow: POST, HEAD, PATCH, DELETE, OPTIONS\r$/mi);
        const foreign = await curl('-X', 'POST', ...TUS, '-H', 'Upload-Length: 9', '-H', 'Origin: http://evil.example', `${rover.url}/api/ota/uploads`);
        assert.equal(foreign.json.code, 'foreign_origin');
        await rover.stop();
    });
});

test('in the secure profile an upload is its owner\'s alone', async () => {
    const owner = await startSecureRover({ args: ['--restart', '50'] });
    const [mine, other] = [await owner.token('mine'), await owner.token('other')];
    await owner.status(); // whose token is made while the rover answers
    const with_ = token => ['-k', '-H', `Authorization: Bearer ${token}`];
    const file = await samples.make('signed.bin', { version: '2.0.0', seed: 9 });
    owner.signFile(file);
    const bytes = read(file);
    const hand = new Hand(owner, ...with_(mine));
    await hand.create(bytes.length);
    await hand.append(bytes.subarray(0, 5000), 0);
    assert.equal(await hand.offset(), 5000);
    const stranger = Object.assign(new Hand(owner, ...with_(other)), { address: hand.address });
    assert.equal(await stranger.offset(), 404);
    assert.equal((await stranger.append(bytes, 5000)).status, 404);
    assert.equal((await curl('-k', '-I', ...TUS, hand.address)).status, 401);
    assert.equal((await hand.append(bytes, 5000)).status, 204);
    await owner.rover.waitForBoot(2);
    await owner.stop();
});

test('in the secure profile a signed and packed upload goes on behind a power cut', async () => {
    const owner = await startSecureRover({ args: ['--restart', '50'] });
    const token = await owner.token('mine');
    await owner.status();
    const file = await samples.make('signed2.bin', { version: '2.0.0', seed: 9, size: 400000 });
    owner.signFile(file);
    const bytes = zlib.gzipSync(read(file));
    const hand = new Hand(owner, '-k', '-H', `Authorization: Bearer ${token}`);
    await hand.create(bytes.length);
    assert.equal((await hand.append(bytes.subarray(0, 300000), 0)).status, 204);
    owner.rover.child.kill('SIGUSR1');
    await owner.rover.waitForBoot(2);
    const safe = await hand.offset();
    assert.ok(safe > 0 && safe <= 300000, safe);
    assert.equal((await hand.append(bytes, safe)).status, 204);
    await owner.rover.waitForBoot(3);
    await owner.stop();
});
