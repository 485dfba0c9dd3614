// SPDX-License-Identifier: Apache-2.0
// The table "Tried where" of docs/security.md against the tests there are: every test it names exists, and runs in
// the way its column says; every attack on the board stands in it; a hole has a reason.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { read, testFiles } from '../support/project.mjs';
import { titlesOf } from '../support/titles.mjs';

const BOARD = 'test/esp-idf/test_esp_idf_attacks.c';
const section = read('docs/security.md').split('\n## Tried where\n')[1].split('\n## ')[0];
const rows = [...section.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row.split(' | ')).slice(1);
const reasons = Object.fromEntries([...section.matchAll(/^- \((\w)\) (\S.*)$/gm)].map(([, letter, words]) => [letter, words]));

// The attacks of the task, each of which must have a row.
const ASKED = ['unsigned', 'signed by another key', 'block with bad CRC', 'signature of another image',
    'image longer than what is signed', 'two images concatenated', 'bytes after the signature sector',
    'every single bit of a signature block flipped', 'valid block, revoked key',
    'empty, prefix, superset and absent password', 'token replay after revocation', 'session fixation',
    'cross-origin form post', 'cross-origin fetch', 'image tag', 'rebinding Host', 'login brute force',
    'boundary of 0, 70, 71 and 64 K characters', 'raw body to the multipart URL', 'Content-Length negative',
    'Content-Length doubled', 'Content-Length with Transfer-Encoding', 'names in the file name',
    'names in version and project: page, JSON, terminal', 'path tricks',
    'slowloris with 200 connections while the owner updates', 'upload started before a logout',
    'upload started before a password change', 'TLS 1.0', 'plain HTTP on the TLS port',
    'flash changed between verify and activate'];

// How a test of the board is entered in its main().
const SETTINGS = { plain: /^(OPEN|PLAIN|SECURE|EVERY)$/, TLS: /^(TLS|SECURE|EVERY)$/ };

function assertC(file, name, setting = /./) {
    const text = read(file);
    assert.ok(text.includes(`static void ${name}(void **state)`), `${file} has no ${name}`);
    const entry = text.match(new RegExp(`^ +(\\w+)\\(${name}\\),$`, 'm'));
    assert.ok(entry && setting.test(entry[1]), `${file} does not run ${name} so`);
}

function assertScript(name) {
    const [script, ...title] = name.split(': ');
    const file = `test/e2e/${script}.test.mjs`;
    assert.ok(titlesOf(file).tests.includes(title.join(': ')), `${file} has no "${title.join(': ')}"`);
}

const columns = [
    name => assertC(...name.split(': ').map((part, i) => (i ? part : testFiles(`/${part}.c`)[0]))),
    assertScript,
    assertScript,
    name => assertC(BOARD, `attack_esp_idf_${name}`, SETTINGS.plain),
    name => assertC(BOARD, `attack_esp_idf_${name}`, SETTINGS.TLS),
];

describe('which attack is tried where', () => {
    for (const [attack, ...cells] of rows) {
        test(attack, () => {
            assert.equal(cells.length, columns.length);
            cells.forEach((cell, n) => {
                const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
                names.forEach(columns[n]);
                const letter = /\((\w)\)/.exec(cell.replace(/`[^`]+`/g, ''))?.[1];
                assert.ok(names.length > 0 || letter, `a hole without a reason: ${cell}`);
                assert.ok(!letter || reasons[letter], `there is no reason (${letter})`);
            });
        });
    }

    test('every attack of the task has its row', () => {
        assert.deepEqual(ASKED.filter(attack => !rows.some(([row]) => row === attack)), []);
    });

    test('every attack on the board is named', () => {
        const all = [...read(BOARD).matchAll(/^static void (attack_esp_idf_)(\w+)\(void/gm)];
        assert.ok(all.length > 30);
        for (const [, prefix, name] of all)
            assert.ok(section.includes(`\`${name}\``) || section.includes(`\`${prefix}${name}\``), name);
    });

    test('tests that the other tables name exist, too', () => {
        const names = [...read('docs/security.md').matchAll(/`(attack_\w+)(…?)`/g)].map(([, name, more]) => [name, more]);
        const text = testFiles('.c').map(file => read(file)).join('');
        for (const [name, more] of names.filter(([name]) => name !== 'attack_esp_idf_'))
            assert.ok(text.includes(`static void ${name}${more ? '' : '(void **state)'}`), name);
    });
});
