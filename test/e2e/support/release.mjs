// SPDX-License-Identifier: Apache-2.0
// A web folder of releases as docs/pull.md describes it, and a server for it that can misbehave. Shares no code with
// `otapult release`.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { makeBlock, sector } from '../../support/signer.mjs';

const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest('hex');

// The build id of an image: the first bytes of its ELF's SHA-256, else of its own at its end.
export function buildOf(image) {
    const elf = image.subarray(32 + 144, 32 + 144 + 32);
    const id = elf.some(byte => byte !== 0) ? elf : image.subarray(image.length - 32);
    return id.subarray(0, 4).toString('hex');
}

// A CA of its own, and a certificate for localhost and 127.0.0.1: { key, cert, ca (path), pin }.
export function makeTls(folder, name = 'server') {
    const file = end => path.join(folder, `${name}${end}`);
    const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
        '-subj', `/CN=${name} CA`, '-keyout', file('-ca.key'), '-out', file('-ca.pem'));
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
        '-keyout', file('.key'), '-out', file('.csr'));
    fs.writeFileSync(file('.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    openssl('x509', '-req', '-in', file('.csr'), '-CA', file('-ca.pem'), '-CAkey', file('-ca.key'), '-CAcreateserial',
        '-days', '3650', '-extfile', file('.ext'), '-out', file('.pem'));
    const key = fs.readFileSync(file('.key'));
    const spki = crypto.createPublicKey(key).export({ type: 'spki', format: 'der' });
    return { key, cert: fs.readFileSync(file('.pem')), ca: file('-ca.pem'),
        pin: `sha256//${crypto.createHash('sha256').update(spki).digest('base64')}` };
}

// The files of a release: Map of name to bytes, otapult.json and its signature among them. `change(manifest)` may
// spoil the manifest before it is signed.
export function makeRelease(image, { key, version, project = 'rover', sequence = 1, date = 1790000000, patches = [],
    chip = 'ESP32-S3', change = () => {}, ...more }) {
    const files = new Map();
    const build = buildOf(image), name = `${project}-${version}.bin`;
    const row = (name, form, bytes, extra = {}) => {
        files.set(name, bytes);
        return { name, form, chip, build, size: bytes.length, sha256: sha256(bytes), image_size: image.length,
            image_sha256: sha256(image), ...extra };
    };
    const manifest = {
        otapult: 1, channel: 'stable', sequence, date, project, version, ...more,
        files: [row(name, 'plain', image), row(`${name}.gz`, 'gzip', zlib.gzipSync(image, { level: 9 })),
            ...patches.map(({ base, bytes }) => row(`${name}.from-${base}.patch`, 'patch', bytes, { base }))],
    };
    change(manifest);
    const text = typeof manifest.text === 'string' ? manifest.text : JSON.stringify(manifest);
    files.set('otapult.json', Buffer.from(text));
    if (key)
        files.set('otapult.json.sig', sector([makeBlock(key, files.get('otapult.json'))]));
    return files;
}

// Serves `folder.files`; Range and If-Range as nginx does. `on(request, response, name)` may answer instead, and says so by
// true. `asked`: every request as { url, range, ifRange, ... }.
export async function serve(files, { tls, on = () => false } = {}) {
    const folder = { files, asked: [], on, sockets: new Set() };
    const answer = (request, response) => {
        const name = request.url.slice(request.url.lastIndexOf('/') + 1);
        const asked = { url: request.url, name, range: request.headers.range, ifRange: request.headers['if-range'],
            headers: request.headers };
        folder.asked.push(asked);
        response.on('close', () => { asked.status = response.statusCode; });
        if (folder.on(request, response, name))
            return;
        const bytes = folder.files.get(name);
        if (bytes === undefined) {
            response.writeHead(404).end('not here\n');
            return;
        }
        sendFile(request, response, bytes);
    };
    const server = tls ? https.createServer({ key: tls.key, cert: tls.cert }, answer) : http.createServer(answer);
    server.on('connection', socket => {
        folder.sockets.add(socket);
        socket.on('close', () => folder.sockets.delete(socket));
    });
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    folder.port = server.address().port;
    folder.url = `${tls ? 'https' : 'http'}://localhost:${folder.port}/otapult.json`;
    folder.close = () => {
        for (const socket of folder.sockets)
            socket.destroy();
        return new Promise(resolve => server.close(resolve));
    };
    return folder;
}

export const etagOf = bytes => `"${sha256(bytes).slice(0, 16)}"`;

export function sendFile(request, response, bytes, { part = true, etag = etagOf(bytes) } = {}) {
    if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, { ETag: etag }).end();
        return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const from = part && range && same ? Number(range[1]) : 0;
    if (from > 0) {
        response.writeHead(206, { 'Content-Length': bytes.length - from, ETag: etag,
            'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    } else {
        response.writeHead(200, { 'Content-Length': bytes.length, ETag: etag });
    }
    response.end(bytes.subarray(from));
}

export const temporary = name => fs.mkdtempSync(path.join(os.tmpdir(), `otapult-${name}-`));
