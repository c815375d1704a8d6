import type { Conversation } from './conversation.js';
import type { HeadlessOAuthProvider } from './headless-oauth-provider.js';
import type { HttpRecorder } from './http-recorder.js';

/** One version of the official client. The story is the same for both. */
export interface StoryClient {
  /** Package and version. */
  readonly name: string;
  /** The protocol revision it speaks. */
  readonly protocol: string;
  /** Whether its revision knows sessions. */
  readonly sessions: boolean;
  /** Connects with a token that was obtained before, or with none; `session`: the id of one to go on with. */
  overHttp(resource: string, token?: string, session?: string): Conversation;
  /** Starts a server as a child process. `environment` is all it gets. */
  overStdio(environment: Readonly<Record<string, string>>): Conversation;
  /** Connects with nothing but the URL: the client itself finds out how to get a token. */
  withOAuth(resource: string, provider: HeadlessOAuthProvider): OAuthConversation;
}

export interface OAuthConversation {
  readonly talk: Conversation;
  readonly wire: HttpRecorder;
  /** Hands the redirect of the sign-in to the SDK, which redeems the code. */
  readonly finish: (callback: URL) => Promise<void>;
}
