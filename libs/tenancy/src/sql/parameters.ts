import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/**
 * Which parameter each place of a statement is, from 0: `$2` is the one at 1, a `?` the one at as many as stand before it.
 * Counted once for all, since a statement of many rows has many.
 */
export class Parameters {
  readonly #positions = new Map<Token, number>();

  constructor(tokens: readonly Token[]) {
    for (const token of tokens)
      if (token.kind === 'parameter' && token.text === '?') this.#positions.set(token, this.#positions.size);
  }

  /** @throws TenancyError for a parameter of SQLite with a name or a number */
  indexOf(token: Token): number {
    if (token.text.startsWith('$')) return Number(token.text.slice(1)) - 1;
    const position = this.#positions.get(token);
    if (position === undefined) throw unscopable('a parameter with a name or a number');
    return position;
  }
}
