// SPDX-License-Identifier: Apache-2.0
// Starts a program of the build and waits for its end.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

// A program of the sanitized build; an environment variable names another one: ROVER=build/rover.
export function program(name, variable) {
    return process.env[variable] ?? `${root}/build/asan/${name}`;
}

// { status, stdout, stderr }; `input` (bytes or text) goes to standard input.
export function run(command, args, { input = '', ...options } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
        const out = [], err = [];
        child.stdout.on('data', data => out.push(data));
        child.stderr.on('data', data => err.push(data));
        child.on('error', reject);
        child.stdin.on('error', () => {}); // the program may end before it has read everything
        child.on('close', (status, signal) => resolve({
            status: status ?? signal,
            stdout: Buffer.concat(out).toString(),
            stderr: Buffer.concat(err).toString(),
        }));
        child.stdin.end(input);
    });
}
