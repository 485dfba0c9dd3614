// SPDX-License-Identifier: Apache-2.0
// A small update server that speaks hawkBit's DDI to robots. `dialect`: '1.1.0', or 'M7' for 0.3.0M7, whose
// differences stand in dialects.mjs; that file's script holds both against what was measured, and
// tools/interop-hawkbit holds 'M7' against the real server.
import crypto from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { dialects } from './dialects.mjs';

const ENTRIES_MAX = 1000; // of an action's history: hawkBit's own default

export async function startDdi(options = {}) {
    const server = new Ddi(options);
    await server.listening;
    return server;
}

class Ddi {
    #targets = new Map();
    #files = new Map(); // by number of the module
    #actions = 0;
    #sockets = new Set();

    // `tls`: { key, cert }; `gateway`: the token of the gateway; `sleep`: what each poll is told
    // `etags`: a poll that has not changed is 304, as behind a cache; hawkBit itself sends it again
    constructor({ dialect = '1.1.0', tls = null, gateway = null, sleep = '00:00:01', port = 0, etags = false } = {}) {
        Object.assign(this, { gateway, sleep, etags, dialect: dialects[dialect] });
        this.secure = tls !== null;
        this.requests = []; // of robots, in order: { method, path, headers, body, status }
        this.spoil = null;  // (request, answer) => true: it has answered itself
        const handler = (request, response) => this.#take(request, response);
        this.server = tls ? https.createServer(tls, handler) : http.createServer(handler);
        this.server.on('connection', socket => {
            this.#sockets.add(socket);
            socket.on('close', () => this.#sockets.delete(socket));
        });
        this.server.listen(port, '127.0.0.1');
        this.listening = once(this.server, 'listening');
    }

    get url() {
        return `${this.secure ? 'https' : 'http'}://127.0.0.1:${this.server.address().port}`;
    }

    async stop() {
        const closed = once(this.server, 'close');
        this.server.close();
        for (const socket of this.#sockets)
            socket.destroy();
        await closed;
    }

    // ---- what an operator does; the same calls as in hawkbit.mjs, for the real server ----

    async target(id, token) {
        this.#targets.set(id, { id, token, status: 'unknown', attributes: {}, asked: true, actions: new Map() });
    }

    // `files`: [{ name, bytes }], and `sha256` or `url` where another one is to be said; returns the number of a distribution set
    async set({ name = 'rover-fw', version, files, metadata = {}, modules = 1 }) {
        const number = this.#files.size + 1;
        this.#files.set(number, { number, name, version, files, metadata, modules });
        return number;
    }

    // `type`: forced, soft, timeforced, downloadonly; `window`: whether its maintenance window is open; null:
    // it has none; `confirm`: somebody must say yes
    async assign(id, set, { type = 'forced', window = null, confirm = false } = {}) {
        const target = this.#targets.get(id);
        const action = { id: ++this.#actions, set, type, window, confirm, open: true, canceling: false, history: [] };
        target.actions.set(action.id, action);
        target.status = 'pending';
        this.#note(action, 'running', []);
        return action.id;
    }

    async change(id, number, changes) {
        Object.assign(this.#targets.get(id).actions.get(number), changes);
    }

    async cancel(id, number) {
        const action = this.#targets.get(id).actions.get(number);
        action.canceling = true;
        this.#note(action, 'canceling', ['Update Server: manual cancelation requested']);
    }

    // { type, messages } each, the oldest first
    async history(id, number) {
        return this.#targets.get(id).actions.get(number).history;
    }

    async status(id) {
        return this.#targets.get(id).status;
    }

    async attributes(id) {
        return this.#targets.get(id).attributes;
    }

    // ---- robots ----

    async #take(request, response) {
        const chunks = [];
        request.on('error', () => {});
        response.on('error', () => {});
        for await (const chunk of request)
            chunks.push(chunk);
        const entry = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
        this.requests.push(entry);
        response.on('close', () => { entry.status = response.statusCode; });
        if (this.spoil?.(entry, response))
            return;
        this.#answer(entry, response, this.#route(entry));
    }

    #answer(entry, response, { status = 200, json = null, bytes = null, headers = {} }) {
        const body = bytes ?? (json === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)));
        response.writeHead(status, this.dialect.reason ? undefined : '', {
            'Content-Type': bytes ? 'application/octet-stream' : 'application/json',
            'Content-Length': body.length,
            ...headers,
        });
        response.end(entry.method === 'HEAD' ? undefined : body);
    }

