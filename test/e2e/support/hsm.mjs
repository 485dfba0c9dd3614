// SPDX-License-Identifier: Apache-2.0
// node hsm.mjs KEY.pem: signs the digest on standard input, as an HSM does: RSA-PSS as bytes, ECDSA as DER.
// Node signs whole messages only, so the mathematics of PSS and ECDSA stand here, with OpenSSL's private
// operation on a number for RSA.
import crypto from 'node:crypto';
import fs from 'node:fs';

const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest();

// RFC 8017, section 9.1.1, for 3072 bits, SHA-256 and a salt of 32 bytes.
function encodePss(digest) {
    const salt = crypto.randomBytes(32);
    const h = sha256(Buffer.concat([Buffer.alloc(8), digest, salt]));
    const db = Buffer.concat([Buffer.alloc(384 - 32 - 32 - 2), Buffer.from([1]), salt]);
    for (let i = 0, mask, counter = Buffer.alloc(4); i < db.length; i++) { // MGF1
        counter.writeUInt32BE(i >> 5);
        if (i % 32 === 0)
            mask = sha256(Buffer.concat([h, counter]));
        db[i] ^= mask[i % 32];
    }
    db[0] &= 0x7f;
    return Buffer.concat([db, h, Buffer.from([0xbc])]);
}

// The order of each curve's group, SEC 2.
const orders = {
    prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    secp384r1: BigInt('0xffffffffffffffffffffffffffffffffffffffffffffffff' +
        'c7634d81f4372ddf581a0db248b0a77aecec196accc52973'),
};

const toNumber = bytes => BigInt(`0x${bytes.toString('hex')}`);
const mod = (a, n) => ((a % n) + n) % n;

function inverse(a, n) {
    let [r, next, x, y] = [n, mod(a, n), 0n, 1n];
    while (next !== 0n)
        [r, next, x, y] = [next, r % next, y, x - (r / next) * y];
    return mod(x, n);
}

function integer(number) {
    let text = number.toString(16);
    text = text.length % 2 ? `0${text}` : text;
    const bytes = Buffer.from(parseInt(text.slice(0, 2), 16) > 0x7f ? `00${text}` : text, 'hex');
    return Buffer.concat([Buffer.from([2, bytes.length]), bytes]);
}

function signEcdsa(key, digest) {
    const n = orders[key.asymmetricKeyDetails.namedCurve];
    const d = toNumber(Buffer.from(key.export({ format: 'jwk' }).d, 'base64url'));
    const ephemeral = crypto.createECDH(key.asymmetricKeyDetails.namedCurve); // its public point is k times G
    const r = mod(toNumber(ephemeral.generateKeys().subarray(1, 1 + digest.length)), n);
    const s = mod(inverse(toNumber(ephemeral.getPrivateKey()), n) * (toNumber(digest) + r * d), n);
    const body = Buffer.concat([integer(r), integer(s)]);
    return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

const key = crypto.createPrivateKey(fs.readFileSync(process.argv[2])), digest = fs.readFileSync(0);
process.stdout.write(key.asymmetricKeyType === 'rsa'
    ? crypto.privateEncrypt({ key, padding: crypto.constants.RSA_NO_PADDING }, encodePss(digest))
    : signEcdsa(key, digest));
