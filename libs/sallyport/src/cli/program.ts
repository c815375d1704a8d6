import type { INestApplicationContext } from '@nestjs/common';
import { REVOCABLE, type Revocable } from '@sallyport/policy';
import { Argument, Command, Option } from 'commander';
import { auditList, parseLimit, parseTime, type AuditListOptions } from './audit.command.js';
import { doctorText, examine } from './doctor.command.js';
import {
  collect,
  issueKey,
  listKeys,
  parseDays,
  parseDuration,
  revokeKey,
  rotateKey,
  type KeysIssueOptions,
  type KeysListOptions,
  type KeysRotateOptions,
} from './keys.command.js';
import { withApplication } from './load-application.js';
import { policyReport } from './policy.command.js';
import { changeRevocation, listRevocations } from './revocation.command.js';

interface GlobalOptions {
  readonly app?: string;
}

/** Where a command prints, and what it leaves as its exit code. */
export interface CliIo {
  readonly print: (text: string) => void;
  readonly setExitCode: (code: number) => void;
}

/** The `sallyport` command. */
export function createProgram(io: CliIo): Command {
  const program = new Command('sallyport')
    .description('Looks at an authorized MCP server: its safety, its policy, its audit.')
    .option(
      '--app <path[#export]>',
      'root module of the built application (default: dist/app.module.js#AppModule)',
    )
    .showHelpAfterError();
  addDoctor(program, io);
  addPolicy(program, io);
  addAudit(program, io);
  addRevocations(program, io);
  addKeys(program, io);
  return program;
}

function addDoctor(program: Command, io: CliIo): void {
  program
    .command('doctor')
    .description('is this wiring safe? exits with 1 when the server would not boot')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await examine(program.opts<GlobalOptions>().app);
      io.print(json === true ? JSON.stringify(report, null, 2) : doctorText(report));
      if (!report.boots) io.setExitCode(1);
    });
}

function addPolicy(program: Command, io: CliIo): void {
  program
    .command('policy')
    .description('every entry with its policy')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { app } = program.opts<GlobalOptions>();
      io.print(await withApplication(app, async (context) => policyReport(context, json === true)));
    });
}

function addAudit(program: Command, io: CliIo): void {
  const kinds = ['attempt', 'refusal', 'list', 'authentication', 'administration'];
  program
    .command('audit')
    .description('what was decided, and how it ended')
    .command('list')
    .description('the newest records, oldest first; an attempt and its outcome are one row')
    .option('--json', 'print JSON')
    .option('--limit <n>', 'at most so many (1 to 1000)', parseLimit, 50)
    .option('--tenant <tenant>', 'of this tenant')
    .option('--entry <name>', 'of this tool, resource or prompt')
    .option('--user <subject>', 'of this user')
    .option('--client <id>', 'of this client')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(kinds))
    .addOption(
      new Option('--decision <decision>', 'with this decision').choices(['permit', 'refuse', 'hold']),
    )
    .option('--since <time>', 'not before', parseTime)
    .option('--until <time>', 'not after', parseTime)
    .action(async (options: AuditListOptions) => {
      const { app } = program.opts<GlobalOptions>();
      io.print(await withApplication(app, (context) => auditList(context, options)));
    });
}

function addRevocations(program: Command, io: CliIo): void {
  const kind = () => new Argument('<kind>', 'what it is').choices(REVOCABLE);
  for (const action of ['revoke', 'restore'] as const) {
    program
      .command(action)
      .description(
        action === 'revoke'
          ? 'refuse a token (by its jti), key, user, client, tenant or entry from the next call on, and end what runs'
          : 'lift the revocation of exactly this',
      )
      .addArgument(kind())
      .argument('<value>', 'its id, subject or name')
      .option('--issuer <issuer>', 'of this issuer alone (tokens and users)')
      .option('--reason <text>', 'why; kept with it')
      .action(
        async (what: Revocable, value: string, { issuer, reason }: { issuer?: string; reason?: string }) => {
          const { app } = program.opts<GlobalOptions>();
          const target = { kind: what, value, ...(issuer === undefined ? {} : { issuer }) };
          io.print(
            await withApplication(app, (context) => changeRevocation(context, { action, target, reason })),
          );
        },
      );
  }
  program
    .command('revocations')
    .description('what is revoked now')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { app } = program.opts<GlobalOptions>();
      io.print(await withApplication(app, (context) => listRevocations(context, json === true)));
    });
}

function addKeys(program: Command, io: CliIo): void {
  const run = async (command: (context: INestApplicationContext) => Promise<string>) =>
    io.print(await withApplication(program.opts<GlobalOptions>().app, command));
  const keys = program.command('keys').description('API keys: who has one, and for what');
  keys
    .command('issue')
    .description('a new key, shown this once')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--days <n>', 'how long it lives', parseDays)
    .option('--scope <scope>', 'what it may do; may be said several times', collect)
    .option('--role <role>', 'whom it counts as; may be said several times', collect)
    .option('--tenant <tenant>', 'where it belongs (default: nowhere)')
    .option('--range <cidr>', 'where it works from (default: anywhere); may be said several times', collect)
    .option('--json', 'print JSON')
    .action((options: KeysIssueOptions) => run((context) => issueKey(context, options)));
  keys
    .command('list')
    .description('the keys that work, the newest first')
    .option('--all', 'with those that have ended')
    .option('--json', 'print JSON')
    .action((options: KeysListOptions) => run((context) => listKeys(context, options)));
  keys
    .command('rotate')
    .description('a new key in the place of another, which goes on working for a while')
    .argument('<id>', 'id of the key')
    .option(
      '--overlap <duration>',
      'how long the old one works, such as 24h (default: of the server)',
      parseDuration,
    )
    .option('--days <n>', 'how long the new one lives (default: as long as the old one)', parseDays)
    .option('--json', 'print JSON')
    .action((id: string, options: KeysRotateOptions) => run((context) => rotateKey(context, id, options)));
  keys
    .command('revoke')
    .description('refuse a key from the next call on')
    .argument('<id>', 'id of the key')
    .option('--json', 'print JSON')
    .action((id: string, options: { json?: boolean }) => run((context) => revokeKey(context, id, options)));
}
