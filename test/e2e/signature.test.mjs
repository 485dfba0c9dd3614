// SPDX-License-Identifier: Apache-2.0
// Signatures from end to end: against the secure rover over HTTPS, each test named after the attack it
// tries, and the command that makes and verifies them. Signatures of the tests are made by
// test/support/signer.mjs, with Node's crypto; only the tests of `otapult sign` use the command's own.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BLOCK, keyDigest, makeBlock, makeKey, seal, sector, SECTOR, sign, toPem, toPublicPem }
    from '../support/signer.mjs';
import { upload } from './support/curl.mjs';
import { startRover } from './support/rover.mjs';
import { program, root, run } from './support/run.mjs';
import { Samples } from './support/samples.mjs';
import { firstPassword, startSecureRover } from './support/secure.mjs';

const samples = new Samples();
const otapult = (...args) => run(program('otapult', 'OTAPULT'), args);
const hex = key => keyDigest(key).toString('hex');
const id = key => hex(key).slice(0, 8);
const read = file => fs.readFileSync(file);
const padded = image => Buffer.concat([image, Buffer.alloc(-image.length & (SECTOR - 1), 0xff)]);

const ours = makeKey('rsa'), stranger = makeKey('rsa');
let v2, v3; // unsigned images

before(async () => {
    v2 = read(await samples.make('v2.bin', { version: '2.0.0', seed: 2, size: 60000 }));
    v3 = read(await samples.make('v3.bin', { version: '3.0.0', seed: 3, size: 60000 }));
});
after(() => samples.remove());

// `data`, and behind it a signature by `key` of `signed`, which may be something else.
const behind = (data, key, signed) => Buffer.concat([data, sector([makeBlock(key, signed)])]);

const flipped = (bytes, at, mask = 1) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= mask;
    return copy;
};

// A change to the first block, with a CRC that is right again.
const sealed = (bytes, at) => {
    const copy = flipped(bytes, bytes.length - SECTOR + at);
    seal(copy.subarray(copy.length - SECTOR, copy.length - SECTOR + BLOCK));
    return copy;
};

