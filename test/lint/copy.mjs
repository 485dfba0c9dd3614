// SPDX-License-Identifier: Apache-2.0
// A copy of the project in which a test may break what it likes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../support/project.mjs';

const LEFT_OUT = /(^|\/)(build|node_modules|\.git|\.ccache|flash\.bin)$/;

export class Copy {
    constructor() {
        this.root = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-copy-'));
        fs.cpSync(ROOT, this.root, { recursive: true, filter: file => !LEFT_OUT.test(path.relative(ROOT, file)) });
    }

    at(file) {
        return path.join(this.root, file);
    }

    // What a check of tools/ prints about the copy.
    check(tool, ...args) {
        try {
            return execFileSync('node', [path.join(ROOT, 'tools', tool), '--root', this.root, ...args], { encoding: 'utf8' });
        } catch (error) {
            return error.stdout;
        }
    }

    // Changes files as `change` says, { file: text => text }, calls `look`, and puts the files back. `changed(file)`
    // is called after each change and each putting back.
    withBroken(change, look, changed = () => {}) {
        const kept = Object.keys(change).map(file => [file, fs.existsSync(this.at(file)) && fs.readFileSync(this.at(file), 'utf8')]);
        try {
            for (const [file, text] of kept) {
                fs.mkdirSync(path.dirname(this.at(file)), { recursive: true });
                fs.writeFileSync(this.at(file), change[file](text || ''));
                changed(file);
            }
            return look();
        } finally {
            for (const [file, text] of kept) {
                if (text === false)
                    fs.rmSync(this.at(file));
                else
                    fs.writeFileSync(this.at(file), text);
                changed(file);
            }
        }
    }

    remove() {
        fs.rmSync(this.root, { recursive: true });
    }
}

export const append = line => text => `${text}\n${line}\n`;
export const including = name => text => text.replace(/^(#include .*)$/m, `#include "${name}"\n$1`);
