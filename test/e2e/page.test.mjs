// SPDX-License-Identifier: Apache-2.0
// The page in a real browser, as a person uses it: choose or drop a file, upload, watch, and read what runs;
// every kind of refusal with its hint in both languages; the merged image's cure.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from './support/browser.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
const buildId = file => fs.readFileSync(file).toString('hex', 0xb0, 0xb4);
// Chromium logs refused answers and the connections that a reboot cuts; nothing else is tolerated.
const tolerate = [/Failed to load resource/, /net::ERR_/];
let browser, rover;

before(async () => {
    browser = await openBrowser();
    rover = await startRover({ args: ['--fast', '--confirm', '3'] });
});
after(async () => {
    try {
        await browser.close();
    } finally {
        await rover.stop();
        samples.remove();
    }
});

async function open(address = '/api/ota', options = {}) {
    const page = await browser.newPage({ locale: 'en-US', tolerate, ...options });
    await page.goto(rover.url + address);
    await page.waitForFunction(() => document.querySelector('[data-build]')?.dataset.build);
    return page;
}

const phase = (page, name) => page.waitForSelector(`#phase[data-phase=${name}]`, { state: 'attached' });
const idle = () => rover.waitFor('an idle, confirmed rover', s => s.state === 'idle' && !s.pending);

async function drop(page, file) {
    const bytes = fs.readFileSync(file).toString('base64');
    const data = await page.evaluateHandle(([base64, name]) => {
        const transfer = new DataTransfer();
        const content = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
        transfer.items.add(new File([content], name));
        return transfer;
    }, [bytes, file.split('/').pop()]);
    await page.dispatchEvent('#drop', 'dragenter', { dataTransfer: data });
    await page.dispatchEvent('#drop', 'dragover', { dataTransfer: data });
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: data });
}

describe('the way of the brief', () => {
    test('home page, 🔄 OTA Update, choose a file, upload, reboot, the new version is shown', async () => {
        const file = await samples.make('chosen.bin', { version: '2.0.0', seed: 21, size: 900000 });
        const page = await open('/');
        assert.match(await page.textContent('#fw'), /1\.0\.0/);
        assert.equal((await page.textContent('#ota-link')).trim(), '🔄 OTA Update');
        await page.click('#ota-link');
        await page.waitForSelector('#drop');
        await page.setInputFiles('#file', file);
        await page.waitForSelector('#upload:not([disabled])');
        assert.match(await page.textContent('body'), new RegExp(buildId(file)));
        await page.click('#upload');
        await phase(page, 'done');
        assert.match(await page.textContent('#result'), new RegExp(buildId(file)));
        await page.waitForSelector(`#running[data-build="${buildId(file)}"]`);
        assert.match(await page.textContent('#running'), /2\.0\.0/);
        assert.doesNotMatch(await page.textContent('#running'), /enforced/); // nothing is, in this profile
        assert.equal((await idle()).slots[1].image.build, buildId(file));
        assert.match(await page.textContent('#log'), new RegExp(buildId(file)));
        await page.close();
    });

    test('a dropped file goes the same way, with Russian captions', async () => {
        const file = await samples.make('dropped.bin', { version: '2.1.0', seed: 22 });
        const page = await open('/api/ota', { locale: 'ru-RU' });
        assert.equal((await page.textContent('#choose')).trim(), 'Выбрать файл');
        assert.equal((await page.textContent('#upload')).trim(), 'Загрузить прошивку');
        await drop(page, file);
        await page.waitForSelector('#upload:not([disabled])');
        await page.click('#upload');
        await phase(page, 'done');
        await page.waitForSelector(`#running[data-build="${buildId(file)}"]`);
        await idle();
        await page.close();
    });

    test('the whole of it by keyboard', async () => {
        const file = await samples.make('keys.bin', { version: '2.2.0', seed: 23 });
        const page = await open();
        const [chooser] = await Promise.all([
            page.waitForEvent('filechooser'),
            page.focus('#choose').then(() => page.keyboard.press('Enter')),
        ]);
        await chooser.setFiles(file);
        await page.waitForSelector('#upload:not([disabled])');
        await page.focus('#upload');
        await page.keyboard.press('Enter');
        await phase(page, 'done');
        await idle();
        await page.close();
    });

    test('progress grows to all bytes, sent and written', async () => {
        const slow = await startRover({ args: [] }); // with the flash delays of a board
        try {
            const file = await samples.make('large.bin', { version: '2.3.0', seed: 24, size: 1500000 });
            const page = await browser.newPage({ locale: 'en-US', tolerate });
            await page.goto(`${slow.url}/api/ota`);
            await page.setInputFiles('#file', file);
            await page.waitForSelector('#upload:not([disabled])');
            await page.click('#upload');
            const seen = new Set();
            for (;;) {
                const now = await page.evaluate(() => ({
                    phase: document.querySelector('#phase').dataset.phase,
                    written: Number(document.querySelector('#progress-written').getAttribute('aria-valuenow') ??
                        document.querySelector('#progress-written').value),
                }));
                seen.add(now.written);
                if (['rebooting', 'waiting', 'done', 'failed'].includes(now.phase))
                    break;
                await page.waitForTimeout(50);
            }
            await phase(page, 'done');
            assert.ok(seen.size > 3, `written took the values ${[...seen]}`);
            await page.close();
        } finally {
            await slow.stop();
        }
    });
});

