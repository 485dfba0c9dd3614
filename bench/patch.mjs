// SPDX-License-Identifier: Apache-2.0
// bench/patch.mjs [FOLDER …]: how small patches are beside other tools, over all neighbouring images of each folder (in
// the order of their names), and what making and applying them costs. Without a folder: the shared images. Tools that
// are not installed are left out, and that is said. Prints percent of the new image; asserts nothing.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = process.env.BUILD ?? 'build/bench';
const shared = path.join(root, '../shared/firmware');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-bench-'));
const tmp = name => path.join(dir, name);
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));

function run(command, args, input) {
    const result = spawnSync(command, args, { input, maxBuffer: 1 << 27 });
    if (result.status !== 0)
        throw new Error(`${command}: ${result.stderr}`);
    return result.stdout;
}

const there = command => !spawnSync(command, ['--help']).error;
const size = name => fs.statSync(tmp(name)).size;
const packed = bytes => run('xz', ['-9e', '--format=xz', '--check=none', '-c'], bytes).length;

// The three streams of a bsdiff patch, each through xz instead of bzip2.
function bsdiffXz(old, now) {
    run('bsdiff', [old, now, tmp('b')]);
    const p = fs.readFileSync(tmp('b')), control = Number(p.readBigInt64LE(8)), diff = Number(p.readBigInt64LE(16));
    const streams = [p.subarray(32, 32 + control), p.subarray(32 + control, 32 + control + diff), p.subarray(32 + control + diff)];
    return 32 + streams.map(s => packed(run('bzip2', ['-dc'], s))).reduce((a, b) => a + b);
}

const TOOLS = [
    ['gzip -9', ['gzip'], (old, now) => run('gzip', ['-9nc', now]).length],
    ['bsdiff+xz', ['bsdiff', 'bzip2', 'xz'], bsdiffXz],
    ['zstd -19', ['zstd'], (old, now) => {
        run('zstd', ['-q', '-f', '-19', '--long=27', `--patch-from=${old}`, now, '-o', tmp('z')]);
        return size('z');
    }],
    ['detools', ['detools'], (old, now) => {
        fs.rmSync(tmp('d'), { force: true });
        run('detools', ['create_patch', '-c', 'heatshrink', old, now, tmp('d')]);
        return size('d');
    }],
].filter(([name, needs]) => {
    const missing = needs.filter(command => !there(command));
    if (missing.length)
        console.log(`(left out: ${name}; not installed: ${missing.join(', ')})`);
    return !missing.length;
});

const median = list => {
    const s = [...list].sort((a, b) => a - b), n = s.length;
    return n % 2 ? s[n >> 1] : (s[n / 2 - 1] + s[n / 2]) / 2;
};

function pairsOf(folder) {
    const names = fs.readdirSync(folder).filter(n => n.endsWith('.bin')).sort();
    return names.slice(1).map((name, i) => [path.join(folder, names[i]), path.join(folder, name)]);
}

const sharedPairs = () => [
    ...pairsOf(path.join(shared, 'series-s3')),
    ...[[29, 30], [38, 39], [39, 40]].map(pair => pair.map(n => path.join(shared, `s3-build-${n}.bin`))),
];

const format = cells => cells.map((cell, i) => (i ? String(cell).padStart(11) : cell.padEnd(22))).join('');

function table(title, pairs) {
    if (!pairs.length)
        return;
    const rows = [];
    console.log(`\n${title}, percent of the new image\n`);
    console.log(format(['pair', 'otapult', ...TOOLS.map(([name]) => name), 'make s', 'MB', 'apply MB/s']));
    for (const [old, now] of pairs) {
        const cost = JSON.parse(run(path.join(root, build, 'bench/patch-cost'), [old, now]));
        const of = n => (100 * n) / cost.result;
        const row = [of(cost.size), ...TOOLS.map(([, , tool]) => of(tool(old, now))), cost.encode_s, cost.peak_mb,
            cost.result / cost.decode_s / 1e6];
        rows.push(row);
        const name = `${path.basename(old, '.bin')} > ${path.basename(now, '.bin')}`;
        console.log(format([name, ...row.map((v, i) => v.toFixed(i <= TOOLS.length ? 3 : 1))]));
    }
    const medians = rows[0].map((_, i) => median(rows.map(r => r[i])));
    console.log(format(['median', ...medians.map((v, i) => v.toFixed(i <= TOOLS.length ? 3 : 1))]));
}

const folders = process.argv.slice(2);
for (const folder of folders)
    table(folder, pairsOf(folder));
if (!folders.length && fs.existsSync(shared)) {
    table('ESP32-S3 (Xtensa)', sharedPairs());
    table('ESP32-C3 (RISC-V)', pairsOf(path.join(shared, 'series-c3')));
} else if (!folders.length) {
    console.log('patches: no images here; name a folder of builds: PATCHES=FOLDER make bench');
}
