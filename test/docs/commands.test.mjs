// SPDX-License-Identifier: Apache-2.0
// What people copy out of the documents: a script learns of a refusal, and no address is left for the reader to guess.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { list, read } from '../support/project.mjs';

const documents = ['README.md', 'README.ru.md', 'SECURITY.md', ...list('docs', '.md')];
const blocks = text => [...text.matchAll(/^```\w*\n([^]*?)^```$/gm)].map(match => match[1]);

test('so does the line that `make run` prints', () => {
    const printed = read('Makefile').split('\n').filter(line => /echo.*curl /.test(line));
    assert.ok(printed.length > 0);
    for (const line of printed)
        assert.match(line, /curl --fail-with-body /, line);
});

test('who comes from an updater that fetches learns how to go on fetching', () => {
    const [, part] = read('docs/coming-from.md').split('\n## esp_https_ota\n');
    assert.match(part, /\(pull\.md\)[^]*\(hawkbit\.md\)/);
    assert.doesNotMatch(part, /does not fetch/);
});

describe('commands in the documents', () => {
    for (const file of documents) {
        test(`${file}: curl fails where the robot refuses`, () => {
            const calls = blocks(read(file)).join('\n').split('\n').filter(line => /(^|\| |\$ |\()\s*curl /.test(line));
            for (const line of calls)
                assert.match(line, /curl --fail-with-body /, line);
        });

        test(`${file}: the address of the repository is one variable, and the page says what is in it`, () => {
            const text = read(file);
            assert.doesNotMatch(text, /ADDRESS-OF-THIS|github\.com\/(example|your)/i);
            if (text.includes('OTAPULT_HOME'))
                assert.match(text, /^export OTAPULT_HOME="\$\(git remote get-url origin\)"/m);
        });
    }
});