describe('a wrong file is refused before it is sent, with its hint', () => {
    let good;
    before(async () => { good = fs.readFileSync(await samples.make('good.bin', { version: '4.0.0', seed: 40 })); });

    const flipped = at => { const copy = Buffer.from(good); copy[copy.length + at] ^= 1; return copy; };
    const files = [
        ['merged.bin', 'image_merged', 'Update.end() failed', () => samples.make('merged.bin', { merged: true })],
        ['s2.bin', 'image_wrong_chip', 'Update.end() failed', () => samples.make('s2.bin', { chip: 2 })],
        ['cut.bin', 'image_truncated', 'Update.end() failed', () => samples.write('cut.bin', good.subarray(0, -999))],
        ['sum.bin', 'image_checksum', 'Update.end() failed', () => samples.write('sum.bin', flipped(-33))],
        ['hash.bin', 'image_hash', 'Update.end() failed', () => samples.write('hash.bin', flipped(-1))],
        ['huge.bin', 'image_too_large', 'Not enough space', () => samples.make('huge.bin', { size: 7000000 })],
        ['empty.bin', 'file_empty', 'Upload failed', () => samples.write('empty.bin', '')],
        ['elf.bin', 'file_elf', 'Upload failed', () => samples.write('elf.bin', '\x7fELF' + '\x01'.repeat(999))],
        ['hex.bin', 'file_hex', 'Upload failed', () => samples.write('hex.bin', ':020000040800F2\n'.repeat(99))],
        ['gz.bin', 'file_gzip', 'Upload failed', () => samples.write('gz.bin', Buffer.from('1f8b0800' + '00'.repeat(900), 'hex'))],
        ['text.bin', 'file_text', 'Upload failed', () => samples.write('text.bin', 'hello, world\n'.repeat(99))],
        ['firmware.elf', 'file_name', 'Upload failed', () => samples.write('firmware.elf', good)],
    ];
    for (const [name, code, caption, make] of files) {
        for (const [locale, words] of [['en-US', /[a-z]{4}/], ['ru-RU', /[а-я]{4}/]]) {
            test(`${name}: ${code}, ${locale}`, async () => {
                const page = await open('/api/ota', { locale });
                await page.setInputFiles('#file', await make());
                await page.waitForSelector(`#error[data-code=${code}]`);
                const text = await page.textContent('#error');
                assert.ok(text.includes(caption), text);
                assert.match(text, words);
                assert.equal(await page.isEnabled('#upload'), false);
                await page.close();
            });
        }
    }
});

