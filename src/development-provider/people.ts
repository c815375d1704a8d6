/** Someone who can sign in at the development provider. There are no passwords: everybody is everybody. */
export interface Person {
  /** What one types, and the `sub` of the tokens. */
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** Why this person is here, said on the sign-in page. */
  readonly note: string;
}

/** A client that signs in as itself, with a secret, and has no person behind it (RFC 6749 §4.4). */
export interface Agent {
  /** The `client_id`, and the `sub` of its tokens. */
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly roles: readonly string[];
}

export const PEOPLE: readonly Person[] = [
  {
    id: 'priya',
    name: 'Priya Raman',
    tenant: 'acme',
    roles: ['agent:contributor'],
    note: 'does the daily work',
  },
  {
    id: 'marco',
    name: 'Marco Bianchi',
    tenant: 'acme',
    roles: ['agent:admin'],
    note: 'approves risky calls',
  },
  { id: 'lena', name: 'Lena Fischer', tenant: 'acme', roles: ['agent:read-only'], note: 'may only look' },
  {
    id: 'vera',
    name: 'Vera Lindqvist',
    tenant: 'acme',
    roles: ['agent:auditor'],
    note: 'reads the audit, and calls nothing',
  },
  { id: 'gus', name: 'Gus Okafor', tenant: 'globex', roles: ['agent:contributor'], note: 'works elsewhere' },
];

export const RESEARCH_AGENT: Agent = {
  id: 'research-agent',
  name: 'Research agent',
  tenant: 'acme',
  roles: ['agent:read-only'],
};

/** The person with this id, or `undefined`. */
export function findPerson(id: string): Person | undefined {
  return PEOPLE.find((person) => person.id === id);
}
