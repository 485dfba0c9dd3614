// SPDX-License-Identifier: Apache-2.0
// A second maker of Secure Boot V2 signatures, after ESP-IDF's description of the format alone, with Node's
// crypto: it shares no code with src/ or cli/. Keys live as long as a test, and nowhere else.
//
//   node signer.mjs keys FOLDER                 NAME.pem, NAME.pub.pem and NAME.digest for each of NAMES
//   node signer.mjs block KEY.pem DATA BLOCK [SALT]    the 1216 bytes of a block that signs all of DATA
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const SECTOR = 4096, BLOCK = 1216;
const CRC_AT = 1196;

// The keys of a test: two of the kind an ESP32-S3's hardware knows, and one of each other kind.
export const NAMES = { rsa: 'rsa', other: 'rsa', p256: 'P-256', p384: 'P-384' };

const curves = {
    'P-256': { id: 2, size: 32, hash: 'sha256', kind: [0xe7, 3, 0, 0] },
    'P-384': { id: 3, size: 48, hash: 'sha384', kind: [0xe7, 3, 1, 0] },
};

export function makeKey(kind) {
    const pair = kind === 'rsa'
        ? crypto.generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 65537 })
        : crypto.generateKeyPairSync('ec', { namedCurve: kind });
    return pair.privateKey;
}

export const toPem = key =>
    key.export({ type: key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1', format: 'pem' });
export const toPublicPem = key => crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' });

const reversed = bytes => Buffer.from(bytes).reverse();
const fromUrl = text => Buffer.from(text, 'base64url');
const toNumber = text => BigInt(`0x${fromUrl(text).toString('hex')}`);
const little = (number, size) => reversed(Buffer.from(number.toString(16).padStart(2 * size, '0'), 'hex'));

function crc32(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++)
            crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc >>> 0;
}

export function seal(block) {
    block.writeUInt32LE(crc32(block.subarray(0, CRC_AT)), CRC_AT);
    return block;
}

// Newton's way to the inverse of an odd number, modulo 2^32.
function inverse32(n) {
    let x = 1n;
    for (let i = 0; i < 6; i++)
        x = BigInt.asUintN(32, x * (2n - n * x));
    return x;
}

// The bytes that the key digest is over.
function keyBytes(key) {
    const jwk = crypto.createPublicKey(key).export({ format: 'jwk' });
    if (jwk.kty === 'RSA') {
        const n = toNumber(jwk.n), e = toNumber(jwk.e), rSquared = (1n << 6144n) % n;
        const minusInverse = BigInt.asUintN(32, -inverse32(BigInt.asUintN(32, n)));
        return Buffer.concat([little(n, 384), little(e, 4), little(rSquared, 384), little(minusInverse, 4)]);
    }
    const { id } = curves[jwk.crv];
    return Buffer.concat([Buffer.from([id]), reversed(fromUrl(jwk.x)), reversed(fromUrl(jwk.y))]);
}

export const keyDigest = key => crypto.createHash('sha256').update(keyBytes(key)).digest();

function signRsa(data, key, saltLength) {
    const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
    return reversed(crypto.sign('sha256', data, { key, padding, saltLength }));
}

function signEcdsa(data, key, { hash, size }) {
    const both = crypto.sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
    return Buffer.concat([reversed(both.subarray(0, size)), reversed(both.subarray(size))]);
}

export function makeBlock(key, data, { saltLength = 32 } = {}) {
    const curve = curves[crypto.createPublicKey(key).export({ format: 'jwk' }).crv];
    const digest = crypto.createHash(curve?.hash ?? 'sha256').update(data).digest();
    const parts = curve
        ? [Buffer.from(curve.kind), digest, keyBytes(key), signEcdsa(data, key, curve)]
        : [Buffer.from([0xe7, 2, 0, 0]), digest, keyBytes(key), signRsa(data, key, saltLength)];
    return seal(Buffer.concat([...parts, Buffer.alloc(BLOCK)]).subarray(0, BLOCK));
}

const padded = (bytes, size) =>
    Buffer.concat([bytes, Buffer.alloc((size - bytes.length % size) % size, 0xff)]);

export const sector = blocks => padded(Buffer.concat(blocks), SECTOR);

// The image, padded, with a signature sector of a block by each of `keys`.
export function sign(image, ...keys) {
    const data = padded(image, SECTOR);
    return Buffer.concat([data, sector(keys.map(key => makeBlock(key, data)))]);
}

function writeKeys(folder) {
    for (const [name, kind] of Object.entries(NAMES)) {
        const key = makeKey(kind);
        fs.writeFileSync(path.join(folder, `${name}.pem`), toPem(key), { mode: 0o600 });
        fs.writeFileSync(path.join(folder, `${name}.pub.pem`), toPublicPem(key));
        fs.writeFileSync(path.join(folder, `${name}.digest`), keyDigest(key));
    }
}

function writeBlock(pem, data, block, salt = 32) {
    const key = crypto.createPrivateKey(fs.readFileSync(pem));
    fs.writeFileSync(block, makeBlock(key, fs.readFileSync(data), { saltLength: Number(salt) }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [verb, ...rest] = process.argv.slice(2);
    if (verb === 'keys')
        writeKeys(...rest);
    else if (verb === 'block')
        writeBlock(...rest);
}
