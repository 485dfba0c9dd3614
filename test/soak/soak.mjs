// SPDX-License-Identifier: Apache-2.0
// A long life at random, from a seed: updates, wrong files, cut connections, firmware that crashes, hangs or
// hides, or keeps crashing after its confirmation, the plug pulled at any moment, rollbacks, restarts. A model says after each step what may run and
// what may be in the other slot.
//
//   make soak UPDATES=1000 SEED=7
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { census, memory, memorySlack, returnsTo, withoutQuarantine } from '../e2e/support/census.mjs';
import { curl, upload } from '../e2e/support/curl.mjs';
import {
    Connection, formUpload, get, post, rawUpload, until,
} from '../e2e/support/raw.mjs';
import { startRover } from '../e2e/support/rover.mjs';
import { Samples } from '../e2e/support/samples.mjs';

const SLOT = 0x640000;
const SECTOR = 0x1000;
const PARTITIONS = [['nvs', 0x9000, 0x5000], ['otadata', 0xe000, 0x2000],
    ['app0', 0x10000, SLOT], ['app1', 0x650000, SLOT]];
const PATIENCE_MS = 60000;
const CONFIRM_S = 5;
const RETRIES = 3; // of an image whose trial lost power: the rover's default

// ---- chance ----

// A generator of numbers from 0 up to 1 (mulberry32).
export function generator(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let x = Math.imul(state ^ (state >>> 15), state | 1);
        x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
        return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
    };
}

// Each step draws from a generator of its own, so that one step's draws do not move the next one's.
function chance(seed, step) {
    const next = generator(seed * 65537 + step * 2654435761);
    const below = n => Math.floor(next() * n);
    return {
        below,
        between: (low, high) => low + below(high - low + 1),
        pick: list => list[below(list.length)],
        maybe: share => next() < share,
        // Small ones and large ones alike.
        size: (low, high) => Math.floor(low * (high / low) ** next()),
        weighted: rows => {
            let at = next() * rows.reduce((sum, [weight]) => sum + weight, 0);
            return rows.find(([weight]) => (at -= weight) < 0) ?? rows.at(-1);
        },
    };
}

// ---- one life of the device, as we believe it to be ----

class World {
    accepted = 0; // uploads the device said yes to
    begun = 0;    // uploads that may have erased something
    step = 0;
    growth = [];  // { own, resident } after each accepted upload

    constructor(seed) {
        this.seed = seed;
        this.samples = new Samples();
    }

    async start() {
        this.wearFile = `${this.samples.folder}/wear`;
        const args = ['--fast', '--restart', '20', '--confirm', String(CONFIRM_S), '--wear', this.wearFile];
        this.rover = await withoutQuarantine(() => startRover({ args }));
        this.pid = this.rover.child.pid;
        const first = await this.settled(0);
        // The program, its server, and the answers to who looks for robots.
        this.held = await returnsTo(this.pid, { descriptors: 1000, threads: 3 });
        this.running = { build: running(first).image.build, temper: 'healthy' };
        this.other = null;
        this.boot = first.boot;
    }

    get url() { return this.rover.url; }

    // The next status of a device at rest, `boots` restarts further on at least.
    settled(boots = 1) {
        return until(this.url, `a device at rest, ${boots} boots further on`,
            s => s.state === 'idle' && !s.pending && s.boot >= (this.boot ?? 1) + boots);
    }

    pending() {
        return until(this.url, 'a firmware that waits for its confirmation',
            s => s.state === 'idle' && s.pending && s.boot > this.boot);
    }

    // Waits until the rover says once more what `pattern` fits, after `act`.
    async hears(pattern, act = () => {}) {
        const count = () => this.rover.lines.filter(line => pattern.test(line)).length;
        const before = count(), deadline = Date.now() + PATIENCE_MS;
        act();
        while (count() === before) {
            const alive = Date.now() < deadline && this.rover.child.exitCode === null;
            assert.ok(alive, `the rover does not say ${pattern}`);
            await sleep(2);
        }
    }

    // Pulls the plug and waits until the device has noticed that it was out.
    pullPlug() {
        return this.hears(/^rover: power is back$/, () => this.rover.child.kill('SIGUSR1'));
    }

