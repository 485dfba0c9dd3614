// SPDX-License-Identifier: Apache-2.0
// A real hawkBit and its operator: the same calls as the server of ddi.mjs, through the management API.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './run.mjs';

const SOON_MS = 30000;
// The second: addresses of files come from the settings, whatever the request was.
export const BEHIND_TLS = ['--server.forward-headers-strategy=native', '--hawkbit.artifact.url.protocols.download-http.protocol=https'];
const PATIENCE_MS = 240000; // the first start fetches and builds it

async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => server.once('listening', resolve));
    const { port } = server.address();
    await new Promise(resolve => server.close(resolve));
    return port;
}

// `sleep`: what each poll is told; `args`: more settings
export async function startHawkbit({ sleep: pause = '00:00:01', args = [] } = {}) {
    const port = await freePort();
    const server = new Hawkbit(port, pause, args);
    await server.ready();
    return server;
}

class Hawkbit {
    #names = 0;

    constructor(port, pause, args) {
        this.url = `http://127.0.0.1:${port}`;
        this.text = '';
        this.child = spawn(`${root}/tools/hawkbit-server`, [String(port), `--hawkbit.controller.minPollingTime=00:00:01`,
            `--hawkbit.controller.pollingTime=${pause}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
        for (const stream of [this.child.stdout, this.child.stderr])
            stream.on('data', data => { this.text = (this.text + data).slice(-20000); });
        this.ended = new Promise(resolve => this.child.on('close', resolve));
    }

    async ready() {
        const deadline = Date.now() + PATIENCE_MS;
        while (!await fetch(`${this.url}/rest/v1/targets`, { headers: this.#headers() }).then(a => a.ok, () => false)) {
            assert.ok(this.child.exitCode === null && Date.now() < deadline, `hawkBit does not come up\n${this.text}`);
            await sleep(200);
        }
    }

    async stop() {
        process.kill(-this.child.pid, 'SIGTERM');
        await this.ended;
    }

    #headers(json = false) {
        return { Authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}`, ...(json && { 'Content-Type': 'application/json' }) };
    }

    // The management API. Throws where the answer is no success.
    async ask(method, path, body) {
        const form = body instanceof FormData;
        const answer = await fetch(`${this.url}/rest/v1${path}`,
            { method, headers: this.#headers(body && !form), body: body && (form ? body : JSON.stringify(body)) });
        const text = await answer.text();
        if (!answer.ok)
            throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        return text && JSON.parse(text);
    }

    // Robots with this token make themselves known; those with a token of their own are served on.
    async gateway(token) {
        await this.ask('PUT', '/system/configs/authentication.gatewaytoken.key', { value: token });
        await this.ask('PUT', '/system/configs/authentication.gatewaytoken.enabled', { value: true });
    }

    // What stands before one that was started with BEHIND_TLS, as a load balancer does: { url, requests, stop }.
    async front(tls) {
        const requests = [];
        const front = https.createServer(tls, (request, response) => {
            requests.push({ method: request.method, path: request.url });
            const headers = { ...request.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1',
                'x-forwarded-port': String(front.address().port) };
            const behind = http.request(new URL(request.url, this.url), { method: request.method, headers }, answer => {
                response.writeHead(answer.statusCode, answer.headers);
                answer.pipe(response);
            });
            behind.on('error', () => response.destroy());
            request.pipe(behind);
        });
        await new Promise(resolve => front.listen(0, '127.0.0.1', resolve));
        return { url: `https://127.0.0.1:${front.address().port}`, requests, stop: async () => {
            front.closeAllConnections();
            await new Promise(resolve => front.close(resolve));
        } };
    }

    async target(id, token) {
        await this.ask('POST', '/targets', [{ controllerId: id, name: id, securityToken: token }]);
    }

    async set({ name = 'rover-fw', version, files, metadata = {} }) {
        const unique = `${name}-${++this.#names}`; // a name and version are taken once
        const [{ id }] = await this.ask('POST', '/softwaremodules', [{ name: unique, version, type: 'os' }]);
        for (const file of files) {
            const form = new FormData();
            form.append('file', new Blob([file.bytes]), file.name);
            await this.ask('POST', `/softwaremodules/${id}/artifacts`, form);
        }
        const visible = Object.entries(metadata).map(([key, value]) => ({ key, value, targetVisible: true }));
        if (visible.length)
            await this.ask('POST', `/softwaremodules/${id}/metadata`, visible);
        const [set] = await this.ask('POST', '/distributionsets', [{ name: unique, version, type: 'os', modules: [{ id }] }]);
        return set.id;
    }

    // `window`: false has it open in half a minute, true now, and for a while; timeforced is forced in half a minute
    async assign(id, set, { type = 'forced', window = null, confirm = false } = {}) {
        assert.equal(confirm, false, '0.3.0M7 has no confirmation');
        const from = new Date(Date.now() + SOON_MS * !window);
        const schedule = `${window ? 0 : from.getUTCSeconds()} ${from.getUTCMinutes()} ${from.getUTCHours()} ? * *`;
        const maintenanceWindow = { schedule, duration: '00:10:00', timezone: '+00:00' };
        const answer = await this.ask('POST', `/distributionsets/${set}/assignedTargets`,
            [{ id, type, ...(window !== null && { maintenanceWindow }), ...(type === 'timeforced' && { forcetime: Date.now() + SOON_MS }) }]);
        return answer.assignedActions[0].id;
    }

    async cancel(id, action) {
        await this.ask('DELETE', `/targets/${id}/actions/${action}`);
    }

    async history(id, action) {
        const { content } = await this.ask('GET', `/targets/${id}/actions/${action}/status?sort=id:ASC&limit=500`);
        return content.map(({ type, messages }) => ({ type, messages }));
    }

    async status(id) {
        return (await this.ask('GET', `/targets/${id}`)).updateStatus;
    }

    async attributes(id) {
        return this.ask('GET', `/targets/${id}/attributes`);
    }
}
