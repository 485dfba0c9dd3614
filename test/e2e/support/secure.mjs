// SPDX-License-Identifier: Apache-2.0
// A virtual rover in its secure profile, and its owner: who has read the console and holds the signing key.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import tls from 'node:tls';
import { keyDigest, makeKey, sign } from '../../support/signer.mjs';
import { curl } from './curl.mjs';
import { startRover } from './rover.mjs';

const MARKS = {
    fingerprint: /^rover: certificate SHA-256 (\S+)$/,
    pin: /^rover: curl -k --pinnedpubkey "(\S+)"$/,
    plainUrl: /^rover: redirecting from (http:\/\/\S+?)\/?$/,
};

// Out of the file that the console names; undefined: the rover has made none.
export function firstPassword(rover) {
    const files = rover.lines.map(line => /^rover: the password of admin is in (\S+);/.exec(line)?.[1]).filter(Boolean);
    return files.length ? fs.readFileSync(files.at(-1), 'utf8').trim() : undefined;
}

// `args`: more options; `flash`: as in startRover; then `password` is the one of its first start.
export async function startSecureRover({ flash, args = [], key = makeKey('P-256'), password } = {}) {
    const trust = ['--trust', keyDigest(key).toString('hex')];
    const rover = await startRover({ flash, args: ['--fast', '--secure', '--http-port', '0', ...trust, ...args] });
    return new Owner(rover, key, password);
}

class Owner {
    constructor(rover, key, password) {
        this.rover = rover;
        this.key = key;
        this.url = rover.url;
        for (const [name, pattern] of Object.entries(MARKS))
            this[name] = rover.lines.map(line => pattern.exec(line)?.[1]).find(Boolean);
        this.password = password ?? firstPassword(rover);
        rover.status = () => this.status();
    }

    // curl, as somebody who knows the device and has no login.
    curl(path, ...args) {
        return curl('-k', '--pinnedpubkey', this.pin, ...args, this.url + path);
    }

    // curl, as the owner. A second address of this machine: what others guess does not hold him up.
    admin(path, ...args) {
        return this.curl(path, '-u', `admin:${this.password}`, ...args);
    }

    json(path, body, ...args) {
        return this.curl(path, '-H', 'Content-Type: application/json', '-d', JSON.stringify(body), ...args);
    }

    // A session's cookie, `name=value`; with the answer's whole head.
    async login(password = this.password, ...args) {
        const answer = await this.json('/api/ota/login', { password }, '-i', ...args);
        const cookie = /^Set-Cookie: ([^;\r\n]+)/mi.exec(answer.body)?.[1];
        return { ...answer, cookie };
    }

    async token(name) {
        const { json } = await this.json('/api/ota/tokens/create', { name }, '-u', `admin:${this.password}`);
        assert.equal(json.success, true, JSON.stringify(json));
        return json.token;
    }

    async status() {
        this.watcher ??= await this.token('watcher');
        const answer = await this.curl('/api/ota/status', '-H', `Authorization: Bearer ${this.watcher}`);
        return answer.status === 200 ? answer.json : null;
    }

    // `file` with a signature sector behind it, under the same name.
    signFile(file) {
        fs.writeFileSync(file, sign(fs.readFileSync(file), this.key));
        return file;
    }

    upload(file, ...args) {
        return this.curl('/api/ota/upload', '-F', `firmware=@${file}`, ...args);
    }

    // A TLS connection as bytes.
    connect(options = {}) {
        const { hostname, port } = new URL(this.url);
        return new Promise((resolve, reject) => {
            const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options },
                () => resolve(socket));
            socket.once('error', reject);
        });
    }

    stop() {
        return this.rover.stop();
    }
}
