import type { LogSettings } from './log.options.js';
import { asked, type Memory } from './memory.js';
import { stateFile } from './state-file.js';

/** What the places outside of the database say, each in bounded time; one that cannot say, says why. */
export function askedMemories(settings: LogSettings | undefined): Promise<Memory[]> {
  const { stateFile: file, publishers = [] } = settings ?? {};
  const state = file === undefined ? [] : [stateFile(file)];
  return Promise.all([
    ...state.map((one) => asked({ name: one.name, kind: 'state' }, () => one.read())),
    ...publishers.map((one) => asked({ name: one.name, kind: 'publisher' }, () => one.latest())),
  ]);
}
