#!/usr/bin/env node
import { safeText } from '@sallyport/audit';
import { isForPeople } from './for-people.js';
import { createProgram } from './program.js';

const program = createProgram({
  print: (text) => process.stdout.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

// Whoever reads the output has seen enough, as in `sallyport audit tail -f | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

program.parseAsync().catch((error: unknown) => {
  const text = error instanceof Error ? (isForPeople(error) ? error.message : error.stack) : String(error);
  // A message may quote what somebody wrote into the database.
  const lines = (text ?? '').split('\n').map(safeText);
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
});
