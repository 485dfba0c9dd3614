// SPDX-License-Identifier: Apache-2.0
// What was measured at real hawkBit servers, 1.1.0 and 0.3.0M7, as far as a robot meets it: one script of requests
// and, for each, what comes back. ddi.test.mjs plays it to the server of ddi.mjs in both dialects,
// tools/interop-hawkbit to a real 0.3.0M7.
import assert from 'node:assert/strict';

export const dialects = {
    '1.1.0': {
        reason: false,      // HTTP/1.1 200 without a word behind it
        needsId: false,     // feedback without `id` counts
        quotes: true,       // of the ETag
        rangeOnWhole: false, // Content-Range with a 200
        logsRanges: false,  // each range is an entry of the history
        keepsFiles: false,  // of an action that is closed
        alwaysAsks: true,   // for configData
        confirmation: true,
        installedBase: true,
    },
    M7: {
        reason: true,
        needsId: true,
        quotes: false,
        rangeOnWhole: true,
        logsRanges: true,
        keepsFiles: true,
        alwaysAsks: false,
        confirmation: false,
        installedBase: false,
    },
};

const feedback = (id, execution, finished, details = []) =>
    ({ id: String(id), status: { execution, result: { finished }, details } });

// `operator`: as in ddi.mjs; `d`: a row of the table; `url`: of the server; `bytes`: any firmware.
export async function playScript(operator, d, url, bytes) {
    const id = `script-${Date.now()}`;
    const token = '0123456789abcdef0123456789abcdef';
    const base = `${url}/DEFAULT/controller/v1/${id}`;
    const ask = async (method, path, { body, ...headers } = {}) => {
        const answer = await fetch(path.startsWith('http') ? path : base + path, {
            method, body: body && JSON.stringify(body),
            headers: { Authorization: `TargetToken ${token}`, ...(body && { 'Content-Type': 'application/json' }), ...headers },
        });
        const content = Buffer.from(await answer.arrayBuffer());
        return { status: answer.status, headers: answer.headers, content, json: () => JSON.parse(content.toString()) };
    };
    const poll = async () => (await ask('GET', '')).json();
    const links = async () => Object.keys((await poll())._links ?? {}).sort();
    const tell = async (what, number, body) => (await ask('POST', `/${what}/${number}/feedback`, { body })).status;
    const idle = d.alwaysAsks ? ['configData'] : [];

    await operator.target(id, token);
    assert.equal((await ask('GET', '', { Authorization: 'TargetToken wrong' })).status, 401);
    assert.match((await poll()).config.polling.sleep, /^\d\d:\d\d:\d\d$/);
    assert.deepEqual(await links(), ['configData']);
    assert.equal((await ask('POST', '/configData', { body: { data: {} } })).status, 405);
    assert.equal((await ask('PUT', '/configData', { body: { mode: 'merge', data: { hw: 'esp32-s3', fw: '1.0.0' } } })).status, 200);
    assert.deepEqual(await operator.attributes(id), { hw: 'esp32-s3', fw: '1.0.0' });
    assert.deepEqual(await links(), idle);

    const set = await operator.set({ version: '2.0.0', files: [{ name: 'fw.bin', bytes }], metadata: { 'otapult.project': 'rover' } });
    let action = await operator.assign(id, set);
    const { href } = (await poll())._links.deploymentBase;
    assert.match(href, new RegExp(`^${base}/deploymentBase/${action}\\?c=-?\\d+$`));
    for (let i = 0; i < 3; i++) // asked again it is no new entry
        await ask('GET', href);
    const sent = (await ask('GET', href)).json();
    assert.equal(sent.id, String(action));
    assert.equal(sent.deployment.download, 'forced');
    assert.equal(sent.deployment.update, 'forced');
    assert.equal(sent.deployment.chunks.length, 1);
    const [chunk] = sent.deployment.chunks;
    assert.deepEqual([chunk.part, chunk.version, chunk.metadata], ['os', '2.0.0', [{ key: 'otapult.project', value: 'rover' }]]);
    const [artifact] = chunk.artifacts;
    assert.deepEqual([artifact.filename, artifact.size, Object.keys(artifact.hashes).sort()], ['fw.bin', bytes.length, ['md5', 'sha1', 'sha256']]);
    assert.deepEqual((await operator.history(id, action)).map(entry => entry.type), ['running', 'retrieved']);

    const file = artifact._links['download-http'].href;
    const whole = await ask('GET', file);
    const etag = whole.headers.get('etag');
    assert.deepEqual([whole.status, whole.content.equals(bytes), etag], [200, true, d.quotes ? `"${artifact.hashes.sha1}"` : artifact.hashes.sha1]);
    assert.equal(whole.headers.has('content-range'), d.rangeOnWhole);
    const rest = await ask('GET', file, { Range: 'bytes=1000-', 'If-Range': etag });
    assert.deepEqual([rest.status, rest.content.equals(bytes.subarray(1000)), rest.headers.get('content-range')],
        [206, true, `bytes 1000-${bytes.length - 1}/${bytes.length}`]);
    assert.equal((await ask('GET', file, { Range: 'bytes=1000-', 'If-Range': d.quotes ? artifact.hashes.sha1 : `"${artifact.hashes.sha1}"` })).status, 200);
    const behind = await ask('GET', file, { Range: `bytes=${bytes.length}-` });
    assert.deepEqual([behind.status, behind.headers.get('content-range')], [416, `bytes */${bytes.length}`]);
    assert.equal((await ask('GET', file.replace('fw.bin', 'none.bin'))).status, 404);

    assert.equal(await tell('deploymentBase', action, { status: { execution: 'proceeding', result: { finished: 'none' } } }), d.needsId ? 404 : 200);
    assert.equal(await tell('deploymentBase', action, { id: String(action), status: { execution: 'closed' } }), 400);
    assert.equal(await tell('deploymentBase', action, feedback(action, 'flying', 'none')), 400);
    assert.equal(await tell('deploymentBase', 999999, feedback(999999, 'proceeding', 'none')), 404);
    assert.equal((await ask('GET', '/deploymentBase/999999')).status, 404);
    assert.equal((await ask('GET', `/cancelAction/${action}`)).status, 404);
    assert.equal(await tell('deploymentBase', action, feedback(action, 'rejected', 'none', ['not now'])), 200);
    assert.equal((await operator.history(id, action)).at(-1).type, 'warning');
    assert.ok((await links()).includes('deploymentBase')); // it stays open

    await operator.cancel(id, action);
    assert.deepEqual(await links(), ['cancelAction', ...idle]);
    assert.deepEqual((await ask('GET', `/cancelAction/${action}`)).json(), { id: String(action), cancelAction: { stopId: String(action) } });
    assert.equal((await ask('GET', `/deploymentBase/${action}`)).status, 404);
    assert.equal(await tell('cancelAction', action, feedback(action, 'rejected', 'none', ['too late'])), 200);
    assert.ok((await links()).includes('deploymentBase'));
    await operator.cancel(id, action);
    assert.equal(await tell('cancelAction', action, feedback(action, 'closed', 'success', ['stopped'])), 200);
    assert.equal((await operator.history(id, action)).at(-1).type, 'canceled');
    assert.ok(!(await links()).includes('deploymentBase'));

    action = await operator.assign(id, set, { type: 'soft' });
    assert.equal((await ask('GET', (await poll())._links.deploymentBase.href)).json().deployment.update, 'attempt');
    await operator.cancel(id, action);
    assert.equal(await tell('deploymentBase', action, feedback(action, 'closed', 'success', ['it runs'])), 200); // all the same
    assert.deepEqual([await operator.status(id), (await operator.history(id, action)).at(-1).type], ['in_sync', 'finished']);
    assert.equal(await tell('deploymentBase', action, feedback(action, 'proceeding', 'none')), 410);
    assert.equal((await ask('GET', file)).status, d.keepsFiles ? 200 : 404);
    assert.deepEqual(await links(), d.installedBase ? ['configData', 'installedBase'] : ['configData']);

    const next = await operator.set({ version: '3.0.0', files: [{ name: 'fw.bin', bytes }] });
    action = await operator.assign(id, next, { type: 'downloadonly' });
    assert.equal((await ask('GET', `/deploymentBase/${action}`)).json().deployment.update, 'skip');
    assert.equal(await tell('deploymentBase', action, feedback(action, 'closed', 'failure', ['no'])), 200);
    assert.deepEqual([await operator.status(id), (await operator.history(id, action)).at(-1).type], ['error', 'error']);
    assert.ok(!(await links()).includes('deploymentBase')); // and is never offered again
}
