import { TenancyError } from '../tenancy.errors.js';
import type { Dialect, Token } from './tokens.js';

/** What a statement begins with. `other`: neither reads nor writes rows by itself, such as `TRUNCATE` or `CREATE`. */
export type Verb = 'select' | 'insert' | 'update' | 'delete' | 'other';

/** A name that stands where the grammar wants a table. */
export interface TableName {
  /** `target`: of this INSERT, UPDATE or DELETE. `in`: after IN, or as a function. */
  readonly role: 'read' | 'target' | 'in';
  /** The last part of it, lower case: `ticket` of `"public"."Ticket"`. */
  readonly name: string;
  /** Indexes of its first and last token. */
  readonly first: number;
  readonly last: number;
}

export interface Reading {
  readonly verb: Verb;
  readonly names: readonly TableName[];
  /** It changes rows within a part of itself, as in `WITH gone AS (DELETE …)`. */
  readonly nestedWrite: boolean;
}

/** What is known of one level of parentheses. */
interface Frame {
  verb: Verb | undefined;
  /** Within the list of a FROM, where each comma is followed by another table. */
  inFrom: boolean;
  /** The next name is a table. */
  expects: TableName['role'] | undefined;
  /** Index of its first token. */
  readonly first: number;
}

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['insert', 'insert'],
  ['replace', 'insert'],
  ['update', 'update'],
  ['delete', 'delete'],
]);

/** Reserved in both dialects: no alias can be spelled so, hence none can end a list of tables too early. */
const ENDS_FROM = new Set(['where', 'group', 'having', 'order', 'limit', 'returning']);
/** Between a keyword and the table it wants. */
const MODIFIERS = new Set(['lateral', 'only']);

/**
 * Finds every table that a statement names. Only SELECT, VALUES, INSERT, UPDATE and DELETE, with or without WITH, are
 * understood; anything else is `other`, without names.
 *
 * A column in such a place, as in `EXTRACT(year FROM "day")`, is taken for a table: that costs a refusal, while the
 * reverse would cost a tenant its rows.
 */
export function readTableNames(tokens: readonly Token[], dialect: Dialect): Reading {
  return new Reader(tokens, dialect).read();
}

