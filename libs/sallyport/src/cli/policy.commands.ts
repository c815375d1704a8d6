import type { INestApplicationContext } from '@nestjs/common';
import { Option, type Command } from 'commander';
import { matrixOfApplication, policyMatrixText } from '../application-surface.js';
import { withApplication } from './load-application.js';
import { explainPolicy, type PolicyExplainOptions } from './policy-explain.command.js';
import { checkPolicyLock, writePolicyLock, type PolicyLockCommandOptions } from './policy-lock.command.js';
import { policyReport } from './policy.command.js';
import type { CliIo } from './program.js';

interface Printing {
  readonly json?: boolean;
}

/** `sallyport policy`: what is asked of callers, why one is refused, who reaches what, and what changed since a review. */
export function addPolicyCommands(program: Command, io: CliIo, app: () => string | undefined): void {
  const look = <T>(command: (context: INestApplicationContext) => T | Promise<T>) =>
    withApplication(app(), async (context) => command(context));
  const policy = program.command('policy').description('who may call what, and why');
  policy
    .command('list', { isDefault: true })
    .description('every entry with its policy')
    .option('--json', 'print JSON')
    .action(async ({ json }: Printing) =>
      io.print(await look((context) => policyReport(context, json === true))),
    );
  policy
    .command('matrix')
    .description('which role, and which scope, reaches which entry')
    .option('--json', 'print JSON')
    .action(async ({ json }: Printing) => {
      const print = (context: INestApplicationContext) =>
        json === true ? JSON.stringify(matrixOfApplication(context), null, 2) : policyMatrixText(context);
      io.print(await look(print));
    });
  addExplain(policy, io, look);
  addLock(policy, io, look);
}

type Look = <T>(command: (context: INestApplicationContext) => T | Promise<T>) => Promise<T>;

function addExplain(policy: Command, io: CliIo, look: Look): void {
  policy
    .command('explain')
    .description('why a call runs or is refused, without making it; exits with 2 when it would not run')
    .requiredOption('--entry <name|uri>', 'the tool or prompt by its name, the resource by its URI')
    .option('--as <facts.json|token|->', 'who calls (default: somebody without a credential)')
    .option('--args <json>', 'the arguments of the call')
    .addOption(new Option('--kind <kind>', 'what it is').choices(['tool', 'resource', 'prompt']))
    .option('--json', 'print JSON')
    .action(async (options: PolicyExplainOptions) => {
      const { text, permitted } = await look((context) => explainPolicy(context, options));
      io.print(text);
      if (!permitted) io.setExitCode(2);
    });
}

function addLock(policy: Command, io: CliIo, look: Look): void {
  const file = '--file <path>';
  policy
    .command('lock')
    .description('write every entry, its policy and digests of what models read to a file, for review')
    .option(file, "where (default: the application's own, or sallyport.lock.json)")
    .action(async (options: PolicyLockCommandOptions) =>
      io.print(await look((context) => writePolicyLock(context, options))),
    );
  policy
    .command('check')
    .description('what differs from the lock, and who gains what; exits with 1 when anything does')
    .option(file, "the lock (default: the application's own, or sallyport.lock.json)")
    .option('--json', 'print JSON')
    .action(async (options: PolicyLockCommandOptions) => {
      const { text, unchanged } = await look((context) => checkPolicyLock(context, options));
      io.print(text);
      if (!unchanged) io.setExitCode(1);
    });
}
