// Who is asking. mcpauth puts the user into each request, and removes whatever a
// client sends under this name: behind mcpauth the value can be trusted.
import { z } from "zod";

const USER_KEY = "io.github.mcpauth/user";

const User = z.object({
  sub: z.string().min(1),
  issuer: z.string().min(1),
  email: z.string().optional(),
  name: z.string().optional(),
  groups: z.array(z.string()).default([]),
});
export type User = z.infer<typeof User>;

export class NotSignedIn extends Error {
  constructor() {
    super("nobody is signed in: start this server with `mcpauth proxy -- node build/server.js`");
  }
}

/** Gives back a user that mcpauth has filled in, or refuses: a server that guesses one gives somebody else's data away. */
export function checked(user: unknown): User {
  const parsed = User.safeParse(user);
  if (!parsed.success) throw new NotSignedIn();
  return parsed.data;
}

/** The user of one request. Ask again for each request, never remember it: another person may sign in meanwhile. */
export function userOf(request: { _meta?: Record<string, unknown> }): User {
  return checked(request._meta?.[USER_KEY]);
}
