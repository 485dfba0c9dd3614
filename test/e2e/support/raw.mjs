// SPDX-License-Identifier: Apache-2.0
// HTTP as bytes on a socket: everything that a well-behaved client would not send.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';

const PATIENCE_MS = 30000;
const CRLF = '\r\n';

// The head of a request; `headers` is an object, or a list of pairs where a name comes twice. No Host is
// added where `headers` says `Host: null`.
export function head(method, path, headers = {}, version = 'HTTP/1.1') {
    const given = Array.isArray(headers) ? headers : Object.entries(headers);
    const named = given.some(([name]) => name.toLowerCase() === 'host');
    const all = named ? given.filter(([, value]) => value !== null) : [['Host', 'localhost'], ...given];
    const lines = all.map(([name, value]) => `${name}: ${value}${CRLF}`);
    return Buffer.from(`${method} ${path} ${version}${CRLF}${lines.join('')}${CRLF}`, 'latin1');
}

export function uploadHead(headers, version) {
    return head('POST', '/api/ota/upload', headers, version);
}

export const BINARY = { 'Content-Type': 'application/octet-stream' };

// An upload of `bytes` as they are.
export function rawUpload(bytes, more = {}) {
    return Buffer.concat([uploadHead({ ...BINARY, 'Content-Length': bytes.length, ...more }), bytes]);
}

// The brief's form around `bytes`.
export function formBody(bytes, boundary = 'otapult-boundary', name = 'firmware.bin') {
    const lines = [`--${boundary}`, `Content-Disposition: form-data; name="firmware"; filename="${name}"`,
        'Content-Type: application/octet-stream', '', ''];
    const end = `${CRLF}--${boundary}--${CRLF}`;
    return Buffer.concat([Buffer.from(lines.join(CRLF)), bytes, Buffer.from(end)]);
}

export function formUpload(bytes, boundary = 'otapult-boundary', more = {}) {
    const body = formBody(bytes, boundary);
    const type = `multipart/form-data; boundary=${boundary}`;
    const first = uploadHead({ 'Content-Type': type, 'Content-Length': body.length, ...more });
    return Buffer.concat([first, body]);
}

const open = new Set();

// For the end of a test file: a connection that a failed test has left open would keep its process alive.
export function closeConnections() {
    for (const socket of open)
        socket.destroy();
}

// One connection. What the server sends is kept until answer() takes it.
export class Connection {
    #data = Buffer.alloc(0);
    #wake = () => {};
    ended = false; // by the server: its end, or a reset
    reset = false;

    // Through TLS where the address says so; whose certificate it is does not matter here.
    static open(url) {
        return new Promise((resolve, reject) => {
            const { protocol, hostname, port } = new URL(url), secure = protocol === 'https:';
            const options = { host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true };
            const socket = secure ? tls.connect({ ...options, rejectUnauthorized: false }) : net.connect(options);
            socket.once('error', reject);
            socket.once(secure ? 'secureConnect' : 'connect', () => {
                socket.off('error', reject);
                resolve(new Connection(socket));
            });
        });
    }

    constructor(socket) {
        this.socket = socket;
        open.add(socket);
        socket.on('close', () => open.delete(socket));
        socket.on('data', data => { this.#data = Buffer.concat([this.#data, data]); this.#wake(); });
        socket.on('end', () => { this.ended = true; this.#wake(); });
        socket.on('error', error => { this.reset ||= error.code === 'ECONNRESET'; });
        socket.on('close', () => { this.ended = true; this.#wake(); });
    }

    // Resolves when the kernel has the bytes, or the connection is gone.
    send(bytes) {
        return new Promise(resolve => {
            if (this.socket.destroyed || !this.socket.writable)
                resolve();
            else if (this.socket.write(bytes, () => resolve()))
                resolve();
            else
                for (const event of ['drain', 'close'])
                    this.socket.once(event, resolve);
        });
    }

    // The next answer: { status, headers, body, json }; 100 counts as one. null: the server closed before.
    async answer() {
        const parsed = await this.#until(() => parse(this.#data, this.ended));
        if (parsed !== null)
            this.#data = this.#data.subarray(parsed.size);
        return parsed;
    }

    async finalAnswer() {
        let answer = await this.answer();
        while (answer?.status === 100)
            answer = await this.answer();
        return answer;
    }

    // Waits until the server has ended the connection; gives what it had sent that nobody asked for.
    async closed() {
        await this.#until(() => this.ended || undefined);
        this.socket.destroy();
        return this.#data.toString('latin1');
    }

    async #until(ask) {
        const deadline = Date.now() + PATIENCE_MS;
        for (;;) {
            const found = ask();
            if (found !== undefined)
                return found;
            if (Date.now() >= deadline)
                throw new Error(`nothing more came after "${this.#data.toString('latin1', 0, 200)}"`);
            await new Promise(resolve => {
                const timer = setTimeout(resolve, 1000);
                this.#wake = () => { clearTimeout(timer); resolve(); };
            });
        }
    }

    // The end of what this side sends; it still listens.
    end() { this.socket.end(); }

    // Gone, by the book.
    close() { this.socket.destroy(); }

    // Gone, with a reset.
    abort() { this.socket.resetAndDestroy(); }
}

// undefined: more must come; null: nothing more will.
function parse(data, ended) {
    const top = data.indexOf('\r\n\r\n');
    if (top < 0)
        return ended ? null : undefined;
    const [first, ...lines] = data.toString('latin1', 0, top).split(CRLF);
    const headers = Object.fromEntries(lines.map(line => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const status = Number(first.split(' ')[1]);
    const from = top + 4;
    const length = status === 100 ? 0 : Number(headers['content-length'] ?? NaN);
    if (Number.isNaN(length) ? !ended : data.length < from + length)
        return ended ? null : undefined;
    const size = Number.isNaN(length) ? data.length : from + length;
    const body = data.toString('utf8', from, size);
    return { status, headers, body, json: json(body), size };
}

function json(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

// Sends `bytes` over a connection of its own and takes one answer; null: it ended without any.
export async function exchange(url, bytes) {
    const connection = await Connection.open(url);
    await connection.send(bytes);
    const answer = await connection.finalAnswer();
    connection.close();
    return answer;
}

export function get(url, path) {
    return exchange(url, head('GET', path, { Connection: 'close' }));
}

export function post(url, path) {
    return exchange(url, head('POST', path, { Connection: 'close', 'Content-Length': 0 }));
}

// GET /api/ota/status over a connection that is closed again; null while nobody answers.
export async function status(url) {
    try {
        return (await get(url, '/api/ota/status'))?.json ?? null;
    } catch (error) {
        if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET')
            return null;
        throw error;
    }
}

// Asks for the status until `condition(status)` holds, and gives that status.
export async function until(url, what, condition) {
    const deadline = Date.now() + PATIENCE_MS * 2;
    let last;
    while (Date.now() < deadline) {
        const now = await status(url);
        last = now ?? last;
        if (now && condition(now))
            return now;
        await sleep(10);
    }
    throw new Error(`no sign of ${what}; the last status was ${JSON.stringify(last)}`);
}