    async image(random, options = {}) {
        const name = 'update.bin';
        const size = random.maybe(0.05) ? random.between(2 << 20, SLOT) : random.size(1024, 1 << 20);
        const whole = Math.floor(size / 16) * 16;
        const made = { size: whole, seed: this.step, version: `${this.step}.0.0`, ...options };
        const file = await this.samples.make(name, made);
        const bytes = fs.readFileSync(file);
        return {
            file, bytes, temper: options.temper ?? 'healthy', build: bytes.toString('hex', 0xb0, 0xb4),
            sha256: createHash('sha256').update(bytes).digest('hex'),
        };
    }

    remove() {
        this.samples.remove();
    }
}

const running = status => status.slots.find(slot => slot.running);
const inOther = status => status.slots.find(slot => !slot.running).image?.build ?? null;

// ---- ways to send a file ----

async function inPieces(world, random, request, { onPiece = () => {} } = {}) {
    const connection = await Connection.open(world.url);
    const pieces = random.between(1, 12);
    const at = Array.from({ length: pieces - 1 }, () => random.below(request.length)).sort((a, b) => a - b);
    for (const [n, from] of [0, ...at].entries()) {
        await connection.send(request.subarray(from, at[n]));
        await onPiece(n);
    }
    const answer = await connection.finalAnswer();
    connection.close();
    return answer;
}

const requests = [
    (random, bytes) => formUpload(bytes, 'b'.repeat(random.between(1, 70))),
    (random, bytes) => rawUpload(bytes),
    (random, bytes) => rawUpload(zlib.gzipSync(bytes)),
];

function send(world, random, image) {
    world.begun++;
    if (random.maybe(0.3))
        return upload(world.url, image.file);
    if (random.maybe(0.2))
        return curl('--data-binary', `@${image.file}`, '-H', 'Content-Type: application/octet-stream',
            `${world.url}/api/ota/upload`);
    return inPieces(world, random, random.pick(requests)(random, image.bytes));
}

async function sendGood(world, random, image) {
    const { json, body } = await send(world, random, image);
    assert.equal(json?.success, true, body);
    assert.equal(json.build, image.build);
    assert.equal(json.sha256, image.sha256);
    world.accepted++;
}

// ---- what may come of it ----

// The new image runs, or the old one came back.
const stays = (world, image, event = 'confirmed') => [{ running: image, other: world.running, event }];
const returns = (world, image, event) => [{ running: world.running, other: image, event }];
const unchanged = world => [{ running: world.running, other: world.other }];
const otherMayBeGone = world => [...unchanged(world), { running: world.running, other: null }];

async function neverConfirms(world, random, image) {
    const pulls = random.maybe(0.3) ? random.between(1, RETRIES + 1) : 0;
    for (let n = 0; n < pulls; n++) {
        world.boot = (await world.pending()).boot;
        await world.pullPlug();
    }
    if (pulls > RETRIES)
        return returns(world, image, 'gave_up');
    await world.pending();
    const what = random.weighted([[5, 'confirm'], [4, 'rollback'], [1, 'deadline']])[1];
    if (what === 'deadline')
        return returns(world, image, 'rejected');
    const answer = await post(world.url, `/api/ota/${what}`);
    assert.equal(answer.json?.success, true, answer.body);
    return what === 'confirm' ? stays(world, image) : returns(world, image, 'rejected');
}

// Confirmed, it crashes a second after each start. The crash guard goes back to the firmware before; an upload that
// was begun meanwhile, and that a crash ended, has cost that one: then safe mode comes, and the next update ends it.
async function keepsCrashing(world, random, image) {
    const first = await world.settled();
    if (running(first).image.build !== image.build)
        return returns(world, image, 'crashed'); // the second was over before it was confirmed
    const half = random.maybe(0.5) ? await beginUpload(world, random) : null;
    const end = await until(world.url, 'the end of a row of crashes', s => s.state === 'idle' && !s.pending &&
        (s.safe_mode || running(s).image.build !== image.build));
    half?.abort();
    const { entries } = (await get(world.url, '/api/ota/log')).json;
    assert.ok(entries.some(e => e.event === 'crash_loop' && e.build === image.build), JSON.stringify(entries));
    if (!end.safe_mode)
        return returns(world, image, 'confirmed');
    assert.ok(half, 'safe mode, and nobody has touched the way back');
    const next = await world.image(random);
    await sendGood(world, random, next);
    return [{ running: next, other: image, event: 'confirmed' }];
}

