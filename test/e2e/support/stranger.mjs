// SPDX-License-Identifier: Apache-2.0
// Servers that are not our rover: whatever somebody may answer where a robot is expected.
import http from 'node:http';
import net from 'node:net';

const listen = server => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

// An HTTP server; `answer(request, body)` gives { status, headers, body }, null: nothing,
// ever, or { cut: true }: the connection ends without an answer, or { cut: '…' }: behind so much of one.
export async function startStranger(answer) {
    const requests = [];
    const server = http.createServer((request, response) => {
        const pieces = [];
        request.on('data', piece => pieces.push(piece));
        request.on('end', () => {
            const body = Buffer.concat(pieces);
            requests.push({ method: request.method, url: request.url, headers: request.headers, body });
            const said = answer(request, body);
            if (said?.cut)
                said.cut === true ? request.socket.destroy() : request.socket.end(said.cut);
            if (!said || said.cut)
                return;
            response.writeHead(said.status ?? 200, said.headers ?? {});
            response.end(said.body ?? '');
        });
    });
    const port = await listen(server);
    return {
        requests, address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`,
        stop: () => { server.closeAllConnections(); return new Promise(resolve => server.close(resolve)); },
    };
}

// A TCP server that sends `bytes` to everybody and closes.
export async function startNoise(bytes) {
    const server = net.createServer(socket => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end(bytes));
    });
    const port = await listen(server);
    return { address: `127.0.0.1:${port}`, stop: () => new Promise(resolve => server.close(resolve)) };
}

// What a robot of this API says; `changes` over it.
export function statusOf(changes = {}) {
    return {
        state: 'idle', received: 0, written: 0, total: null, running: 'app0', next: 'app1', boot_slot: 'app0',
        pending: false,
        slots: [
            { label: 'app0', size: 6553600, state: 'valid', running: true,
              image: { project: 'rover', version: '1.0.0', build: '0a1b2c3d', idf: 'v5', date: 'd', time: 't' } },
            { label: 'app1', size: 6553600, state: 'none', running: false, image: null }],
        last: null, limits: { chip: 'ESP32-S3', slot_size: 6553600, stall_ms: 15000 },
        signature: { enforced: false, keys: [] }, open: true, boot: 1, uptime_ms: 12345, ...changes,
    };
}

export const json = (value, status = 200) =>
    ({ status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

// Every string of a value replaced by text that a terminal would obey: colours, title, answers typed back.
export function hostile(value) {
    const poison = '\u001b]0;title\u0007\u001b[31m\u009b2Jx\r\n\u0008y\u007f\u202e';
    if (typeof value === 'string')
        return `${value}${poison}`;
    if (Array.isArray(value))
        return value.map(hostile);
    if (value && typeof value === 'object')
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hostile(item)]));
    return value;
}

// Headers of a robot that takes resumable uploads.
export const TUS = { 'Tus-Resumable': '1.0.0', 'Tus-Version': '1.0.0', 'Tus-Extension': 'creation' };

// What such a robot answers: `answer(request, body)` to all but the question for its status and what it can.
export const tusRobot = answer => (request, body) =>
    request.method === 'GET' ? json(statusOf()) : request.method === 'OPTIONS' ? { status: 204, headers: TUS } : answer(request, body);
export const created = { status: 201, headers: { ...TUS, Location: 'uploads?upload=00112233445566778899aabbccddeeff' } };
export const safeAt = (status, offset) => ({ status, headers: { ...TUS, 'Upload-Offset': String(offset) } });