describe('what the device refuses is shown with its words', () => {
    test('the rover drives', async () => {
        const file = await samples.make('drives.bin', { version: '5.0.0', seed: 50 });
        const page = await open('/api/ota', { locale: 'ru-RU' });
        await page.setInputFiles('#file', file);
        await page.waitForSelector('#upload:not([disabled])');
        const halt = await rover.drive();
        await page.click('#upload');
        await page.waitForSelector('#error[data-code=not_ready]');
        assert.match(await page.textContent('#error'), /Update\.begin\(\) failed[^]*Остановите робота/);
        await halt(); // and the same page goes on
        await page.click('#upload');
        await phase(page, 'done');
        await idle();
        await page.close();
    });
});

describe('a merged image', () => {
    test('is cured by its button: only the application inside is sent', async () => {
        const merged = await samples.make('merged2.bin', { version: '6.0.0', seed: 60, merged: true });
        const app = await samples.make('app2.bin', { version: '6.0.0', seed: 60 });
        const page = await open();
        await page.setInputFiles('#file', merged);
        await page.waitForSelector('#cure:not([hidden])');
        await page.click('#cure');
        await phase(page, 'done');
        await page.waitForSelector(`#running[data-build="${buildId(app)}"]`);
        await idle();
        await page.close();
    });
});

describe('afterwards the page tells the truth', () => {
    test('a firmware without network came back with the old build, and why', async () => {
        const before = (await idle());
        const old = before.slots.find(s => s.running).image.build;
        const file = await samples.make('lost.bin', { version: '7.0.0', seed: 70, temper: 'no-network' });
        const page = await open();
        await page.setInputFiles('#file', file);
        await page.waitForSelector('#upload:not([disabled])');
        await page.click('#upload');
        await phase(page, 'failed');
        const text = await page.textContent('#result');
        assert.ok(text.includes(old) && text.includes('network'), text);
        await page.waitForSelector(`#running[data-build="${old}"]`);
        await idle();
        await page.close();
    });

    test('a firmware that waits can be confirmed on the page', async () => {
        const file = await samples.make('waits.bin', { version: '8.0.0', seed: 80, temper: 'never-confirms' });
        const page = await open();
        await page.setInputFiles('#file', file);
        await page.waitForSelector('#upload:not([disabled])');
        await page.click('#upload');
        await page.waitForSelector('#confirm:not([hidden]):not([disabled])');
        await page.click('#confirm');
        const status = await idle();
        assert.equal(status.slots.find(s => s.running).image.build, buildId(file));
        await page.close();
    });

    test('going back shows first what is in the other slot', async () => {
        const before = await idle();
        const other = before.slots.find(s => !s.running).image;
        const page = await open();
        await page.click('#rollback');
        await page.waitForSelector('#ask-yes');
        assert.match(await page.textContent('body'), new RegExp(other.build));
        await page.click('#ask-yes');
        await page.waitForSelector(`#running[data-build="${other.build}"]`);
        await idle();
        await page.close();
    });
});

describe('the home page', () => {
    test('the pad drives the rover while a button is held', async () => {
        const page = await open('/');
        const button = page.locator('#pad button').first();
        const box = await button.boundingBox();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
        await page.waitForTimeout(700);
        const moving = await (await fetch(`${rover.url}/api/status`)).json();
        await page.mouse.up();
        await page.waitForTimeout(500);
        const after = await (await fetch(`${rover.url}/api/status`)).json();
        assert.equal(moving.driving, true);
        assert.equal(after.driving, false);
        assert.ok(Math.hypot(after.x, after.y) > 0.05);
        await page.close();
    });

    test('says in one clear line that anyone can upload', async () => {
        const page = await open('/');
        assert.match(await page.textContent('body'), /anyone on this network can upload/);
        await page.close();
    });
});
