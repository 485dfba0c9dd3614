// SPDX-License-Identifier: Apache-2.0
// Cross compilation for both instruction sets of the ESP32 family, what the objects ask of the outside, and
// the budgets. tools/size builds and measures; compiler warnings are errors there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, describe, test } from 'node:test';
import { at, entries, list, read, run } from '../support/project.mjs';

const CHIPS = { riscv: 'riscv64-unknown-elf-', xtensa: 'xtensa-lx106-elf-' };
const BUDGETS = JSON.parse(read('test/cross/budgets.json'));

let measured;
before(async () => {
    measured = JSON.parse(await run('tools/size', ['--json']));
}, { timeout: 300000 });

// Names an archive asks of others, and names it gives.
async function symbols(chip, archive) {
    const text = await run(`${CHIPS[chip]}nm`, [at('build/cross', chip, archive)]);
    const found = [...text.matchAll(/^(?:[0-9a-f]+)? +(\w) (\S+)$/gm)];
    const given = new Set(found.filter(([, kind]) => kind !== 'U').map(([, , name]) => name));
    const wanted = new Set(found.filter(([, kind, name]) => kind === 'U' && !given.has(name)).map(([, , name]) => name));
    return { given: found.filter(([, kind]) => /[A-TV-Z]/.test(kind)).map(([, , name]) => name), wanted: [...wanted] };
}

// symbols.txt: a line "room: pattern ...", room is core, port or secure; each may what those before it may.
function allowed(room) {
    const order = ['core', 'port', 'secure'];
    const rooms = order.slice(0, order.indexOf(room) + 1);
    const patterns = entries(read('test/cross/symbols.txt')).map(line => line.split(/:? +/))
        .filter(([name]) => rooms.includes(name)).flatMap(([, ...rest]) => rest);
    return new RegExp(`^(${patterns.join('|')})$`);
}

// Sources of which a firmware keeps something: that of the open profile, or the one with a part.
function linked(chip, part) {
    const map = read('build/cross', chip, `firmware${part && '-'}${part}.map`).split('Linker script and memory map')[1];
    return [...new Set([...map.matchAll(/^ \.\S+\s+0x\S+\s+0x[0-9a-f]*[1-9a-f][0-9a-f]* \S*\.a\((\S+)\.obj\)$/gm)].map(m => m[1]))];
}

