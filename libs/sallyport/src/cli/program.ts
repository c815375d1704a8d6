import type { INestApplicationContext } from '@nestjs/common';
import { REVOCABLE, type Revocable } from '@sallyport/policy';
import { Argument, Command, Option } from 'commander';
import { auditErase, type AuditEraseOptions } from './audit-erase.command.js';
import { auditGrantsText, type AuditGrantsOptions } from './audit-grants.command.js';
import { addLogCommands } from './audit-log.commands.js';
import { addReadingCommands } from './audit-reading.commands.js';
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
import { addPolicyCommands } from './policy.commands.js';
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
  addPolicyCommands(program, io, () => program.opts<GlobalOptions>().app);
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

function addAudit(program: Command, io: CliIo): void {
  const audit = program.command('audit').description('what was decided, and how it ended');
  addErasure(audit, io, () => program.opts<GlobalOptions>().app);
  addLogCommands(audit, io, () => program.opts<GlobalOptions>().app);
  addReadingCommands(audit, io, () => program.opts<GlobalOptions>().app);
}

function addErasure(audit: Command, io: CliIo, app: () => string | undefined): void {
  audit
    .command('erase')
    .description('make what the records say of one person unreadable, for ever and for everybody')
    .requiredOption('--issuer <issuer>', 'who vouches for them, as `audit list --json` has it')
    .requiredOption('--user <subject>', 'who they are')
    .option('--tenant <tenant>', 'within this tenant (default: where they belong to none)')
    .requiredOption('--reason <text>', 'why; it is recorded as it stands, so it should name nobody')
    .addOption(
      new Option(
        '--database <url>',
        'the same PostgreSQL as a role that may erase (default: as the server)',
      ).env('SALLYPORT_AUDIT_DATABASE'),
    )
    .option('--json', 'print JSON')
    .action(async (options: AuditEraseOptions) => {
      io.print(await withApplication(app(), (context) => auditErase(context, options)));
    });
  audit
    .command('grants')
    .description('the SQL that lets a role of PostgreSQL add records, and neither change nor delete one')
    .requiredOption('--role <role>', 'the role of the server')
    .option('--schema <schema>', 'of the tables (default: the current one)')
    .option('--erase', 'with the right to erase people: for whoever runs `audit erase`')
    .option('--seal', 'with the right to delete what was sealed: for whoever runs `audit seal`')
    .option('--json', 'print the statements as JSON')
    .action((options: AuditGrantsOptions) => io.print(auditGrantsText(options)));
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
