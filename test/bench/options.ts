import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly quick: boolean;
  readonly json: boolean;
  /** Folder for the CPU profiles of the servers. */
  readonly profiles: string | undefined;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]

  --quick              fifteen seconds at most: does everything answer? says little about speed
  --json               prints JSON instead of the table
  --profile <folder>   writes a CPU profile of each server there; the figures are then slower
  --help               prints this
`;

/** @throws TypeError for an option that does not exist */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, json, profile, help } = values;
  return { quick, json, help, profiles: profile === undefined ? undefined : resolve(profile) };
}
