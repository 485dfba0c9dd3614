// SPDX-License-Identifier: Apache-2.0
// One table makes help, manual pages, docs/cli.md and completion: each is what the command prints, and each shell
// and man take it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { program, root, run } from './support/run.mjs';

const OTAPULT = program('otapult', 'OTAPULT');
const otapult = (...args) => run(OTAPULT, args);
const installed = async command => (await run('sh', ['-c', `command -v ${command}`])).status === 0;

let verbs, folder;
before(async () => {
    const { stdout } = await otapult('help', '--format', 'markdown');
    verbs = [...stdout.matchAll(/^### otapult (\S+)/gm)].map(match => match[1]);
    assert.ok(verbs.length >= 9, stdout);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-docs-'));
});
after(() => fs.rmSync(folder, { recursive: true }));

test('docs/cli.md holds what the command prints', async () => {
    const { stdout } = await otapult('help', '--format', 'markdown');
    const page = fs.readFileSync(path.join(root, 'docs/cli.md'), 'utf8');
    assert.ok(page.endsWith(`-->\n\n${stdout}`), 'run: tools/cli-docs');
});

test('a block in a verb\'s text is the same lines on a terminal, in a page and in a manual page', async () => {
    const lines = (await otapult('help', 'push')).stdout.split('\n');
    const block = lines.slice(lines.indexOf('  [robot rover-1]')).slice(0, 4).map(line => line.trim());
    assert.match(block.join(), /host = .*,groups = .*,token_file = /);
    const page = (await otapult('help', '--format', 'markdown')).stdout;
    assert.ok(page.includes(`An inventory is an INI file:\n\n\`\`\`ini\n${block.join('\n')}\n\`\`\`\n\nand may`), page.match(/An inventory[^]*?and may/)[0]);
});

test('--help fits a screen of 80 columns and 24 lines, and names every verb', async () => {
    const { stdout } = await otapult('--help');
    const lines = stdout.trimEnd().split('\n');
    assert.ok(lines.length <= 24, `${lines.length} lines`);
    for (const line of lines)
        assert.ok([...line].length <= 80, line);
    for (const verb of verbs)
        assert.match(stdout, new RegExp(`(^|  ?)${verb} `, 'm'));
});

test('help of every verb: 80 columns, every option of its own', async () => {
    for (const verb of verbs) {
        const { stdout, status } = await otapult('help', verb);
        assert.equal(status, 0);
        const examples = stdout.split('\nExamples:\n')[1] ?? '';
        for (const line of stdout.split('\n'))
            assert.ok([...line].length <= 80 || examples.includes(line), line);
        for (const [, option] of stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm))
            assert.doesNotMatch((await otapult(verb, `${option}`, 'x', '--no-such-option')).stderr,
                new RegExp(`takes no ${option}`), option); // the last word keeps the verb from running
    }
});

test('--json leaves an object for every outcome, of every verb that takes it', async () => {
    const absent = path.join(folder, 'absent.bin');
    for (const verb of verbs) {
        if (!(await otapult('help', verb)).stdout.includes('--json'))
            continue;
        const words = verb === 'sign' ? [absent, '--key', absent, '--out', `${absent}.signed`]
            : verb === 'patch' ? [absent, absent, '--out', absent] : verb === 'extract' ? [absent, '--out', absent]
            : verb === 'verify' ? [absent, '--key', absent] : verb === 'keygen' ? [path.join(folder, 'no/such/folder')]
            : verb === 'discover' ? null : verb === 'watch' ? null : [absent];
        for (const args of [words, ['--slot-sise'], ['--no-such-option']].filter(Boolean)) {
            const { status, stdout } = await otapult(verb, '--json', ...args);
            assert.notEqual(status, 0, `${verb} ${args}`);
            const said = stdout.trim().split('\n').map(line => JSON.parse(line));
            assert.equal(said[0].success, false, `${verb} ${args}`);
            assert.ok(said[0].code && said[0].detail !== undefined, stdout);
        }
    }
});

describe('what was probably meant', () => {
    for (const [words, meant] of [[['chekc'], 'check'], [['stauts'], 'status'], [['help', 'vrify'], 'verify'],
        [['check', '--runing', '1.0', 'f'], '--running'], [['check', '--chip', 'esp32-s9', 'f'], 'ESP32-S2']])
        test(words.join(' '), async () => {
            const result = await otapult(...words);
            assert.equal(result.status, 2);
            assert.match(result.stderr, new RegExp(`did you mean ${meant}\\?`));
        });

    test('nothing near: no guess', async () => {
        assert.doesNotMatch((await otapult('frobnicate')).stderr, /did you mean/);
    });
});

test('a word of the command line cannot talk to the terminal', async () => {
    for (const words of [['\x1b[31m'], ['info', '\x1b[31m'], ['info', '--\x1b[31m', 'f'], ['keygen', '/\x1b[31m/k']]) {
        const { stdout, stderr } = await otapult(...words);
        assert.doesNotMatch(stdout + stderr, /\x1b/, JSON.stringify(words));
    }
});

test('advice is Russian where the locale is', async () => {
    const ask = env => run(OTAPULT, ['info', `${folder}/absent`], { env: { PATH: process.env.PATH, ...env } });
    const russian = [{ LANG: 'ru_RU.UTF-8' }, { LC_ALL: 'ru', LANG: 'C' }, { LC_MESSAGES: 'ru_RU', LANG: 'C' }];
    for (const env of russian)
        assert.match((await ask(env)).stderr, /Проверьте/, JSON.stringify(env));
    for (const env of [{}, { LANG: 'C' }, { LC_ALL: 'C', LANG: 'ru_RU' }, { LANG: 'run' }])
        assert.match((await ask(env)).stderr, /Check the name/, JSON.stringify(env));
    for (const [lang, words] of [['ru', /закрытый ключ/], ['C', /private key/]]) {
        const { stderr } = await run(OTAPULT, ['keygen', `${folder}/${lang}.pem`, '--scheme', 'ecdsa256'], { env: { PATH: process.env.PATH, LANG: lang } });
        assert.match(stderr, words);
        assert.doesNotMatch(stderr, lang === 'ru' ? /private/ : /ключ/);
    }
});

describe('manual pages', () => {
    test('man takes each without a word of complaint', async t => {
        if (!await installed('man'))
            return t.skip('man is not installed');
        for (const verb of [null, ...verbs]) {
            const { stdout } = await otapult('help', '--format', 'man', ...(verb ? [verb] : []));
            const file = path.join(folder, `otapult${verb ? `-${verb}` : ''}.1`);
            fs.writeFileSync(file, stdout);
            const page = await run('man', ['--warnings', '-E', 'UTF-8', '-l', file],
                { env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' } });
            assert.equal(page.status, 0);
            assert.equal(page.stderr, '', verb);
            assert.match(page.stdout, verb ? /\nNAME\n.*\n[^]*\nOPTIONS\n/ : /\nEXIT STATUS\n/);
        }
    });
});

describe('completion in the real shells', () => {
    const script = async shell => {
        const file = path.join(folder, `completion.${shell}`);
        fs.writeFileSync(file, (await otapult('completion', shell)).stdout);
        return file;
    };
    const shell = (command, text) => run(command, ['-c', text],
        { env: { ...process.env, PATH: `${path.dirname(OTAPULT)}:${process.env.PATH}` } });
    const bash = async (...words) => {
        const { stdout, stderr } = await shell('bash', `. ${await script('bash')}; COMP_WORDS=(otapult ${words.map(w =>
            `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; compopt() { :; }; _otapult; printf '%s\\n' "\${COMPREPLY[@]}"`);
        assert.equal(stderr, '');
        return stdout.trim().split('\n');
    };

    test('bash', async () => {
        assert.deepEqual(await bash('ch'), ['check']);
        for (const verb of verbs)
            assert.ok((await bash('')).includes(verb));
        assert.deepEqual(await bash('check', '--chip', 'ESP32-S'), ['ESP32-S2', 'ESP32-S3', 'ESP32-S31']);
        assert.ok((await bash('check', '--')).includes('--slot-size'));
        assert.deepEqual(await bash('help', 'keyg'), ['keygen']);
    });

    test('fish', async t => {
        if (!await installed('fish'))
            return t.skip('fish is not installed');
        const file = await script('fish');
        const fish = async line => (await shell('fish', `source ${file}; complete -C '${line}'`)).stdout
            .trim().split('\n').map(text => text.split('\t')[0]);
        assert.deepEqual(await fish('otapult che'), ['check']);
        assert.ok((await fish('otapult check --slot')).includes('--slot-size'));
        assert.ok((await fish('otapult check --chip ESP32-S')).includes('ESP32-S3'));
    });

    test('zsh', async t => {
        if (!await installed('zsh'))
            return t.skip('zsh is not installed');
        const file = await script('zsh');
        // zsh completes only in its line editor: a pseudo-terminal of its own, by its own module.
        const zsh = async line => (await shell('zsh', `zmodload zsh/zpty; zpty z 'zsh -f -i'
            zpty -w z "PS1= ; autoload -Uz compinit; compinit -u -d ${folder}/dump; source ${file}; LISTMAX=999"
            zpty -w z "zstyle ':completion:*' list-colors; bindkey '^I' complete-word; echo rea''dy"
            while zpty -r z text; do [[ $text == *ready* ]] && break; done
            zpty -n -w z ${JSON.stringify(line)}$'\\t'; sleep 1; zpty -n -w z $'\\t\\x15exit\\n'
            while zpty -r z text; do print -r -- "$text"; done`)).stdout;
        assert.match(await zsh('otapult keyg'), /otapult keygen/);
        assert.match(await zsh('otapult check --slot'), /--slot-size/);
    });
});
