// SPDX-License-Identifier: Apache-2.0
// curl itself, as a user would call it.
import { run } from './run.mjs';

const MARK = '\n--http-status ';

// { status, body, stderr, exit }: `status` is of HTTP, 0 when no answer came; `exit` is curl's own. A
// body that is JSON comes parsed in `json` too.
export async function curl(...args) {
    const result = await run('curl', ['-sS', '--write-out', `${MARK}%{http_code}`, ...args]);
    const at = result.stdout.lastIndexOf(MARK);
    const body = at < 0 ? result.stdout : result.stdout.slice(0, at);
    const status = at < 0 ? 0 : Number(result.stdout.slice(at + MARK.length));
    return { status, body, json: parsed(body), stderr: result.stderr, exit: result.status };
}

// The brief's own line, plus what `more` adds.
export function upload(url, file, ...more) {
    return curl('-X', 'POST', '-F', `firmware=@${file}`, ...more, `${url}/api/ota/upload`);
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}
