// SPDX-License-Identifier: Apache-2.0
// Virtual robots polling a real hawkBit 0.3.0M7 on this computer, and one roll-out over all of them: time to done, CPU of
// the server and of the robots. ROVERS=…, SLEEP=HH:MM:SS as the server tells it. Needs Java and Maven (tools/hawkbit-server).
// Prints; asserts nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHawkbit } from '../test/e2e/support/hawkbit.mjs';
import { Fleet, until } from '../test/interop/hawkbit/fleet.mjs';

const build = process.env.BUILD ?? 'build';
const count = Number(process.env.ROVERS ?? 200);
const pause = process.env.SLEEP ?? '00:00:10';
const WATCH_S = 60;
const TICKS = Number(execFileSync('getconf', ['CLK_TCK']));

// CPU seconds and resident MB of a process; zeros when it is gone.
function usage(pid) {
    try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
        const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
        return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS, mb: Number(rss[1]) / 1024 };
    } catch {
        return { cpu: 0, mb: 0 };
    }
}

function javaOf(pid) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return Number(children.find(child => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'java'));
}

const server = await startHawkbit({ sleep: pause });
const fleet = new Fleet(server, build, count, { args: ['--soak', '1000'] });
try {
    const java = javaOf(server.child.pid);
    const now = () => ({
        at: performance.now() / 1000, server: usage(java).cpu,
        robots: fleet.rovers.reduce((sum, { child }) => sum + usage(child.pid).cpu, 0),
    });
    const line = (what, from, to) => {
        const s = to.at - from.at;
        console.log(`${what.padEnd(52)} ${s.toFixed(1).padStart(7)} s, CPU: server ${(to.server - from.server).toFixed(1)} s, ` +
            `robots ${(to.robots - from.robots).toFixed(1)} s`);
    };
    await fleet.start();
    await until('every robot to be known', async () =>
        (await server.ask('GET', '/targets?q=attribute.version==1.0.0&limit=1')).total === count);
    console.log(`${count} virtual robots, polling every ${pause}; hawkBit with ${usage(java).mb.toFixed(0)} MB`);
    const idle = now();
    await sleep(WATCH_S * 1000);
    line('polling, nothing to do', idle, now());

    const file = join(fleet.folder, 'fw.bin');
    execFileSync(join(build, 'sample-image'), [file, '--version', '2.0.0', '--seed', '2', '--size', '1048576']);
    const set = await server.set({ version: '2.0.0', files: [{ name: 'fw.bin', bytes: readFileSync(file) }] });
    const begun = now();
    const id = await fleet.rollOut('bench', set, { canary: 10 });
    await until('the canaries', async () => (await fleet.groups(id)).canary === 'finished');
    line('1 MB of firmware, the first 10 % confirmed', begun, now());
    await until('the end', async () => (await fleet.rollout(id)).status === 'finished');
    line('all confirmed', begun, now());
    console.log(`hawkBit with ${usage(java).mb.toFixed(0)} MB at the end`);
} finally {
    await fleet.stop();
    await server.stop();
}
