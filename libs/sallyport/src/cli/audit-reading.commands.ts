import { EXPORT_FORMATS } from '@sallyport/audit';
import { Option, type Command } from 'commander';
import { auditExport, type AuditExportOptions } from './audit-export.command.js';
import { CALL_KINDS, RECORD_KINDS, withFilter } from './audit-filter.js';
import { auditShow } from './audit-show.command.js';
import { auditTail, type AuditTailOptions } from './audit-tail.command.js';
import { progressOn } from './audit-verify.command.js';
import { auditList, parseLimit, type AuditListOptions } from './audit.command.js';
import { withApplication } from './load-application.js';
import type { CliIo } from './program.js';

/** `audit list | show | tail | export`. Each look is recorded before anything is shown. */
export function addReadingCommands(audit: Command, io: CliIo, app: () => string | undefined): void {
  addList(audit, io, app);
  audit
    .command('show')
    .description('everything that is recorded of one call: attempt, checks with their reasons, outcome')
    .argument('<id>', 'id of a record, or of the call')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      io.print(await withApplication(app(), (context) => auditShow(context, id, options)));
    });
  addTail(audit, io, app);
  addExport(audit, io, app);
}

function addList(audit: Command, io: CliIo, app: () => string | undefined): void {
  const list = audit
    .command('list')
    .description('the newest records, oldest first; an attempt and its outcome are one row')
    .option('--json', 'print JSON')
    .option('--limit <n>', 'at most so many (1 to 1000)', parseLimit, 50);
  withFilter(list, CALL_KINDS).action(async (options: AuditListOptions) => {
    io.print(await withApplication(app(), (context) => auditList(context, options)));
  });
}

function addTail(audit: Command, io: CliIo, app: () => string | undefined): void {
  const tail = audit
    .command('tail')
    .description('the last records, one in each line; an attempt and its outcome are two')
    .option('-f, --follow', 'and those that are recorded from now on, until Ctrl-C')
    .option('-n, --lines <n>', 'how many of the last (1 to 1000)', parseLimit, 10)
    .option('--json', 'print JSON lines');
  withFilter(tail, RECORD_KINDS).action(async (options: AuditTailOptions) => {
    const ending = new AbortController();
    const end = () => ending.abort();
    process.once('SIGINT', end).once('SIGTERM', end);
    try {
      await withApplication(app(), (context) => auditTail(context, options, io.print, ending.signal));
    } finally {
      process.off('SIGINT', end).off('SIGTERM', end);
    }
  });
}

function addExport(audit: Command, io: CliIo, app: () => string | undefined): void {
  const command = audit
    .command('export')
    .description('write records into a file, one in each line, in order')
    .addOption(
      new Option('--format <format>', 'records as they are, or OCSF 1.8 events')
        .choices(EXPORT_FORMATS)
        .default('jsonl'),
    )
    .requiredOption('--out <file>', 'where to')
    .option('--force', 'replace a file that is there')
    .option('--json', 'print JSON about it');
  withFilter(command, RECORD_KINDS).action(async (options: AuditExportOptions) => {
    const progress = progressOn(process.stderr);
    io.print(await withApplication(app(), (context) => auditExport(context, options, progress)));
  });
}