describe('a rover that requires signatures', () => {
    let owner, open;

    before(async () => {
        owner = await startSecureRover({ key: ours });
        open = await startRover();
    });
    after(() => Promise.all([owner.stop(), open.stop()]));

    const login = () => ['-u', `admin:${owner.password}`];
    const put = bytes => owner.upload(samples.write('firmware.bin', bytes), ...login());

    // Without TLS nobody is listened to, whatever he brings.
    async function refusedWithoutTls(bytes) {
        const answer = await upload(owner.plainUrl, samples.write('firmware.bin', bytes), ...login());
        assert.equal(answer.json?.code, 'https_required', answer.body);
    }

    async function refused(bytes, code, detail) {
        await refusedWithoutTls(bytes);
        const answer = await put(bytes);
        assert.equal(answer.json?.code, code, answer.body);
        assert.equal(answer.json.error, 'Update.end() failed');
        if (detail)
            assert.match(answer.json.detail, detail);
        const status = await owner.status();
        assert.equal(status.boot_slot, status.running);
        assert.equal(status.slots.find(slot => !slot.running).image, null); // nothing is left that could boot
    }

    // An open device asks for no signature, but takes none that is wrong in its form or of other data.
    async function refusedByAll(bytes, code, detail, here = code) {
        const answer = await upload(open.url, samples.write('firmware.bin', bytes));
        assert.equal(answer.json?.code, code, answer.body);
        const status = await open.status();
        assert.deepEqual([status.boot, status.boot_slot], [1, status.running]);
        await refused(bytes, here, detail);
    }

    test('says so', async () => {
        const { signature, open } = await owner.status();
        assert.deepEqual(signature, { enforced: true, keys: [id(ours)] });
        assert.equal(open, false);
        assert.ok(owner.rover.lines.some(line => line.endsWith(`signature: enforced, keys ${id(ours)}`)));
    });

    test('attack: unsigned', () => refused(v2, 'signature_missing'));
    test('attack: signed by another key', () =>
        refused(sign(v2, stranger), 'signature_wrong', new RegExp(`^signature block 0: unknown key ${id(stranger)}`)));
    test('attack: signed by a key of another kind', () =>
        refused(sign(v2, makeKey('P-256')), 'signature_wrong', /unknown key/));
    test('attack: block with bad CRC', () =>
        refusedByAll(flipped(sign(v2, ours), padded(v2).length + 1196), 'signature_wrong', /CRC/));
    test('attack: signature of another image', () =>
        refusedByAll(behind(padded(v2), ours, padded(v3)), 'signature_wrong', /other data/));
    test('attack: image longer than what is signed', () =>
        refusedByAll(behind(Buffer.concat([padded(v2), Buffer.alloc(SECTOR, 0xff)]), ours, padded(v2)), 'image_trailing'));
    test('attack: two images concatenated', () =>
        refusedByAll(Buffer.concat([sign(v2, ours), sign(v3, ours)]), 'image_trailing'));
    test('attack: bytes after the signature sector', () =>
        refusedByAll(Buffer.concat([sign(v2, ours), Buffer.from([0xff])]), 'image_trailing', null, 'signature_missing'));
    test('attack: a sector after the signature sector', () =>
        refusedByAll(Buffer.concat([sign(v2, ours), Buffer.alloc(SECTOR, 0xff)]), 'image_trailing'));
    test('attack: two signature sectors', () =>
        refusedByAll(behind(sign(v2, ours), ours, sign(v2, ours)), 'image_trailing'));
    test('attack: cut off in the signature', () =>
        refusedByAll(sign(v2, ours).subarray(0, -1000), 'image_truncated', null, 'signature_missing'));
    test('attack: a bit of the code', async () => {
        const image = Buffer.from(v2); // two bits, which the checksum does not notice; then the SHA-256 anew
        image[0x2000] ^= 4;
        image[0x2004] ^= 4;
        crypto.createHash('sha256').update(image.subarray(0, -32)).digest().copy(image, image.length - 32);
        await refusedByAll(behind(padded(image), ours, padded(v2)), 'signature_wrong', /other data/);
    });
    for (const [what, at] of [['digest', 10], ['modulus', 300], ['exponent', 421], ['R squared', 500],
        ['inverse', 809], ['signature', 1000]])
        test(`attack: a bit of the block, ${what}, with the CRC put right`, () =>
            refused(sealed(sign(v2, ours), at), 'signature_wrong'));
    test('attack: the trusted key behind a stranger\'s signature', () => {
        const bytes = sign(v2, ours), at = bytes.length - SECTOR;
        makeBlock(stranger, padded(v2)).copy(bytes, at + 812, 812, 1196);
        return refused(sealed(bytes, 1000), 'signature_wrong', /the signature is wrong/);
    });
    test('attack: rollback to an image that nobody signed', async () => {
        const answer = await owner.admin('/api/ota/rollback', '-X', 'POST');
        assert.equal(answer.json.code, 'no_rollback');
    });

    test('takes what its key has signed, and goes back to nothing else', async () => {
        assert.equal((await put(sign(v2, stranger, ours))).json?.success, true);
        const status = await owner.rover.waitFor('2.0.0', s => s.boot === 2 && !s.pending);
        const running = status.slots.find(slot => slot.running);
        assert.equal(running.image.version, '2.0.0');
        assert.deepEqual(status.signature.keys, [id(ours)]); // the stranger's block changed nothing
        const answer = await owner.admin('/api/ota/rollback', '-X', 'POST'); // factory firmware: unsigned
        assert.equal(answer.json.code, 'no_rollback');
        assert.match(answer.json.detail, /not signed by a trusted key/);
    });

    test('the log knows what was refused, and why', async () => {
        const { json } = await owner.admin('/api/ota/log');
        assert.ok(json.entries.some(entry => entry.event === 'refused' && entry.code === 'signature_wrong'));
    });
});

describe('a rover without what it needs', () => {
    // What an upload meets, and what the console says.
    const refused = async (args, code) => {
        const rover = await startRover({ args: ['--fast', '--secure', ...args] });
        try {
            const password = firstPassword(rover);
            const file = samples.write('firmware.bin', sign(v2, ours));
            const answer = await upload(rover.url, file, '-k', '-u', `admin:${password}`);
            assert.equal(answer.json?.code, code, answer.body);
            return [...rover.lines];
        } finally {
            await rover.stop();
        }
    };

    test('attack: no key configured: everything is refused, and the console says why', async () => {
        const lines = await refused([], 'signature_no_keys');
        assert.ok(lines.some(line => /updates are refused.*no trusted key/.test(line)));
    });

    test('attack: only a published test key configured', async () => {
        const mcuboot = 'a0c1f7ec25350eee545d79ca2e5ffdd8e79d5762897ead797050909ad49e0565';
        const lines = await refused(['--key-digest', mcuboot], 'signature_no_keys');
        assert.ok(lines.some(line => /published test key/.test(line)));
    });
});