    // The robot that asks, when its token is right; a gateway makes itself known by asking.
    #who(id, authorization) {
        const target = this.#targets.get(id);
        if (this.gateway !== null && authorization === `GatewayToken ${this.gateway}`) {
            if (!target)
                this.target(id, null);
            return this.#targets.get(id);
        }
        return target && target.token !== null && authorization === `TargetToken ${target.token}` ? target : null;
    }

    #route(entry) {
        const [, tenant, word, version, id, what = '', number, rest, ...more] = entry.path.split('?')[0].split('/').map(decodeURIComponent);
        if (tenant !== 'DEFAULT' || word !== 'controller' || version !== 'v1')
            return { status: 404 };
        const target = this.#who(id, entry.headers.authorization);
        if (!target)
            return { status: 401 };
        const base = `${this.secure ? 'https' : 'http'}://${entry.headers.host}/DEFAULT/controller/v1/${id}`;
        const routes = {
            'GET ': () => this.#unlessKnown(entry.headers, this.#poll(target, base)),
            'PUT configData': () => this.#configData(target, entry.body),
            'GET deploymentBase': () => this.#deployment(target, Number(number), base),
            'POST deploymentBase': () => this.#feedback(target, Number(number), entry.body),
            'GET cancelAction': () => this.#cancelAction(target, Number(number)),
            'POST cancelAction': () => this.#cancelFeedback(target, Number(number), entry.body),
            'GET confirmationBase': () => this.#confirmation(target, Number(number), base),
            'POST confirmationBase': () => this.#confirm(target, Number(number), entry.body),
            'GET softwaremodules': () => this.#artifact(target, Number(number), more[0], entry.headers),
        };
        if (what.endsWith('Base') && rest !== undefined && rest !== 'feedback')
            return { status: 404 };
        return (routes[`${entry.method} ${what}`] ?? (() => ({ status: 405 })))();
    }

    #current(target) {
        return [...target.actions.values()].find(action => action.open);
    }

    #unlessKnown(headers, answer) {
        const etag = `"${crypto.createHash('sha1').update(JSON.stringify(answer.json)).digest('hex')}"`;
        if (!this.etags)
            return answer;
        return headers['if-none-match'] === etag ? { status: 304, headers: { ETag: etag } } : { ...answer, headers: { ETag: etag } };
    }

    #poll(target, base) {
        const links = {};
        const action = this.#current(target);
        if (action?.canceling)
            links.cancelAction = { href: `${base}/cancelAction/${action.id}` };
        else if (action?.confirm && this.dialect.confirmation)
            links.confirmationBase = { href: `${base}/confirmationBase/${action.id}?c=${this.#stamp(action)}` };
        else if (action)
            links.deploymentBase = { href: `${base}/deploymentBase/${action.id}?c=${this.#stamp(action)}` };
        else if (target.installed && this.dialect.installedBase)
            links.installedBase = { href: `${base}/installedBase/${target.installed}` };
        if (target.asked || this.dialect.alwaysAsks)
            links.configData = { href: `${base}/configData` };
        const json = { config: { polling: { sleep: this.sleep } } };
        return { json: Object.keys(links).length ? { ...json, _links: links } : json };
    }

    // It changes when the action does.
    #stamp(action) {
        return crypto.createHash('sha1').update(`${action.id}${action.type}${action.window}`).digest().readUInt32LE();
    }

    #configData(target, body) {
        const sent = this.#parse(body);
        if (typeof sent?.data !== 'object' || sent.data === null || Object.keys(sent.data).some(key => key.length > 128))
            return this.#notReadable();
        target.attributes = sent.mode === 'merge' ? { ...target.attributes, ...sent.data } : sent.data;
        target.asked = false;
        return {};
    }

    #parse(text) {
        try {
            return JSON.parse(text);
        } catch {
            return null;
        }
    }

    #notReadable() {
        return { status: 400, json: { errorCode: 'hawkbit.server.error.rest.body.notReadable', message: 'The given request body is not well formed' } };
    }

    #unknownAction(number) {
        return { status: 404, json: { errorCode: 'hawkbit.server.error.repo.entitiyNotFound', message: `Action with given identifier {${number}} does not exist.` } };
    }

    #chunks(target, action, base) {
        const set = this.#files.get(action.set);
        const scheme = this.secure ? 'download' : 'download-http'; // and where a server has both, both
        const artifact = ({ name, bytes, sha256, url }) => ({
            filename: name,
            hashes: {
                sha1: crypto.createHash('sha1').update(bytes).digest('hex'),
                md5: crypto.createHash('md5').update(bytes).digest('hex'),
                sha256: sha256 ?? crypto.createHash('sha256').update(bytes).digest('hex'),
            },
            size: bytes.length,
            _links: {
                [scheme]: { href: url ?? `${base}/softwaremodules/${set.number}/artifacts/${encodeURIComponent(name)}` },
                [scheme.replace('download', 'md5sum')]: { href: `${base}/softwaremodules/${set.number}/artifacts/${encodeURIComponent(name)}.MD5SUM` },
            },
        });
        const metadata = Object.entries(set.metadata).map(([key, value]) => ({ key, value }));
        const chunk = { part: 'os', version: set.version, name: set.name, artifacts: set.files.map(artifact), ...(metadata.length ? { metadata } : {}) };
        return Array.from({ length: set.modules }, () => chunk);
    }

    #handling(action) {
        const word = { forced: 'forced', downloadonly: 'forced', soft: 'attempt', timeforced: 'attempt' }[action.type];
        const skip = action.type === 'downloadonly' || action.window === false;
        return {
            download: skip ? 'forced' : word,
            update: skip ? 'skip' : word,
            ...(action.window === null ? {} : { maintenanceWindow: action.window ? 'available' : 'unavailable' }),
        };
    }

    #deployment(target, number, base) {
        const action = target.actions.get(number);
        if (!action || (action.confirm && this.dialect.confirmation) || action.canceling)
            return this.#unknownAction(number);
        if (action.history.at(-1).type !== 'retrieved')
            this.#note(action, 'retrieved', ['Update Server: Target retrieved update action and should start now the download.']);
        return { json: { id: String(number), deployment: { ...this.#handling(action), chunks: this.#chunks(target, action, base) } } };
    }

    #confirmation(target, number, base) {
        const action = target.actions.get(number);
        if (!this.dialect.confirmation || !action?.confirm)
            return { status: 404 };
        return { json: { id: String(number), confirmation: { ...this.#handling(action), chunks: this.#chunks(target, action, base) } } };
    }

    #confirm(target, number, body) {
        const action = target.actions.get(number);
        const { confirmation, details = [] } = this.#parse(body) ?? {};
        if (!this.dialect.confirmation || !action?.confirm)
            return { status: 404 };
        if (confirmation !== 'confirmed' && confirmation !== 'denied')
            return this.#notReadable();
        action.confirm = confirmation === 'denied';
        this.#note(action, 'wait_for_confirmation', [confirmation, ...details]);
        return {};
    }

    #note(action, type, messages) {
        if (action.history.length >= ENTRIES_MAX)
            return false;
        action.history.push({ type, messages });
        return true;
    }

    #tooMany() {
        return { status: 403, json: { errorCode: 'hawkbit.server.error.quota.tooManyEntries', message: 'too many status entries' } };
    }

    // 0, or the answer that refuses this feedback
    #check(sent, number) {
        const status = sent?.status;
        if (!sent || !['proceeding', 'download', 'downloaded', 'scheduled', 'resumed', 'rejected', 'canceled', 'closed'].includes(status?.execution) ||
            !['none', 'success', 'failure'].includes(status.result?.finished))
            return this.#notReadable();
        if (sent.id === undefined ? this.dialect.needsId : Number(sent.id) !== number)
            return { status: 404 };
        return null;
    }

    #feedback(target, number, body) {
        const action = target.actions.get(number);
        const sent = this.#parse(body);
        const refusal = this.#check(sent, number);
        if (refusal)
            return refusal;
        if (!action)
            return this.#unknownAction(number);
        if (!action.open)
            return { status: 410 };
        const { execution, result: { finished }, details = [] } = sent.status;
        const closes = execution === 'closed' || (execution === 'downloaded' && action.type === 'downloadonly');
        const good = closes && finished !== 'failure';
        const type = execution === 'closed' ? (good ? 'finished' : 'error') : { rejected: 'warning', downloaded: 'downloaded' }[execution] ?? 'running';
        if (!this.#note(action, type, details))
            return this.#tooMany();
        if (closes) {
            action.open = false;
            target.status = good ? 'in_sync' : 'error';
            target.asked = true;
            target.installed = good ? number : target.installed;
        }
        return {};
    }

    #cancelAction(target, number) {
        const action = target.actions.get(number);
        if (!action?.canceling || !action.open)
            return { status: 404 };
        return { json: { id: String(number), cancelAction: { stopId: String(number) } } };
    }

    #cancelFeedback(target, number, body) {
        const action = target.actions.get(number);
        const sent = this.#parse(body);
        const refusal = this.#check(sent, number);
        if (refusal)
            return refusal;
        if (!action?.canceling)
            return { status: 404 };
        if (!action.open)
            return { status: 410 };
        const { execution, details = [] } = sent.status;
        if (!this.#note(action, execution === 'closed' ? 'canceled' : execution === 'rejected' ? 'cancel_rejected' : 'running', details))
            return this.#tooMany();
        if (execution === 'rejected')
            action.canceling = false;
        if (execution === 'closed') {
            action.open = false;
            target.status = 'registered';
        }
        return {};
    }

    #artifact(target, number, name, headers) {
        const file = this.#files.get(number)?.files.find(f => f.name === name);
        const action = this.#current(target);
        if (!file || !(action?.set === number || this.dialect.keepsFiles))
            return { status: 404 };
        const { bytes } = file;
        const sha1 = crypto.createHash('sha1').update(bytes).digest('hex');
        const etag = this.dialect.quotes ? `"${sha1}"` : sha1;
        const common = { 'Accept-Ranges': 'bytes', ETag: etag };
        const range = /^bytes=(\d+)-$/.exec(headers.range ?? '');
        const whole = !range || (headers['if-range'] !== undefined && headers['if-range'] !== etag);
        const from = whole ? 0 : Number(range[1]);
        const logged = !action || (!whole && !this.dialect.logsRanges) || this.#note(action, 'download', [name]);
        if (!logged)
            return this.#tooMany();
        if (from >= bytes.length)
            return { status: 416, headers: { ...common, 'Content-Range': `bytes */${bytes.length}` } };
        const where = { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
        return {
            status: whole ? 200 : 206,
            bytes: bytes.subarray(from),
            headers: { ...common, ...(whole && !this.dialect.rangeOnWhole ? {} : where) },
        };
    }
}
