// SPDX-License-Identifier: Apache-2.0
// Sample firmware with a temper: what the robot does when the new firmware is no good, and what it says.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { curl, upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { Samples } from './support/samples.mjs';

const samples = new Samples();
after(() => samples.remove());

const post = (rover, what) => curl('-X', 'POST', `${rover.url}/api/ota/${what}`);

async function withRover(args, body) {
    const rover = await startRover({ args: ['--fast', ...args] });
    try {
        await body(rover);
    } finally {
        await rover.stop();
    }
}

async function send(rover, options) {
    const file = await samples.make(`${Object.values(options).join('-')}.bin`, { version: '2.0.0', seed: 5, ...options });
    const answer = await upload(rover.url, file);
    assert.equal(answer.status, 200, answer.body);
    return answer.json.build;
}

describe('the old firmware comes back, and the log says why', () => {
    const tempers = [
        ['crash-at-boot', 'crashed', /crashed/],
        ['crash-later', 'crashed', /crashed/],
        ['hang', 'crashed', /watchdog/],
        ['no-network', 'rejected', /"network": no answer from the access point/],
        ['never-confirms', 'rejected', /deadline passed, waiting for "drive"/],
    ];
    for (const [temper, event, text] of tempers) {
        test(`${temper}: ${event}`, () => withRover(['--confirm', '1'], async rover => {
            const old = (await rover.status()).slots[0].image.build;
            const build = await send(rover, { temper, after: 0 });
            const status = await rover.waitFor('the return', s => s.last?.event === event && s.running === 'app0');
            assert.match(status.last.text, text);
            assert.equal(status.last.build, build);
            assert.equal(status.slots[0].image.build, old);
            assert.equal(status.pending, false);
            assert.ok(['aborted', 'invalid'].includes(status.slots[1].state), status.slots[1].state);
            await send(rover, { temper: 'healthy', version: '3.0.0' }); // and the next one is welcome
            await rover.waitFor('the next firmware', s => s.running === 'app1' && !s.pending);
        }));
    }
});

describe('a loss of power is not a bad image', () => {
    test('the new firmware is tried again, three times at most', () => withRover([], async rover => {
        const build = await send(rover, { temper: 'never-confirms' });
        let status = await rover.waitFor('the trial', s => s.pending);
        for (let cut = 1; cut <= 3; cut++) {
            const { boot } = status;
            rover.child.kill('SIGUSR1');
            status = await rover.waitFor('the next trial', s => s.boot > boot && s.pending);
            assert.equal(status.last.event, 'power_lost');
            assert.equal(status.last.tries, cut);
            assert.equal(status.slots[1].image.build, build);
        }
        rover.child.kill('SIGUSR1');
        status = await rover.waitFor('the end of tries', s => s.last?.event === 'gave_up');
        assert.equal(status.running, 'app0');
    }));
});

describe('somebody decides', () => {
    test('confirm: the firmware stays', () => withRover([], async rover => {
        assert.equal((await post(rover, 'confirm')).json.code, 'not_pending');
        await send(rover, { temper: 'never-confirms' });
        const { boot, waiting_for: waiting } = await rover.waitFor('the trial', s => s.pending && s.waiting_for === 'drive');
        assert.equal(waiting, 'drive');
        const blocked = await upload(rover.url, await samples.make('next.bin', { seed: 8 }));
        assert.equal(blocked.status, 409);
        assert.equal(blocked.json.code, 'running_unconfirmed');
        assert.deepEqual((await post(rover, 'confirm')).json, { success: true, message: 'Confirmed.' });
        const now = await rover.status();
        assert.equal(now.pending, false);
        assert.equal(now.boot, boot);
        rover.child.kill('SIGUSR1');
        const later = await rover.waitForBoot(boot + 1);
        assert.equal(later.running, 'app1');
        assert.equal(later.slots[1].state, 'valid');
    }));

    test('rollback: to the other slot, and back again', () => withRover([], async rover => {
        assert.equal((await post(rover, 'rollback')).json.code, 'no_rollback');
        await send(rover, { temper: 'healthy' });
        await rover.waitFor('the new one', s => s.running === 'app1' && !s.pending);
        const answer = await post(rover, 'rollback');
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json.slot, 'app0');
        await rover.waitFor('the old one', s => s.running === 'app0' && !s.pending);
        const log = (await curl(`${rover.url}/api/ota/log`)).json.entries;
        assert.ok(log.some(e => e.event === 'rolled_back' && e.slot === 'app0'));
        await post(rover, 'rollback');
        await rover.waitFor('the new one again', s => s.running === 'app1' && !s.pending);
    }));

    test('rollback while pending rejects the new one', () => withRover([], async rover => {
        await send(rover, { temper: 'never-confirms' });
        await rover.waitFor('the trial', s => s.pending);
        assert.equal((await post(rover, 'rollback')).status, 200);
        const status = await rover.waitFor('the old one', s => s.running === 'app0');
        assert.equal(status.last.event, 'rejected');
        assert.equal(status.last.text, 'rolled back by request');
    }));

    test('reboot: the same firmware again', () => withRover([], async rover => {
        assert.equal((await post(rover, 'reboot')).status, 200);
        const status = await rover.waitForBoot(2);
        assert.equal(status.running, 'app0');
    }));
});
