import type { RecordFilter } from '@sallyport/audit';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { thisProcess } from '@sallyport/mcp';

/** Which records: the options that every command which shows or exports some has. */
export interface AuditFilterOptions {
  readonly tenant?: string;
  readonly entry?: string;
  readonly user?: string;
  readonly client?: string;
  readonly decision?: NonNullable<RecordFilter['decision']>;
  readonly since?: Date;
  readonly until?: Date;
}

/** Kinds of calls, as `list` shows them: an outcome is part of its attempt. */
export const CALL_KINDS = ['attempt', 'refusal', 'list', 'authentication', 'administration'] as const;
/** Kinds of records: an attempt and its outcome are two. */
export const RECORD_KINDS = [...CALL_KINDS, 'outcome'] as const;

/** Adds the options of a filter to a command. */
export function withFilter(command: Command, kinds: readonly string[]): Command {
  return command
    .option('--tenant <tenant>', 'of this tenant')
    .option('--entry <name>', 'of this tool, resource or prompt')
    .option('--user <subject>', 'of this user')
    .option('--client <id>', 'of this client')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(kinds))
    .addOption(
      new Option('--decision <decision>', 'with this decision').choices(['permit', 'refuse', 'hold']),
    )
    .option('--since <time>', 'not before', parseTime)
    .option('--until <time>', 'not after', parseTime);
}

/** In the words of the reader. */
export function filterOf({ tenant, entry, user, client, decision, since, until }: AuditFilterOptions) {
  return {
    ...(tenant !== undefined && { tenant }),
    ...(entry !== undefined && { entry }),
    ...(user !== undefined && { subject: user }),
    ...(client !== undefined && { client }),
    ...(decision !== undefined && { decision }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** Whoever runs the command has the database already, so all of it is shown; that they looked is recorded. */
export function operator() {
  return { via: 'cli', address: undefined, actor: thisProcess('sallyport:cli') } as const;
}

export function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-21T08:00:00Z.');
}
