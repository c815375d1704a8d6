import type { DocPage } from '../docs/doc-page.entity.js';

/** The public documentation of the office. */
export const SEED_DOC_PAGES = [
  {
    slug: 'getting-started',
    title: 'Getting started',
    body:
      'The office is a small MCP server that shows every feature of Sallyport once. Start it with `npm start`: it ' +
      'needs no other service, keeps its rows in a SQLite file and brings an identity provider for development.\n\n' +
      'These pages are public. Everything else asks who is calling.',
  },
  {
    slug: 'connecting-a-client',
    title: 'Connecting a client',
    body:
      'Give your MCP client the URL of the endpoint, which ends in `/mcp`. The first call of a protected tool is ' +
      'answered with 401 and a `WWW-Authenticate` header; the client follows it to the resource metadata, finds the ' +
      'authorization server, lets you sign in and consent, and repeats the call with a token.',
  },
  {
    slug: 'scopes-and-roles',
    title: 'Scopes and roles',
    body:
      'A scope is what a person consented to; a role is what the organization allows. A call needs both. ' +
      '`crm:write` includes `crm:read`, and `agent:admin` includes `agent:contributor`, which includes ' +
      '`agent:read-only`.\n\nWhen only scopes are missing, the answer is 403 and names all of them, so that a client ' +
      'can ask for consent once.',
  },
  {
    slug: 'approvals',
    title: 'Approvals',
    body:
      'Sending mail reaches outside, and deleting a record cannot be undone. Such calls are held: they are answered ' +
      'with a ticket, and people other than the requester approve exactly these arguments. The same call, made ' +
      'again, spends the approval. It is spent once.',
  },
  {
    slug: 'audit',
    title: 'Audit',
    body:
      'Each call leaves two records: an attempt, committed before the tool starts, and an outcome, committed before ' +
      'the answer leaves. Refusals are recorded as well. The log is tamper-evident: its records are leaves of a ' +
      'Merkle tree with signed checkpoints, and independent tools can verify it.',
  },
  {
    slug: 'tenants',
    title: 'Tenants',
    body:
      'The tenant of a call comes from the credential, never from an argument. A record of another tenant is ' +
      'answered exactly as one that does not exist. The office has two tenants, Acme and Globex.',
  },
] satisfies DocPage[];
