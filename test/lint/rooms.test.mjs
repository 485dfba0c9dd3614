// SPDX-License-Identifier: Apache-2.0
// tools/check-rooms finds what it is there for: each rule is broken in a copy of the project, and must be reported.
// References are those of the real compiler: the copy's core is compiled, and what a test breaks is compiled again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { append, Copy, including } from './copy.mjs';

let copy;

const objectOf = file => copy.at(`build/${file.replaceAll('/', '+')}.o`);

function compile(file) {
    execFileSync('cc', ['-w', '-c', '-Iinclude', '-Isrc', '-Isim', '-Iport/host', '-o', objectOf(file), file], { cwd: copy.root });
}

before(() => {
    copy = new Copy();
    fs.mkdirSync(copy.at('build'));
    const compiled = fs.readdirSync(copy.at('src')).flatMap(room => fs.readdirSync(copy.at(`src/${room}`))
        .filter(name => name.endsWith('.c')).map(name => `src/${room}/${name}`)).concat('sim/nor_flash.c');
    compiled.forEach(compile);
    fs.writeFileSync(copy.at('build/compile_commands.json'), JSON.stringify(compiled.map(file =>
        ({ directory: copy.root, command: `cc -o ${objectOf(file)} -c ${file}`, file: copy.at(file) }))));
});

after(() => copy.remove());

const check = () => copy.check('check-rooms', '--build', copy.at('build'));
const withBroken = change => copy.withBroken(change, check, file => fs.existsSync(objectOf(file)) && compile(file));

describe('each rule, broken', () => {
    const cases = {
        'an include of a room above': [{ 'src/flash/ota_data.c': including('web/header.h') },
            /^src\/flash\/ota_data\.c: includes web\/header\.h of src\/web, which src\/flash may not use$/m],
        'the core includes a port': [{ 'src/base/text.c': including('host_port.h') },
            /^src\/base\/text\.c: includes host_port\.h of port\/host/m],
        'a port includes the rover': [{ 'port/host/store.c': including('rover.h') },
            /^port\/host\/store\.c: includes rover\.h of rover, which port\/host may not use$/m],
        'the rover includes a private header': [{ 'rover/drive.c': including('base/text.h') },
            /^rover\/drive\.c: includes base\/text\.h of src\/base, which rover may not use$/m],
        'the core asks the OS': [{ 'src/web/header.c': text => `#include <stdio.h>\n${text}` },
            /^src\/web\/header\.c: includes stdio\.h, which src\/web may not ask the outside for$/m],
        'a header of the core asks for the heap': [{ 'include/otapult/port.h': including('stdlib.h') },
            /^include\/otapult\/port\.h: includes stdlib\.h/m],
        'a reference without an include': [{
            'src/flash/ota_data.c': append('extern int otapult_judge_feed(void);\nint otapult_planted(void);\n' +
                'int otapult_planted(void) { return otapult_judge_feed(); }'),
        }, /^src\/flash\/ota_data\.c: refers to otapult_judge_feed of src\/image\/judge\.c, and src\/flash may not use src\/image$/m],
        'a public function of a room above, inside the core': [{
            'src/base/text.c': append('extern int otapult_build_id(void);\nint otapult_planted(void);\n' +
                'int otapult_planted(void) { return otapult_build_id(); }'),
        }, /^src\/base\/text\.c: refers to otapult_build_id of src\/image\/info\.c/m],
        'two headers in a circle': [{
            'src/base/bytes.h': including('base/text.h'), 'src/base/text.h': including('base/bytes.h'),
        }, /^a circle of files: src\/base\/bytes, src\/base\/text$/m],
        'two sources in a circle, by references alone': [{
            'src/flash/ota_data.c': append('extern int otapult_table_find(void);\nint otapult_planted(void);\n' +
                'int otapult_planted(void) { return otapult_table_find(); }'),
            'src/flash/partition_table.c': append('extern int otapult_ota_active(void);\nint otapult_planted_too(void);\n' +
                'int otapult_planted_too(void) { return otapult_ota_active(); }'),
        }, /^a circle of files: src\/flash\/ota_data, src\/flash\/partition_table$/m],
        'a circle of rooms': [{ 'tools/rooms': text => text.replace('src/base\n  holds', 'src/base\n  uses src/web\n  holds')
            .replace(/(src\/base\n {2}uses src\/web\n {2}holds.*\n) {2}uses .*\n/, '$1') },
        /^tools\/rooms: a circle of rooms: /m],
        'a room that is none': [{ 'tools/rooms': text => text.replace('uses include/otapult', 'uses include/otapulp') },
            /^tools\/rooms: src\/base uses include\/otapulp, which is no room$/m],
        'a file in no room': [{ 'planted.c': () => 'int planted;\n' }, /^planted\.c: is in no room/m],
        'a table that was not written again': [{ 'tools/rooms': text => text.replace('holds one sketch', 'holds two sketches') },
            /^ARCHITECTURE\.md: the table of rooms is not that of tools\/rooms/m],
    };
    for (const [title, [change, found]] of Object.entries(cases)) {
        test(title, () => {
            assert.doesNotMatch(check(), found);
            assert.match(withBroken(change), found);
        });
    }
});
