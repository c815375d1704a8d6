#!/usr/bin/env node
import { AuditSetupError } from '@sallyport/audit';
import { ApiKeyRefused } from '@sallyport/identity';
import { UnsafeWiringError } from '@sallyport/mcp';
import { RevocationInputError } from '@sallyport/policy';
import { StoreSetupError } from '@sallyport/store';
import { CliError } from './cli-error.js';
import { createProgram } from './program.js';

/** Errors whose message is a sentence for whoever runs the command. */
const FOR_PEOPLE = [
  CliError,
  UnsafeWiringError,
  AuditSetupError,
  RevocationInputError,
  StoreSetupError,
  ApiKeyRefused,
];

const program = createProgram({
  print: (text) => process.stdout.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

program.parseAsync().catch((error: unknown) => {
  const forPeople = FOR_PEOPLE.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (forPeople ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