// Enough of an update for its first sector to be erased, on a connection that stays open.
async function beginUpload(world, random) {
    const { bytes } = await world.image(random, { size: 1 << 20 });
    const connection = await Connection.open(world.url);
    world.begun++;
    await connection.send(rawUpload(bytes).subarray(0, 100000));
    return connection;
}

const trials = {
    'healthy': async (world, random, image) => stays(world, image),
    'crash-at-boot': async (world, random, image) => returns(world, image, 'crashed'),
    'hang': async (world, random, image) => returns(world, image, 'crashed'),
    'crash-later': async (world, random, image) => returns(world, image, 'crashed'),
    'keeps-crashing': keepsCrashing,
    'no-network': async (world, random, image) => returns(world, image, 'rejected'),
    'never-confirms': neverConfirms,
};

const goesOnTrial = (world, random, image) => trials[image.temper](world, random, image);

// ---- steps ----

async function update(world, random) {
    const image = await world.image(random);
    await sendGood(world, random, image);
    return goesOnTrial(world, random, image);
}

async function temper(world, random) {
    const [, word] = random.weighted([[3, 'crash-at-boot'], [2, 'hang'], [2, 'crash-later'],
        [2, 'no-network'], [3, 'never-confirms']]);
    const image = await world.image(random, { temper: word });
    await sendGood(world, random, image);
    return goesOnTrial(world, random, image);
}

async function crashLoop(world, random) {
    const image = { ...await world.image(random, { temper: 'crash-later', after: 1 }), temper: 'keeps-crashing' };
    await sendGood(world, random, image);
    return goesOnTrial(world, random, image);
}

const filled = (text, size) => {
    const bytes = Buffer.alloc(size);
    bytes.write(text, 'latin1');
    return bytes;
};

// The code, whether the fault shows before the first byte is written, and the file made from a good one.
const wrong = [
    ['file_elf', true, () => filled('\x7fELF\x01\x01\x01', 4096)],
    ['file_uf2', true, () => filled('UF2\n\x57\x51\x5d\x9e', 512)],
    ['file_text', true, () => Buffer.from('<!DOCTYPE html><title>404</title>'.repeat(40))],
    ['file_blank', true, () => Buffer.alloc(0x20000, 0xff)],
    ['file_text', true, () => zlib.gzipSync(Buffer.from('a release note\n'.repeat(40)))],
    ['gzip_damaged', false, (random, good) => flipped(zlib.gzipSync(good), zlib.gzipSync(good).length - 5, 1)],
    ['file_empty', true, () => Buffer.alloc(0)],
    ['image_wrong_chip', true, (random, good) => flipped(good, 12, 9)],
    ['image_too_large', true, (random, good) => padded(good, SLOT + 1)],
    ['image_truncated', false, (random, good) => good.subarray(0, random.between(600, good.length - 1))],
    ['image_trailing', false, (random, good) => padded(good, good.length + random.between(1, 5000))],
    ['image_hash', false, (random, good) => flipped(good, good.length - random.between(1, 32), 1)],
    ['image_checksum', false, (random, good) => flipped(good, random.between(0x300, good.length - 200), 1)],
];

function padded(bytes, size) {
    return Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
}

function flipped(bytes, at, mask) {
    const copy = Buffer.from(bytes);
    copy[at] ^= mask;
    return copy;
}

// Of these the length alone tells, where no form is around them.
const onlyRaw = ['file_empty', 'image_too_large'];

// The middle of an image of two segments or more holds segment headers too: then another word is right.
const alsoRight = { image_checksum: ['image_hash', 'image_segment', 'image_truncated', 'image_trailing'] };

async function refusal(world, random) {
    const [code, early, make] = random.pick(wrong);
    const good = await world.image(random, { size: random.between(200, 4000) * 16 });
    const bytes = make(random, good.bytes);
    const request = random.pick(onlyRaw.includes(code) ? [rawUpload] : [rawUpload, formUpload])(bytes);
    world.begun++;
    const { status, json } = await inPieces(world, random, request);
    assert.ok(status >= 400, `status ${status} instead of ${code}: ${JSON.stringify(json)}`);
    const right = [code, ...(alsoRight[code] ?? [])].includes(json.code);
    assert.ok(right, `${json.code} instead of ${code}: ${json.detail}`);
    return early ? unchanged(world) : otherMayBeGone(world);
}

