import type { Decision, EntryKind } from '@sallyport/mcp';
import type { MatrixRow, MatrixTable, PolicyMatrix } from './policy-matrix.js';

/** Characters of a line; wider tables go on below. */
const WIDTH = 100;
const GAP = '  ';

const LETTER: Record<Decision['effect'], string> = { permit: 'P', hold: 'H', refuse: '-' };

const LEGEND =
  'P permit   H hold: a person approves first   - refuse   * a rule may refuse further\n' +
  'Each caller has one role, or one scope, and everything else: a tenant, a fresh sign-in, all of the other.';

const TITLE: Record<EntryKind, string> = { tool: 'TOOLS', resource: 'RESOURCES', prompt: 'PROMPTS' };

/** A matrix for people, no wider than 100 characters; the same matrix gives the same text. */
export function matrixText({ roles, scopes }: PolicyMatrix): string {
  return [LEGEND, ...tables('ROLES', roles), ...tables('SCOPES', scopes)].join('\n\n');
}

function tables(what: string, table: MatrixTable): string[] {
  const kinds: readonly EntryKind[] = ['tool', 'resource', 'prompt'];
  return kinds.flatMap((kind) => {
    const rows = table.rows.filter((row) => row.kind === kind);
    return rows.length === 0 ? [] : slices(`${TITLE[kind]} BY ${what}`, table.columns, rows);
  });
}

/** Entries as rows, and as many columns side by side as there is room for. */
function slices(title: string, columns: readonly string[], rows: readonly MatrixRow[]): string[] {
  const labels = [title, ...rows.map(labelOf)];
  const width = Math.max(...labels.map((label) => label.length));
  return fitting(columns, WIDTH - width).map((slice) =>
    [
      line(
        title,
        width,
        slice.map((column) => columns[column] ?? ''),
      ),
      ...rows.map((row) =>
        line(
          labelOf(row),
          width,
          slice.map((column) => LETTER[row.cells[column] ?? 'refuse'].padEnd(columns[column]?.length ?? 0)),
        ),
      ),
    ].join('\n'),
  );
}

/** Indexes of columns, in groups that fit; a column that is too wide stands alone. */
function fitting(columns: readonly string[], room: number): number[][] {
  const groups: number[][] = [];
  let left = 0;
  for (const [index, column] of columns.entries()) {
    const needed = GAP.length + column.length;
    const last = groups.at(-1);
    if (last === undefined || needed > left) {
      groups.push([index]);
      left = room - needed;
    } else {
      last.push(index);
      left -= needed;
    }
  }
  return groups;
}

function line(label: string, width: number, cells: readonly string[]): string {
  return [label.padEnd(width), ...cells].join(GAP).trimEnd();
}

function labelOf({ name, ruled }: MatrixRow): string {
  return ruled ? `${name} *` : name;
}
