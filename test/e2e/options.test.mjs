// SPDX-License-Identifier: Apache-2.0
// The rover's command line, as a stranger types it: what cannot be is refused with a cause and a remedy, before
// anything is touched, and no option of the secure profile is ignored in silence.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { program, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const flash = path.join(samples.folder, 'flash.bin');
const DIGEST = 'ab'.repeat(32);
// One that starts after all is ended, with a status that none of these expects.
const rover = (...args) => run(program('rover', 'ROVER'), ['--flash', flash, ...args], { timeout: 30000 });

after(() => samples.remove());

// Status 2, one line that begins as `line` says, nothing else, and no flash file.
async function refused(args, line) {
    const result = await rover(...args);
    assert.equal(result.status, 2, args.join(' '));
    assert.match(result.stderr, /^rover: [^\n]+\n$/, args.join(' '));
    assert.match(result.stderr, line);
    assert.equal(result.stdout, '');
    assert.ok(!fs.existsSync(flash));
}

describe('what cannot be', () => {
    const cases = [
        [['--nonsense'], /--nonsense: there is no such option; see rover --help/],
        [['--nonsense=3'], /--nonsense=3: there is no such option/],
        [['-x'], /-x: there is no such option/],
        [['--re'], /--re: several options begin so; see rover --help/],
        [['--fast=yes'], /--fast=yes: takes no value/],
        [['flash.bin'], /flash\.bin: not an option; .*--flash/],
        [['--port'], /--port: its value is missing: a number from 0 to 65535/],
        [['--port', '99999'], /--port 99999: wants a number from 0 to 65535/],
        [['--port', '-1'], /--port -1: wants a number/],
        [['--port', '80x'], /--port 80x: wants a number/],
        [['--port', ''], /--port : wants a number/],
        [['--port', '18446744073709551617'], /--port 18446744073709551617: wants a number/],
        [['--stall', '0'], /--stall 0: wants a number of seconds from 1 to 3600/],
        [['--confirm', '3601'], /--confirm 3601: wants a number of seconds from 1 to 3600/],
        [['--restart', '60001'], /--restart 60001: wants a number of milliseconds from 0 to 60000/],
        [['--host', ''], /--host : wants a name; there is room for six/],
        [['--secure', '--key-digest', 'abc'], /--key-digest abc: wants 64 hex digits, as `otapult key-digest` prints them/],
        [['--secure', '--key-digest', `${DIGEST},`], /wants 64 hex digits/],
        [['--secure', '--key-digest', [1, 2, 3, 4].map(() => DIGEST).join()], /three keys at most/],
        [['--secure', '--revoke', `${DIGEST},${DIGEST}`], /--revoke .*: wants 64 hex digits/],
        [['--secure', '--http-port', '70000'], /--http-port 70000: wants a number from 0 to 65535/],
        [['--secure', '--cert', 'a.pem'], /--cert without --key: they go together/],
        [['--secure', '--key', 'a.key'], /--key without --cert: they go together/],
    ];
    for (const [args, line] of cases)
        test(args.join(' ').slice(0, 60), () => refused(args, line));

    test('more names than there is room for', () =>
        refused(Array.from({ length: 9 }, (_, n) => ['--host', `name${n}`]).flat(), /--host name\d: wants a name; there is room for/));
});

describe('nothing of the secure profile without --secure', () => {
    const options = [['--key-digest', DIGEST], ['--trust', DIGEST], ['--revoke', DIGEST], ['--cert', 'a.pem'],
        ['--key', 'a.key'], ['--http-port', '0'], ['--new-password']];

    for (const option of options) {
        test(option[0], () =>
            refused(option, new RegExp(`^rover: ${option[0]} is of the secure profile: add --secure, or leave it out\n$`)));
    }

    test('those are all that the help names after --secure', async () => {
        const { stdout } = await rover('--help');
        const secure = stdout.slice(stdout.indexOf('With --secure'), stdout.indexOf('\n\n', stdout.indexOf('With --secure')));
        assert.deepEqual([...new Set(secure.match(/--[a-z-]+/g))].sort(),
            ['--secure', ...options.map(([name]) => name)].sort());
    });
});

describe('nothing of a source without one', () => {
    for (const [option, of] of [[['--id', 'rover-7'], '--source or --hawkbit'], [['--source-policy', 'auto'], '--source or --hawkbit'],
        [['--source-channel', 'beta'], '--source'], [['--hawkbit-gateway'], '--hawkbit']])
        test(option[0], () => refused(option, new RegExp(`^rover: ${option[0]} means nothing without ${of}\n$`)));
});

test('--help names every option, and each of those is one', async () => {
    const { status, stdout, stderr } = await rover('--help');
    assert.deepEqual([status, stderr], [0, '']);
    const names = [...new Set(stdout.match(/--[a-z-]+/g))].filter(name => name !== '--help');
    assert.ok(names.length > 15, stdout);
    for (const name of names) {
        const result = await rover(`${name}=`); // an empty value: none is that, and those without one take none
        assert.doesNotMatch(result.stderr, /no such option/, name);
        assert.equal(result.status, 2, name);
    }
    assert.ok(!fs.existsSync(flash));
});
