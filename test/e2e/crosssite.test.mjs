// SPDX-License-Identifier: Apache-2.0
// Pages of other sites against the rover, in a real browser, in both profiles: what they try must reach the
// device as what it is, and change nothing. The other sites are names that Chromium resolves to this machine.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './support/browser.mjs';
import { curl } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { startSecureRover } from './support/secure.mjs';

const EVIL = 'evil.example';
let browser, site, pages;

// A web server of the attacker: serves `pages[path]`.
before(async () => {
    site = http.createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end(pages[request.url] ?? '');
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    browser = await openBrowser([`--host-resolver-rules=MAP ${EVIL} 127.0.0.1, MAP rover.local 127.0.0.1`]);
});
after(async () => {
    try {
        await browser.close();
    } finally {
        site.close();
    }
});

const target = rover => new URL(rover.url);

// Opens the attacker's page `html` in `context`, and notes what the device answered to which address, also
// where the browser lets no page see it: answers(path) = [{ status, headers }, …]; all without a path.
async function attack(context, rover, html, wait = 700) {
    const page = await context.newPage();
    const wire = await context.newCDPSession(page);
    const sent = {}, heads = [];
    wire.on('Network.requestWillBeSent', ({ requestId, request }) => { sent[requestId] = new URL(request.url); });
    wire.on('Network.responseReceivedExtraInfo', head => heads.push(head));
    const isTo = ({ requestId }, path) => sent[requestId]?.port === target(rover).port &&
        (!path || sent[requestId].pathname === path);
    const answers = path => heads.filter(head => isTo(head, path))
        .map(({ statusCode, headers }) => ({ status: statusCode, headers }));
    await wire.send('Network.enable');
    pages = { '/': `<!doctype html><title>free games</title>${html}` };
    await page.goto(`http://${EVIL}:${site.address().port}/`);
    await page.waitForTimeout(wait);
    return { page, answers };
}

function assertAnswers(answers, path, ...statuses) {
    assert.deepEqual(answers(path).map(answer => answer.status), statuses, path);
}

const BUTTONS = ['confirm', 'rollback', 'reboot', 'logout'];

// Both profiles: { start, options of the browser's context, log in }.
const profiles = {
    open: {
        start: async () => ({ rover: await startRover() }),
        context: {},
    },
    secure: {
        start: async () => {
            const owner = await startSecureRover();
            return { rover: owner.rover, owner };
        },
        context: { ignoreHTTPSErrors: true },
    },
};

