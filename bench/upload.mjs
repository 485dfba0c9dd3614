// SPDX-License-Identifier: Apache-2.0
// Upload of 6 MB by curl to `rover --fast`, beside its floors in the same run: the same server library with
// a handler that throws the bytes away, and two passes of SHA-256 over the same bytes by the same library. The
// same once more for what gzip -9 makes of it, beside zlib's inflate as a third floor. Prints times and ratios;
// asserts nothing.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rework, segments } from '../test/e2e/support/firmware.mjs';

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

// The other floors are timed in turn with the uploads: the machine's speed may change from one second to the next.
const timed = (program, file) => Number(execFileSync(`${build}/bench/${program}`, [file]).toString());

async function measureRover(files, plain, floors) {
    const rover = start(`${build}/rover`, ['--flash', join(dir, 'flash.bin'), '--port', '0', '--fast']);
    await until(() => rover.urls.length === 1);
    const walls = [];
    let cpu = 0;
    for (let i = 0; i < runs; i++) {
        const before = usage(rover.pid).cpu;
        walls.push(curl(`${rover.urls.at(-1)}api/ota/upload`, files[i % 2]));
        cpu += usage(rover.pid).cpu - before;
        floors.hash.push(timed('hash-twice', plain[i % 2]));
        if (files !== plain) floors.inflate.push(timed('inflate-once', files[i % 2]));
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

/* One table: `files` as they are sent, `plain` what is in them. */
async function measure(title, files, plain) {
    const floors = { hash: [], inflate: [] };
    const gb = readFileSync(plain[0]).length / 1e9;
    const discard = await measureDiscard(files);
    const rover = await measureRover(files, plain, floors);
    const floor = walls => ({ ...wallOf(walls), cpu: walls.reduce((a, b) => a + b) / walls.length });
    const others = [['SHA-256 of the image, twice', floor(floors.hash)]];
    if (files !== plain) others.push(['inflate by zlib', floor(floors.inflate)]);

    const row = (what, { wall, usual, cpu }, peak) =>
        console.log(`| ${what} | ${ms(wall)} | ${ms(usual)} | ${(cpu / gb).toFixed(2)} | ${peak} |`);
    console.log(`${title}, ${runs} runs each; ratios: wall of the best runs, CPU of the means\n`);
    console.log('| what | wall, best | wall, median | CPU s/GB | peak RSS |\n|---|---|---|---|---|');
    row('rover --fast', rover, `${rover.peak.toFixed(1)} MB, 16 MB of it the mapped flash file`);
    row('same server, bytes thrown away', discard, `${discard.peak.toFixed(1)} MB`);
    for (const [what, other] of others) row(what, other, '–');
    const sum = key => others.reduce((total, [, other]) => total + other[key], discard[key]);
    const names = `(discarding server + two passes of SHA-256${files === plain ? '' : ' + inflate'})`;
    console.log(`\nwall: ${(rover.wall / sum('wall')).toFixed(2)} times ${names}`);
    console.log(`CPU:  ${(rover.cpu / sum('cpu')).toFixed(2)} times ${names}\n`);
}

const ms = (seconds) => `${(seconds * 1000).toFixed(1)} ms`;
const mb = (file) => `${(readFileSync(file).length / 1e6).toFixed(2)} MB`;
const size = 6_000_000;
const files = ['a', 'b'].map((name) => join(dir, `${name}.bin`));
files.forEach((file, i) =>
    execFileSync(`${build}/sample-image`, [file, '--version', `2.0.${i}`, '--seed', `${i + 1}`, '--size', `${size}`]));

/* A sample is noise, which nothing packs: its code becomes that of real builds, or else text of the same density. */
const folder = '../shared/firmware';
const code = Buffer.concat(existsSync(folder)
    ? readdirSync(folder).filter(name => /^s3-build-\d+\.bin$/.test(name)).map(name => readFileSync(join(folder, name)))
    : [Buffer.from(readFileSync(files[0]).toString('base64'))]);
const plain = files.map((file, i) => {
    const name = join(dir, `real-${i}.bin`);
    writeFileSync(name, rework(readFileSync(file), bytes => {
        const longest = segments(bytes).sort((a, b) => b.length - a.length)[0];
        longest.subarray(i).fill(code);
    }));
    return name;
});
const packed = plain.map((file, i) => {
    const name = join(dir, `${i}.bin.gz`);
    writeFileSync(name, execFileSync('gzip', ['-9', '-c', file], { maxBuffer: 1 << 26 }));
    return name;
});

await measure(`upload of ${mb(files[0])} by curl`, files, files);
await measure(`upload of ${mb(plain[0])} packed by gzip -9 to ${mb(packed[0])}`, packed, plain);
rmSync(dir, { recursive: true });
