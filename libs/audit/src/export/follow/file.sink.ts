import { open, type FileHandle } from 'node:fs/promises';

import { AuditSetupError } from '../../audit.errors.js';
import type { ExportFormat } from '../export-format.js';
import type { AuditSink } from './audit-sink.js';

export interface FileSinkOptions {
  /** Default `jsonl`. */
  readonly format?: ExportFormat;
  /** Under which the position is kept. Default: `file:` and the path. */
  readonly name?: string;
}

const LINE_END = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/**
 * Appends to a file, one record in each line, synced to disk before it counts as delivered. The file is opened for each
 * batch, so it may be rotated. It should be on a disk that every process of the server sees, or one process ships to one
 * place and the next to another.
 *
 * @example
 * audit: { followers: [fileSink('data/audit.jsonl')] }
 */
export function fileSink(path: string, options: FileSinkOptions = {}): AuditSink {
  if (typeof path !== 'string' || path === '')
    throw new AuditSetupError("fileSink takes a path: write fileSink('data/audit.jsonl').");
  const { format = 'jsonl', name = `file:${path}` } = options;
  return {
    name,
    format,
    deliver: async ({ lines }) => {
      const file = await open(path, 'a+', 0o600);
      try {
        await cutTornLine(file);
        await file.appendFile(lines.map((line) => `${line}\n`).join(''));
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

/** A process that was killed may have written half a line. Its record was never confirmed, so it comes again. */
async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  let end = size;
  while (end > 0) {
    const start = Math.max(end - CHUNK_BYTES, 0);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    const last = buffer.subarray(0, bytesRead).lastIndexOf(LINE_END);
    if (last !== -1) {
      end = start + last + 1;
      break;
    }
    end = start;
  }
  if (end < size) await file.truncate(end);
}
