// SPDX-License-Identifier: Apache-2.0
// The project's own files, read and listed.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

export const at = (...parts) => path.join(ROOT, ...parts);
export const read = (...parts) => fs.readFileSync(at(...parts), 'utf8');

// Files of a folder whose name ends so, as paths from the project's root.
export function list(folder, end) {
    return fs.readdirSync(at(folder)).filter(name => name.endsWith(end)).sort().map(name => `${folder}/${name}`);
}

// Tests stand in a folder a room: all files of these folders whose path ends so.
export function testFiles(end) {
    return fs.readdirSync(at('test'), { withFileTypes: true }).filter(entry => entry.isDirectory())
        .flatMap(entry => fs.readdirSync(at('test', entry.name)).map(name => `test/${entry.name}/${name}`))
        .filter(file => file.endsWith(end)).sort();
}

// Lines of a list that are neither empty nor a remark.
export const entries = text => text.split('\n').map(line => line.trim()).filter(line => line && !/^[#;]/.test(line));

// Runs a program in the project's root: its output, or an error that holds all of it.
export async function run(command, args, options = {}) {
    try {
        return (await promisify(execFile)(command, args, { cwd: ROOT, maxBuffer: 64 << 20, ...options })).stdout;
    } catch (error) {
        throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
    }
}
