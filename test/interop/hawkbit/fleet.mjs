// SPDX-License-Identifier: Apache-2.0
// Many virtual rovers on a real hawkBit, and roll-outs over them. For tools/interop-hawkbit and bench/hawkbit.mjs.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 600000;

export async function until(what, ask, pause = 200) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
        const answer = await ask();
        if (answer)
            return answer;
        if (Date.now() > deadline)
            throw new Error(`no sign of ${what}`);
        await sleep(pause);
    }
}

export class Fleet {
    // `build`: the folder of the programs; `args`: more options of each rover
    constructor(server, build, count, { name = 'fleet', args = [] } = {}) {
        Object.assign(this, { server, build, count, name, args, rovers: [] });
        this.folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'otapult-hawkbit-'));
    }

    async start() {
        for (let i = 0; i < this.count; i++) {
            const id = `${this.name}-${String(i).padStart(3, '0')}`;
            const token = crypto.randomBytes(16).toString('hex');
            await this.server.target(id, token);
            this.rovers.push(this.#rover(id, token, i));
        }
        await until('all rovers', () => this.rovers.every(rover => rover.url), 20);
    }

    #rover(id, token, i) {
        const child = spawn(path.join(this.build, 'rover'), ['--fast', '--port', '0', '--flash', path.join(this.folder, `${i}.bin`),
            '--hawkbit', this.server.url, '--source-plain', '--name', id, '--id', id, '--source-policy', 'urgent', '--source-ask', '5', ...this.args],
        { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, OTAPULT_HAWKBIT_TOKEN: token } });
        const rover = { id, child, url: null };
        let text = '';
        child.stdout.on('data', data => {
            text += data;
            rover.url ??= /listening on (http:\S+?)\/?\n/.exec(text)?.[1] ?? null;
        });
        return rover;
    }

    async statuses() {
        return Promise.all(this.rovers.map(async ({ id, url }) => {
            const status = await fetch(`${url}/api/ota/status`).then(answer => answer.json(), () => null);
            return { id, boot: status?.boot, pending: status?.pending, last: status?.last, version: status?.slots.find(slot => slot.running)?.image?.version };
        }));
    }

    // A roll-out of `set` in two groups; resolves with its number once it runs.
    async rollOut(name, set, { canary = 20 } = {}) {
        const group = (title, targetPercentage, success, error) => ({
            name: title, targetPercentage,
            successCondition: { condition: 'THRESHOLD', expression: String(success) }, successAction: { action: 'NEXTGROUP', expression: '' },
            errorCondition: { condition: 'THRESHOLD', expression: String(error) }, errorAction: { action: 'PAUSE', expression: '' },
        });
        const { id } = await this.server.ask('POST', '/rollouts', {
            name, distributionSetId: set, targetFilterQuery: `controllerid==${this.name}-*`, type: 'forced',
            groups: [group('canary', canary, 100, 10), group('rest', 100, 90, 20)],
        });
        await until('the roll-out to be ready', async () => (await this.rollout(id)).status === 'ready');
        await this.server.ask('POST', `/rollouts/${id}/start`);
        return id;
    }

    rollout(id) {
        return this.server.ask('GET', `/rollouts/${id}`);
    }

    async groups(id) {
        return Object.fromEntries((await this.server.ask('GET', `/rollouts/${id}/deploygroups`)).content.map(group => [group.name, group.status]));
    }

    async stop() {
        for (const { child } of this.rovers)
            child.kill();
        await Promise.all(this.rovers.map(({ child }) => child.exitCode ?? child.signalCode ?? new Promise(resolve => child.on('close', resolve))));
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
