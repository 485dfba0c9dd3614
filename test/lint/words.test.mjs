// SPDX-License-Identifier: Apache-2.0
// tools/check-words and tools/check-code find what they are there for: each rule is broken in a copy of the project.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { append, Copy } from './copy.mjs';

let copy;

before(() => { copy = new Copy(); });
after(() => copy.remove());

function finds(tool, cases) {
    for (const [title, [change, found]] of Object.entries(cases)) {
        test(title, () => {
            assert.doesNotMatch(copy.check(tool), found);
            assert.match(copy.withBroken(change, () => copy.check(tool)), found);
        });
    }
}

const SOURCE = 'src/flash/ota_data.c';

describe('a comment or a document that names what is not there', () => {
    finds('check-words', {
        'a file': [{ [SOURCE]: append('/* As in slot_writre.c. */') }, /^src\/flash\/ota_data\.c:\d+: no such file: slot_writre\.c$/m],
        'a path': [{ 'README.md': append('See `src/flush/`, and `test/unit/NAME.c`, and `src/flush/slot_writer`.') },
            /^README\.md:\d+: no such path: src\/flush\/slot_writer$/m],
        'a function': [{ [SOURCE]: append('/* Calls abandon_slot() first. */') }, /no such function: abandon_slot$/m],
        'a name of ours': [{ 'include/otapult/port.h': append('/* otapult_abandon does it. */') },
            /^include\/otapult\/port\.h:\d+: no such name: otapult_abandon$/m],
        'a function that stands in a comment only': [{ [SOURCE]: append('/* int otapult_abandon(void); */\n/* otapult_abandon() */') },
            /no such function: otapult_abandon$/m],
        'a test': [{ 'docs/safety.md': append('Proved by `test_everything_holds`.') }, /^docs\/safety\.md:\d+: no such test: test_everything_holds$/m],
        'an option': [{ 'docs/board.md': append('Set `CONFIG_OTAPULT_FASTER`.') }, /no such option: OTAPULT_FASTER$/m],
        'a make target': [{ 'README.md': append('Then `make everything`.') }, /no such make target: everything$/m],
        'a remark of CMake': [{ 'CMakeLists.txt': append('# As rover.c says.') }, /^CMakeLists\.txt:\d+: no such file: rover\.c$/m],
        'a remark of JavaScript': [{ 'ui/ota.js': append('// as in ui/otta.js') }, /no such file: ui\/otta\.js$/m],
        'a word of other projects that nobody mentions': [{ 'tools/words-elsewhere': append('esp_never_called') },
            /^tools\/words-elsewhere: nothing mentions esp_never_called/m],
    });

    test('strings and code are not comments', () => assert.doesNotMatch(copy.withBroken(
        { [SOURCE]: append('static const char planted[] = "/* planted.c */"; /* and so on */') },
        () => copy.check('check-words')), /planted/));
});

describe('C that the project does not want', () => {
    const long = lines => `static void planted(void)\n{\n${'    (void)0;\n'.repeat(lines - 2)}}`;
    finds('check-code', {
        'a function of 41 lines': [{ [SOURCE]: append(long(41)) }, /^src\/flash\/ota_data\.c:\d+: 41 lines, at most 40: static void planted/m],
        'a test of 41 lines': [{ 'test/base/test_text.c': append(long(41)) }, /^test\/base\/test_text\.c:\d+: 41 lines/m],
        'an error that may be thrown away': [{ 'src/flash/ota_data.h': append('int otapult_planted(void);') },
            /^src\/flash\/ota_data\.h:\d+: otapult_planted\(\) returns an error and is not OTAPULT_MUST_CHECK$/m],
        'an error that is thrown away': [{ [SOURCE]: append('static int fails(void);\nvoid planted(int x)\n{\n    if (x)\n        fails();\n}') },
            /^src\/flash\/ota_data\.c:\d+: what fails\(\) returns is thrown away$/m],
        'a result promised of nothing': [{ 'src/flash/ota_data.h': append('/* Does it. 0 or STORE. */\nvoid otapult_planted(void);') },
            /^src\/flash\/ota_data\.h:\d+: otapult_planted\(\) returns nothing, and its comment promises a result$/m],
        'a result promised of one of several': [{
            'src/flash/ota_data.h': append('/* save and clear: 0 or the port\'s. */\nOTAPULT_MUST_CHECK int otapult_planted_save(void);\n' +
                'void otapult_planted_clear(void);'),
        }, /otapult_planted_clear\(\) returns nothing/m],
    });

    test('40 lines are right, and so are a table and a result that is used', () => assert.doesNotMatch(copy.withBroken({
        [SOURCE]: append(`${long(40)}\nstatic int fails(void);\nvoid other(void)\n{\n    (void)fails();\n}`),
        'test/base/test_text.c': append(`static void planted(void)\n{\n    static const int row[] = {\n${'        1,\n'.repeat(60)}    };\n}`),
    }, () => copy.check('check-code')), /planted|fails/));
});
