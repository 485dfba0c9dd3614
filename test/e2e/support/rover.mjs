// SPDX-License-Identifier: Apache-2.0
// A virtual rover on a free port, over a flash file of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { program } from './run.mjs';

const READY = /^rover: listening on (https?:\/\/\S+?)\/?$/;
const PATIENCE_MS = 60000;

// A hand on the stick. A command holds for a second: whoever steers must not wait for what else a test does, so
// this runs in a thread of its own.
const STEER = `const { workerData: url } = require('node:worker_threads');
    setInterval(() => fetch(url + '/api/drive', { method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: '{"left":20,"right":20}' }).catch(() => {}), 150);`;

// Starts the rover and waits until it listens. `flash`: an existing flash file, kept afterwards; `args`:
// more options, '--fast' unless said.
export async function startRover({ flash, args = ['--fast'] } = {}) {
    const rover = new Rover(flash, args);
    await rover.ready();
    return rover;
}

class Rover {
    constructor(flash, args) {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'otapult-rover-'));
        this.flashPath = flash ?? path.join(this.folder, 'flash.bin');
        this.lines = []; // of both outputs, in order
        this.url = null;
        this.child = spawn(program('rover', 'ROVER'),
            ['--flash', this.flashPath, '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
        this.ended = new Promise(resolve => {
            this.child.on('error', error => { this.lines.push(error.message); resolve(error.message); });
            this.child.on('close', (status, signal) => resolve(status ?? signal));
        });
        for (const stream of [this.child.stdout, this.child.stderr])
            this.#read(stream);
    }

    #read(stream) {
        let rest = '';
        stream.setEncoding('utf8').on('data', text => {
            const lines = (rest + text).split('\n');
            rest = lines.pop();
            for (const line of lines) {
                this.lines.push(line);
                this.url ??= READY.exec(line)?.[1] ?? null;
            }
        }).on('end', () => rest && this.lines.push(rest));
    }

    async #until(what, ask) {
        const deadline = Date.now() + PATIENCE_MS;
        let status;
        this.ended.then(value => { status = value; });
        for (;;) {
            const answer = await ask();
            if (answer)
                return answer;
            assert.equal(status, undefined, `the rover ended before ${what}\n${this.lines.join('\n')}`);
            assert.ok(Date.now() < deadline, `no sign of ${what}\n${this.lines.join('\n')}`);
            await sleep(25);
        }
    }

    ready() {
        return this.#until('its listening line', () => this.url);
    }

    // What GET /api/ota/status says; null while nobody answers.
    async status() {
        try {
            const answer = await fetch(`${this.url}/api/ota/status`, { signal: AbortSignal.timeout(5000) });
            return answer.ok ? await answer.json() : null;
        } catch {
            return null;
        }
    }

    // Waits until `condition(status)` holds and returns that status.
    waitFor(what, condition) {
        return this.#until(what, async () => {
            const status = await this.status();
            return status && condition(status) ? status : null;
        });
    }

    // Drives until the function it returns is called.
    async drive() {
        const hand = new Worker(STEER, { eval: true, workerData: this.url });
        await this.#until('its wheels turning', async () =>
            (await fetch(`${this.url}/api/status`).then(answer => answer.json(), () => null))?.driving);
        return async () => {
            await hand.terminate();
            await fetch(`${this.url}/api/drive`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
                body: '{"left":0,"right":0}' }).catch(() => {});
        };
    }

    // Waits until boot number `n` of this flash file answers (the first one is 1).
    waitForBoot(n) {
        return this.waitFor(`boot ${n}`, status => status.boot >= n);
    }

    // Ends the rover, fails when a sanitizer had something to say, and removes what it left.
    async stop() {
        this.child.kill('SIGTERM');
        const killer = setTimeout(() => this.child.kill('SIGKILL'), 20000);
        const status = await this.ended;
        clearTimeout(killer);
        fs.rmSync(this.folder, { recursive: true, force: true });
        const fine = status === 0 || status === 'SIGTERM';
        assert.ok(fine, `the rover ended with ${status}\n${this.lines.join('\n')}`);
    }
}
