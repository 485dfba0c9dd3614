// SPDX-License-Identifier: Apache-2.0
// Firmware files for tests, in a temporary folder of their own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { program, root, run } from './run.mjs';

const REAL = path.join(root, '../shared/firmware');

// The path of a real firmware file, or null where the folder is not there.
export function realFirmware(name) {
    const file = path.join(REAL, name);
    return fs.existsSync(file) ? file : null;
}

export class Samples {
    constructor() {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-samples-'));
    }

    // make('a.bin', { version: '2.0.0', merged: true }): options as `sample-image --help` lists them.
    async make(name, options = {}) {
        const file = path.join(this.folder, name);
        const words = Object.entries(options).flatMap(([key, value]) =>
            value === true ? [`--${key}`] : [`--${key}`, String(value)]);
        const result = await run(program('sample-image', 'SAMPLE_IMAGE'), [file, ...words]);
        assert.equal(result.status, 0, result.stderr);
        return file;
    }

    write(name, bytes) {
        const file = path.join(this.folder, name);
        fs.writeFileSync(file, bytes);
        return file;
    }

    remove() {
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
