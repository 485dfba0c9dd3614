// SPDX-License-Identifier: Apache-2.0
// A reverse proxy as people put one before a robot: it serves `url` below a path of its own and passes Host on.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

// { url, close() }; `url` ends in the prefix, "/robots/rover". Addresses outside of it are 404 of the proxy's own.
export async function startPrefix(url, prefix) {
    const { hostname, port, protocol } = new URL(url);
    const client = protocol === 'https:' ? https : http;
    const server = http.createServer((asked, answer) => {
        if (!asked.url.startsWith(`${prefix}/`)) {
            answer.writeHead(404).end('not the robot');
            return;
        }
        const path = asked.url.slice(prefix.length);
        const onward = client.request({
            hostname, port, path, method: asked.method, headers: asked.headers,
            rejectUnauthorized: false, // the robot's certificate is its own
        }, given => {
            answer.writeHead(given.statusCode, given.headers);
            given.pipe(answer);
        });
        onward.on('error', () => answer.destroy());
        answer.on('close', () => onward.destroy());
        asked.pipe(onward);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        url: `http://127.0.0.1:${server.address().port}${prefix}`,
        close() {
            server.closeAllConnections();
            return new Promise(done => server.close(done));
        },
    };
}
