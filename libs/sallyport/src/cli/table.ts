import Table from 'cli-table3';

/**
 * A table people can read: no lines between rows. A column with a width wraps its words instead of running off the
 * screen.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly (number | null)[] = [],
): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
    ...(widths.length === 0 ? {} : { colWidths: [...widths] }),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
