// SPDX-License-Identifier: Apache-2.0
// Firmware made of other firmware: `change(bytes)` alters a copy, then checksum and SHA-256 are set right.
import { createHash } from 'node:crypto';

const SEGMENTS_AT = 24;

export function segments(image) {
    const found = [];
    for (let at = SEGMENTS_AT; found.length < image[1]; at += 8 + found.at(-1).length)
        found.push(image.subarray(at + 8, at + 8 + image.readUInt32LE(at + 4)));
    return found;
}

export function rework(image, change) {
    const bytes = Buffer.from(image);
    change(bytes);
    const parts = segments(bytes);
    const last = parts.at(-1).byteOffset - bytes.byteOffset + parts.at(-1).length;
    const end = (last + 16) & ~15;
    bytes[end - 1] = parts.reduce((sum, part) => part.reduce((a, b) => a ^ b, sum), 0xef);
    createHash('sha256').update(bytes.subarray(0, end)).digest().copy(bytes, end);
    return bytes;
}
