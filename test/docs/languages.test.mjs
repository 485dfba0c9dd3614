// SPDX-License-Identifier: Apache-2.0
// What a robot's owner reads is there in Russian, too, and says the same: the same headings in depth and order, and
// under each the same commands, names in code, rows of tables and figures. The words are for people to compare.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { at, list, read } from '../support/project.mjs';

const OWNERS = ['README.md', 'docs/board.md', 'docs/errors.md', 'docs/trouble.md'];
const russianOf = file => file === 'README.md' ? 'README.ru.md' : file.replace('docs/', 'docs/ru/');
const pairs = [...new Set([...OWNERS, ...list('docs/ru', '.md').map(file => file.replace('docs/ru/', 'docs/'))])];

// A block without its comments: those are translated.
const commands = block => block.split('\n').map(line => line.replace(/(^|\s+)(#|\/\/|\/\*)\s.*$/, '').trimEnd()).filter(Boolean);

// One for each heading: { depth, blocks, code, rows, figures }.
function sections(file) {
    const text = read(file).replace(/<!-- begin: [^]*?<!-- end -->/g, ''); // what programs print is tested elsewhere
    const blocks = [];
    const prose = text.replace(/^```\w*\n([^]*?)^```$/gm, (all, block) => `\0${blocks.push(commands(block)) - 1}\0`);
    return prose.split(/^(?=#+ )/m).filter(part => part.startsWith('#')).map(part => {
        const body = part.slice(part.indexOf('\n')).replace(/^\*(In English|По-русски).*$/m, '').replace(/\]\([^)]*\)/g, ']');
        const figures = body.replace(/\0\d+\0/g, '').replace(/`[^`\n]*`/g, '').replace(/(\d)[,\u00a0 ](\d{3})\b/g, '$1$2');
        return {
            depth: /^#+/.exec(part)[0].length,
            blocks: [...part.matchAll(/\0(\d+)\0/g)].map(([, n]) => blocks[n]),
            code: [...body.replace(/\0\d+\0/g, '').matchAll(/`([^`\n]*)`/g)].map(([, code]) => code.replace(/\s+/g, ' ')).sort(),
            rows: body.split('\n').filter(line => line.startsWith('|')).length,
            figures: [...figures.replace(/(\d),(\d)/g, '$1.$2').matchAll(/\d+(\.\d+)*/g)].map(([figure]) => figure).sort(),
        };
    });
}

describe('in both languages', () => {
    for (const file of pairs) {
        test(file, () => {
            const russian = russianOf(file);
            assert.ok(fs.existsSync(at(file)) && fs.existsSync(at(russian)), `${file} and ${russian}`);
            const [english, own] = [sections(file), sections(russian)];
            assert.deepEqual(own.map(s => s.depth), english.map(s => s.depth), 'headings');
            for (const [n, section] of english.entries())
                assert.deepEqual(own[n], section, `${russian}, heading ${n + 1}`);
            assert.match(read(russian), /[а-я]{4}/);
            for (const [one, other] of [[file, russian], [russian, file]])
                assert.ok(read(one).includes(`](${one.startsWith('docs/ru/') ? '../' : ''}${other.replace(/^docs\//, '')})`), `${one} leads to ${other}`);
        });
    }

    test('a page that is there in English only is marked', () => {
        for (const file of list('docs', '.md'))
            assert.equal(/^\*English only/m.test(read(file)), !pairs.includes(file), file);
    });

    test('a page that is there in English only says so where a Russian one leads to it', () => {
        for (const file of ['README.ru.md', ...list('docs/ru', '.md')])
            for (const line of read(file).split('\n'))
                for (const [, to] of line.matchAll(/\]\(([\w./-]+\.md)/g)) {
                    const english = !/\.ru\.md$|(^|\/)ru\//.test(to) && !(file.startsWith('docs/ru/') && !to.startsWith('../'));
                    assert.ok(!english || /по-английски|In English/.test(line), `${file}: ${to}`);
                }
    });
});
