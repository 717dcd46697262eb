/** Names of variables whose values nobody may see. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;
/** What keys look like wherever they turn up: providers quote them in their own messages. */
const SECRET_TEXT = /\b(?:sk|rk|pk)-[\w*.-]{6,}/g;
/** A shorter value would hide ordinary words. */
const MIN_LENGTH = 8;

/** The same value with every secret in its texts replaced; programs that we ask may say anything. */
export function hideSecrets(value: unknown, env: NodeJS.ProcessEnv): unknown {
  const secrets = Object.entries(env).flatMap(([name, text]) =>
    text !== undefined && text.length >= MIN_LENGTH && SECRET_NAME.test(name) ? [text] : [],
  );
  return hide(value, secrets);
}

function hide(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') {
    return secrets
      .reduce((text, secret) => text.replaceAll(secret, '(hidden)'), value)
      .replaceAll(SECRET_TEXT, '(hidden)');
  }
  if (Array.isArray(value)) return value.map((one) => hide(one, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner, secrets)]));
}