async function cut(world, random) {
    const image = await world.image(random);
    const request = random.pick(requests)(random, image.bytes);
    const connection = await Connection.open(world.url);
    world.begun++;
    await connection.send(request.subarray(0, random.below(request.length)));
    if (random.maybe(0.5))
        await sleep(random.below(5));
    random.maybe(0.5) ? connection.close() : connection.abort();
    await world.settled(0); // a later connection is served, so this one was accepted
    await returnsTo(world.pid, world.held);
    return otherMayBeGone(world);
}

async function powerWhileIdle(world) {
    await world.pullPlug();
    world.boots = 1;
    return unchanged(world);
}

async function powerWhileUploading(world, random) {
    const image = await world.image(random, { size: random.between(1000, 40000) * 16 });
    const pieces = random.below(13);
    let pulled = null;
    world.begun++;
    const answer = await inPieces(world, random, random.pick(requests)(random, image.bytes), {
        onPiece: async n => {
            await sleep(random.below(4));
            if (n === pieces)
                (pulled = world.pullPlug()).catch(() => {}); // awaited below
        },
    });
    await (pulled ?? world.pullPlug());
    world.boots = 1;
    if (answer?.json?.success) {
        world.accepted++;
        return stays(world, image, null);
    }
    return [...otherMayBeGone(world), ...returns(world, image), ...stays(world, image, null)];
}

// One pull never costs the update. A second one may come while the image is made the boot image again.
async function powerWhileOnTrial(world, random) {
    const image = await world.image(random);
    const boots = world.hears(/^rover: booted /);
    boots.catch(() => {}); // where nobody waits for it
    await sendGood(world, random, image);
    const pulls = random.between(1, 3);
    if (random.maybe(0.7))
        await boots; // so that the first one hits the trial itself
    for (let n = 0; n < pulls; n++) {
        await sleep(random.pick([0, random.below(10), random.below(100)]));
        await world.pullPlug();
    }
    world.boots = 1;
    return pulls === 1 ? stays(world, image, null) : [...stays(world, image, null), ...returns(world, image)];
}

async function rollback(world, random) {
    const { other } = world;
    let answer = await post(world.url, '/api/ota/rollback');
    if (answer.json?.code === 'rollback_doubtful') {
        assert.notEqual(other?.temper, 'healthy');
        answer = await post(world.url, '/api/ota/rollback?force=1');
    }
    if (other === null) {
        assert.equal(answer.json.code, 'no_rollback');
        return unchanged(world);
    }
    assert.equal(answer.json?.success, true, answer.body);
    world.boots = 1;
    return goesOnTrial(world, random, other);
}

async function reboot(world) {
    const answer = await post(world.url, '/api/ota/reboot');
    assert.equal(answer.json?.success, true, answer.body);
    world.boots = 1;
    return unchanged(world);
}

const STEPS = [
    [40, 'update', update],
    [10, 'firmware with a temper', temper],
    [2, 'firmware that keeps crashing', crashLoop],
    [12, 'refusal', refusal],
    [8, 'cut connection', cut],
    [3, 'power cycle at rest', powerWhileIdle],
    [7, 'power cycle during an upload', powerWhileUploading],
    [5, 'power cycles during a trial', powerWhileOnTrial],
    [6, 'rollback', rollback],
    [3, 'reboot', reboot],
];

// ---- the loop ----

const describe = ({ running, other, event }) =>
    `${running.build} runs, ${other?.build ?? 'nothing'} beside it${event ? `, ${event}` : ''}`;

// Finds the outcome that is there and takes it over.
async function compare(world, outcomes, before) {
    const now = await world.settled(world.boots);
    const fits = outcome => running(now).image?.build === outcome.running.build &&
        inOther(now) === (outcome.other?.build ?? null) &&
        (!outcome.event || now.last?.event === outcome.event);
    const found = outcomes.find(fits);
    assert.ok(found, `may be: ${outcomes.map(describe).join('; or ')}\nis: ${JSON.stringify(now)}`);
    assert.equal(now.boot_slot, now.running);
    if (found.running === world.running && world.accepted === before && world.boots === 0)
        assert.equal(now.boot, world.boot, 'no restart');
    Object.assign(world, { running: found.running, other: found.other, boot: now.boot });
}