// The virtual rover's firmware is built with the keys of its command line: a new build is a new start.
describe('rotation and revocation', () => {
    const flash = path.join(samples.folder, 'rotation.bin');
    const next = makeKey('rsa');
    let password, watcher;

    // One life of the rover's program, built with `keys`.
    const live = async (keys, args, what) => {
        const others = keys.slice(1).flatMap(key => ['--key-digest', hex(key)]);
        const owner = await startSecureRover({ flash, key: keys[0], password, args: [...others, ...args] });
        try {
            ({ password } = owner);
            watcher ??= await owner.token('watcher');
            owner.watcher = watcher;
            await what(owner);
        } finally {
            await owner.stop();
        }
    };
    const keysOf = async owner => (await owner.status()).signature.keys.sort();
    const put = (owner, bytes) =>
        owner.upload(samples.write('firmware.bin', bytes), '-u', `admin:${owner.password}`);
    const runs = version => status =>
        !status.pending && status.slots.some(slot => slot.running && slot.image.version === version);

    test('a new key is carried over by a firmware that names it and is signed by both', async () => {
        await live([ours], ['--restart', '60000'], async owner => {
            assert.equal((await put(owner, sign(v2, ours, next))).json?.success, true);
        }); // switched off before it restarts
        await live([ours, next], [], owner => owner.rover.waitFor('2.0.0', runs('2.0.0'))); // built with both
        await live([ours], [], async owner => { // any other build
            assert.deepEqual(await keysOf(owner), [id(ours), id(next)].sort());
            assert.equal((await put(owner, sign(v3, next))).json?.success, true);
            await owner.rover.waitFor('3.0.0', runs('3.0.0'));
        });
    });

    test('attack: valid block, revoked key', async () => {
        await live([ours], ['--revoke', hex(ours)], async owner => {
            assert.ok(owner.rover.lines.some(line => line.endsWith(`key ${id(ours)} is revoked`)));
            assert.deepEqual(await keysOf(owner), [id(next)]);
            const plain = await upload(owner.plainUrl, samples.write('firmware.bin', sign(v2, ours)));
            assert.equal(plain.json.code, 'https_required');
            const { json } = await put(owner, sign(v2, ours));
            assert.equal(json.code, 'signature_wrong');
            assert.equal(json.detail, `signature block 0: revoked key ${id(ours)}`);
        });
        await live([ours], ['--revoke', hex(next)], async owner => { // still revoked, and the last one stays
            assert.ok(owner.rover.lines.some(line => /was not revoked/.test(line)));
            assert.deepEqual(await keysOf(owner), [id(next)]);
            assert.equal((await put(owner, sign(v2, next))).json?.success, true);
        });
    });
});

describe('what a length tells', () => {
    let owner;

    before(async () => {
        owner = await startSecureRover({ key: ours });
        assert.equal((await put(samples.write('firmware.bin', sign(v2, ours)))).status, 200);
        await owner.rover.waitFor('2.0.0', s => s.boot === 2 && !s.pending);
    });
    after(() => owner.stop());

    const login = () => ['-u', `admin:${owner.password}`];
    const put = (file, ...more) => owner.upload(file, ...login(), ...more);
    const RAW = ['-H', 'Content-Type: application/octet-stream', '--data-binary'];
    const ways = {
        'as a form': file => put(file),
        'as a form with a field before it': file => owner.curl('/api/ota/upload', ...login(), '-F', 'x=y', '-F', `firmware=@${file}`),
        'as raw bytes': file => owner.curl('/api/ota/upload', ...login(), ...RAW, `@${file}`),
    };

    for (const [way, send] of Object.entries(ways))
        test(`unsigned, ${way}: refused before the other slot is erased`, async () => {
            const { json } = await send(samples.write('firmware.bin', v3));
            assert.equal(json.code, 'signature_missing');
            assert.match(json.detail, /^not signed: no signed file ends at 0x/);
            assert.equal((await owner.status()).way_back.slot, 'app0');
        });

    test('packed: its length says nothing, its end does', async () => {
        const { json } = await put(samples.write('firmware.bin.gz', gzipSync(v3)));
        assert.equal(json.code, 'signature_missing');
        assert.match(json.detail, /^not signed: the image ends at 0x/);
        assert.equal((await owner.status()).way_back, null);
    });

    test('signed, it goes in each way', async () => {
        for (const [n, send] of Object.values(ways).entries()) {
            const boot = (await owner.status()).boot;
            const { json } = await send(samples.write('firmware.bin', sign(n % 2 ? v2 : v3, ours)));
            assert.equal(json.success, true, JSON.stringify(json));
            await owner.rover.waitFor('the confirmation', s => s.boot === boot + 1 && !s.pending);
        }
    });
});

