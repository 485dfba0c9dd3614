// SPDX-License-Identifier: Apache-2.0
// Which of two firmwares is newer, by the rules of src/image/version.c. test/image/versions.txt has the cases
// that both must decide alike.
'use strict';

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
const isNumber = text => /^\d+$/.test(text);

// Semantic Versioning with two or three numbers, and what `git describe` appends; null: it is none.
function versionParts(text) {
    const [, major, minor, patch = 0, suffix = ''] =
        /^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(-.*)?$/is.exec(text.split('+')[0]) || [];
    if (!major)
        return null;
    const clean = suffix.replace(/-dirty$/, '');
    const [described, commits = 0] = /-(\d{1,9})-g[0-9a-f]{4,}$/.exec(clean) || [''];
    const pre = clean.slice(1, clean.length - described.length || 1);
    return {numbers: [major, minor, patch].map(Number), pre, commits: Number(commits)};
}

// Numbers by value and before words; a release comes after its prereleases.
function orderOfPrereleases(a, b) {
    if (!a || !b)
        return order(!a, !b);
    const [x, y] = [a, b].map(pre => pre.replace(/\.$/, '').split('.')); // a dot at the end begins nothing
    for (let i = 0; i < x.length && i < y.length; i++) {
        const [p, q] = [isNumber(x[i]), isNumber(y[i])];
        const way = p && q ? order(BigInt(x[i]), BigInt(y[i])) : p || q ? order(q, p) : order(x[i], y[i]);
        if (way)
            return way;
    }
    return order(x.length, y.length);
}

// "Jan  1 2026" and "12:00:00" of the C compiler, as one number that grows with time; NaN: it is no date.
function buildDate(date, time) {
    const [, month, day, year] = /^(\w{3}) ([ \d]\d) (\d{4})$/.exec(date) || [];
    const [, hour, minute, second] = /^(\d\d):(\d\d):(\d\d)$/.exec(time) || [];
    const at = MONTHS.indexOf(month);
    return at % 3 === 0 && second ? Date.UTC(year, at / 3, day, hour, minute, second) : NaN;
}

// a, b: {version, date, time}. -1: a is older; 0: of one age; 1: a is newer; null: nobody can tell.
function compareVersions(a, b) {
    const [x, y] = [versionParts(a.version), versionParts(b.version)];
    const [then, now] = [buildDate(a.date, a.time), buildDate(b.date, b.time)];

    if (x && y) {
        const numbers = x.numbers.map((n, i) => order(n, y.numbers[i])).find(way => way);
        return numbers || orderOfPrereleases(x.pre, y.pre) || order(x.commits, y.commits);
    }
    return then >= 0 && now >= 0 ? order(then, now) : null;
}
