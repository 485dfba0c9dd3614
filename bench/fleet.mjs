// SPDX-License-Identifier: Apache-2.0
// otapult push to fifty virtual rovers at once, beside one of them, and beside fifty curls in parallel: wall time, and
// peak memory of the command. The same 1 MB of firmware, the same rovers, in
// one run. curl's time ends with the answer; push's with the proof, a restart later, so what curl leaves out stands
// beside it: how long until all fifty run the new firmware. Prints; asserts nothing.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const build = process.env.BUILD ?? 'build';
const count = Number(process.env.ROVERS ?? 50);
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'otapult-fleet-'));

function startRover(i) {
    const child = spawn(`${build}/rover`, ['--fast', '--port', '0', '--flash', join(dir, `${i}.bin`)],
        { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', data => {
        text += data;
        child.url ??= /listening on (http:\S+?)\/?\n/.exec(text)?.[1];
    });
    return child;
}

async function push(file, urls) {
    const from = performance.now();
    const child = spawn(`${build}/otapult`, ['push', file, ...urls, '-j', String(count), '--quiet'],
        { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, XDG_CONFIG_HOME: dir } });
    let text = '', peak = 0;
    child.stdout.on('data', data => { text += data; });
    const watch = setInterval(() => {
        try {
            peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
        } catch { /* it has ended */ }
    }, 10);
    const status = await new Promise(resolve => child.on('close', resolve));
    clearInterval(watch);
    if (status !== 0)
        throw new Error(`push ended with ${status}\n${text}`);
    return { seconds: (performance.now() - from) / 1000, peak: peak / 1024 };
}

// As many curls as there are urls, at once; until the last answer, and until the last one runs `version`.
async function curls(file, urls, version) {
    const from = performance.now();
    const codes = await Promise.all(urls.map(url => new Promise(resolve => {
        const child = spawn('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-F', `firmware=@${file}`, `${url}/api/ota/upload`]);
        let text = '';
        child.stdout.on('data', data => { text += data; });
        child.on('close', () => resolve(text));
    })));
    const answered = (performance.now() - from) / 1000;
    if (codes.some(code => code !== '200'))
        throw new Error(`curl: ${codes}`);
    const runs = async url => {
        for (;;) {
            const status = await fetch(`${url}/api/ota/status`).then(a => a.json()).catch(() => null);
            if (status && !status.pending && status.slots.some(slot => slot.running && slot.image?.version === version))
                return;
            await sleep(50);
        }
    };
    await Promise.all(urls.map(runs));
    return { seconds: answered, proved: (performance.now() - from) / 1000 };
}

const rovers = Array.from({ length: count }, (_, i) => startRover(i));
try {
    while (rovers.some(rover => !rover.url))
        await sleep(20);
    const urls = rovers.map(rover => rover.url);
    const file = n => {
        const name = join(dir, `v${n}.bin`);
        execFileSync(`${build}/sample-image`, ['--version', `${n}.0.0`, '--seed', String(n), '--size', '1048576', name]);
        return name;
    };
    const line = (what, seconds, rest = '') => console.log(`${what.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s${rest}`);
    const memory = peak => `, ${peak.toFixed(1)} MB at most`;
    const one = await push(file(2), urls.slice(0, 1));
    const all = await push(file(3), urls);
    const curled = await curls(file(4), urls, '4.0.0');
    console.log(`1 MB of firmware, ${count} virtual rovers on this machine`);
    line('otapult push, one rover, confirmed', one.seconds, memory(one.peak));
    line(`otapult push, ${count} rovers, all confirmed`, all.seconds, memory(all.peak));
    line(`${count} curls at once, all answered`, curled.seconds);
    line(`${count} curls at once, all run it`, curled.proved);
} finally {
    for (const rover of rovers)
        rover.kill();
    await Promise.all(rovers.map(rover => rover.exitCode ?? new Promise(resolve => rover.on('close', resolve))));
    rmSync(dir, { recursive: true, force: true });
}
