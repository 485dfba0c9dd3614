// SPDX-License-Identifier: Apache-2.0
// Chromium through playwright-core: CHROMIUM=/path/to/it, or the one on the PATH.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

function executable() {
    if (process.env.CHROMIUM)
        return process.env.CHROMIUM;
    const folders = (process.env.PATH ?? '').split(':');
    const found = NAMES.flatMap(name => folders.map(folder => path.join(folder, name)))
        .find(file => fs.existsSync(file));
    assert.ok(found, 'no Chromium on the PATH; name one: CHROMIUM=/path/to/chromium');
    return found;
}

// What handlers of page.route() still have under way when a page closes is of nobody, and Node ends a whole test
// file for an error of it: a robot that is gone by then, an answer to a page that no longer is.
async function letGo(page) {
    if (!page.isClosed())
        await page.unrouteAll({ behavior: 'ignoreErrors' });
}

// `more`: further switches of Chromium.
export async function openBrowser(more = []) {
    const root = process.getuid() === 0; // Chromium's sandbox does not run as root
    const browser = await chromium.launch({
        executablePath: executable(),
        args: [...QUIET, ...more, ...(root ? ['--no-sandbox'] : [])],
        chromiumSandbox: !root,
    });
    return new Browser(browser);
}

class Browser {
    #browser;
    #pages = [];

    constructor(browser) {
        this.#browser = browser;
    }

    // A page in a fresh context; `options` as of browser.newContext(): locale, viewport, colorScheme, …
    // Errors of the page and its console make close() fail, but for those that match `tolerate`:
    // Chromium logs every answer of 400 and above, and every connection that a reboot refuses.
    async newPage({ tolerate = [], ...options } = {}) {
        const context = await this.#browser.newContext(options);
        const page = await context.newPage();
        const problems = [];
        const note = text => tolerate.some(pattern => pattern.test(text)) || problems.push(text);
        page.on('console', message => message.type() === 'error' && note(message.text()));
        page.on('pageerror', error => note(String(error)));
        this.#pages.push({ page, problems });
        const close = page.close.bind(page);
        page.close = async () => {
            await letGo(page);
            await close();
        };
        return page;
    }

    // What the page hears of `pattern` is what `url` answers, changed by `change(json)` in place or into what it
    // returns. A robot that does not answer, as while it restarts, is a broken connection to the page, too.
    async alterAnswers(page, pattern, url, change) {
        await page.route(pattern, async route => {
            const answer = await route.fetch({ url }).catch(() => null);
            if (!answer)
                return route.abort();
            const json = await answer.json();
            return route.fulfill({ response: answer, json: change(json) ?? json });
        });
    }

    // Errors so far, of all pages.
    problems() {
        return this.#pages.flatMap(({ page, problems }) => problems.map(text => `${page.url()}: ${text}`));
    }

    async close() {
        const problems = this.problems();
        for (const { page } of this.#pages)
            await letGo(page);
        await this.#browser.close();
        assert.deepEqual(problems, []);
    }
}
