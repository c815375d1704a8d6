#!/usr/bin/env node
import {
  AuditLogError,
  AuditSetupError,
  AuditUnavailableError,
  NothingToEraseError,
  safeText,
} from '@sallyport/audit';
import { ApiKeyRefused } from '@sallyport/identity';
import { UnsafeWiringError } from '@sallyport/mcp';
import { PolicyLockError, RevocationInputError } from '@sallyport/policy';
import { StoreSetupError } from '@sallyport/store';
import { PrincipalFactsError } from '../made-up-principal.js';
import { CliError } from './cli-error.js';
import { createProgram } from './program.js';

/** Errors whose message is a sentence for whoever runs the command. */
const FOR_PEOPLE = [
  CliError,
  UnsafeWiringError,
  AuditSetupError,
  AuditLogError,
  AuditUnavailableError,
  PolicyLockError,
  PrincipalFactsError,
  RevocationInputError,
  StoreSetupError,
  ApiKeyRefused,
  NothingToEraseError,
];

const program = createProgram({
  print: (text) => process.stdout.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

// Whoever reads the output has seen enough, as in `sallyport audit tail -f | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

program.parseAsync().catch((error: unknown) => {
  const forPeople = FOR_PEOPLE.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (forPeople ? error.message : error.stack) : String(error);
  // A message may quote what somebody wrote into the database.
  const lines = (text ?? '').split('\n').map(safeText);
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
});
