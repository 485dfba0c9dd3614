// SPDX-License-Identifier: Apache-2.0
// Examples compile: the C of README.md and docs/, the rover's application for the board, the Arduino sketch
// and the library it stands in. Against our own declarations of ESP-IDF and Arduino, on this computer.
//
// A block of C in a document has a remark before it, which says against what it is compiled:
//   <!-- compile: core -->       include/, nothing else
//   <!-- compile: esp-idf -->    and ESP-IDF
//   <!-- compile: arduino -->    C++, and the Arduino core
// `, statements` behind it: the block is the inside of a function.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { at, list, read, run } from '../support/project.mjs';

const IDF = ['-isystem', at('test/esp-idf/declared'), '-isystem', at('test/esp-idf/fake/include')];
const WARN = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only'];
const C = ['gcc', '-std=gnu17', '-Wconversion', '-Wshadow', '-Wstrict-prototypes', ...WARN];
/* The dialect of arduino-esp32 3.x. The default configuration names what differs from 0, no more. */
const CPP = ['g++', '-std=gnu++2b', ...WARN, '-Wno-missing-field-initializers'];
const INCLUDE = ['-I', at('include')];
const KINDS = {
    'core': { command: [...C, ...INCLUDE], end: '.c' },
    'esp-idf': { command: [...C, ...INCLUDE, ...IDF], end: '.c' },
    'arduino': { command: [...CPP, ...INCLUDE, '-I', at('port/arduino'), ...IDF], end: '.cpp' },
};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-examples-'));
after(() => fs.rmSync(folder, { recursive: true }));

const compile = ([command, ...args], ...files) => run(command, [...args, ...files]);

// Every block of C in a document: { line, kind, statements, text }; kind is undefined without a remark.
function blocks(markdown) {
    const found = [];
    const pattern = /(?:<!-- compile: ([\w-]+)(, statements)? -->\n+)?^```(c|cpp)\n([^]*?)^```$/gm;
    for (const match of markdown.matchAll(pattern)) {
        const [, kind, statements, , text] = match;
        found.push({ line: markdown.slice(0, match.index).split('\n').length, kind, statements, text });
    }
    return found;
}

