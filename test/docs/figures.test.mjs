// SPDX-License-Identifier: Apache-2.0
// docs/security.md says what the code does: its figures are those of the sources, and the tests it names are there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { at, read, testFiles } from '../support/project.mjs';
import { titlesOf } from '../support/titles.mjs';

const text = read('docs/security.md');
const login = text.slice(text.indexOf('\n## HTTPS, users'), text.indexOf('\n## Tried where'));
const UNITS = { ms: 1, s: 1000, min: 60000, h: 3600000 };

// What `name` is in `source`: the value of a #define, or N of an array `name[N]`.
function inCode(name, source) {
    const [, array] = /^(\w+)\[\d+\]$/.exec(name) ?? [];
    if (array)
        return Number(new RegExp(`\\b${array}\\[(\\d+)\\]`).exec(source)?.[1]);
    const value = new RegExp(`^#define ${name}\\s+([\\d.e]+)[uUlL]*\\b`, 'm').exec(source)?.[1];
    return Number(value);
}

describe('the figures of docs/security.md', () => {
    const table = text.slice(text.indexOf('<!-- figures'));
    const rows = [...table.matchAll(/^\| (.+?) \| (.+?) \| (`.*) in `([^`]+)` \|$/gm)]
        .map(([, figure, value, names, file]) => ({ figure, value, names: names.match(/[^`, ]+/g), file }));
    assert.ok(rows.length >= 19, `${rows.length} rows`);

    for (const { figure, value, names, file } of rows) {
        test(`${figure}: ${value}`, () => {
            const source = read(file);
            const numbers = value.replaceAll(',', '').match(/[\d.]+/g).map(Number);
            if (/ reckons /.test(figure)) {
                const hashed = inCode('OTAPULT_PASSWORD_COST', read('src/trust/password.h')) * inCode('ITERATION_BYTES', source);
                assert.deepEqual(numbers, names.map(name => Number((hashed / inCode(name, source)).toFixed(1))));
                return;
            }
            if (names.includes('alphabet[33]')) { // 32 letters, and the NUL behind them
                assert.deepEqual(numbers, [inCode(names[0], source), Math.log2(inCode(names[1], source) - 1)]);
                return;
            }
            const unit = UNITS[/ (ms|s|min|h)$/.exec(value)?.[1]] ?? 1;
            const scale = /_S$/.test(names[0]) ? unit / 1000 : unit;
            const wanted = /^1 in /.test(value) ? numbers.slice(1) : numbers;
            assert.deepEqual(wanted.map(number => number * scale), names.map(name => inCode(name, source)));
        });
    }

    test('the prose has no others: who changes one changes the table', () => {
        const prose = login.split('\n').filter(line => !/^(\||<!--|!\[)/.test(line)).join('\n').replace(/`[^`]*`/g, '');
        const numbers = (prose.match(/(?<![\w-])\d[\d,.]*(?![\w-])/g) ?? []).filter(n => !/^0[0-7]{3}$/.test(n)); // modes of files
        assert.deepEqual(numbers, ['42,196', '38,533', '22,013', '2'], 'of ESP-IDF\'s documentation');
        assert.doesNotMatch(prose, /\b(two|three|four|five|eight|twelve|fifteen|twenty) (sessions|tokens|attempts|minutes|hours)\b/i);
    });
});

describe('the tests that docs/security.md names', () => {
    const files = [...testFiles('.c'), ...testFiles('.mjs')];
    const called = name => files.filter(file => file.endsWith(`/${name}`));

    const named = [...login.matchAll(/`([\w.]+\.(?:c|mjs))`:\s+((?:`[^`]+`(?:,\s+)?)+)/g)].flatMap(([, file, names]) =>
        names.match(/(?<=`)[^`]+(?=`)/g).filter(name => !/^,\s+$/.test(name)).map(name => ({ file, name })));
    assert.ok(named.length >= 35, `${named.length} of them`);

    for (const { file, name } of named) {
        test(`${file}: ${name}`, () => {
            if (file.endsWith('.c'))
                assert.match(called(file).map(one => read(one)).join(), new RegExp(`\\b${name}\\(void \\*\\*`));
            else
                assert.ok(called(file).flatMap(one => titlesOf(one).tests).some(title => title.includes(name)), name);
        });
    }

    const attacks = [...new Set(text.match(/attack_\w+/g))];
    for (const attack of attacks)
        test(attack, () => assert.ok(files.some(file => read(file).includes(attack)), attack));

    test('every picture is there', () => {
        for (const [, file] of text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g))
            assert.ok(fs.existsSync(at('docs', file)), file);
    });
});
