// SPDX-License-Identifier: Apache-2.0
// What the documents promise, against the tests there are: a table whose last column says where a promise is tried,
// and each "Tried in" line, name tests that exist; every section of the HTTP API has such a line; every row of the table
// of errors comes out in a test.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { at, read, testFiles } from '../support/project.mjs';
import { titlesOf } from '../support/titles.mjs';

const files = testFiles('');

// The file that a word in a document means, or null: the word is a test's name.
function fileOf(word) {
    if (word.startsWith('test/'))
        return word;
    if (!/\.(c|mjs)$/.test(word))
        return null;
    return files.find(file => file.endsWith(`/${word}`)) ?? `no test is called ${word}`;
}

// Of the rest of a path it is enough that it is there: they are programs of their own, run as a whole.
const WHOLE = /^test\/(fuzz\/|soak\/|lint\/|docs\/)/;

// What TEST=… finds: a function of cmocka, a scenario of the power cuts, a title or a part of one.
function isIn(file, name) {
    if (!file.endsWith('.c'))
        return titlesOf(file).tests.some(title => title.includes(name));
    const text = read(file);
    return text.includes(`static void ${name}(void **state)`) || text.includes(`{"${name}", `);
}

// Which words of a cell name no test; [] where all is well.
function missing(cell) {
    const words = [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word).filter(word => !word.startsWith('make '));
    const lost = [];
    let file = null, named = true;
    for (const word of words) {
        const next = fileOf(word);
        if (next) {
            if (!named)
                lost.push(`${file}: no test of it is named`);
            if (!fs.existsSync(at(next)))
                lost.push(next);
            [file, named] = [next, WHOLE.test(next)];
        } else if (!file || !fs.existsSync(at(file)) || !isIn(file, word)) {
            lost.push(`${file}: ${word}`);
        } else {
            named = true;
        }
    }
    return named && words.length ? lost : [...lost, `${file}: no test of it is named`];
}

// Rows of the tables whose heading ends in one of these columns.
function promises(page) {
    const found = [];
    let tried = false;
    for (const line of read(page).split('\n')) {
        const cells = line.startsWith('| ') ? line.slice(2, -2).split(' | ') : null;
        if (cells && /^(test|tried in)$/.test(cells.at(-1)))
            tried = true;
        else if (!line.startsWith('|'))
            tried = false;
        else if (cells && tried && cells.at(-1) !== '–')
            found.push([cells[0], cells.at(-1)]);
    }
    return found;
}

const lines = page => [...read(page).matchAll(/^\*Tried in:\* ([^]+?)(?=\n\n|\n?(?![^]))/gm)].map(([, names]) => names);

describe('every promise names its test', () => {
    test('docs/safety.md', () => {
        const rows = promises('docs/safety.md');
        assert.ok(rows.length > 20);
        for (const [promise, tests] of rows)
            assert.deepEqual(missing(tests), [], promise);
    });

    test('docs/transfer.md', () => {
        const rows = promises('docs/transfer.md');
        assert.ok(rows.length > 10);
        for (const [promise, tests] of rows)
            assert.deepEqual(missing(tests), [], promise);
    });

    // Its first table names functions alone, which security.test.mjs looks for.
    test('docs/security.md', () => {
        const rows = promises('docs/security.md').filter(([, tests]) => /\.(c|mjs)`:/.test(tests));
        assert.ok(rows.length > 20);
        for (const [promise, tests] of rows)
            assert.deepEqual(missing(tests), [], promise);
    });

    for (const page of ['docs/pull.md', 'docs/hawkbit.md', 'docs/cli.md']) {
        test(page, () => {
            const rows = promises(page);
            assert.ok(rows.length > 10);
            for (const [promise, tests] of rows)
                assert.deepEqual(missing(tests), [], promise);
        });
    }

    test('docs/http-api.md, each section', () => {
        for (const section of read('docs/http-api.md').split(/\n(?=###? )/).slice(1))
            assert.match(section, /^\*Tried in:\* `/m, section.split('\n')[0]);
        for (const tests of lines('docs/http-api.md')) {
            assert.deepEqual(missing(tests), []);
            assert.match(tests.replace(/`[^`]+`/g, ''), /^[\s:;,]*\.$/, tests); // nothing but names
        }
    });
});

// Some row of the table must be known to a test by its symbol or its code; what cannot be provoked says why.
const NEVER = {
    internal: 'a state that cannot be',
};

test('every error comes out in a test', () => {
    const tests = files.filter(file => /\.(c|mjs)$/.test(file) && !/^test\/(docs|fuzz)\//.test(file))
        .map(file => read(file)).join('\n');
    const rows = [...read('include/otapult/errors.def').matchAll(/^OTAPULT_ERROR\((\w+), (?:\w+, )?"(\w+)"/gm)];
    assert.ok(rows.length > 90);
    const unseen = rows.filter(([, symbol, code]) => !(code in NEVER) &&
        !new RegExp(`\\bOTAPULT_E_${symbol}\\b|['"\`\\\\]${code}['"\`\\\\]`).test(tests));
    assert.deepEqual(unseen.map(([, , code]) => code), []);
});

test('docs/http-api.md has every event of the journal, and no other', () => {
    const status = read('src/update/status.c');
    const api = read('docs/http-api.md');
    const named = [...status.matchAll(/\[OTAPULT_EV_\w+\] = "(\w+)"/g)].map(m => m[1]).sort();
    const table = api.slice(api.indexOf('| event | meaning |'));
    const told = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| `(\w+)`/gm)].map(m => m[1]).sort();
    assert.ok(named.length > 10);
    assert.deepEqual(told, named);
});
