// SPDX-License-Identifier: Apache-2.0
// otapult discover, and the virtual rover's answers: ours against an asker and a responder written here, which
// share no code with port/host/dns_sd.c.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRover } from './support/rover.mjs';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const GROUP = '224.0.0.251', PORT = 5353;
const samples = new Samples();
const otapult = (...args) => run(program('otapult', 'OTAPULT'), args,
    { env: { ...process.env, XDG_CONFIG_HOME: samples.folder } });
const lines = text => text.trim().split('\n').filter(Boolean).map(line => JSON.parse(line));
after(() => samples.remove());

// ---- DNS, as RFC 1035 has it ----

const label = text => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
const name = labels => Buffer.concat([...labels.map(label), Buffer.from([0])]);
const u16 = (...numbers) => Buffer.concat(numbers.map(n => Buffer.from([n >> 8, n & 255])));
const record = (owner, type, data) => Buffer.concat([owner, u16(type, 1, 0, 120, data.length), data]);

function readName(message, at) {
    const labels = [];
    for (let end = null; ; ) {
        const n = message[at];
        if (n >= 0xc0) {
            end ??= at + 2;
            at = message.readUInt16BE(at) & 0x3fff;
        } else if (n === 0) {
            return { labels, end: end ?? at + 1 };
        } else {
            labels.push(message.toString('utf8', at + 1, at + 1 + n));
            at += n + 1;
        }
    }
}

function readMessage(message) {
    const counts = [4, 6, 8, 10].map(at => message.readUInt16BE(at));
    const questions = [], records = [];
    let at = 12;
    for (let i = 0; i < counts[0]; i++) {
        const { labels, end } = readName(message, at);
        questions.push({ name: labels.join('.'), type: message.readUInt16BE(end) });
        at = end + 4;
    }
    for (let i = 0; i < counts[1] + counts[2] + counts[3]; i++) {
        const { labels, end } = readName(message, at);
        const length = message.readUInt16BE(end + 8);
        records.push({ name: labels.join('.'), type: message.readUInt16BE(end), ttl: message.readUInt32BE(end + 4),
            data: message.subarray(end + 10, end + 10 + length), at: end + 10 });
        at = end + 10 + length;
    }
    assert.equal(at, message.length, 'nothing behind the last record');
    return { id: message.readUInt16BE(0), flags: message.readUInt16BE(2), questions, records };
}

// Answers for `services`, a list of buffers (whole messages made of the question's id).
function startResponder(answers) {
    return new Promise((resolve, reject) => {
        const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true, reusePort: true });
        socket.on('message', (message, from) => {
            if (message.length > 12 && (message[2] & 0x80) === 0)
                for (const make of answers)
                    socket.send(make(message.subarray(0, 2)), from.port, from.address);
        });
        socket.once('error', reject);
        socket.bind(PORT, () => {
            socket.addMembership(GROUP, '127.0.0.1');
            resolve({ stop: () => new Promise(done => socket.close(done)) });
        });
    });
}

function service(instance, port, texts, host = 'elsewhere') {
    return id => {
        const type = ['_http', '_tcp', 'local'];
        const body = [
            record(name(type), 12, name([instance, ...type])),
            record(name([instance, ...type]), 16, Buffer.concat(texts.map(label))),
            record(name([host, 'local']), 1, Buffer.from([127, 0, 0, 1])),
            record(name([instance, ...type]), 33, Buffer.concat([u16(0, 0, port), name([host, 'local'])])),
        ];
        return Buffer.concat([id, u16(0x8400, 0, body.length, 0, 0), ...body]);
    };
}

