// SPDX-License-Identifier: Apache-2.0
// A bad network: a TCP proxy in front of `url` that does one thing wrong.
import { once } from 'node:events';
import net from 'node:net';

// What may go wrong; all count bytes of one connection.
//   bytesPerSecond   what the client sends arrives no faster
//   cutAfter         so many bytes of the client arrive, then both connections end; `reset`: with a reset,
//                    which takes along what the server has not read yet, so `before`, an async function, is
//                    waited for first: it says when the server has read enough
//   stallAfter       so many bytes of the client arrive, then none, and nobody is told
//   resetAnswerAfter so many bytes of the answer arrive, then both connections are reset
//   deaf             nothing is read from the server, ever, and a client that goes is not reported to it
export async function startProxy(url, fault = {}) {
    const proxy = new Proxy(url, fault);
    running.add(proxy);
    await proxy.listening;
    return proxy;
}

const running = new Set();

// For the end of a test file: a proxy that a failed test has left open would keep its process alive.
export async function closeProxies() {
    await Promise.all([...running].map(proxy => proxy.close()));
}

class Proxy {
    #sockets = new Set();
    fired = false; // the fault has happened

    constructor(url, fault) {
        const { hostname, port } = new URL(url);
        this.target = { host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true };
        this.fault = fault;
        this.server = net.createServer({ noDelay: true, allowHalfOpen: true }, client => this.#carry(client));
        this.server.listen(0, '127.0.0.1');
        this.listening = once(this.server, 'listening');
    }

    get url() {
        return `http://127.0.0.1:${this.server.address().port}`;
    }

    #carry(client) {
        if (this.closed) { // it stood in the queue when the power went
            client.resetAndDestroy();
            return;
        }
        if (this.frozen) {
            this.#sockets.add(client.resume());
            client.on('error', () => {});
            return;
        }
        const server = net.connect(this.target);
        for (const socket of [client, server]) {
            this.#sockets.add(socket);
            socket.on('error', () => {});
            socket.on('close', () => this.#sockets.delete(socket));
        }
        this.#forward(client, server);
        this.#answer(client, server);
    }

    async #end(client, server, reset) {
        await this.fault.before?.().catch(() => {}); // the test that waits for the same will say so
        this.fired = true;
        for (const socket of [client, server])
            reset ? socket.resetAndDestroy() : socket.destroy();
    }

    #forward(client, server) {
        const { bytesPerSecond = Infinity, cutAfter = Infinity, stallAfter = Infinity } = this.fault;
        const { reset, deaf } = this.fault;
        const started = Date.now();
        let passed = 0;

        client.on('data', data => {
            const room = Math.min(cutAfter, stallAfter) - passed;
            const piece = data.subarray(0, Math.max(0, room));
            passed += piece.length;
            const due = started + passed / bytesPerSecond * 1000 - Date.now();
            client.pause();
            setTimeout(() => {
                server.write(piece, () => {
                    if (passed >= cutAfter)
                        this.#end(client, server, reset);
                    else if (passed >= stallAfter)
                        this.fired = true;
                    else
                        client.resume();
                });
            }, Math.max(0, due));
        });
        client.on('end', () => !deaf && passed < stallAfter && server.end());
        client.on('close', () => !deaf && passed < stallAfter && server.destroy());
    }

    #answer(client, server) {
        const { resetAnswerAfter = Infinity, deaf } = this.fault;
        let passed = 0;

        if (deaf) {
            server.pause();
            return;
        }
        server.on('data', data => {
            const piece = data.subarray(0, Math.max(0, resetAnswerAfter - passed));
            passed += piece.length;
            client.write(piece, () => passed >= resetAnswerAfter && this.#end(client, server, true));
        });
        server.on('end', () => client.end());
        server.on('close', () => client.destroy());
    }

    // The link is gone: what is under way ends with a reset, what comes next does not get through.
    down() {
        this.closed = true;
        for (const socket of this.#sockets)
            socket.resetAndDestroy();
    }

    // The network freezes: nothing gets through, and nobody is told. Connections of that time stay dead.
    freeze() {
        this.frozen = true;
        for (const socket of this.#sockets)
            socket.pause().removeAllListeners('data').removeAllListeners('end').removeAllListeners('close').resume();
    }

    up() {
        this.closed = this.frozen = false;
    }

    // Ends what is left of it, as a router does that loses its power.
    async close() {
        running.delete(this);
        const closed = once(this.server, 'close');
        this.server.close();
        this.down();
        await closed;
    }
}
