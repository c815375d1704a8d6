import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generateNoteKey } from '@sallyport/tlog';

import { KEY, LOG_NAME, newDirectory } from './audit-log.fixture.js';
import { logSettings } from './log.options.js';

const state = { file: 'audit-log.state' };

describe('the options of the log', () => {
  it('have defaults for everything but the key and what remembers', async () => {
    const settings = await logSettings({ key: KEY.signerKey, state: { file: 'x' } });
    expect(settings).toMatchObject({ stateFile: 'x', publishers: [], idleMs: 300_000 });
    expect(settings.keys).toMatchObject({ origin: LOG_NAME, keys: [KEY.verifierKey] });
  });

  it('take the key from a file', async () => {
    const file = join(newDirectory(), 'key');
    writeFileSync(file, `${KEY.signerKey}\n`);
    const settings = await logSettings({ key: { file }, dangerouslyForgetful: true });
    expect(settings.signer.verifierKey).toBe(KEY.verifierKey);
  });

  it.each([
    ['no key', { key: 'PRIVATE+KEY+hunter2' }, /audit\.log\.key is no signer key/],
    ['a file that is not there', { key: { file: '/nowhere/key' } }, /cannot be read \(ENOENT\).*new-key/],
    ['another origin', { key: KEY.signerKey, origin: 'x' }, /audit\.log\.origin is 'x'/],
    [
      'a verifier that is none',
      { key: KEY.signerKey, state, verifiers: ['x'] },
      /audit\.log\.verifiers must be/,
    ],
    [
      'a verifier of another log',
      { key: KEY.signerKey, state, verifiers: [generateNoteKey('other').verifierKey] },
      /another log/,
    ],
    ['a state without a file', { key: KEY.signerKey, state: { file: '' } }, /audit\.log\.state must name/],
    ['half a second', { key: KEY.signerKey, state, idleSeconds: 0.5 }, /audit\.log\.idleSeconds must be/],
    [
      'nothing that remembers',
      { key: KEY.signerKey },
      /write state: \{ file: '.*or publish: \[checkpointUrl/,
    ],
    [
      'what forgets and remembers',
      { key: KEY.signerKey, state, dangerouslyForgetful: true },
      /leave dangerouslyForgetful out/,
    ],
  ])('refuse %s, in a sentence that says what to write', async (_, options, sentence) => {
    const refused = logSettings(options);
    await expect(refused).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringMatching(sentence),
    });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
  });

  it('refuse from JavaScript what TypeScript would', async () => {
    const given: unknown[] = [
      {},
      { key: 7 },
      { key: KEY.signerKey, publish: [{}] },
      { key: KEY.signerKey, state, verifiers: 'x' },
    ];
    for (const options of given)
      await expect(logSettings(options as Parameters<typeof logSettings>[0])).rejects.toThrow(/audit\.log/);
  });
});