const words = () => [...read('include/otapult/words.def').matchAll(/^OTAPULT_WORD\((\w+), "([^"]+)"/gm)]
    .map(([, part, word]) => ({ part, word }));

// Of a file that the linker keeps, with literals in one piece.
const sources = new Map();
function source(file) {
    if (sources.size === 0)
        for (const path of ['port/esp-idf', ...fs.readdirSync(at('src')).map(room => `src/${room}`)].flatMap(room => list(room, '.c')))
            sources.set(path.split('/').at(-1), read(path).replace(/"\s*\n\s*"/g, ''));
    return sources.get(file) ?? '';
}

const errorRows = () => [...read('include/otapult/errors.def').matchAll(/^OTAPULT_ERROR\((\w+), (\w+),/gm)]
    .map(([, symbol, part]) => ({ symbol, part }));

for (const chip of Object.keys(CHIPS)) {
    describe(chip, () => {
        test('every source of the core was compiled', () => {
            const sources = fs.readdirSync(at('src')).flatMap(room => list(`src/${room}`, '.c'));
            assert.ok(sources.length > 15);
            for (const file of sources)
                assert.ok(fs.existsSync(at('build/cross', chip, 'CMakeFiles/core.dir', at(file) + '.obj')), file);
        });

        test('the core asks the outside for nothing that is not on the list', async () => {
            const { wanted } = await symbols(chip, 'libcore.a');
            assert.ok(wanted.includes('memcpy'));
            assert.deepEqual(wanted.filter(name => !allowed('core').test(name) && !name.startsWith('otapult_')), []);
            assert.deepEqual(wanted.filter(name => name.startsWith('otapult_') && !name.endsWith('_page')), []);
        });

        test('what the core and the port give begins with otapult_', async () => {
            for (const archive of ['libcore.a', 'libport.a', 'libesp_secure.a', 'libpages.a']) {
                const { given } = await symbols(chip, archive);
                assert.ok(given.length > 0, archive);
                assert.deepEqual(given.filter(name => !/^otapult_|^__wrap_app_main$/.test(name)), [], archive);
            }
        });

        test('the port asks the outside for nothing that is not on the list', async () => {
            const { wanted } = await symbols(chip, 'libport.a');
            assert.ok(wanted.includes('esp_partition_erase_range'));
            assert.deepEqual(wanted.filter(name => !allowed('port').test(name) && !name.startsWith('otapult_')), []);
        });

        test('the secure profile of the port asks for little more', async () => {
            const { wanted } = await symbols(chip, 'libesp_secure.a');
            assert.ok(wanted.includes('otapult_identity_own'));
            assert.deepEqual(wanted.filter(name => !allowed('secure').test(name) && !name.startsWith('otapult_')), []);
        });

        test('the open profile names nothing of it, nor the certificate', async () => {
            const { given } = await symbols(chip, 'libesp_secure.a');
            assert.deepEqual(given, ['otapult_esp_secure']);
            const { wanted } = await symbols(chip, 'libport.a');
            assert.deepEqual(wanted.filter(name => given.includes(name) || /identity|otapult_der/.test(name)), []);
            const map = read('build/cross', chip, 'firmware.map').split('Linker script and memory map')[1];
            assert.doesNotMatch(map, /\((certificate|der|esp_secure|gzip|patch)\.c\.obj\)$/m);
        });

        test('rows of errors are linked with their part, and by no other firmware', () => {
            const parts = new Set(errorRows().map(row => row.part).filter(part => part !== 'core'));
            const files = list('src/base', '.c').filter(file => file.includes('/errors_of_'));
            assert.deepEqual([...parts].map(part => `src/base/errors_of_${part}.c`).sort(), files.sort());
            for (const firmware of ['', ...parts])
                assert.deepEqual(linked(chip, firmware).filter(file => file.startsWith('errors_of_')),
                    firmware ? [`errors_of_${firmware}.c`] : [], firmware);
        });

        test('a part has its Russian where both are linked, and nowhere else', () => {
            const texts = firmware => linked(chip, firmware).filter(file => file.startsWith('russian'));
            for (const part of new Set(errorRows().map(row => row.part).filter(part => part !== 'core')))
                assert.deepEqual(texts(part), [], part);
            assert.deepEqual(texts('russian'), ['russian.c']);
            assert.deepEqual(texts('secure-russian').sort(), ['russian.c', 'russian_of_secure.c']);
        });

        test('a word is of the part that alone says it', () => {
            const parts = [...new Set(words().map(word => word.part))].filter(part => part !== 'core');
            const open = linked(chip, '');
            const says = (files, word) => files.some(file => source(file).includes(`"${word}"`));
            const own = Object.fromEntries(parts.map(part => [part, [part, ...part === 'pull' ? ['hawkbit'] : []]
                .flatMap(firmware => linked(chip, firmware)).filter(file => !open.includes(file))]));
            assert.ok(parts.length === 5 && parts.every(part => own[part].length > 0), parts.join(' '));
            for (const { part, word } of words()) {
                const sayers = parts.filter(other => says(own[other], word));
                assert.equal(part, says(open, word) || sayers.length !== 1 ? 'core' : sayers[0], word);
            }
        });

        test('an error that the open profile can return has its row there', () => {
            const files = linked(chip, '');
            const rooms = [...fs.readdirSync(at('src')).map(room => `src/${room}`), 'port/esp-idf'];
            const sources = rooms.flatMap(room => list(room, '.c')).filter(file => files.includes(file.split('/').at(-1)));
            assert.ok(sources.length > 50, `${sources.length} sources`);
            for (const { symbol } of errorRows().filter(row => row.part !== 'core'))
                assert.deepEqual(sources.filter(file => new RegExp(`OTAPULT_E_${symbol}\\b`).test(read(file))), [], symbol);
        });

        test('entries.txt names all that the port calls of the core', async () => {
            const core = (await symbols(chip, 'libcore.a')).given;
            const lines = entries(read('test/cross/entries.txt'));
            const decoders = fs.readdirSync(at('build/cross', chip)).flatMap(name => name.match(/^libdecoders_(\w+)\.a$/) ?? [])
                .filter(name => !name.endsWith('.a')).map(part => [`libdecoders_${part}.a`, part]);
            for (const [archive, part] of [['libport.a'], ['libesp_secure.a', 'secure'], ['libesp_pull.a', 'pull'],
                ['libdecoders.a', 'gzip'], ...decoders]) {
                const known = lines.map(line => line.replace(`${part} `, ''));
                const { wanted } = await symbols(chip, archive);
                assert.deepEqual(wanted.filter(name => core.includes(name) && !known.includes(name)), [], archive);
            }
        });

        test('the call graph knows where every pointer leads', () => {
            assert.deepEqual(measured.now[chip].stack.gaps, []);
        });

        test('stack.txt names functions that are there', () => {
            const known = Object.keys(measured.now[chip].stack.entries);
            assert.deepEqual(entries(read('test/cross/stack.txt')).filter(name => !known.includes(name)), []);
        });
    });
}

describe('budgets', () => {
    test('every one holds', () => {
        assert.ok(measured.rows.length >= 10);
        assert.deepEqual(measured.rows.filter(row => !row.ok), []);
    });

    test('a frame that is too large has a reason, and is there', () => {
        for (const [name, why] of Object.entries(BUDGETS.frame_exceptions)) {
            assert.ok(why.length > 20, name);
            const frames = Object.keys(CHIPS).flatMap(chip => measured.now[chip].stack.frames);
            assert.ok(frames.some(frame => frame.name === name && frame.bytes > BUDGETS.frame), `${name}: strike it out`);
        }
    });

    // What the flash is for, and why not the 84 KB of once, stands in docs/board.md; whoever raises them again says so there.
    test('the budgets are the ones that are written here, too', () => {
        const { flash, ram, page, frame } = BUDGETS;
        assert.deepEqual({ flash, ram, page, frame }, { flash: 104 * 1024, ram: 30 * 1024, page: 22 * 1024, frame: 512 });
    });
});

describe('figures in the docs', () => {
    // Each version of a compiler makes a little more or less of the same sources: the docs have Debian 12's figures.
    test('docs/board.md has the table of tools/size, to a KB or 2 %: make docs', () => {
        const [, table] = read('docs/board.md').match(/<!-- begin: tools\/size --table -->\n\n([^]*?)\n\n<!-- end -->/);
        const figures = text => [...text.matchAll(/(\d+) KB/g)].map(m => Number(m[1]));
        const words = text => text.replace(/\d+ KB/g, 'n KB');
        assert.equal(words(table), words(measured.table));
        assert.ok(figures(table).length >= 20);
        figures(measured.table).forEach((kb, n) =>
            assert.ok(Math.abs(kb - figures(table)[n]) <= Math.max(1, kb / 50), `${kb} KB, in the docs ${figures(table)[n]}`));
    });

    test('what the rooms take is what a firmware takes', () => {
        for (const chip of Object.keys(CHIPS)) {
            const { flash, rooms } = measured.now[chip].open;
            const sum = Object.values(rooms).reduce((a, b) => a + b);
            assert.ok(Math.abs(flash - sum) < flash / 50, `${chip}: ${sum} of ${flash}`);
        }
    });

    test('README names the budgets', () => {
        assert.match(read('README.md'), new RegExp(`${BUDGETS.flash / 1024} KB of flash and ${BUDGETS.ram / 1024} KB of RAM`));
    });

    test('Kconfig names what a switch costs, to a KB', () => {
        for (const part of ['gzip', 'patch', 'russian']) {
            const [, said] = read('Kconfig').match(new RegExp(`config OTAPULT_${part.toUpperCase()}\\n[^]*?Costs ([^]*?)\\n\\n`));
            for (const [kind, pattern] of [['flash', /(\d+) KB of flash/], ['ram', /(\d+) KB of static RAM/]]) {
                const kb = Number(said.match(pattern)?.[1] ?? 0);
                const most = Math.max(...Object.keys(CHIPS).map(chip => measured.now[chip].parts[part][kind])) / 1024;
                assert.ok(Math.abs(kb - most) <= 1, `${part}, ${kind}: ${kb} KB, ${most.toFixed(1)} measured`);
            }
        }
    });

    test('the row of what Kconfig has on by default is of what it has on', () => {
        const on = [...read('Kconfig').matchAll(/config OTAPULT_(\w+)\n +bool .*\n +default y/g)]
            .map(([, name]) => name.toLowerCase()).filter(name => name in measured.now.riscv.parts);
        assert.deepEqual(on.sort(), ['resume', 'russian']);
        assert.match(measured.table, /`CONFIG_OTAPULT_RESUME` and `CONFIG_OTAPULT_RUSSIAN`/);
        assert.match(read('test/cross/CMakeLists.txt'), /firmware-usual "otapult_\.\*\|\(resume\|russian\) \.\*"/);
    });

    test('every part that a firmware may name has a price', () => {
        for (const chip of Object.keys(CHIPS))
            for (const [part, { flash, ram }] of Object.entries(measured.now[chip].parts))
                assert.ok(flash > 0 && ram >= 0, `${chip}, ${part}`);
    });
});