describe('otapult keygen, key-digest', () => {
    test('a key in a git work tree gets a warning, also below and in a worktree; elsewhere none', async () => {
        const tree = file('tree');
        fs.mkdirSync(path.join(tree, 'below'), { recursive: true });
        fs.writeFileSync(path.join(tree, '.git'), 'gitdir: elsewhere\n');
        for (const at of [path.join(tree, 'a.pem'), path.join(tree, 'below/b.pem')]) {
            const { status, stderr } = await otapult('keygen', at);
            assert.equal(status, 0);
            assert.match(stderr, /warning: .* lies in a git work tree/);
        }
        assert.doesNotMatch((await otapult('keygen', file('outside.pem'))).stderr, /git work tree/);
    });

    const file = name => path.join(samples.folder, name);

    for (const [scheme, kind] of [['rsa3072', 'rsa'], ['ecdsa256', 'P-256'], ['ecdsa384', 'P-384']]) {
        test(`${scheme}: a key that others read, and only its owner`, async () => {
            const pem = file(`${scheme}.pem`);
            const made = await otapult('keygen', pem, '--scheme', scheme);
            assert.equal(made.status, 0, made.stderr);
            assert.equal(fs.statSync(pem).mode & 0o777, 0o600);
            const key = crypto.createPrivateKey(read(pem));
            assert.equal(made.stdout.trim(), hex(key));
            assert.equal(key.asymmetricKeyDetails.modulusLength ?? key.asymmetricKeyDetails.namedCurve,
                { rsa: 3072, 'P-256': 'prime256v1', 'P-384': 'secp384r1' }[kind]);
            assert.doesNotMatch(made.stdout + made.stderr, /PRIVATE|BEGIN/);

            samples.write('public.pem', toPublicPem(key));
            for (const name of [pem, file('public.pem')])
                assert.equal((await otapult('key-digest', name)).stdout.trim(), hex(key));
        });
        test(`${scheme}: keys of others, in every form of PEM`, async () => {
            const key = makeKey(kind);
            const forms = [toPem(key), toPublicPem(key), key.export({ type: 'pkcs8', format: 'pem' })];
            for (const form of forms)
                assert.equal((await otapult('key-digest', samples.write('form.pem', form))).stdout.trim(), hex(key));
        });
    }

    test('a key is never overwritten, nor a link followed', async () => {
        const before = read(file('rsa3072.pem'));
        assert.equal((await otapult('keygen', file('rsa3072.pem'))).status, 1);
        assert.deepEqual(read(file('rsa3072.pem')), before);
        fs.symlinkSync(file('elsewhere.pem'), file('link.pem'));
        assert.equal((await otapult('keygen', file('link.pem'), '--scheme', 'ecdsa256')).status, 1);
        assert.ok(!fs.existsSync(file('elsewhere.pem')));
    });

    const PKCS8 = { type: 'pkcs8', format: 'pem' };
    const other = (kind, options) => crypto.generateKeyPairSync(kind, options).privateKey.export(PKCS8);
    const strange = {
        'an RSA key of another length': () => other('rsa', { modulusLength: 2048 }),
        'a curve of the same size': () => other('ec', { namedCurve: 'secp256k1' }),
        'Ed25519': () => other('ed25519'),
        'an encrypted key': () => ours.export({ ...PKCS8, cipher: 'aes-256-cbc', passphrase: 'x' }),
        'no key': () => 'hello\n',
        'nothing': () => '',
        'something endless': () => 'A'.repeat(100000),
    };
    for (const [what, make] of Object.entries(strange)) {
        test(`${what} is refused`, async () => {
            const result = await otapult('key-digest', samples.write('strange.pem', make()));
            assert.equal(result.status, 1);
            assert.match(result.stderr, /strange\.pem: /);
            assert.equal(result.stdout, '');
        });
    }
});