for (const [name, profile] of Object.entries(profiles)) {
    describe(`the ${name} profile`, () => {
        let rover, owner, context, before_;

        before(async () => {
            ({ rover, owner } = await profile.start());
            const page = await browser.newPage({ tolerate: [/./], ...profile.context });
            context = page.context();
            await page.goto(`${rover.url}/api/ota`);
            if (owner) { // the victim is logged in, in this very browser
                await page.fill('#password', owner.password);
                await page.click('#login button');
                await page.waitForURL(`${owner.url}/api/ota`);
            }
            before_ = await rover.status();
        });
        after(() => rover.stop());

        async function assertUnchanged() {
            const now = await rover.status();
            for (const key of ['boot', 'state', 'received', 'running', 'boot_slot', 'last'])
                assert.deepEqual(now[key], before_[key], key);
        }

        test('cross-origin form post', async () => {
            for (const button of BUTTONS) {
                const { page, answers } = await attack(context, rover, `
                    <form method="post" action="${rover.url}/api/ota/${button}" enctype="text/plain"><input name="a" value="b"></form>
                    <script>document.forms[0].submit()</script>`);
                assertAnswers(answers, `/api/ota/${button}`, 403);
                assert.match(await page.textContent('body'), /foreign_origin/);
                await page.close();
            }
            await assertUnchanged();
        });

        test('cross-origin form post of a firmware', async () => {
            const { page, answers } = await attack(context, rover, `
                <form method="post" action="${rover.url}/api/ota/upload" enctype="multipart/form-data"><input type="file" name="firmware"></form>
                <script>
                const files = new DataTransfer();
                files.items.add(new File([new Uint8Array(100000).fill(0xe9)], 'firmware.bin'));
                document.querySelector('input').files = files.files;
                document.forms[0].submit();
                </script>`);
            assertAnswers(answers, '/api/ota/upload', 403);
            await page.close();
            await assertUnchanged();
        });

        test('cross-origin fetch', async () => {
            const { page, answers } = await attack(context, rover, `<script>
                const url = ${JSON.stringify(rover.url)};
                const tries = [
                    [url + '/api/ota/status', {}],
                    [url + '/api/ota/status', {mode: 'no-cors', credentials: 'include'}],
                    [url + '/api/ota/log', {credentials: 'include'}],
                    [url + '/api/ota/reboot', {method: 'POST', mode: 'no-cors', credentials: 'include'}],
                    [url + '/api/ota/upload', {method: 'POST', mode: 'no-cors', body: new FormData()}],
                    [url + '/api/drive', {method: 'POST', mode: 'no-cors', body: '{"left":9,"right":9}'}],
                    [url + '/api/drive', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"left":9,"right":9}'}],
                    [url + '/api/ota/login', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}],
                ];
                window.read = [];
                window.done = Promise.all(tries.map(async ([u, o]) => {
                    try {
                        const answer = await fetch(u, o);
                        read.push(await answer.text());
                    } catch (e) {
                        read.push('');
                    }
                }));
                </script>`);
            await page.evaluate(() => window.done);
            assert.deepEqual(await page.evaluate(() => window.read), Array(8).fill('')); // nothing can be read
            for (const { headers } of answers())
                assert.ok(!Object.keys(headers).some(header => /^access-control/i.test(header)));
            assertAnswers(answers, '/api/ota/status', 403, 403);
            assertAnswers(answers, '/api/ota/log', 403);
            for (const address of ['/api/ota/reboot', '/api/ota/upload'])
                assertAnswers(answers, address, 403);
            assert.deepEqual(answers('/api/drive').map(answer => answer.status).sort(), [403, 405]); // 405: the preflight
            assertAnswers(answers, '/api/ota/login', 405);
            await page.close();
            await assertUnchanged();
        });

        test('image tag, script tag, frame, style, event source', async () => {
            const { page, answers } = await attack(context, rover, `
                <img src="${rover.url}/api/ota/reboot"><img src="${rover.url}/api/ota/status"><img src="${rover.url}/api/ota/log">
                <script src="${rover.url}/api/ota/errors"></script>
                <link rel="stylesheet" href="${rover.url}/api/status">
                <iframe src="${rover.url}/api/ota" id="frame"></iframe>
                <script>new EventSource('${rover.url}/api/ota/events')</script>`, 1500);
            assertAnswers(answers, '/api/ota/reboot', 405);
            for (const address of ['/api/ota/status', '/api/ota/log', '/api/ota/errors', '/api/status', '/api/ota/events'])
                assertAnswers(answers, address, 403);
            const frame = page.frames().find(f => f !== page.mainFrame());
            assert.doesNotMatch(await frame.content().catch(() => ''), /Otapult/); // frame-ancestors 'none'
            await page.close();
            await assertUnchanged();
        });

        test('a link to the device works', async () => {
            const { page } = await attack(context, rover, `<a href="${rover.url}/api/ota">robot</a>`);
            await page.click('a');
            await page.waitForURL(/\/api\/ota/);
            assert.match(await page.title(), /Firmware update|Account|Otapult/);
            await page.close();
        });

        test('rebinding Host: a name of the attacker that leads to the device', async () => {
            const { protocol, port } = target(rover);
            const page = await context.newPage();
            const answer = await page.goto(`${protocol}//${EVIL}:${port}/api/ota`);
            assert.equal(answer.status(), 421);
            assert.match(await page.textContent('body'), /not a name of this device/);
            // That page may ask for nothing by itself; what the name would be asked for is refused as well.
            const asked = [['status'], ['reboot', '-X', 'POST'], ['upload', '-X', 'POST', '-F', 'firmware=x']];
            const statuses = [];
            for (const [what, ...options] of asked)
                statuses.push((await curl('-k', '-H', `Host: ${EVIL}`, ...options, `${rover.url}/api/ota/${what}`)).status);
            assert.deepEqual(statuses, [421, 421, 421]);
            await page.close();
            await assertUnchanged();
        });

        test('the device\'s own name works, and a name of the owner\'s choice', async () => {
            const { protocol, port } = target(rover);
            const page = await context.newPage();
            assert.equal((await page.goto(`${protocol}//rover.local:${port}/api/ota`)).status(), 200);
            await page.close();
            const named = await startRover({ args: ['--fast', '--host', 'robot.example.org'] });
            const host = ['-H', 'Host: robot.example.org'];
            assert.equal((await curl(...host, `${named.url}/api/ota/status`)).status, 200);
            assert.equal((await curl('-H', 'Host: example.org', `${named.url}/api/ota/status`)).json.code, 'foreign_host');
            await named.stop();
        });

        test('login of the victim into the attacker\'s account, or out of his own', async () => {
            const { page, answers } = await attack(context, rover, `
                <form method="post" action="${rover.url}/api/ota/login" enctype="text/plain">
                <input name='{"password":"x' value='"}'></form><script>document.forms[0].submit()</script>`);
            assertAnswers(answers, '/api/ota/login', 403);
            await page.close();
            if (owner) {
                const own = await context.newPage();
                await own.goto(`${rover.url}/api/ota`);
                await own.waitForFunction(() => document.querySelector('#running').dataset.build); // still logged in
                await own.close();
            }
        });
    });
}
