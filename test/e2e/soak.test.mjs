// SPDX-License-Identifier: Apache-2.0
// The short form of `make soak`: 100 updates, always the same ones.
import { test } from 'node:test';
import { soak } from '../soak/soak.mjs';

test('100 updates between refusals, cuts, crashes, power cycles and rollbacks', t =>
    soak({ seed: 1, updates: 100, log: line => t.diagnostic(line) }));