class Reader {
  readonly #names: TableName[] = [];
  readonly #frames: Frame[] = [newFrame(0, undefined)];
  #nestedWrite = false;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly dialect: Dialect,
  ) {}

  read(): Reading {
    if (!this.#isUnderstood()) return { verb: 'other', names: [], nestedWrite: false };
    for (let index = 0; index < this.tokens.length; index += 1) index = this.#step(index);
    return { verb: this.#top().verb ?? 'select', names: this.#names, nestedWrite: this.#nestedWrite };
  }

  #isUnderstood(): boolean {
    const first = this.tokens.find(({ text }) => text !== '(');
    return first?.kind === 'word' && STARTS.has(first.name);
  }

  /** Reads the token at `index`, or more; returns the last index it has read. */
  #step(index: number): number {
    const token = this.tokens[index];
    if (token === undefined) return index;
    const frame = this.#top();
    if (token.kind === 'punctuation') this.#punctuation(token, index, frame);
    if (token.kind === 'word' && !this.#isPart(index) && this.#keyword(token.name, index, frame))
      return index;
    const isName = token.kind === 'word' || token.kind === 'quoted' || token.kind === 'string';
    return isName && frame.expects !== undefined ? this.#name(index, frame, frame.expects) : index;
  }

  #punctuation({ text }: Token, index: number, frame: Frame): void {
    if (text === '(') {
      this.#frames.push(newFrame(index + 1, frame.expects === undefined ? undefined : 'read'));
      frame.expects = undefined;
    }
    if (text === ')') this.#frames.pop();
    if (text === ',' && frame.inFrom) frame.expects = 'read';
  }

  /** Is it a keyword here? Then says what follows. */
  #keyword(name: string, index: number, frame: Frame): boolean {
    const verb = VERBS.get(name);
    if (verb !== undefined) return this.#verb(verb, name, index, frame);
    switch (name) {
      case 'select':
        // PostgreSQL takes INSERT, UPDATE and DELETE for names, too: after this, they are not the verb.
        frame.verb ??= 'select';
        return this.#ends(frame);
      case 'from':
        if (this.#isComparison(index)) return true;
        return this.#expect(frame, this.#isDeleteTarget(frame) ? 'target' : 'read');
      case 'join':
      case 'table':
        return this.#expect(frame, 'read');
      case 'using':
        return frame.verb === 'delete' ? this.#expect(frame, 'read') : this.#endsName(frame);
      case 'on':
        return this.#endsName(frame);
      case 'into':
        if (frame.verb !== 'insert') throw unclear('INTO without INSERT');
        frame.expects = 'target';
        return true;
      case 'in':
        if (this.dialect === 'sqlite' && this.tokens[index + 1]?.text !== '(') frame.expects = 'in';
        return true;
      default:
        return this.#clause(name, index, frame);
    }
  }

  #clause(name: string, index: number, frame: Frame): boolean {
    if (ENDS_FROM.has(name) || this.#isAssignment(name, frame)) return this.#ends(frame);
    if (name === 'for' && this.dialect === 'postgres') return this.#ends(frame);
    if (frame.expects === undefined) return false;
    if (MODIFIERS.has(name)) return true;
    // `FROM (VALUES …)` and `FROM (WITH …)`: rows, not a table.
    return index === frame.first && (name === 'values' || name === 'with') ? this.#ends(frame) : false;
  }

  /** The verb of a statement stands where one can begin; `FOR UPDATE` and `DO UPDATE` are none, nor is `replace(…)`. */
  #verb(verb: Verb, name: string, index: number, frame: Frame): boolean {
    const before = this.tokens[index - 1]?.name ?? '';
    if (name === 'update' && this.#isClauseUpdate(index, frame)) return true;
    if (name === 'replace' && this.tokens[index + 1]?.text === '(') return true;
    const begins = index === frame.first || (before === ')' && this.tokens[frame.first]?.name === 'with');
    if (!begins || frame.verb !== undefined) throw unclear('a verb in an unexpected place');
    if (verb === 'update' && this.tokens[index + 1]?.name === 'or') throw unclear('UPDATE OR …');
    frame.verb = verb;
    if (this.#frames.length > 1) this.#nestedWrite = true;
    if (verb === 'update') frame.expects = 'target';
    return true;
  }

  /** `FOR UPDATE`, `FOR NO KEY UPDATE` and `DO UPDATE`; not `SEARCH … SET key UPDATE`. */
  #isClauseUpdate(index: number, frame: Frame): boolean {
    const before = (distance: number) => this.tokens[index - distance]?.name;
    if (before(1) === 'do') return frame.verb === 'insert';
    return before(1) === 'for' || (before(1) === 'key' && before(2) === 'no' && before(3) === 'for');
  }

  /** SET ends the list of tables only in an UPDATE that has not begun one: elsewhere it can be an alias. */
  #isAssignment(name: string, frame: Frame): boolean {
    return name === 'set' && frame.verb === 'update' && !frame.inFrom;
  }

  /** `IS DISTINCT FROM`, `IS NOT DISTINCT FROM`: IS is reserved, so nothing else is spelled so. */
  #isComparison(index: number): boolean {
    const [second, third, fourth] = [1, 2, 3].map((distance) => this.tokens[index - distance]);
    const is = third?.kind === 'word' && third.name === 'not' ? fourth : third;
    return second?.kind === 'word' && second.name === 'distinct' && is?.kind === 'word' && is.name === 'is';
  }

  #isDeleteTarget(frame: Frame): boolean {
    return frame.verb === 'delete' && !frame.inFrom;
  }

  #expect(frame: Frame, role: TableName['role']): true {
    frame.inFrom = true;
    frame.expects = role;
    return true;
  }

  #ends(frame: Frame): true {
    frame.inFrom = false;
    return this.#endsName(frame);
  }

  #endsName(frame: Frame): true {
    frame.expects = undefined;
    return true;
  }

  /**
   * Reads a name with its schema. What is followed by a parenthesis is a function; or on SQLite a virtual table, whose rows
   * nothing can narrow then.
   */
  #name(first: number, frame: Frame, role: TableName['role']): number {
    let last = first;
    while (this.tokens[last + 1]?.text === '.' && this.tokens[last + 2] !== undefined) last += 2;
    frame.expects = undefined;
    const isFunction = role === 'read' && this.tokens[last + 1]?.text === '(';
    this.#names.push({ role: isFunction ? 'in' : role, name: this.tokens[last]?.name ?? '', first, last });
    return last;
  }

  /** Of a longer name: `set` in `"x".set`. */
  #isPart(index: number): boolean {
    return this.tokens[index - 1]?.text === '.';
  }

  #top(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw unclear('its parentheses do not match');
    return frame;
  }
}

const STARTS = new Set(['with', 'select', 'values', 'table', ...VERBS.keys()]);

function newFrame(first: number, expects: TableName['role'] | undefined): Frame {
  return { verb: undefined, inFrom: expects !== undefined, expects, first };
}

function unclear(what: string): TenancyError {
  return new TenancyError(
    'unscopable',
    `A statement cannot be scoped to a tenant: it has ${what}. Write it with a repository or a query builder.`,
  );
}
