import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { median } from './statistics.js';

/** What a reader must know to compare two runs. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cores: number;
  readonly cpu: string;
  /** Of the last minute, before this run: above 0 somebody else was at work. */
  readonly load: number;
  /** Milliseconds to make a page of 4 KiB durable where the databases are. Near 0: the disk only says so. */
  readonly fsync: number;
  readonly sdk: string;
}

export function machineFacts(directory: string): Machine {
  return {
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    load: loadavg()[0] ?? Number.NaN,
    fsync: fsyncTime(join(directory, 'fsync')),
    sdk: sdkVersion(),
  };
}

function fsyncTime(file: string): number {
  const page = Buffer.alloc(4096, 1);
  const descriptor = openSync(file, 'w');
  const times = Array.from({ length: 20 }, () => {
    const begun = performance.now();
    writeSync(descriptor, page);
    fsyncSync(descriptor);
    return performance.now() - begun;
  });
  closeSync(descriptor);
  return median(times);
}

/** Its package does not export its manifest, so it is found beside the folder of its entry. */
function sdkVersion(): string {
  const entry = import.meta.resolve('@modelcontextprotocol/server');
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return hasVersion ? String(manifest.version) : 'unknown';
}
