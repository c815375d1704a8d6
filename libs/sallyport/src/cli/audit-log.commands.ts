import { Option, type Command } from 'commander';
import { auditNewKey } from './audit-new-key.command.js';
import { auditCheckProof, auditProve, type AuditProveOptions } from './audit-prove.command.js';
import { auditRemember, parseSize } from './audit-remember.command.js';
import { auditSeal, parseBefore, type AuditSealOptions } from './audit-seal.command.js';
import { auditVerify, progressOn, type AuditVerifyOptions } from './audit-verify.command.js';
import { collect } from './keys.command.js';
import { withApplication } from './load-application.js';
import type { CliIo } from './program.js';

/** `audit verify | remember | seal | prove | check-proof | new-key`. The last two need no application. */
export function addLogCommands(audit: Command, io: CliIo, app: () => string | undefined): void {
  audit
    .command('verify')
    .description('compare every record with the signed log; exits with 1 when anything is not as it was')
    .option('--json', 'print JSON')
    .option('--checkpoint <file>', 'compare with this checkpoint, too, such as one that was kept elsewhere')
    .option(
      '--key <key>',
      'trust this verifier key, not those of the application; may be said again',
      collect,
    )
    .option('--sealed <paths...>', 'compare these sealed files, too, or all *.jsonl of a directory')
    .action(async (options: AuditVerifyOptions) => {
      const { text, ok } = await withApplication(app(), (context) =>
        auditVerify(context, options, progressOn(process.stderr)),
      );
      io.print(text);
      if (!ok) io.setExitCode(1);
    });
  audit
    .command('remember')
    .description(
      'after the state of the signer was lost: verify the log, and remember its newest checkpoint again',
    )
    .requiredOption(
      '--size <records>',
      'of a checkpoint in the database that you know to be right',
      parseSize,
    )
    .action(async ({ size }: { size: number }) => {
      io.print(await withApplication(app(), (context) => auditRemember(context, size)));
    });
  addSeal(audit, io, app);
  audit
    .command('prove')
    .description('write a record and the proof that it is in the log: <id>.json and <id>.tlog-proof')
    .argument('<id>', 'id of the record')
    .option('--out <path>', 'path of the two files, without their endings (default: the id)')
    .option('--from <file>', 'the sealed file that holds the record')
    .option('--force', 'replace files that are there')
    .option('--json', 'print JSON about it')
    .action(async (id: string, options: AuditProveOptions) => {
      io.print(await withApplication(app(), (context) => auditProve(context, id, options)));
    });
  audit
    .command('check-proof')
    .description('verify a record and its proof with a verifier key alone: no application, no database')
    .argument('<file.json>', 'the record')
    .argument('<file.tlog-proof>', 'the proof')
    .requiredOption('--key <key>', 'verifier key of the log')
    .option('--json', 'print JSON')
    .action(async (leaf: string, proof: string, options: { key: string; json?: boolean }) => {
      io.print(await auditCheckProof(leaf, proof, options));
    });
  audit
    .command('new-key')
    .description('a key pair that signs a log, shown this once')
    .argument('<name>', 'name of the log, such as acme.example/audit')
    .option('--out <file>', 'write the signer key into this file instead of showing it')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { out?: string; json?: boolean }) =>
      io.print(await auditNewKey(name, options)),
    );
}

function addSeal(audit: Command, io: CliIo, app: () => string | undefined): void {
  audit
    .command('seal')
    .description('move the oldest records out of the database into a file that can be verified by itself')
    .requiredOption(
      '--before <when>',
      'only records that are older: a time, or how long ago (90d)',
      parseBefore,
    )
    .requiredOption('--out <file>', 'where to; after an interruption the same file again')
    .option('--dry-run', 'say what would be sealed, and change nothing')
    .addOption(
      new Option(
        '--database <url>',
        'the same PostgreSQL as a role that may seal (default: as the server)',
      ).env('SALLYPORT_AUDIT_DATABASE'),
    )
    .option('--json', 'print JSON')
    .action(async (options: AuditSealOptions) => {
      const progress = progressOn(process.stderr);
      io.print(await withApplication(app(), (context) => auditSeal(context, options, progress)));
    });
}
