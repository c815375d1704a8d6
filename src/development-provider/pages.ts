import { createHash } from 'node:crypto';
import type { Person } from './people.js';
import { PEOPLE } from './people.js';
import { scopeWords } from './scope-words.js';

/** Text that is HTML already. */
class Html {
  constructor(readonly text: string) {}
}

type Part = string | Html | readonly Html[];

/** Everything put into the template is escaped, unless it is {@link Html} itself. */
function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, string, at) => text + render(parts[at - 1] ?? '') + string));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part !== 'string') return part.map(render).join('');
  return part.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

const STYLE = `
  :root { color-scheme: light dark; --ink: light-dark(#1c2430, #e6e9ee); --quiet: light-dark(#5b6675, #9aa5b4);
    --page: light-dark(#eef1f5, #11151b); --card: light-dark(#fff, #1a2029); --line: light-dark(#d5dbe3, #313a47);
    --strong: light-dark(#1f4fbf, #7fa6ff); --on-strong: light-dark(#fff, #10151d); }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
    background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  main { width: 100%; max-width: 27rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
    padding: 1.75rem; overflow-wrap: anywhere; }
  h1 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .5rem; }
  p { margin: .5rem 0; } .quiet { color: var(--quiet); font-size: .875rem; }
  .stage { text-transform: uppercase; letter-spacing: .06em; font-size: .75rem; font-weight: 600; color: var(--quiet); margin: 0 0 .75rem; }
  dl { margin: 1rem 0; } dt { color: var(--quiet); font-size: .875rem; } dd { margin: 0 0 .6rem; }
  ul { margin: .25rem 0 0; padding-left: 1.1rem; } code { font-size: .875rem; }
  button { font: inherit; width: 100%; padding: .7rem .9rem; border-radius: 8px; border: 1px solid var(--line);
    background: transparent; color: inherit; cursor: pointer; text-align: left; margin-top: .5rem; }
  button:hover, button:focus-visible { border-color: var(--strong); outline: 2px solid var(--strong); outline-offset: -1px; }
  button span { display: block; color: var(--quiet); font-size: .875rem; }
  .choice { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; margin-top: 1rem; }
  .choice button { text-align: center; } .allow { background: var(--strong); border-color: var(--strong); color: var(--on-strong); font-weight: 600; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/**
 * The headers of every page. There is no `form-action`: browsers apply it to the redirects behind a form as well, and
 * the last one goes to the client.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
  'referrer-policy': 'same-origin',
};

/** What a client says about itself, and nobody has verified, apart from where the person will be sent. */
export interface ClientOnPage {
  readonly id: string;
  readonly name: string | undefined;
  readonly redirectUri: string;
  /** The host that published the metadata document, which the identifier proves (CIMD). */
  readonly documentHost: string | undefined;
}

/** Page 1: who is it? */
export function personPage(uid: string, client: ClientOnPage): string {
  return page(
    'Who is signing in?',
    html`<h1>Who is signing in?</h1>
      <p>${clientName(client)} wants to connect.</p>
      ${form(PEOPLE.map((person) => personButton(uid, person)))}`,
  );
}

function personButton(uid: string, person: Person): Html {
  return html`<button formaction="/sign-in/${uid}/as/${person.id}" data-choice="${person.id}">
    ${person.name}<span>${person.tenant} · ${person.roles.join(', ')} · ${person.note}</span>
  </button>`;
}

export interface ConsentOnPage {
  readonly uid: string;
  readonly client: ClientOnPage;
  readonly person: Person;
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
}

/** Page 2: may it? */
export function consentPage({ uid, client, person, resources, scopes }: ConsentOnPage): string {
  return page(
    'Allow access?',
    html`<h1>Allow ${clientName(client)} to act for you?</h1>
      <dl>
        <dt>Client</dt>
        <dd>${clientOrigin(client)}</dd>
        <dt>You</dt>
        <dd>${person.name}, ${person.tenant}</dd>
        <dt>At</dt>
        <dd>${resources.map((resource) => html`<code>${resource}</code> `)}</dd>
        <dt>It may</dt>
        <dd>${scopeList(scopes)}</dd>
        <dt>You will be sent to</dt>
        <dd><code>${client.redirectUri}</code></dd>
      </dl>
      <p class="quiet">It never gets more than your own role allows.</p>
      ${form(consentButtons(uid), 'choice')}`,
  );
}

function consentButtons(uid: string): Html[] {
  return [
    html`<button formaction="/sign-in/${uid}/deny" data-choice="deny">Deny</button>`,
    html`<button formaction="/sign-in/${uid}/allow" data-choice="allow" class="allow">Allow</button>`,
  ];
}

function scopeList(scopes: readonly string[]): Html {
  return html`<ul>
    ${scopes.map((scope) => html`<li>${scopeWords(scope)} <code class="quiet">${scope}</code></li>`)}
  </ul>`;
}

/** The choice is in the address of the button, so there is no body, and no parser the application could lack. */
function form(buttons: Html[], style = 'list'): Html {
  return html`<form method="post" enctype="text/plain" class="${style}">${buttons}</form>`;
}

function clientName(client: ClientOnPage): string {
  return `“${shorten(client.name ?? client.id)}”`;
}

function clientOrigin({ id, documentHost }: ClientOnPage): Html {
  if (documentHost !== undefined)
    return html`Published by <code>${documentHost}</code>; the name is its own claim.`;
  return html`Registered itself as <code>${shorten(id)}</code>; its name is self-reported and not verified.`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Page for a sign-in that cannot go on. */
export function problemPage(title: string, sentence: string): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p>${sentence}</p>`,
  );
}

/** Page for an error that may not be sent to the client, such as a redirect address nobody registered. */
export function providerErrorPage(error: { error: string; error_description?: string | undefined }): string {
  const { error: code, error_description: description } = error;
  return page(
    'This did not work',
    html`<h1>This did not work</h1>
      <p data-error="${code}">${description ?? 'The provider gave no reason.'}</p>
      <p class="quiet"><code>${code}</code></p>`,
  );
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          <p class="stage">Development only · no password</p>
          ${content}
        </main>
      </body>
    </html>`.text;
}
