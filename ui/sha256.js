// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). Browsers have one on https and localhost only, and a robot's page is at http://ADDRESS.
'use strict';

const SHA_PIECE = 1 << 19; // bytes between two chances for the page to draw

// The first 32 bits of the fraction of n ** (1 / root), n being the primes in their order.
function fractions(count, root) {
    const found = [];
    for (let n = 2; found.length < count; n++) {
        if (![...Array(n).keys()].some(d => d > 1 && n % d === 0))
            found.push(n ** (1 / root) % 1 * 2 ** 32 | 0);
    }
    return found;
}
const SHA_K = fractions(64, 3);

function shaBlock(state, words, view, at) {
    for (let i = 0; i < 64; i++) {
        if (i < 16) {
            words[i] = view.getUint32(at + 4 * i);
            continue;
        }
        const [x, y] = [words[i - 15], words[i - 2]];
        words[i] = words[i - 16] + words[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
            ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
        const one = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) +
            SHA_K[i] + words[i];
        const two = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c);
        h = g;
        g = f;
        f = e;
        e = d + one | 0;
        d = c;
        c = b;
        b = a;
        a = one + two | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((n, i) => state[i] += n);
}

function shaEnd(bytes) {
    const rest = bytes.length % 64;
    const tail = new Uint8Array(rest < 56 ? 64 : 128);
    const view = new DataView(tail.buffer);

    tail.set(bytes.subarray(bytes.length - rest));
    tail[rest] = 0x80;
    view.setUint32(tail.length - 8, bytes.length / 2 ** 29);
    view.setUint32(tail.length - 4, bytes.length << 3);
    return view;
}

// The digest as 64 hex digits.
async function sha256(bytes) {
    const state = new Int32Array(fractions(8, 2));
    const words = new Int32Array(64);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const tail = shaEnd(bytes);

    for (let at = 0; at + 64 <= bytes.length; at += 64) {
        shaBlock(state, words, view, at);
        if (at % SHA_PIECE === 0)
            await new Promise(done => setTimeout(done));
    }
    for (let at = 0; at < tail.byteLength; at += 64)
        shaBlock(state, words, tail, at);
    return Array.from(state, n => (n >>> 0).toString(16).padStart(8, '0')).join('');
}