describe('otapult sign, verify', () => {
    const file = name => path.join(samples.folder, name);
    const keys = { rsa3072: makeKey('rsa'), ecdsa256: makeKey('P-256'), ecdsa384: makeKey('P-384') };

    before(() => {
        for (const [name, key] of Object.entries(keys)) {
            samples.write(`key-${name}.pem`, toPem(key));
            samples.write(`key-${name}.pub.pem`, toPublicPem(key));
        }
    });

    const verify = (name, key) => otapult('verify', file(name), '--key-digest', hex(key));
    const signWith = (name, from, to, ...more) =>
        otapult('sign', file(from), '--key', file(`key-${name}.pem`), '--out', file(to), ...more);

    // What this file's own maker of blocks would have written, but for the signature, which has salt in it.
    const skeleton = (bytes, key) => {
        const block = Buffer.from(bytes.subarray(bytes.length - SECTOR, bytes.length - SECTOR + BLOCK));
        const [at, size] = { rsa: [812, 384], prime256v1: [101, 64], secp384r1: [149, 96] }[
            key.asymmetricKeyDetails.namedCurve ?? 'rsa'];
        block.fill(0, at, at + size);
        return seal(block);
    };

    for (const [name, key] of Object.entries(keys)) {
        test(`${name}: what is written is what an independent maker writes`, async () => {
            const result = await signWith(name, 'v2.bin', 'signed.bin');
            assert.equal(result.status, 0, result.stderr);
            const made = read(file('signed.bin')), expected = sign(v2, key);
            assert.equal(made.length, expected.length);
            assert.deepEqual(made.subarray(0, -SECTOR), expected.subarray(0, -SECTOR));
            assert.deepEqual(skeleton(made, key), skeleton(expected, key));
            const rest = made.length - SECTOR + BLOCK;
            assert.deepEqual(made.subarray(rest), expected.subarray(rest));
            const verified = await otapult('verify', file('signed.bin'), '--key', file(`key-${name}.pub.pem`));
            assert.equal(verified.status, 0, verified.stderr);
        });
        test(`${name}: what an independent maker writes is verified`, async () => {
            samples.write('theirs.bin', sign(v2, key));
            assert.equal((await verify('theirs.bin', key)).status, 0);
            const wrong = await verify('theirs.bin', ours);
            assert.equal(wrong.status, 1);
            assert.match(wrong.stderr, /signature_wrong[^]*unknown key/);
        });
        test(`${name}: the key may be elsewhere, behind a command`, async () => {
            const command = `node ${root}/test/e2e/support/hsm.mjs ${file(`key-${name}.pem`)}`;
            const result = await otapult('sign', file('v2.bin'), '--sign-command', command,
                '--pub-key', file(`key-${name}.pub.pem`), '--out', file('elsewhere.bin'));
            assert.equal(result.status, 0, result.stderr);
            assert.equal((await verify('elsewhere.bin', key)).status, 0);
        });
    }

    test('three signatures in one sector, and no fourth', async () => {
        await signWith('rsa3072', 'v2.bin', 'one.bin');
        assert.equal((await signWith('ecdsa256', 'one.bin', 'two.bin', '--append')).status, 0);
        assert.equal((await signWith('ecdsa384', 'two.bin', 'three.bin', '--append')).status, 0);
        assert.equal(read(file('three.bin')).length, read(file('one.bin')).length);
        for (const key of Object.values(keys))
            assert.equal((await verify('three.bin', key)).status, 0);
        samples.write('key-ours.pem', toPem(ours));
        assert.match((await signWith('ours', 'three.bin', 'four.bin', '--append')).stderr, /no room/);
        assert.match((await signWith('rsa3072', 'two.bin', 'four.bin', '--append')).stderr, /already/);
        assert.ok(!fs.existsSync(file('four.bin')));
    });

    const refusals = {
        'a signed file without --append': ['one.bin', [], 1, /signed already/],
        'an unsigned file with --append': ['v2.bin', ['--append'], 1, /not signed yet/],
        'what is no whole image': ['cut.bin', [], 1, /image_truncated/],
        'a merged image': ['merged.bin', [], 1, /image_merged/],
        'a file with something behind it': ['longer.bin', [], 1, /image_trailing/],
    };
    for (const [what, [name, more, status, words]] of Object.entries(refusals)) {
        test(`${what} is not signed`, async () => {
            samples.write('cut.bin', v2.subarray(0, -100));
            samples.write('longer.bin', Buffer.concat([v2, Buffer.from('x')]));
            await samples.make('merged.bin', { merged: true });
            const result = await signWith('rsa3072', name, 'out.bin', ...more);
            assert.equal(result.status, status);
            assert.match(result.stderr, words);
            assert.ok(!fs.existsSync(file('out.bin')));
        });
    }

    test('the input is written over only when that is said', async () => {
        samples.write('place.bin', v2);
        fs.symlinkSync('place.bin', file('alias.bin'));
        for (const out of ['place.bin', 'alias.bin'])
            assert.equal((await signWith('ecdsa256', 'place.bin', out)).status, 2);
        assert.deepEqual(read(file('place.bin')), v2);
        const result = await otapult('sign', file('place.bin'), '--key', file('key-ecdsa256.pem'), '--in-place');
        assert.equal(result.status, 0, result.stderr);
        assert.equal((await verify('place.bin', keys.ecdsa256)).status, 0);
    });

    const commands = {
        'fails': ['exit 3', /command failed/],
        'prints nothing': ['true', /0 bytes/],
        'prints something else': ['echo no signature', /no signature of this kind/],
        'prints a signature of other data': [`head -c 384 /dev/zero | tr '\\0' '\\1'`, /does not fit/],
        'does not read': ['exec 0<&-; head -c 384 /dev/urandom', /does not fit|failed/],
    };
    for (const [what, [command, words]] of Object.entries(commands)) {
        test(`a sign command that ${what} signs nothing`, async () => {
            const result = await otapult('sign', file('v2.bin'), '--sign-command', command,
                '--pub-key', file('key-rsa3072.pub.pem'), '--out', file('none.bin'));
            assert.equal(result.status, 1);
            assert.match(result.stderr, words);
            assert.ok(!fs.existsSync(file('none.bin')));
        });
    }

    const usages = [['sign', 'v2.bin'], ['sign', 'v2.bin', '--key', 'k.pem'], ['sign', 'v2.bin', '--out', 'o.bin'],
        ['sign', 'v2.bin', '--sign-command', 'x', '--out', 'o.bin'], ['verify', 'v2.bin'],
        ['verify', 'v2.bin', '--key-digest', 'abc'], ['verify', 'v2.bin', '--key-digest', `${'0'.repeat(64)},`],
        ['keygen', 'k.pem', '--scheme', 'rsa2048'], ['key-digest']];
    for (const words of usages)
        test(`wrong usage: otapult ${words.join(' ').slice(0, 60)}`, async () => {
            assert.equal((await otapult(...words)).status, 2);
        });
});