function program({ statements, text }) {
    if (!statements)
        return text;
    const includes = text.match(/^#include.*\n/gm) ?? [];
    return `${includes.join('')}void example(void)\n{\n${text.replace(/^#include.*\n/gm, '')}}\n`;
}

describe('documents', () => {
    const documents = ['README.md', 'README.ru.md', 'ARCHITECTURE.md', ...list('docs', '.md')]
        .filter(file => fs.existsSync(at(file)));

    for (const file of documents) {
        for (const block of blocks(read(file))) {
            test(`${file}:${block.line}`, async () => {
                const kind = KINDS[block.kind];
                assert.ok(kind, `no remark <!-- compile: ${Object.keys(KINDS).join(' | ')} --> before it`);
                const source = path.join(folder, `example${kind.end}`);
                fs.writeFileSync(source, program(block));
                await compile(kind.command, source);
            });
        }
    }

    test('docs/board.md shows all three ways', () => {
        const kinds = blocks(read('docs/board.md')).map(block => block.kind);
        assert.ok(kinds.includes('esp-idf') && kinds.includes('arduino'));
    });

    test('an example with a mistake is noticed', async () => {
        const source = path.join(folder, 'mistake.c');
        fs.writeFileSync(source, program({ statements: true, text: 'otapult_poll();\n' }));
        await assert.rejects(compile(KINDS.core.command, '-include', 'otapult/otapult.h', source), /too few arguments/);
    });
});

describe('the board\'s application', () => {
    const board = ['-I', at('rover/board'), '-I', at('rover'), '-I', at('src'), '-isystem', '/usr/include/cjson'];

    for (const file of [...list('rover/board', '.c'), ...list('rover', '.c')])
        test(file, () => compile([...KINDS['esp-idf'].command, ...board], at(file)));
    for (const file of list('rover/board', '.c'))
        test(`${file}, in the secure profile`, () =>
            compile([...KINDS['esp-idf'].command, ...board, '-DCONFIG_OTAPULT_SECURE=1'], at(file)));
    const motors = (...flags) => compile([...KINDS['esp-idf'].command, ...board, ...flags], at('rover/board/motors.c'));
    for (const chip of ['ESP32', 'ESP32S2', 'ESP32S3', 'ESP32C3', 'ESP32C6'])
        test(`the motors have pins that are free on an ${chip}`, () => motors(`-DCONFIG_IDF_TARGET_${chip}=1`));
    test('a motor on a pin of the flash does not compile', async () => {
        const pins = ['LEFT_FORWARD=25', 'LEFT_BACKWARD=26', 'RIGHT_FORWARD=6', 'RIGHT_BACKWARD=33'];
        await assert.rejects(motors('-DCONFIG_IDF_TARGET_ESP32=1', ...pins.map(pin => `-DCONFIG_ROVER_${pin}`)),
            /right motor, forward: not a free pin/);
    });
    test('rover/board/arduino.cpp', () =>
        compile([...KINDS.arduino.command, ...board], at('rover/board/arduino.cpp')));
});

describe('the Arduino library', () => {
    const library = at('build/arduino/Otapult');
    const headers = ['-I', path.join(library, 'src'), ...IDF];

    test('is made: make arduino', async () => {
        await run('tools/arduino', []);
        for (const file of ['library.properties', 'LICENSE', 'examples/ArduinoOta/ArduinoOta.ino', 'src/Otapult.h'])
            assert.ok(fs.existsSync(path.join(library, file)), file);
    });

    test('compiles with src/ as its only folder of headers', async () => {
        const rooms = fs.readdirSync(path.join(library, 'src'), { withFileTypes: true }).filter(room => room.isDirectory());
        const sources = rooms.flatMap(room => list(`build/arduino/Otapult/src/${room.name}`, '.c')).map(file => at(file));
        assert.ok(sources.length > 20);
        await compile(['gcc', '-std=gnu17', ...WARN, ...headers], ...sources);
    });

    for (const profile of [[], ['-DCONFIG_OTAPULT_SECURE=1']]) {
        const command = [...CPP, ...headers, ...profile];
        test(`its class compiles ${profile}`.trim(), () => compile(command, path.join(library, 'src/Otapult.cpp')));
        test(`its sketch compiles ${profile}`.trim(), () => compile([...command, '-x', 'c++'],
            path.join(library, 'examples/ArduinoOta/ArduinoOta.ino')));
    }

    // The 256 bytes as ESP-IDF lays them out, read here by their offsets (esp_app_desc.h).
    test('OTAPULT_FIRMWARE makes the description that the chip, page and log read', async () => {
        const [source, object, bytes] = ['firmware.cpp', 'firmware.o', 'desc.bin'].map(name => path.join(folder, name));
        const noCheck = CPP.filter(flag => flag !== '-fsyntax-only');
        fs.writeFileSync(source, '#include <Otapult.h>\nOTAPULT_FIRMWARE("my-robot", "1.4.2")\n');
        await compile([...noCheck, ...headers, '-c', '-o', object], source);
        await run('objcopy', ['-O', 'binary', '-j', '.rodata_desc', object, bytes]);
        const desc = fs.readFileSync(bytes);
        const text = (at, size) => desc.toString('latin1', at, at + size).replace(/\0.*$/s, '');
        assert.equal(desc.length, 256);
        assert.equal(desc.readUInt32LE(0), 0xABCD5432);
        assert.equal(text(16, 32), '1.4.2');
        assert.equal(text(48, 32), 'my-robot');
        assert.match(text(80, 16), /^\d\d:\d\d:\d\d$/);
        assert.match(text(96, 16), /^[A-Z][a-z]{2} [ \d]\d \d{4}$/);
        assert.match(text(112, 32), /^v\d\.\d\.\d$/);
        const symbols = await run('nm', [object]);
        assert.match(symbols, / R esp_app_desc$/m); // not weak: it takes the place of the core's own
    });

    test('a name that does not fit does not compile', async () => {
        const source = path.join(folder, 'long.cpp');
        fs.writeFileSync(source, `#include <Otapult.h>\nOTAPULT_FIRMWARE("${'x'.repeat(32)}", "1.4.2")\n`);
        await assert.rejects(compile([...CPP, ...headers], source), /at most 31 characters/);
    });

    // A function, called from a sketch, of which the rest of the library knows nothing.
    test('every call of the class that the documents name exists', async () => {
        const source = path.join(folder, 'all.cpp');
        fs.writeFileSync(source, `#include <Otapult.h>
            void setup() {
                Otapult.check("network", []() { return true; }).ready([]() { return true; }).onHold([](bool) {});
                Otapult.name("left leg").host("robot.local").secure("00");
                if (Otapult.begin(8081) && Otapult.pending())
                    (void)Otapult.confirm();
            }
            void loop() { Otapult.loop(); }\n`);
        await compile([...CPP, ...headers, '-include', 'Arduino.h'], source);
    });
});
