import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { RuleAnswer } from '@sallyport/mcp';
import { askRule } from './ask-rule.js';

const MINUTE = 60_000;

let lines: unknown[][] = [];

beforeEach(() => {
  lines = [];
  const keep = (...parts: unknown[]) => lines.push(parts);
  Logger.overrideLogger({ log: keep, warn: keep, error: keep });
});
afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(['error']);
});

async function never(): Promise<RuleAnswer> {
  return new Promise(() => undefined);
}

it.each<[string, unknown, boolean, string]>([
  ['true', true, true, 'permits'],
  ['false', false, false, 'refuses'],
  ['a reason', 'it is closed', false, 'refuses, it is closed'],
  ['an empty reason', '', false, 'refuses'],
  ['the longest reason', 'x'.repeat(200), false, `refuses, ${'x'.repeat(200)}`],
  ['a longer reason', 'x'.repeat(201), false, `refuses, ${'x'.repeat(200)}`],
  ['the text true', 'true', false, 'refuses, true'],
  ['a boxed true', Object(true), false, 'refuses'],
])('A rule that answers %s is understood, and nothing is logged', async (_what, given, permits, detail) => {
  await expect(askRule('Own', () => given as RuleAnswer, MINUTE)).resolves.toEqual({ permits, detail });
  expect(lines).toEqual([]);
});

it('A rule that threw refuses, and the log alone says why', async () => {
  const error = new Error('the table is gone');
  await expect(askRule('Own', () => Promise.reject(error), MINUTE)).resolves.toEqual({
    permits: false,
    detail: 'threw',
  });
  expect(lines).toEqual([['The rule Own threw; it refuses.', error.stack, 'Sallyport']]);
});

it('A rule that gave no answer refuses when its time is up and not before, and is complained of', async () => {
  jest.useFakeTimers();
  const asked = askRule('Own', never, 150);
  jest.advanceTimersByTime(149);
  expect(lines).toEqual([]);
  jest.advanceTimersByTime(1);
  await expect(asked).resolves.toEqual({ permits: false, detail: 'gave no answer in time' });
  expect(lines).toEqual([['The rule Own gave no answer within 150 ms; it refuses.', undefined, 'Sallyport']]);
});

it('A rule that answered is not waited for any longer', async () => {
  jest.useFakeTimers();
  await askRule('Own', () => true, 150);
  expect(jest.getTimerCount()).toBe(0);
  jest.advanceTimersByTime(MINUTE);
  expect(lines).toEqual([]);
});
