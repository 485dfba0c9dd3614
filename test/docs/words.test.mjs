// SPDX-License-Identifier: Apache-2.0
// Every sentence that the core can put into the detail of an error has its Russian in words.def, and every row
// of that table is said somewhere. The same of what the pages say.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {test} from 'node:test';

const ROOT = new URL('../../', import.meta.url);
const read = path => readFileSync(new URL(path, ROOT), 'utf8');

const WORDS = new Set([...read('include/otapult/words.def').matchAll(/^OTAPULT_WORD\(\w+, "([^"]+)"/gm)].map(m => m[1]));

// Rooms whose findings reach people. Not base/: it translates.
const ROOMS = ['image', 'flash', 'decode', 'trust', 'update', 'offer', 'web'];
const files = ROOMS.flatMap(room => {
    try {
        return readdirSync(new URL(`src/${room}/`, ROOT)).filter(f => f.endsWith('.c') && !(room === 'update' && f === 'report.c')) // the log's
            .map(f => `src/${room}/${f}`);
    } catch {
        return []; // a room that is not there yet
    }
});
const adapters = ['port/esp-idf/server.c', 'port/host/mhd_exchange.c', 'rover/routes.c'];

// Sentences for other readers: the log, the build, an answer's success; half sentences that go on.
const OTHERS = [
    /\w*(log|complain|restart)\w*\s*\((?:[^()"]|\([^()]*\))*$/, /_Static_assert\([^;]*$/, /#\s*define\s+\w+\s*$/,
    /(success|json_str|text_str|text_bytes|answer\w*)\s*\([^;]*$/, /reject\w*\([^;]*$/
];
// Chosen before the call that logs them, half of a journal's sentence, or the answer of a success. What an update server
// is told is English, as its operator's own words are.
const PIECES = ['Firmware uploaded successfully. Rebooting...', 'Firmware written and verified. It waits to be started.',
    'This firmware runs already. Nothing was written.', 'a name longer than OTAPULT_NAME_MAX bytes',
    'a name with a control character, or not in UTF-8',
    'nothing was changed', 'somebody at the robot has skipped it', 'written and verified; it starts, and has to prove itself',
    'written and verified; it waits to be started', 'it runs, and its own health checks have confirmed it',
    'It will be installed.', 'It waits for a day.', 'It is skipped.', 'the store failed before the rejection', 'health check', 'deadline passed, waiting for'];

function sentences(path) {
    const source = read(path).replace(/\/\*[\s\S]*?\*\//g, '').replace(/"\s*\n\s*"/g, '');
    return [...source.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)]
        .filter(m => / /.test(m[1]) && !/[ :]$/.test(m[1]) && /[a-z]{2} |[a-z]$/.test(m[1]) && !/;.*=/.test(m[1]) && !/[\\%]/.test(m[1]))
        .filter(m => !OTHERS.some(other => other.test(statement(source, m.index))))
        .map(m => m[1]);
}

// What stands before, back to the statement's beginning.
const statement = (source, at) => source.slice(source.slice(0, at).search(/[;{}][^;{}]*$/) + 1, at);

test('every sentence of a finding has its Russian', () => {
    const without = files.flatMap(path => sentences(path).filter(s => !WORDS.has(s) && !PIECES.includes(s)).map(s => `${path}: ${s}`));
    assert.deepEqual(without, []);
});

test('every row is said somewhere', () => {
    const reasons = ['rover/host/hardware.c', 'rover/board/main.c']; // of the rover's own checks
    const all = [...files, ...adapters, ...reasons, 'src/base/chip.c'].map(path => read(path).replace(/"\s*\n\s*"/g, '')).join('\n');
    assert.deepEqual([...WORDS].filter(word => !all.includes(`"${word}"`)), []);
});

test('who may overrule a refusal learns how, whichever way the file was sent', () => {
    const hints = [...read('include/otapult/errors.def').matchAll(/"([^"]*force=1[^"]*)"/g)].map(([, hint]) => hint);
    assert.ok(hints.length >= 6);
    for (const hint of hints)
        assert.match(hint, /--force, \?force=1/);
});

// The table of words in a script of ui/, and the script without it.
function wordsOf(name) {
    const source = read(`ui/${name}`);
    const [whole, table] = /(?:const WORDS = |Object\.assign\(WORDS, )(\{[^]*?\n\})/.exec(source) ?? [];
    return {table: whole ? new Function(`return ${table}`)() : {}, rest: whole ? source.replace(whole, '') : source};
}

const PAGES = {'ota.html': 'ota-words.js', 'home.html': 'home.js', 'account.html': 'account.js'};
const scriptsOf = page => [...read(`ui/${page}`).matchAll(/<script src="([\w.-]+)"/g)].map(([, name]) => name);
const restOf = page => [read(`ui/${page}`), ...scriptsOf(page).map(name => wordsOf(name).rest)].join('\n');
const isSaid = (word, text) => new RegExp(`['"]${word}['"]|^ +(.*, )?${word}: \\{`, 'm').test(text); // quoted, or a state of the page
const core = ROOMS.flatMap(room => readdirSync(new URL(`src/${room}/`, ROOT)).filter(f => f.endsWith('.c')).map(f => read(`src/${room}/${f}`))).join('\n');
const isOfRobot = word => `${core}${read('include/otapult/errors.def')}`.includes(`"${word.replace(/^busy_/, '')}"`); // its states, events and claims are words, too

for (const [page, own] of [...Object.entries(PAGES), [null, 'common.js']]) {
    const {table} = wordsOf(own);

    test(`${own}: each word is there in both languages, with the same gaps`, () => {
        assert.ok(Object.keys(table).length > 10);
        const gaps = text => [...new Set(text.match(/{\d}/g))].sort().join();
        const odd = Object.entries(table).filter(([, row]) => row.length !== 2 || !row.every(text => /\S/.test(text)) ||
            gaps(row[0]) !== gaps(row[1]));
        assert.deepEqual(odd, []);
    });

    test(`${own}: each word is said`, () => {
        const text = (page ? [page] : Object.keys(PAGES)).map(restOf).join('\n');
        assert.deepEqual(Object.keys(table).filter(word => !isSaid(word, text) && !isOfRobot(word)), []);
    });
}

test('what the robot is held for has words on the upload page', () => {
    const claims = [...read('include/otapult/errors.def').matchAll(/^OTAPULT_CLAIM\(\w+, "(\w+)"/gm)].map(([, name]) => name).filter(name => name !== 'upload'); // that has a card
    assert.ok(claims.length > 4);
    assert.deepEqual(claims.filter(name => !wordsOf('ota-words.js').table[`busy_${name}`]), []);
});

for (const page of Object.keys(PAGES)) {
    test(`${page}: what it says has words`, () => {
        const words = Object.assign({}, ...scriptsOf(page).map(name => wordsOf(name).table));
        const said = [...restOf(page).matchAll(/(?:\bt\(|failure\(|data-t=)['"](\w+)['"]/g)].map(([, word]) => word).filter(word => word !== 'busy_');
        assert.ok(said.length > 10);
        assert.deepEqual(said.filter(word => !words[word]), []);
    });
}
