import { writeFile } from 'node:fs/promises';
import { generateNoteKey, NoteError } from '@sallyport/tlog';
import { CliError } from './cli-error.js';

/** A key pair for the log of that name. The secret half goes into a file that only its owner reads, or is printed. */
export async function auditNewKey(
  name: string,
  { out, json }: { readonly out?: string; readonly json?: boolean } = {},
): Promise<string> {
  const { signerKey, verifierKey } = newKey(name);
  const forOthers = `Verifier key, for everybody: ${verifierKey}`;
  if (out === undefined && json === true) return JSON.stringify({ signerKey, verifierKey }, null, 2);
  if (out === undefined) return `AUDIT_LOG_KEY=${signerKey}\n${forOthers}`;
  await writeFile(out, `${signerKey}\n`, { mode: 0o600, flag: 'wx' }).catch(() => {
    throw new CliError(`The file ${out} cannot be made, or exists already.`);
  });
  if (json === true) return JSON.stringify({ file: out, verifierKey }, null, 2);
  return `The signer key is in ${out}: write audit: { log: { key: { file: '${out}' } } }.\n${forOthers}`;
}

function newKey(name: string) {
  try {
    return generateNoteKey(name);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new CliError('The name of a log has no spaces and no plus: write one such as acme.example/audit.');
  }
}
