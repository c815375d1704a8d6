#!/usr/bin/env node
import { AuditSetupError } from '@sallyport/audit';
import { UnsafeWiringError } from '@sallyport/mcp';
import { CliError } from './cli-error.js';
import { createProgram } from './program.js';

const program = createProgram({
  print: (text) => process.stdout.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code;
  },
});

program.parseAsync().catch((error: unknown) => {
  const forPeople =
    error instanceof CliError || error instanceof UnsafeWiringError || error instanceof AuditSetupError;
  const text = error instanceof Error ? (forPeople ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
