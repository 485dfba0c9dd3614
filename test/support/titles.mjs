// SPDX-License-Identifier: Apache-2.0
// What the tests of the scripts are called, loops and templates done: all scripts are loaded with a node:test that only
// notes titles, so no test runs and nothing that one needs is started.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { at, testFiles } from './project.mjs';

const asModule = text => `data:text/javascript,${encodeURIComponent(text)}`;

const NOTING = asModule(`
    const nothing = () => {};
    export const before = nothing, after = nothing, beforeEach = nothing, afterEach = nothing;
    export const test = title => { titles.tests.push(title); };
    export function describe(title, ...rest) {
        titles.suites.push(title);
        rest.at(-1)();
    }`);

const HOOKS = asModule(`
    export const resolve = (specifier, context, next) =>
        specifier === 'node:test' ? { url: ${JSON.stringify(NOTING)}, shortCircuit: true } : next(specifier, context);`);

const LOADER = `
    import fs from 'node:fs';
    import { register } from 'node:module';
    import { pathToFileURL } from 'node:url';
    const [into, ...files] = process.argv.slice(1), all = {};
    register(${JSON.stringify(HOOKS)});
    for (const file of files) {
        globalThis.titles = all[file] = { suites: [], tests: [] };
        await import(pathToFileURL(file).href);
    }
    fs.writeFileSync(into, JSON.stringify(all));
    process.exit(0);`;

let all = null;

function load() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-titles-')); // of what a script makes when it is loaded
    const into = path.join(folder, 'titles');
    try {
        execFileSync(process.execPath, ['--input-type=module', '-e', LOADER, into, ...testFiles('.test.mjs')],
            { cwd: at('.'), env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'ignore', 'inherit'] });
        return JSON.parse(fs.readFileSync(into, 'utf8'));
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}

// { suites, tests } of a script, by its path from the project's root.
export function titlesOf(file) {
    all ??= load();
    return all[file] ?? { suites: [], tests: [] };
}
