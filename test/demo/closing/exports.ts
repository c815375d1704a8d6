import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldsOf } from '../answer.js';
import type { Fields } from '../answer.js';
import type { ActualRecord } from '../audit-check.js';
import { printed, together } from '../command-line.js';
import type { Desk } from './closing.js';

const AUTHENTICATION = 3002;

/** The records leave, as they are and as OCSF events: one line for each. */
export async function exports({ server, ledger }: Desk, records: readonly ActualRecord[]): Promise<void> {
  ledger.chapter('Exports');
  const { environment, dataDirectory } = server;
  const write = async (format: string): Promise<Written> => {
    const out = join(dataDirectory, `audit.${format}`);
    const report = await printed(environment, [
      'audit',
      'export',
      '--format',
      format,
      '--out',
      out,
      '--json',
    ]);
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    return {
      said: Number(fieldsOf(JSON.parse(report))['records']),
      lines: lines.map((line) => fieldsOf(JSON.parse(line))),
    };
  };
  const [jsonl, ocsf] = await together([write('jsonl'), write('ocsf')]);
  ledger.compare('audit export --format jsonl', `${jsonl.said} lines`, `${jsonl.lines.length} lines`);
  ledger.compare('attempts without an outcome', '0', String(ambiguous(jsonl.lines).length));
  ledger.compare('audit export --format ocsf', `${ocsf.said} lines`, `${ocsf.lines.length} lines`);
  const versions = new Set(ocsf.lines.map(({ metadata }) => fieldsOf(metadata)['version']));
  ledger.compare('version of OCSF', '1.8.0', [...versions].join(' '));
  const failed = records.filter(({ kind }) => kind === 'authentication').length;
  const events = ocsf.lines.filter((event) => event['class_uid'] === AUTHENTICATION).length;
  ledger.compare('events of class Authentication', String(failed), String(events));
}

interface Written {
  /** How many records the command says it wrote. */
  readonly said: number;
  readonly lines: readonly Fields[];
}

function ambiguous(lines: readonly Fields[]): Fields[] {
  const ended = new Set(lines.map(({ attempt }) => attempt));
  return lines.filter(({ kind, id }) => kind === 'attempt' && !ended.has(id));
}