test('ten rovers: each is found, asked by its name, and updated', async () => {
    const rovers = await Promise.all(Array.from({ length: 10 }, (_, i) =>
        startRover({ args: ['--fast', '--name', `hall-${i}`] })));
    try {
        const { status, stdout } = await otapult('discover', '--json');
        assert.equal(status, 0);
        const found = lines(stdout).filter(robot => robot.robot.startsWith('hall-'));
        assert.deepEqual(found.map(robot => robot.robot), rovers.map((_, i) => `hall-${i}`));
        assert.deepEqual(found.map(robot => `${robot.url}`), rovers.map(rover => rover.url));
        assert.deepEqual([found[0].project, found[0].version, found[0].chip], ['rover', '1.0.0', 'ESP32-S3']);
        const byName = await otapult('status', `hall-3.local:${new URL(rovers[3].url).port}`);
        assert.equal(byName.status, 0, byName.stderr);
        const file = await samples.make('new.bin', { version: '2.0.0', seed: 2 });
        const pushed = await otapult('push', file, ...found.map(robot => robot.url), '--json');
        assert.equal(pushed.status, 0, pushed.stdout);
        const again = lines((await otapult('discover', '--json')).stdout).filter(r => r.robot.startsWith('hall-'));
        assert.ok(again.every(robot => robot.version === '2.0.0'));
    } finally {
        await Promise.all(rovers.map(rover => rover.stop()));
    }
});

describe('the rover\'s own answers', () => {
    let rover;
    before(async () => { rover = await startRover({ args: ['--fast', '--name', 'answers'] }); });
    after(() => rover.stop());

    const ask = question => new Promise((resolve, reject) => {
        const socket = dgram.createSocket('udp4');
        const heard = [];
        socket.on('message', message => heard.push(message));
        socket.once('error', reject);
        socket.bind(0, '127.0.0.1', () => {
            socket.setMulticastInterface('127.0.0.1');
            socket.send(question, PORT, GROUP);
            setTimeout(() => socket.close(() => resolve(heard)), 400);
        });
    });
    const question = (labels, type, id = 0x4711) => Buffer.concat([u16(id, 0, 1, 0, 0, 0), name(labels), u16(type, 0x8001)]);
    const mine = messages => messages.map(readMessage).filter(m => m.records.some(r => r.name.startsWith('answers.')));

    test('to a question from any port: id and question again, PTR, SRV, TXT and A', async () => {
        const [answer] = mine(await ask(question(['_http', '_tcp', 'local'], 12)));
        assert.deepEqual([answer.id, answer.flags], [0x4711, 0x8400]);
        assert.deepEqual(answer.questions, [{ name: '_http._tcp.local', type: 12 }]);
        const of = type => answer.records.find(r => r.type === type);
        const texts = [];
        for (let at = 0, data = of(16).data; at < data.length; at += 1 + data[at])
            texts.push(data.toString('utf8', at + 1, at + 1 + data[at]));
        assert.ok(texts.includes('otapult=1') && texts.includes('version=1.0.0') && texts.includes('name=answers'));
        assert.equal(of(33).data.readUInt16BE(4), Number(new URL(rover.url).port));
        assert.deepEqual([...of(1).data], [127, 0, 0, 1]);
        assert.equal(of(1).name, 'answers.local');
    });

    test('to its name, whatever the case; not to others', async () => {
        assert.equal(mine(await ask(question(['ANSWERS', 'local'], 1))).length, 1);
        assert.equal(mine(await ask(question(['_ipp', '_tcp', 'local'], 12))).length, 0);
        assert.equal(mine(await ask(question(['answers', 'local'], 28))).length, 0);
        assert.equal(mine(await ask(Buffer.from('not DNS at all, but long enough'))).length, 0);
    });
});

test('other responders: theirs is read in any order, strangers are left out, nothing reaches the terminal', async () => {
    const responder = await startResponder([
        service('Kitchen light', 80, ['path=/']), service('Odd. one', 8080, ['otapult=1', 'version=7.0.0', 'tls=1'], 'odd'),
        service('\x1b[31mred', 81, ['otapult=1', 'name=\x1b]0;x\x07', 'version=\x9b2J'], 'red'),
        () => Buffer.from([1, 2, 3]), id => Buffer.concat([id, u16(0x8400, 0, 999, 0, 0), Buffer.from([0xc0, 12])]),
    ]);
    try {
        await sleep(50);
        for (const more of [[], ['--json']]) {
            const { stdout, stderr } = await otapult('discover', ...more);
            assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]/);
            assert.ok(!stdout.includes('Kitchen'));
            assert.match(stdout, /https:\/\/127\.0\.0\.1:8080/);
        }
    } finally {
        await responder.stop();
    }
});