test('otapult info shows who has signed', async () => {
    const name = samples.write('firmware.bin', sign(v2, stranger, ours));
    const { images: [image], refusal } = JSON.parse((await otapult('info', name, '--json')).stdout);
    assert.equal(refusal, null);
    const found = key => ({ scheme: 'rsa3072', key: hex(key), digest: 'right' });
    assert.deepEqual(image.signatures, [found(stranger), found(ours)]);
    const { stdout } = await otapult('info', samples.write('firmware.bin',
        behind(padded(v3), ours, padded(v2))));
    assert.match(stdout, /signature +rsa3072, block 0, its digest is WRONG/);
    assert.match(stdout, /signature block 0: its digest is of other data/);
});

describe('otapult check', () => {
    test('as a robot that requires signatures', async () => {
        const name = samples.write('firmware.bin', sign(v2, stranger, ours));
        const digests = `${hex(makeKey('P-256'))},${hex(ours)}`;
        const result = await otapult('check', name, '--key-digest', digests, '--json');
        assert.equal(result.status, 0, result.stdout);
        assert.equal(JSON.parse(result.stdout).signatures, 2);
        const bare = await otapult('check', samples.write('bare.bin', v2), '--key-digest', hex(ours), '--json');
        assert.equal(JSON.parse(bare.stdout).code, 'signature_missing');
    });

    const ages = { '2.0.1': 'older', 'v2.0.0': 'same', '1.9.9-5-g1a2b3c4': 'newer' };
    for (const [running, age] of Object.entries(ages))
        test(`2.0.0 against ${running}: ${age}`, async () => {
            const name = samples.write('firmware.bin', v2);
            const result = await otapult('check', name, '--running', running, '--json');
            assert.equal(result.status, 0);
            assert.equal(JSON.parse(result.stdout).age, age);
            assert.equal(/warning: 2\.0\.0 is older/.test(result.stderr), age === 'older');
        });
});
