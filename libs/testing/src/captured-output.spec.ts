import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import { captureOutput } from './captured-output.js';
import { quotes } from './quotations.js';

describe('Captured output', () => {
  const { info } = console;
  const passedOn: unknown[] = [];

  beforeEach(() => {
    passedOn.length = 0;
    console.info = (...parts: unknown[]) => void passedOn.push(...parts);
  });
  afterEach(() => {
    console.info = info;
  });

  it('holds what is logged, printed and thrown where nobody catches it', async () => {
    const exceptions = new EventEmitter();
    const { result, printed, escaped } = await captureOutput(async () => {
      console.info('a line', { of: 'the console' });
      new Logger('Test').warn('a line of Nest');
      Logger.error('a line of the static logger');
      process.stdout.write(Buffer.from('\r'));
      exceptions.emit('unhandledRejection', new Error('floating'));
      return 7;
    }, exceptions);
    expect(result).toBe(7);
    expect(printed).toBe("a line { of: 'the console' }\na line of Nest\na line of the static logger\n\r");
    expect(escaped).toEqual([new Error('floating')]);
  });

  it('passes on what is printed, and ends with its work, also when that fails', async () => {
    const before = console.info;
    const log: unknown = Reflect.get(Logger.prototype, 'log');
    const exceptions = new EventEmitter();
    const work = captureOutput(async () => {
      console.info('passed on');
      throw new Error('no');
    }, exceptions);
    await expect(work).rejects.toThrow('no');
    expect(passedOn).toEqual(['passed on']);
    expect([console.info, Reflect.get(Logger.prototype, 'log')]).toEqual([before, log]);
    expect(exceptions.eventNames()).toEqual([]);
  });

  it('is taken one after the other', async () => {
    const captures = ['first', 'second'].map((line) =>
      captureOutput(async () => {
        await Promise.resolve();
        console.info(line);
      }),
    );
    const [first, second] = await Promise.all(captures);
    expect([first?.printed, second?.printed]).toEqual(['first', 'second']);
  });
});

const SECRET = 'abcdefghijklmnopqrstuvwxyz';

it.each<[string, string, string[], boolean]>([
  ['the whole', `no ${SECRET}!`, [], true],
  ['a piece of 16', `no ${SECRET.slice(5, 21)}!`, [], true],
  ['a piece of 15', `no ${SECRET.slice(5, 20)}!`, [], false],
  ['what may be seen', `no ${SECRET.slice(0, 20)}!`, [SECRET.slice(0, 20)], false],
  ['more than may be seen', `no ${SECRET.slice(0, 21)}!`, [SECRET.slice(0, 20)], true],
])('a text with %s of a secret is found out', (_what, text, mayBeSeen, expected) => {
  expect(quotes(text, [SECRET], mayBeSeen)).toBe(expected);
});

it('a short secret is found as a whole, and a very short one is in any text', () => {
  expect(quotes('my hunter2x', ['hunter2x'])).toBe(true);
  expect(quotes('a cat', ['a'])).toBe(false);
});