async function play(world) {
    const random = chance(world.seed, ++world.step);
    const [, name, act] = random.weighted(STEPS);
    const before = world.accepted;
    world.name = name;
    world.boots = 0;
    const outcomes = await act(world, random);
    if (world.accepted > before)
        world.boots = 1;
    await compare(world, outcomes, before);
    await returnsTo(world.pid, world.held);
    if (world.accepted > before)
        world.growth.push(memory(world.pid));
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

// Flat: the last updates hold no more than those after the 100th, or of the first half where there are not
// many more than 100.
function assertFlat(world) {
    const own = world.growth.map(({ own }) => own);
    const from = own.length >= 200 ? 100 : 0;
    const half = (own.length - from) >> 1;
    const earlier = median(own.slice(from, from + half));
    const later = median(own.slice(from + half));
    assert.ok(later <= earlier + memorySlack(world.pid),
        `its own memory grew from ${earlier} to ${later} kB after update ${from}`);
    return `memory ${earlier} kB, later ${later} kB (resident ${world.growth.at(-1).resident} kB); ` +
        `${world.held.descriptors} descriptors and ${world.held.threads} threads throughout`;
}

function wearTable(world) {
    const wear = new Map(fs.readFileSync(world.wearFile, 'latin1').trim().split('\n')
        .map(line => line.split(' ')).map(([address, count]) => [Number(address), Number(count)]));
    return PARTITIONS.map(([name, offset, size]) => {
        const counts = [];
        for (let at = offset; at < offset + size; at += SECTOR)
            counts.push(wear.get(at) - 1); // the factory has erased each once
        counts.sort((a, b) => a - b);
        return { name, sectors: counts.length, min: counts[0], median: median(counts), max: counts.at(-1) };
    });
}

// An upload erases a sector of one slot, once.
function assertWear(world, table) {
    const most = table.filter(({ name }) => name.startsWith('app')).reduce((sum, { max }) => sum + max, 0);
    assert.ok(most <= world.begun, `first sectors were erased ${most} times in ${world.begun} uploads`);
}

async function live(world, updates, log) {
    const counts = new Map();
    await world.start();
    while (world.accepted < updates) {
        const hundreds = Math.floor(world.accepted / 100);
        await play(world);
        counts.set(world.name, (counts.get(world.name) ?? 0) + 1);
        if (Math.floor(world.accepted / 100) > hundreds)
            log(`${world.accepted} updates, ${world.step} steps, ${memory(world.pid).own} kB`);
    }
    log([...counts].map(([name, count]) => `${count} × ${name}`).join(', '));
    log(assertFlat(world));
    await world.rover.stop(); // which fails when memory has leaked
}

function reportWear(world, log) {
    const table = wearTable(world);
    log(`erases of a sector in ${world.begun} uploads, ${world.accepted} of them accepted:`);
    log('partition  sectors  least  median  most');
    for (const { name, sectors, min, median, max } of table)
        log([name.padEnd(9), ...[[sectors, 8], [min, 6], [median, 7], [max, 5]].map(([n, width]) =>
            String(n).padStart(width))].join(' '));
    assertWear(world, table);
}

const rerun = (seed, updates) => `to run it again: make soak SEED=${seed} UPDATES=${updates}`;

async function explained(world, updates, error) {
    const end = await world.rover?.stop().then(() => world.rover.lines.slice(-20).join('\n'), e => e.message);
    const where = `seed ${world.seed}, step ${world.step}, ${world.name}`;
    return new Error(`${where}: ${error.message}\n${rerun(world.seed, updates)}\n${end}`);
}

// Plays until `updates` uploads were accepted; throws where the device is not as the model says.
export async function soak({ seed, updates, log }) {
    const world = new World(seed);
    try {
        await live(world, updates, log);
        reportWear(world, log);
    } catch (error) {
        throw await explained(world, updates, error);
    } finally {
        world.remove();
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const seed = Number(process.env.SEED || Date.now() % 100000);
    const updates = Number(process.env.UPDATES || 1000);
    console.log(`seed ${seed}; ${rerun(seed, updates)}`);
    await soak({ seed, updates, log: console.log });
}
