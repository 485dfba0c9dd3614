// SPDX-License-Identifier: Apache-2.0
// Upload of 6 MB by curl to `rover --fast`, beside its floors in the same run: the same server library with
// a handler that throws the bytes away, and two passes of SHA-256 over the same bytes by the same library.
// Prints times and ratios; asserts nothing.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const build = process.env.BUILD ?? 'build';
const runs = Number(process.env.RUNS ?? 11);
// In memory where that can be had: the emulated chip is not a disk.
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'otapult-bench-'));
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());
const median = (a) => [...a].sort((x, y) => x - y)[a.length >> 1];
const wallOf = (walls) => ({ wall: Math.min(...walls), usual: median(walls) });

function start(command, args) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.urls = [];
    child.stdout.on('data', (d) => {
        text += d;
        child.urls = [...text.matchAll(/listening on (http:\S+)/g)].map((m) => m[1]);
    });
    return child;
}

async function until(condition) {
    while (!condition()) await sleep(5);
}

// CPU seconds and peak memory of a process, by the kernel's own accounts. schedstat counts nanoseconds of
// each thread, and a thread that has ended is gone from it; stat keeps them all, in ticks.
function usage(pid) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
    return { cpu: (Number(stat[11]) + Number(stat[12])) / ticksPerSecond, peak: Number(peak) / 1024 };
}

function curl(url, file) {
    const out = execFileSync('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', '-F', `firmware=@${file}`, url]);
    const [code, seconds] = out.toString().split(' ');
    if (code !== '200') throw new Error(`${url} answered ${code}`);
    return Number(seconds);
}

// The hash is timed in turn with the uploads: the machine's speed may change from one second to the next.
const hashes = [];

async function measureRover(files) {
    const rover = start(`${build}/rover`, ['--flash', join(dir, 'flash.bin'), '--port', '0', '--fast']);
    await until(() => rover.urls.length === 1);
    const walls = [];
    let cpu = 0;
    for (let i = 0; i < runs; i++) {
        const before = usage(rover.pid).cpu;
        walls.push(curl(`${rover.urls.at(-1)}api/ota/upload`, files[i % 2]));
        cpu += usage(rover.pid).cpu - before;
        hashes.push(Number(execFileSync(`${build}/bench/hash-twice`, [files[i % 2]]).toString()));
        const lives = i + 2;
        await until(() => rover.urls.length === lives);
        for (;;) {
            const status = await (await fetch(`${rover.urls.at(-1)}api/ota/status`)).json();
            if (!status.pending) break;
            await sleep(20);
        }
    }
    const peak = usage(rover.pid).peak;
    rover.kill();
    return { ...wallOf(walls), cpu: cpu / runs, peak };
}

async function measureDiscard(files) {
    const server = start(`${build}/bench/discard-server`, []);
    await until(() => server.urls.length === 1);
    const before = usage(server.pid).cpu;
    const walls = [];
    for (let i = 0; i < runs; i++) walls.push(curl(`${server.urls[0]}upload`, files[i % 2]));
    const after = usage(server.pid);
    server.kill();
    return { ...wallOf(walls), cpu: (after.cpu - before) / runs, peak: after.peak };
}

const size = 6_000_000;
const files = ['a', 'b'].map((name) => join(dir, `${name}.bin`));
files.forEach((file, i) =>
    execFileSync(`${build}/sample-image`, [file, '--version', `2.0.${i}`, '--seed', `${i + 1}`, '--size', `${size}`]));
const gb = readFileSync(files[0]).length / 1e9;
const discard = await measureDiscard(files);
const rover = await measureRover(files);
const sha = { ...wallOf(hashes), cpu: hashes.reduce((a, b) => a + b) / hashes.length };
rmSync(dir, { recursive: true });

const ms = (seconds) => `${(seconds * 1000).toFixed(1)} ms`;
const row = (what, { wall, usual, cpu }, peak) =>
    console.log(`| ${what} | ${ms(wall)} | ${ms(usual)} | ${(cpu / gb).toFixed(2)} | ${peak} |`);
console.log(`upload of ${(gb * 1000).toFixed(1)} MB by curl, ${runs} runs each; ratios: wall of the best runs, CPU of the means\n`);
console.log('| what | wall, best | wall, median | CPU s/GB | peak RSS |\n|---|---|---|---|---|');
row('rover --fast', rover, `${rover.peak.toFixed(1)} MB, 16 MB of it the mapped flash file`);
row('same server, bytes thrown away', discard, `${discard.peak.toFixed(1)} MB`);
row('SHA-256 of the file, twice', sha, '–');
const ratio = (a, b) => (a / b).toFixed(2);
console.log(`\nwall: ${ratio(rover.wall, discard.wall + sha.wall)} times (discarding server + two passes of SHA-256)`);
console.log(`CPU:  ${ratio(rover.cpu, discard.cpu + sha.cpu)} times (discarding server + two passes of SHA-256)`);
