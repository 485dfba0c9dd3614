// SPDX-License-Identifier: Apache-2.0
// The update server of these tests answers as the real ones did.
import { test } from 'node:test';
import { startDdi } from './support/ddi.mjs';
import { dialects, playScript } from './support/dialects.mjs';

for (const dialect of Object.keys(dialects)) {
    test(`DDI as hawkBit ${dialect} speaks it`, async () => {
        const server = await startDdi({ dialect });
        try {
            await playScript(server, dialects[dialect], server.url, Buffer.alloc(5000, 7));
        } finally {
            await server.stop();
        }
    });
}
