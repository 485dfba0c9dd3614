// SPDX-License-Identifier: Apache-2.0
// What a process holds: open descriptors, threads, memory.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 60000;

export function census(pid) {
    return {
        descriptors: fs.readdirSync(`/proc/${pid}/fd`).length,
        threads: fs.readdirSync(`/proc/${pid}/task`).length,
    };
}

// Kilobytes: all that is resident, and without the mapped flash file, of which more and more gets touched.
export function memory(pid) {
    const text = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = name => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)[1]);
    return { resident: kilobytes('VmRSS'), own: kilobytes('RssAnon') };
}

// Waits until the process holds no more than `before`: ended connections and their threads take a moment.
export async function returnsTo(pid, before) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
        const now = census(pid);
        if (now.descriptors <= before.descriptors && now.threads <= before.threads)
            return now;
        if (Date.now() > deadline)
            throw new Error(`it held ${JSON.stringify(before)} and now holds ${JSON.stringify(now)}`);
        await sleep(50);
    }
}

// What `start` starts gives freed memory back, where AddressSanitizer would keep it to find late uses.
export function withoutQuarantine(start) {
    const options = process.env.ASAN_OPTIONS ?? '';
    process.env.ASAN_OPTIONS = [options, 'quarantine_size_mb=0', 'thread_local_quarantine_size_kb=0',
        'allocator_release_to_os_interval_ms=0'].join(':');
    try {
        return start(); // it has the environment by the time it returns a promise
    } finally {
        process.env.ASAN_OPTIONS = options;
    }
}

// Kilobytes that a process may grow by and still be flat. AddressSanitizer's allocator spreads over more
// pages for a long time; what leaks there, its leak check at the end finds to the byte.
export function memorySlack(pid) {
    return fs.readFileSync(`/proc/${pid}/maps`, 'latin1').includes('libasan') ? 8192 : 512;
}
