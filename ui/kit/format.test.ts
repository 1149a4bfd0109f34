import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatAgo,
  formatBytes,
  formatCell,
  formatDifference,
  formatDuration,
  formatMoney,
  formatNumber,
  formatShare,
  ofHundred,
} from './format.ts';

test('numbers keep the digits that matter', () => {
  equal(formatNumber(0), '0');
  equal(formatNumber(0.873456), '0.8735');
  equal(formatNumber(46_210.44), '46,210.4');
  equal(formatNumber(234_500.4), '234,500');
  equal(formatNumber(1.2e-9), '1.20e-9');
});

test('differences tell their sign', () => {
  equal(formatDifference(42.6184), '+42.62');
  equal(formatDifference(-1483.81), '−1,483.8');
  equal(formatDifference(0), '0');
});

test('shares are never rounded to all or nothing', () => {
  equal(formatShare(1), '100%');
  equal(formatShare(0), '0%');
  equal(formatShare(0.9999), '> 99.9%');
  equal(formatShare(0.0001), '< 0.1%');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => share === 1 || ofHundred(share) < 100),
  );
});

test('money shows what cents would hide', () => {
  equal(formatMoney(1_250_000), '$1.25');
  equal(formatMoney(0), '$0.00');
  equal(formatMoney(125), '$0.00013');
});

test('times and sizes read as people say them', () => {
  equal(formatDuration(0.0184), '18 ms');
  equal(formatDuration(60), '1 min');
  equal(formatDuration(64), '1 min 4 s');
  equal(formatDuration(7500), '2 h 5 min');
  equal(formatBytes(999), '999 bytes');
  equal(formatBytes(1_234_567), '1.2 MB');
  const nowMs = Date.parse('2026-11-23T12:00:00Z');
  equal(formatAgo('2026-11-23T11:57:00Z', nowMs), '3 minutes ago');
  equal(formatAgo('2026-11-24T12:00:00Z', nowMs), 'tomorrow');
});

test('a missing cell is told apart from an empty text', () => {
  equal(formatCell(null), '—');
  equal(formatCell(''), '');
  equal(formatCell(0.1 + 0.2), '0.3');
});
