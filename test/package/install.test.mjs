// SPDX-License-Identifier: Apache-2.0
// What `make install` puts where, and that it can be used from there: the command, its pages and completions, and
// the core as a library through pkg-config.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root, run } from '../e2e/support/run.mjs';

const BUILD = `${root}/build/asan`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-install-'));
const under = (...parts) => path.join(folder, 'opt/otapult', ...parts);
after(() => fs.rmSync(folder, { recursive: true }));

before(async () => {
    const built = await run('ninja', ['-C', BUILD, 'installed']);
    assert.equal(built.status, 0, built.stdout);
    for (const component of ['cli', 'dev']) {
        const { status, stderr } = await run('cmake', ['--install', BUILD, '--prefix', '/opt/otapult', '--component', component],
            { env: { ...process.env, DESTDIR: folder } });
        assert.equal(status, 0, stderr);
    }
});

test('the command runs from where it was put, and each verb has its page', async () => {
    const { stdout } = await run(under('bin/otapult'), ['help', '--format', 'markdown']);
    const verbs = [...stdout.matchAll(/^### otapult (\S+)/gm)].map(match => match[1]);
    assert.ok(verbs.includes('push'));
    const pages = ['otapult.1.gz', ...verbs.map(verb => `otapult-${verb}.1.gz`)].sort();
    assert.deepEqual(fs.readdirSync(under('share/man/man1')).sort(), pages);
    for (const file of ['bash-completion/completions/otapult', 'zsh/vendor-completions/_otapult', 'fish/vendor_completions.d/otapult.fish'])
        assert.ok(fs.statSync(under('share', file)).size > 1000, file);
});

describe('the library', () => {
    const source = path.join(folder, 'use.c'), program = path.join(folder, 'use');

    test('a program builds against it with pkg-config alone', async () => {
        fs.writeFileSync(source, `#include <otapult/otapult.h>
#include <stdio.h>
int main(void) { puts(otapult_error_row(OTAPULT_E_BUSY)->code); return 0; }\n`);
        const config = { PKG_CONFIG_PATH: under('lib/pkgconfig'), PKG_CONFIG_SYSROOT_DIR: folder };
        const flags = await run('pkg-config', ['--cflags', '--libs', 'otapult'], { env: { ...process.env, ...config } });
        assert.equal(flags.status, 0, flags.stderr);
        const built = await run('cc', ['-fsanitize=address,undefined', source, '-o', program, ...flags.stdout.trim().split(/\s+/)]);
        assert.equal(built.status, 0, built.stderr);
        assert.equal((await run(program, [])).stdout, 'busy\n');
    });

    test('its version is the project\'s', () => {
        const [, version] = fs.readFileSync(`${root}/CMakeLists.txt`, 'utf8').match(/project\(otapult VERSION (\S+)/);
        assert.match(fs.readFileSync(under('lib/pkgconfig/otapult.pc'), 'utf8'), new RegExp(`^Version: ${version}$`, 'm'));
    });
});
