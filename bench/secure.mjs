// SPDX-License-Identifier: Apache-2.0
// What the secure profile costs beside the open one, in the same run, turn by turn: an upload of 6 MB by
// curl that is taken (TLS, signature, the rest), and one that is refused at its first bytes and then read to
// its end, so that nothing but the way to the device is measured. Prints times and ratios; asserts nothing.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyDigest, makeKey, sign } from '../test/support/signer.mjs';

const build = process.env.BUILD ?? 'build';
const runs = Number(process.env.RUNS ?? 11);
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'otapult-bench-'));
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());
const median = (a) => [...a].sort((x, y) => x - y)[a.length >> 1];
const key = makeKey('P-256');

function cpu(pid) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(stat[11]) + Number(stat[12])) / ticksPerSecond;
}

async function start(name, ...args) {
    const child = spawn(`${build}/rover`, ['--flash', join(dir, `${name}.bin`), '--port', '0', '--fast', ...args],
        { stdio: ['ignore', 'pipe', 'ignore'] });
    const rover = { name, child, text: '', login: [], costs: { taken: [], refused: [] } };
    child.stdout.on('data', (data) => { rover.text += data; });
    rover.urls = () => [...rover.text.matchAll(/listening on (http\S+)\//g)].map((match) => match[1]);
    while (rover.urls().length === 0) await sleep(5);
    return rover;
}

function curl(rover, path, ...args) {
    const out = execFileSync('curl', ['-sk', ...rover.login, '-w', '\n%{http_code} %{time_total}', ...args, rover.urls()[0] + path]);
    const text = out.toString(), at = text.lastIndexOf('\n');
    const [code, seconds] = text.slice(at + 1).split(' ').map(Number);
    return { code, seconds, body: text.slice(0, at) };
}

async function upload(rover, file, expected, costs) {
    const before = cpu(rover.child.pid);
    const { code, seconds, body } = curl(rover, '/api/ota/upload', '-F', `firmware=@${file}`);
    if (code !== expected) throw new Error(`${rover.name} answered ${code}: ${body}`);
    costs.push({ wall: seconds, cpu: cpu(rover.child.pid) - before });
}

async function settled(rover, lives) {
    while (rover.urls().length < lives) await sleep(5);
    while (JSON.parse(curl(rover, '/api/ota/status').body).pending !== false) await sleep(20);
}

const size = 6_000_000;
const files = ['a', 'b'].map((name, i) => {
    const file = join(dir, `${name}-fw.bin`);
    execFileSync(`${build}/sample-image`, [file, '--version', `2.0.${i}`, '--seed', `${i + 1}`, '--size', `${size}`]);
    writeFileSync(file, sign(readFileSync(file), key));
    return file;
});
const wrong = join(dir, 'wrong.bin');
writeFileSync(wrong, 'no firmware at all\n'.repeat(size / 19));

const open = await start('open');
const secure = await start('secure', '--secure', '--trust', keyDigest(key).toString('hex'));
const password = readFileSync(/password of admin is in (\S+);/.exec(secure.text)[1], 'utf8').trim();
secure.login = ['-u', `admin:${password}`, '-H', 'Content-Type: application/json'];
const { token } = JSON.parse(curl(secure, '/api/ota/tokens/create', '-d', '{"name":"bench"}').body);
secure.login = ['-H', `Authorization: Bearer ${token}`];

for (let i = 0; i < runs; i++) {
    for (const rover of [open, secure]) await upload(rover, wrong, 415, rover.costs.refused);
    for (const rover of [open, secure]) {
        await upload(rover, files[i % 2], 200, rover.costs.taken);
        await settled(rover, i + 2);
    }
}
for (const { child } of [open, secure]) child.kill();
rmSync(dir, { recursive: true });

const best = (costs) => Math.min(...costs.map((cost) => cost.wall));
const usual = (costs) => median(costs.map((cost) => cost.wall));
const mean = (costs) => costs.reduce((sum, cost) => sum + cost.cpu, 0) / costs.length;
const ms = (seconds) => `${(seconds * 1000).toFixed(1)} ms`;
console.log(`secure beside open: ${size / 1e6} MB by curl, ${runs} runs each, turn by turn; ratios are of the best runs\n`);
console.log('| upload | profile | wall, best | wall, median | CPU of the rover |\n|---|---|---|---|---|');
for (const kind of ['taken', 'refused']) {
    for (const { name, costs } of [open, secure])
        console.log(`| ${kind} | ${name} | ${ms(best(costs[kind]))} | ${ms(usual(costs[kind]))} | ${ms(mean(costs[kind]))} |`);
}
const ratio = (kind) => (best(secure.costs[kind]) / best(open.costs[kind])).toFixed(2);
console.log(`\nTLS, with its handshake: ${ratio('refused')} times the way through plain HTTP`);
console.log(`TLS and signature: ${ratio('taken')} times the whole upload of the open profile`);
